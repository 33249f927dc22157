"""What earlier versions wrote opens with this one: nothing is lost, and the job goes on from there.

The fixtures are databases of four rows, each written by the last code of its schema; `rows` are the rows' questions.
"""

import json
from pathlib import Path

import duckdb
import pytest
import zstandard

from curator.cli.app import run
from warehouse import open_snapshot

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("project_schema_*.db.zst"))
QUESTIONS = ["How deep should I", "How do I plan a", "How many hours of", "How much protein should"]


@pytest.fixture(params=FIXTURES, ids=lambda path: path.name.split(".")[0])
def project(request, tmp_path):
    # A config of the first version: pack, seed, one ingest, balance and export.
    (tmp_path / "curator.toml").write_text(
        'pack = "fitness"\nseed = 3407\n[[ingest]]\nsource = "dataset"\npath = ["rows.jsonl"]\n'
        '[balance]\nsize = "max"\n[export]\nformat = "messages"\n'
    )
    (tmp_path / "curator.db").write_bytes(zstandard.decompress(request.param.read_bytes()))
    return tmp_path


def ask(folder, statement):
    with duckdb.connect(str(folder / "curator.db"), read_only=True) as connection:
        return connection.execute(statement).fetchall()


def test_an_older_database_keeps_its_rows_and_takes_part_in_the_whole_job(project):
    before = ask(project, "select id, messages from example order by id")
    releases = ask(project, "select id from release order by id")
    ledger = ask(project, "select key, split from split_ledger order by all")
    row = {"question": "How do I warm up for heavy deadlifts?", "answer": "Start with an empty bar, then add load in "
           "four or five jumps with fewer repetitions each time, so that the first heavy set feels prepared."}  # fmt: skip
    (project / "more.jsonl").write_text(json.dumps(row) + "\n")
    dataset = ["ingest", "dataset", str(project / "more.jsonl"), "--permission", "own", "--basis", "mine"]
    for words in (dataset, ["curate"], ["balance"], ["export"]):
        assert run(["-C", str(project), "-q", *words]) == 0, words
    assert set(ask(project, "select id, messages from example")) >= set(before)
    assert set(ask(project, "select id from release")) > set(releases)
    assert set(ask(project, "select key, split from split_ledger")) >= set(ledger)
    assert any((project / "exports").rglob("*.jsonl"))
    with open_snapshot(project / ".curator" / "snapshots") as snapshot:
        kept = [row[0] for row in snapshot.connection.execute("select prompt from corpus order by prompt").fetchall()]
    assert len(kept) == 5
    assert all(any(prompt.startswith(question) for prompt in kept) for question in QUESTIONS)


def test_one_that_a_newer_version_wrote_is_refused_with_the_version_to_install(project, capsys):
    with duckdb.connect(str(project / "curator.db")) as connection:
        connection.execute("insert into migration values (9999, '9999_future')")
        connection.execute("insert into meta values ('written_by', '7.1.0')")
    written = (project / "curator.db").read_bytes()
    assert run(["-C", str(project), "curate"]) == 1
    assert 'pip install "corpus-curator>=7.1.0"' in " ".join(capsys.readouterr().err.split())
    assert (project / "curator.db").read_bytes() == written
