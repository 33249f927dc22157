"""Is the advice of generated examples right? Every rule, recomputed from the numbers in the text."""

from curator.truth.checker import TruthReport, Violation, check_example, check_truth
from curator.truth.mutation import change_advice

__all__ = ["TruthReport", "Violation", "change_advice", "check_example", "check_truth"]
