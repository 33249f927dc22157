"""Perplexity of the answers in the test split: how surprised a model is by what it should have learnt to say."""

import math
from collections.abc import Callable, Sequence

from schemas.evaluation import Perplexity
from train.evaluation.answers import Answers, Messages

NO_LIKELIHOOD = "the server tells no likelihood of a given text"
NO_ROWS = "there is no test split"


def measure_perplexity(
    rows: Sequence[Messages], answers: Answers, move: Callable[[str, int, int], None] = lambda *_: None
) -> tuple[Perplexity | None, str]:
    """Gives the perplexity of the last answers of conversations, or why there is none.

    Only tokens of answers count, without the stop token. Models with different tokenizers cannot be compared by it.

    Args:
        rows: Conversations that end with an answer.
        answers: The model.
        move: Told (what, done, total).
    """
    if not rows:
        return None, NO_ROWS
    total, tokens, scored = 0.0, 0, 0
    for done, row in enumerate(rows, 1):
        found = answers.score(row)
        if found is None and not scored and done == 1 and answers.kind == "url":
            return None, NO_LIKELIHOOD
        if found is not None:
            total, tokens, scored = total + found[0], tokens + found[1], scored + 1
        move("test rows", done, len(rows))
    if not tokens:
        return None, "no row has an answer to score"
    return Perplexity(value=math.exp(total / tokens), tokens=tokens, rows=scored), ""
