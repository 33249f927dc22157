"""Settings of `ingest youtube`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.document import Permission

Names = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


PLURALS = {"channel": "channels", "playlist": "playlists"}


class YoutubeOptions(BaseModel):
    """Which videos to read and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: Names = Field(default=[], description="Video ids, addresses, or @FILE with one a line.")
    channel: Names = Field(default=[], description="Channels (@name or UC...); needs yt-dlp. Also `channels`.")
    playlist: Names = Field(default=[], description="Playlists; needs yt-dlp. Also `playlists`.")
    limit: int | None = Field(default=None, ge=1, description="At most so many videos of each channel and playlist.")
    languages: Names = Field(default=[], description="Caption languages, best first; those of the pack if absent.")
    generated: bool = Field(default=True, description="Take generated captions where there are no manual ones.")
    refresh: bool = Field(default=False, description="Fetch videos again that are already stored.")
    pause_s: float = Field(default=1.0, ge=0, description="Seconds between two videos.")
    proxy: str | None = Field(
        default=None,
        description="Proxy for all requests; one with a password goes to the variable CURATOR_YOUTUBE_PROXY.",
    )
    webshare: bool = Field(
        default=False,
        description="Rotating proxies; CURATOR_WEBSHARE_USERNAME and CURATOR_WEBSHARE_PASSWORD must be set.",
    )
    webshare_countries: Names = Field(default=[], description="Countries of the rotating proxies, such as de.")
    licence: str = Field(default="unknown", description="Licence of the videos, such as CC-BY-3.0.")
    permission: Permission = Field(default="unknown", description="granted, own or unknown.")
    basis: str = Field(default="YouTube captions", description="Why the project may hold them, in words.")
    attribution: str | None = Field(default=None, description="Whom the licence wants named.")

    @model_validator(mode="before")
    @classmethod
    def _accept_plurals(cls, data: Any) -> Any:
        """A pack lists `channels`; a flag names one `channel` and, given beside them, stands for them."""
        if not isinstance(data, Mapping):
            return data
        renamed = {name: data[plural] for name, plural in PLURALS.items() if plural in data}
        return renamed | {key: value for key, value in data.items() if key not in PLURALS.values()}
