"""Is the advice of generated examples right? Every rule, recomputed from the numbers in the text."""

from curator.truth.checker import TruthReport, Violation, check_example, check_truth

__all__ = ["TruthReport", "Violation", "check_example", "check_truth"]
