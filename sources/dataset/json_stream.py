"""Reads a JSON array element by element, so that its size never decides how much memory it takes."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

CHUNK_BYTES = 2**20
# A broken element looks unfinished to the end of the file; beyond this it is called broken.
MAX_ELEMENT_CHARS = 16 * 2**20
MAX_NUMBER_TAIL_CHARS = 4

_WHITESPACE = " \t\n\r"


class JsonStreamError(ValueError):
    """The array ends early, or an element in it is broken; what came before was fine.

    Attributes:
        reason: `broken_json` or `invalid_utf8`.
        line: Where in the file, 1-based.
    """

    def __init__(self, reason: str, line: int, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.line = line
        self.detail = detail


def stream_array(handle: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Yields (line, element) of the JSON array in a file opened for bytes.

    Args:
        handle: At the start of the file; a UTF-8 byte order mark is passed over.

    Raises:
        JsonStreamError: Where the array is broken; nothing can be read after that place.
    """
    buffer = _Buffer(handle)
    if buffer.peek() != "[":
        raise JsonStreamError("broken_json", buffer.line, "expected an array that begins with [")
    buffer.skip(1)
    if buffer.peek() == "]":
        return
    while True:
        yield buffer.line, buffer.take_value()
        sign = buffer.peek()
        if sign == "]":
            return
        if sign != ",":
            found = repr(sign) if sign else "the end of the file"
            raise JsonStreamError("broken_json", buffer.line, f"expected , or ] after an element, found {found}")
        buffer.skip(1)
        buffer.peek()


class _Buffer:
    """The part of the file that is in memory, and the line it begins at."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._is_done = False
        self.line = 1

    def peek(self) -> str:
        """Gives the next sign that is no white space (and passes over the white space); empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _WHITESPACE:
                    return self._text[self._at]
                self.skip(1)
            if not self._read_more(CHUNK_BYTES):
                return ""

    def skip(self, count: int) -> None:
        end = self._at + count
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def take_value(self) -> Any:
        """Gives the JSON value that begins here.

        Reads twice as much each time the value proves unfinished, so that the work stays linear in its length.
        """
        wanted = CHUNK_BYTES
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                pending = len(self._text) - self._at
                if pending > MAX_ELEMENT_CHARS or not self._read_more(wanted):
                    line = self.line + self._text.count("\n", self._at, error.pos)
                    raise JsonStreamError("broken_json", line, error.msg) from error
                wanted *= 2
            except RecursionError as error:
                raise JsonStreamError("broken_json", self.line, "nested too deeply") from error
            else:
                # A number near the end of what was read may go on in the next chunk: `1.` before `5`, `1e` before `9`.
                taken = end - self._at
                if len(self._text) - end < MAX_NUMBER_TAIL_CHARS and self._read_more(CHUNK_BYTES):
                    continue
                self.skip(taken)
                return value

    def _read_more(self, count: int) -> bool:
        """Drops what was taken and reads on; False at the end of the file."""
        if self._is_done:
            return False
        data = self._handle.read(count)
        self._is_done = not data
        try:
            fresh = self._decoder.decode(data, final=self._is_done)
        except UnicodeDecodeError as error:
            # What the decoder looked at begins with bytes of a character that the chunk before broke off.
            seen = error.object
            line = self.line + self._text.count("\n", self._at) + seen.count(b"\n", 0, error.start)
            raise JsonStreamError("invalid_utf8", line, f"byte 0x{seen[error.start]:02x} is not UTF-8") from error
        self._text = self._text[self._at :] + fresh
        self._at = 0
        return not self._is_done
