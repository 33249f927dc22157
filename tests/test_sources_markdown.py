"""The markdown connector reads pages with their lines, and refuses with a reason what is no page."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.errors import ConfigError
from sources.markdown import MarkdownSource
from sources.markdown import source as markdown_source
from sources.packs.loader import load_pack
from sources.protocol import Batch, SourceContext

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PAGE = """---
title: Squat
category: technique
language: en
licence: CC-BY-4.0
author: Jane Doe
date: 2024-05-06
tags: [legs, barbell]
---
# Squat

Sit down between the heels.
"""


def read_all(root: Path, *paths: Path, after: str | None = None, **options: object) -> list[Batch]:
    context = SourceContext(root=root, pack=load_pack("fitness"), now=NOW)
    return list(MarkdownSource(MarkdownSource.Options(path=list(paths), **options), context).read(after))


def rows_of(batches: list[Batch]) -> list[dict]:
    return [row for batch in batches for row in batch.documents.rows(named=True)]


def refusals(batches: list[Batch]) -> dict[str, str]:
    return {Path(r.where.split(":")[0]).name: r.reason for batch in batches for r in batch.rejections}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "legs").mkdir(parents=True)
    (folder / "legs" / "squat.md").write_text(PAGE, encoding="utf-8")
    (folder / "plain.md").write_text("# Sleep\n\nSleep eight hours.\n", encoding="utf-8")
    return folder


def test_a_page_keeps_its_lines_head_and_folders_and_only_the_hash_of_its_author(notes: Path) -> None:
    (squat, plain) = rows_of(read_all(notes, notes))
    assert squat["natural_key"] == "notes/legs/squat.md"
    assert squat["content"].strip().startswith("# Squat")
    assert json.loads(squat["metadata"]) == {
        "folders": ["notes", "legs"],
        "front_matter": {"category": "technique", "language": "en", "tags": ["legs", "barbell"], "title": "Squat"},
        "line_offset": PAGE.split("\n").index("# Squat") - squat["content"].split("\n").index("# Squat"),
    }
    assert (squat["licence"], squat["permission"], squat["kind"]) == ("CC-BY-4.0", "unknown", "page")
    assert squat["created_at"] == datetime(2024, 5, 6, tzinfo=UTC)
    assert len(squat["author_hash"]) == 32
    assert "Jane" not in json.dumps(squat, default=str)
    assert plain["author_hash"] is None
    assert plain["licence"] == "unknown"


def test_a_file_has_the_same_key_and_id_whether_it_or_its_folder_is_named(notes: Path) -> None:
    whole = {row["natural_key"]: row["id"] for row in rows_of(read_all(notes, notes))}
    one = rows_of(read_all(notes, notes / "plain.md"))[0]
    assert whole["notes/plain.md"] == one["id"]


def test_the_pack_brings_its_own_pages_when_no_path_is_named(tmp_path: Path) -> None:
    rows = rows_of(read_all(tmp_path))
    assert len(rows) > 10
    assert {row["permission"] for row in rows} == {"own"}
    assert {row["licence"] for row in rows} == {"Apache-2.0"}
    assert all(row["natural_key"].startswith("pack:fitness/") for row in rows)


def test_hostile_and_broken_files_get_a_line_each_and_the_good_ones_are_kept(notes: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("# Not yours\n", encoding="utf-8")
    (notes / "out.md").symlink_to(secret)
    (notes / "loop").symlink_to(notes)
    (notes / "nowhere.md").symlink_to(notes / "absent.md")
    os.mkfifo(notes / "pipe.md")
    (notes / "book.md").write_bytes(b"%PDF-1.7 \x00")
    (notes / "latin.md").write_bytes("# Über\n\nfoo\n".encode() + "schön".encode("latin-1"))
    (notes / "nul.md").write_bytes(b"# A\n\n\x00")
    (notes / "big.md").write_bytes(b"a" * (5 * 2**20 + 1))
    (notes / "bomb.md").write_text("---\na: &a [x]\nb: [*a, *a]\n---\ntext\n", encoding="utf-8")
    (notes / "list.md").write_text("---\n- a\n- b\n---\ntext\n", encoding="utf-8")
    (notes / "yaml.md").write_text("---\na: [1\n---\ntext\n", encoding="utf-8")
    (notes / "empty.md").write_text("\n\n", encoding="utf-8")
    (notes / "LICENSE.md").write_text("# Licence\n", encoding="utf-8")
    (notes / ".hidden.md").write_text("# Hidden\n", encoding="utf-8")
    batches = read_all(notes, notes)
    assert [row["natural_key"] for row in rows_of(batches)] == ["notes/legs/squat.md", "notes/plain.md"]
    assert refusals(batches) == {
        "out.md": "link_out_of_root",
        "loop": "linked_folder",
        "nowhere.md": "broken_link",
        "pipe.md": "not_a_regular_file",
        "book.md": "not_text",
        "latin.md": "invalid_utf8",
        "nul.md": "not_text",
        "big.md": "too_large",
        "bomb.md": "yaml_alias",
        "list.md": "broken_front_matter",
        "yaml.md": "broken_front_matter",
        "empty.md": "empty_file",
        "LICENSE.md": "not_knowledge",
    }
    rejections = [r for batch in batches for r in batch.rejections]
    assert next(r for r in rejections if r.reason == "invalid_utf8").where.endswith("latin.md:4")
    assert {r.reason for r in rejections if not r.is_fault} == {"linked_folder", "empty_file", "not_knowledge"}


def test_a_readme_is_passed_over_in_a_folder_and_read_when_it_is_named(notes: Path) -> None:
    (notes / "README.md").write_text("# About\n\nMy notes.\n", encoding="utf-8")
    assert refusals(read_all(notes, notes)) == {"README.md": "not_knowledge"}
    assert rows_of(read_all(notes, notes / "README.md"))[0]["natural_key"] == "notes/README.md"


def test_a_ruler_at_the_top_is_no_front_matter(notes: Path) -> None:
    (notes / "ruler.md").write_text("---\nJust text between rulers\n---\nmore\n", encoding="utf-8")
    row = next(row for row in rows_of(read_all(notes, notes / "ruler.md")))
    assert row["content"].startswith("---\nJust text")
    assert json.loads(row["metadata"])["line_offset"] == 0


def test_two_folders_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "notes").mkdir(parents=True)
        (tmp_path / parent / "notes" / "x.md").write_text(f"# {parent}\n", encoding="utf-8")
    batches = read_all(tmp_path, tmp_path / "a" / "notes", tmp_path / "b" / "notes")
    assert len(rows_of(batches)) == 1
    assert [r.reason for batch in batches for r in batch.rejections] == ["same_key"]


def test_reading_goes_on_after_the_cursor_of_any_batch(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown_source, "BATCH_FILES", 2)
    for number in range(5):
        (notes / f"n{number}.md").write_text(f"# N{number}\n\ntext\n", encoding="utf-8")
    batches = read_all(notes, notes)
    assert batches[-1].cursor is None
    assert len(batches) == 4
    for done, batch in enumerate(batches[:-1], 1):
        rest = rows_of(read_all(notes, notes, after=batch.cursor))
        assert rest == rows_of(batches[done:])


def test_reading_after_a_cursor_whose_rest_has_gone_ends_in_an_empty_batch(notes: Path) -> None:
    (batch,) = read_all(notes, notes, after="notes/zzz.md")
    assert batch.documents.is_empty()
    assert batch.cursor is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("absent", "no such file"), ("empty", "no file ending in"), ("table.csv", "expected one of")],
)
def test_wrong_paths_are_said_before_anything_is_read(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "table.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=expected) as caught:
        read_all(tmp_path, tmp_path / name)
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        MarkdownSource.Options(folder=[tmp_path])
