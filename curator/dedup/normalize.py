"""What counts as a word: the one normalisation that every comparison of texts rests on.

A text is folded (Unicode NFKC where it is not ASCII, then case-folded) and cut into words. A word is a run of
letters, digits and the marks that belong to them; anything else separates. Three things are particular:

- Arabic is compared without vowel signs and tatweel, which the same author writes or leaves out at will.
- Han and kana characters are words of their own, because these scripts put no space between words.
- Invisible characters (soft hyphen, joiners, direction marks, variation selectors) and accents that compose with no
  letter are dropped, not cut at.

Decimal digits of any script become ASCII digits.
"""

import re
import unicodedata

DIGIT_RUN = re.compile("[0-9]+")

# Vowel signs, Koranic annotation and tatweel; the hamza and madda marks (0653-0655) that remain after
# composition are vowel-like as well.
_ARABIC_SIGNS = (
    *range(0x0610, 0x061B),
    0x0640,
    *range(0x064B, 0x0660),
    0x0670,
    *range(0x06D6, 0x06DD),
    *range(0x06DF, 0x06E9),
    *range(0x06EA, 0x06EE),
)
_INVISIBLE = (0x00AD, 0x034F, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
# Marks over and under Latin letters that composed with none.
_LOOSE_MARKS = range(0x0300, 0x0370)
_SELECTORS = (*range(0xFE00, 0xFE10), 0xFEFF, *range(0xE0100, 0xE01F0))
IGNORED = frozenset((*_ARABIC_SIGNS, *_INVISIBLE, *_LOOSE_MARKS, *_SELECTORS))

# Iteration mark and zero, kana, unified ideographs with extensions, compatibility ideographs.
SINGLE_CHARACTER_RANGES = (
    (0x3005, 0x3007),
    (0x3041, 0x3096),
    (0x309D, 0x309F),
    (0x30A1, 0x30FA),
    (0x30FC, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)


class _WordTable(dict[int, str]):
    """For `str.translate`: what a folded character stands for, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = value = spell_character(code)
        return value


def spell_character(code: int) -> str:
    """Return what a folded code point contributes: itself, an ASCII digit, a space or nothing."""
    character = chr(code)
    category = unicodedata.category(character)
    if code in IGNORED:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category[0] not in "LMN":
        return " "
    if any(low <= code <= high for low, high in SINGLE_CHARACTER_RANGES):
        return f" {character} "
    return character


_WORD_TABLE = _WordTable()


def split_words(text: str, *, mask_numbers: bool = False) -> list[str]:
    """Return the words of a text in order, folded.

    Args:
        text: Any text; empty gives no words.
        mask_numbers: Write every run of digits as a single 0, so that texts that differ in numbers only agree.
    """
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    spelled = folded.translate(_WORD_TABLE)
    if mask_numbers:
        spelled = DIGIT_RUN.sub("0", spelled)
    return spelled.split()


def canonical_text(text: str, *, mask_numbers: bool = False) -> str:
    """Return the words of a text joined by single spaces; equal results mean the texts are the same to us."""
    return " ".join(split_words(text, mask_numbers=mask_numbers))
