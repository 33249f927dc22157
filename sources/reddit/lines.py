r"""Reads a dump in blocks of whole lines, within a fixed amount of memory whatever the file holds.

Lines are split as bytes: a character may end in the next piece, a line end (`\n`) never does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from sources.protocol import Rejection
from sources.reddit.zstd_frames import LONGEST_HEADER, WatchedFile

# Polars asks a fixed price for a block: at 4 MB a tenth of the work. Larger ones than 8 MB cost more memory than time.
BLOCK_BYTES = 8 * 2**20
READ_BYTES = 2**20
PACKED_READ_BYTES = 2**17
# The longest real rows (galleries with a media table) stay under 1 MB.
MAX_SKIPPED_BYTES = 128 * 2**20
# Real dumps unpack to about 10 times their size and repeated ones to 3,000; runs of one byte reach 32,000.
MAX_EXPANSION = 10_000
EXPANSION_CHECKED_FROM = 64 * 2**20

ReadInto = Callable[[memoryview], int]


@dataclass(frozen=True)
class Block:
    """Whole lines of a file.

    Attributes:
        data: The lines, each with its end (the last line of a file may lack it).
        first_line: Number of the first line, counted from 1.
        num_lines: How many.
        end: Bytes of the unpacked file up to the end of this block.
    """

    data: bytes
    first_line: int
    num_lines: int
    end: int


@dataclass(frozen=True)
class Start:
    """Where to begin in the unpacked file: after so many bytes and lines."""

    offset: int = 0
    line: int = 0


class UnreadableStreamError(Exception):
    """The rest of a file cannot be read; carries the rejection."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.detail)
        self.rejection = rejection


def read_blocks(path: Path, name: str, start: Start, max_window: int) -> Iterator[Block | Rejection]:
    """Yields the blocks of a file (.zst or plain), with a rejection where something had to be left out.

    Args:
        path: The file.
        name: What rejections call it.
        start: Where an earlier run stopped.
        max_window: Largest zstd window in bytes.
    """
    opener = _open_packed if path.suffix.lower() == ".zst" else _open_plain
    try:
        with opener(path, name, max_window) as read_into:
            yield from _cut_blocks(read_into, name, start)
    except UnreadableStreamError as error:
        yield error.rejection
    except OSError as error:
        yield Rejection(name, "unreadable", error.strerror or type(error).__name__)


@contextmanager
def _open_plain(path: Path, _name: str, _max_window: int) -> Iterator[ReadInto]:
    with path.open("rb", buffering=0) as file:
        yield lambda buffer: file.readinto(buffer) or 0


@contextmanager
def _open_packed(path: Path, name: str, max_window: int) -> Iterator[ReadInto]:
    import zstandard

    with path.open("rb") as file:
        _check_window(file.read(LONGEST_HEADER + 4), name, max_window)
        file.seek(0)
        watched = WatchedFile(file)
        unpacker = zstandard.ZstdDecompressor(max_window_size=max_window)
        reader = unpacker.stream_reader(cast("BinaryIO", watched), read_size=PACKED_READ_BYTES, read_across_frames=True)
        num_unpacked = 0

        def read_into(buffer: memoryview) -> int:
            nonlocal num_unpacked
            try:
                # readinto1 returns after every piece, so that nothing before a damaged one is lost.
                count = int(reader.readinto1(buffer))
            except zstandard.ZstdError as error:
                raise UnreadableStreamError(_explain(error, name, max_window)) from error
            num_unpacked += count
            if not count and not watched.walker.is_complete:
                detail = f"the file ends within a frame after {num_unpacked:,} unpacked bytes; fetch it again"
                raise UnreadableStreamError(Rejection(name, "truncated_zstd", detail))
            if num_unpacked > EXPANSION_CHECKED_FROM and num_unpacked > MAX_EXPANSION * watched.num_read:
                detail = f"{watched.num_read:,} bytes unpack to more than {num_unpacked:,}: that is no dump"
                raise UnreadableStreamError(Rejection(name, "zstd_bomb", detail))
            return count

        yield read_into


def _check_window(head: bytes, name: str, max_window: int) -> None:
    import zstandard

    try:
        window = zstandard.get_frame_parameters(head).window_size
    except zstandard.ZstdError as error:
        detail = f"{error or 'no zstd frame'}; expected a .zst file"
        raise UnreadableStreamError(Rejection(name, "not_zstd", detail)) from error
    if window > max_window:
        detail = f"its window is {window:,} bytes, at most {max_window:,} are allowed; try --max-window {window}"
        raise UnreadableStreamError(Rejection(name, "window_too_large", detail))


