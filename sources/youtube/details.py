"""Title, channel and chapters of a video, read from the answer that the captions come with anyway."""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sources.transcripts.cues import join_lines

if TYPE_CHECKING:
    import requests

PLAYER_PATH = "/youtubei/v1/player"
CHAPTER_LINE = re.compile(r"^\W{0,3}((?:\d{1,2}:)?\d{1,2}:\d{2})\)?\s*[-–—:|.]*\s*(\S.*)$")
MIN_CHAPTERS = 3
"""YouTube itself wants three timestamps from 0:00 on before it shows chapters."""


@dataclass(frozen=True)
class VideoDetails:
    """What the player knows of a video; the channel's name is hashed before it is stored."""

    title: str | None = None
    channel: str | None = None
    chapters: tuple[tuple[float, str], ...] = ()


class DetailsRecorder:
    """Keeps the details of the last player answer that passed through a session."""

    def __init__(self, session: "requests.Session") -> None:
        self._last = VideoDetails()
        session.hooks["response"].append(self._record)

    def take(self) -> VideoDetails:
        """Gives the details that came since the last call."""
        last, self._last = self._last, VideoDetails()
        return last

    def _record(self, response: "requests.Response", **_: object) -> None:
        if PLAYER_PATH in response.url:
            self._last = read_details(response.text)


def read_details(text: str) -> VideoDetails:
    """Reads the details in a player answer; whatever is absent or of another shape is left out."""
    try:
        data = json.loads(text)
    except ValueError:
        return VideoDetails()
    details = data.get("videoDetails") if isinstance(data, dict) else None
    if not isinstance(details, dict):
        return VideoDetails()
    return VideoDetails(
        _text(details, "title"), _text(details, "author"), find_chapters(_text(details, "shortDescription") or "")
    )


def find_chapters(description: str) -> tuple[tuple[float, str], ...]:
    """Gives `(start_s, title)` of the chapters in a description: three or more times that rise from 0:00."""
    found = [match for line in description.splitlines() if (match := CHAPTER_LINE.match(line.strip()))]
    chapters = tuple((_to_seconds(match[1]), join_lines(match[2])) for match in found)
    starts = [start for start, _ in chapters]
    is_rising = all(earlier < later for earlier, later in pairwise(starts))
    return chapters if len(chapters) >= MIN_CHAPTERS and starts[0] == 0 and is_rising else ()


def _to_seconds(stamp: str) -> float:
    seconds = 0
    for part in stamp.split(":"):
        seconds = seconds * 60 + int(part)
    return float(seconds)


def _text(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) and value else None
