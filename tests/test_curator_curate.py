"""What a changed pack changes in rows that were extracted before."""

import shutil
from pathlib import Path

import pytest

from curator.cli.app import run
from curator.project import open_project
from sources.packs.loader import BUNDLED_ROOT
from warehouse import open_snapshot

PAGE = """---
title: Grip
tags: [chalk]
language: en
---
# Grip

## How do I keep the bar from slipping out of my hands?
Dry the bar, use chalk, and squeeze it hard before you pull. Put the bar into the fingers and not into the palm, because a
bar in the palm rolls down during the lift and takes the skin with it. Train holds at the top for ten seconds twice a week.
"""


def read_category(project: Path) -> tuple[str | None, str | None]:
    with open_snapshot(open_project(project).snapshots) as snapshot:
        rows = snapshot.connection.execute("select category, category_basis from corpus").fetchall()
    assert len(rows) == 1
    return rows[0]


def test_a_new_alias_reaches_rows_that_were_extracted_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(
        BUNDLED_ROOT / "golf", pack, ignore=shutil.ignore_patterns("knowledge", "rules.toml", "drills.toml")
    )
    text = (pack / "pack.toml").read_text(encoding="utf-8")
    text = text.replace('knowledge = "knowledge"\n', "").replace('rules = ["rules.toml"]\n', "")
    (pack / "pack.toml").write_text(text, encoding="utf-8")
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "grip.md").write_text(PAGE, encoding="utf-8")
    project = tmp_path / "project"
    assert run(["init", str(project), "--pack", str(pack)]) == 0
    assert run(["-C", str(project), "ingest", "markdown", str(notes)]) == 0
    assert run(["-C", str(project), "curate"]) == 0, capsys.readouterr().err
    assert read_category(project)[1] != "label"
    (pack / "pack.toml").write_text(
        text.replace('aliases = ["address"', 'aliases = ["chalk", "address"'), encoding="utf-8"
    )
    assert run(["-C", str(project), "curate"]) == 0
    assert read_category(project) == ("setup", "label")
