"""The short form of `make chaos`: one command under every fault, then writers, readers and the service at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the driver found; it runs in a process of its own, because it forks."""
    path = tmp_path_factory.mktemp("chaos") / "told.json"
    command = [sys.executable, str(ROOT / "bench" / "chaos" / "run.py"), "--short", "--crowd", "3", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert path.exists(), done.stdout + done.stderr
    return json.loads(path.read_text())


def test_killed_and_starved_commands_leave_whole_states_and_end_like_undisturbed_ones(told):
    scores = [score for scores in told["matrix"].values() for score in scores.values()]
    assert [failure for score in scores for failure in score["failures"]] == []
    # Faults that are never met prove nothing.
    kills = [scores[fault]["hit"] for scores in told["matrix"].values() for fault in scores if "SIGKILL" in fault]
    assert sum(kills) >= 1


def test_a_crowd_sees_no_half_states_and_loses_nothing(told):
    assert told["crowd"]["failures"] == []
    counts = told["crowd"]["counts"]
    assert counts["reader"]["snapshots"] > 0
    assert counts["export reader"]["exports"] > 0
    assert counts["client"]["acknowledged"] > 0
