"""What is fuzzed: each target takes bytes and may refuse them with a `CuratorError` or a rejection, and with nothing else."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from curator.export.card import write_card
from curator.extract.dispatch import extract_documents
from curator.settings import load_settings
from schemas.document import DOCUMENT_COLUMNS
from schemas.errors import CuratorError
from schemas.frames import check_frame
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.synthetic.doctor import check_rules
from train.modelfile import QUOTES, quote

Target = Callable[[bytes], None]
PACK = load_pack("fitness")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
FILE = object()
"""Stands for the fuzzed file in the options of a connector."""

_FOLDER = Path(mkdtemp(prefix="curator-fuzz-"))


def read_with(module: str, name: str, file: str, **options: Any) -> Target:
    """Gives a target that lets a connector read a file of the given name and the extractors what comes out of it."""
    source_class = getattr(__import__(module, fromlist=[name]), name)

    def target(data: bytes) -> None:
        folder = _FOLDER / "read"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = folder / file
        path.write_bytes(data)
        given = {key: [str(path)] if value is FILE else value for key, value in options.items()}
        try:
            source = source_class(source_class.Options(**given), SourceContext(folder, PACK, now=NOW))
            batches = list(source.read(None))
        except CuratorError as error:
            assert "\n" not in error.message
            return
        for batch in batches:
            check_frame(batch.documents, DOCUMENT_COLUMNS, "batch")
            assert all(rejection.reason.isidentifier() for rejection in batch.rejections)
            if batch.documents.height:
                extract_documents(batch.documents, PACK)

    return target


def read_config(data: bytes) -> None:
    """Lets the settings of a project be read."""
    folder = _FOLDER / "config"
    folder.mkdir(exist_ok=True)
    (folder / "curator.toml").write_bytes(data)
    try:
        load_settings(folder)
    except CuratorError:
        return


def read_rules(data: bytes) -> None:
    """Lets a rule file be compiled and checked."""
    path = _FOLDER / "rules.toml"
    path.write_bytes(data)
    try:
        check_rules(PACK, [path])
    except CuratorError:
        return


def write_modelfile(data: bytes) -> None:
    """A quoted value is the value: nothing can close the quotes or be dropped."""
    text = data.decode(errors="replace")
    try:
        quoted = quote(text, "value")
    except CuratorError:
        return
    assert quoted.startswith(QUOTES)
    assert quoted.endswith(QUOTES)
    body = quoted[len(QUOTES) : -len(QUOTES)]
    assert body == text
    assert QUOTES not in body


def write_dataset_card(data: bytes) -> None:
    """The card's head is read as it was written, and text of a source begins no line of the body."""
    text = data.decode(errors="replace")
    rights = {"licence": text or "unknown", "licences": {text: 1}, "attributions": [text], "unknown_permission": 0}
    files = [{"path": "train.jsonl", "split": "train", "rows": 1, "bytes": 1}]
    manifest = {"release": "r", "format": "messages", "curator": "0", "files": files, "counts": {}, "rights": rights}
    card = write_card(manifest, PACK, ["en"], [])
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head)["license"] == (text or "unknown").lower()
    lines = body.splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        f"# {PACK.title}",
        "## Rights",
        "## Attributions",
    ]


