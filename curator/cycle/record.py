"""The history of cycles: one file each, written before and after every step, so that a killed one goes on."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from curator.atomic import write_file
from curator.project import Project
from schemas.errors import WarehouseError

STEPS = ("drain", "curate", "release", "train", "evaluate", "deploy")
Outcome = Literal["deployed", "kept", "nothing_new", "rolled_back"]


@dataclass
class CycleRecord:
    """One cycle.

    Attributes:
        number: 1, 2, 3, ...
        started_at: UTC, ISO 8601.
        settings: Recipe, base and role it runs with.
        steps: What each finished step gave, in order.
        outcome: How it ended; None while it runs or was interrupted.
        reasons: Why, in words.
        ended_at: UTC, ISO 8601.
    """

    number: int
    started_at: str
    settings: dict[str, Any]
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcome: Outcome | None = None
    reasons: list[str] = field(default_factory=list)
    ended_at: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it came to an end."""
        return self.outcome is not None

    def as_dict(self) -> dict[str, Any]:
        """Gives plain values."""
        return asdict(self)


def list_cycles(project: Project) -> list[CycleRecord]:
    """Gives all cycles, the oldest first.

    Raises:
        WarehouseError: A record is damaged.
    """
    return [_read(path) for path in sorted(_folder(project).glob("[0-9]*.json"))]


def open_cycle(project: Project, settings: dict[str, Any]) -> CycleRecord:
    """Gives the cycle that was interrupted, to go on with it, or a new one; the caller holds the lock of cycles."""
    known = list_cycles(project)
    if known and not known[-1].is_finished:
        return known[-1]
    record = CycleRecord(known[-1].number + 1 if known else 1, _now(), settings)
    keep_cycle(project, record)
    return record


def finish_step(project: Project, record: CycleRecord, step: str, result: dict[str, Any]) -> None:
    """Stores that a step is done."""
    record.steps[step] = {**result, "finished_at": _now()}
    keep_cycle(project, record)


def finish_cycle(project: Project, record: CycleRecord, outcome: Outcome, reasons: list[str]) -> None:
    """Stores how a cycle ended."""
    record.outcome, record.reasons, record.ended_at = outcome, reasons, _now()
    keep_cycle(project, record)


def keep_cycle(project: Project, record: CycleRecord) -> None:
    """Writes a record; a reader or a crash finds the old one or the new one."""
    text = json.dumps(record.as_dict(), ensure_ascii=False, indent=2) + "\n"
    write_file(_folder(project) / f"{record.number:06d}.json", text.encode())


def _folder(project: Project) -> Path:
    return project.root / ".curator" / "cycles"


def _read(path: Path) -> CycleRecord:
    try:
        return CycleRecord(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise WarehouseError(f"{path}: damaged ({error})", "delete it: the next cycle begins anew") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
