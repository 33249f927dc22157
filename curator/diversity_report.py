"""How varied the kept rows are, generated and human ones side by side."""

from typing import Any

from curator.diversity import Diversity, measure_diversity
from warehouse import Warehouse

SIDES = ("synthetic", "human")


def read_diversity(snapshot: Warehouse) -> dict[str, Any]:
    """Measures the kept rows of a snapshot.

    Returns:
        For `synthetic` and `human`: the figures of `Diversity` as JSON values.
    """
    import polars as pl

    rows = snapshot.read("kept_texts")
    is_synthetic = pl.col("source") == "synthetic"
    parts = {"synthetic": rows.filter(is_synthetic), "human": rows.filter(~is_synthetic)}
    return {
        side: _as_dict(measure_diversity(part["messages"].to_list(), part["metadata"].to_list()))
        for side, part in parts.items()
    }


def show_diversity(found: dict[str, Any]) -> None:
    """Shows the figures of both sides, then the most common openings of answers."""
    from curator.cli.output import print_table

    labels = {
        "count": "rows",
        "masked_conversations": "survivors, whole, numbers masked",
        "masked_answers": "survivors, answers, numbers masked",
        "unmasked_conversations": "survivors, whole",
        "unmasked_answers": "survivors, answers",
        "distinct_2": "distinct word pairs of answers, share",
        "distinct_3": "distinct word triples of answers, share",
        "top_opening_ratio": "answers with the most common opening, share",
        "most_repeated_answer": "copies of the most common masked answer",
        "triples": "different (rule, reasoning, action)",
    }
    rows = [[label, *(_round(found[side][key]) for side in SIDES)] for key, label in labels.items()]
    print_table("near-duplicates at true Jaccard 0.8 of word 3-grams", ["measure", *SIDES], rows)
    for side in SIDES:
        openings = [[text, count] for text, count in found[side]["openings"]]
        if openings:
            print_table(f"most common openings, {side}", ["first six words, numbers masked", "answers"], openings)


def _as_dict(found: Diversity) -> dict[str, Any]:
    values = dict(vars(found))
    for name in ("masked", "unmasked"):
        survivors = values.pop(name)
        values[f"{name}_conversations"] = survivors.conversations
        values[f"{name}_answers"] = survivors.answers
    return values


def _round(value: float) -> float:
    return value if isinstance(value, int) else round(value, 4)
