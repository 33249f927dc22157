"""What the rules look at, measured over whole columns."""

from typing import TYPE_CHECKING

from curator.text import BYTES_PER_TOKEN

if TYPE_CHECKING:
    import polars as pl

STOP_WORDS = r"(?i)\b(?:the|be|to|of|and|that|have|with|you|your|for|is|are|a|an|in|on|it|i|if|as|or)\b"
LINK = r"https?://\S+|www\.\S+|\]\([^)\s]+\)"


def measure_texts(texts: "pl.DataFrame") -> "pl.DataFrame":
    """Adds the measures to a frame with `prompt`, `answer`, `question`, `full`.

    Returns:
        The frame with counts (`answer_words`, `letters`, `stop_words`, `tokens`, ...) and ratios in 0-1.
    """
    import polars as pl

    answer = pl.col("answer")
    words = answer.str.count_matches(r"\S+")
    letters = answer.str.count_matches(r"\p{L}")
    measured = texts.with_columns(
        words.alias("answer_words"),
        letters.alias("letters"),
        (pl.col("question").str.count_matches(r"\S+")).alias("question_words"),
        answer.str.count_matches(STOP_WORDS).alias("stop_words"),
        _tokens(pl.col("full")).alias("tokens"),
        _tokens(answer).alias("answer_tokens"),
        answer.str.count_matches(r"#|\.\.\.|…").alias("symbols"),
        answer.str.count_matches(r"\S*\p{L}\S*").alias("alpha_words"),
        answer.str.count_matches(LINK).alias("links"),
        answer.str.count_matches(r"\p{Lu}").alias("capitals"),
        answer.str.split("\n").alias("lines"),
    )
    count = pl.max_horizontal(pl.col("answer_words"), pl.lit(1))
    lines = pl.col("lines").list.eval(pl.element().filter(pl.element().str.strip_chars() != ""))
    return measured.with_columns(
        (answer.str.replace_all(r"\s+", "").str.len_chars() / count).alias("mean_word_length"),
        (pl.col("symbols") / count).alias("symbol_ratio"),
        (pl.col("alpha_words") / count).alias("alpha_ratio"),
        (pl.col("links") / count).alias("link_ratio"),
        (pl.col("capitals") / pl.max_horizontal(pl.col("letters"), pl.lit(1))).alias("uppercase_ratio"),
        (1 - lines.list.n_unique() / pl.max_horizontal(lines.list.len(), pl.lit(1)))
        .clip(0, 1)
        .alias("duplicate_line_ratio"),
    ).drop("lines")


def score_quality(texts: "pl.DataFrame") -> "pl.Expr":
    """Gives the quality in [0,1]: a weighted sum that prefers answers one can learn from.

    0.35 length (full from 120 words), 0.20 substance (share of words with four letters or more), 0.15 structure
    (several sentences or steps), 0.10 concrete figures, 0.20 the source's own esteem (0.5 where it has none).
    """
    import polars as pl

    words = pl.col("answer_words")
    substance = pl.col("answer").str.count_matches(r"\p{L}{4,}") / pl.max_horizontal(words, pl.lit(1))
    structure = pl.col("answer").str.count_matches(r"[.!?؟。](?:\s|$)|\n\s*(?:\d+\.|[-*])") / 4
    figures = pl.col("answer").str.count_matches(r"\d") / 2
    source = pl.col("source_score").fill_null(0.5) if "source_score" in texts.columns else pl.lit(0.5)
    total = (
        0.35 * (words / 120).clip(0, 1)
        + 0.20 * (substance * 1.6).clip(0, 1)
        + 0.15 * structure.clip(0, 1)
        + 0.10 * figures.clip(0, 1)
        + 0.20 * source.clip(0, 1)
    )
    return total.round(4).alias("quality")


def _tokens(text: "pl.Expr") -> "pl.Expr":
    import polars as pl

    return (text.str.len_bytes() / BYTES_PER_TOKEN).ceil().cast(pl.Int32)
