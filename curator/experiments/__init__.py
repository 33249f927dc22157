"""A/B tests of coaching: who sees which arm, what came of it, and when one may say that an arm is better."""

from curator.experiments.anytime import Difference, compare_means, find_decision
from curator.experiments.assignment import assign_arm

__all__ = ["Difference", "assign_arm", "compare_means", "find_decision"]
