"""What an experiment shows: each arm's means, and its difference from the control with an always-valid interval."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from curator.experiments.anytime import Decision, Difference, Sample, compare_means
from schemas.config import ExperimentConfig

if TYPE_CHECKING:
    import polars as pl

METRICS = {
    "mean_rating": ("rating, 1-5", (1.0, 5.0)),
    "follow_rate": ("followed", (0.0, 1.0)),
    "achieved_rate": ("PR or goal achieved", (0.0, 1.0)),
    "injury_rate": ("injured", (0.0, 1.0)),
}
"""Column of `experiment_users`: how it is called, and its range."""
LOWER_IS_BETTER = ("injury_rate",)


@dataclass(frozen=True)
class ArmMetric:
    """One metric of one arm.

    Attributes:
        arm: Name of the arm.
        metric: Column of `experiment_users`.
        users: Users for whom it is known; each counts once, by the mean of their recommendations.
        mean: Over users; None without any.
        difference: From the control; None for the control itself.
    """

    arm: str
    metric: str
    users: int
    mean: float | None
    difference: Difference | None

    def as_dict(self) -> dict[str, Any]:
        """Gives plain values; an interval without ends is null."""
        found = asdict(self)
        if self.difference is not None and not math.isfinite(self.difference.low):
            found["difference"] |= {"estimate": None, "low": None, "high": None}
        return found


def report_experiment(users: "pl.DataFrame", config: ExperimentConfig) -> list[ArmMetric]:
    """Compares every arm with the control on every metric.

    With several arms and metrics the error probability is shared out equally among the comparisons (Bonferroni), so
    that `alpha` bounds the chance of any false winner in the whole report, however often it is looked at.

    Args:
        users: `arm`, `mean_rating`, `follow_rate`, `achieved_rate`, `injury_rate`: one row a user.
        config: Arms, control, minimum sample, alpha. Arms that have users but are not configured are shown too.
    """
    names = sorted({arm.name for arm in config.arms} | set(users["arm"].to_list()))
    if not names:
        return []
    control = config.control or (config.arms[0].name if config.arms else names[0])
    comparisons = max(1, (len(names) - 1) * len(METRICS))
    report = []
    for metric, (_, limits) in METRICS.items():
        samples = {name: _measure(users, name, metric, limits) for name in names}
        for name in names:
            difference = None
            if name != control:
                difference = compare_means(
                    samples[name],
                    samples.get(control, Sample(0, 0.0, 0.0)),
                    alpha=config.alpha / comparisons,
                    min_sample=config.min_sample,
                )
            count = samples[name].count
            report.append(
                ArmMetric(
                    name,
                    metric,
                    count,
                    _unscale(samples[name].mean, limits) if count else None,
                    _unscale_difference(difference, limits, is_reversed=metric in LOWER_IS_BETTER),
                )
            )
    return report


def _measure(users: "pl.DataFrame", arm: str, metric: str, limits: tuple[float, float]) -> Sample:
    """Gives the sample of an arm, scaled to 0-1 so that the floor of the variance means the same for every metric."""
    values = users.filter(users["arm"] == arm)[metric].drop_nulls()
    scaled = (values - limits[0]) / (limits[1] - limits[0])
    stats: Mapping[str, Any] = {"mean": scaled.mean(), "var": scaled.var()}
    return Sample(scaled.len(), float(stats["mean"] or 0.0), float(stats["var"] or 0.0))


def _unscale(mean: float, limits: tuple[float, float]) -> float:
    return limits[0] + mean * (limits[1] - limits[0])


def _unscale_difference(
    difference: Difference | None, limits: tuple[float, float], *, is_reversed: bool
) -> Difference | None:
    if difference is None:
        return None
    width = limits[1] - limits[0]
    decision = _REVERSED.get(difference.decision, difference.decision) if is_reversed else difference.decision
    return Difference(difference.estimate * width, difference.low * width, difference.high * width, decision)


_REVERSED: dict[Decision, Decision] = {"better": "worse", "worse": "better"}
