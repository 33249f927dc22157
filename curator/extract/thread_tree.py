"""The tree of one thread: its post and comments, cleaned, and what speaks against each of them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from curator.extract.thread_text import GONE, clean_text, is_bot_talk

MODERATORS = ("moderator", "admin", "special")


@dataclass(frozen=True)
class Node:
    """A post or comment.

    Attributes:
        row: Its row of the document frame.
        about: Its metadata.
        text: Cleaned; of a post, title and text.
        cuts: What was cut from it.
        fault: Why it cannot be used at all, or None.
    """

    row: Mapping[str, Any]
    about: Mapping[str, Any]
    text: str
    cuts: frozenset[str] = frozenset()
    fault: str | None = None

    @property
    def key(self) -> str:
        """Such as `t1_abc`."""
        return str(self.row["natural_key"])

    @property
    def parent(self) -> str | None:
        """Key of what it replies to."""
        return self.about.get("parent")

    @property
    def is_post(self) -> bool:
        """True for the post of a thread."""
        return bool(self.row["kind"] == "post")

    @property
    def score(self) -> int | None:
        """Votes, or None where unknown."""
        return self.about.get("score")

    @property
    def created(self) -> datetime | None:
        """When it was written."""
        created: datetime | None = self.row["created_at"]
        return created

    def is_by(self, other: "Node") -> bool:
        """True where the same person surely wrote both."""
        if other.is_post and self.about.get("is_submitter"):
            return True
        mine, theirs = self.row["author_hash"], other.row["author_hash"]
        return mine is not None and mine == theirs


@dataclass
class Thread:
    """One thread.

    Attributes:
        key: Such as `t3_abc`.
        post: None where the documents hold only comments of it.
        nodes: Comments by key, in a fixed order: oldest first.
        replies: Keys of the replies to a key, in the same order.
    """

    key: str
    post: Node | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def documents(self) -> list[Node]:
        """Post and comments."""
        return [*([self.post] if self.post else []), *self.nodes.values()]

    def replies_to(self, node: Node) -> list[Node]:
        """Gives the replies to a node, oldest first."""
        return [self.nodes[key] for key in self.replies.get(node.key, [])]


def build_threads(rows: Iterable[Mapping[str, Any]]) -> list[Thread]:
    """Groups documents into threads, sorted by key; of two versions of one comment the newer counts."""
    newest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["fetched_at"], row["id"])):
        if row["kind"] in ("post", "comment"):
            newest[row["natural_key"]] = row
    grouped: dict[str, list[tuple[Mapping[str, Any], dict[str, Any]]]] = defaultdict(list)
    for row in newest.values():
        about = json.loads(row["metadata"])
        grouped[about.get("thread") or row["natural_key"]].append((row, about))
    return [_build_thread(key, grouped[key]) for key in sorted(grouped)]


def _build_thread(key: str, rows: list[tuple[Mapping[str, Any], dict[str, Any]]]) -> Thread:
    thread = Thread(key)
    texts = {row["natural_key"]: row["content"] for row, _ in rows}
    rows.sort(key=lambda pair: (pair[0]["created_at"] is None, pair[0]["created_at"], pair[0]["natural_key"]))
    for row, about in rows:
        if row["kind"] == "post":
            thread.post = _read_post(row, about)
            continue
        node = _read_comment(row, about, [texts[k] for k in (about.get("parent"), key) if k in texts])
        thread.nodes[node.key] = node
        if node.parent is not None and node.parent != node.key:
            thread.replies[node.parent].append(node.key)
    return thread


def _read_post(row: Mapping[str, Any], about: dict[str, Any]) -> Node:
    title = (row["title"] or "").strip()
    body = row["content"].removeprefix(title).strip()
    clean = clean_text(body)
    text = "\n\n".join(part for part in (title, clean.text) if part)
    is_gone = body.casefold() in GONE or about.get("removed_by") is not None
    return Node(row, about, text, clean.cuts, "deleted" if is_gone else _find_fault(about, text, row["content"]))


def _read_comment(row: Mapping[str, Any], about: dict[str, Any], quotable: list[str]) -> Node:
    clean = clean_text(row["content"], quotable)
    is_gone = row["content"].strip().casefold() in GONE
    fault = "deleted" if is_gone else _find_fault(about, clean.text, row["content"])
    return Node(row, about, clean.text, clean.cuts, fault)


def _find_fault(about: Mapping[str, Any], text: str, whole: str) -> str | None:
    if about.get("author_kind") == "bot" or is_bot_talk(whole):
        return "bot"
    if about.get("stickied"):
        return "stickied"
    if about.get("distinguished") in MODERATORS or about.get("author_kind") == "moderator":
        return "distinguished"
    return None if text else "empty"
