"""Turns a transcript as read into a row of a document frame."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.document import document_id
from schemas.identity import dump_canonical, hash_author
from sources.transcripts.cues import Cue, Reading
from sources.transcripts.speakers import number_speakers


def build_transcript(
    reading: Reading,
    *,
    source: str,
    natural_key: str,
    salt: bytes,
    fetched_at: datetime,
    tags: Mapping[str, Any],
) -> dict[str, object]:
    """Gives the document of a transcript.

    Its content has one line a cue. Its metadata is parallel to these lines: `cues` ([start, end] in seconds, absent
    when the file has no times), `speakers` (`Speaker 1`, ... or null; absent when nobody is named), `file_lines`; and
    says `chapters`, `video`, `language`, `is_generated` where they are known. `speaker_hashes` lets an author be
    found again without holding a name.

    Args:
        reading: The cues; at least one.
        source: Name of the connector.
        natural_key: What the source calls it.
        salt: For the hashes of speakers.
        fetched_at: When it was read.
        tags: Other columns: `title`, `url`, `licence`, `basis`, `permission`, `attribution`, `created_at`.
    """
    content = "\n".join(cue.text for cue in reading.cues)
    return {
        "id": document_id(source, natural_key, content),
        "source": source,
        "kind": "transcript",
        "natural_key": natural_key,
        "title": reading.title,
        "content": content,
        "metadata": dump_canonical(_describe(reading, salt)),
        "fetched_at": fetched_at,
        "author_hash": _hash_main_speaker(reading.cues, salt),
        **tags,
    }


def _describe(reading: Reading, salt: bytes) -> dict[str, Any]:
    cues = reading.cues
    numbers = number_speakers(cues)
    described: dict[str, Any] = {
        "chapters": [list(chapter) for chapter in reading.chapters],
        "video": reading.video,
        "language": reading.language,
        "is_generated": reading.is_generated,
    }
    if all(cue.start_s is not None for cue in cues):
        described["cues"] = [[cue.start_s, cue.end_s] for cue in cues]
    if numbers:
        described["speakers"] = [None if cue.speaker is None else numbers[cue.speaker] for cue in cues]
        described["speaker_hashes"] = {number: hash_author(name, salt) for name, number in numbers.items()}
    if all(cue.file_line is not None for cue in cues):
        described["file_lines"] = [cue.file_line for cue in cues]
    return {key: value for key, value in described.items() if value is not None and value != []}


def _hash_main_speaker(cues: Sequence[Cue], salt: bytes) -> str | None:
    """The hash of the only one who speaks; a conversation has no single author."""
    names = {cue.speaker for cue in cues}
    name = names.pop() if len(names) == 1 else None
    return None if name is None else hash_author(name, salt)
