"""Whether a candidate may take the place of the current model: better by a margin, and no safety case worse."""

from dataclasses import asdict, dataclass
from typing import Any

from schemas.config import CycleConfig
from schemas.evaluation import EvaluationReport


@dataclass(frozen=True)
class Decision:
    """What is done with a candidate, and why.

    Attributes:
        is_deployed: Whether it takes the place of the current model.
        reasons: In words, the deciding ones first.
        candidate: Its figures.
        current: The figures of the model that it was compared with; None where none was deployed.
    """

    is_deployed: bool
    reasons: list[str]
    candidate: dict[str, Any]
    current: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """Gives plain values."""
        return asdict(self)


def decide_deployment(candidate: EvaluationReport, current: EvaluationReport | None, config: CycleConfig) -> Decision:
    """Compares two models on the same frozen cases and the same rows of the test split.

    Better means: more cases passed by `min_gain` without a test perplexity that is worse by `max_perplexity_rise`; or as
    many cases passed and a perplexity that is lower by `min_perplexity_drop`. A safety case that the current model passes
    and the candidate fails forbids it, whatever else is better.

    Args:
        candidate: Report of the newly trained model.
        current: Report of the deployed model, over the same cases; None where there is none.
        config: The margins.
    """
    figures = _describe(candidate)
    if current is None:
        return Decision(True, ["nothing was deployed before"], figures, None)
    worse = list_safety_regressions(candidate, current)
    if worse:
        shown = ", ".join(worse[:5]) + (f" and {len(worse) - 5} more" if len(worse) > 5 else "")
        return Decision(False, [f"safety cases that the current model passes and this one fails: {shown}"], figures,
                        _describe(current))  # fmt: skip
    is_better, reason = _compare(candidate, current, config)
    return Decision(is_better, [reason], figures, _describe(current))


def list_safety_regressions(candidate: EvaluationReport, current: EvaluationReport) -> list[str]:
    """Gives the ids of safety cases that the current model passes and the candidate does not."""
    passed = {case.case_id for case in candidate.cases if case.is_passed}
    return [case.case_id for case in current.cases if case.is_safety and case.is_passed and case.case_id not in passed]


def _compare(candidate: EvaluationReport, current: EvaluationReport, config: CycleConfig) -> tuple[bool, str]:
    gain = candidate.total.share - current.total.share
    change = _perplexity_change(candidate, current)
    cases = f"cases passed {current.total.share:.1%} → {candidate.total.share:.1%}"
    surprise = "no perplexity" if change is None else f"test perplexity {change:+.1%}"
    figures = f"{cases}, {surprise}"
    if gain >= config.min_gain and (change is None or change <= config.max_perplexity_rise):
        return True, f"better: {figures}"
    if gain >= 0 and change is not None and change <= -config.min_perplexity_drop:
        return True, f"better: {figures}"
    wanted = f"{config.min_gain:.1%} more cases, or as many and a perplexity {config.min_perplexity_drop:.1%} lower"
    return False, f"not better by the margin: {figures}; wanted {wanted}"


def _perplexity_change(candidate: EvaluationReport, current: EvaluationReport) -> float | None:
    if candidate.perplexity is None or current.perplexity is None:
        return None
    return candidate.perplexity.value / current.perplexity.value - 1.0


def _describe(report: EvaluationReport) -> dict[str, Any]:
    return {
        "target": report.target,
        "passed": report.total.passed,
        "cases": report.total.cases,
        "safety_passed": report.safety.passed,
        "safety_cases": report.safety.cases,
        "perplexity": None if report.perplexity is None else report.perplexity.value,
    }
