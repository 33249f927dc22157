"""Pictures as files: the mix against its target, the similarities of duplicates."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET, RELEASED, KEPT = "#9aa5b1", "#1f77b4", "#a6cee3"
SUFFIXES = (".png", ".svg", ".pdf")


def plot_mix(mix: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draws kept and released share of each category beside its target.

    Args:
        mix: Rows of the view `mix`.
        path: A .png, .svg or .pdf file.

    Raises:
        ConfigError: Another ending.
    """
    figure = _make_figure(len(mix))
    axes = figure.subplots()
    places = range(len(mix))
    bars = (("target", "target_share", TARGET), ("kept", "kept_share", KEPT), ("released", "released_share", RELEASED))
    for offset, (label, key, colour) in enumerate(bars):
        values = [100 * (row[key] or 0.0) for row in mix]
        drawn = axes.barh([p + 0.27 * (offset - 1) for p in places], values, 0.25, label=label, color=colour)
        axes.bar_label(drawn, fmt="%.1f", padding=3, fontsize=8)
    axes.set_yticks(list(places), [str(row["category"]).replace("_", " ") for row in mix])
    axes.invert_yaxis()
    axes.set_xlabel("share of the corpus, %")
    released = sum(row["released"] or 0 for row in mix)
    axes.set_title(f"Mix against target: {released:,} rows released of {sum(row['kept'] for row in mix):,} kept")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    _save(figure, path)


def plot_similarities(similarities: Sequence[float], threshold: float, path: Path) -> None:
    """Draws how similar removed rows are to the rows that stand for them.

    Raises:
        ConfigError: The file's ending is unknown.
    """
    figure = _make_figure(6)
    axes = figure.subplots()
    axes.hist(list(similarities), bins=40, range=(min(0.7, threshold), 1.0), color=RELEASED)
    axes.axvline(threshold, color="#d62728", linewidth=1.2, label=f"threshold {threshold:g}")
    axes.set_xlabel("true Jaccard similarity to the representative")
    axes.set_ylabel("rows")
    axes.set_title(f"{len(similarities):,} removed near-duplicates")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _make_figure(rows: int) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(8, 1.6 + 0.55 * rows), layout="constrained", dpi=120)


def _save(figure: "Figure", path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: unknown kind of picture", f"expected one of {', '.join(SUFFIXES)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a date and with fixed ids the same figures give the same bytes.
    metadata = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else {}
    # In memory first: on a disk that refuses, matplotlib's PDF writer ends in an AttributeError of its own.
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix[1:], metadata=metadata)
    path.write_bytes(picture.getvalue())
