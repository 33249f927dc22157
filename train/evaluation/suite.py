"""Reads evaluation cases and asks a model all of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.evaluation import CaseResult, EvaluationCase
from train.evaluation.answers import Answers
from train.evaluation.checks import find_failed_checks
from train.evaluation.refusal import is_refusal
from train.evaluation.repetition import measure_repetition
from train.evaluation.similarity import compute_chrf

Move = Callable[[str, int, int], None]
SystemPrompt = Callable[[EvaluationCase], str]


def read_cases(path: Path) -> list[EvaluationCase]:
    """Reads a JSONL file of cases.

    Raises:
        ConfigError: The file cannot be read, a line is no case (file and line are named), or an id occurs twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "name a JSONL file of evaluation cases") from error
    cases: dict[str, EvaluationCase] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = EvaluationCase.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(
                f"{path}:{number}: {where or 'line'}: {first['msg']}", "see schemas/evaluation.py"
            ) from error
        if case.id in cases:
            raise ConfigError(f"{path}:{number}: a second case has the id {case.id!r}", "give each its own")
        cases[case.id] = case
    if not cases:
        raise ConfigError(f"{path}: no cases", "a line is an object of id, category, messages, checks")
    return list(cases.values())


def ask_cases(
    cases: Sequence[EvaluationCase], answers: Answers, system_prompt: SystemPrompt, move: Move = lambda *_: None
) -> list[CaseResult]:
    """Asks a model every case.

    Args:
        cases: What to ask.
        answers: The model.
        system_prompt: Gives the system prompt of a case, or nothing.
        move: Told (what, done, total).
    """
    results = []
    move("cases", 0, len(cases))
    for done, case in enumerate(cases, 1):
        results.append(judge_answer(case, answers.answer(make_messages(case, system_prompt(case)))))
        move("cases", done, len(cases))
    return results


def judge_answer(case: EvaluationCase, answer: str) -> CaseResult:
    """Gives what an answer is worth."""
    return CaseResult(
        case_id=case.id,
        category=case.category,
        role=case.role,
        language=case.language,
        tags=case.tags,
        is_safety=case.is_safety,
        question=case.question,
        answer=answer,
        reference=case.reference,
        failed=find_failed_checks(case, answer),
        similarity=round(compute_chrf(answer, case.reference), 4) if case.reference else None,
        repetition=round(measure_repetition(answer), 4),
        is_refusal=is_refusal(answer),
    )


def make_messages(case: EvaluationCase, system_prompt: str) -> list[dict[str, str]]:
    """Gives a case as a chat model is asked it; a case's own system turn is kept."""
    turns = [{"role": message.role, "content": message.text} for message in case.messages]
    if not system_prompt or turns[0]["role"] == "system":
        return turns
    return [{"role": "system", "content": system_prompt}, *turns]
