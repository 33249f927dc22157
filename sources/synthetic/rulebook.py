"""Rule files of a pack, read, checked and merged: one rule book a language."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.example import CoachRole
from schemas.identity import make_id
from schemas.pack import Pack
from schemas.rules import Persona, RuleFile, Scalar, Table, Topic, Variable
from sources.packs.loader import pack_path
from sources.synthetic.place import Place
from sources.synthetic.records import make_table, read_records
from sources.synthetic.templates import PhraseSet, compile_phrase

_HINT = "curator doctor checks the rule files of a pack"


@dataclass
class RuleBook:
    """Everything one language has.

    Attributes:
        language: Code such as `en`.
        variables: By name.
        tables: By name; the column `name` is there.
        personas: One row a persona, with `persona` (id), `persona_weight` and the values.
        phrases: By name.
        topics: In the order of the files.
        places: Where each topic stands, by id; key `""` is the first file.
        roles: The pack's coach role of each category.
    """

    language: str
    variables: dict[str, Variable] = field(default_factory=dict)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    personas: pl.DataFrame = field(default_factory=pl.DataFrame)
    phrases: dict[str, PhraseSet] = field(default_factory=dict)
    topics: list[Topic] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    roles: dict[str, CoachRole] = field(default_factory=dict)

    def topics_of(self, category: str) -> list[Topic]:
        """Gives the topics of a category."""
        return [topic for topic in self.topics if category in topic.categories]


@dataclass(frozen=True)
class Rules:
    """All rule books of a pack.

    Attributes:
        books: By language, the pack's default language first.
        digest: First 8 hex characters of a hash of the files' texts; part of every natural key.
    """

    books: dict[str, RuleBook]
    digest: str


@dataclass(frozen=True)
class _Read:
    content: RuleFile
    place: Place


def load_rules(pack: Pack, paths: Sequence[Path] = ()) -> Rules:
    """Reads and merges the rule files.

    Args:
        pack: Gives the default files, the categories and the languages.
        paths: Files to read instead of the pack's.

    Raises:
        ConfigError: A file is absent or wrong; the message names file and line.
    """
    files = [pack_path(pack, relative) for relative in pack.rules] if not paths else list(paths)
    if not files:
        raise ConfigError(f"{pack.root / 'pack.toml'}: no rules", 'add rules = ["rules.toml"]')
    reads = [_read_file(path) for path in files]
    spoken = sorted({r.content.language or pack.default_language for r in reads}, key=_order_of(pack))
    books = {language: _merge(language, reads, pack) for language in spoken}
    return Rules(books, make_id(*[read.place.text for read in reads])[:8])


def _order_of(pack: Pack) -> Any:
    return lambda language: (pack.languages.index(language) if language in pack.languages else 99, language)


def _read_file(path: Path) -> _Read:
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", "name an existing rule file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "the file must be UTF-8 TOML") from error
    place = Place(path, text)
    try:
        return _Read(RuleFile.model_validate(data), place)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{place.within(first['loc'], where).spot()}: {first['msg']}", _HINT) from error


def _merge(language: str, reads: list[_Read], pack: Pack) -> RuleBook:
    book = RuleBook(language, roles=dict(pack.category_roles))
    personas: list[Persona] = []
    for read in reads:
        if read.content.language not in (None, language):
            continue
        content, place = read.content, read.place
        book.places.setdefault("", place)
        _add(book.variables, content.variables, place, "variables")
        tables = {name: _load_table(table, pack, place, name) for name, table in content.tables.items()}
        _add(book.tables, tables, place, "tables")
        _add(book.phrases, {n: compile_phrase(p) for n, p in content.phrases.items()}, place, "phrases")
        personas += content.personas
        for index, topic in enumerate(content.topics):
            _add_topic(book, topic, place.within(("topics", index), f"topic {topic.id}"), pack)
    book.personas = _expand_personas(personas or [Persona(id="anyone")])
    return book


def _add(into: dict[str, Any], more: dict[str, Any], place: Place, section: str) -> None:
    for name, value in more.items():
        if name in into:
            spot = place.within((section, name), f"{section}.{name}").spot()
            raise ConfigError(f"{spot}: the name is taken by an earlier file", "names are unique within a language")
        into[name] = value


def _add_topic(book: RuleBook, topic: Topic, place: Place, pack: Pack) -> None:
    unknown = [name for name in topic.categories if name not in pack.category_names]
    if unknown:
        known = ", ".join(pack.category_names)
        raise ConfigError(f"{place.spot()}: category {unknown[0]!r} is none of the pack's", f"one of {known}")
    if topic.id in book.places:
        raise ConfigError(f"{place.spot()}: there is another topic of that id", "ids are unique within a language")
    book.topics.append(topic)
    book.places[topic.id] = place


def _load_table(table: Table, pack: Pack, place: Place, name: str) -> pl.DataFrame:
    if table.file is None:
        return make_table(table.rows)
    try:
        return read_records(pack_path(pack, table.file), table.at)
    except ValueError as error:
        spot = place.within(("tables", name), f"tables.{name}").spot()
        raise ConfigError(f"{spot}: {table.file}: {error}", "") from error


def _expand_personas(personas: list[Persona]) -> pl.DataFrame:
    rows: list[dict[str, Scalar]] = []
    for persona in personas:
        options = [value if isinstance(value, list) else [value] for value in persona.values.values()]
        combinations = list(product(*options))
        weight = persona.weight / len(combinations)
        for combination in combinations:
            row: dict[str, Scalar] = {"persona": persona.id, "persona_weight": weight}
            rows.append(row | dict(zip(persona.values, combination, strict=True)))
    return pl.DataFrame(rows, infer_schema_length=None)
