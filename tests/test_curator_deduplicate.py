"""The dedup stage: what comes later is compared with what was there, and the outcome is that of one run."""

import json
import random
from pathlib import Path

import polars as pl
import pytest

from curator.curate import curate_corpus
from curator.dedup import find_pairs
from curator.ingest import ingest_source
from curator.project import open_project
from curator.thresholds import count_thresholds
from warehouse import open_snapshot, open_warehouse, publish_snapshot

PACK = """
name = "mini"
title = "Mini"
languages = ["en"]
knowledge = "pages"
lexicon = "lexicon.toml"
categories = [{name = "sleep", title = "Sleep", target = 0.5}, {name = "food", title = "Food", target = 0.5}]
roles.coach = {temperature = 0.5, system_prompt = {en = "Coach."}}
"""
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
    "dinner",
    "walk",
    "train",
    "lift",
    "squat",
    "run",
    "slow",
    "calm",
    "water",
    "salt",
]


SAME_QUESTION = "What do you think is best about it for me?%.0s"


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "sleep.md").write_text("# Sleep\n\nSleep well.\n")
    (tmp_path / "pack.toml").write_text(PACK)
    (tmp_path / "lexicon.toml").write_text("[en.food]\nmeal = 2.0\n[en.sleep]\nsleep = 2.0\n")
    (tmp_path / "curator.toml").write_text('pack = "."\n')
    return tmp_path


def sentence(rng: random.Random, length: int = 24) -> str:
    return "You should know that " + " ".join(rng.choice(WORDS) for _ in range(length))


