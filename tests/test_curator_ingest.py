"""Storing what a connector yields: one batch and its cursor together, nothing twice, nothing forgotten comes back."""

import json
import sys

import polars as pl
import pytest

from curator.ingest import hash_key, ingest_source, list_sources, load_connector
from curator.project import change_project, open_project
from schemas.errors import ConfigError, SourceError
from warehouse import open_snapshot, open_warehouse

# A connector as somebody else would write it: it reads a JSON list of batches, each a list of [key, text] or of
# {"reject": where}; it can kill itself after a batch, stop half-way, or yield a frame that is none.
CONNECTOR = """
import json
import os
import signal
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from schemas.document import document_id
from schemas.errors import SourceInterruptedError
from schemas.identity import hash_author
from sources.protocol import Batch, Rejection


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    path: Path
    stop_after: int | None = None
    fetched_at: datetime | None = None


class PaperSource:
    name = "paper"
    Options = Options

    def __init__(self, options, context):
        self.options, self.context = options, context

    def read(self, after):
        batches = json.loads(self.options.path.read_text())
        for number, items in enumerate(batches, 1):
            if number <= int(after or 0):
                continue
            rows = [self.row(*item) for item in items if isinstance(item, list)]
            refused = tuple(Rejection(item["reject"], "torn_page", "half a page") for item in items if isinstance(item, dict))
            yield Batch.of(rows, refused, str(number) if number < len(batches) else None, (f"batch {number}",))
            if os.environ.get("PAPER_KILL"):
                os.kill(os.getpid(), signal.SIGKILL)
            if number == self.options.stop_after:
                raise SourceInterruptedError("paper: out of ink", "buy ink")

    def row(self, key, text, author="Ada"):
        return {
            "id": document_id("paper", key, text), "source": "paper", "kind": "page", "natural_key": key,
            "content": text, "metadata": "{}", "fetched_at": self.options.fetched_at or self.context.now,
            "licence": "CC0-1.0", "basis": "test", "permission": "own", "url": f"https://paper.example/{key}",
            "author_hash": hash_author(author, self.context.salt),
        }


class TornSource(PaperSource):
    name = "torn"

    def read(self, after):
        for batch in super().read(after):
            yield Batch(batch.documents.drop("licence"), cursor=batch.cursor)
"""
ENTRY_POINTS = """
[curator.sources]
paper = paper_source:PaperSource
torn = paper_source:TornSource
needy = needy_source:NeedySource
"""
BATCHES = [
    [["a", "Alpha page"], ["b", "Beta page"], {"reject": "page 3"}],
    [["c", "Gamma page"], {"reject": "page 3"}, {"reject": "page 4"}],
    [["d", "Delta page"]],
]


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """An installed third-party distribution with three connectors."""
    folder = tmp_path / "site"
    (folder / "paper-1.0.dist-info").mkdir(parents=True)
    (folder / "paper-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: paper\nVersion: 1.0\n")
    (folder / "paper-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "paper_source.py").write_text(CONNECTOR)
    (folder / "needy_source.py").write_text("import a_module_that_nobody_has\n")
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("paper_source", None)


@pytest.fixture
def paper(tmp_path, bare, distribution):
    """Writes batches and ingests them into the bare project: `paper(BATCHES)`."""
    path = tmp_path / "paper.json"

    def ingest(batches, name="paper", **options):
        path.write_text(json.dumps(batches))
        project = open_project(bare)
        with change_project(project, f"ingest {name}") as (warehouse, summary):
            report = ingest_source(project, warehouse, name, {"path": str(path), **options})
            if report.has_changed:
                summary.update(report.as_dict())
        return report

    return ingest


def read_documents(folder):
    """Gives (key, text, is current) of everything stored."""
    with open_warehouse(folder / "curator.db") as warehouse:
        query = "select natural_key, content, id in (select id from current_document) from document order by all"
        return warehouse.connection.execute(query).fetchall()


def read_rejections(folder):
    with open_warehouse(folder / "curator.db") as warehouse:
        return warehouse.connection.execute("select location, reason from rejection order by all").fetchall()


def current(folder):
    return {key: text for key, text, is_current in read_documents(folder) if is_current}


def snapshot_rows(folder, query):
    with open_snapshot(folder / ".curator" / "snapshots") as snapshot:
        return snapshot.connection.execute(query).fetchall()


def test_listing_sources_names_built_ins_and_third_parties_and_imports_none(distribution):
    names = list_sources()
    assert {"markdown", "dataset", "reddit", "synthetic", "transcripts", "youtube", "documents"} < set(names)
    assert {"paper", "needy"} < set(names)
    assert "paper_source" not in sys.modules


def test_everything_is_stored_once_and_a_second_run_adds_nothing(paper, bare):
    first = paper(BATCHES)
    assert (first.read, first.added, first.new_rejections, first.num_faults) == (4, 4, 2, 3)
    assert first.notes == ["batch 1", "batch 2", "batch 3"]
    stored = read_documents(bare)
    assert [row[:2] for row in stored] == [tuple(item) for batch in BATCHES for item in batch if isinstance(item, list)]
    second = paper(BATCHES)
    assert (second.read, second.added, second.new_rejections, second.revived) == (4, 0, 0, 0)
    assert not second.has_changed
    assert read_documents(bare) == stored
    assert read_rejections(bare) == [("page 3", "torn_page"), ("page 4", "torn_page")]


def test_a_second_run_publishes_no_snapshot_and_logs_no_run(paper, bare):
    paper(BATCHES)
    before = sorted(path.name for path in (bare / ".curator" / "snapshots").iterdir())
    paper(BATCHES)
    assert sorted(path.name for path in (bare / ".curator" / "snapshots").iterdir()) == before
    assert snapshot_rows(bare, "select count(*) from runs") == [(1,)]


def test_killed_after_every_batch_the_same_command_ends_like_an_undisturbed_run(
    tmp_path, paper, bare, distribution, curator, cli
):
    path = tmp_path / "paper.json"
    path.write_text(json.dumps(BATCHES))
    command = ("ingest", "other", "paper", "--option", f"path={path}")
    disturbed = tmp_path / "disturbed"
    disturbed.mkdir()
    environment = {"PYTHONPATH": str(distribution), "PAPER_KILL": "1"}
    counts = []
    for _ in BATCHES:
        assert curator(disturbed, *command, env=environment).returncode == -9
        counts.append(len(read_documents(disturbed)))
    assert counts == [2, 3, 4]
    assert not list((disturbed / ".curator" / "snapshots").glob("*.db"))
    last = cli(disturbed, *command, "--json")
    assert last.code == 3
    assert last.json["added"] == 0
    paper(BATCHES)
    assert read_documents(disturbed) == read_documents(bare)
    assert read_rejections(disturbed) == read_rejections(bare)
    # What a killed command had stored and not published, the next one publishes.
    for folder in (disturbed, bare):
        assert snapshot_rows(folder, "select count(*) from documents") == [(4,)]


def test_a_killed_command_owes_its_snapshot_even_to_a_next_one_that_changes_nothing(
    tmp_path, paper, bare, distribution, curator, cli
):
    paper([[["a", "Alpha page"]]])
    path = tmp_path / "more.json"
    path.write_text(json.dumps([[["b", "Beta page"]]]))
    command = ("ingest", "other", "paper", "--option", f"path={path}")
    environment = {"PYTHONPATH": str(distribution), "PAPER_KILL": "1"}
    assert curator(bare, *command, env=environment).returncode == -9
    assert snapshot_rows(bare, "select count(*) from documents") == [(1,)]
    assert cli(bare, *command, "--json").json["added"] == 0
    assert snapshot_rows(bare, "select count(*) from documents") == [(2,)]


@pytest.mark.parametrize("bulk_rows", [1, 20_000])
def test_a_source_that_stops_half_way_keeps_what_it_gave_and_goes_on_there(bulk_rows, paper, bare, monkeypatch):
    monkeypatch.setattr("curator.ingest.BULK_ROWS", bulk_rows)
    stopped = paper(BATCHES, stop_after="2")
    assert (stopped.read, stopped.stopped, stopped.hint) == (3, "paper: out of ink", "buy ink")
    assert stopped.is_partial
    assert set(current(bare)) == {"a", "b", "c"}
    assert snapshot_rows(bare, "select count(*) from documents") == [(3,)]
    rest = paper(BATCHES, stop_after="2")
    assert (rest.read, rest.added, rest.stopped) == (1, 1, "")
    assert set(current(bare)) == {"a", "b", "c", "d"}


def test_large_batches_are_stored_together_or_not_at_all_and_small_ones_each(paper, bare, monkeypatch):
    broken = [*BATCHES[:2], [["no text"]]]
    monkeypatch.setattr("curator.ingest.BULK_ROWS", 1)
    with pytest.raises(TypeError):
        paper(broken)
    assert read_documents(bare) == []
    assert read_rejections(bare) == []
    monkeypatch.setattr("curator.ingest.ROW_GROUP_ROWS", 2)
    with pytest.raises(TypeError):
        paper(broken)
    assert set(current(bare)) == {"a", "b"}
    monkeypatch.setattr("curator.ingest.BULK_ROWS", 2)
    with pytest.raises(TypeError):
        paper(broken)
    assert set(current(bare)) == {"a", "b", "c"}
    rest = paper(BATCHES)
    assert (rest.read, rest.added) == (1, 1)


def test_large_batches_stored_together_still_hold_each_document_once(paper, bare, monkeypatch):
    monkeypatch.setattr("curator.ingest.BULK_ROWS", 1)
    report = paper([[["a", "text"], ["b", "text"]], [["b", "text"], ["c", "text"]], [["a", "new"]]])
    assert (report.read, report.added, report.revived) == (5, 4, 0)
    assert set(current(bare)) == {"a", "b", "c"}
    assert len(read_documents(bare)) == 4


def test_a_newer_text_under_the_same_key_supersedes_the_older(paper, bare):
    paper([[["a", "first"], ["b", "same"]]])
    second = paper([[["a", "second"], ["b", "same"]]])
    assert (second.added, second.revived) == (1, 0)
    assert current(bare) == {"a": "second", "b": "same"}
    assert ("a", "first", False) in read_documents(bare)


def test_a_text_that_returns_is_current_again_without_a_new_row_and_readers_see_it(paper, bare):
    for text in ("first", "second"):
        paper([[["a", text]]])
    returned = paper([[["a", "first"]]])
    assert (returned.added, returned.revived) == (0, 1)
    assert returned.has_changed
    assert read_documents(bare) == [("a", "first", True), ("a", "second", False)]
    assert snapshot_rows(bare, "select count(*) from documents where is_current") == [(1,)]
    (shown,) = snapshot_rows(bare, "select id from documents where is_current")
    with open_warehouse(bare / "curator.db") as warehouse:
        assert shown == warehouse.connection.execute("select id from document where content = 'first'").fetchone()
    again = paper([[["a", "first"]]])
    assert (again.added, again.revived, again.has_changed) == (0, 0, False)


def test_an_older_fetch_of_a_superseded_text_does_not_come_back(paper, bare):
    paper([[["a", "first"]]], fetched_at="2026-01-01T00:00:00Z")
    paper([[["a", "second"]]], fetched_at="2026-02-01T00:00:00Z")
    late = paper([[["a", "first"]]], fetched_at="2026-01-01T00:00:00Z")
    assert (late.added, late.revived) == (0, 0)
    assert current(bare) == {"a": "second"}


@pytest.mark.parametrize("texts", [("one", "two"), ("two", "one")])
@pytest.mark.parametrize("is_split", [False, True])
def test_of_two_texts_under_one_key_in_one_input_every_run_takes_the_same(texts, is_split, paper, bare):
    items = [["a", text] for text in texts]
    batches = [[item] for item in items] if is_split else [items]
    chosen = []
    for _ in range(4):
        paper(batches)
        chosen.append(current(bare)["a"])
    assert len(set(chosen)) == 1
    assert len(read_documents(bare)) == 2


def test_a_document_twice_in_one_batch_is_one_row(paper, bare):
    report = paper([[["a", "text"], ["a", "text"]]])
    assert (report.read, report.added) == (2, 1)
    assert read_documents(bare) == [("a", "text", True)]


@pytest.mark.parametrize(
    ("kind", "key"), [("document", "paper\nb"), ("url", "https://paper.example/b"), ("source", "paper")]
)
def test_a_tombstone_keeps_a_document_out_for_ever(kind, key, paper, bare):
    with open_warehouse(bare / "curator.db") as warehouse:
        stone = {"key_hash": hash_key(warehouse.read_salt(), kind, key), "kind": kind}
        frame = pl.DataFrame([stone]).with_columns(made_at=pl.lit(0).cast(pl.Datetime("us", "UTC")))
        warehouse.append("tombstone", frame)
    for _ in range(2):
        report = paper(BATCHES)
        expected = {"a", "c", "d"} if kind != "source" else set()
        assert report.blocked == 4 - len(expected)
    assert {row[0] for row in read_documents(bare)} == expected


def test_a_tombstone_of_an_author_works_through_the_salted_hash(paper, bare):
    paper([[["a", "by Ada"], ["b", "by Bob", "Bob"]]])
    with open_warehouse(bare / "curator.db") as warehouse:
        rows = warehouse.connection.execute("select natural_key, author_hash from document").fetchall()
        author = dict(rows)["b"]
        assert "Bob" not in author
        stone = {"key_hash": hash_key(warehouse.read_salt(), "author", author), "kind": "author"}
        frame = pl.DataFrame([stone]).with_columns(made_at=pl.lit(0).cast(pl.Datetime("us", "UTC")))
        warehouse.append("tombstone", frame)
    report = paper([[["c", "by Ada"], ["d", "by Bob", "BOB "]]])
    assert (report.read, report.added, report.blocked) == (2, 1, 1)


def test_a_frame_that_breaks_the_contract_is_named_with_its_connector_and_nothing_is_stored(paper, bare):
    with pytest.raises(SourceError, match="batch of torn: columns are"):
        paper(BATCHES, name="torn")
    assert read_documents(bare) == []


def test_a_wrong_option_or_name_is_a_config_error_that_stores_nothing(paper, bare, cli):
    with pytest.raises(ConfigError, match="paper: colour: Extra inputs are not permitted"):
        paper(BATCHES, colour="red")
    found = cli(bare, "ingest", "other", "nowhere")
    assert found.code == 2
    assert "source 'nowhere': no such connector" in found.err
    assert "markdown" in found.err
    assert read_documents(bare) == []


def test_a_connector_whose_library_is_missing_says_what_to_install(distribution):
    with pytest.raises(ConfigError, match="a_module_that_nobody_has") as error:
        load_connector("needy")
    assert "pip install" in error.value.hint


def test_exit_codes_are_0_for_all_3_for_some_and_2_for_nothing(tmp_path, bare, distribution, cli):
    path = tmp_path / "paper.json"
    option = ("--option", f"path={path}")
    path.write_text(json.dumps([[["a", "text"]]]))
    assert cli(bare, "ingest", "other", "paper", *option).code == 0
    path.write_text(json.dumps(BATCHES))
    partly = cli(bare, "ingest", "other", "paper", *option)
    assert partly.code == 3
    assert "page 3: torn_page: half a page" in partly.err
    assert partly.out == ""
    stopped = cli(bare, "ingest", "other", "paper", *option, "--option", "stop_after=1")
    assert stopped.code == 3
    assert "paper: out of ink" in stopped.err
    assert "buy ink" in stopped.err
    assert cli(bare, "ingest", "other", "paper", "--option", "path").code == 2


def test_a_preview_stores_nothing_and_makes_no_database(tmp_path, bare, distribution, cli):
    path = tmp_path / "paper.json"
    path.write_text(json.dumps(BATCHES))
    found = cli(bare, "ingest", "other", "paper", "--option", f"path={path}", "--dry-run", "--json")
    assert found.code == 3
    assert (found.json["read"], found.json["added"]) == (4, 0)
    assert list(bare.iterdir()) == []


def test_what_is_given_goes_before_the_options_of_the_pack(bare, cli):
    found = cli(bare, "ingest", "synthetic", "--count", 4, "--category", "recovery", "--json").json
    assert (found["source"], found["read"], found["added"]) == ("synthetic", 4, 4)
    with open_warehouse(bare / "curator.db") as warehouse:
        texts = warehouse.connection.execute("select metadata from document").fetchall()
    assert {json.loads(text)["category"] for (text,) in texts} == {"recovery"}
