"""Keeps evaluation honest: rows that share wording with an evaluation case never enter a release."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.dedup import find_near
from curator.text import SLICE_ROWS, flatten_messages
from schemas.errors import ConfigError
from schemas.frames import verdict_frame
from schemas.pack import Pack
from sources.packs.loader import pack_path

if TYPE_CHECKING:
    import polars as pl

NGRAM = 5
MIN_QUESTION_OVERLAP = 0.7
MIN_ANSWER_OVERLAP = 0.5
"""Share of the shorter text's word 5-grams that the other one holds. Answers of one domain share set phrases, but not
half of their wording; questions are short, so more of them must agree."""


@dataclass(frozen=True)
class Case:
    """What must not be learnt by heart.

    Attributes:
        id: Named in the verdict.
        question: All user turns.
        answer: The reference, or empty.
    """

    id: str
    question: str
    answer: str


def read_cases(pack: Pack, against: Sequence[Path] = ()) -> list[Case]:
    """Reads the pack's own evaluation cases and further files.

    A line is a JSON object with `messages` or `prompt`, `question`, `instruction` or `text`, and optionally
    `reference`, `answer`, `completion` or `output`.

    Raises:
        ConfigError: A file is absent, or a line is no such object.
    """
    paths = [pack_path(pack, pack.evaluation)] if pack.evaluation else []
    return [case for path in [*paths, *against] for case in _read_file(path)]


def find_contaminated(texts: "pl.DataFrame", cases: Sequence[Case]) -> "pl.DataFrame":
    """Finds rows whose question or answer overlaps with a case.

    Args:
        texts: `id`, `messages`, `rejected`; all current rows, kept or not, so that the outcome does not depend on
            what an earlier run left out.
        cases: What is looked for.

    Returns:
        Verdicts with reason `contaminated`, the overlap as score, and the case as partner.
    """
    found = [_find_in_slice(part, cases) for part in texts.iter_slices(SLICE_ROWS)]
    return verdict_frame(row for rows in found for row in rows)


def _find_in_slice(texts: "pl.DataFrame", cases: Sequence[Case]) -> "list[dict[str, Any]]":
    import polars as pl

    flat = flatten_messages(texts.select("messages", "rejected"))
    hits = [
        _overlap(flat["prompt"], [case.question for case in cases], MIN_QUESTION_OVERLAP, "question"),
        _overlap(flat["answer"], [case.answer for case in cases], MIN_ANSWER_OVERLAP, "answer"),
    ]
    best = (
        pl.concat(hits)
        .sort(["text", "similarity", "what"], descending=[False, True, False])
        .unique("text", keep="first")
    )
    return [
        {
            "subject_id": texts["id"][row["text"]],
            "is_kept": False,
            "reason": "contaminated",
            "score": round(row["similarity"], 4),
            "threshold": row["threshold"],
            "partner": cases[row["near"]].id,
            "detail": f"its {row['what']} overlaps with the evaluation case",
        }
        for row in best.sort("text").iter_rows(named=True)
    ]


def _overlap(texts: "pl.Series", against: list[str], threshold: float, what: str) -> "pl.DataFrame":
    import polars as pl

    found = find_near(texts, against, threshold, NGRAM, measure="overlap")
    return found.with_columns(pl.lit(what).alias("what"), pl.lit(threshold).alias("threshold"))


def _read_file(path: Path) -> list[Case]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "name a JSONL file of evaluation cases") from error
    cases = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            question = _find_question(row)
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            raise ConfigError(
                f"{path}:{number}: no evaluation case", "expected an object with messages, prompt, question or text"
            ) from error
        answer = next((row[key] for key in ("reference", "answer", "completion", "output") if row.get(key)), "")
        cases.append(Case(str(row.get("id") or f"{path.name}:{number}"), question, str(answer)))
    return cases


def _find_question(row: dict[str, Any]) -> str:
    if row.get("messages"):
        return "\n".join(str(turn["content"]) for turn in row["messages"] if turn["role"] == "user")
    return str(next(row[key] for key in ("prompt", "question", "instruction", "text") if row.get(key)))
