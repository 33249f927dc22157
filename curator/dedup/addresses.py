"""Where the UTF-8 bytes of each text lie in memory: polars columns read in place, through the Arrow C interface.

Copying the text of a column takes longer than searching it, and pyarrow's import longer than both on small inputs, so
the few fields of the interface that matter are read here (https://arrow.apache.org/docs/format/CDataInterface.html).
"""

import ctypes
import weakref
from typing import Any

import numpy as np
import polars as pl

from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64, U64

# One text of a string-view column: short ones lie in the view itself, from its fifth byte on.
_VIEW = np.dtype([("size", "<i4"), ("prefix", "<u4"), ("buffer", "<i4"), ("offset", "<i4")])
_INLINE_BYTES = 12
_STRING_VIEW = b"vu"


class _Array(ctypes.Structure):
    pass


_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.c_void_p),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]


class _Schema(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.c_void_p),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]


class _Stream(ctypes.Structure):
    pass


_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]


class TextAddresses:
    """Address and size of each text; the memory stays valid while this object lives.

    Attributes:
        addresses: (num_rows,) uint64.
        sizes: (num_rows,) int64, in bytes.
        marked_sizes: The same, negative for texts that are canonical already.
    """

    def __init__(self, texts: pl.Series) -> None:
        capsule = texts.__arrow_c_stream__()
        get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
        get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        stream = _Stream.from_address(get_pointer(capsule, b"arrow_array_stream"))
        _check_format(stream)
        located = [_locate(array) for array in self._read_arrays(stream)]
        self.addresses: U64 = np.concatenate([part[0] for part in located] or [np.empty(0, np.uint64)])
        self.sizes: I64 = np.concatenate([part[1] for part in located] or [np.empty(0, np.int64)])
        self.marked_sizes = self.sizes.copy()
        self._replaced: list[bytes] = []

    def _read_arrays(self, stream: Any) -> list[Any]:
        arrays: list[Any] = []
        while True:
            array = _Array()
            if stream.get_next(ctypes.byref(stream), ctypes.byref(array)) != 0:
                raise DedupError(
                    "texts: the column could not be exported through the Arrow C interface", "copy it first"
                )
            if not array.release:
                return arrays
            weakref.finalize(self, array.release, ctypes.pointer(array))
            arrays.append(array)

    def replace(self, rows: I64, texts: list[str]) -> None:
        """Let the given rows point to their canonical texts."""
        encoded = [text.encode() for text in texts]
        data = b"".join(encoded)
        self._replaced.append(data)
        sizes = np.array([len(text) for text in encoded], dtype=np.int64)
        start = np.frombuffer(data or b" ", dtype=np.uint8).ctypes.data
        self.addresses[rows] = (start + np.cumsum(sizes) - sizes).astype(np.uint64)
        self.sizes[rows] = sizes
        self.marked_sizes[rows] = -sizes


def _check_format(stream: Any) -> None:
    """Raise unless the stream is one of string views: other layouts would be misread."""
    schema = _Schema()
    if stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)) != 0:
        raise DedupError("texts: the column could not be exported through the Arrow C interface", "copy it first")
    layout = schema.format
    schema.release(ctypes.byref(schema))
    if layout != _STRING_VIEW:
        raise DedupError(f"texts: expected Arrow layout {_STRING_VIEW!r}, found {layout!r}", "use polars 2")


def _locate(array: Any) -> tuple[U64, I64]:
    """Return addresses and sizes of a string-view array without nulls."""
    if array.length == 0:
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    start = array.buffers[1] + array.offset * _VIEW.itemsize
    memory = (ctypes.c_uint8 * (array.length * _VIEW.itemsize)).from_address(start)
    views = np.frombuffer(memory, dtype=_VIEW)
    data = np.array([array.buffers[at] or 0 for at in range(2, array.n_buffers - 1)] or [0], dtype=np.uint64)
    sizes = views["size"].astype(np.int64)
    is_inline = sizes <= _INLINE_BYTES
    inline = np.uint64(start + 4) + np.arange(array.length, dtype=np.uint64) * np.uint64(_VIEW.itemsize)
    buffer = np.where(is_inline, 0, views["buffer"])
    return np.where(is_inline, inline, data[buffer] + views["offset"].astype(np.uint64)), sizes
