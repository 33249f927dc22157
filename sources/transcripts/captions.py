"""Reads caption files: VTT and SBV/SUB with webvtt-py, SRT with srt."""

import html
import io
import logging
import re

from sources.transcripts.cues import Cue, Reading, UnreadableError, join_lines
from sources.transcripts.rolling import INLINE_TIME, is_rolling, unroll_cues
from sources.transcripts.speakers import assign_speakers

HEADER_LANGUAGE = re.compile(r"^Language:\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\s*$")
TAG = re.compile(r"</?[A-Za-z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}")
SBV_TIME = re.compile(r"^\s*\d+:\d{1,2}:\d{1,2}\.\d{1,3}\s*,\s*\d+:\d{1,2}:\d{1,2}\.\d{1,3}\s*$")
LONE_INDEX = re.compile(r"\n\s*\n\d+(?=\n)")
SBV_LIKE = re.compile(r"^\s*\d+:\d[^\s,]*\s*,\s*\d+:\d\S*\s*$")
NOT_SPOKEN = ("NOTE", "STYLE", "REGION")
FRAME_TIME = re.compile(r"^\{\d+\}\{\d+\}")


def read_vtt(text: str) -> Reading:
    """Reads WebVTT; rolling auto-captions are unrolled.

    Raises:
        UnreadableError: It does not begin with WEBVTT, or holds no text.
    """
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    try:
        parsed = webvtt.WebVTT.from_string(text)
    except (MalformedFileError, MalformedCaptionError) as error:
        raise UnreadableError("not_vtt", "the first line must be WEBVTT") from error
    is_auto = any(INLINE_TIME.search(caption.raw_text) for caption in parsed.captions)
    shown = [_clean_lines(caption.text) for caption in parsed.captions]
    added = unroll_cues(shown) if is_rolling(shown) else shown
    cues = [
        Cue(" ".join(lines), *_order(caption.start, caption.end), speaker=caption.voice)
        for caption, lines in zip(parsed.captions, added, strict=True)
        if lines
    ]
    languages = [match[1] for line in parsed.metadata if (match := HEADER_LANGUAGE.match(line))]
    return Reading(
        _need_cues(assign_speakers(cues), "VTT"),
        language=languages[0] if languages else None,
        is_generated=True if is_auto else None,
        num_lost=max(0, text.count("-->") - len(shown)) + _count_untimed(text, "-->"),
    )


def read_srt(text: str) -> Reading:
    """Reads SubRip, broken blocks skipped.

    Raises:
        UnreadableError: No block has a time line and text.
    """
    import srt

    logging.getLogger("srt").setLevel(logging.ERROR)  # it logs whole blocks of text that it skips
    try:
        subtitles = list(srt.parse(text, ignore_errors=True))
    except OverflowError as error:
        raise UnreadableError("broken_time", "a time has more hours than a transcript can; mend that line") from error
    shown = [_clean_lines(LONE_INDEX.sub("", sub.content)) for sub in subtitles]
    added = unroll_cues(shown) if is_rolling(shown) else shown
    cues = []
    for sub, lines in zip(subtitles, added, strict=True):
        start_s, end_s = sub.start.total_seconds(), sub.end.total_seconds()
        if lines:
            cues.append(Cue(" ".join(lines), start_s, max(start_s, end_s)))
    return Reading(_need_cues(assign_speakers(cues), "SRT"), num_lost=max(0, text.count("-->") - len(subtitles)))


def read_sbv(text: str) -> Reading:
    """Reads SBV and SubViewer (`0:00:01.000,0:00:02.000` above each caption).

    Raises:
        UnreadableError: No such block, or times counted in frames.
    """
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    if FRAME_TIME.match(text.lstrip()):
        raise UnreadableError("frame_times", "times are frame numbers; convert the file to SRT with its frame rate")
    try:
        parsed = webvtt.WebVTT.from_buffer(io.StringIO(text), format="sbv")
    except (MalformedFileError, MalformedCaptionError, StopIteration) as error:  # the last of an empty file
        raise UnreadableError("not_sbv", "expected time lines such as 0:00:01.000,0:00:02.500") from error
    cues = [
        Cue(" ".join(lines), *_order(caption.start, caption.end))
        for caption in parsed.captions
        if (lines := _clean_lines(caption.text.replace("[br]", " ")))
    ]
    num_bad = sum(bool(SBV_LIKE.match(line)) and not SBV_TIME.match(line) for line in text.split("\n"))
    return Reading(_need_cues(assign_speakers(cues), "SBV"), num_lost=num_bad + _count_untimed(text, ","))


def has_sbv_times(text: str) -> bool:
    """Tells whether a text file is really SBV: its first line that is not empty is a time line."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return bool(SBV_TIME.match(first))


def _clean_lines(text: str) -> list[str]:
    lines = (join_lines(html.unescape(TAG.sub("", line))) for line in text.split("\n"))
    return [line for line in lines if line and "-->" not in line]


def _order(start: str, end: str) -> tuple[float, float]:
    start_s, end_s = _to_seconds(start), _to_seconds(end)
    return start_s, max(start_s, end_s)


def _to_seconds(stamp: str) -> float:
    seconds = 0.0
    for part in stamp.split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds, 3)


def _count_untimed(text: str, mark: str) -> int:
    """Counts blocks after the first cue that hold text but no time line: readers of the format skip them."""
    blocks = [block.strip("\n") for block in re.split(r"\n{2,}", text)]
    timed = [index for index, block in enumerate(blocks) if _has_time(block, mark)]
    inner = (block for block in blocks[timed[0] :] if block.strip()) if timed else iter(())
    return sum(not _has_time(block, mark) and not block.startswith(NOT_SPOKEN) for block in inner)


def _has_time(block: str, mark: str) -> bool:
    return mark in block if mark == "-->" else bool(SBV_LIKE.match(block.split("\n", 1)[0]))


def _need_cues(cues: list[Cue], kind: str) -> tuple[Cue, ...]:
    if not cues:
        raise UnreadableError("no_cues", f"no {kind} cue with a time line and text")
    return tuple(cues)
