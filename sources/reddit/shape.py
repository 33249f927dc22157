"""Shapes the raw table into documents, column by column; the author's name ends here.

What depends on the name is decided here, since nobody can afterwards: the salted hash, whether a bot or a moderator
wrote it, and whether the asker did.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from schemas.document import DOCUMENT_COLUMNS
from schemas.identity import ID_BYTES, hash_author
from sources.protocol import Rejection
from sources.reddit.authors import GONE, hide_names, judge_author
from sources.reddit.options import RedditOptions

if TYPE_CHECKING:
    import polars as pl

SITE = "https://www.reddit.com"
MAX_REMEMBERED_AUTHORS = 200_000


@dataclass(frozen=True)
class Shaped:
    """Documents of a raw table, what was refused, and how many rows the options leave out."""

    documents: "pl.DataFrame"
    rejections: tuple[Rejection, ...] = ()
    num_unwanted: int = 0


@dataclass
class Shaper:
    """Makes documents of raw tables under one set of options.

    Attributes:
        options: Filters and rights.
        salt: For author hashes.
        now: `fetched_at` of what Reddit itself has just answered; None for stored rows, which say it themselves.
    """

    options: RedditOptions
    salt: bytes
    now: datetime | None = None
    _hashes: dict[str, str] = field(default_factory=dict)

    def shape(self, raw: "pl.DataFrame", locate: Callable[[int], str]) -> Shaped:
        """Gives the documents of a raw table.

        Args:
            raw: Table with `RAW_COLUMNS`.
            locate: Names the place of a row by its index, for rejections.
        """
        shaped = self.finish(self.lay_out(raw, locate))
        return replace(shaped, documents=keep_last(shaped.documents))

    def lay_out(self, raw: "pl.DataFrame", locate: Callable[[int], str]) -> Shaped:
        """Does the first half, which polars does without the interpreter: `author` is still a column, ids lack."""
        import polars as pl

        # Planning costs as much as shaping a thousand rows: one plan, expressions built once, nothing to optimise.
        plan = raw.lazy().with_columns(*_read_identity(), *_read_numbers()).with_columns(self._state)
        rows = plan.collect(optimizations=pl.QueryOptFlags.none())
        rejections: list[Rejection] = []
        num_unwanted = 0
        if (rows["state"] != _KEPT).any():
            broken = (rows["state"] == _BROKEN).arg_true().to_list()
            rejections += [Rejection(locate(row), "missing_fields", _EXPECTED) for row in broken]
            gone = rows.filter(rows["state"] == _GONE)["key"].to_list()
            rejections += [Rejection(key, "deleted_at_source", is_fault=False) for key in gone]
            num_unwanted = int((rows["state"] == _UNWANTED).sum())
            rows = rows.filter(rows["state"] == _KEPT)
        return Shaped(self._lay_out_columns(rows), tuple(rejections), num_unwanted)

    def finish(self, shaped: Shaped) -> Shaped:
        """Does the second half, hashing: ids come, names go. An id may come twice; see `keep_last`."""
        documents = shaped.documents.with_columns(
            self._hash_authors(shaped.documents["author"]),
            _document_ids(shaped.documents["natural_key"], shaped.documents["content"]),
        ).select(list(DOCUMENT_COLUMNS))
        return Shaped(documents, shaped.rejections, shaped.num_unwanted)

    @cached_property
    def _state(self) -> "pl.Expr":
        import polars as pl

        text = pl.when("is_post").then("title").otherwise("body")
        is_broken = pl.col("key").is_null() | pl.col("created").is_null() | text.is_null()
        state = pl.when(is_broken).then(pl.lit(_BROKEN)).when(~self._is_wanted()).then(pl.lit(_UNWANTED))
        return state.when(_was_deleted_later()).then(pl.lit(_GONE)).otherwise(pl.lit(_KEPT)).alias("state")

    def _is_wanted(self) -> "pl.Expr":
        import polars as pl

        options, wanted = self.options, pl.lit(value=True)
        if options.subreddits:
            names = [name.lower() for name in options.subreddits]
            wanted &= pl.col("subreddit").str.to_lowercase().is_in(names).fill_null(value=False)
        if options.after:
            wanted &= pl.col("created").dt.date() >= options.after
        if options.before:
            wanted &= pl.col("created").dt.date() < options.before
        if options.min_score is not None:
            wanted &= (pl.col("score") >= options.min_score).fill_null(value=True)
        return wanted

    def _lay_out_columns(self, rows: "pl.DataFrame") -> "pl.DataFrame":
        import polars as pl

        plan = rows.lazy().with_columns(judge_author(), *hide_names(), *_read_texts()).with_columns(_write_content())
        return plan.select("author", *self._columns).collect(optimizations=pl.QueryOptFlags.none())

    @cached_property
    def _columns(self) -> "list[pl.Expr]":
        """Columns of a document in their order, without `id` and `author_hash`."""
        import polars as pl

        fetched = pl.lit(self.now, pl.Datetime("us", "UTC")) if self.now else _seen_at()
        return [
            pl.lit("reddit").alias("source"),
            pl.when("is_post").then(pl.lit("post")).otherwise(pl.lit("comment")).alias("kind"),
            pl.col("key").alias("natural_key"),
            pl.when("is_post").then("heading").alias("title"),
            pl.col("content"),
            _write_metadata(),
            _write_url(),
            pl.col("created").alias("created_at"),
            fetched.alias("fetched_at"),
            pl.lit(self.options.licence).alias("licence"),
            pl.lit(self.options.basis_text).alias("basis"),
            pl.lit(self.options.permission).alias("permission"),
            pl.lit(None, pl.String()).alias("attribution"),
        ]

    def _hash_authors(self, authors: "pl.Series") -> "pl.Series":
        import polars as pl

        if len(self._hashes) > MAX_REMEMBERED_AUTHORS:
            self._hashes.clear()
        names = authors.to_list()
        for name in set(names) - self._hashes.keys() - {None, *GONE}:
            self._hashes[name] = hash_author(name, self.salt)
        return pl.Series("author_hash", list(map(self._hashes.get, names)), pl.String())


def keep_last(documents: "pl.DataFrame") -> "pl.DataFrame":
    """Leaves out every document that comes again further down."""
    is_last = documents["id"].is_last_distinct()
    return documents if is_last.all() else documents.filter(is_last)


_KEPT, _UNWANTED, _GONE, _BROKEN = "kept", "unwanted", "gone", "broken"
_MAY_BE_EMPTY = ("link_flair_text", "distinguished", "removed_by_category", "author")
_EXPECTED = "expected id, created_utc, and a title (post) or body (comment)"


@cache
def _read_identity() -> "list[pl.Expr]":
    import polars as pl

    is_post = pl.col("title").is_not_null()
    bare = pl.col("id").str.strip_prefix("t3_").str.strip_prefix("t1_")
    key = pl.when(is_post).then("t3_" + bare).otherwise("t1_" + bare)
    return [
        is_post.alias("is_post"),
        pl.when(bare.str.contains(r"^[A-Za-z0-9_]+$")).then(key).alias("key"),
    ]


@cache
def _read_numbers() -> "list[pl.Expr]":
    import polars as pl

    def time(name: str) -> "pl.Expr":
        seconds = pl.col(name).cast(pl.Float64, strict=False)
        # Outside of 1970-2262 no time can be meant.
        return pl.when(seconds.is_between(0, 9.2e9)).then((seconds * 1e6).round().cast(pl.Int64))

    as_time = pl.Datetime("us", "UTC")
    return [
        time("created_utc").cast(as_time).alias("created"),
        time("edited").cast(as_time).alias("edited_at"),
        time("retrieved_on").cast(as_time).alias("retrieved"),
        pl.col("score", "num_comments").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
        pl.col("is_self", "is_submitter", "stickied").str.to_lowercase() == "true",
        *(pl.when(pl.col(name) != "").then(name).alias(name) for name in _MAY_BE_EMPTY),
    ]


@cache
def _was_deleted_later() -> "pl.Expr":
    """What Arctic Shift found deleted or removed when it looked a second time."""
    import polars as pl

    removal = pl.col("_meta").str.json_path_match("$.removal_type")
    later = pl.col("_meta").str.json_path_match("$.was_deleted_later")
    return ((later == "true") | removal.is_not_null()).fill_null(value=False)


@cache
def _read_texts() -> "list[pl.Expr]":
    """Undoes the three entities that old dumps and pages saved without `raw_json=1` carry."""
    import polars as pl

    def plain(text: "pl.Expr") -> "pl.Expr":
        return text.str.replace_many(["&lt;", "&gt;", "&amp;"], ["<", ">", "&"])

    own = pl.when("is_post").then(pl.col("selftext").str.strip_chars()).otherwise("body")
    return [plain(pl.col("title")).str.strip_chars().alias("heading"), plain(own).fill_null("").alias("text")]


@cache
def _write_content() -> "pl.Expr":
    import polars as pl

    gap = pl.when(pl.col("text").str.len_bytes() > 0).then(pl.lit("\n\n")).otherwise(pl.lit(""))
    start = pl.when("is_post").then(pl.col("heading") + gap).otherwise(pl.lit(""))
    return pl.concat_str(start, "text").alias("content")


@cache
def _seen_at() -> "pl.Expr":
    """When the row was surely as it is: retrieved, else edited, else written; no clock of ours is asked.

    Where nothing else tells them apart, a text that was taken away is a microsecond younger than the text itself.
    """
    import polars as pl

    known = pl.max_horizontal("edited_at", "created")
    is_gone = pl.col("text").is_in(GONE).fill_null(value=False)
    return pl.coalesce("retrieved", pl.when(is_gone).then(known + pl.duration(microseconds=1)).otherwise(known))


@cache
def _write_metadata() -> "pl.Expr":
    import polars as pl

    def fullname(column: str, prefix: str) -> "pl.Expr":
        return pl.when(~pl.col("is_post")).then(prefix + pl.col(column).str.strip_prefix(prefix))

    fields = {
        "author_kind": pl.col("author_kind"),
        "distinguished": pl.col("distinguished"),
        "edited": pl.coalesce(pl.col("edited_at").is_not_null(), pl.lit(value=False)) | (pl.col("edited") == "true"),
        "flair": pl.col("flair"),
        "is_self": pl.when("is_post").then("is_self"),
        "is_submitter": pl.col("is_submitter"),
        "link_url": pl.col("link_url"),
        "num_comments": pl.col("num_comments"),
        "parent": pl.when(~pl.col("is_post")).then("parent_id"),
        "removed_by": pl.col("removed_by_category"),
        "score": pl.col("score"),
        "stickied": pl.col("stickied"),
        "subreddit": pl.col("subreddit"),
        "thread": pl.coalesce(fullname("link_id", "t3_"), "key"),
    }
    return pl.struct(*(value.alias(name) for name, value in fields.items())).struct.json_encode().alias("metadata")


@cache
def _write_url() -> "pl.Expr":
    """Builds the address; Reddit adds the words of the title by itself."""
    import polars as pl

    thread = pl.when("is_post").then("key").otherwise("link_id").str.strip_prefix("t3_")
    is_nowhere = pl.col("is_profile") | pl.col("subreddit").is_null()
    place = pl.when(is_nowhere).then(pl.lit(SITE)).otherwise(SITE + "/r/" + pl.col("subreddit"))
    comment = pl.when("is_post").then(pl.lit("/")).otherwise("/_/" + pl.col("key").str.strip_prefix("t1_") + "/")
    return pl.concat_str(place, pl.lit("/comments/"), thread, comment).alias("url")


def _document_ids(keys: "pl.Series", contents: "pl.Series") -> "pl.Series":
    """Gives `document_id("reddit", key, content)` of many rows; the common beginning is hashed once."""
    import polars as pl

    start = hashlib.blake2b(digest_size=ID_BYTES)
    for part in (b"document", b"reddit"):
        start.update(len(part).to_bytes(8, "little") + part)
    ids = []
    copy, pack = start.copy, struct.Struct("<Q").pack
    for key, content in zip(keys.cast(pl.Binary).to_list(), contents.cast(pl.Binary).to_list(), strict=True):
        digest = copy()
        digest.update(pack(len(key)) + key + pack(len(content)) + content)
        ids.append(digest.hexdigest())
    return pl.Series("id", ids, pl.String())
