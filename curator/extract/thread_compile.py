"""Works through one thread: questions top down, the best answer first, every comment at most once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from curator.extract.build import build_example
from curator.extract.thread_rank import RankedAnswer, rank_answers
from curator.extract.thread_text import (
    QUESTION_MARKS,
    asks_in_full,
    count_words,
    drop_links,
    is_asking,
    is_confirmation,
    is_gathering_title,
    is_only_asking,
    is_telling_title,
    stands_alone,
)
from curator.extract.thread_tree import Node, Thread
from schemas.identity import make_id
from schemas.pack import Pack

EXTRACTOR = "thread"
MIN_ANSWER_WORDS = 8
MIN_QUESTION_WORDS = 3
# A comment that asks must make sense without the thread around it.
MIN_COMMENT_QUESTION_WORDS = 12
MIN_FOLLOW_UP_WORDS = 3
MIN_ANSWER_SCORE = 1
MAX_ANSWERS = 3
MAX_FOLLOW_UPS = 5
# A further answer must come near the best one.
FURTHER_RANK_RATIO = 0.6
# The winner must have 3 times the votes, 5 at least, and no head start: it was written later than the loser
# (Ethayarajh et al. 2022, "Understanding dataset difficulty with V-usable information", the SHP rule).
PREFERENCE_SCORE_RATIO = 3
MIN_PREFERENCE_SCORE = 5
# Long rambling posts hold a rhetorical question somewhere.
MAX_BODY_QUESTION_WORDS = 400


def thread_input_id(document_ids: Iterable[str]) -> str:
    """Gives the id of what a thread was extracted from: it changes whenever one of its documents does."""
    return make_id("thread", *sorted(document_ids))


@dataclass
class ThreadCompiler:
    """Works through one thread, top down."""

    thread: Thread
    pack: Pack
    _used: set[str] = field(default_factory=set)
    _reasons: dict[str, str] = field(default_factory=dict)

    def compile(self) -> list[dict[str, Any]]:
        """Gives the example rows of the thread."""
        post = self.thread.post
        rows: list[dict[str, Any]] = []
        if post is not None:
            self._reasons[post.key] = self._judge_post(post) or ""
            if not self._reasons[post.key]:
                rows += self._compile_question(post)
                self._reasons[post.key] = "" if rows else "no_answer"
        for node in self.thread.nodes.values():
            if self._can_ask(node):
                rows += self._compile_question(node)
        return rows

    def verdicts(self) -> list[dict[str, Any]]:
        """Gives a verdict on each document that was left out, whole or in part."""
        found = [self._judge(node) for node in self.thread.documents]
        return [verdict for verdict in found if verdict is not None]

    def _judge(self, node: Node) -> dict[str, Any] | None:
        row: dict[str, Any] = {"subject_id": node.row["id"], "is_kept": False}
        if node.key in self._used or (node.is_post and not self._reasons.get(node.key)):
            cuts = "_".join(sorted(node.cuts))
            return {**row, "is_kept": True, "reason": f"cut_{cuts}"} if cuts else None
        reason = node.fault or self._reasons.get(node.key) or self._explain_unused(node)
        if reason == "low_score":
            row |= {"score": float(node.score or 0), "threshold": float(MIN_ANSWER_SCORE)}
        return {**row, "reason": reason}

    def _explain_unused(self, node: Node) -> str:
        if self.thread.post is None:
            return "no_post"
        if node.parent == self.thread.key:
            return "question_not_usable" if self._reasons.get(self.thread.key) else "not_selected"
        return "not_part_of_an_answer" if node.parent in self.thread.nodes else "orphan"

    def _judge_post(self, post: Node) -> str | None:
        if post.fault:
            return post.fault
        title = post.row["title"] or ""
        if post.about.get("link_url") or post.about.get("is_self") is False:
            return "link_post"
        if is_gathering_title(title) or is_telling_title(title):
            return "not_a_question"
        asks_below = any(mark in post.text for mark in QUESTION_MARKS)
        if not is_asking(title) and (not asks_below or count_words(post.text) > MAX_BODY_QUESTION_WORDS):
            return "not_a_question"
        if count_words(post.text) < MIN_QUESTION_WORDS:
            return "too_short"
        return None if self.thread.replies_to(post) else "no_comments"

    def _can_ask(self, node: Node) -> bool:
        if node.key in self._used or node.fault or not self._is_liked(node):
            return False
        text = drop_links(node.text)
        if not asks_in_full(text) or count_words(text) < MIN_COMMENT_QUESTION_WORDS:
            return False
        post = self.thread.post
        is_gathered = post is not None and node.parent == post.key and is_gathering_title(post.row["title"] or "")
        return is_gathered or stands_alone(text)

    def _is_liked(self, node: Node) -> bool:
        return node.score is None or node.score >= MIN_ANSWER_SCORE

    def _compile_question(self, question: Node) -> list[dict[str, Any]]:
        """Gives the rows of one question and marks what they use."""
        candidates = [reply for reply in self.thread.replies_to(question) if self._can_answer(reply, question)]
        ranked = rank_answers(question, [(node, self._is_confirmed(node, question)) for node in candidates])
        best = next((answer for answer in ranked if self._is_answer(answer.node, question)), None)
        if best is None:
            return []
        rows = [self._make_conversation(question, best, len(ranked))]
        if not question.is_post:
            return rows  # its question is a comment, and no comment is used twice
        rest = [answer for answer in ranked if answer.node.key not in self._used]
        pair = _find_pair(rest)
        if pair:
            rows.append(self._make_preference(question, *pair))
        for answer in rest:
            is_near = answer.rank >= FURTHER_RANK_RATIO * best.rank
            if len(rows) < MAX_ANSWERS and is_near and self._is_answer(answer.node, question):
                rows.append(self._make_conversation(question, answer, len(ranked)))
        return rows

    def _can_answer(self, node: Node, question: Node) -> bool:
        if node.fault or node.key in self._used:
            return False
        if node.is_by(question):
            self._reasons[node.key] = "self_reply"
        elif count_words(node.text) < MIN_ANSWER_WORDS:
            self._reasons[node.key] = "too_short"
        else:
            return True
        return False

    def _is_answer(self, node: Node, question: Node) -> bool:
        """True where a candidate may stand as an assistant's turn; else notes why not."""
        if node.key in self._used:
            return False
        if not self._is_liked(node):
            self._reasons[node.key] = "low_score"
            return False
        if is_only_asking(node.text) and len(self._find_chain(question, node)) < 2:
            self._reasons[node.key] = "asks_back"
            return False
        return True

    def _is_confirmed(self, answer: Node, question: Node) -> bool:
        replies = [reply for reply in self.thread.replies_to(answer) if reply.is_by(question) and not reply.fault]
        confirming = [reply for reply in replies if is_confirmation(reply.text)]
        for reply in confirming:
            self._reasons.setdefault(reply.key, "confirmation")
        flair = (question.about.get("flair") or "").casefold()
        return bool(confirming) or (bool(replies) and flair in ("solved", "answered", "resolved"))

    def _find_chain(self, question: Node, answer: Node) -> list[Node]:
        """Gives follow-up and reply in turns, as long as the same two people talk."""
        chain: list[Node] = []
        last = answer
        while len(chain) < 2 * MAX_FOLLOW_UPS:
            step = self._find_exchange(question, answer, last, {node.key for node in (question, answer, *chain)})
            if step is None:
                break
            chain += step
            last = step[1]
        return chain

    def _find_exchange(self, question: Node, answer: Node, last: Node, taken: set[str]) -> tuple[Node, Node] | None:
        options: list[tuple[Node, Node]] = []
        for follow_up in self._open_replies(last, taken):
            if not follow_up.is_by(question) or count_words(follow_up.text) < MIN_FOLLOW_UP_WORDS:
                continue
            options += [
                (follow_up, reply)
                for reply in self._open_replies(follow_up, taken)
                if reply.is_by(answer) and count_words(reply.text) >= MIN_ANSWER_WORDS and self._is_liked(reply)
            ]
        return max(options, key=lambda pair: pair[1].score or 0, default=None)

    def _open_replies(self, node: Node, taken: set[str]) -> list[Node]:
        replies = self.thread.replies_to(node)
        return [r for r in replies if not r.fault and r.key not in self._used and r.key not in taken]

    def _make_conversation(self, question: Node, answer: RankedAnswer, num_answers: int) -> dict[str, Any]:
        chain = self._find_chain(question, answer.node)
        turns = [question, answer.node, *chain]
        self._used |= {node.key for node in turns if not node.is_post}
        return self._make_row(
            question, answer, turns, about={"answers": num_answers, "is_confirmed": answer.is_confirmed}
        )

    def _make_preference(self, question: Node, winner: RankedAnswer, loser: RankedAnswer) -> dict[str, Any]:
        self._used |= {winner.node.key, loser.node.key}
        about = {"score": winner.node.score, "rejected_score": loser.node.score}
        return self._make_row(question, winner, [question, winner.node], about=about, loser=loser.node)

    def _make_row(
        self,
        question: Node,
        answer: RankedAnswer,
        turns: list[Node],
        *,
        about: dict[str, Any],
        loser: Node | None = None,
    ) -> dict[str, Any]:
        held = [*turns, loser] if loser else turns
        host = self.thread.post or question
        category, basis = self._find_category(host)
        return build_example(
            host.row,
            extractor=EXTRACTOR,
            span={"documents": [node.key for node in held]},
            messages=[
                {"role": "assistant" if number % 2 else "user", "content": node.text}
                for number, node in enumerate(turns)
            ],
            rejected=[{"role": "assistant", "content": loser.text}] if loser else None,
            unit_keys=[f"thread:{self.thread.key}"],
            input_id=thread_input_id(node.row["id"] for node in self.thread.documents),
            document_ids=[node.row["id"] for node in {host.key: host, **{n.key: n for n in held}}.values()],
            metadata={
                "thread": self.thread.key,
                "subreddit": host.about.get("subreddit"),
                "flair": host.about.get("flair"),
                "score": answer.node.score,
                **about,
            },
            category=category,
            category_basis=basis,
            source_score=answer.rank,
            url=answer.node.row["url"],
            author_hash=answer.node.row["author_hash"],
        )

    def _find_category(self, host: Node) -> tuple[str | None, str | None]:
        flair = host.about.get("flair")
        category = self.pack.find_category(flair) if flair else None
        if category:
            return category, "flair"
        mapped = self.pack.subreddit_categories.get((host.about.get("subreddit") or "").lower())
        return (mapped, "map") if mapped else (None, None)


def _find_pair(rest: list[RankedAnswer]) -> tuple[RankedAnswer, RankedAnswer] | None:
    """Gives winner and loser of the widest clear gap among the answers that are left."""
    sound = [answer for answer in rest if not is_only_asking(answer.node.text)]
    pairs = [(winner, loser) for winner in sound for loser in sound if _is_clear_gap(winner.node, loser.node)]
    return max(pairs, key=lambda pair: (_score(pair[0]) - _score(pair[1]), pair[0].rank), default=None)


def _is_clear_gap(winner: Node, loser: Node) -> bool:
    if winner.score is None or loser.score is None or winner.created is None or loser.created is None:
        return False
    wanted = max(MIN_PREFERENCE_SCORE, PREFERENCE_SCORE_RATIO * max(loser.score, 1))
    return winner.score >= wanted and winner.created >= loser.created and winner.text != loser.text


def _score(answer: RankedAnswer) -> int:
    return answer.node.score or 0
