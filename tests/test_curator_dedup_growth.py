"""The dedup stage on rows that come, leave and come back: after every run, all is as if it were the first."""

import functools
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.deduplicate import deduplicate_corpus
from curator.engine import LocalEngine
from curator.project import Project, open_project
from schemas.example import dump_messages
from warehouse import Warehouse, open_warehouse

WORDS = [
    "sleep",
    "rest",
    "night",
    "bed",
    "early",
    "meal",
    "protein",
    "rice",
    "plate",
    "walk",
    "lift",
    "run",
    "slow",
    "salt",
]
SOURCES = ["reddit", "markdown"]


def make_pool() -> dict[str, tuple[str, str]]:
    """Gives question and answer of each row: chains of edits, copies, and one answer to many questions."""
    rng = random.Random(4)
    answers = []
    for _ in range(3):
        words = [rng.choice(WORDS) for _ in range(40)]
        answers += [" ".join(words[:end]) for end in (40, 39, 37, 33)] + [" ".join(words).upper()]
    rows = [("What is best about it for me?", answer) for answer in answers]
    rows += [(" ".join(rng.choice(WORDS) for _ in range(20)), "Rest well.") for _ in range(5)]
    return {f"{at:032x}": row for at, row in enumerate(rows)}


POOL = make_pool()
NAMES = list(POOL)


def add_rows(warehouse: Warehouse, names: list[str]) -> None:
    """Inserts rows of the pool as screened examples."""
    if not names:
        return
    turns = [[{"role": r, "content": c} for r, c in zip(("user", "assistant"), POOL[n], strict=True)] for n in names]
    rows = pl.DataFrame({"id": names, "messages": [dump_messages(turn) for turn in turns]})
    listed = pl.concat_list("id")
    sources = [SOURCES[NAMES.index(name) % 2] for name in names]
    fetched = {"kind": "post", "content": "", "metadata": "{}", "licence": "", "basis": "", "permission": "unknown"}
    documents = rows.select("id", natural_key="id").with_columns(source=pl.Series(sources))
    warehouse.append("document", documents, {**fetched, "fetched_at": date(2026, 1, 1)})
    examples = rows.with_columns(input_id="id", document_id="id", document_ids=listed, unit_keys=listed)
    warehouse.append("example", examples, {"extractor": "post", "span": "", "metadata": "{}"})
    warehouse.append("extraction", rows.select(input_id="id", example_id="id"), {"fingerprint": "extract"})
    warehouse.append("current_input", rows.select(input_id="id"))
    screen(warehouse, names)
    for stage in ("extract", "screen"):
        warehouse.run("keep_stage", stage=stage, fingerprint=stage)


def screen(warehouse: Warehouse, names: list[str]) -> None:
    """Puts the rows behind all that are screened."""
    warehouse.connection.execute("delete from screening where example_id in (select unnest($names))", {"names": names})
    quality = [NAMES.index(name) % 3 / 3 for name in names]
    rows = pl.DataFrame({"example_id": names, "quality": quality})
    warehouse.append("screening", rows, {"fingerprint": "screen", "language": "en", "tokens": 80})


@functools.cache
def open_as(root: Path, threshold: float, source_rank: tuple[str, ...], max_source_loss: float) -> Project:
    dedup = {"threshold": threshold, "source_rank": list(source_rank), "max_source_loss": max_source_loss}
    return open_project(root, {"dedup": dedup, "screen": {"max_answer_repeats": 2}})


def deduplicate(root: Path, warehouse: Warehouse, threshold=0.8, source_rank=SOURCES, max_source_loss=0.5) -> list[str]:
    project = open_as(root, threshold, tuple(source_rank), max_source_loss)
    return deduplicate_corpus(project, warehouse, "screen", lambda *_: None, 1, LocalEngine()).alarms


def read_outcome(warehouse: Warehouse) -> list[list[tuple]]:
    """Gives what is stored of the decision."""
    statements = (
        "select * exclude (fingerprint) from verdict where stage = 'dedup' order by all",
        "select * exclude (fingerprint) from cluster order by all",
        "select * from dedup_source order by all",
    )
    return [warehouse.connection.execute(statement).fetchall() for statement in statements]


