"""A whole run: base, tokenizer, contract check, training, and the folder that it leaves behind."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from schemas.errors import TrainError
from schemas.identity import make_id
from schemas.recipe import Architecture
from schemas.training import ContractReport, Estimate, TrainReport
from train.card import read_record, write_card, write_record
from train.checkpoint import RunFolder, identify_run
from train.contract import Checked, check_contract, explain_offences, select_rows
from train.estimate import estimate_run
from train.export_folder import ExportFolder, Row, read_export
from train.load import Base, choose_device, find_base, find_base_stops, has_base, load_tokenizer, read_architecture
from train.recipe import ResolvedRecipe
from train.saving import explain_saving

BYTES_PER_TOKEN = 4
"""UTF-8 bytes a token, taken where no tokenizer is at hand."""
ROW_TOKENS = 16
"""Tokens that a chat template adds to a row, taken likewise."""
PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "corpus-curator")

Move = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What is to be trained.

    Attributes:
        export: Folder of the export.
        recipe: The settings in force.
        output: Folder of the run.
        base: Folder or hub id; the recipe's if None.
        coach_role: Only rows of this role; all if None.
        backend: trl or unsloth.
        lock: The release's `corpus.lock`, whose hash goes into the record; None where unknown.
        system: System prompt that the sample prompts are put with.
    """

    export: Path
    recipe: ResolvedRecipe
    output: Path
    base: str | None = None
    coach_role: str | None = None
    backend: str = "trl"
    lock: Path | None = None
    system: str | None = None

    @property
    def base_name(self) -> str:
        """The base that is meant."""
        return self.base or self.recipe.recipe.model.base


def plan_training(request: Request) -> Estimate:
    """Estimates memory, steps, tokens and time; needs neither weights nor GPU.

    Raises:
        TrainError: The base is not on this machine and the recipe does not know its sizes.
    """
    export = read_export(request.export)
    recipe = request.recipe.recipe
    rows = select_rows(export, recipe.data, request.coach_role)["train"]
    base = find_base(request.base_name, may_fetch=False) if has_base(request.base_name) else None
    lengths = _count_tokens(rows, base, request) if base else [_guess_tokens(row) for row in rows]
    shape = _find_shape(request, base)
    return estimate_run(recipe, shape, lengths, is_counted=base is not None, is_mixed=recipe.train.precision != "fp32")


def check_training(request: Request) -> ContractReport:
    """Runs the contract check alone; broken rules are in the report, not raised.

    Raises:
        TrainError: There is no base, no chat template or no row.
    """
    return _check(request)[1].report


def train_model(request: Request, move: Move = lambda *_: None, *, resume: bool = False) -> TrainReport:
    """Checks the contract, trains, and writes weights, card, metrics, samples and loss curve.

    Args:
        request: What is to be trained.
        move: Told (what, done, total) after every step.
        resume: Go on from the newest checkpoint in the output folder.

    Raises:
        TrainError: The contract is broken (the ids are in the message), the base is absent, memory does not suffice,
            or there is nothing to resume.
    """
    from train.backends import find_backend
    from train.sft import Job, run_sft

    backend = find_backend(request.backend)
    base, checked, tokenizer, stop_ids = _check(request)
    if not checked.report.is_kept:
        raise explain_offences(checked.report)
    recipe = request.recipe.recipe
    identity = identify_run(checked.report.release, recipe, base.revision, request.coach_role, request.backend)
    folder = RunFolder(request.output, identity)
    finished = read_record(request.output)
    if resume and finished is not None and finished.recipe_sha256 == request.recipe.sha256:
        return finished
    checkpoint = folder.open(resume=resume)
    device = choose_device(recipe.train.precision)
    outcome = run_sft(
        Job(
            folder=request.output,
            recipe=recipe,
            base=base,
            device=device,
            tokenizer=tokenizer,
            train=checked.tokens["train"],
            validation=checked.tokens["validation"],
            stop_ids=stop_ids,
            system=request.system,
            checkpoint=checkpoint,
        ),
        backend,
        move,
    )
    shape = read_architecture(base)
    report = _describe(
        request, base, checked, shape, outcome.summary, f"{device.kind}: {device.name}", device.precision
    )
    if outcome.is_main:
        _write_results(request, base, report, outcome.model, outcome.metrics)
    return report


def _check(request: Request) -> tuple[Base, Checked, Any, set[int]]:
    from train.sft import silence_libraries

    silence_libraries()
    recipe = request.recipe.recipe
    export = read_export(request.export)
    _check_format(export, recipe.data.format)
    base = find_base(request.base_name)
    tokenizer = load_tokenizer(base)
    stop_ids = find_base_stops(base, tokenizer)
    return base, check_contract(export, tokenizer, recipe.data, stop_ids, request.coach_role), tokenizer, stop_ids


