"""Measures the categoriser on rows that people have labelled by reading."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.categorise.classifier import Classifier
from curator.categorise.lexicon import OTHER, count_votes, load_lexicon
from curator.categorise.stage import categorise_examples
from schemas.config import CategoriseConfig
from schemas.errors import ConfigError
from schemas.example import dump_messages
from schemas.pack import Pack

UNDECIDED = "uncategorised"


@dataclass(frozen=True)
class CategoryReport:
    """How well categories are found.

    Attributes:
        rows: Labelled rows of the pack's categories.
        macro_f1: Mean F1 of the categories over the decided rows (0-1).
        baseline_macro_f1: The same for a plain keyword count that always decides.
        per_category: Rows of `category`, `precision`, `recall`, `f1`, `rows` (decided ones).
        accuracy_not_hard: Accuracy on decided rows that are not marked hard (0-1).
        undecided_share: Share of the categories' rows left uncategorised (0-1).
        other_kept_out: Share of rows labelled `other` that are left uncategorised, which is right (0-1).
        confusion: Counts by (label, given).
    """

    rows: int
    macro_f1: float
    baseline_macro_f1: float
    per_category: list[dict[str, Any]]
    accuracy_not_hard: float
    undecided_share: float
    other_kept_out: float
    confusion: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return dict(vars(self))


def read_labelled_rows(path: Path) -> list[dict[str, Any]]:
    """Reads labelled rows: JSONL of `id`, `text`, `category`, and optionally `second` and `hard`.

    Raises:
        ConfigError: The file is absent or a line is not such a row.
    """
    rows = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "name a JSONL file of id, text, category") from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            texts = {key: str(row[key]) for key in ("id", "text", "category")}
            rows.append({"second": None, "hard": False, **row, **texts})
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}:{number}: {error!r}, expected id, text and category", "mend the line") from error
    return rows


def evaluate_categories(
    rows: Sequence[dict[str, Any]], pack: Pack, config: CategoriseConfig, classifier: Classifier | None
) -> CategoryReport:
    """Categorises labelled rows as if they came without any label and compares.

    A row marked hard is right with its second category too. Rows labelled `other` are right when undecided.
    """
    given = _categorise(rows, pack, config, classifier)
    known = [row for row in rows if row["category"] in pack.category_names]
    others = [row for row in rows if row["category"] == OTHER]
    decided = [row for row in known if given[row["id"]] is not None]
    confusion = Counter((row["category"], given[row["id"]] or UNDECIDED) for row in rows)
    plain = [row for row in decided if not row["hard"]]
    return CategoryReport(
        rows=len(known),
        macro_f1=_mean_f1(_score(decided, given, pack)),
        baseline_macro_f1=_mean_f1(_score(known, _count_keywords(rows, pack), pack)),
        per_category=_score(decided, given, pack),
        accuracy_not_hard=_share(sum(given[row["id"]] == row["category"] for row in plain), len(plain)),
        undecided_share=_share(len(known) - len(decided), len(known)),
        other_kept_out=_share(sum(given[row["id"]] is None for row in others), len(others)),
        confusion=[{"label": a, "given": b, "rows": n} for (a, b), n in sorted(confusion.items())],
    )


def _categorise(
    rows: Sequence[dict[str, Any]], pack: Pack, config: CategoriseConfig, classifier: Classifier | None
) -> dict[str, str | None]:
    labels = categorise_examples(_frame(rows, pack), config, pack, lambda: classifier)
    return dict(labels.select("example_id", "category").iter_rows())


def _frame(rows: Sequence[dict[str, Any]], pack: Pack) -> Any:
    import polars as pl

    from curator.screen.language import detect_languages

    texts = pl.Series([row["text"] for row in rows], dtype=pl.String)
    nothing = pl.Series([None] * len(rows), dtype=pl.String)
    languages = detect_languages(texts, nothing, pack.default_language, 40)["language"]
    return pl.DataFrame(
        {
            "id": [row["id"] for row in rows],
            "messages": [dump_messages([{"role": "user", "content": text}]) for text in texts],
            "category": nothing,
            "category_basis": nothing,
            "role": nothing,
            # A short English title may be taken for another language; the lexicon of the default one still applies.
            "language": [name if name in pack.languages else pack.default_language for name in languages],
        }
    )


def _count_keywords(rows: Sequence[dict[str, Any]], pack: Pack) -> dict[str, str | None]:
    """The baseline: every term of the lexicon counts one, the category with most hits wins."""
    import polars as pl

    from curator.text import flatten_messages

    frame = _frame(rows, pack)
    texts = pl.concat([frame.select("id", "language"), flatten_messages(frame.select("messages"))], how="horizontal")
    terms = [term for term in load_lexicon(pack) if term.weight > 0 and term.category != OTHER]
    flat = [type(term)(term.language, term.category, term.pattern, 1.0) for term in terms]
    votes = count_votes(texts, flat).sort(["id", "votes", "category"], descending=[False, True, False])
    winners = votes.group_by("id", maintain_order=True).agg(pl.col("category").first())
    found = dict(winners.iter_rows())
    return {row["id"]: found.get(row["id"]) for row in rows}


def _score(rows: Sequence[dict[str, Any]], given: dict[str, str | None], pack: Pack) -> list[dict[str, Any]]:
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for row in rows:
        label, answer = row["category"], given[row["id"]]
        if answer == label or (row["hard"] and answer is not None and answer == row["second"]):
            right[label] += 1
            continue
        missed[label] += 1
        if answer is not None:
            wrong[answer] += 1
    return [
        {
            "category": name,
            "precision": _share(right[name], right[name] + wrong[name]),
            "recall": _share(right[name], right[name] + missed[name]),
            "f1": _share(2 * right[name], 2 * right[name] + wrong[name] + missed[name]),
            "rows": right[name] + missed[name],
        }
        for name in pack.category_names
    ]


def _mean_f1(scores: list[dict[str, Any]]) -> float:
    present = [score["f1"] for score in scores if score["rows"]]
    return round(sum(present) / len(present), 4) if present else 0.0


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
