"""What `curator train` shows: the plan with the origin of every setting, the contract, the finished run."""

from collections.abc import Mapping
from typing import Any

from curator.cli.output import print_table, say
from schemas.training import ContractReport, Estimate, Memory, TrainReport
from train import ResolvedRecipe
from train.contract import shorten
from train.recipe import describe_recipe

GIGABYTE = 1e9


def show_plan(recipe: ResolvedRecipe, estimate: Estimate) -> None:
    """Shows every setting with its origin, and what the run will take."""
    print_table("settings", ["setting", "value", "from"], list_settings(recipe))
    show_estimate(estimate, recipe.recipe.hardware.teraflops)


def list_settings(recipe: ResolvedRecipe) -> list[list[Any]]:
    """Gives key, value and origin of every setting."""
    values = describe_recipe(recipe.recipe)
    return [[key, _text(value), recipe.origins[key]] for key, (value, _) in values.items()]


def describe_plan(recipe: ResolvedRecipe, estimate: Estimate) -> dict[str, Any]:
    """Gives the plan as JSON values, each setting with its meaning."""
    settings = {
        key: {"value": value, "from": recipe.origins[key], "meaning": meaning}
        for key, (value, meaning) in describe_recipe(recipe.recipe).items()
    }
    memory = {"training_bytes": estimate.training.total, "inference_bytes": estimate.inference.total}
    return {"recipe": recipe.name, "settings": settings, "estimate": estimate.model_dump(mode="json") | memory}


def show_estimate(estimate: Estimate, teraflops: float) -> None:
    """Shows memory, steps, tokens and time; the time holds for a card that reaches so many teraflops."""
    counted = "counted by the base's tokenizer" if estimate.is_counted else "estimated: the base is not here"
    trained = estimate.trained_parameters
    rows = [
        ["weights of the base", f"{estimate.parameters / 1e6:,.1f} M"],
        ["weights that are trained", f"{trained / 1e6:,.2f} M ({trained / estimate.parameters:.2%})"],
        ["memory of training", f"{estimate.training.total / GIGABYTE:.1f} GB ({_parts(estimate.training)})"],
        ["memory of inference", f"{estimate.inference.total / GIGABYTE:.1f} GB ({_parts(estimate.inference)})"],
        ["rows", f"{estimate.rows:,}"],
        ["tokens an epoch", f"{estimate.tokens_per_epoch:,} ({counted})"],
        ["optimiser steps", f"{estimate.steps:,}"],
        ["tokens in all", f"{estimate.tokens:,}"],
        [
            "time",
            f"about {format_seconds(estimate.seconds)} at {teraflops:g} teraflops (set hardware.teraflops to yours)",
        ],
    ]
    print_table("estimate", ["what", "value"], rows)


def show_contract(report: ContractReport) -> None:
    """Shows what the contract check found."""
    rows = [
        [split, report.rows.get(split, 0), used, report.tokens.get(split, 0), report.trained_tokens.get(split, 0)]
        for split, used in report.used.items()
    ]
    print_table("contract", ["split", "rows", "used", "tokens", "trained tokens"], rows)
    say(f"answers end with {', '.join(report.stop_tokens) or 'nothing'}; masks: {_text(report.mask_methods)}")
    for offence in report.offences:
        mark = "FAILS" if offence.is_fatal else "note"
        say(f"{mark}: {offence.rule}, {len(offence.ids)} times: {offence.meaning}")
        say(f"  {shorten(offence.ids, 10)}")
    say("the contract holds" if report.is_kept else "the contract is broken: nothing may be trained on this")


def show_training(report: TrainReport) -> None:
    """Shows a finished run."""
    metrics = report.metrics
    show_contract(report.contract)
    rows = [
        ["release", report.release],
        ["base", f"{report.base} at {report.base_revision}"],
        ["training loss", f"{_loss(metrics['first_loss'])} to {_loss(metrics['last_loss'])}"],
        ["best validation loss", _loss(metrics["best_eval_loss"])],
        ["steps", metrics["steps"]],
        ["tokens", f"{metrics['tokens']:,} in {format_seconds(metrics['seconds'])}"],
        ["device", f"{report.device}, {report.precision}"],
        ["id", report.id[:12]],
        ["written to", report.path],
    ]
    print_table("trained", ["what", "value"], rows)


def format_seconds(seconds: float) -> str:
    """Gives a duration as people say it: 42 s, 17 min, 3.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _parts(memory: Memory) -> str:
    parts: Mapping[str, int] = memory.model_dump()
    return ", ".join(f"{name} {value / GIGABYTE:.1f}" for name, value in parts.items() if value >= GIGABYTE / 20)


def _loss(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    if isinstance(value, list):
        return " | ".join(str(part) for part in value)
    return "" if value is None else str(value)