def _check_format(export: ExportFolder, wanted: str) -> None:
    found = export.manifest["format"]
    if (found == "instruction") != (wanted == "instruction"):
        raise TrainError(
            f"{export.path}: format {found}, the recipe wants {wanted}",
            f"curator export --format {wanted}, or --set data.format={found}",
        )


def _find_shape(request: Request, base: Base | None) -> Architecture:
    """Gives the sizes of the base: its own where it is here, the recipe's where the recipe's base is meant."""
    if base is not None:
        return read_architecture(base)
    shape = request.recipe.recipe.model.architecture
    if shape is None or request.base_name != request.recipe.recipe.model.base:
        find_base(request.base_name, may_fetch=False)
        raise TrainError(f"base {request.base_name}: its sizes are unknown", "--base names a folder with config.json")
    return shape


def _count_tokens(rows: list[Row], base: Base, request: Request) -> list[int]:
    from train.tokenize import tokenize_row

    tokenizer = load_tokenizer(base)
    stops = find_base_stops(base, tokenizer)
    if request.recipe.recipe.data.format != "instruction" and not tokenizer.chat_template:
        return [_guess_tokens(row) for row in rows]
    return [tokenize_row(tokenizer, row, "all", 1 << 30, stops).length for row in rows]


def _guess_tokens(row: Row) -> int:
    texts = [str(turn["content"]) for turn in row.turns] or [row.prompt, row.completion]
    return ROW_TOKENS + sum(len(text.encode()) for text in texts) // BYTES_PER_TOKEN


def _describe(
    request: Request,
    base: Base,
    checked: Checked,
    shape: Architecture,
    metrics: Mapping[str, Any],
    device: str,
    precision: str,
) -> TrainReport:
    recipe = request.recipe.recipe
    lengths = [row.length for row in checked.tokens["train"]]
    release = checked.report.release
    run_id = make_id(release, request.recipe.sha256, base.revision, request.coach_role or "", request.backend)
    has_ids = not any(":" in row_id for row_id in checked.ids["train"])
    return TrainReport(
        id=run_id,
        release=release,
        lock_sha256=hashlib.sha256(request.lock.read_bytes()).hexdigest() if request.lock else None,
        export=str(request.export),
        recipe_name=request.recipe.name,
        recipe=recipe,
        recipe_sha256=request.recipe.sha256,
        origins=request.recipe.origins,
        method=recipe.train.method,
        loss=recipe.data.loss,
        backend=request.backend,
        base=base.name,
        base_revision=base.revision,
        coach_role=request.coach_role,
        path=str(request.output / ("model" if recipe.train.method == "full" else "adapter")),
        device=device,
        precision=precision,
        metrics=dict(metrics),
        contract=checked.report,
        estimate=estimate_run(recipe, shape, lengths, is_counted=True, is_mixed=precision != "fp32"),
        versions={name: found for name in PACKAGES if (found := _find_version(name))},
        example_ids=sorted(checked.ids["train"]) if has_ids else [],
    )


def _write_results(
    request: Request, base: Base, report: TrainReport, model: Any, metrics: list[dict[str, Any]]
) -> None:
    """Writes the weights into a folder beside the old ones and swaps, so that a full disk costs nothing finished."""
    from train.curve import plot_loss

    final = Path(report.path)
    fresh = final.with_name(f".{final.name}-new")
    shutil.rmtree(fresh, ignore_errors=True)
    _name_base(model, base)
    with explain_saving(fresh):
        model.save_pretrained(fresh, safe_serialization=True)
    # The base's own tokenizer and template, as they were: nothing of the training shows in what is served.
    load_tokenizer_unchanged(base).save_pretrained(fresh)
    shutil.rmtree(final, ignore_errors=True)
    fresh.rename(final)
    write_card(report, final)
    write_card(report, request.output)
    write_record(report, request.output)
    write_record(report, final)
    plot_loss(metrics, request.output, f"{report.recipe_name} on {report.release}")


def load_tokenizer_unchanged(base: Base) -> Any:
    """Gives the base's tokenizer without the padding token that training may have needed."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base.path, local_files_only=True, trust_remote_code=False)


def _name_base(model: Any, base: Base) -> None:
    """Puts the base's own name into the adapter's config in place of a path of this machine's cache."""
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = base.name if not Path(base.name).is_dir() else str(base.path)


def _find_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
