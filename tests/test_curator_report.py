"""What the commands say when there is little to say anything of: what waits, what gave nothing, what cannot be filled."""

import sys
from pathlib import Path

import pytest

from curator.cli.output import spell_command
from curator.project import change_project, open_project
from curator.report import explain_release

SHORT_NOTE = "# Note\n\nhello\n"
USEFUL = (
    "# What is a fork?\n\nA fork is a move by which one piece attacks two others at once, so that one of them falls.\n"
)


@pytest.fixture
def chess(tmp_path, tiny_pack):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "curator.toml").write_text(f"pack = {str(tiny_pack)!r}\n")
    (folder / "short").mkdir()
    for name in ("a", "b"):
        (folder / "short" / f"{name}.md").write_text(SHORT_NOTE.replace("hello", f"hello {name}"))
    return folder


def waiting(cli, folder):
    return cli(folder, "status", "--json").json["waiting"]


def ingest(cli, folder, path):
    assert cli(folder, "ingest", "markdown", folder / path).code == 0


def test_documents_that_came_after_the_last_curate_are_counted_until_the_next_one(chess, cli):
    ingest(cli, chess, "short")
    assert waiting(cli, chess) == "2 documents not curated yet; run `curator curate`"
    assert "2 documents not curated yet; run `curator curate`" in cli(chess, "balance").err
    assert cli(chess, "curate").code == 0
    assert waiting(cli, chess) == "nothing"
    (chess / "short" / "c.md").write_text(USEFUL)
    ingest(cli, chess, "short")
    assert waiting(cli, chess) == "1 document not curated yet; run `curator curate`"
    assert cli(chess, "balance", "--json").json["uncurated"] == 1


def test_forgetting_leaves_the_count_of_what_waits_as_it_was(chess, cli):
    ingest(cli, chess, "short")
    assert cli(chess, "curate").code == 0
    (chess / "short" / "c.md").write_text(USEFUL)
    ingest(cli, chess, "short")
    assert cli(chess, "forget", "--id", "short/a.md").code == 0
    assert waiting(cli, chess).startswith("1 document not")
    (chess / "short" / "c.md").unlink()
    assert cli(chess, "forget", "--id", "short/c.md").code == 0
    assert waiting(cli, chess) == "nothing"


def test_a_database_of_a_version_that_did_not_count_waits_for_nothing(chess, cli):
    ingest(cli, chess, "short")
    assert cli(chess, "curate").code == 0
    with change_project(open_project(chess), "test") as (warehouse, summary):
        warehouse.connection.execute("delete from meta where key = 'documents_read'")
        summary["test"] = 1
    assert waiting(cli, chess) == "nothing"


def test_curate_names_the_source_of_which_nothing_is_kept_with_reasons_and_what_to_type(chess, cli):
    ingest(cli, chess, "short")
    (chess / "good").mkdir()
    (chess / "good" / "c.md").write_text(USEFUL)
    ingest(cli, chess, "good")
    found = cli(chess, "curate", "--json")
    assert found.code == 0
    line = "markdown, short: 2 documents gave no example (too_short_section 2): curator sql --saved barren"
    assert found.json["alarms"] == [line]
    assert f"alarm: {line}" in " ".join(cli(chess, "curate").err.split())
    rows = cli(chess, "sql", "--saved", "barren", "--format", "json").json
    assert [(row["natural_key"], row["reasons"]) for row in rows] == [
        ("short/a.md", "too_short_section"),
        ("short/b.md", "too_short_section"),
    ]


def test_a_source_whose_examples_are_all_rejected_is_named_as_well(chess, cli):
    (chess / "rows.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    assert cli(chess, "ingest", "dataset", chess / "rows.jsonl").code == 0
    [alarm] = cli(chess, "curate", "--json").json["alarms"]
    assert alarm.startswith(
        "dataset, project/rows.jsonl: 1 document gave 1 example, none is kept (answer_too_short 1, prompt_too_short 1): "
    )


def make_release(sizes, missing, thin):
    splits = {
        split: {"size": size, "missing": missing if size else [], "shortfalls": []} for split, size in sizes.items()
    }
    return {"splits": splits, "thin_categories": thin, "preferences": {}, "leaks": []}


def test_what_a_release_lacks_is_one_line_for_all_splits_and_one_for_all_thin_categories():
    report = make_release(
        {"train": 20, "validation": 2, "test": 1}, ["tactics", "endgames"], {"tactics": 0, "opening": 7}
    )
    assert list(explain_release(report)) == [
        "train, validation, test: no row of tactics, endgames can be had; the other shares keep their proportion",
        "few units, so that validation and test rows say little: tactics (0), opening (7)",
    ]


def test_a_release_without_any_row_is_explained_in_one_line():
    report = make_release({"train": 0, "validation": 0, "test": 0}, [], {"tactics": 0, "opening": 0})
    [line] = explain_release(report)
    assert line.startswith("no kept row has a category of the target mix: curator curate")


def test_the_next_command_is_spelt_so_that_it_works_where_the_user_is(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "curator"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["bin/curator", "demo"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert spell_command(Path("my demo"), "stats") == "bin/curator -C 'my demo' stats"
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert spell_command(Path("demo"), "why", "ID") == "curator -C demo why ID"
    monkeypatch.setattr("sys.argv", [str(tmp_path / "curator" / "__main__.py"), "demo"])
    assert spell_command(Path("demo"), "run") == f"{sys.executable} -m curator -C demo run"
