"""The definition of truth: Jaccard similarity of two texts, in plain Python.

Every fast path of this package is tested against these few lines. They work on the words themselves, not on hashes.
"""

from typing import Literal

from curator.dedup.normalize import split_words

Kind = Literal["word", "char"]


def shingle_set(text: str, ngram: int = 5, *, kind: Kind = "word", mask_numbers: bool = False) -> set[tuple[str, ...]]:
    """Return the distinct shingles of a text.

    Args:
        text: Any text; one without words has no shingles.
        ngram: Words (or characters) a shingle. A text with fewer is one shingle as a whole.
        kind: Whether shingles are made of words, or of the characters of the words joined by single spaces.
        mask_numbers: Compare without numbers (see `split_words`).
    """
    words = split_words(text, mask_numbers=mask_numbers)
    tokens = words if kind == "word" else list(" ".join(words))
    if not tokens:
        return set()
    return {tuple(tokens[at : at + ngram]) for at in range(max(1, len(tokens) - ngram + 1))}


def similarity(left: str, right: str, ngram: int = 5, *, kind: Kind = "word", mask_numbers: bool = False) -> float:
    """Return the Jaccard similarity of two texts, 0 to 1: shared distinct shingles over all distinct shingles.

    An empty text is similar to nothing, not even to another empty text.
    """
    ours = shingle_set(left, ngram, kind=kind, mask_numbers=mask_numbers)
    theirs = shingle_set(right, ngram, kind=kind, mask_numbers=mask_numbers)
    if not ours or not theirs:
        return 0.0
    shared = len(ours & theirs)
    return shared / (len(ours) + len(theirs) - shared)
