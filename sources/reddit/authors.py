"""Who wrote it: told while the name is known, and hidden wherever else the name may stand."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

GONE = ("[deleted]", "[removed]")
# Names of bots that answer all over Reddit; others give themselves away by their ending.
KNOWN_BOTS = ("automoderator", "remindmebot", "sneakpeekbot", "tweetposter", "imgurtranscriber", "gifvbot", "stabbot")
BOT_NAME = r"(?:[a-z0-9]Bot|BOT|[_-][Bb]ot)(?:[_-]?\d+)?$"
MODERATOR_NAME = r"-ModTeam$"
PROFILE = "u_profile"


@cache
def judge_author() -> "pl.Expr":
    """Says what kind of author wrote it: bot, moderator, user or deleted."""
    import polars as pl

    author = pl.col("author")
    is_bot = author.str.to_lowercase().is_in(KNOWN_BOTS) | author.str.contains(BOT_NAME)
    is_moderator = author.str.contains(MODERATOR_NAME) | pl.col("distinguished").is_in(["moderator", "admin"])
    return (
        pl.when(author.is_in(GONE))
        .then(pl.lit("deleted"))
        .when(is_bot.fill_null(value=False))
        .then(pl.lit("bot"))
        .when(is_moderator.fill_null(value=False))
        .then(pl.lit("moderator"))
        .otherwise(pl.lit("user"))
        .alias("author_kind")
    )


@cache
def hide_names() -> "list[pl.Expr]":
    """Drops flair and links that name the author, and profile subreddits (`u_name`), which are a name."""
    import polars as pl

    is_profile = pl.col("subreddit").str.contains("^u_").fill_null(value=False)
    name = pl.col("author").str.to_lowercase()

    def without_name(column: str) -> "pl.Expr":
        text = pl.col(column).str.to_lowercase()
        names_someone = text.str.contains(r"(^|[/\s])u(ser)?/") | text.str.contains(name, literal=True)
        return pl.when(~names_someone.fill_null(value=False)).then(column)

    is_link = pl.col("is_post") & ~pl.col("is_self").fill_null(value=False)
    return [
        is_profile.alias("is_profile"),
        pl.when(is_profile).then(pl.lit(PROFILE)).otherwise("subreddit").alias("subreddit"),
        without_name("link_flair_text").alias("flair"),
        pl.when(is_link).then(without_name("url")).alias("link_url"),
    ]
