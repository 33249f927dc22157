"""The journal of the service, taken in: what reviewers decided on the page comes into force."""

from curator.project import Project
from curator.review.decisions import AppliedReport
from curator.review.run import apply_and_curate
from schemas.feedback import JOURNAL


def drain_journal(project: Project, wait_s: float = 0.0) -> AppliedReport:
    """Applies the decisions that nobody has taken out of the journal yet; a kill on the way only repeats some.

    Raises:
        LockedError: Another process works on the project; the journal keeps them.
    """
    from curator.journal import Journal
    from curator.service.reviewing import begin_drain, end_drain

    path = project.root / JOURNAL
    if not path.exists():
        return AppliedReport()
    journal = Journal(path)
    try:
        decisions, sequence = begin_drain(journal)
        report = apply_and_curate(project, decisions, wait_s) if decisions else AppliedReport()
        end_drain(journal, sequence)
    finally:
        journal.close()
    return report
