"""ggml's own quantiser, borrowed from the xllamacpp package.

`ggml_quantize_chunk` is part of ggml's C interface, but no public one of xllamacpp: its version is pinned, a test holds
that the symbol exists, and what it returns is read back before it is believed.
"""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from train.gguf.quantise import TypeName

SYMBOL = "ggml_quantize_chunk"
_ROWS_A_PIECE = 1024


def load_quantise_chunk() -> "Callable[[npt.NDArray[np.float32], TypeName], npt.NDArray[np.uint8]] | None":
    """Gives a function (values, type) that quantises rows with all cores, or None where ggml is not to be had."""
    library = _open_library()
    if library is None or not hasattr(library, SYMBOL):
        return None
    function = getattr(library, SYMBOL)
    function.restype = ctypes.c_size_t
    # type, values, blocks, first value, rows, values a row, importance matrix
    function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64,
                         ctypes.c_int64, ctypes.c_void_p]  # fmt: skip

    def quantise(values: "npt.NDArray[np.float32]", kind: "TypeName") -> "npt.NDArray[np.uint8]":
        import numpy as np
        from gguf import GGMLQuantizationType
        from gguf.quants import quant_shape_to_byte_shape

        number = GGMLQuantizationType[kind]
        rows, length = values.shape
        values = np.ascontiguousarray(values, dtype=np.float32)
        blocks = np.empty(quant_shape_to_byte_shape(values.shape, number), dtype=np.uint8)

        def fill(start: int) -> None:
            count = min(_ROWS_A_PIECE, rows - start)
            function(number.value, values.ctypes.data, blocks.ctypes.data, start * length, count, length, None)

        # ctypes lets go of the interpreter's lock, so that threads run at the same time.
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(fill, range(0, rows, _ROWS_A_PIECE)))
        return blocks

    return quantise


def _open_library() -> ctypes.CDLL | None:
    spec = find_spec("xllamacpp")
    if spec is None or spec.origin is None:
        return None
    for path in sorted(Path(spec.origin).parent.glob("xllamacpp*.so")):
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    return None
