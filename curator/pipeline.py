"""The whole job in one go: configured ingests, curate, balance, export."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.balance.release import ReleaseReport, freeze_release
from curator.curate import CurateReport, curate_corpus
from curator.export import ExportReport, export_release
from curator.ingest import IngestReport, ingest_source
from curator.project import Project, change_project
from curator.statistics import Statistics, describe_barren, read_statistics
from schemas.config import ExportConfig, IngestConfig
from schemas.pack import Pack
from warehouse import open_snapshot

Progress = Callable[[str, int, int], None]


@dataclass
class PipelineReport:
    """Reports of all steps.

    Attributes:
        ingests: One a source.
        curate: The stages.
        release: The frozen release.
        exports: One a format.
        statistics: The figures at the end.
    """

    ingests: list[IngestReport] = field(default_factory=list)
    curate: CurateReport | None = None
    release: ReleaseReport | None = None
    exports: list[ExportReport] = field(default_factory=list)
    statistics: Statistics | None = None

    @property
    def is_partial(self) -> bool:
        """Whether some input was damaged (exit code 3)."""
        return any(report.is_partial for report in self.ingests)

    def as_dict(self) -> dict[str, Any]:
        """Gives all reports as JSON values."""
        return {
            "ingests": [report.as_dict() for report in self.ingests],
            "curate": self.curate.as_dict() if self.curate else None,
            "release": self.release.as_dict() if self.release else None,
            "exports": [report.as_dict() for report in self.exports],
            "statistics": self.statistics.as_dict() if self.statistics else None,
        }


def run_pipeline(
    project: Project, formats: Sequence[str], progress: Progress = lambda *_: None, wait_s: float = 0.0
) -> PipelineReport:
    """Runs every step; doing it again adds nothing and changes no byte of an export."""
    report = PipelineReport()
    with change_project(project, "run", wait_s) as (warehouse, summary):
        for ingest in project.config.ingest or list_default_ingests(project.pack):
            name = ingest.source
            options = resolve_paths(project, ingest)
            done = ingest_source(
                project,
                warehouse,
                name,
                options,
                lambda r, n=name: progress(f"ingest {n}", r.read, 0),  # type: ignore[misc]
            )
            report.ingests.append(done)
            if done.has_changed:
                summary[f"ingest {name}"] = done.added
        report.curate = curate_corpus(project, warehouse, progress)
        report.release = freeze_release(project, warehouse)
        for name in formats:
            config = ExportConfig.model_validate({**project.config.export.model_dump(), "format": name})
            done_export = export_release(project, warehouse, config)
            report.exports.append(done_export)
            if done_export.is_new:
                summary[f"export {name}"] = str(done_export.path)
        if report.curate.has_changed or not report.release.is_stored:
            summary["release"] = report.release.release_id
    with open_snapshot(project.snapshots) as snapshot:
        report.statistics = read_statistics(snapshot)
        report.curate.alarms += describe_barren(snapshot)
    return report


def list_default_ingests(pack: Pack) -> list[IngestConfig]:
    """Gives what a project without `[[ingest]]` tables reads: the pack's pages, its records and its generator."""
    names = {
        "markdown": bool(pack.knowledge),
        "dataset": any(record.data for record in pack.records),
        "synthetic": bool(pack.rules),
    }
    return [IngestConfig(source=name) for name, is_there in names.items() if is_there]


def resolve_paths(project: Project, ingest: IngestConfig) -> dict[str, Any]:
    """Gives the options of an `[[ingest]]` table with its paths seen from the project folder."""

    def place(value: Any) -> Any:
        if isinstance(value, list):
            return [place(item) for item in value]
        return value if str(value).startswith("hf://") else str(project.root / Path(str(value)).expanduser())

    return {
        key: place(value) if key in ("path", "dump", "saved", "rules") else value
        for key, value in ingest.options.items()
    }
