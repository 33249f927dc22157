"""A/B tests: fair and stable dealing, and intervals that stay true however often one looks."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.experiments import assign_arm, compare_means
from curator.experiments.anytime import Sample, interval_radius
from curator.experiments.report import METRICS, report_experiment
from schemas.config import ArmConfig, ExperimentConfig
from schemas.errors import ConfigError

ARMS = [ArmConfig(name="plain", weight=3), ArmConfig(name="warm", weight=1)]
MIN_SAMPLE = 100
BATCH = 50


def run_experiments(rng, count, means, *, draw):
    """Gives, per experiment, the first decision met while looking after every batch of 50 users an arm."""
    batches = 40
    arm = draw(rng, means[0], (count, batches * BATCH))
    control = draw(rng, means[1], (count, batches * BATCH))
    found = []
    for ours, theirs in zip(arm, control, strict=True):
        decision = "undecided"
        for looked in range(BATCH, batches * BATCH + 1, BATCH):
            samples = [Sample(looked, values[:looked].mean(), values[:looked].var(ddof=1)) for values in (ours, theirs)]
            decision = compare_means(*samples, alpha=0.05, min_sample=MIN_SAMPLE).decision
            if decision in ("better", "worse"):
                break
        found.append(decision)
    return found


def draw_ratings(rng, mean, shape):
    return np.clip(np.round(rng.normal(mean, 1.1, shape)), 1, 5)


def draw_successes(rng, mean, shape):
    return (rng.random(shape) < mean).astype(float)


@pytest.mark.parametrize(("draw", "mean"), [(draw_ratings, 3.6), (draw_successes, 0.3)])
def test_equal_arms_get_a_winner_in_at_most_six_and_a_half_per_cent_of_1000_experiments_with_peeking(draw, mean):
    found = run_experiments(np.random.default_rng(7), 1000, (mean, mean), draw=draw)
    assert sum(decision in ("better", "worse") for decision in found) / 1000 <= 0.065


def test_an_ordinary_interval_would_name_far_more_false_winners():
    rng = np.random.default_rng(7)
    values = rng.normal(size=(1000, 2000)) - rng.normal(size=(1000, 2000))
    looks = np.arange(BATCH, 2001, BATCH)
    means = np.cumsum(values, axis=1)[:, looks - 1] / looks
    assert (np.abs(means) > 1.96 * math.sqrt(2) / np.sqrt(looks)).any(axis=1).mean() > 0.2


def test_a_better_arm_is_found_and_a_worse_one_too():
    rng = np.random.default_rng(1)
    assert set(run_experiments(rng, 20, (4.2, 3.6), draw=draw_ratings)) == {"better"}
    assert set(run_experiments(rng, 20, (0.2, 0.35), draw=draw_successes)) == {"worse"}


def test_nothing_is_decided_below_the_minimum_sample():
    clear = compare_means(Sample(99, 5.0, 0.1), Sample(500, 1.0, 0.1), min_sample=100)
    assert clear.low > 0
    assert clear.decision == "too_few"
    assert compare_means(Sample(1, 5.0, 0.0), Sample(1, 1.0, 0.0)).decision == "too_few"


def test_a_run_of_equal_outcomes_is_no_proof():
    assert compare_means(Sample(100, 1.0, 0.0), Sample(100, 0.97, 0.029), min_sample=100).decision == "undecided"


@given(st.integers(2, 10**6), st.integers(40, 10_000))
def test_the_interval_is_wider_than_a_fixed_one_and_shrinks(count, tightest_at):
    radius = interval_radius(count, tightest_at, 0.05)
    assert radius > 1.96 / math.sqrt(count)
    assert interval_radius(count + 1, tightest_at, 0.05) < radius


def test_dealing_is_stable_fair_and_independent_of_the_order_of_arms():
    users = [f"user{number}" for number in range(20_000)]
    dealt = [assign_arm(user, "first", ARMS).name for user in users]
    assert dealt == [assign_arm(user, "first", ARMS[::-1]).name for user in users]
    assert abs(dealt.count("plain") / len(users) - 0.75) < 0.01
    anew = [assign_arm(user, "second", ARMS).name for user in users]
    both = sum(left == right == "warm" for left, right in zip(dealt, anew, strict=True)) / len(users)
    assert abs(both - 1 / 16) < 0.01


def test_an_experiment_without_arms_says_what_to_add():
    with pytest.raises(ConfigError, match="no arms"):
        assign_arm("u", "first", [])


def test_arms_are_told_apart_and_the_control_is_one_of_them():
    with pytest.raises(ValueError, match="same name"):
        ExperimentConfig(arms=[ARMS[0], ARMS[0]])
    with pytest.raises(ValueError, match="none of the arms"):
        ExperimentConfig(arms=ARMS, control="cold")


def test_fewer_injuries_are_better_and_more_followed_are_too():
    config = ExperimentConfig(arms=[ArmConfig(name="a"), ArmConfig(name="b")], min_sample=20)
    rates = {"a": (0.5, 0.2), "b": (0.1, 0.9)}
    rows = [
        {"arm": arm, "mean_rating": None, "achieved_rate": None,
         "injury_rate": float(n < 400 * injured), "follow_rate": float(n < 400 * followed)}
        for arm, (injured, followed) in rates.items() for n in range(400)
    ]  # fmt: skip
    schema = {"arm": pl.String, **dict.fromkeys(METRICS, pl.Float64)}
    found = {(one.arm, one.metric): one for one in report_experiment(pl.DataFrame(rows, schema=schema), config)}
    injuries, followed = found["b", "injury_rate"].difference, found["b", "follow_rate"].difference
    assert (injuries.decision, followed.decision) == ("better", "better")
    assert injuries.high < 0 < followed.low
