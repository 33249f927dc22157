"""Wrong advice made on purpose: what the checker has to notice."""

import json
import random
import re

from curator.truth.checker import check_example


def change_advice(messages: str, metadata: str, source: random.Random) -> str | None:
    """Gives the turns with another number wherever the first answer states the advised one.

    Args:
        messages: JSON of the turns.
        metadata: JSON with `topic` and the expected `action`.
        source: Says by how many steps the number is off.

    Returns:
        JSON of the changed question and answer; None where there is no rule to recompute or no number to change.
    """
    turns, facts = json.loads(messages), json.loads(metadata)
    advised = _find_advised(facts)
    if advised is None or check_example(messages, metadata) is None:
        return None
    changed = round(float(advised) + source.choice([-3, -2, -1, 1, 2, 3]) * _step_of(float(advised)), 2)
    pattern = rf"(?<![\w.]){re.escape(advised)}(?![\d]|\.\d)"
    answer, count = re.subn(pattern, f"{changed:g}", turns[1]["content"])
    return json.dumps([turns[0], {**turns[1], "content": answer}]) if count and changed > 0 else None


def _find_advised(facts: dict[str, object]) -> str | None:
    variables = facts.get("variables")
    if facts["topic"] == "area_report" and isinstance(variables, dict):
        return f"{variables['milestone']:g}"
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?", str(facts["action"]))
    return str(numbers[-1]) if numbers else None


def _step_of(advised: float) -> float:
    """Gives a step that matters: of scores, counts, loads, calories."""
    return 0.05 if advised < 1 else 1 if advised < 40 else 5 if advised < 1000 else 50
