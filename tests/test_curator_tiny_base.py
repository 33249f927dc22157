"""`--base tiny`: random weights of this machine, so that the chain can be rehearsed where nothing can be fetched."""

import json
import shutil
from pathlib import Path

import pytest

from curator.project import open_project
from curator.tiny_base import is_tiny, name_tiny_base, provide_tiny_base

QUICK = ("--set", "train.max_steps=1", "--set", "train.save_steps=1", "--set", "train.eval_steps=1",
         "--set", "sample.prompts=[]")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory, built):
    copy = tmp_path_factory.mktemp("rehearsal") / "project"
    shutil.copytree(built, copy)
    return copy


def test_a_dry_run_names_it_and_leaves_nothing(folder, cli):
    found = cli(folder, "train", "--recipe", "tiny", "--base", "tiny", "--dry-run", "--json")
    assert found.code == 0, found.err
    assert "random weights" in found.err
    assert found.json["estimate"]["is_counted"] is True
    assert found.json["estimate"]["parameters"] < 2_000_000
    assert not name_tiny_base(open_project(folder)).exists()


def test_training_keeps_it_in_the_project_and_takes_the_same_one_again(folder, cli):
    found = cli(folder, "train", "--recipe", "tiny", "--base", "tiny", *QUICK, "--json")
    assert found.code == 0, found.err
    kept = name_tiny_base(open_project(folder))
    assert found.json["base"] == str(kept)
    assert json.loads((kept / "config.json").read_text())["max_position_embeddings"] == 4096
    before = (kept / "model.safetensors").stat().st_mtime_ns
    assert provide_tiny_base(open_project(folder), kept) == kept
    assert (kept / "model.safetensors").stat().st_mtime_ns == before


def test_a_folder_of_that_name_is_what_is_meant_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_tiny("tiny")
    assert not is_tiny(None)
    Path("tiny").mkdir()
    assert not is_tiny("tiny")
