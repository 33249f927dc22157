"""Kinds of structured records: which columns they have, and the templates that turn a row into examples."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ConfigError
from schemas.example import CoachRole
from schemas.pack import Pack
from sources.packs.loader import read_pack_toml


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExampleTemplate(_Strict):
    """One question that a row can answer, in several wordings."""

    name: str
    when: list[str] = Field(default=[], description="Columns that must not be empty.")
    empty: list[str] = Field(default=[], description="Columns that must be empty.")
    where: dict[str, list[str]] = Field(default={}, description="Column to the values that it must have one of.")
    unless: dict[str, list[str]] = Field(default={}, description="Column to the values that it must have none of.")
    category: str | None = Field(default=None, description="Category of the examples, before that of the kind.")
    role: CoachRole | None = None
    questions: list[str] = Field(min_length=1, description="Jinja; one is chosen by the row's id.")
    answers: list[str] = Field(min_length=1, description="Jinja; one is chosen by the row's id.")


class RecordKind(_Strict):
    """Rows of one structure, such as exercises with muscles and instructions."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    columns: list[str] = Field(min_length=1, description="Rows that have all of these are of this kind.")
    title: str = Field(description="Column that names the row.")
    needs: list[str] = Field(default=[], description="Rows in which one is empty are rejected as `no_COLUMN`.")
    language: str | None = None
    category: str | None = Field(default=None, description="Category of the examples.")
    category_column: str | None = Field(
        default=None, description="Column whose value goes before `category` where the pack knows it."
    )
    spoken: str | None = Field(
        default=None, description="Jinja that makes `spoken_name` of the title in a sentence and the row's cells."
    )
    proper_names: list[str] = Field(default=[], description="Words of titles that keep their capital in a sentence.")
    words: dict[str, dict[str, str]] = Field(default={}, description="Column to value to how a sentence says it.")
    examples: list[ExampleTemplate] = Field(min_length=1)


def load_record_kinds(pack: Pack) -> tuple[RecordKind, ...]:
    """Gives the record kinds of a pack in its order.

    Raises:
        ConfigError: A file is broken, or names a category that the pack does not have.
    """
    return tuple(_load_kind(pack, record.path) for record in pack.records)


def find_record_kind(kinds: Sequence[RecordKind], name: str) -> RecordKind:
    """Gives the record kind of a name.

    Raises:
        ConfigError: There is none.
    """
    for kind in kinds:
        if kind.name == name:
            return kind
    known = ", ".join(kind.name for kind in kinds) or "none"
    raise ConfigError(f"template {name!r}: the pack has no such record template", f"it has: {known}")


def _load_kind(pack: Pack, relative: str) -> RecordKind:
    where = pack.root / relative
    try:
        kind = RecordKind.model_validate(read_pack_toml(pack, relative))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {place}: {first['msg']}", "CONTRIBUTING says how to write a pack") from error
    named = {kind.category, *(example.category for example in kind.examples)} - {None}
    unknown = sorted(name for name in named if name is not None and name not in pack.category_names)
    if unknown:
        raise ConfigError(f"{where}: unknown categories {unknown}", f"the pack has {', '.join(pack.category_names)}")
    return kind
