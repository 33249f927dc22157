"""What people decide about single rows: accept, reject, edit, relabel.

Decisions are stored for ever, each under its id; which of them stand is worked out anew whenever rows come and go, so
that they survive another extraction of the same document. The terminal, the page and files of decisions use this alone.
"""

from curator.review.decisions import AppliedReport, apply_decisions, read_decisions
from curator.review.standing import settle_decisions
from curator.review.waiting import REASONS, read_queue
from schemas.decision import Decision

__all__ = [
    "REASONS",
    "AppliedReport",
    "Decision",
    "apply_decisions",
    "read_decisions",
    "read_queue",
    "settle_decisions",
]
