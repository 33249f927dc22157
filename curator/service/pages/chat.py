"""Chat: talk to the served model; each answer is rated as the coaching application's users would rate it.

Answers stream through the gateway (`/v1/chat/completions`), which finds the user's arm and records what it answered;
ratings go to the journal (`/api/v1/events`), both from the browser. The page only shows the arm, or keeps it back until
the answer is rated.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from curator.service.access import App, ServiceOf
from curator.service.gateway.prompting import name_model
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute

router = APIRouter(route_class=PageRoute)

OUTCOMES = (
    ("achieved", "reached the goal"),
    ("held", "nothing got worse"),
    ("too_hard", "was too hard"),
    ("missed", "did not happen"),
    ("injury", "something hurt"),
)


@router.get("/chat")
def show_chat(request: Request, service: ServiceOf, client: App) -> Response:
    """Gives the page."""
    roles = [(name_model(service.pack, str(role)), str(role)) for role in service.pack.roles]
    return render_page(
        request,
        "chat.html",
        page="chat",
        roles=sorted(roles, key=lambda role: role[1] != "coach"),
        arms=service.arms.names,
        outcomes=OUTCOMES,
        user=client.name,
        is_served=service.models.is_configured,
    )
