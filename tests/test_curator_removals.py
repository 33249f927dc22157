"""Which copies go: the worse one, never a generated row with other facts, never by the order of arrival."""

import random
from pathlib import Path

import polars as pl
import pytest

from curator.curate import curate_corpus
from curator.fingerprint import fingerprint_knowledge, fingerprint_pack, fingerprint_stage
from curator.ingest import ingest_source
from curator.project import open_project
from curator.removals import Removals, describe_texts, find_alarms, find_near_pairs, find_removals
from schemas.config import ProjectConfig
from schemas.example import dump_messages
from sources.packs.loader import load_pack
from warehouse import open_warehouse

WORDS = [f"word{place}" for place in range(30)]


def make_row(name: str, answer: str, question: str = "How?", *, quality=0.5, source="reddit", rule=None) -> dict:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {
        "id": name, "messages": dump_messages(turns), "rejected": None, "quality": quality, "source": source, "rule": rule,
    }  # fmt: skip


def frame(rows: list[dict]) -> pl.DataFrame:
    schema = {
        "id": pl.String, "messages": pl.String, "rejected": pl.String, "quality": pl.Float64, "source": pl.String,
        "rule": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def reader(examples: pl.DataFrame, signed: pl.DataFrame):
    """Gives what reads the text behind a hash."""
    texts = examples.with_columns(signed["text_hash"]).unique("text_hash")
    return lambda hashes: texts.filter(pl.col("text_hash").is_in(hashes.implode()))


def remove(rows: list[dict], **settings) -> Removals:
    config = ProjectConfig.model_validate(settings)
    examples = frame(rows)
    signed = describe_texts(examples, config.dedup, 1)
    pairs = find_near_pairs(signed, signed.clear(), reader(examples, signed), config.dedup)
    known = signed.drop("signature").rename({"example_id": "id"}).join(examples.drop("messages", "rejected"), on="id")
    return find_removals(known, pairs, config)


def verdicts(found: Removals) -> dict[str, tuple]:
    return {row["subject_id"]: (row["reason"], row["partner"]) for row in found.verdicts.to_dicts()}


def text(*, last: str = "end", start: int = 0) -> str:
    return " ".join([*WORDS[start:], last])


def test_the_same_text_is_a_duplicate_and_an_edited_one_a_near_duplicate():
    found = remove(
        [
            make_row("a", text(), quality=0.9),
            make_row("b", text()),
            make_row("c", text(last="stop")),
            make_row("d", "Another answer to another thing"),
        ]
    )
    assert verdicts(found) == {"b": ("duplicate", "a"), "c": ("near_duplicate", "a")}
    scores = dict(found.verdicts.select("subject_id", "score").iter_rows())
    assert scores["b"] == 1.0
    assert 0.8 <= scores["c"] < 1
    assert found.verdicts["is_kept"].to_list() == [False, False]
    assert found.clusters.rows() == [
        ("a", "a", "a", 1.0),
        ("a", "b", "a", 1.0),
        ("a", "c", "a", pytest.approx(scores["c"])),
    ]


def test_the_better_source_stays_then_the_better_text():
    assert verdicts(
        remove([make_row("a", text(), source="reddit", quality=0.9), make_row("b", text(last="x"), source="markdown")])
    ) == {"a": ("near_duplicate", "b")}
    assert verdicts(remove([make_row("a", text(), quality=0.1), make_row("b", text(last="x"), quality=0.2)])) == {
        "a": ("near_duplicate", "b")
    }


def test_generated_rows_of_one_rule_with_other_facts_are_no_duplicates():
    rows = [
        make_row("a", text(last="5"), source="synthetic", rule="r"),
        make_row("b", text(last="7"), source="synthetic", rule="r"),
    ]
    assert verdicts(remove(rows)) == {}
    assert len(verdicts(remove([rows[0], {**rows[1], "rule": "other"}]))) == 1
    same = [make_row("a", text(), source="synthetic", rule="r"), make_row("b", text(), source="synthetic", rule="r")]
    assert [reason for reason, _ in verdicts(remove(same)).values()] == ["duplicate"]


def test_the_order_of_rows_changes_nothing():
    rng = random.Random(1)
    rows = [make_row(f"{n:02}", text(last=f"end{n % 4}", start=n % 3), quality=n % 5 / 5) for n in range(24)]
    expected = remove(rows)
    again = remove(rng.sample(rows, 24))
    assert again.verdicts.equals(expected.verdicts)
    assert again.clusters.equals(expected.clusters)


def test_pairs_found_in_two_runs_are_those_of_one():
    rows = frame([make_row(f"{n:02}", text(last=f"end{n % 6}", start=n % 2)) for n in range(12)])
    config = ProjectConfig().dedup
    signed = describe_texts(rows, config, 1)
    read = reader(rows, signed)
    whole = find_near_pairs(signed, signed.clear(), read, config)
    first = find_near_pairs(signed.head(5), signed.clear(), read, config)
    second = find_near_pairs(signed.tail(7), signed.head(5), read, config)
    union = pl.concat([first, second]).unique().sort("left_hash", "right_hash")
    assert union.equals(whole)
    assert whole.height > 0


@pytest.mark.parametrize(("questions", "removed"), [(3, 0), (4, 1), (6, 3)])
def test_one_answer_to_more_than_n_questions_is_capped_and_the_best_stay(questions, removed):
    rows = [
        make_row(
            f"{n}",
            "I have no data on that!" if n % 2 else "i have no  data on that",
            " ".join(f"q{n}word{place}" for place in range(12)),
            quality=n / 10,
        )
        for n in range(questions)
    ]
    found = remove(rows, screen={"max_answer_repeats": 3})
    gone = {row["subject_id"]: row for row in found.verdicts.to_dicts() if row["reason"] == "answer_collapse"}
    assert set(gone) == {str(n) for n in range(removed)}
    for row in gone.values():
        assert (row["score"], row["threshold"], row["partner"]) == (questions, 3, str(questions - 1))


def test_a_source_that_loses_most_of_its_rows_raises_an_alarm():
    def alarms(lost: int, rows: int) -> list[str]:
        losses = {"source": ["markdown", "reddit"], "num_rows": [9, rows], "num_removed": [0, lost]}
        return find_alarms(pl.DataFrame(losses), 0.5)

    assert alarms(11, 20) == ["source reddit: 55% of its 20 rows are duplicates of others (alarm above 50%)"]
    assert alarms(10, 20) == []
    assert alarms(11, 19) == []


def test_nothing_to_compare_removes_nothing():
    found = remove([])
    assert (found.verdicts.height, found.clusters.height) == (0, 0)


PACK = """
name = "mini"
title = "Mini"
languages = ["en"]
knowledge = "pages"
lexicon = "lexicon.toml"
categories = [{name = "sleep", title = "Sleep", target = 0.5}, {name = "food", title = "Food", target = 0.5}]
roles.coach = {temperature = 0.5, system_prompt = {en = "Coach."}}
"""
LEXICON = '[en.food]\n"write to" = 2.0\nemail = -9.0\n[en.sleep]\nemail = 9.0\n'


def make_project(root: Path) -> Path:
    (root / "pages").mkdir(parents=True)
    (root / "pages" / "sleep.md").write_text("# Sleep\n\nSleep well.\n")
    (root / "pack.toml").write_text(PACK)
    (root / "lexicon.toml").write_text(LEXICON)
    (root / "curator.toml").write_text('pack = "."\n')
    return root


def curate(root: Path, **screen) -> tuple[list, list]:
    """Curates under the given settings and gives the labels and removals that are then in force."""
    project = open_project(root, {"screen": screen})
    row = '{"question": "Who can tell me about dinner?", "answer": "Please write to %s@gym.example.com and ask."}\n'
    (root / "rows.jsonl").write_text("".join(row % name for name in ("ann", "bob")))
    with open_warehouse(project.database) as warehouse:
        ingest_source(project, warehouse, "dataset", {"path": [str(root / "rows.jsonl")]})
        curate_corpus(project, warehouse, threads=1)
        labels = warehouse.read("kept_examples").select("id", "category").rows()
        removed = warehouse.connection.execute(
            "select subject_id, reason from current_verdict where stage = 'dedup' order by all"
        ).fetchall()
    return labels, removed


def test_labels_and_duplicates_depend_on_the_settings_and_not_on_those_of_yesterday(tmp_path):
    # With redaction both rows are one text ("[EMAIL]"), a duplicate about sleep; without they are two about food.
    changed = make_project(tmp_path / "changed" / "p")
    redacted = curate(changed)
    assert [reason for _, reason in redacted[1]] == ["duplicate"]
    assert {category for _, category in redacted[0]} == {"sleep"}
    plain = curate(changed, pii="off")
    assert plain == curate(make_project(tmp_path / "fresh" / "p"), pii="off")
    assert {category for _, category in plain[0]} == {"food"}
    assert curate(changed) == redacted


def test_fingerprints_change_with_what_they_stand_for_and_with_nothing_else(tmp_path):
    pack = load_pack(make_project(tmp_path / "pack"))
    before, pages = fingerprint_pack(pack), fingerprint_knowledge(pack)
    (pack.root / "pages" / "sleep.md").write_text("# Sleep\n\nSleep long.\n")
    assert fingerprint_pack(pack) == before
    assert fingerprint_knowledge(pack) != pages
    (pack.root / "lexicon.toml").write_text("")
    assert fingerprint_pack(pack) != before
    config = ProjectConfig()
    assert fingerprint_stage("screen", config.screen) == fingerprint_stage("screen", ProjectConfig().screen)
    other = config.screen.model_copy(update={"min_answer_tokens": 9})
    assert (
        len({fingerprint_stage(stage, part) for stage in ("screen", "dedup") for part in (config.screen, other)}) == 4
    )
