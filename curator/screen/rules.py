"""Rules that reject a row, as polars expressions over the flattened texts and the measures of `measures.py`.

Thresholds start from Gopher (Rae et al. 2021, table A1), C4 (Raffel et al. 2020, section 2.2) and FineWeb (Penedo et
al. 2024, section 3.6), moved so that short good answers survive: the minimums of 50 words and 5 sentences are left out.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.config import ScreenConfig

if TYPE_CHECKING:
    import polars as pl

LOW_EFFORT = (
    r"(?i)^\W*(?:this|lol+|lmao|same( here)?|nice|came here to (?:say|post) this|thanks?(?: you)?!*|username checks out"
    r"|f+|upvoted?|bump|first|following|dm me|pm me|check (?:the|your) (?:faq|sidebar|wiki)|read the (?:faq|sidebar|wiki)"
    r"|google it|just google it|yes|no|yep|nope|idk|i don'?t know|it depends|what)\W*$"
)
JOKE = (
    r"(?i)\b(?:do you even lift,? bro|username checks out|ask your mom|hold my beer|instructions unclear"
    r"|asking for a friend|broscience, bro)"
)
SARCASM = r"(?:^|\s)/s\s*$"
BOILERPLATE = (
    r"(?i)as an ai (?:language )?model|i am a bot|this action was performed automatically|i'?m just an? (?:ai|bot)"
    r"|lorem ipsum|javascript (?:must be|is) (?:enabled|disabled|required)|(?:accept|use of|uses) cookies"
    r"|all rights reserved|terms of (?:use|service) apply|click here to (?:subscribe|buy|read)|use (?:my )?(?:promo )?code \w+"
    r"|(?:like|hit|smash) (?:and|that|the) (?:subscribe|like)|i don'?t have (?:any )?(?:data|information) (?:on|about) that"
)


@dataclass(frozen=True)
class Rule:
    """One reason to reject a row.

    Attributes:
        name: The id, used as the verdict's reason.
        is_broken: Expression that is true for rows to reject.
        score: Expression of the measured value, or None.
        threshold: The configured limit, or None.
    """

    name: str
    is_broken: "pl.Expr"
    score: "pl.Expr | None" = None
    threshold: float | None = None


def list_rules(config: ScreenConfig, languages: list[str]) -> list[Rule]:
    """Gives all rejecting rules with their thresholds."""
    return [*_shape_rules(config, languages), *_quality_rules(config), *_content_rules(config)]


def _shape_rules(config: ScreenConfig, languages: list[str]) -> list[Rule]:
    import polars as pl

    col = pl.col
    return [
        Rule("bad_structure", col("structure").is_not_null()),
        _below("answer_too_short", "answer_tokens", config.min_answer_tokens),
        _above("too_long", "tokens", config.max_tokens),
        _below("prompt_too_short", "question_words", config.min_prompt_words),
        Rule(
            "language_not_allowed",
            ~col("language").is_in(languages) & (col("language_score") >= config.min_language_score),
            col("language_score"),
            config.min_language_score,
        ),
    ]


def _quality_rules(config: ScreenConfig) -> list[Rule]:
    import polars as pl

    # Stop words are English ones; other languages are not measured by them. Very short answers may have none.
    long_enough = pl.col("answer_words") >= 20
    english = pl.col("language") == "en"
    stop = _below("too_few_stop_words", "stop_words", config.min_stop_words)
    return [
        _below("mean_word_too_short", "mean_word_length", config.min_mean_word_length, long_enough),
        _above("mean_word_too_long", "mean_word_length", config.max_mean_word_length),
        Rule(stop.name, stop.is_broken & english & long_enough, stop.score, stop.threshold),
        _above("duplicate_lines", "duplicate_line_ratio", config.max_duplicate_line_ratio),
        _above("symbols", "symbol_ratio", config.max_symbol_ratio),
        _below("too_few_letters", "alpha_ratio", config.min_alpha_ratio),
        _above("link_only", "link_ratio", config.max_link_ratio),
        _above("shouting", "uppercase_ratio", config.max_uppercase_ratio, pl.col("letters") >= 20),
    ]


def _content_rules(config: ScreenConfig) -> list[Rule]:
    import polars as pl

    answer = pl.col("answer")
    rules = [
        Rule("low_effort", answer.str.contains(LOW_EFFORT)),
        Rule("joke", (pl.col("answer_words") < 30) & (answer.str.contains(JOKE) | answer.str.contains(SARCASM))),
        Rule("boilerplate", answer.str.contains(BOILERPLATE)),
    ]
    if config.pii == "reject":
        rules.append(
            Rule("private_data", pl.col("private").list.len() > 0, pl.col("private").list.len().cast(float), 0)
        )
    return rules


def _below(name: str, column: str, limit: float, where: "pl.Expr | None" = None) -> Rule:
    import polars as pl

    broken = pl.col(column) < limit
    return Rule(name, broken if where is None else broken & where, pl.col(column).cast(pl.Float64), float(limit))


def _above(name: str, column: str, limit: float, where: "pl.Expr | None" = None) -> Rule:
    import polars as pl

    broken = pl.col(column) > limit
    return Rule(name, broken if where is None else broken & where, pl.col(column).cast(pl.Float64), float(limit))
