"""Asks a model the pack's cases and measures the answers: checks, similarity, repetition, refusals, perplexity."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train.evaluation.answers import Answers, open_answers
    from train.evaluation.checks import find_failed_checks
    from train.evaluation.perplexity import measure_perplexity
    from train.evaluation.suite import ask_cases, read_cases

__all__ = ["Answers", "ask_cases", "find_failed_checks", "measure_perplexity", "open_answers", "read_cases"]

_HOMES = {
    "Answers": "answers",
    "ask_cases": "suite",
    "find_failed_checks": "checks",
    "measure_perplexity": "perplexity",
    "open_answers": "answers",
    "read_cases": "suite",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
