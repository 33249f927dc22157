"""What a live run asks next: a value that is advanced by every answer and fits into a cursor.

Nothing here touches the network, so that a run stopped after any answer asks exactly what it would have asked anyway.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sources.reddit.client import Request
from sources.reddit.options import RedditOptions
from sources.reddit.things import Things

PAGE_POSTS = 100
PAGE_COMMENTS = 500
FOLDED_A_REQUEST = 100
# Reddit stops a listing at about 1,000 items; a little less is seen where posts have vanished.
CAP_SEEN_FROM = 900


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenPost(_Frozen):
    """A post whose comments are wanted.

    Attributes:
        id: Without prefix.
        num_comments: As Reddit counts them, deleted ones included.
        is_open: True once its page was read and folded comments are left.
        folded: Ids of comments behind `more`.
        continued: Ids of comments whose replies stand on a page of their own.
    """

    id: str
    num_comments: int
    is_open: bool = False
    folded: tuple[str, ...] = ()
    continued: tuple[str, ...] = ()

    def find_new(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Leaves out what a page shows again: the listed post, and the comment whose replies were asked for."""
        again = self.continued[0] if self.is_open and not self.folded else None
        return [record for record in records if "body" in record and record.get("id") != again]


class LivePlan(_Frozen):
    """Where a live run stands.

    Attributes:
        door: Tells this cursor from those of other doors.
        asked: The options that decide what is asked; a cursor of other ones is of no use.
        subreddits: Those left, the current one first.
        after: The page of the listing to ask for next.
        is_listed: True once the listing of the current subreddit has ended.
        num_listed: Posts of the listing so far.
        posts: Posts whose comments are still to be fetched, the current one first.
        num_seen: Comments fetched so far.
        num_counted: Comments that Reddit counts below the posts done so far.
    """

    door: str = "live"
    asked: str
    subreddits: tuple[str, ...]
    after: str | None = None
    is_listed: bool = False
    num_listed: int = 0
    posts: tuple[OpenPost, ...] = ()
    num_seen: int = 0
    num_counted: int = 0

    @property
    def is_subreddit_done(self) -> bool:
        """True where nothing is left of the current subreddit."""
        return self.is_listed and not self.posts

    @property
    def is_done(self) -> bool:
        """True where nothing is left to ask."""
        return not self.subreddits

    def next_request(self, options: RedditOptions) -> Request:
        """Gives the next request."""
        if self.posts:
            return _ask_comments(self.posts[0])
        params: dict[str, str | int] = {"limit": min(PAGE_POSTS, options.limit - self.num_listed)}
        if options.listing in ("top", "controversial"):
            params["t"] = options.time
        if self.after:
            params["after"] = self.after
        return Request(f"r/{self.subreddits[0]}/{options.listing}", params)

    def take_listing(self, after: str | None, num_listed: int, posts: Sequence[OpenPost], limit: int) -> "LivePlan":
        """Gives the plan after a page of a listing."""
        total = self.num_listed + num_listed
        queued = tuple(post for post in posts if post.num_comments)
        is_listed = after is None or total >= limit or not num_listed
        changes = {"after": after, "num_listed": total, "is_listed": is_listed, "posts": queued}
        return self.model_copy(update=changes)

    def take_comments(self, things: Things) -> "LivePlan":
        """Gives the plan after a page or a bundle of comments of the current post.

        Args:
            things: What the answer held, without what `OpenPost.find_new` leaves out.
        """
        post, num_new = self.posts[0], len(things.records)
        folded, continued = _leave(post)
        # An answer without anything new that points on may point at itself.
        for node in things.hidden if num_new or not post.is_open else ():
            children = tuple(str(child) for child in node.get("children") or () if child != "_")
            folded += children
            if not children and str(node.get("parent_id")).startswith("t1_"):
                continued += (str(node["parent_id"]).removeprefix("t1_"),)
        return self._leave_post(folded, continued, num_new)

    def skip(self) -> "LivePlan":
        """Gives the plan where the current request was refused: leaves out what it asked for, and nothing else."""
        if not self.posts:
            return self.model_copy(update={"is_listed": True})
        return self._leave_post(*_leave(self.posts[0]), 0)

    def next_subreddit(self) -> "LivePlan":
        """Gives the plan with the next subreddit as the current one, and its own figures."""
        return LivePlan(asked=self.asked, subreddits=self.subreddits[1:])

    def describe(self) -> str:
        """Says how complete the comments are, such as `comments seen 180 / 240 (75 %)`."""
        counted = self.num_counted + (self.posts[0].num_comments if self.posts and self.posts[0].is_open else 0)
        share = f" ({min(100, 100 * self.num_seen // counted)} %)" if counted else ""
        left = f", {len(self.posts):,} posts to go" if self.posts else ""
        seen = f"comments seen {self.num_seen:,} / {counted:,}{share}"
        return f"r/{self.subreddits[0]}: {self.num_listed:,} posts listed, {seen}{left}"

    def _leave_post(self, folded: tuple[str, ...], continued: tuple[str, ...], num_new: int) -> "LivePlan":
        post, rest = self.posts[0], self.posts[1:]
        seen = self.num_seen + num_new
        if folded or continued:
            opened = post.model_copy(update={"is_open": True, "folded": folded, "continued": continued})
            return self.model_copy(update={"posts": (opened, *rest), "num_seen": seen})
        counted = self.num_counted + post.num_comments
        return self.model_copy(update={"posts": rest, "num_seen": seen, "num_counted": counted})


def describe_cap(plan: LivePlan, after: str | None, limit: int) -> str | None:
    """Says that Reddit's own limit ended a listing, where it did."""
    if after is None and CAP_SEEN_FROM <= plan.num_listed < limit:
        return (
            f"r/{plan.subreddits[0]}: the listing ended after {plan.num_listed:,} of the {limit:,} posts asked for; "
            "Reddit never lists more than about 1,000 (other listings and time spans show others)"
        )
    return None


def _leave(post: OpenPost) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Gives what is left of a post once its current request is answered."""
    if not post.is_open:
        return (), ()
    if post.folded:
        return post.folded[FOLDED_A_REQUEST:], post.continued
    return (), post.continued[1:]


def _ask_comments(post: OpenPost) -> Request:
    if post.is_open and post.folded:
        data = {
            "api_type": "json",
            "children": ",".join(post.folded[:FOLDED_A_REQUEST]),
            "link_id": f"t3_{post.id}",
            "sort": "confidence",
        }
        return Request("api/morechildren", {}, data)
    if post.is_open:
        return Request(f"comments/{post.id}/_/{post.continued[0]}", {"limit": PAGE_COMMENTS})
    return Request(f"comments/{post.id}", {"limit": PAGE_COMMENTS, "sort": "confidence"})


def read_listing(answer: Any) -> str | None:
    """Gives the `after` of a listing: the name of its next page."""
    data = answer.get("data") if isinstance(answer, dict) else None
    after = data.get("after") if isinstance(data, dict) else None
    return after if isinstance(after, str) and after else None
