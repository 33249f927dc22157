"""Tells whether a question and its answer speak of the pack's domain at all.

The categoriser chooses between the categories of a domain and learns from a community's posts: the odd word of a general
text (`plan`, `machine`, `goal`) is enough for it to choose one. Rows of general sources are therefore asked first
whether they are about the domain.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.text import flatten_messages
from schemas.errors import ConfigError
from schemas.pack import Pack
from sources.packs.loader import read_pack_toml

if TYPE_CHECKING:
    import polars as pl

OFF_DOMAIN = "off_domain"
"""The category basis of a row that does not speak of the domain; no category is looked for."""
PAGE_EXTRACTOR = "page"
GENERAL_EXTRACTORS = ("conversation", PAGE_EXTRACTOR, "transcript", "llm")
"""Threads come from communities that were chosen, records and generated rows from the pack's own rules."""
MIN_ANSWER_SUBJECTS = 3
"""A question about people needs an answer about the domain: one word of it may fall anywhere."""
MAX_WORDS_A_SUBJECT = 80
"""An answer that names a subject less often than this speaks of something else."""
_KEYS = {"subjects", "people", "tasks"}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Domain:
    """The words of a domain in one language.

    Attributes:
        subjects: What the domain speaks of.
        people: Whose questions become the domain's when the answer speaks of it.
        tasks: What is asked of a writing assistant instead; None if the pack names none.
    """

    subjects: re.Pattern[str]
    people: re.Pattern[str]
    tasks: re.Pattern[str] | None

    def holds(self, question: str, answer: str, *, may_be_task: bool = True) -> bool:
        """Tells whether a question is about the domain and its answer too.

        Args:
            question: What was asked.
            answer: What was answered.
            may_be_task: Whether the question may be a writing assistant's task, which headings never are.
        """
        # Most texts of a general source fail at the question, which is short; their answers are not looked at.
        asks_subject = self.subjects.search(question) is not None
        if not asks_subject and not self.people.search(question):
            return False
        if may_be_task and self.tasks and self.tasks.search(question.strip()):
            return False
        named = [match[0].casefold() for match in self.subjects.finditer(answer)]
        if not named or (not asks_subject and len(set(named)) < MIN_ANSWER_SUBJECTS):
            return False
        return len(named) * MAX_WORDS_A_SUBJECT >= len(_WORD.findall(answer))


def mark_off_domain(examples: "pl.DataFrame", pack: Pack) -> "pl.DataFrame":
    """Sets the category basis of rows of general sources that are not about the domain to `off_domain`.

    Args:
        examples: Frame with `EXAMPLE_COLUMNS`.
        pack: Without a domain file nothing is marked.

    Returns:
        The frame; rows that a source has labelled keep their label.

    Raises:
        ConfigError: The domain file is broken.
    """
    import polars as pl

    domains = load_domains(pack)
    is_asked = examples["extractor"].is_in(GENERAL_EXTRACTORS) & examples["category"].is_null()
    if not domains or not is_asked.any():
        return examples
    texts = flatten_messages(examples.select("messages")).select("prompt", "answer")
    # The sections of a page are one text: a heading alone (`Choosing a split`) need not name the domain.
    is_page = pl.col("extractor") == PAGE_EXTRACTOR
    text_key = pl.when(is_page).then("document_id").otherwise("id").alias("key")
    rows = pl.concat([examples.select("id", text_key, is_page.alias("is_page")), texts], how="horizontal")
    wholes = (
        rows.filter(is_asked).group_by("key", "is_page").agg(pl.col("prompt", "answer").sort_by("id").str.join("\n\n"))
    )
    # The language of a row is found by screening, so each language of the pack is tried.
    off_keys = [
        key
        for key, is_section, prompt, answer in wholes.select("key", "is_page", "prompt", "answer").iter_rows()
        if not any(domain.holds(prompt, answer, may_be_task=not is_section) for domain in domains)
    ]
    is_off = is_asked & rows["key"].is_in(off_keys)
    marked = pl.when(is_off).then(pl.lit(OFF_DOMAIN)).otherwise("category_basis")
    return examples.with_columns(marked.alias("category_basis"))


def load_domains(pack: Pack) -> list[Domain]:
    """Gives the domain's words, one entry a language; none if the pack has no domain file.

    Raises:
        ConfigError: A table has unknown or missing keys, or a task is no regular expression.
    """
    if pack.domain is None:
        return []
    where = pack.root / pack.domain
    return [_read_domain(table, f"{where}: [{name}]") for name, table in read_pack_toml(pack, pack.domain).items()]


def _read_domain(table: Mapping[str, Any], where: str) -> Domain:
    if set(table) - _KEYS or not table.get("subjects"):
        raise ConfigError(
            f"{where} has {', '.join(sorted(table)) or 'nothing'}", "expected subjects, people and tasks, each a list"
        )
    try:
        tasks = re.compile("|".join(table.get("tasks", [])), re.IGNORECASE) if table.get("tasks") else None
    except re.error as error:
        raise ConfigError(f"{where}: tasks: {error}", "each task is a Python regular expression") from error
    return Domain(_find_terms(table["subjects"]), _find_terms(table.get("people", [])), tasks)


def _find_terms(terms: Sequence[str]) -> re.Pattern[str]:
    # Longer terms first, so that the word that is found is the whole one; no terms find nothing.
    ordered = sorted(terms, key=lambda term: len(_read_term(term)), reverse=True)
    # A word is held against the terms of its first letter only, which takes a fifth of the time.
    letters: dict[str, list[str]] = {}
    for term in ordered:
        same = (letter for letter in letters if re.fullmatch(letter, term[:1], re.IGNORECASE))
        letters.setdefault(next(same, re.escape(term[:1])), []).append(_read_term(term[1:]))
    alternatives = "|".join(f"{letter}(?:{'|'.join(rests)})" for letter, rests in letters.items())
    return re.compile(rf"(?<!\w)(?:{alternatives or '(?!)'})(?!\w)", re.IGNORECASE)


def _read_term(term: str) -> str:
    return re.escape(term.rstrip("*")) + (r"\w*" if term.endswith("*") else "")
