"""From a release to a trained model: exports it, hands the folder to the trainer, and records what came of it.

The lock is held while the export is written and while the result is stored, never while the model is trained.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.export.prompts import build_system_prompt
from curator.export.stage import build_export, export_release
from curator.models import record_adapter
from curator.project import Project, change_project
from curator.tiny_base import is_tiny, name_tiny_base, provide_tiny_base
from schemas.config import ExportConfig
from schemas.errors import ConfigError
from schemas.training import ContractReport, Estimate, TrainReport
from train import Request, ResolvedRecipe, check_training, load_recipe, plan_training
from train.launch import train_anywhere

SAMPLE_PROMPTS = 3
FORMATS = ("messages", "sharegpt", "alpaca", "instruction")
ROLES = ("insight", "planner", "coach")

Move = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TrainOptions:
    """What the command line says about a run.

    Attributes:
        recipe: Name of a bundled recipe or the path of one.
        release: Id or its beginning; the latest if None.
        base: Folder, hub id, or tiny (random weights, made here); the recipe's if None.
        role: Only rows of this coach role.
        format: Export format; the recipe's if None.
        settings: `key=value` each.
        backend: trl or unsloth.
        output: Folder of the run; `models/RELEASE-RECIPE` if None.
    """

    recipe: str
    release: str | None = None
    base: str | None = None
    role: str | None = None
    format: str | None = None
    settings: Sequence[str] = ()
    backend: str = "trl"
    output: Path | None = None


def resolve_recipe(project: Project, options: TrainOptions) -> ResolvedRecipe:
    """Gives the settings of a run: `--set` over the pack over the recipe over the defaults.

    Raises:
        ConfigError: Something is unknown or out of range.
    """
    if options.format not in (None, *FORMATS):
        raise ConfigError(f"--format {options.format!r}: cannot be trained on", f"expected one of {', '.join(FORMATS)}")
    if options.role not in (None, *ROLES):
        raise ConfigError(f"--role {options.role!r}: unknown", f"expected one of {', '.join(ROLES)}")
    chosen = [f"data.format={options.format}"] if options.format else []
    prompts = _pick_prompts(project, options.role)
    pack_values: dict[str, Any] = {"sample": {"prompts": prompts}} if prompts else {}
    return load_recipe(options.recipe, [*options.settings, *chosen], pack_values)


def plan(project: Project, options: TrainOptions, wait_s: float = 0.0) -> tuple[ResolvedRecipe, Estimate]:
    """Estimates a run and changes nothing: the export lies in a temporary folder.

    Raises:
        ConfigError: There is no release, recipe or setting of that name.
        TrainError: The base is unknown.
    """
    recipe = resolve_recipe(project, options)
    with _temporary_export(project, options, recipe, wait_s) as request:
        return recipe, plan_training(request)


def check(project: Project, options: TrainOptions, wait_s: float = 0.0) -> ContractReport:
    """Runs the contract check and changes nothing.

    Raises:
        ConfigError: There is no release, recipe or setting of that name.
        TrainError: The base is absent.
    """
    recipe = resolve_recipe(project, options)
    with _temporary_export(project, options, recipe, wait_s) as request:
        return check_training(request)


def train(
    project: Project, options: TrainOptions, move: Move, wait_s: float = 0.0, *, resume: bool = False
) -> TrainReport:
    """Exports the release where it is not yet, trains, and records the model.

    Args:
        project: The project.
        options: What to train.
        move: Told (what, done, total) after every step.
        wait_s: How long to wait for another command.
        resume: Go on from the newest checkpoint.

    Raises:
        ConfigError: There is no release, recipe or setting of that name.
        TrainError: The contract is broken, the base is absent, or memory does not suffice.
    """
    recipe = resolve_recipe(project, options)
    with change_project(project, "train", wait_s, keeps_examples=True) as (warehouse, summary):
        exported = export_release(project, warehouse, _make_config(project, recipe), options.release)
        if exported.is_new:
            summary.update(exported.as_dict())
    base = _find_base(project, options, name_tiny_base(project))
    request = _make_request(project, options, recipe, exported.path, exported.release_id, base)
    report = train_anywhere(request, move, resume=resume)
    with change_project(project, "train", max(wait_s, 60.0), keeps_examples=True) as (warehouse, summary):
        record_adapter(warehouse, report)
        summary.update({"adapter": report.id, "release": report.release, "path": report.path} | report.metrics)
    return report


@contextmanager
def _temporary_export(
    project: Project, options: TrainOptions, recipe: ResolvedRecipe, wait_s: float
) -> Iterator[Request]:
    project.require_data()
    with change_project(project, "train --dry-run", wait_s) as (warehouse, _):
        release, contents = build_export(project, warehouse, _make_config(project, recipe), options.release)
    with tempfile.TemporaryDirectory(prefix="curator-export-") as name:
        folder = Path(name) / "export"
        folder.mkdir()
        for path, data in contents.items():
            (folder / path).write_bytes(data)
        base = _find_base(project, options, Path(name) / "base")
        yield _make_request(project, options, recipe, folder, release["id"], base)


def _make_config(project: Project, recipe: ResolvedRecipe) -> ExportConfig:
    """Gives the project's export settings in the format of the recipe; arrays hold the same rows as lines."""
    values = project.config.export.model_dump() | {"format": recipe.recipe.data.format, "array": False}
    return ExportConfig.model_validate(values)


def _find_base(project: Project, options: TrainOptions, folder: Path) -> str | None:
    """Gives the base that is meant; the tiny one is made in a folder where the project has none yet."""
    return str(provide_tiny_base(project, folder)) if is_tiny(options.base) else options.base


def _make_request(
    project: Project, options: TrainOptions, recipe: ResolvedRecipe, folder: Path, release_id: str, base: str | None
) -> Request:
    parts = [release_id, recipe.name, *([options.role] if options.role else [])]
    wants_system = project.config.export.system_prompt == "pack"
    role = options.role or "coach"
    system = build_system_prompt(project.pack, role, project.pack.default_language) if wants_system else None
    lock = project.releases / release_id / "corpus.lock"
    return Request(
        export=folder,
        recipe=recipe,
        output=options.output or project.root / "models" / "-".join(parts),
        base=base,
        coach_role=options.role,
        backend=options.backend,
        lock=lock if lock.exists() else None,
        system=system,
    )


def _pick_prompts(project: Project, role: str | None) -> list[str]:
    """Gives questions of the pack's evaluation suite, of different categories; they are in no training row."""
    if not project.pack.evaluation:
        return []
    from train.evaluation.suite import read_cases

    cases = read_cases(project.pack.root / project.pack.evaluation)
    fitting = [case for case in cases if case.language == project.pack.default_language and role in (None, case.role)]
    by_category = {case.category: case for case in reversed(fitting)}
    chosen = [case for case in fitting if by_category[case.category] is case][:SAMPLE_PROMPTS]
    return [case.messages[-1].text for case in chosen]
