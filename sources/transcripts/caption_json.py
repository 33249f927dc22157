"""Reads captions saved as JSON: youtube-transcript-api, yt-dlp's json3, and Whisper's segments."""

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from sources.transcripts.cues import Cue, Reading, UnreadableError, join_lines
from sources.transcripts.speakers import assign_speakers

EXPECTED = "expected a list of {text, start, duration}, or an object with snippets, segments or events"


def read_caption_json(text: str) -> Reading:
    """Reads one transcript of JSON.

    Raises:
        UnreadableError: Broken JSON, another shape, or no text.
    """
    import orjson

    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableError("broken_json", f"line {error.lineno} column {error.colno}: {error.msg}") from error
    rows, read_row, about = _find_rows(data)
    cues = [read_row(row) if isinstance(row, Mapping) else None for row in rows]
    spoken = [cue for cue in cues if cue is not None and cue.text]
    if not spoken:
        raise UnreadableError("no_cues", f"no entry with text and a time; {EXPECTED}")
    return Reading(
        tuple(assign_speakers(spoken)),
        language=_text_of(about, "language_code"),
        video=_text_of(about, "video_id"),
        is_generated=about["is_generated"] if isinstance(about.get("is_generated"), bool) else None,
        num_lost=sum(cue is None for cue in cues),
    )


def _find_rows(data: object) -> tuple[list[Any], Callable[[Mapping[str, Any]], Cue | None], Mapping[str, Any]]:
    if isinstance(data, list) and len(data) == 1 and isinstance(data[0], list):
        data = data[0]  # the library's formatter for several transcripts, with one in it
    if isinstance(data, list):
        return data, _read_snippet, {}
    if isinstance(data, Mapping):
        for key, read_row in (("snippets", _read_snippet), ("segments", _read_segment), ("events", _read_event)):
            if isinstance(data.get(key), list):
                return data[key], read_row, data
    raise UnreadableError("not_captions", EXPECTED, is_fault=False)


def _read_snippet(row: Mapping[str, Any]) -> Cue | None:
    return _make_cue(row.get("text"), row.get("start"), row.get("duration", 0.0))


def _read_segment(row: Mapping[str, Any]) -> Cue | None:
    start, end = row.get("start"), row.get("end")
    if not _is_number(start) or not _is_number(end):
        return None
    return _make_cue(row.get("text"), start, end - start)


def _read_event(row: Mapping[str, Any]) -> Cue | None:
    start, duration, pieces = row.get("tStartMs"), row.get("dDurationMs", 0), row.get("segs", [])
    if not _is_number(start) or not _is_number(duration) or not isinstance(pieces, list):
        return None
    text = "".join(str(piece.get("utf8", "")) for piece in pieces if isinstance(piece, Mapping))
    return _make_cue(text, start / 1000, duration / 1000)


def _make_cue(text: object, start: object, duration: object) -> Cue | None:
    if not isinstance(text, str) or not _is_number(start) or not _is_number(duration):
        return None
    start_s = round(float(start), 3)
    return Cue(join_lines(text), start_s, round(start_s + max(0.0, float(duration)), 3))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_of(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) and value else None
