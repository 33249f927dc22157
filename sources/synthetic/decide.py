"""Decides which rule of a topic holds for each row."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sources.synthetic.columns import evaluate_claim
from sources.synthetic.noise import I64
from sources.synthetic.scope import CompiledTopic


def match_rules(compiled: CompiledTopic, frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Gives (num_rows, num_rules): where the condition of each rule holds.

    The rule without a condition holds where no other does.
    """
    claims = np.zeros((frame.height, len(compiled.rules)), dtype=np.bool_)
    for index, rule in enumerate(compiled.rules):
        if not rule.is_otherwise:
            claims[:, index] = evaluate_claim(frame, rule.rule.when, compiled.place)
    for index, rule in enumerate(compiled.rules):
        if rule.is_otherwise:
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
