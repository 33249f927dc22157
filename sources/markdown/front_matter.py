"""Splits the YAML head off a page and keeps of it what extraction may know."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler

LICENCE_KEYS = ("licence", "license")
AUTHOR_KEYS = ("author", "authors")
LANGUAGE_KEYS = ("language", "lang")
DATE_KEYS = ("date", "created", "published")
URL_KEYS = ("url", "canonical_url")

_HANDLER = YAMLHandler()


class FrontMatterError(ValueError):
    """A head that cannot be read; `reason` is the word of the rejection."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class FrontMatter:
    """The head of a page.

    Attributes:
        body: The page without its head.
        line_offset: Lines before the body, so that line n of the body is line n + offset of the file.
        values: All keys, lower case.
    """

    body: str
    line_offset: int = 0
    values: dict[str, Any] = field(default_factory=dict)

    def text(self, *keys: str) -> str | None:
        """Gives the first of the keys that holds a plain value, as text."""
        for key in keys:
            value = self.values.get(key)
            if isinstance(value, (str, int, float)) and str(value).strip():
                return _storable(value)
        return None

    def texts(self, *keys: str) -> list[str]:
        """Gives the plain values of the first key that is there: of a list each, else split at commas."""
        for key in keys:
            value = self.values.get(key)
            if isinstance(value, list):
                return [_storable(item) for item in value if isinstance(item, (str, int, float))]
            if isinstance(value, str) and value.strip():
                return [_storable(part) for part in value.split(",") if part.strip()]
        return []

    def created_at(self) -> datetime | None:
        """Gives the date of the page in UTC, where it has one."""
        for key in DATE_KEYS:
            value = self.values.get(key)
            if isinstance(value, datetime):
                return value if value.tzinfo else value.replace(tzinfo=UTC)
            if isinstance(value, date):
                return datetime(value.year, value.month, value.day, tzinfo=UTC)
        return None


class _NoAliasLoader(yaml.SafeLoader):
    """Safe YAML without aliases: a few nested ones grow to gigabytes, and no page needs them."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise FrontMatterError("yaml_alias", "the front matter uses a YAML alias (*name), which is not read")
        return super().compose_node(parent, index)


def split_front_matter(text: str) -> FrontMatter:
    """Splits a page into head and body; a page without a head is all body.

    A first line of dashes that begins no mapping is a ruler of the page, not a head.

    Raises:
        FrontMatterError: The head is broken YAML, a list, or uses aliases.
    """
    if not _HANDLER.detect(text):
        return FrontMatter(text)
    try:
        head, body = _HANDLER.split(text)
    except ValueError:
        return FrontMatter(text)
    try:
        values = yaml.load(head, Loader=_NoAliasLoader)  # noqa: S506  # a SafeLoader that also refuses aliases
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise FrontMatterError("broken_front_matter", f"YAML between the --- lines{where}: {problem}") from error
    except RecursionError as error:
        raise FrontMatterError("broken_front_matter", "the YAML is nested too deeply") from error
    if isinstance(values, list):
        raise FrontMatterError("broken_front_matter", "the front matter is a list, expected `key: value` lines")
    if values is not None and not isinstance(values, dict):
        return FrontMatter(text)
    offset = text[: len(text) - len(body)].count("\n")
    return FrontMatter(body, offset, {str(key).lower(): value for key, value in (values or {}).items()})


def _storable(value: object) -> str:
    """YAML can spell lone surrogates, which no UTF-8 store takes."""
    return str(value).strip().encode("utf-8", "replace").decode("utf-8")
