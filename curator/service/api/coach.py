"""The coach as a form: a check-in in, a checked answer out."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict

from curator.service.access import App, ServiceOf
from curator.service.coaching import CheckIn, FitnessAnswer, GolfAnswer, GolfCheckIn, read_answer, spell_check_in
from curator.service.errors import ServiceError
from curator.service.gateway.prompting import Asked
from curator.service.gateway.routes import FAULTS, make_body, make_prompt
from curator.service.gateway.shapes import Json, read_text

router = APIRouter(tags=["coach"])
TRIES = 2
EXAMPLES: dict[str, Example] = {
    "fitness": Example(
        summary="A training log",
        value={
            "kind": "fitness",
            "exercise": "Squat",
            "load": 100,
            "unit": "kg",
            "target_sets": 3,
            "target_reps": 5,
            "sessions": [{"sets": [{"reps": 5, "rpe": 8}, {"reps": 5, "rpe": 8}, {"reps": 5, "rpe": 8.5}]}],
        },
    ),
    "golf": Example(
        summary="The scores of a swing",
        value={
            "kind": "golf",
            "area": "setup",
            "target": 0.7,
            "swing_type": "power",
            "scores": {
                "setup": 0.31, "tempo and rhythm": 0.55, "weight shift": 0.49, "body rotation": 0.52,
                "impact": 0.47, "follow-through": 0.58, "balance": 0.38, "consistency": 0.45,
            },
        },
    ),
}  # fmt: skip


class CoachReply(BaseModel):
    """A checked answer.

    Attributes:
        answer: Its structure.
        model: The model that gave it.
        prompt: What was sent, for the event of feedback.
        citations: What it may refer to as [1], [2].
        tries: How often the model was asked until its answer had the right form.
    """

    model_config = ConfigDict(frozen=True)

    answer: FitnessAnswer | GolfAnswer
    model: str
    prompt: list[dict[str, str]]
    citations: list[dict[str, Any]]
    tries: int


@router.post("/coach", responses=FAULTS)
async def coach(
    check_in: Annotated[CheckIn, Body(openapi_examples=EXAMPLES)],
    service: ServiceOf,
    client: App,  # noqa: ARG001
) -> CoachReply:
    """Answers a training log or the scores of a swing; an answer of the wrong form is asked for once more, then 502.

    For golf the answer has exactly the three headed parts; for fitness its loads must follow from the log.
    """
    if isinstance(check_in, GolfCheckIn) != (service.pack.name == "golf"):
        raise ServiceError(422, f"kind {check_in.kind!r}: this service speaks {service.pack.name}")
    prompt = await make_prompt(service, Asked(spell_check_in(check_in), [], None, check_in.role, check_in.profile))
    body = await make_body(service, prompt, {})
    fault = ""
    for attempt in range(1, TRIES + 1):
        text = read_text(await service.backend.complete(body))
        answer, fault = read_answer(check_in, text)
        if answer is not None:
            return CoachReply(
                answer=answer, model=body["model"], prompt=prompt.messages, citations=prompt.citations, tries=attempt
            )
        body = _ask_again(body, text, fault)
    raise ServiceError(502, f"the model's answer has the wrong form: {fault}", "another model, or ask again")


def _ask_again(body: Json, text: str, fault: str) -> Json:
    said = [{"role": "assistant", "content": text or "-"}, {"role": "user", "content": fault}]
    return {**body, "messages": [*body["messages"], *said], "temperature": 0.2}
