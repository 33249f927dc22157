"""Example bodies for the OpenAPI document."""

from fastapi.openapi.models import Example

_HEAD = {"recommendation_id": "rec-2026-0001", "occurred_at": "2026-03-02T18:30:00+00:00", "user": "user-17"}

EVENT_EXAMPLES: dict[str, Example] = {
    "recommendation": Example(
        summary="A recommendation was shown",
        value={
            **_HEAD,
            "kind": "recommendation",
            "event_id": "shown-0001",
            "profile": {"training_age_years": 2, "equipment": ["barbell"]},
            "inputs": {"exercise": "squat", "sets": 5, "reps": 5, "load_kg": 100, "rpe": 8},
            "prompt": [{"role": "user", "content": "I squatted 5x5 at 100 kg, RPE 8. What next?"}],
            "answer": "Take 102.5 kg for 5x5 next time and keep a repetition in reserve.",
            "model": "coach-q8_0",
            "arm": "direct",
            "role": "coach",
        },
    ),
    "rating": Example(
        summary="The user rated it", value={**_HEAD, "kind": "rating", "event_id": "rating-0001", "rating": 5}
    ),
    "adherence": Example(
        summary="The user did it",
        value={**_HEAD, "kind": "adherence", "event_id": "followed-0001", "is_followed": True},
    ),
    "outcome": Example(
        summary="A week later",
        value={**_HEAD, "kind": "outcome", "event_id": "outcome-0001", "outcome": "achieved", "detail": "102.5 kg 5x5"},
    ),
    "correction": Example(
        summary="What should have been said",
        value={**_HEAD, "kind": "correction", "event_id": "fix-0001", "corrected_answer": "Stay at 100 kg once more."},
    ),
}
SQL_EXAMPLES: dict[str, Example] = {
    "mix": Example(
        summary="Rows by category",
        value={"sql": "select category, count(*) as rows from corpus group by category order by rows desc"},
    ),
    "page": Example(
        summary="The second page, sorted",
        value={"sql": "select id, tokens from corpus", "offset": 100, "limit": 100, "order_by": 1, "descending": True},
    ),
}
DECISION_EXAMPLES: dict[str, Example] = {
    "accept": Example(summary="Keep it", value={"kind": "accept", "subject": "4f0e5b6c7d8e4f0e5b6c7d8e4f0e5b6c"}),
    "reject": Example(
        summary="Throw it out",
        value={"kind": "reject", "subject": "4f0e5b6c7d8e4f0e5b6c7d8e4f0e5b6c", "reason": "bad_advice"},
    ),
    "relabel": Example(
        summary="Another category",
        value={"kind": "relabel", "subject": "4f0e5b6c7d8e4f0e5b6c7d8e4f0e5b6c", "category": "recovery"},
    ),
    "edit": Example(
        summary="Written anew",
        value={
            "kind": "edit",
            "subject": "4f0e5b6c7d8e4f0e5b6c7d8e4f0e5b6c",
            "messages": [
                {"role": "user", "content": "How deep should I squat?"},
                {"role": "assistant", "content": "As deep as your back stays flat and your heels stay down."},
            ],
        },
    ),
}
