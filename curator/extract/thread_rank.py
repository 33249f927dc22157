"""Ranks the answers to one question, so that a score means the same in a thread of five and of five hundred."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from curator.extract.thread_text import count_words
from curator.extract.thread_tree import Node

# The weights add up to 1; votes lead, and the asker's own word outweighs a middling difference of votes.
SCORE_WEIGHT, LENGTH_WEIGHT, CONFIRMED_WEIGHT = 0.55, 0.20, 0.25
ENOUGH_WORDS = 80
TOO_MANY_WORDS = 800
# An answer that comes a day late is seen by far fewer voters; doubling the delay in hours is worth 8 % of score.
LATE_BONUS_PER_DOUBLING = 0.08
LARGEST_LATE_BONUS = 0.4
UNKNOWN_SCORE_RATIO = 0.5


@dataclass(frozen=True)
class RankedAnswer:
    """An answer with its rank in 0-1."""

    node: Node
    rank: float
    is_confirmed: bool


def rank_answers(question: Node, answers: Sequence[tuple[Node, bool]]) -> list[RankedAnswer]:
    """Gives the answers best first; ties go to the older one, then to the smaller key.

    rank = 0.55 * score + 0.20 * length + 0.25 * confirmed, each in 0-1: the score is logarithmic, raised for late
    answers and relative to the best of the thread; the length grows to 80 words and shrinks beyond 800.

    Args:
        question: What they answer.
        answers: Each with whether the asker confirmed it.
    """
    best = max((_esteem(question, node) or 0.0 for node, _ in answers), default=0.0)
    ranked = [
        RankedAnswer(
            node,
            round(
                SCORE_WEIGHT * _rate_score(question, node, best)
                + LENGTH_WEIGHT * _rate_length(node.text)
                + CONFIRMED_WEIGHT * is_confirmed,
                6,
            ),
            is_confirmed,
        )
        for node, is_confirmed in answers
    ]
    return sorted(ranked, key=lambda answer: (-answer.rank, _sort_time(answer.node), answer.node.key))


def _rate_score(question: Node, node: Node, best: float) -> float:
    esteem = _esteem(question, node)
    return UNKNOWN_SCORE_RATIO if esteem is None or best <= 0 else esteem / best


def _esteem(question: Node, node: Node) -> float | None:
    """Votes on a logarithmic scale, raised for those who came late; None where unknown."""
    if node.score is None:
        return None
    return math.log1p(max(node.score, 0)) * (1 + _late_bonus(question, node))


def _late_bonus(question: Node, node: Node) -> float:
    if question.created is None or node.created is None:
        return 0.0
    hours = max((node.created - question.created).total_seconds() / 3600, 0.0)
    return min(LARGEST_LATE_BONUS, LATE_BONUS_PER_DOUBLING * math.log2(1 + hours))


def _rate_length(text: str) -> float:
    words = count_words(text)
    return min(1.0, words / ENOUGH_WORDS) if words <= TOO_MANY_WORDS else TOO_MANY_WORDS / words


def _sort_time(node: Node) -> float:
    return node.created.timestamp() if node.created else math.inf
