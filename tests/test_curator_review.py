"""A person's word: it decides about rows, survives reruns, and an edited row never leaves the split of its parent."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import orjson
import pytest

from curator.balance.release import freeze_release
from curator.cli.app import run
from curator.curate import curate_corpus
from curator.ingest import ingest_source
from curator.project import change_project, open_project
from curator.review import Decision, apply_decisions, read_decisions, read_queue
from curator.review.editing import parse_turns, replace_turns, write_turns
from curator.why import read_life
from schemas.errors import ConfigError
from warehouse import open_snapshot

UNSAFE = "For a first cycle most coaches of endgames take 500 mg testosterone a week for twelve weeks, they said."
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EDITED = "Put the king in front of the pawn and take the opposition before you push it to the seventh rank."


def make_rows() -> list[dict[str, str]]:
    rows = [
        {
            "question": f"What helps in situation {number} of week {number * 31}?",
            "answer": f"In situation {number} you count move {number + 1}, wait {number + 30} seconds more and write "
            f"down what changed on day {number % 7}, so that week {number + 2} can start from there.",
            "category": ("tactics", "endgames")[number % 2],
        }
        for number in range(60)
    ]
    rows.append({"question": "How do I gain size faster this year?", "answer": UNSAFE, "category": "tactics"})
    rows.append({"question": "Where does this belong, coach?", "answer": "It belongs to nothing that has a name yet."})
    return rows


def write_rows(folder: Path, rows: list[dict[str, str]]) -> None:
    # The folder's name is part of where a row comes from, and the same for every copy of the project.
    (folder.parent / "data").mkdir(exist_ok=True)
    (folder.parent / "data" / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_pack: Path) -> Path:
    project = tmp_path_factory.mktemp("review") / "project"
    project.mkdir()
    write_rows(project, make_rows())
    (project / "curator.toml").write_text(
        f"pack = {json.dumps(str(tiny_pack))}\n"
        "[balance]\ntolerance = 0.5\n[split]\ntrain = 0.5\nvalidation = 0.25\ntest = 0.25\n",
        encoding="utf-8",
    )
    refresh(project)
    return project


@pytest.fixture
def folder(tmp_path: Path, made: Path) -> Path:
    shutil.copytree(made, tmp_path / "project")
    write_rows(tmp_path / "project", make_rows())
    return tmp_path / "project"


def refresh(folder: Path) -> None:
    """Ingests and curates, as `curator run` does."""
    project = open_project(folder)
    with change_project(project, "test") as (warehouse, summary):
        ingest_source(project, warehouse, "dataset", {"path": [str(folder.parent / "data" / "rows.jsonl")]})
        curate_corpus(project, warehouse)
        summary["done"] = True


def decide(folder: Path, *decisions: Decision):
    project = open_project(folder)
    with change_project(project, "test") as (warehouse, summary):
        report = apply_decisions(warehouse, decisions, project.pack)
        curate_corpus(project, warehouse)
        summary["done"] = True
    return report


def make(kind: str, subject: str, minutes: int = 0, **parts) -> Decision:
    return Decision(
        kind=kind, subject=subject, reviewer="ada", decided_at=NOW + timedelta(minutes=minutes), **parts
    )  # fmt: skip


def make_edit(subject: str, answer: str = EDITED, minutes: int = 0, question: str = "How do I win with one pawn?"):
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return make("edit", subject, minutes, messages=turns)


def ask(folder: Path, query: str, *values: object) -> list[tuple]:
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        return snapshot.connection.execute(query, list(values)).fetchall()


def find(folder: Path, text: str, table: str = "examples") -> list[str]:
    return [row[0] for row in ask(folder, f"select id from {table} where messages like ? order by id", f"%{text}%")]


def life(folder: Path, row_id: str) -> dict:
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        return read_life(snapshot, row_id)


def wait_list(folder: Path, **options) -> list[dict]:
    project = open_project(folder)
    with open_snapshot(project.snapshots) as snapshot:
        return read_queue(snapshot, project.config, 100, **options)


def balance(folder: Path) -> dict[str, str]:
    """Freezes a release and gives the split of each member."""
    project = open_project(folder)
    with change_project(project, "test") as (warehouse, summary):
        report = freeze_release(project, warehouse)
        summary["done"] = True
    assert report.leaks == []
    rows = ask(folder, "select example_id, split from release_members where release_id = ?", report.release_id)
    return dict(rows)


def test_uncategorised_rows_wait_first_then_flagged_ones_and_reasons_can_be_chosen(folder: Path) -> None:
    assert [row["reasons"] for row in wait_list(folder)] == [["uncategorised"], ["flagged"]]
    (flagged,) = wait_list(folder, reasons=["flagged"])
    assert flagged["flags"] == ["flag:drug_dosing"]
    assert flagged["messages"][1]["content"] == UNSAFE
    with pytest.raises(ConfigError, match="reason 'sometimes': unknown"):
        wait_list(folder, reasons=["sometimes"])


def test_a_flagged_row_enters_once_it_is_accepted_and_not_by_a_relabel(folder: Path) -> None:
    (row,) = wait_list(folder, reasons=["flagged"])
    decide(folder, make("relabel", row["id"], category="endgames"))
    assert row["id"] not in balance(folder)
    assert [r["reasons"] for r in wait_list(folder, reasons=["flagged"])] == [["flagged"]]
    decide(folder, make("accept", row["id"], 1))
    assert row["id"] in balance(folder)
    assert wait_list(folder, reasons=["flagged"]) == []


def test_a_rejected_row_leaves_and_the_last_word_counts_whatever_the_order_of_arrival(folder: Path) -> None:
    (row,) = find(folder, "situation 7 ")
    decide(folder, make("reject", row, 5, reason="wrong"))
    assert find(folder, "situation 7 ", "corpus") == []
    verdict = next(v for v in life(folder, row)["verdicts"] if v["stage"] == "review")
    assert (verdict["is_kept"], verdict["reason"], verdict["detail"]) == (False, "wrong", "by ada on 2026-03-01")
    # This one was made before the rejection and comes in late.
    decide(folder, make("accept", row, 4))
    assert find(folder, "situation 7 ", "corpus") == []
    decide(folder, make("accept", row, 6))
    assert find(folder, "situation 7 ", "corpus") == [row]


def test_an_edit_makes_a_new_row_that_passes_all_stages_and_why_shows_both(folder: Path) -> None:
    (old,) = find(folder, "situation 9 ")
    report = decide(folder, make_edit(old))
    (new,) = report.edited
    assert find(folder, "take the opposition", "corpus") == [new]
    assert find(folder, "situation 9 ", "corpus") == []
    before, after = life(folder, old), life(folder, new)
    assert [(v["reason"], v["partner"]) for v in before["verdicts"] if v["stage"] == "review"] == [("edited", new)]
    assert [(v["reason"], v["partner"]) for v in after["verdicts"] if v["stage"] == "review"] == [("edit_of", old)]
    assert [version["id"] for version in before["versions"]] == [old, new] == [v["id"] for v in after["versions"]]
    assert after["category"]["name"] == before["category"]["name"] == "endgames"
    assert after["origin"]["document"] == before["origin"]["document"]


def test_what_a_person_writes_is_screened_and_compared_like_anything_else(folder: Path) -> None:
    first, second = find(folder, "situation 9 ")[0], find(folder, "situation 11 ")[0]
    mail = f"{EDITED} Write to ada@lovelace.example if it fails."
    twin = make_edit(second, minutes=1, answer=mail)
    report = decide(
        folder, make_edit(first, mail), twin, make_edit(find(folder, "situation 3 ")[0], "Read the wiki.", 2)
    )
    assert find(folder, "ada@lovelace.example", "corpus") == []
    assert len(find(folder, "[EMAIL]", "corpus")) == 1
    removed = {v["stage"]: v["reason"] for i in report.edited for v in life(folder, i)["verdicts"] if not v["is_kept"]}
    assert removed == {"dedup": "duplicate", "screen": "low_effort"}


def test_an_edit_stays_in_the_split_of_its_parent_however_little_they_share(folder: Path) -> None:
    splits = balance(folder)
    chosen = [next(i for i in sorted(splits) if splits[i] == split) for split in ("train", "validation", "test")]
    report = decide(
        folder,
        *(
            make_edit(
                i, f"{EDITED} Version {n} {'abc'[n] * 9}.", minutes=n, question=f"How is pawn {n} {'xyz'[n] * 7} won?"
            )
            for n, i in enumerate(chosen)
        ),
    )
    after = balance(folder)
    assert [after[i] for i in report.edited] == ["train", "validation", "test"]
    for old, new in zip(chosen, report.edited, strict=True):
        assert f"edit:{old}" in set(life(folder, old)["split"]["keys"]) & set(life(folder, new)["split"]["keys"])
    assert not set(chosen) & set(after)
    for old, new in zip(chosen, report.edited, strict=True):
        assert life(folder, old)["split"]["unit"] == life(folder, new)["split"]["unit"]


def test_a_first_release_deals_parent_and_edit_together_and_later_edits_follow(folder: Path) -> None:
    (old,) = find(folder, "situation 9 ")
    (second,) = decide(folder, make_edit(old)).edited
    before = balance(folder)[second]
    (third,) = decide(folder, make_edit(second, "Start again: the king goes first and the pawn goes last.", 1)).edited
    assert balance(folder)[third] == before
    assert [v["id"] for v in life(folder, old)["versions"]] == [old, second, third]
    assert find(folder, "take the opposition", "corpus") == []


def test_decisions_survive_another_pack_and_another_extraction(folder: Path, tiny_pack: Path, tmp_path: Path) -> None:
    old, rejected, moved = (find(folder, f"situation {n} ")[0] for n in (9, 13, 15))
    (new,) = decide(
        folder, make_edit(old), make("reject", rejected), make("relabel", moved, category="tactics")
    ).edited  # fmt: skip
    other = tmp_path / "other"
    shutil.copytree(tiny_pack, other)
    (other / "lexicon.toml").write_text("[en.tactics]\nskewer = 3.0\n[en.endgames]\nzugzwang = 3.0\n")
    text = (folder / "curator.toml").read_text().replace(str(tiny_pack), str(other))
    (folder / "curator.toml").write_text(text.replace("[balance]", "[screen]\nmin_answer_tokens = 9\n[balance]"))
    refresh(folder)
    assert find(folder, "take the opposition", "corpus") == [new]
    assert find(folder, "situation 9 ", "corpus") == []
    assert find(folder, "situation 13 ", "corpus") == []
    assert ask(folder, "select category, category_basis from corpus where id = ?", moved) == [("tactics", "person")]


def test_decisions_hold_for_the_same_text_in_a_newer_version_of_its_document(folder: Path) -> None:
    king = "The king walks in front of his pawn, because the one who has the opposition decides the game."
    page = "# How does the king help?\n\n{king}\n\n# What is a fork?\n\n{fork}\n"
    write_page(folder, page.format(king=king, fork="One piece attacks two others at once, and only one can run."))
    (old,) = find(folder, "walks in front")
    (new,) = decide(folder, make_edit(old), make("relabel", old, category="tactics")).edited
    # A change further down makes another document of the page, and other ids, but this text is what it was.
    write_page(
        folder, page.format(king=king, fork="Two pieces are attacked by one at once, so that one of them falls.")
    )
    (again,) = find(folder, "walks in front")
    assert again != old
    assert find(folder, "walks in front", "corpus") == []
    assert find(folder, "take the opposition", "corpus") == [new]
    assert ask(folder, "select category from corpus where id = ?", new) == [("tactics",)]
    # Another text at its source is another matter: the edit was of what is no longer there.
    write_page(
        folder, page.format(king=king.replace("walks", "runs"), fork="One piece attacks two others at once here.")
    )
    assert find(folder, "take the opposition", "corpus") == []
    assert len(find(folder, "runs in front", "corpus")) == 1


def write_page(folder: Path, text: str) -> None:
    notes = folder.parent / "notes"
    notes.mkdir(exist_ok=True)
    (notes / "king.md").write_text(text)
    project = open_project(folder)
    with change_project(project, "test") as (warehouse, summary):
        ingest_source(project, warehouse, "markdown", {"path": [str(notes)]})
        curate_corpus(project, warehouse)
        summary["done"] = True


def test_accepting_the_parent_takes_an_edit_back(folder: Path) -> None:
    (old,) = find(folder, "situation 9 ")
    (new,) = decide(folder, make_edit(old)).edited
    decide(folder, make("accept", old, 1))
    assert find(folder, "situation 9 ", "corpus") == [old]
    assert find(folder, "take the opposition") == []
    decide(folder, make_edit(old, minutes=2))
    assert find(folder, "take the opposition", "corpus") == [new]


def test_a_relabel_goes_before_everything_reaches_the_release_and_can_be_taken_back(folder: Path) -> None:
    (row,) = find(folder, "Where does this belong")
    assert row not in balance(folder)
    decide(folder, make("relabel", row, category="endgames"))
    assert row in balance(folder)
    found = life(folder, row)["category"]
    assert (found["name"], found["basis"], found["confidence"]) == ("endgames", "person", 1.0)
    assert wait_list(folder, reasons=["uncategorised"]) == []
    decide(folder, make("relabel", row, 1))
    assert [r["id"] for r in wait_list(folder, reasons=["uncategorised"])] == [row]


def test_an_edit_keeps_the_category_that_a_person_gave_its_parent(folder: Path) -> None:
    (row,) = find(folder, "Where does this belong")
    (new,) = decide(folder, make("relabel", row, category="tactics"), make_edit(row, minutes=1)).edited
    assert ask(folder, "select category from corpus where id = ?", new) == [("tactics",)]


def test_an_accepted_near_duplicate_stays_beside_its_twin_in_the_same_split(folder: Path) -> None:
    words = " ".join(f"word{n}" for n in range(95))
    twins = [
        {"question": "What is said here?", "answer": f"You hear the {words} {end}", "category": "tactics"}
        for end in ("one two three four", "five six seven eight")
    ]
    write_rows(folder, [*make_rows(), *twins])
    refresh(folder)
    project = open_project(folder)
    (row,) = ask(folder, "select subject_id, score from verdicts where stage = 'dedup'")
    assert 0.8 < row[1] < 1
    with open_snapshot(project.snapshots) as snapshot:
        config = project.config.model_copy(
            update={"dedup": project.config.dedup.model_copy(update={"threshold": row[1] - 0.01})}
        )
        (waiting,) = read_queue(snapshot, config, 10, reasons=["borderline_duplicate"])
    assert (waiting["id"], waiting["reason"]) == (row[0], "borderline_duplicate")
    assert waiting["partner_messages"][1]["content"].startswith("You hear the word0 ")
    assert len(find(folder, "word94", "corpus")) == 1
    decide(folder, make("accept", row[0]))
    both = find(folder, "word94", "corpus")
    assert len(both) == 2
    splits = balance(folder)
    assert len({splits[i] for i in both}) == 1


def test_the_same_decisions_again_change_nothing(folder: Path) -> None:
    (old,) = find(folder, "situation 9 ")
    decisions = [make_edit(old), make("reject", find(folder, "situation 3 ")[0])]
    assert decide(folder, *decisions).stored == 2
    rows = ask(folder, "select * from verdicts order by all")
    again = decide(folder, *decisions)
    assert (again.stored, again.known) == (0, 2)
    assert ask(folder, "select * from verdicts order by all") == rows


def test_bad_decisions_are_refused_by_name_and_the_good_ones_beside_them_go_through(folder: Path) -> None:
    good = make("reject", find(folder, "situation 3 ")[0])
    turns = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    bad = [
        make("reject", "f" * 32),
        make("relabel", find(folder, "situation 4 ")[0], category="openings"),
        make("edit", find(folder, "situation 5 ")[0], messages=turns),
    ]
    report = decide(folder, good, *bad)
    assert report.stored == 1
    assert [fault.split(":")[0] for _, fault in sorted(report.refused, key=lambda item: item[1])] == [
        "category 'openings'", "messages", f"subject {'f' * 32}"
    ]  # fmt: skip
    assert find(folder, "situation 3 ", "corpus") == []


def test_forgetting_a_document_takes_its_edits_and_decisions_along(folder: Path) -> None:
    (old,) = find(folder, "situation 9 ")
    decide(folder, make_edit(old), make("relabel", old, 1, category="tactics"))
    assert run(["-C", str(folder), "-q", "forget", "--id", old]) == 0
    assert [p.name for p in folder.rglob("*") if p.is_file() and b"take the opposition" in p.read_bytes()] == []
    refresh(folder)
    assert find(folder, "take the opposition") == []


def test_a_file_of_decisions_is_applied_once_and_bad_lines_are_named(folder: Path, cli) -> None:
    row = find(folder, "situation 3 ")[0]
    lines = [make("reject", row[:12], reason="wrong").model_dump_json(exclude_none=True), "", '{"kind": "reject"}']
    path = folder.parent / "decisions.jsonl"
    path.write_text("\n".join(lines))
    found = cli(folder, "review", "apply", path)
    assert found.code == 3
    assert "1 decision stored" in found.err
    assert f"{path}:3" in found.err
    assert find(folder, "situation 3 ", "corpus") == []
    again = cli(folder, "review", "apply", path, "--json")
    assert (again.json["stored"], again.json["known"]) == (0, 1)


def test_decisions_of_the_page_are_taken_from_its_journal_once(folder: Path, cli) -> None:
    from curator.journal import Journal
    from curator.service.reviewing import ReviewDesk
    from schemas.feedback import JOURNAL

    assert cli(folder, "review", "apply", "--json").json["stored"] == 0
    row, undone = find(folder, "situation 3 ")[0], find(folder, "situation 5 ")[0]
    journal = Journal(folder / JOURNAL)
    desk = ReviewDesk(journal, lease_s=60)
    desk.decide(make("reject", row, reason="wrong"))
    desk.decide(make("reject", undone))
    desk.undo("ada")
    journal.close()
    assert cli(folder, "review", "apply", "--json").json["stored"] == 1
    assert find(folder, "situation 3 ", "corpus") == []
    assert find(folder, "situation 5 ", "corpus") == [undone]
    assert cli(folder, "review", "apply", "--json").json["stored"] == 0


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"kind": "relabel", "category": "tactics"}, True),
        ({"kind": "edit", "messages": [{"role": "user", "content": "a"}]}, True),
        ({"kind": "edit"}, False),
        ({"kind": "accept", "category": "tactics"}, False),
        ({"kind": "forget"}, False),
        ({"reviewer": ""}, False),
        ({"subject": "abc"}, False),
        ({"mood": "good"}, False),
    ],
)
def test_the_schema_of_the_file_and_the_model_say_the_same(change: dict, is_good: bool) -> None:
    row = {"kind": "reject", "subject": "abcdef", "reviewer": "ada", "decided_at": "2026-03-01T12:00:00Z", **change}
    schema = json.loads((Path(__file__).parents[1] / "schemas/json/decision.schema.json").read_text())
    decisions, faults = read_decisions([orjson.dumps(row)], "file")
    assert (len(decisions), len(faults)) == ((1, 0) if is_good else (0, 1))
    assert jsonschema.Draft202012Validator(schema).is_valid(row) is is_good


def test_edit_and_relabel_on_the_command_line(folder: Path, cli) -> None:
    old, other = find(folder, "situation 9 ")[0], find(folder, "Where does this belong")[0]
    found = cli(folder, "review", "edit", old[:10], "--answer", EDITED, "--reviewer", "ada", "--json")
    assert found.code == 0
    assert find(folder, "take the opposition", "corpus") == found.json["edited"]
    assert cli(folder, "review", "relabel", other, "-c", "endgames").code == 0
    assert ask(folder, "select category from corpus where id = ?", other) == [("endgames",)]
    assert "version " in cli(folder, "why", old).out + cli(folder, "why", old).err
    assert cli(folder, "review", "relabel", other, "-c", "openings").code == 2
    assert cli(folder, "review", "accept", "ffffffffffff").code == 2
    assert cli(folder, "review", "edit", old, "--answer", " ").code == 2


def test_the_queue_takes_keys_and_undo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from curator.cli import review_session

    # The first row is relabelled, undone, relabelled again; the flagged one rejected with a word of explanation.
    keys = iter(["l", "tactics", "u", "l", "2", "r", "sells drugs", "q"])
    monkeypatch.setattr(review_session.typer, "prompt", lambda *_, **__: next(keys))
    session = review_session.Session(wait_list(folder), ["tactics", "endgames"], "ada")
    session.run()
    assert [(d.kind, d.category, d.reason) for d in session.decisions] == [
        ("relabel", "endgames", None), ("reject", None, "sells_drugs")
    ]  # fmt: skip
    assert decide(folder, *session.decisions).stored == 2
    assert wait_list(folder) == []


def test_an_editor_gives_back_what_was_written_headings_and_all(tmp_path: Path, monkeypatch) -> None:
    from curator.review.editing import edit_in_editor

    turns = [
        {"role": "user", "content": "How do I warm up?", "input": "Bar: 60 kg"},
        {"role": "assistant", "content": "Slowly.\n### Warm-up\nTwo sets."},
    ]
    assert parse_turns(write_turns(turns), turns) == turns
    monkeypatch.setenv("EDITOR", "sed -i s/Slowly/Quickly/")
    monkeypatch.delenv("VISUAL", raising=False)
    assert edit_in_editor(turns)[1]["content"].startswith("Quickly.\n### Warm-up")
    monkeypatch.setenv("EDITOR", "true")
    with pytest.raises(ConfigError, match="nothing was changed"):
        edit_in_editor(turns)
    assert replace_turns(turns, "Why?", None)[0]["content"] == "Why?"
    with pytest.raises(ConfigError, match="must_start_with_user"):
        parse_turns("### user\nOnly a question", turns)
