"""Hands the decisions in the service's journal over, each once, however often it is broken off."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from curator.journal import Journal

if TYPE_CHECKING:
    from curator.project import Project
    from schemas.decision import Decision


def drain_decisions(project: "Project") -> "tuple[list[Decision], Callable[[], None]]":
    """Gives the decisions that have not been handed over, and what to call when they are stored.

    Not called, the next drain gives the same decisions again, under the same ids.

    Raises:
        JournalError: The journal cannot be read.
    """
    from curator.service.reviewing import begin_drain, end_drain

    path = project.root / ".curator" / "journal.db"
    if not path.exists():
        return [], lambda: None
    journal = Journal(path)
    decisions, last = begin_drain(journal)

    def end() -> None:
        end_drain(journal, last)
        journal.close()

    return decisions, end