def _explain(error: Exception, name: str, max_window: int) -> Rejection:
    if "too much memory" in str(error):
        detail = f"a frame wants a window above {max_window:,} bytes; try --max-window {2**31}"
        return Rejection(name, "window_too_large", detail)
    return Rejection(name, "broken_zstd", f"{error}; what came before is kept, fetch the file again")


def _skip_to(read_into: ReadInto, offset: int) -> None:
    buffer = memoryview(bytearray(READ_BYTES))
    while offset:
        count = read_into(buffer[:offset])
        if not count:
            return
        offset -= count


def _cut_blocks(read_into: ReadInto, name: str, start: Start) -> Iterator[Block | Rejection]:
    _skip_to(read_into, start.offset)
    cutter = _Cutter(name, start)
    failure: UnreadableStreamError | None = None
    while True:
        try:
            count = read_into(cutter.room)
        except UnreadableStreamError as error:
            failure = error
            break
        if not count:
            break
        yield from cutter.add(count)
    yield from cutter.finish(is_cut_off=failure is not None)
    if failure is not None:
        raise failure


class _Cutter:
    """Holds what has no line end yet, in one buffer that the reader fills: each byte is copied once, into its block."""

    def __init__(self, name: str, start: Start) -> None:
        self._name = name
        self._buffer = bytearray(BLOCK_BYTES + READ_BYTES)
        self._view = memoryview(self._buffer)
        self._num_held = 0
        self._end = start.offset
        self._line = start.line
        self._num_skipped = 0

    @property
    def room(self) -> memoryview:
        """Where the next bytes go: at most READ_BYTES, never none."""
        return self._view[self._num_held : self._num_held + READ_BYTES]

    def add(self, count: int) -> Iterator[Block | Rejection]:
        """Takes `count` bytes that were put into `room`, and yields a block as soon as one is full."""
        if self._num_skipped:
            if not self._skip(count):
                return
            yield self._reject_giant()
        else:
            self._num_held += count
        if self._num_held < BLOCK_BYTES:
            return
        cut = self._buffer.rfind(b"\n", 0, self._num_held) + 1
        if cut:
            yield self._take(cut)
        if self._num_held >= BLOCK_BYTES:
            self._num_skipped, self._num_held = self._num_held, 0

    def finish(self, *, is_cut_off: bool) -> Iterator[Block | Rejection]:
        """Yields what is left; the last, cut-off line of a damaged file is no line."""
        if self._num_skipped:
            yield self._reject_giant()
            return
        cut = self._buffer.rfind(b"\n", 0, self._num_held) + 1 if is_cut_off else self._num_held
        if cut:
            yield self._take(cut)

    def _take(self, cut: int) -> Block:
        data = bytes(self._view[:cut])
        self._keep_from(cut, self._num_held)
        num_lines = _count_line_ends(data) + (not data.endswith(b"\n"))
        self._end += cut
        block = Block(data, self._line + 1, num_lines, self._end)
        self._line += num_lines
        return block

    def _keep_from(self, start: int, end: int) -> None:
        self._num_held = end - start
        self._view[: self._num_held] = self._view[start:end]

    def _skip(self, count: int) -> bool:
        """Drops bytes of a line that is too long; True where it has ended, and what follows is held."""
        at = self._buffer.find(b"\n", 0, count)
        if at >= 0:
            self._num_skipped += at + 1
            self._keep_from(at + 1, count)
            return True
        self._num_skipped += count
        if self._num_skipped > MAX_SKIPPED_BYTES:
            detail = f"no line end in {MAX_SKIPPED_BYTES:,} bytes: that is no dump; the rest is not read"
            raise UnreadableStreamError(Rejection(f"{self._name}:line {self._line + 1}", "giant_line", detail))
        return False

    def _reject_giant(self) -> Rejection:
        self._line += 1
        self._end += self._num_skipped
        detail = f"{self._num_skipped:,} bytes, at most about {BLOCK_BYTES:,} are read"
        self._num_skipped = 0
        return Rejection(f"{self._name}:line {self._line}", "giant_line", detail)


def _count_line_ends(data: bytes) -> int:
    """Three times as fast as bytes.count, which shows over a whole dump."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))
