"""Reads markdown and text transcripts in which each turn begins with the speaker's name."""

import re
from collections import Counter
from collections.abc import Iterator

from sources.transcripts.cues import Cue, Reading, UnreadableError, join_lines

BOLD_NAME = re.compile(r"^\s*(?:\*\*|__)([^*_:]{1,60}?)\s*(?::\s*(?:\*\*|__)|(?:\*\*|__)\s*:)\s*(.*)$")
PLAIN_NAME = re.compile(r"^\s*([A-Z][\w.'’-]*(?:,? [A-Z][\w.'’-]*){0,4})\s*(?:\(\d[\d:]*\)|\[\d[\d:]*\])?:\s+(.*)$")
ESCAPE = re.compile(r"\\([\[\]()*_#.!>`~-])")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
EMPHASIS = re.compile(r"(?<![\w*_])(\*{1,3}|_{1,3})(?=\S)(.+?)(?<=\S)\1(?![\w*_])")
HEADING = re.compile(r"^#{1,6}\s+(.*)$")

MIN_TURNS = 4
MIN_LABELLED_SHARE = 0.2
"""Of the lines that are not empty; below it `Name:` is more likely a list of terms than a conversation."""


def read_turns(text: str) -> Reading:
    """Reads speaker turns; each paragraph of a turn becomes a cue without times.

    Raises:
        UnreadableError: Fewer than four turns, or only one who speaks: a page, not a transcript.
    """
    body, title, language, first_line = _split_front_matter(text)
    lines = body.splitlines()
    pattern = _choose_pattern(lines)
    if pattern is None:
        raise UnreadableError(
            "no_speaker_turns", "expected turns such as **Name:** text; pages go to `ingest markdown`", is_fault=False
        )
    cues = tuple(_iterate_cues(lines, pattern, first_line))
    return Reading(cues, title=title or _find_title(lines), language=language)


def _choose_pattern(lines: list[str]) -> re.Pattern[str] | None:
    num_filled = sum(bool(line.strip()) for line in lines)
    for pattern in (BOLD_NAME, PLAIN_NAME):
        names = Counter(match[1] for line in lines if (match := pattern.match(line)))
        num_turns = sum(names.values())
        if num_turns >= MIN_TURNS and len(names) >= 2 and num_turns >= MIN_LABELLED_SHARE * num_filled:
            return pattern
    return None


def _iterate_cues(lines: list[str], pattern: re.Pattern[str], first_line: int) -> Iterator[Cue]:
    speaker: str | None = None
    for number, line in enumerate(lines, first_line):
        match = pattern.match(line)
        if match:
            speaker = match[1].strip()
        if not match and (speaker is None or HEADING.match(line)):
            continue
        spoken = clean_markdown(match[2] if match else line)
        if spoken:
            yield Cue(spoken, speaker=speaker, file_line=number)


def clean_markdown(line: str) -> str:
    """Gives a line of markdown as plain text: no emphasis, links as their words, escapes undone."""
    line = LINK.sub(r"\1", line)
    for _ in range(2):
        line = EMPHASIS.sub(r"\2", line)
    return join_lines(ESCAPE.sub(r"\1", line))


def _find_title(lines: list[str]) -> str | None:
    first = next((line for line in lines if line.strip()), "")
    match = HEADING.match(first)
    return clean_markdown(match[1]) if match else None


def _split_front_matter(text: str) -> tuple[str, str | None, str | None, int]:
    """Gives the body, title, language and the number of the body's first line."""
    if not text.startswith("---\n"):
        return text, None, None, 1
    head, mark, body = text[4:].partition("\n---\n")
    if not mark:
        return text, None, None, 1
    fields = {
        key.strip().casefold(): value.strip().strip("\"'")
        for key, colon, value in (line.partition(":") for line in head.splitlines())
        if colon
    }
    return body, fields.get("title") or None, fields.get("language") or None, head.count("\n") + 4
