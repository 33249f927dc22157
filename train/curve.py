"""The loss curve as PNG and PDF: training and validation loss by step, with the tokens seen on a second axis."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TRAIN, VALIDATION = "#1f77b4", "#d62728"


def plot_loss(metrics: Sequence[Mapping[str, Any]], folder: Path, title: str) -> list[Path]:
    """Draws the loss of a run.

    Args:
        metrics: Lines of `metrics.jsonl`: `step`, `tokens`, and `loss` or `eval_loss`.
        folder: Gets `loss.png` and `loss.pdf`.
        title: Stands above the curve.

    Returns:
        The files; none when nothing was measured.
    """
    train = [(row["step"], row["loss"]) for row in metrics if "loss" in row]
    validation = [(row["step"], row["eval_loss"]) for row in metrics if "eval_loss" in row]
    if not train:
        return []
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained", dpi=120)
    axes = figure.subplots()
    axes.plot(*zip(*train, strict=True), color=TRAIN, linewidth=1.4, label="training")
    if validation:
        axes.plot(*zip(*validation, strict=True), color=VALIDATION, marker="o", markersize=4, label="validation")
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("loss (nats a token)")
    axes.set_title(title)
    axes.spines[["right"]].set_visible(False)
    axes.legend(frameon=False)
    _add_tokens(axes, [(row["step"], row["tokens"]) for row in metrics if row.get("tokens")])
    paths = [folder / "loss.png", folder / "loss.pdf"]
    for path in paths:
        # Without a date the same run gives the same bytes.
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else {}
        # In memory first: on a disk that refuses, matplotlib's PDF writer ends in an AttributeError of its own.
        picture = io.BytesIO()
        figure.savefig(picture, format=path.suffix[1:], metadata=metadata)
        path.write_bytes(picture.getvalue())
    return paths


def _add_tokens(axes: Any, seen: Sequence[tuple[int, int]]) -> None:
    """Adds the second axis; steps and tokens grow together, so their ratio is the scale."""
    if not seen or not seen[-1][0]:
        return
    per_step = seen[-1][1] / seen[-1][0]
    second = axes.secondary_xaxis("top", functions=(lambda x: x * per_step, lambda x: x / per_step))
    second.set_xlabel("tokens seen")
