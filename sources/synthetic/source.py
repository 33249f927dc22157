"""The connector `synthetic`: conversations that a pack's rule files write."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ConfigError
from sources.protocol import Batch, Rejection, SourceContext
from sources.synthetic.generate import Generator
from sources.synthetic.plan import Plan, Stream, make_segment
from sources.synthetic.rulebook import Rules, load_rules

T = TypeVar("T")

_DEFAULT_COUNT = 1000
_FIRST_LANGUAGE_SHARE = 0.9


class SyntheticOptions(BaseModel):
    """What to generate; the pack's `[synthetic]` table holds its defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int | None = Field(default=None, ge=1, description="Number of examples; the pack's default if absent.")
    category: list[str] | dict[str, int] | None = Field(
        default=None, description="Only these categories, or exactly so many of each (then `count` is not used)."
    )
    more: bool = Field(default=False, description="Number the rows on after those already stored, to get new ones.")
    seed: int | None = Field(default=None, description="The project's seed if absent.")
    rules: list[Path] = Field(default=[], description="Rule files to use instead of the pack's.")
    languages: dict[str, float] | None = Field(
        default=None,
        description="Share of each language, 0-1; a category without rules in one goes to the others. By default the "
        "pack's first language has 90 percent and the others share the rest.",
    )


class SyntheticSource:
    """Generates conversations by rule.

    The same seed and rule files give the same rows; a run of 2,000 begins with the rows of a run of 1,000.
    """

    name: ClassVar[str] = "synthetic"
    Options: ClassVar[type[BaseModel]] = SyntheticOptions

    def __init__(self, options: BaseModel, context: SourceContext) -> None:
        given = options.model_dump(exclude_unset=True)
        self._options = SyntheticOptions.model_validate({**context.pack.synthetic, **given})
        self._context = context

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields the rows in stretches; the cursor is the index of the next row.

        Raises:
            ConfigError: A rule file or an option is wrong.
        """
        seed = self._context.seed if self._options.seed is None else self._options.seed
        rules = load_rules(self._context.pack, [self._context.root / path for path in self._options.rules])
        plan = self._make_plan(rules, seed)
        generator = Generator(rules, seed, self._context.now)
        for part in _read_ahead(generator.generate(plan, int(after or 0))):
            refused = [Rejection(key, "no_rule", "no rule covers this point", is_fault=False) for key in part.refused]
            cursor = str(part.stop) if part.stop < plan.count else None
            yield Batch(part.documents, tuple(refused), cursor, (f"generated {part.stop} / {plan.count}",))

    def _make_plan(self, rules: Rules, seed: int) -> Plan:
        shares = {category.name: category.target for category in self._context.pack.categories}
        wanted = self._options.category
        unknown = [name for name in wanted or [] if name not in shares]
        if unknown:
            raise ConfigError(f"category {unknown[0]!r} is none of the pack's", f"one of {', '.join(shares)}")
        firsts = self._count_stored(rules, seed) if self._options.more else {}
        if isinstance(wanted, dict):
            parts = [(self._streams(rules, {name: 1.0}), count) for name, count in wanted.items() if count > 0]
        else:
            chosen = {name: shares[name] for name in wanted or shares}
            parts = [(self._streams(rules, chosen), self._options.count or _DEFAULT_COUNT)]
        return Plan(tuple(make_segment(streams, count) for streams, count in parts), firsts)

    def _streams(self, rules: Rules, shares: Mapping[str, float]) -> dict[Stream, float]:
        """Splits the share of each category over the languages that have rules for it."""
        spoken = self._options.languages or _share_languages(list(rules.books))
        silent = [language for language in spoken if language not in rules.books]
        if silent:
            known = ", ".join(rules.books)
            raise ConfigError(f"languages: no rule file is written in {silent[0]!r}", f"there are rules in {known}")
        streams: dict[Stream, float] = {}
        for category, share in shares.items():
            able = {lang: s for lang, s in spoken.items() if s > 0 and rules.books[lang].topics_of(category)}
            total = sum(able.values())
            streams |= {(category, language): share * part / total for language, part in able.items()}
        if not streams:
            raise ConfigError(f"no rule file has a topic in {', '.join(shares)}", "add topics, or choose others")
        return streams

    def _count_stored(self, rules: Rules, seed: int) -> dict[Stream, int]:
        """Gives the first free row number of each stream."""
        firsts: dict[Stream, int] = {}
        for natural_key in self._context.stored_keys():
            parts = natural_key.split("/")
            if len(parts) == 5 and parts[:2] == [rules.digest, str(seed)] and parts[4].isdigit():
                stream = (parts[3], parts[2])
                firsts[stream] = max(firsts.get(stream, 0), int(parts[4]) + 1)
        return firsts


def _read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yields the items in order and makes the next one meanwhile: writing rows and storing them share no lock."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="generator") as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _share_languages(languages: list[str]) -> dict[str, float]:
    first, *others = languages
    if not others:
        return {first: 1.0}
    rest = (1 - _FIRST_LANGUAGE_SHARE) / len(others)
    return {first: _FIRST_LANGUAGE_SHARE, **dict.fromkeys(others, rest)}
