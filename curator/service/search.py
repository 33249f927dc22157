"""Search over a snapshot: rows that have all of some words, or rows whose text is nearest to a text.

There is no index in the file: words are looked for in the text itself, and of the nearest rows only those are compared
that share the rarest of the telling words of the question.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

from curator.dedup import find_near
from curator.service.snapshot_reader import SnapshotReader
from curator.text import flatten_messages

MAX_WORDS = 4
MAX_TELLING = 6
MAX_CANDIDATES = 500
SAMPLE_ROWS = 3_000
MAX_SHARE = 0.1
MIN_SIMILARITY = 0.05
MAX_SECONDS = 15.0
"""A word that no row has is looked for in every text: a second of processor time for a million rows."""
WORD = re.compile(r'"([^"]+)"|(\S+)')
LETTERS = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class Filters:
    """Which rows are wanted; None is any.

    Attributes:
        source: Where they come from.
        category: Its name, or `uncategorised`.
        split: train, validation, test or `none`.
        licence: Of their document.
        language: ISO 639-1.
        role: insight, planner or coach.
        verdict: `kept`, `rejected`, or a reason for which rows are rejected.
    """

    source: str | None = None
    category: str | None = None
    split: str | None = None
    licence: str | None = None
    language: str | None = None
    role: str | None = None
    verdict: str | None = None


def search_words(
    reader: SnapshotReader, text: str, filters: Filters, limit: int, offset: int = 0
) -> tuple[list[dict[str, Any]], bool]:
    """Gives rows that have all of the words (the four longest; "quoted words" as they stand), in the order of ids.

    Args:
        reader: The newest snapshot.
        text: Words; none for all rows.
        filters: Which rows.
        limit: Rows at most.
        offset: Rows to pass over.

    Returns:
        The rows with their `messages`, and whether there are more.

    Raises:
        ServiceError: It takes too long (503).
    """
    patterns: list[str | None] = [*find_patterns(text), *[None] * MAX_WORDS]
    words = {f"word_{n}": patterns[n - 1] for n in range(1, MAX_WORDS + 1)}
    rows = reader.read_within(
        MAX_SECONDS, "search_examples", **words, **vars(filters), limit=limit + 1, offset=offset
    ).to_dicts()
    return [_parse(row) for row in rows[:limit]], len(rows) > limit


def find_patterns(text: str) -> list[str]:
    """Gives a pattern for each of the longest words of a search, as they stand in the JSON of messages."""
    words = {quoted or single for quoted, single in WORD.findall(text)}
    chosen = sorted(words, key=lambda word: (-len(word), word))[:MAX_WORDS]
    return [f"(?i){_escape(json.dumps(word, ensure_ascii=False)[1:-1])}" for word in chosen]


def search_nearest(reader: SnapshotReader, text: str, limit: int) -> list[dict[str, Any]]:
    """Gives the rows whose text is nearest to a text, best first, each with `similarity` (share of its word pairs).

    Args:
        reader: The newest snapshot.
        text: What is looked up.
        limit: Rows at most.
    """
    telling = sorted({word.lower() for word in LETTERS.findall(text)}, key=lambda word: (-len(word), word))
    if not telling:
        return []
    words = telling[:MAX_TELLING]
    pattern = f"(?i){'|'.join(map(_escape, _pick_rare(reader, words)))}"
    rows = reader.read_within(MAX_SECONDS, "nearest_candidates", pattern=pattern, words=words, limit=MAX_CANDIDATES)
    if not rows.height:
        return []
    full = flatten_messages(rows.select("messages"))["full"]
    near = find_near([text], full, MIN_SIMILARITY, 2, measure="containment", top_k=limit)
    found = []
    for position, similarity in near.select("near", "similarity").iter_rows():
        row = reader.read("find_examples", prefix=rows["id"][position]).row(0, named=True)
        found.append({**_parse(_shorten(row)), "similarity": round(similarity, 4)})
    return found


def _pick_rare(reader: SnapshotReader, words: list[str]) -> list[str]:
    """Gives the rarest of some words, as many as few enough rows have; of a large corpus each row has the common ones."""
    shares = reader.read("word_shares", words=words, rows=SAMPLE_ROWS)
    picked: list[str] = []
    total = 0.0
    for word, share in shares.iter_rows():
        total += share
        if picked and total > MAX_SHARE:
            break
        picked.append(word)
    return picked


def _shorten(row: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "source", "category", "language", "split", "role", "quality", "tokens", "messages", "natural_key",
             "span", "url", "is_preference", "licence")  # fmt: skip
    return {name: row[name] for name in names}


def _parse(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "messages": orjson.loads(row["messages"]), "span": orjson.loads(row["span"])}


def _escape(word: str) -> str:
    # RE2 takes an escape of ASCII punctuation alone; nothing else has a meaning in a pattern.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", word)
