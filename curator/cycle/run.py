"""Runs a cycle step by step; what is finished is not done again, wherever an earlier run was killed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from curator.balance.release import freeze_release
from curator.curate import curate_corpus
from curator.cycle.decide import Decision, decide_deployment
from curator.cycle.record import STEPS, CycleRecord, finish_cycle, finish_step, list_cycles, open_cycle
from curator.deployments import DeployOptions, deploy, find_deployment, read_current
from curator.ingest import ingest_source
from curator.model_evaluation import EvaluationOptions, evaluate_targets
from curator.model_training import TrainOptions, train
from curator.pipeline import resolve_paths
from curator.project import Project, change_project
from curator.review.draining import drain_journal
from schemas.config import CycleConfig
from schemas.errors import ConfigError
from warehouse import hold_lock

Move = Callable[[str, int, int], None]
Say = Callable[[str], None]


def plan_cycle(project: Project, role: str | None = None) -> dict[str, Any]:
    """Gives what a cycle would do now: which steps are left of an interrupted one, and with which settings.

    Args:
        project: Its `[cycle]` says how.
        role: The coach role to train for, instead of the one that is set.
    """
    known = list_cycles(project)
    interrupted = known[-1] if known and not known[-1].is_finished else None
    settings = interrupted.settings if interrupted else _list_settings(project.config.cycle, role)
    current = read_current(project, settings["role"])
    return {
        "settings": settings,
        "resumes": interrupted.number if interrupted else None,
        "steps": [step for step in STEPS if interrupted is None or step not in interrupted.steps],
        "current_deployment": current["id"] if current else None,
    }


def run_cycle(
    project: Project,
    say: Say = lambda _: None,
    move: Move = lambda *_: None,
    wait_s: float = 0.0,
    role: str | None = None,
) -> CycleRecord:
    """Drains feedback, curates, freezes a release, trains, evaluates, and deploys where the candidate is better.

    Args:
        project: Its `[cycle]` says how.
        say: Told what each step gave.
        move: Progress of a step: what, done, total.
        wait_s: How long to wait for another command, each time the database is wanted.
        role: The coach role to train, evaluate and deploy for, instead of the one that is set.

    Returns:
        The finished record.

    Raises:
        ConfigError: No recipe is set, or nothing is ingested.
        LockedError: Another cycle runs.
        CuratorError: A step failed; the next run goes on with it.
    """
    project.require_data()
    settings = _list_settings(project.config.cycle, role)
    with hold_lock(project.root / ".curator" / "cycle.lock", "cycle", wait_s):
        record = open_cycle(project, settings)
        _Runner(project, record, say, move, wait_s).run()
        return record


def _list_settings(config: CycleConfig, role: str | None) -> dict[str, Any]:
    if config.recipe is None:
        raise ConfigError(
            "cycle: no recipe", 'add [cycle] recipe = "qwen2.5-3b" to curator.toml; curator train lists them'
        )
    settings = config.model_dump(include={"recipe", "base", "role", "settings", "quantisation"})
    return settings | ({"role": role} if role else {})


class _Runner:
    """The steps of one cycle, each with what the ones before it gave."""

    def __init__(self, project: Project, record: CycleRecord, say: Say, move: Move, wait_s: float) -> None:
        self._project = project
        self._record = record
        self._say = say
        self._move = move
        self._wait_s = wait_s

    def run(self) -> None:
        for step in STEPS:
            if step not in self._record.steps:
                result = getattr(self, f"_{step}")()
                finish_step(self._project, self._record, step, result)
                self._say(f"{step}: {result['summary']}")
            if step == "release" and self._is_known():
                reason = "no row has changed since the model of this release was judged"
                finish_cycle(self._project, self._record, "nothing_new", [reason])
                return
        decision = self._record.steps["evaluate"]
        finish_cycle(
            self._project, self._record, "deployed" if decision["is_deployed"] else "kept", decision["reasons"]
        )

    def _drain(self) -> dict[str, Any]:
        decided = drain_journal(self._project, self._wait_s).stored
        with change_project(self._project, "cycle", self._wait_s) as (warehouse, summary):
            added = {"feedback": ingest_source(self._project, warehouse, "feedback", {}).added}
            for entry in self._project.config.ingest:
                options = resolve_paths(self._project, entry)
                done = ingest_source(self._project, warehouse, entry.source, options)
                added[entry.source] = added.get(entry.source, 0) + done.added
            summary.update({f"ingest {name}": count for name, count in added.items() if count})
        added["review"] = decided
        return {"added": added, "summary": ", ".join(f"{count} new from {name}" for name, count in added.items())}

    def _curate(self) -> dict[str, Any]:
        with change_project(self._project, "cycle", self._wait_s) as (warehouse, summary):
            report = curate_corpus(self._project, warehouse, self._move)
            if report.has_changed:
                summary.update(report.as_dict())
        return {**report.as_dict(), "summary": f"{report.examples} new examples"}

    def _release(self) -> dict[str, Any]:
        with change_project(self._project, "cycle", self._wait_s) as (warehouse, summary):
            report = freeze_release(self._project, warehouse)
            if not report.is_stored:
                summary["release"] = report.release_id
        return {
            "release": report.release_id,
            "rows": report.size,
            "summary": f"{report.release_id}, {report.size} rows",
        }

    def _is_known(self) -> bool:
        """Whether an earlier cycle has judged a model of the same release and settings."""
        release = self._record.steps["release"]["release"]
        return any(
            past.number != self._record.number
            and past.settings == self._record.settings
            and past.outcome in ("deployed", "kept")
            and past.steps["release"]["release"] == release
            for past in list_cycles(self._project)
        )

    def _train(self) -> dict[str, Any]:
        settings, release = self._record.settings, self._record.steps["release"]["release"]
        parts = [release, Path(settings["recipe"]).stem, *([settings["role"]] if settings["role"] else [])]
        folder = self._project.root / "models" / "-".join(parts)
        options = TrainOptions(
            settings["recipe"], release, settings["base"], settings["role"], None, settings["settings"], output=folder
        )
        report = train(self._project, options, self._move, self._wait_s, resume=_can_resume(folder))
        loss = report.metrics.get("eval_loss")
        said = "" if loss is None else f", validation loss {loss:.3f}"
        return {"adapter": report.id, "path": report.path, "metrics": report.metrics, "summary": f"{folder.name}{said}"}

    def _evaluate(self) -> dict[str, Any]:
        config = self._project.config.cycle
        targets = [self._record.steps["train"]["path"], *self._current_target()]
        options = EvaluationOptions(
            perplexity_rows=config.perplexity_rows,
            max_tokens=config.max_tokens,
            base=config.base,
            limit=config.max_cases,
            role=self._record.settings["role"],
        )
        reports = evaluate_targets(self._project, targets, options, self._move)
        decision: Decision = decide_deployment(reports[0], reports[1] if len(reports) > 1 else None, config)
        return {**decision.as_dict(), "summary": "; ".join(decision.reasons)}

    def _current_target(self) -> list[str]:
        """Gives the model behind the current deployment, or its GGUF file where the model is no longer there."""
        from train.deploy import read_deployment

        role = self._record.settings["role"]
        if read_current(self._project, role) is None:
            return []
        folder = find_deployment(self._project, role=role)
        model = Path(read_deployment(folder).model)
        return [str(model if model.is_dir() else folder)]

    def _deploy(self) -> dict[str, Any]:
        if not self._record.steps["evaluate"]["is_deployed"]:
            return {"deployment": None, "summary": "the current model stays"}
        settings = self._record.settings
        options = DeployOptions(
            model=self._record.steps["train"]["path"],
            quantisation=settings["quantisation"],
            role=settings["role"],
            base=settings["base"],
            ollama=self._project.config.cycle.ollama,
        )
        deployment, folder = deploy(self._project, options, self._say, self._wait_s)
        return {"deployment": deployment.id, "folder": str(folder), "summary": f"{deployment.id[:12]} is current"}


def _can_resume(folder: Path) -> bool:
    has_checkpoint = any((folder / "checkpoints").glob("checkpoint-*/trainer_state.json"))
    return has_checkpoint or (folder / "train.json").is_file()