def empty(warehouse: Warehouse) -> None:
    """Makes the database that of a project that holds nothing."""
    tables = ("document", "example", "extraction", "current_input", "screening", "signature", "near_pair", "stage")
    for table in (*tables, "verdict", "cluster", "dedup_source"):
        warehouse.connection.execute(f"delete from {table}")


def decide_afresh(root: Path, warehouse: Warehouse, names: list[str], **dedup) -> list[list[tuple]]:
    """Gives the outcome in a database that holds these rows and has decided upon nothing yet."""
    empty(warehouse)
    add_rows(warehouse, names)
    deduplicate(root, warehouse, **dedup)
    return read_outcome(warehouse)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("growth")
    (root / "curator.toml").write_text('pack = "fitness"\n')
    return root


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory) -> Iterator[tuple[Warehouse, Warehouse]]:
    folder = tmp_path_factory.mktemp("warehouses")
    with open_warehouse(folder / "grown.db") as grown, open_warehouse(folder / "fresh.db") as fresh:
        yield grown, fresh


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_whatever_comes_leaves_returns_or_is_ranked_anew_the_outcome_is_that_of_a_first_run(root, warehouses, seed):
    rng = random.Random(seed)
    grown, fresh = warehouses
    empty(grown)
    waiting, there, left = rng.sample(NAMES, len(NAMES)), [], []
    chosen = {"threshold": 0.8, "source_rank": SOURCES}
    while waiting:
        come, waiting = waiting[:6], waiting[6:]
        add_rows(grown, come)
        there += come
        if left and rng.random() < 0.5:
            there.append(left.pop())
            grown.append("current_input", pl.DataFrame({"input_id": there[-1:]}))
        if rng.random() < 0.3:
            left.append(there.pop(rng.randrange(len(there))))
            grown.connection.execute("delete from current_input where input_id = $name", {"name": left[-1]})
        if rng.random() < 0.3:
            screen(grown, [rng.choice(there + left)])
        if rng.random() < 0.2:
            chosen = {"threshold": rng.choice([0.7, 0.9]), "source_rank": chosen["source_rank"][::-1]}
        deduplicate(root, grown, **chosen)
        assert read_outcome(grown) == decide_afresh(root, fresh, there, **chosen)


def test_a_row_that_was_signed_at_another_time_and_returns_behind_the_others_is_decided_upon(root, tmp_path):
    first, second, *_ = NAMES
    with open_warehouse(tmp_path / "grown.db") as warehouse:
        add_rows(warehouse, [first, second])
        deduplicate(root, warehouse)
        warehouse.connection.execute("delete from current_input where input_id = $name", {"name": second})
        deduplicate(root, warehouse)
        assert read_outcome(warehouse)[0] == []
        warehouse.append("current_input", pl.DataFrame({"input_id": [second]}))
        screen(warehouse, [second])
        deduplicate(root, warehouse)
        assert len(read_outcome(warehouse)[0]) == 1


def test_added_rows_leave_the_decisions_about_unlike_ones_alone(root, tmp_path):
    with open_warehouse(tmp_path / "grown.db") as warehouse:
        add_rows(warehouse, [*NAMES[:3], *NAMES[5:8]])
        deduplicate(root, warehouse)
        warehouse.connection.execute("update verdict set detail = 'decided before'")
        add_rows(warehouse, [NAMES[3]])
        deduplicate(root, warehouse)
        details = dict(warehouse.connection.execute("select subject_id, detail from verdict").fetchall())
    assert {NAMES.index(name) // 5: detail for name, detail in details.items()} == {0: None, 1: "decided before"}


def test_the_alarm_counts_the_rows_that_were_there_before(root, tmp_path, monkeypatch):
    monkeypatch.setattr("curator.removals.MIN_ALARM_ROWS", 5)
    reddit = NAMES[:15:2]
    with open_warehouse(tmp_path / "grown.db") as warehouse:
        add_rows(warehouse, reddit[:-1])
        deduplicate(root, warehouse)
        add_rows(warehouse, reddit[-1:])
        alarms = deduplicate(root, warehouse)
    assert alarms == ["source reddit: 62% of its 8 rows are duplicates of others (alarm above 50%)"]
