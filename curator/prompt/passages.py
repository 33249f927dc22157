"""What an answer may lean on: the sections of knowledge pages and the records of the pack, each with its place."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.extract.page import find_language, find_page_category
from curator.extract.sections import Section, parse_sections
from schemas.errors import ConfigError
from schemas.pack import Pack
from sources.markdown import MarkdownSource
from sources.markdown.source import MarkdownOptions
from sources.packs.loader import pack_path
from sources.protocol import SourceContext

MIN_WORDS = 12
"""A shorter section announces or links; it answers nothing."""


@dataclass(frozen=True)
class Passage:
    """A piece of knowledge that can be cited.

    Attributes:
        page: Natural key of the page, such as `pack:fitness/nutrition/protein.md`, or of the record's file.
        title: Title of the page, or name of the record.
        heading: Headings from below the title down to the section, joined with ` › `; empty for an introduction.
        text: Plain text.
        place: File and lines, or file and row, as a citation shows it.
        category: Category of the pack, where the page or record names one.
        language: ISO 639-1.
        aliases: Other names of the thing, searched but not shown.
    """

    page: str
    title: str
    heading: str
    text: str
    place: str
    category: str | None
    language: str
    aliases: str = ""

    @property
    def is_record(self) -> bool:
        """Whether it is a record that stands for itself, and not a section of a page."""
        return "#" in self.place


def load_passages(pack: Pack, folders: Sequence[Path] = ()) -> list[Passage]:
    """Gives the passages of a pack's own pages and bundled records, and of the project's own folders of pages.

    Args:
        pack: The domain.
        folders: Folders or files of markdown beside those of the pack; refused files are left out.

    Raises:
        ConfigError: A folder does not exist, or a file of the pack is broken.
    """
    options = []
    if pack.knowledge is not None:
        options.append(MarkdownOptions())
    if folders:
        options.append(MarkdownOptions(path=list(folders)))
    passages = [passage for option in options for passage in _read_pages(option, pack)]
    for record in pack.records:
        if record.data is not None:
            passages.extend(_read_records(pack, record.data))
    return passages


def _read_pages(options: MarkdownOptions, pack: Pack) -> Iterator[Passage]:
    for batch in MarkdownSource(options, SourceContext(root=pack.root, pack=pack)).read(None):
        for document in batch.documents.iter_rows(named=True):
            yield from _split_page(document, pack)


def _split_page(document: Mapping[str, Any], pack: Pack) -> Iterator[Passage]:
    metadata = json.loads(document["metadata"])
    root = parse_sections(document["content"])
    title = document["title"] or next((child.heading for child in root.children), document["natural_key"])
    language = find_language(metadata, document["content"]) or pack.default_language
    category, _ = find_page_category(metadata, pack)
    offset = int(metadata.get("line_offset", 0))
    for section in root.walk():
        if len(section.text.split()) >= MIN_WORDS:
            yield Passage(
                page=document["natural_key"],
                title=title,
                heading=" › ".join(part for part in section.path if part != title),
                text=section.text,
                place=_find_place(document["natural_key"], section, offset),
                category=category,
                language=language,
            )


def _find_place(key: str, section: Section, offset: int) -> str:
    return f"{key}:{section.line + offset + 1}-{section.end + offset}"


def _read_records(pack: Pack, relative: str) -> Iterator[Passage]:
    path = pack_path(pack, relative)
    for number, row in enumerate(_read_rows(path), 1):
        name = str(row.get("name") or row.get("title") or "")
        lines = [f"{_spell(key)}: {value}" for key, cell in row.items() if (value := _flatten(cell)) and key != "name"]
        if name and lines:
            yield Passage(
                page=f"pack:{pack.name}/{relative}",
                title=name,
                heading="",
                text="\n".join(lines),
                place=f"pack:{pack.name}/{relative}#{number}",
                category=pack.find_category(str(row.get("category") or "")),
                language=str(row.get("language") or pack.default_language),
                aliases=_flatten(row.get("aliases")),
            )


def _read_rows(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".csv":
            return list(csv.DictReader(text.splitlines()))
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        rows = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}", "expected JSON, JSONL or CSV rows") from error
    return list(rows)


def _spell(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _flatten(cell: Any) -> str:
    """Gives a cell in words: lists with semicolons, tables as `key: value`."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, Mapping):
        return "; ".join(
            f"{_spell(str(key)).lower()}: {value}" for key, item in cell.items() if (value := _flatten(item))
        )
    if isinstance(cell, list):
        return "; ".join(value.rstrip(".") for item in cell if (value := _flatten(item)))
    return str(cell)
