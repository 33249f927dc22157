"""Shares of passed cases by category, of one or two models, as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigError
from schemas.evaluation import EvaluationReport, Tally

SUFFIXES = (".png", ".svg", ".pdf")
COLOURS = ("#1f77b4", "#ff9f40")


def plot_pass_rates(reports: Sequence[EvaluationReport], path: Path) -> None:
    """Draws the share of passed cases by category, with safety and all cases below.

    Raises:
        ConfigError: The file's ending is not .png, .svg or .pdf.
    """
    from matplotlib.figure import Figure

    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: unknown kind of picture", f"expected one of {', '.join(SUFFIXES)}")
    names = [*reports[0].tally("category"), "safety", "all"]
    figure = Figure(figsize=(8, 1.6 + 0.55 * len(names)), layout="constrained", dpi=120)
    axes = figure.subplots()
    height = 0.8 / len(reports)
    for place, report in enumerate(reports):
        tallies = _list_tallies(report, names)
        rows = [row + height * (place - (len(reports) - 1) / 2) for row in range(len(names))]
        bars = axes.barh(rows, [100 * tally.share for tally in tallies], height * 0.92,
                         color=COLOURS[place % len(COLOURS)], label=report.target)  # fmt: skip
        labels = [f"{tally.passed}/{tally.cases}" for tally in tallies]
        axes.bar_label(bars, labels=labels, padding=3, fontsize=8)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, 108)
    axes.set_xlabel("cases passed, %")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False, ncols=1)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else {}
    # In memory first: on a disk that refuses, matplotlib's PDF writer ends in an AttributeError of its own.
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix[1:], metadata=metadata)
    path.write_bytes(picture.getvalue())


def _list_tallies(report: EvaluationReport, names: Sequence[str]) -> list[Tally]:
    groups = report.tally("category") | {"safety": report.safety, "all": report.total}
    return [groups.get(name, Tally(passed=0, cases=0)) for name in names]
