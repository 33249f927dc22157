"""The coach as a form: a check-in in, a checked answer out."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict

from curator.service.access import App, ServiceOf
from curator.service.coaching import CheckIn, FitnessAnswer, GolfAnswer, GolfCheckIn, read_answer, spell_check_in
from curator.service.errors import ServiceError
from curator.service.gateway.answering import record_answer, take_order
from curator.service.gateway.prompting import Asked
from curator.service.gateway.routes import FAULTS
from curator.service.gateway.shapes import Json, read_text

router = APIRouter(tags=["coach"])
TRIES = 2
EXAMPLES: dict[str, Example] = {
    "fitness": Example(
        summary="A training log",
        value={
            "kind": "fitness",
            "user": "user-17",
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
        model: The model that gave it, with its version.
        arm: The arm of the experiment that the user is in.
        recommendation_id: What ratings and outcomes refer to; null where answers are not recorded.
        prompt: The conversation that was sent.
        citations: What it may refer to as [1], [2].
        tries: How often the model was asked until its answer had the right form.
    """

    model_config = ConfigDict(frozen=True)

    answer: FitnessAnswer | GolfAnswer
    model: str
    arm: str | None
    recommendation_id: str | None
    prompt: list[dict[str, str]]
    citations: list[dict[str, Any]]
    tries: int


@router.post("/coach", responses=FAULTS)
async def coach(
    check_in: Annotated[CheckIn, Body(openapi_examples=EXAMPLES)], service: ServiceOf, client: App
) -> CoachReply:
    """Answers a training log or the scores of a swing; an answer of the wrong form is asked for once more, then 502.

    For golf the answer has exactly the three headed parts; for fitness its loads must follow from the log. What was
    answered is in the journal; events about it carry its `recommendation_id`.
    """
    if isinstance(check_in, GolfCheckIn) != (service.pack.name == "golf"):
        raise ServiceError(422, f"kind {check_in.kind!r}: this service speaks {service.pack.name}")
    inputs = check_in.model_dump(mode="json", exclude={"role", "profile", "user"}, exclude_none=True)
    asked = Asked(spell_check_in(check_in), [], None, check_in.role, check_in.profile, check_in.user, inputs)
    order = await take_order(service, client, asked, {})
    body, fault = order.body, ""
    for attempt in range(1, TRIES + 1):
        text = read_text(await order.model.backend.complete(body))
        answer, fault = read_answer(check_in, text)
        if answer is not None:
            await record_answer(service, order, answer.text)
            told = {name: value for name, value in order.describe().items() if name != "role"}
            return CoachReply(answer=answer, prompt=order.list_turns(), tries=attempt, **told)
        body = _ask_again(body, text, fault)
    raise ServiceError(502, f"the model's answer has the wrong form: {fault}", "another model, or ask again")


def _ask_again(body: Json, text: str, fault: str) -> Json:
    said = [{"role": "assistant", "content": text or "-"}, {"role": "user", "content": fault}]
    return {**body, "messages": [*body["messages"], *said], "temperature": 0.2}
