"""Decides which rule of a topic holds for each row."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sources.synthetic.columns import evaluate_claims
from sources.synthetic.noise import I64
from sources.synthetic.scope import CompiledTopic


def match_rules(compiled: CompiledTopic, frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Gives (num_rows, num_rules): where the condition of each rule holds.

    The rule without a condition holds where no other does.
    """
    conditions = [rule.rule.when for rule in compiled.rules]
    stated = list(dict.fromkeys(text for text in conditions if text is not None))
    held = evaluate_claims(frame, stated, compiled.place)
    claims = np.zeros((frame.height, len(compiled.rules)), dtype=np.bool_)
    for index, text in enumerate(conditions):
        if text is not None:
            claims[:, index] = held[text]
    for index, text in enumerate(conditions):
        if text is None:
            claims[:, index] = ~claims.any(axis=1)
    return claims


def decide_rules(compiled: CompiledTopic, frame: pl.DataFrame) -> I64:
    """Gives the index of the rule with the greatest priority that holds (the earlier of equals), -1 for none."""
    claims = match_rules(compiled, frame)
    priorities = np.array([rule.rule.priority for rule in compiled.rules], dtype=np.int64)
    lowest = priorities.min() - 1
    ranked = np.where(claims, priorities[None, :], lowest)
    decided = np.argmax(ranked, axis=1).astype(np.int64)
    return np.where(claims.any(axis=1), decided, -1)
