"""What the kernels need to know to cut texts into shingles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.dedup.addresses import TextAddresses
from curator.dedup.hashing import U64
from curator.dedup.native import Kernels


@dataclass(frozen=True)
class TextSource:
    """Texts, and how they are cut.

    Attributes:
        options: Bits: 1 masks numbers, 2 takes characters for words.
        boilerplate: Table of the shingles to leave out (see `list_in_table`); one free place for none.
    """

    kernels: Kernels
    located: TextAddresses
    options: int
    ngram: int
    boilerplate: U64
    num_threads: int

    def cutting(self) -> tuple[NDArray[np.uint32], int, int, U64, int]:
        """Return the arguments that say how texts are cut: table, options, ngram, boilerplate and its mask."""
        return self.kernels.table, self.options, self.ngram, self.boilerplate, len(self.boilerplate) - 1
