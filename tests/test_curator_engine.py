"""The stages give the same on Daft as in this process."""

import importlib.util
import json
from pathlib import Path

import orjson
import polars as pl
import pytest

from curator.cli.app import run
from curator.engine import DaftEngine, LocalEngine, make_engine, pack_frames, unpack_frames
from curator.project import open_project
from schemas.errors import ConfigError
from warehouse import open_snapshot

needs_daft = pytest.mark.skipif(importlib.util.find_spec("daft") is None, reason="daft is absent (extra scale)")
WORDS = [
    "brace",
    "lower",
    "slow",
    "bar",
    "chest",
    "back",
    "tight",
    "load",
    "week",
    "sleep",
    "eat",
    "rest",
    "plan",
    "set",
    "rep",
    "warm",
    "cool",
    "walk",
    "log",
    "note",
]


def make_rows() -> list[dict[str, str]]:
    """400 questions with answers, of which every tenth is an edited copy of the one before."""
    rows: list[dict[str, str]] = []
    for number in range(400):
        if number % 10 == 9:
            rows.append({**rows[-1], "answer": rows[-1]["answer"] + " Then rest well."})
            continue
        body = " ".join(
            WORDS[(number * 7 + step * (number % 13 + 1)) % len(WORDS)] + f"{number % 17}" for step in range(60)
        )
        rows.append(
            {"question": f"What should I do in case {number} of my training?", "answer": f"In this case: {body}."}
        )
    return rows


def make_project(folder: Path) -> Path:
    """Both projects read the same file: its path is part of the ids."""
    folder.mkdir()
    rows = folder.parent / "rows.jsonl"
    rows.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in make_rows()))
    path = json.dumps(str(rows))
    (folder / "curator.toml").write_text(f'[[ingest]]\nsource = "dataset"\npath = [{path}]\n', encoding="utf-8")
    assert run(["-C", str(folder), "-q", "ingest", "dataset", str(rows)]) == 0
    return folder


def read_outcome(folder: Path) -> list[tuple[object, ...]]:
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        kept = snapshot.connection.execute("select id, category, quality from corpus order by id").fetchall()
        out = snapshot.connection.execute(
            "select subject_id, stage, reason, round(score, 6), partner from verdicts order by all"
        ).fetchall()
    return [*kept, *out]


def test_frames_survive_packing() -> None:
    first = pl.DataFrame({"a": [1, 2], "b": [["x"], []]})
    second = pl.DataFrame({"c": ["ü", None]})
    restored = unpack_frames(pack_frames((first, second)))
    assert restored[0].equals(first)
    assert restored[1].equals(second)


def test_unknown_engines_and_stray_options_are_usage_errors(tmp_path: Path) -> None:
    assert isinstance(make_engine("local", None, None, tmp_path), LocalEngine)
    for arguments in (("spark", None, None), ("local", "ray://x", None), ("local", None, "s3://y")):
        with pytest.raises(ConfigError):
            make_engine(*arguments, tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("daft") is not None, reason="daft is installed")
def test_without_daft_the_message_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not installed"):
        list(DaftEngine(str(tmp_path)).map_frames(lambda frame: (frame,), [pl.DataFrame({"a": [1]})]))


@needs_daft
@pytest.mark.parametrize("ray", [None, "local"])
def test_the_keep_set_on_daft_is_that_of_this_process(tmp_path: Path, ray: str | None) -> None:
    if ray and importlib.util.find_spec("ray") is None:
        pytest.skip("ray is absent")
    here, there = make_project(tmp_path / "here"), make_project(tmp_path / "there")
    assert run(["-C", str(here), "-q", "curate"]) == 0
    extra = ["--ray", ray] if ray else []
    assert run(["-C", str(there), "-q", "curate", "--engine", "daft", *extra]) == 0
    outcome = read_outcome(here)
    assert sum("near_duplicate" in row for row in outcome) >= 30
    assert read_outcome(there) == outcome
