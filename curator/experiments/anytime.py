"""Comparing two arms while looking as often as one likes: intervals that hold at all times at once.

Asymptotic confidence sequences: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences", Annals of Statistics 52 (2024), theorem 2.2; for the difference of two arms the
estimator is the mean of their influence functions (section 3), whose variance is s1²/p + s0²/(1 - p) for a share p of
users in the first arm. An ordinary 95 % interval that is looked at after every batch is wrong far more often than 5 %.
"""

import math
from dataclasses import dataclass
from typing import Literal

Decision = Literal["better", "worse", "undecided", "too_few"]


@dataclass(frozen=True)
class Sample:
    """What is known of one arm.

    Attributes:
        count: Users with an outcome; each counts once.
        mean: Of the outcome.
        variance: Of the outcome (n - 1 in the denominator).
    """

    count: int
    mean: float
    variance: float


@dataclass(frozen=True)
class Difference:
    """An arm against the control.

    Attributes:
        estimate: Mean of the arm minus mean of the control.
        low: Lower end of the interval, which holds at all times at once.
        high: Upper end.
        decision: better or worse only where the interval leaves 0 out and both arms have the minimum sample.
    """

    estimate: float
    low: float
    high: float
    decision: Decision


def compare_means(arm: Sample, control: Sample, *, alpha: float = 0.05, min_sample: int = 100) -> Difference:
    """Gives the difference of two means with its anytime-valid interval.

    Args:
        arm: The newcomer.
        control: What it is measured against.
        alpha: Probability of ever leaving the true difference out, over all looks, 0-1.
        min_sample: Users each arm must have before anything is decided; the interval is tightest at twice as many.
    """
    estimate = arm.mean - control.mean
    if min(arm.count, control.count) < 2:
        return Difference(estimate, -math.inf, math.inf, "too_few")
    deviation = math.sqrt(_influence_variance(arm, control))
    half = deviation * interval_radius(arm.count + control.count, 2 * min_sample, alpha)
    difference = (estimate, estimate - half, estimate + half)
    return Difference(*difference, find_decision(*difference[1:], min(arm.count, control.count) >= min_sample))


def find_decision(low: float, high: float, is_enough: bool) -> Decision:
    """Gives what an interval says; nothing is said before the minimum sample."""
    if not is_enough:
        return "too_few"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "undecided"


def interval_radius(count: int, tightest_at: int, alpha: float) -> float:
    """Gives half the width of the interval of a mean with variance 1 after `count` observations.

    Args:
        count: Observations so far.
        tightest_at: Where the sequence is to be narrowest; it holds everywhere (equation 8 of the paper chooses rho).
        alpha: Error probability over all times.
    """
    log_term = -2.0 * math.log(alpha)
    rho_squared = (log_term + math.log(log_term + 1.0)) / tightest_at
    spread = count * rho_squared + 1.0
    return math.sqrt(2.0 * spread / (count**2 * rho_squared) * math.log(math.sqrt(spread) / alpha))


def _influence_variance(arm: Sample, control: Sample) -> float:
    share = arm.count / (arm.count + control.count)
    # A run of equal outcomes has variance 0 and would decide at once: half an observation of each kind keeps it honest.
    smallest = [0.5 / (sample.count + 1) for sample in (arm, control)]
    return max(arm.variance, smallest[0]) / share + max(control.variance, smallest[1]) / (1.0 - share)
