"""What every connector keeps, the example of the docs too: one contract, the same checks for all."""

import json
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from pydantic import BaseModel, ValidationError

from schemas.document import DOCUMENT_COLUMNS, document_id
from schemas.errors import ConfigError, SourceInterruptedError
from schemas.frames import check_frame
from schemas.identity import dump_canonical, hash_author
from sources.packs.loader import load_pack
from sources.protocol import SourceContext

NOW = datetime(2026, 1, 2, tzinfo=UTC)
KINDS = {"post", "comment", "transcript", "page", "record", "conversation", "event"}
AUTHOR = "Zebulon_Quickfoot"


def write_pages(folder, suffix):
    for number in range(3):
        head = f"---\nauthor: {AUTHOR}\n---\n" if suffix == ".md" else ""
        (folder / f"page{number}{suffix}").write_text(f"{head}# Page {number}\n\nRest well before day {number}.\n")


def write_captions(folder):
    for number in range(3):
        cue = f"WEBVTT\n\n00:00:01.000 --> 00:00:09.000\n<v {AUTHOR}>Keep your heels down in set {number}, always.\n"
        (folder / f"talk{number}.vtt").write_text(cue)


def write_rows(folder):
    rows = [{"question": f"What is set {n}?", "answer": f"It is number {n} of the day."} for n in range(5)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_dump(folder):
    common = {"subreddit": "Fitness", "created_utc": 1_700_000_000, "score": 9, "author": AUTHOR}
    posts = [common | {"id": f"p{n}", "title": f"Squat {n}?", "selftext": "It hurts my pride."} for n in range(3)]
    comments = [
        common | {"id": f"c{n}", "link_id": f"t3_p{n}", "parent_id": f"t3_p{n}", "body": "Go lower and slower."}
        for n in range(3)
    ]
    for name, rows in (("RS_x.ndjson", posts), ("RC_x.ndjson", comments)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_events(folder):
    events = [
        {
            "kind": "rating",
            "event_id": f"event-000{number}",
            "occurred_at": "2026-01-01T10:00:00Z",
            "user": AUTHOR,
            "recommendation_id": "shown-0001",
            "rating": 4,
        }
        for number in range(5)
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def write_diary(folder):
    (folder / "d.tsv").write_text("".join(f"2026-01-0{n}\tHow was day {n}?\tGood.\n" for n in range(1, 4)))


# Connector: how to write its input, and the options that read it. Those of the network are held to the parts of the
# contract that need none here; their own tests run them against recorded answers.
LOCAL = {
    "markdown": (lambda folder: write_pages(folder, ".md"), lambda folder: {"path": [folder]}),
    "documents": (lambda folder: write_pages(folder, ".txt"), lambda folder: {"path": [folder]}),
    "transcripts": (write_captions, lambda folder: {"path": [folder]}),
    "dataset": (write_rows, lambda folder: {"path": [str(folder)]}),
    "reddit": (write_dump, lambda folder: {"dump": [folder]}),
    "synthetic": (lambda _: None, lambda _: {"count": 8}),
    "feedback": (write_events, lambda folder: {"path": [folder / "events.jsonl"]}),
    "diary": (write_diary, lambda folder: {"path": folder / "d.tsv"}),
}
THIRD_PARTY = {"diary"}
NETWORK = {"youtube"}
# The constant of each connector that says how much goes into a batch, so that three inputs make several.
BATCH_SIZES = {
    "markdown": "sources.markdown.source.BATCH_FILES",
    "documents": "sources.documents.BATCH_FILES",
    "transcripts": "sources.transcripts.source.BATCH_FILES",
    "dataset": "sources.dataset.source.BATCH_ROWS",
    "feedback": "sources.feedback.source.BATCH_EVENTS",
}


def load(name):
    if name in THIRD_PARTY:
        return load_from_docs()
    return next(iter(entry_points(group="curator.sources", name=name))).load()


@cache
def load_from_docs():
    """Gives the connector that CONTRIBUTING.md shows, imported as another package's module would be."""
    text = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "DiarySource" in block)
    with TemporaryDirectory() as folder:
        Path(folder, "diary_under_contract.py").write_text(code, encoding="utf-8")
        sys.path.insert(0, folder)
        try:
            return import_module("diary_under_contract").DiarySource
        finally:
            sys.path.remove(folder)


def make(name, folder, **changes):
    kind = load(name)
    context = replace(SourceContext(root=folder, pack=load_pack("fitness"), now=NOW), **changes)
    return kind(kind.Options(**LOCAL[name][1](folder)), context)


@pytest.fixture(params=sorted(LOCAL))
def source(request, tmp_path, monkeypatch):
    """Name of a connector and a folder with its input."""
    LOCAL[request.param][0](tmp_path)
    if request.param in BATCH_SIZES:
        monkeypatch.setattr(BATCH_SIZES[request.param], 2)
    return request.param, tmp_path


def test_the_contract_knows_every_connector_that_is_registered():
    registered = {point.name for point in entry_points(group="curator.sources") if point.dist.name == "corpus-curator"}
    assert set(LOCAL) - THIRD_PARTY | NETWORK == registered


@pytest.mark.parametrize("name", sorted(set(LOCAL) | NETWORK))
def test_options_are_a_frozen_model_that_takes_nothing_unknown_and_documents_every_field(name):
    kind = load(name)
    assert kind.name == name
    assert issubclass(kind.Options, BaseModel)
    assert kind.Options.model_config["frozen"] is True
    assert kind.Options.model_config["extra"] == "forbid"
    assert [field for field, info in kind.Options.model_fields.items() if not info.description] == []
    with pytest.raises(ValidationError):
        kind.Options(colour="red")


def test_batches_hold_whole_documents_with_true_ids(source):
    name, folder = source
    batches = list(make(name, folder).read(None))
    for batch in batches:
        check_frame(batch.documents, DOCUMENT_COLUMNS, name)
    documents = pl.concat([batch.documents for batch in batches])
    assert documents.height >= 3
    for row in documents.iter_rows(named=True):
        assert row["source"] == name
        assert row["kind"] in KINDS
        assert row["permission"] in {"granted", "own", "unknown"}
        assert row["id"] == document_id(name, row["natural_key"], row["content"])
        assert row["metadata"] == dump_canonical(json.loads(row["metadata"]))
        assert row["content"].strip()
        assert not row["natural_key"].startswith("/")
    assert documents["natural_key"].is_unique().all()
    assert batches[-1].cursor is None
    assert all(rejection.reason.replace("_", "").isalnum() for batch in batches for rejection in batch.rejections)


def test_the_same_input_gives_the_same_documents_in_the_same_order(source):
    name, folder = source
    first = [batch.documents for batch in make(name, folder).read(None)]
    second = [batch.documents for batch in make(name, folder).read(None)]
    assert [frame.rows() for frame in first] == [frame.rows() for frame in second]


def test_ids_do_not_depend_on_where_the_project_lies_when_or_with_which_salt(source, tmp_path_factory):
    name, folder = source
    here = pl.concat([batch.documents for batch in make(name, folder).read(None)])
    elsewhere = tmp_path_factory.mktemp("elsewhere") / folder.name
    elsewhere.mkdir()
    LOCAL[name][0](elsewhere)
    later = datetime(2027, 3, 4, tzinfo=UTC)
    there = pl.concat([b.documents for b in make(name, elsewhere, now=later, salt=b"other").read(None)])
    assert here["id"].to_list() == there["id"].to_list()


def test_every_cursor_goes_on_with_exactly_the_rest(source):
    name, folder = source
    batches = list(make(name, folder).read(None))
    for position, batch in enumerate(batches):
        if batch.cursor is None:
            continue
        rest = pl.concat([later.documents for later in make(name, folder).read(batch.cursor)])
        expected = pl.concat([later.documents for later in batches[position + 1 :]])
        assert rest["id"].to_list() == expected["id"].to_list()
    if name in BATCH_SIZES:
        assert len(batches) >= 2


def test_a_cursor_at_the_end_of_everything_gives_nothing_and_no_error(source):
    name, folder = source
    if name in {"reddit", "synthetic", "dataset", "feedback", "diary"}:
        pytest.skip("their last batch carries no cursor, and no other place is the end")
    keys = [key for batch in make(name, folder).read(None) for key in batch.documents["natural_key"]]
    assert sum(batch.documents.height for batch in make(name, folder).read(max(keys))) == 0


def test_an_author_is_a_salted_hash_and_no_name_is_in_any_column(source):
    name, folder = source
    salt = b"salt of this test"
    documents = pl.concat([batch.documents for batch in make(name, folder, salt=salt).read(None)])
    for row in documents.iter_rows():
        assert AUTHOR.lower() not in " ".join(map(str, row)).lower()
    hashes = set(documents["author_hash"].drop_nulls())
    assert hashes <= {hash_author(AUTHOR, salt)}
    assert bool(hashes) == (name in {"markdown", "reddit", "transcripts", "feedback"})


@pytest.mark.parametrize("name", sorted(set(LOCAL) - {"synthetic"}))
def test_a_missing_path_is_a_config_error_before_the_first_batch(name, tmp_path):
    missing = tmp_path / "no such place"
    with pytest.raises(ConfigError, match="no such place"):
        list(make(name, missing).read(None))


@pytest.mark.parametrize("name", sorted(set(LOCAL) - {"synthetic"}))
def test_an_empty_folder_is_a_config_error_too(name, tmp_path):
    with pytest.raises(ConfigError, match=tmp_path.name):
        list(make(name, tmp_path).read(None))


@pytest.mark.parametrize("name", sorted(NETWORK | {"reddit"}))
def test_a_network_source_with_nothing_to_ask_or_no_credentials_is_a_config_error(name, tmp_path):
    kind = load(name)
    source = kind(kind.Options(), SourceContext(root=tmp_path, pack=load_pack("fitness"), now=NOW))
    with pytest.raises((ConfigError, SourceInterruptedError)) as error:
        list(source.read(None))
    assert error.value.exit_code in (2, 3)
    assert error.value.hint


def test_a_fetched_document_carries_the_instant_of_its_run_or_what_its_source_says(source):
    name, folder = source
    fetched = {at for batch in make(name, folder).read(None) for at in batch.documents["fetched_at"]}
    assert all(at.tzinfo is not None and at <= NOW for at in fetched)
    if name != "reddit":
        assert fetched == {NOW}


def test_the_readers_of_folders_refuse_a_broken_file_and_read_the_rest(source):
    name, folder = source
    broken = {"markdown": "bad.md", "documents": "bad.txt", "transcripts": "bad.vtt", "dataset": "bad.jsonl"}
    if name not in broken:
        pytest.skip("reads no text files of a folder")
    Path(folder / broken[name]).write_bytes(b"\xff\xfe\xff broken \x80\x81")
    before = 5 if name == "dataset" else 3
    batches = list(make(name, folder).read(None))
    assert sum(batch.documents.height for batch in batches) == before
    rejections = [rejection for batch in batches for rejection in batch.rejections]
    assert any("bad." in rejection.where and rejection.is_fault for rejection in rejections)
