"""Decisions and what must follow them: an edited row goes through the stages at once."""

from collections.abc import Sequence

from curator.curate import curate_corpus
from curator.project import Project, change_project
from curator.review.decisions import AppliedReport, apply_decisions
from schemas.decision import Decision


def apply_and_curate(project: Project, decisions: Sequence[Decision], wait_s: float = 0.0) -> AppliedReport:
    """Applies decisions to a project; where rows were written anew they are screened, categorised and compared.

    Raises:
        ConfigError: Nothing is ingested yet.
        LockedError: Another process works on the project.
    """
    project.require_data()
    with change_project(project, "review", wait_s) as (warehouse, summary):
        report = apply_decisions(warehouse, decisions, project.pack)
        if report.stored:
            summary["decided"] = report.stored
        # Also where they were stored before: the command that stored them may have been killed there.
        if any(decision.kind == "edit" for decision in decisions):
            curated = curate_corpus(project, warehouse)
            if curated.has_changed:
                summary["curated"] = curated.as_dict()
    return report
