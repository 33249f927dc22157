"""How characters beyond ASCII fold, as a table for the compiled kernels.

Most characters fold by themselves: a dash to a separator, a letter to its small form, a fraction to its digits. Those
that need their neighbours (marks that compose) or become many characters are left to Python, which then folds the whole
text.
"""

import unicodedata

import numpy as np
from numpy.typing import NDArray

from curator.dedup.normalize import IGNORED, spell_character

TABLE_SIZE = 0x10000
CLASS_SHIFT = 24
CLASS_SEPARATOR, CLASS_WORD, CLASS_SINGLE, CLASS_IGNORED, CLASS_COMPLEX, CLASS_SPELLED = range(6)
# A spelled entry holds up to three ASCII characters of seven bits, the first one lowest.
SPELLED_BITS = 7
_MAX_SPELLED = 3

# Emoji and pictographs beyond the table, all of them separators that no normalisation touches.
EMOJI_LOW, EMOJI_HIGH = 0x1F300, 0x1FAFF

_HANGUL_VOWELS_AND_TAILS = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))


def build_table() -> NDArray[np.uint32]:
    """Return class << 24 | folded code point for each code point below 65,536; takes about 0.2 s."""
    composing = find_composing()
    entries = [_classify(code, composing) for code in range(TABLE_SIZE)]
    return np.array(entries, dtype=np.uint32)


def find_composing() -> frozenset[int]:
    """Return the characters that compose with one before them."""
    seconds = set(_HANGUL_VOWELS_AND_TAILS)
    for code in range(TABLE_SIZE):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(int(parts[1], 16))
    return frozenset(seconds)


def _classify(code: int, composing: frozenset[int]) -> int:
    character = chr(code)
    normal = unicodedata.normalize("NFKC", character)
    # Marks after a space of the character's own, as in an acute accent by itself, compose with nothing.
    is_loose = normal.startswith(" ")
    if not is_loose and any(ord(part) in composing or _is_reordered(part) for part in normal):
        return CLASS_COMPLEX << CLASS_SHIFT
    spelled = "".join(spell_character(ord(part)) for part in normal.casefold())
    words = spelled.split()
    if not words:
        return (CLASS_SEPARATOR if spelled else CLASS_IGNORED) << CLASS_SHIFT
    if len(spelled) > 1 and len(spelled) <= _MAX_SPELLED and spelled.isascii():
        packed = sum(ord(part) << SPELLED_BITS * place for place, part in enumerate(spelled))
        return CLASS_SPELLED << CLASS_SHIFT | packed
    if len(words) > 1 or len(words[0]) > 1 or ord(words[0]) >= TABLE_SIZE:
        return CLASS_COMPLEX << CLASS_SHIFT
    if spelled == words[0]:
        return CLASS_WORD << CLASS_SHIFT | ord(words[0])
    stands_alone = spelled[0] == spelled[-1] == " "
    return CLASS_SINGLE << CLASS_SHIFT | ord(words[0]) if stands_alone else CLASS_COMPLEX << CLASS_SHIFT


def _is_reordered(character: str) -> bool:
    """Return whether normalisation may move the character and something sees it: the ignored ones leave no trace."""
    return unicodedata.combining(character) != 0 and ord(character) not in IGNORED
