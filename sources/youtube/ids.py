"""What a user may give for a video, a channel or a playlist, reduced to ids."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from schemas.errors import ConfigError
from sources.protocol import Rejection

VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")
PLAYLIST_ID = re.compile(r"(?:PL|UU|FL|OL|RD)[A-Za-z0-9_-]{10,}")
HANDLE = re.compile(r"@[\w.-]{3,30}")
HOSTS = frozenset({"youtube.com", "youtube-nocookie.com", "youtu.be"})
ID_FOLDERS = frozenset({"shorts", "embed", "live", "v", "e"})
ID_HINT = "give an id of 11 characters such as dQw4w9WgXcQ, a youtube.com or youtu.be address of a video, or @FILE"


@dataclass(frozen=True)
class Video:
    """A video to read; `title` if a listing named it, `is_listed` if a channel or playlist did."""

    id: str
    title: str | None = None
    is_listed: bool = False


def parse_video_id(text: str) -> str | None:
    """Gives the 11-character id in an id or address, or None."""
    text = text.strip()
    if VIDEO_ID.fullmatch(text):
        return text
    address = urlsplit(text if "//" in text else f"https://{text}")
    host = (address.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("music.")
    if host not in HOSTS:
        return None
    parts = [part for part in address.path.split("/") if part]
    candidates = parse_qs(address.query).get("v", [])[:1]
    if host == "youtu.be":
        candidates = parts[:1]
    elif len(parts) == 2 and parts[0] in ID_FOLDERS:
        candidates = parts[1:]
    return next((found for found in candidates if VIDEO_ID.fullmatch(found)), None)


def parse_listing_url(text: str) -> str | None:
    """Gives the address of a channel's videos or of a playlist, built from its id or handle; None if it has neither."""
    playlist = re.search(r"[?&]list=([A-Za-z0-9_-]+)", text)
    if playlist or PLAYLIST_ID.fullmatch(text):
        return f"https://www.youtube.com/playlist?list={playlist[1] if playlist else text}"
    channel = CHANNEL_ID.search(text)
    if channel:
        return f"https://www.youtube.com/channel/{channel[0]}/videos"
    handle = HANDLE.search(text)
    return f"https://www.youtube.com/{quote(handle[0])}/videos" if handle else None


def expand_ids(items: Sequence[str], root: Path) -> tuple[list[Video], list[Rejection]]:
    """Gives the videos that are named directly or in files, each once, in order.

    Args:
        items: Ids, addresses, or `@FILE` with one of these a line (`#` begins a comment).
        root: Folder of relative files.

    Returns:
        The videos, and one rejection for each line of a file that is none.

    Raises:
        ConfigError: A direct item is no video, or a file cannot be read.
    """
    videos: dict[str, Video] = {}
    rejections = []
    for item in items:
        if item.startswith("@"):
            for where, text in _read_lines(root, item):
                found = parse_video_id(text)
                if found is None:
                    rejections.append(Rejection(where, "invalid_id", "neither a video id nor a video's address"))
                else:
                    videos.setdefault(found, Video(found))
            continue
        found = parse_video_id(item)
        if found is None:
            is_listing = parse_listing_url(item) is not None
            hint = "channels go to --channel, playlists to --playlist" if is_listing else ID_HINT
            raise ConfigError(f"ingest youtube: {item!r} is not a video", hint)
        videos.setdefault(found, Video(found))
    return list(videos.values()), rejections


def _read_lines(root: Path, item: str) -> Iterator[tuple[str, str]]:
    path = (root / item[1:]).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        hint = "a channel such as @name goes to --channel" if HANDLE.fullmatch(item) else ID_HINT
        raise ConfigError(f"ingest youtube: {item}: cannot read {path}", hint) from error
    for number, line in enumerate(lines, 1):
        text = line.split("#", 1)[0].strip()
        if text:
            yield f"{path}:{number}", text
