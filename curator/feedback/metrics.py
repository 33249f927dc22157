"""Shows what users make of the coach: the metrics by dimension, and the arms of the experiment side by side."""

from typing import TYPE_CHECKING, Any

from curator.cli.output import print_table
from curator.experiments.report import METRICS, report_experiment
from schemas.config import ExperimentConfig

if TYPE_CHECKING:
    from warehouse import Warehouse

_COLUMNS = ("accuracy", "pr_success", "injury_prevention", "satisfaction", "adherence", "relevance")


def read_metrics(snapshot: "Warehouse", config: ExperimentConfig) -> dict[str, Any]:
    """Gives `metrics` (rows of the view of that name) and `arms` (the report of the experiment) as plain values."""
    arms = report_experiment(snapshot.read("experiment_users"), config)
    return {"metrics": snapshot.read("metrics").to_dicts(), "arms": [arm.as_dict() for arm in arms]}


def show_metrics(found: dict[str, Any]) -> None:
    """Prints the metrics, and the experiment where there is one."""
    rows = [
        [row["dimension"], row["value"] or "", row["recommendations"], *(_show(row, name) for name in _COLUMNS)]
        for row in found["metrics"]
    ]
    if not found["metrics"] or not found["metrics"][0]["recommendations"]:
        print_table("no feedback yet: curator ingest feedback", ["metric"], [])
        return
    print_table("", ["by", "", "shown", "accuracy", "PR", "no injury", "rating", "followed", "relevance"], rows)
    if found["arms"]:
        print_table(
            "arms (intervals hold however often you look)",
            ["metric", "arm", "users", "mean", "against control", ""],
            [_show_arm(arm) for arm in found["arms"]],
        )


def _show(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return "-"
    return f"{value:.2f}" if name == "satisfaction" else f"{value:.1%}"


def _show_arm(arm: dict[str, Any]) -> list[Any]:
    difference = arm["difference"]
    interval, decision = "control", ""
    if difference is not None:
        decision = difference["decision"].replace("_", " ")
        interval = "-"
        if difference["low"] is not None:
            interval = f"{difference['estimate']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}]"
    mean = "-" if arm["mean"] is None else f"{arm['mean']:.3f}"
    return [METRICS[arm["metric"]][0], arm["arm"], arm["users"], mean, interval, decision]
