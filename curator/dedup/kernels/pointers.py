"""What the kernels take for C pointers: uncompiled, arrays stand in for them."""

from collections.abc import Callable
from typing import Any, TypeAlias, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
U8s: TypeAlias = NDArray[np.uint8]
U16s: TypeAlias = NDArray[np.uint16]
I32s: TypeAlias = NDArray[np.int32]
I64s: TypeAlias = NDArray[np.int64]
U32s: TypeAlias = NDArray[np.uint32]
U64s: TypeAlias = NDArray[np.uint64]
F64s: TypeAlias = NDArray[np.float64]


def numba_signature(function: Callable[..., Any]) -> tuple[Any, ...]:
    """Return the numba types of a kernel's parameters, from its annotations."""
    from numba import from_dtype, types

    hints = get_type_hints(function)
    hints.pop("return")
    plain = {int: types.int64, float: types.float64}
    pointer: Callable[[Any], Any] = types.CPointer
    return tuple(plain.get(hint) or pointer(from_dtype(_dtype(hint))) for hint in hints.values())


def _dtype(hint: Any) -> np.dtype[Any]:
    """Return the element type of NDArray[...]."""
    dtype: np.dtype[Any] = np.dtype(get_args(get_args(hint)[1])[0])
    return dtype
