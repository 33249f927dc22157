"""The one way kernels are compiled."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

Params = ParamSpec("Params")
Result = TypeVar("Result")


def jit(function: Callable[Params, Result]) -> Callable[Params, Result]:
    """Return the function compiled by numba: no bounds checks, no exceptions, C division."""
    compiled: Callable[Params, Result] = numba.njit(error_model="numpy", boundscheck=False)(function)
    return compiled
