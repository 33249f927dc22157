"""What a user may ask of the Reddit connector."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.document import Permission

LARGEST_WINDOW = 2**31
LISTING_CAP = 1000


def _strip_prefix(name: str) -> str:
    """Lets people write `r/Fitness` or `/r/Fitness/`; the prefix is no part of the name."""
    bare = name.strip().strip("/")
    return bare[2:] if bare[:2].lower() == "r/" else bare


Subreddit = Annotated[str, AfterValidator(_strip_prefix), Field(min_length=1, pattern=r"^/?(r/)?[A-Za-z0-9_]+/?$")]


class RedditOptions(BaseModel):
    """Options of `ingest reddit`; without `dump` and `saved` the live API is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dump: list[Path] = Field(
        default=[], description="Dumps: RS_/RC_ .zst, .ndjson, .jsonl, .csv of posts; files or folders of them."
    )
    saved: list[Path] = Field(
        default=[], description="API answers saved as .json: listings, /comments/ID.json, recorded sessions."
    )
    subreddits: list[Subreddit] = Field(
        default=[], description="Only these; a dump or saved page gives all of them if empty."
    )
    after: date | None = Field(default=None, description="Only what was written on this day (UTC) or later.")
    before: date | None = Field(default=None, description="Only what was written before this day (UTC).")
    min_score: int | None = Field(
        default=None, description="Only what has this score at least; an unknown score passes."
    )
    max_window: int = Field(
        default=LARGEST_WINDOW,
        ge=2**10,
        le=LARGEST_WINDOW,
        description="Largest zstd window in bytes; reading a frame takes up to that much memory.",
    )
    listing: Literal["top", "new", "hot", "controversial"] = Field(default="top", description="Live: which listing.")
    time: Literal["hour", "day", "week", "month", "year", "all"] = Field(
        default="year", description="Live: span of the listings top and controversial."
    )
    limit: int = Field(
        default=LISTING_CAP, ge=1, description="Live: posts a subreddit; Reddit itself ends a listing at about 1,000."
    )
    comments: bool = Field(default=True, description="Live: fetch the comments of every post too.")
    request_budget: int = Field(
        default=5000, ge=1, description="Live: requests a run; what is left over is fetched by the next run."
    )
    recheck: bool = Field(default=False, description="Live: ask which stored posts and comments have been deleted.")
    licence: str = Field(default="unknown", description="Licence of the rows: an SPDX id or `unknown`.")
    permission: Permission = Field(default="unknown", description="May we train on it: granted, own or unknown.")
    basis: str | None = Field(default=None, description="Why we may hold it; said by `permission` if absent.")

    @model_validator(mode="after")
    def _check_doors(self) -> "RedditOptions":
        if self.recheck and (self.dump or self.saved):
            raise ValueError("recheck asks Reddit itself: leave out dump and saved")
        if self.after and self.before and self.after >= self.before:
            raise ValueError(f"after {self.after} is not before {self.before}: nothing can match")
        return self

    @property
    def basis_text(self) -> str:
        """Why the rows may be held, in words."""
        granted = {"granted": "granted", "own": "own dump", "unknown": "unknown"}[self.permission]
        return self.basis or f"reddit user content; permission: {granted}"