CAPTIONS = ("sources.transcripts", "TranscriptsSource")
REDDIT = ("sources.reddit", "RedditSource")
POST = """{"id":"p1","name":"t3_p1","subreddit":"Fitness","title":"How deep?","selftext":"Squat depth?","author":"a","created_utc":1700000000,"score":3,"num_comments":1,"is_self":true}
"""
COMMENT = """{"id":"c1","name":"t1_c1","link_id":"t3_p1","parent_id":"t3_p1","subreddit":"Fitness","body":"Below parallel > quote EDIT: thanks","author":"b","created_utc":1700000100,"score":9}
"""
RECOMMENDATION = """{"event":"recommendation","event_id":"e1","user":"u","at":"2026-01-01T00:00:00Z","prompt":"Bench?","answer":"Add 5 lb.","model":"m"}
"""
TARGETS: dict[str, tuple[Target, list[str]]] = {
    "vtt": (read_with(*CAPTIONS, "a.vtt", path=FILE), ["WEBVTT\n\n00:00:01.000 --> 00:00:02.500 align:start\n<v Ann>keep<00:00:01.500><c> going</c>\n"]),
    "srt": (read_with(*CAPTIONS, "a.srt", path=FILE), ["1\n00:00:01,000 --> 00:00:02,000\n<i>next</i> lift\n\n2\n00:00:02,000 --> 00:00:04,000\nslow\n"]),
    "sbv": (read_with(*CAPTIONS, "a.sbv", path=FILE), ["0:00:01.000,0:00:02.000\nbrace hard\n"]),
    "caption_json": (read_with(*CAPTIONS, "a.json", path=FILE), ['[{"text":"a common mistake","start":1.0,"duration":2.5}]', '{"snippets":[{"text":"x","start":0,"duration":1}]}']),
    "turns": (read_with(*CAPTIONS, "a.md", path=FILE), ["# Talk\n\n**Ann:** How do you warm up?\n\n**Bob:** First, I walk.\n"]),
    "dump": (read_with(*REDDIT, "RC_2024-01.ndjson", dump=FILE), [COMMENT, POST]),
    "dump_zst": (read_with(*REDDIT, "RS_2024-01.zst", dump=FILE), ["\x28\u00b5/\u00fd"]),
    "dump_csv": (read_with(*REDDIT, "posts.csv", dump=FILE), ["id,title,selftext,author,created_utc,score\np1,How?,\"a, b\",x,1700000000,4\n"]),
    "api_json": (read_with(*REDDIT, "page.json", saved=FILE), ['[{"kind":"Listing","data":{"after":null,"children":[{"kind":"t3","data":' + POST.strip() + '}]}},{"kind":"Listing","data":{"children":[{"kind":"t1","data":' + COMMENT.strip() + '},{"kind":"more","data":{"count":2,"children":["x"],"id":"m","parent_id":"t3_p1"}}]}}]']),
    "markdown": (read_with("sources.markdown", "MarkdownSource", "note.md", path=FILE), ["---\ncategory: nutrition\ntags: [a]\n---\n# How much protein?\n\n1. Eat\n2. Sleep\n\n| q | a |\n|---|---|\n| x | y |\n\n[[Link|shown]] `code`\n"]),
    "dataset_jsonl": (read_with("sources.dataset", "DatasetSource", "rows.jsonl", path=FILE), ['{"question":"a?","answer":"b"}\n{"conversations":[{"from":"human","value":"x"},{"from":"gpt","value":"y"}]}\n']),
    "dataset_json": (read_with("sources.dataset", "DatasetSource", "rows.json", path=FILE), ['[{"instruction":"a","input":"","output":"b"},{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}]}]']),
    "dataset_csv": (read_with("sources.dataset", "DatasetSource", "rows.csv", path=FILE), ["question,answer\nWhat?,\"This, that\"\n"]),
    "dataset_xml": (read_with("sources.dataset", "DatasetSource", "doc.xml", path=FILE), ['<?xml version="1.0"?><Document id="1" source="x" url="u"><Focus>F</Focus><QAPairs><QAPair pid="1"><Question qid="1">Q?</Question><Answer>A</Answer></QAPair></QAPairs></Document>']),
    "feedback": (read_with("sources.feedback", "FeedbackSource", "events.jsonl", path=FILE), [RECOMMENDATION, '{"event":"rating","event_id":"e2","recommendation":"e1","rating":5,"at":"2026-01-02T00:00:00Z"}\n']),
    "config": (read_config, ['pack = "fitness"\nseed = 1\n[[ingest]]\nsource = "reddit"\ndump = ["x"]\n[balance]\nsize = "max"\n']),
    "rules": (read_rules, ['[variables.sleep]\nrange = [5, 9]\nstep = 0.5\n[topics.t]\ncategory = "recovery"\n']),
    "modelfile": (write_modelfile, ["You are a coach.\nBe kind.", 'say """ now']),
    "card": (write_dataset_card, ["CC-BY-4.0", "a: b\n# c"]),
}  # fmt: skip
"""Target and seeds by name."""
