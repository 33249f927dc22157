"""Watches a zstd stream from outside: is it cut off, and does it unpack to absurd size?

The decompressor ends quietly where its input ends, so only the frame structure tells a whole file from a truncated
one (RFC 8878, section 3.1: magic, header, blocks with 3-byte headers, checksum).
"""

from enum import Enum, auto
from typing import BinaryIO

FRAME_MAGIC = 0xFD2FB528
SKIPPABLE_MAGIC = 0x184D2A50
LONGEST_HEADER = 14
_RLE_BLOCK = 1
_DICTIONARY_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)


class _Part(Enum):
    MAGIC = auto()
    DESCRIPTOR = auto()
    SKIPPABLE_SIZE = auto()
    BLOCK_HEADER = auto()


class FrameWalker:
    """Follows the bytes of a zstd stream from frame to frame without unpacking anything."""

    def __init__(self) -> None:
        self._part = _Part.MAGIC
        self._wanted = 4
        self._held = b""
        self._to_skip = 0
        self._has_checksum = False

    @property
    def is_complete(self) -> bool:
        """True where every frame that has begun has ended."""
        return self._part is _Part.MAGIC and not self._held and not self._to_skip

    def feed(self, data: bytes) -> None:
        """Walks over the next bytes of the stream."""
        at = 0
        while at < len(data):
            if self._to_skip:
                step = min(self._to_skip, len(data) - at)
                self._to_skip -= step
                at += step
                continue
            take = self._wanted - len(self._held)
            self._held += data[at : at + take]
            at += take
            if len(self._held) == self._wanted:
                held, self._held = self._held, b""
                self._enter(held)

    def _expect(self, part: _Part, wanted: int, skip: int = 0) -> None:
        self._part, self._wanted, self._to_skip = part, wanted, skip

    def _enter(self, held: bytes) -> None:
        number = int.from_bytes(held, "little")
        match self._part:
            case _Part.MAGIC:
                if number & 0xFFFFFFF0 == SKIPPABLE_MAGIC:
                    self._expect(_Part.SKIPPABLE_SIZE, 4)
                else:
                    self._expect(_Part.DESCRIPTOR, 1)
            case _Part.SKIPPABLE_SIZE:
                self._expect(_Part.MAGIC, 4, skip=number)
            case _Part.DESCRIPTOR:
                self._enter_frame(number)
            case _Part.BLOCK_HEADER:
                self._enter_block(number)

    def _enter_frame(self, descriptor: int) -> None:
        is_single_segment = bool(descriptor >> 5 & 1)
        self._has_checksum = bool(descriptor >> 2 & 1)
        content_size = _SIZE_BYTES[descriptor >> 6] or int(is_single_segment)
        rest = int(not is_single_segment) + _DICTIONARY_BYTES[descriptor & 3] + content_size
        self._expect(_Part.BLOCK_HEADER, 3, skip=rest)

    def _enter_block(self, header: int) -> None:
        is_last, kind, size = header & 1, header >> 1 & 3, header >> 3
        packed = 1 if kind == _RLE_BLOCK else size
        if is_last:
            self._expect(_Part.MAGIC, 4, skip=packed + 4 * self._has_checksum)
        else:
            self._expect(_Part.BLOCK_HEADER, 3, skip=packed)


class WatchedFile:
    """A file that is read by the decompressor while a walker looks on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.walker = FrameWalker()
        self.num_read = 0

    def read(self, size: int = -1) -> bytes:
        """Gives the next bytes, as the decompressor asks for them."""
        data = self._file.read(size)
        self.walker.feed(data)
        self.num_read += len(data)
        return data
