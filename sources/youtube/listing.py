"""Lists the videos of a channel or playlist with yt-dlp (flat: one request a page, no video is opened)."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from schemas.errors import ConfigError, SourceError
from sources.youtube.ids import VIDEO_ID, Video, parse_listing_url


def list_videos(name: str, limit: int | None, proxy: str | None) -> list[Video]:
    """Gives the newest videos of a channel, or those of a playlist in its order.

    Args:
        name: Handle (`@name`), channel or playlist id, or an address that holds one; the address is built anew.
        limit: At most so many.
        proxy: Address of a proxy.

    Raises:
        ConfigError: Not a channel or playlist, or yt-dlp is not installed.
        SourceError: YouTube gave no list.
    """
    url = parse_listing_url(name)
    if url is None:
        raise ConfigError(
            f"ingest youtube: {name!r} is neither a channel nor a playlist",
            "give a handle such as @name, a channel id UC..., a playlist id PL..., or its address",
        )
    try:
        from yt_dlp import YoutubeDL
        from yt_dlp.utils import YoutubeDLError
    except ImportError as error:
        raise ConfigError(
            "ingest youtube: channels and playlists need yt-dlp", "pip install 'corpus-curator[youtube]'"
        ) from error
    settings = {"extract_flat": True, "quiet": True, "no_warnings": True, "playlistend": limit, "proxy": proxy}
    try:
        with YoutubeDL({key: value for key, value in settings.items() if value is not None}) as client:
            return list(islice(read_entries(client.extract_info(url, download=False)), limit))
    except YoutubeDLError as error:
        raise SourceError(f"{url}: {str(error).splitlines()[0]}", "try later, or give video ids") from error


def read_entries(listing: Mapping[str, Any] | None) -> Iterator[Video]:
    """Yields the videos of a flat listing, those of nested tabs (videos, shorts, live) too."""
    for entry in (listing or {}).get("entries") or ():
        if not isinstance(entry, Mapping):
            continue
        if entry.get("entries"):
            yield from read_entries(entry)
        elif isinstance(entry.get("id"), str) and VIDEO_ID.fullmatch(entry["id"]):
            yield Video(entry["id"], entry.get("title"), is_listed=True)
