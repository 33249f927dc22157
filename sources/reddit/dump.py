"""Dumps (RS_*/RC_* zstd or plain ndjson): unpacked and parsed in one thread, shaped in another, named in the caller's."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sources.files import FoundFile
from sources.protocol import Rejection
from sources.reddit.lines import BLOCK_BYTES, Block, Start, read_blocks
from sources.reddit.offline import Piece
from sources.reddit.raw import make_raw_frame, parse_lines
from sources.reddit.shape import Shaped, Shaper

if TYPE_CHECKING:
    import polars as pl

BLOCKS_AHEAD = 1
# The shortest row that can be used has about 40 bytes: a block of more lines is made to fill the memory.
MAX_BLOCK_LINES = BLOCK_BYTES // 40
_POLL_S = 0.2


def read_dump(file: FoundFile, shaper: Shaper, start: Start) -> Iterator[Piece]:
    """Yields a piece a block; a damaged line costs itself alone."""
    name = file.path.name
    blocks = read_blocks(file.path, name, start, shaper.options.max_window)
    parsed = _read_ahead(_parse_blocks(blocks, name))
    for item in _read_ahead(_shape_blocks(parsed, name, shaper)):
        yield _finish(item, shaper)


Parsed = tuple[Block, "pl.DataFrame | None"]
Item = TypeVar("Item")


def _parse_blocks(blocks: Iterator[Block | Rejection], name: str) -> Iterator[Parsed | Rejection]:
    for block in blocks:
        if isinstance(block, Rejection):
            yield block
        elif block.num_lines > MAX_BLOCK_LINES:
            detail = f"lines of {len(block.data) / block.num_lines:.0f} bytes on average; the rest is not read"
            yield Rejection(f"{name}:line {block.first_line}", "not_a_dump", detail)
            return
        else:
            yield block, parse_lines(block.data)


@dataclass(frozen=True)
class _LaidOut:
    """A block between the two halves of shaping."""

    shaped: Shaped
    refused: tuple[Rejection, ...]
    num_rows: int
    end: Start


def _shape_blocks(parsed: Iterator[Parsed | Rejection], name: str, shaper: Shaper) -> Iterator[_LaidOut | Rejection]:
    for item in parsed:
        yield item if isinstance(item, Rejection) else _lay_out(*item, name, shaper)


def _lay_out(block: Block, raw: "pl.DataFrame | None", name: str, shaper: Shaper) -> _LaidOut:
    end = Start(block.end, block.first_line + block.num_lines - 1)
    refused: list[Rejection] = []
    if raw is not None and len(raw) == block.num_lines:
        shaped = shaper.lay_out(raw, lambda row: f"{name}:line {block.first_line + row}")
    else:
        lines, records = _parse_singly(block, name, refused)
        raw = make_raw_frame(records)
        shaped = shaper.lay_out(raw, lambda row: f"{name}:line {lines[row]}")
    return _LaidOut(shaped, tuple(refused), len(raw), end)


def _finish(item: _LaidOut | Rejection, shaper: Shaper) -> Piece:
    if isinstance(item, Rejection):
        return Piece(None, (item,))
    shaped = shaper.finish(item.shaped)
    rejections = (*item.refused, *shaped.rejections)
    return Piece(shaped.documents, rejections, item.num_rows, shaped.num_unwanted, item.end)


def _parse_singly(block: Block, name: str, refused: list[Rejection]) -> tuple[list[int], list[dict[str, Any]]]:
    import orjson

    lines, records = [], []
    for number, line in enumerate(block.data.split(b"\n"), start=block.first_line):
        if not line.strip():
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            refused.append(_explain(line, f"{name}:line {number}", error.msg))
            continue
        if isinstance(record, dict):
            lines.append(number)
            records.append(record)
        else:
            detail = f"a JSON {type(record).__name__}, expected an object"
            refused.append(Rejection(f"{name}:line {number}", "not_an_object", detail))
    return lines, records


def _explain(line: bytes, where: str, message: str) -> Rejection:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return Rejection(where, "invalid_utf8", f"byte 0x{line[error.start]:02x} at {error.start} is not UTF-8")
    return Rejection(where, "broken_json", message)


def _read_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Draws from `items` in a thread, a few ahead: the steps overlap, memory stays bounded."""
    channel: queue.Queue[Item | BaseException | None] = queue.Queue(BLOCKS_AHEAD)
    is_abandoned = threading.Event()

    def offer(item: Item | BaseException | None) -> bool:
        while not is_abandoned.is_set():
            try:
                channel.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False

    def draw() -> None:
        try:
            for item in items:
                if not offer(item):
                    return
            offer(None)
        except BaseException as error:  # noqa: BLE001 - handed over, and raised where it is read
            offer(error)

    thread = threading.Thread(target=draw, name="reddit-dump", daemon=True)
    thread.start()
    try:
        while (item := channel.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_abandoned.set()
        thread.join()
