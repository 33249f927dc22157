"""The live door: listings and comment trees, a batch and a checkpoint for every answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.frames import document_frame
from schemas.identity import make_id
from sources.protocol import Batch, Rejection, SourceContext
from sources.reddit.client import RedditClient, RefusedError
from sources.reddit.live_plan import LivePlan, OpenPost, describe_cap, read_listing
from sources.reddit.options import RedditOptions
from sources.reddit.raw import make_raw_frame
from sources.reddit.shape import Shaper
from sources.reddit.things import find_things

if TYPE_CHECKING:
    import polars as pl


def read_live(options: RedditOptions, context: SourceContext, after: str | None) -> Iterator[Batch]:
    """Yields one batch an answer; the cursor says what to ask next, so no answer is asked for twice.

    When the request budget is used up, the last batch keeps its cursor and the next run goes on there.

    Raises:
        ConfigError: No subreddit, or no credentials.
        SourceInterruptedError: Reddit stopped answering.
    """
    plan = _resume(options, context, after)
    return _run(plan, options, RedditClient(context.environment), _make_shaper(options, context))


def _make_shaper(options: RedditOptions, context: SourceContext) -> Shaper:
    # r/all and renamed subreddits answer with posts of others: what was asked for is wanted.
    return Shaper(options.model_copy(update={"subreddits": []}), context.salt, context.now)


def _resume(options: RedditOptions, context: SourceContext, after: str | None) -> LivePlan:
    subreddits = options.subreddits or RedditOptions.model_validate(context.pack.reddit).subreddits
    if not subreddits:
        raise ConfigError(
            f"reddit: no subreddit given, and the pack {context.pack.name} names none", "try --subreddit NAME"
        )
    asked = make_id(
        *subreddits,
        options.listing,
        options.time,
        str(options.limit),
        str(options.comments),
        str(options.min_score),
        str(options.after),
        str(options.before),
    )
    fresh = LivePlan(asked=asked, subreddits=tuple(subreddits))
    try:
        plan = LivePlan.model_validate_json(after) if after else fresh
    except ValidationError:
        return fresh
    return plan if plan.asked == asked and not plan.is_done else fresh


def _run(plan: LivePlan, options: RedditOptions, client: RedditClient, shaper: Shaper) -> Iterator[Batch]:
    while not plan.is_done:
        if client.num_requests >= options.request_budget:
            note = f"request budget of {options.request_budget:,} used up; run the same command again to go on"
            yield Batch(document_frame([]), (), plan.model_dump_json(), (plan.describe(), note))
            return
        step = _take_step(plan, options, client, shaper)
        plan, notes = step.plan, list(step.notes)
        if plan.is_subreddit_done:
            notes.append(plan.describe())
            plan = plan.next_subreddit()
        cursor = None if plan.is_done else plan.model_dump_json()
        yield Batch(step.documents, step.rejections, cursor, tuple(notes))


@dataclass(frozen=True)
class _Step:
    """One answer, taken in."""

    plan: LivePlan
    documents: "pl.DataFrame"
    rejections: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()


def _take_step(plan: LivePlan, options: RedditOptions, client: RedditClient, shaper: Shaper) -> _Step:
    request = plan.next_request(options)
    try:
        answer = client.ask(request)
    except RefusedError as error:
        where = f"r/{plan.subreddits[0]}" if not plan.posts else f"t3_{plan.posts[0].id}"
        # A misspelt subreddit should be seen; a thread that has vanished meanwhile is no fault of the run.
        is_fault = not plan.posts and error.reason == "not_found"
        rejection = Rejection(where, error.reason, error.detail, is_fault=is_fault)
        return _Step(plan.skip(), document_frame([]), (rejection,))
    things = find_things(answer)
    if plan.posts:
        things.records = plan.posts[0].find_new(things.records)
    shaped = shaper.shape(make_raw_frame(things.records), lambda row: f"{request.path}: item {row + 1}")
    if plan.posts:
        return _Step(plan.take_comments(things), shaped.documents, shaped.rejections)
    after = read_listing(answer)
    posts = _queue_posts(shaped.documents) if options.comments else []
    moved = plan.take_listing(after, len(things.records), posts, options.limit)
    cap = describe_cap(moved, after, options.limit)
    return _Step(moved, shaped.documents, shaped.rejections, (cap,) if cap else ())


def _queue_posts(documents: "pl.DataFrame") -> list[OpenPost]:
    """Gives the posts that the filters let through, in the order of the listing."""
    import orjson

    posts = documents.filter(documents["kind"] == "post")
    rows = zip(posts["natural_key"], posts["metadata"], strict=True)
    return [
        OpenPost(id=key.removeprefix("t3_"), num_comments=orjson.loads(about).get("num_comments") or 0)
        for key, about in rows
    ]