def curate(
    root: Path,
    answers: dict[str, str],
    question: str = "What do you think is best about %s for me?",
    max_repeats: int = 1000,
    **dedup,
):
    """Curates the answers, each in a file of its own, and gives what dedup has removed: file, reason, partner's file."""
    project = open_project(root, {"dedup": dedup, "screen": {"max_answer_repeats": max_repeats}})
    for name, answer in answers.items():
        row = {"question": question % name, "answer": answer}
        (root / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    with open_warehouse(project.database) as warehouse:
        ingest_source(project, warehouse, "dataset", {"path": [str(root / f"{name}.jsonl") for name in answers]})
    return curate_again(root, answers, max_repeats, **dedup)


def curate_again(root: Path, answers: dict[str, str], max_repeats: int = 1000, **dedup):
    """Curates what was ingested."""
    project = open_project(root, {"dedup": dedup, "screen": {"max_answer_repeats": max_repeats}})
    with open_warehouse(project.database) as warehouse:
        report = curate_corpus(project, warehouse, threads=1)
        names = dict(
            warehouse.connection.execute(
                "select example.id, document.natural_key from example join document on document.id = document_id"
            ).fetchall()
        )
        removed = warehouse.connection.execute(
            "select subject_id, reason, partner from current_verdict where stage = 'dedup' order by all"
        ).fetchall()
    name_of = {key: next(name for name in answers if f"{name}.jsonl" in text) for key, text in names.items()}
    assert report.removed == len(removed)
    return sorted((name_of[one], reason, name_of[partner]) for one, reason, partner in removed)


def make_answers(seed: int, count: int) -> dict[str, str]:
    rng = random.Random(seed)
    fresh = [sentence(rng, 40) for _ in range(count)]
    copies = [text if at % 2 else f"{text} indeed it is" for at, text in enumerate(fresh[: count // 2])]
    texts = fresh + copies
    return {f"row{at:03}": text for at, text in enumerate(texts)}


def test_rows_that_come_in_parts_are_judged_as_those_that_come_at_once(root, tmp_path_factory):
    answers = make_answers(3, 30)
    names = list(answers)
    curate(root, {name: answers[name] for name in names[:31]})
    in_parts = curate(root, answers)
    other = tmp_path_factory.mktemp("other")
    for file in root.rglob("*"):
        if file.suffix in (".toml", ".md"):
            (other / file.relative_to(root)).parent.mkdir(exist_ok=True)
            (other / file.relative_to(root)).write_text(file.read_text())
    at_once = curate(other, answers)
    assert in_parts == at_once
    assert len(at_once) == 7


def read_decisions(root: Path) -> tuple:
    """Gives verdicts and clusters as they are stored."""
    with open_warehouse(open_project(root, {}).database) as warehouse:
        return tuple(
            warehouse.connection.execute(statement).fetchall()
            for statement in (
                "select * exclude (fingerprint) from verdict where stage = 'dedup' order by all",
                "select * exclude (fingerprint) from cluster order by all",
            )
        )


@pytest.mark.parametrize("seed", range(2))
def test_after_each_of_many_additions_and_changes_the_decisions_are_those_of_one_run(root, seed):
    rng = random.Random(seed)
    fresh = [sentence(rng, 40) for _ in range(9)]
    # Chains of edits, a short answer to many questions, and answers of their own.
    edited = [f"{text} and {rng.choice(WORDS)}" for text in fresh[:6] for _ in range(2)]
    pool = [(f"row{at:03}", text) for at, text in enumerate([*fresh, *edited, *[sentence(rng, 4)] * 9])]
    rng.shuffle(pool)
    there: dict[str, str] = {}
    for step in range(3):
        there |= dict(pool[step::3][: rng.randrange(6, 12)])
        if step == 1:
            there[next(iter(there))] = sentence(rng, 40)
        curate(root, there, max_repeats=2)
        decided = read_decisions(root)
        database = open_project(root, {}).database
        database.rename(root / "grown.db")
        curate(root, there, max_repeats=2)
        assert decided == read_decisions(root)
        (root / "grown.db").replace(database)
    assert {row[3] for row in decided[0]} & {"near_duplicate", "answer_collapse"}


def test_a_source_that_loses_most_of_its_rows_is_named_at_every_change(root):
    text = sentence(random.Random(3), 60)
    project = open_project(root, {"screen": {"max_answer_repeats": 1000}})
    for count in (30, 31):
        rows = [{"question": f"What is best about {at}?", "answer": f"{text} {at}"} for at in range(count)]
        (root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        with open_warehouse(project.database) as warehouse:
            ingest_source(project, warehouse, "dataset", {"path": [str(root / "rows.jsonl")]})
            alarms = curate_corpus(project, warehouse, threads=1).alarms
        assert alarms == [f"source dataset: 97% of its {count} rows are duplicates of others (alarm above 50%)"]


def test_another_threshold_needs_no_text(root):
    rng = random.Random(8)
    answers = {}
    for at in range(8):
        words = sentence(rng, 60).split()
        # Two texts that differ at the end alone, from 0.7 to nearly 1.
        answers |= {f"row{at:02}a": " ".join(words), f"row{at:02}b": " ".join(words[: len(words) - 2 * at])}
    strict = curate(root, answers, SAME_QUESTION, threshold=0.9)
    with open_warehouse(open_project(root, {}).database) as warehouse:
        warehouse.connection.execute("update example set messages = 'no text'")
        warehouse.connection.execute("update screening set messages = null")
    loose = curate_again(root, answers, threshold=0.7)
    assert 0 < len(strict) < len(loose)
    open_project(root, {}).database.unlink()
    assert curate(root, answers, SAME_QUESTION, threshold=0.7) == loose


def test_counts_at_other_thresholds_are_those_of_a_join_of_the_texts(root):
    curate(root, make_answers(5, 20), SAME_QUESTION)
    project = open_project(root, {})
    with open_warehouse(project.database) as warehouse:
        publish_snapshot(warehouse, project.snapshots)
    with open_snapshot(project.snapshots) as snapshot:
        found = count_thresholds(snapshot)
        rows = snapshot.connection.execute("select messages from examples order by id").fetchall()
    texts = ["\n".join(turn["content"] for turn in json.loads(row[0])) for row in rows]
    pairs = find_pairs(texts, 0.7)
    for count in found.counts:
        near = pairs.filter(pairs["similarity"] >= count["threshold"] - 1e-6)
        assert count["removed"] == len(texts) - count_components(len(texts), near)
    assert found.counts[0]["removed"] > found.counts[-1]["removed"] > 0


def count_components(num_nodes: int, pairs: pl.DataFrame) -> int:
    parent = list(range(num_nodes))

    def root_of(node: int) -> int:
        while parent[node] != node:
            node = parent[node]
        return node

    for left, right in pairs.select("left", "right").iter_rows():
        parent[root_of(left)] = root_of(right)
    return len({root_of(node) for node in range(num_nodes)})


def test_a_text_that_left_and_came_back_is_compared_with_what_came_meanwhile(root):
    text = sentence(random.Random(5), 60)
    assert curate(root, {"left": text}) == []
    assert curate(root, {"left": sentence(random.Random(6), 60), "other": f"{text} now"}) == []
    # Back again: its text was not current when the other one was compared.
    assert len(curate(root, {"left": text, "other": f"{text} now"})) == 1


def test_an_unchanged_set_is_not_decided_upon_again(root):
    answers = make_answers(4, 6)
    removed = curate(root, answers)
    with open_warehouse(open_project(root, {}).database) as warehouse:
        report = curate_corpus(open_project(root, {"screen": {"max_answer_repeats": 1000}}), warehouse)
    assert (report.has_new_clusters, report.removed) == (False, len(removed))


def test_masked_passages_make_no_likeness(root):
    notice = sentence(random.Random(9), 80)
    answers = {name: f"{notice} says {name}" for name in ("one", "two")}
    assert [reason for _, reason, _ in curate(root, answers)] == ["near_duplicate"]
    assert curate(root, answers, masked=[notice]) == []


def test_one_side_of_the_conversation_can_be_compared_alone(root):
    answers = {"one": sentence(random.Random(1), 40), "two": sentence(random.Random(2), 40)}
    question = "Tell me what is the one thing that I should do before I go to bed at night? (%.0s)"
    assert curate(root, answers, question) == []
    assert [reason for _, reason, _ in curate(root, answers, question, subject="prompt")] == ["duplicate"]
    assert curate(root, answers, question, subject="answer") == []


def test_what_many_texts_share_makes_no_likeness_and_later_rows_can_make_it_common(root):
    notice = sentence(random.Random(9), 80)
    answers = {f"row{at}": f"{notice} and I say that {sentence(random.Random(at), 4)}" for at in range(6)}
    few = dict(list(answers.items())[:3])
    assert len(curate(root, few, boilerplate_rows=4)) == 2
    assert len(curate(root, answers)) == 5
    # With six rows the notice is common, so the first three are apart again as well.
    assert curate(root, answers, boilerplate_rows=4) == []
    assert len(curate(root, answers, boilerplate_rows=6)) == 5
