"""What every reader of a transcript gives: cues, and what the file says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cue:
    """One caption, or one paragraph of a speaker's turn.

    Attributes:
        text: One line, never empty.
        start_s: Seconds from the beginning, None where the file has no times.
        end_s: As above; not before `start_s`.
        speaker: Name as the file has it (it is replaced before anything is stored), None if unknown.
        file_line: First line of the cue in the file, 1-based, where that is known.
    """

    text: str
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None
    file_line: int | None = None


@dataclass(frozen=True)
class Reading:
    """A transcript as read.

    Attributes:
        cues: In the order of the file.
        language: Language code if the file names one.
        video: Video id if the file names one.
        title: Title if the file names one.
        is_generated: Whether the captions come from speech recognition; None if the file does not say.
        chapters: `(start_s, title)` in order.
        num_lost: Cues that had no valid time line or could not be parsed.
    """

    cues: tuple[Cue, ...]
    language: str | None = None
    video: str | None = None
    title: str | None = None
    is_generated: bool | None = None
    chapters: tuple[tuple[float, str], ...] = ()
    num_lost: int = 0


class UnreadableError(Exception):
    """A file gives no transcript.

    Args:
        reason: Stable word of the rejection, such as `not_vtt`.
        detail: What was found and what was expected, in one line.
        is_fault: False for a well-formed file that is something else than a transcript.
    """

    def __init__(self, reason: str, detail: str, *, is_fault: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.is_fault = is_fault


def join_lines(text: str) -> str:
    """Gives text on one line with single spaces."""
    return " ".join(text.replace("\u200b", "").split())


def read_chapters(value: object) -> tuple[tuple[float, str], ...]:
    """Gives `(start_s, title)` of a list of chapter objects as yt-dlp writes them; anything else gives none."""
    if not isinstance(value, list):
        return ()
    chapters = [_read_chapter(item) for item in value if isinstance(item, Mapping)]
    return tuple(sorted(chapter for chapter in chapters if chapter is not None))


def _read_chapter(item: Mapping[str, Any]) -> tuple[float, str] | None:
    start, title = item.get("start_time"), item.get("title")
    if isinstance(start, bool) or not isinstance(start, int | float) or not isinstance(title, str):
        return None
    return (float(start), join_lines(title))
