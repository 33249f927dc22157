"""One row: its conversation, where it came from, what every stage decided, and the cluster that it is in."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from curator.service.access import Reader, ServiceOf
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute
from curator.service.pages.word_diff import diff_words, shorten
from curator.why import read_life
from schemas.errors import ConfigError
from warehouse import Warehouse

router = APIRouter(route_class=PageRoute)

MAX_MEMBERS = 8
STAGES = ("extract", "screen", "categorise", "dedup", "split", "review", "balance")


@router.get("/rows/{subject:path}")
def show_row(request: Request, subject: str, service: ServiceOf, client: Reader) -> Response:  # noqa: ARG001
    """Gives the whole life of an example or document."""
    with service.reader.open() as snapshot:
        try:
            life = read_life(snapshot, subject)
        except ConfigError as error:
            return render_page(
                request, "refusal.html", status=404, page="rows", title="No such row",
                message=error.message, hint=error.hint,
            )  # fmt: skip
        cluster = _compare_cluster(snapshot, life["id"]) if life["noun"] != "document" else None
    life["verdicts"] = sorted(life["verdicts"], key=_place_of)
    # Seconds and their parts say nothing here.
    origin = {
        name: str(value)[:16] if name.endswith("_at") else value
        for name, value in life["origin"].items()
        if value not in (None, "")
    }
    return render_page(
        request, "row.html", page="rows", life=life, origin=origin, cluster=cluster, verdict=_sum_up(life)
    )


def _place_of(verdict: dict[str, Any]) -> tuple[int, str]:
    stage = verdict["stage"]
    return (STAGES.index(stage) if stage in STAGES else len(STAGES), stage)


def _sum_up(life: dict[str, Any]) -> dict[str, Any]:
    """Gives what became of the row, in one tag: not chosen by `balance` is still kept."""
    against = [verdict for verdict in life["verdicts"] if not verdict["is_kept"] and verdict["stage"] != "balance"]
    if against:
        return {"is_kept": False, "text": f"{against[0]['stage']}: {against[0]['reason'].replace('_', ' ')}"}
    if life["noun"] == "document":
        made = len(life["examples"])
        return {"is_kept": made > 0, "text": f"gave {made} examples" if made else "gave no example"}
    return {"is_kept": True, "text": "kept, in a release" if life["releases"] else "kept"}


def _compare_cluster(snapshot: Warehouse, example_id: str) -> dict[str, Any] | None:
    """Gives the cluster with a word diff of each member against the representative."""
    found = snapshot.read("pages/cluster_of", id=example_id).to_dicts()
    if not found:
        return None
    return {**found[0], **compare_members(snapshot, found[0]["cluster_id"], example_id)}


def compare_members(snapshot: Warehouse, cluster_id: str, shown_first: str = "") -> dict[str, Any]:
    """Gives the representative of a cluster and its members as word diffs against it, the wanted one first."""
    rows = snapshot.read("pages/cluster_texts", cluster=cluster_id, limit=200).to_dicts()
    kept = rows[0]
    text = _join(kept)
    members = sorted(rows[1:], key=lambda row: row["id"] != shown_first)
    compared = [{**row, "parts": shorten(diff_words(text, _join(row)))} for row in members[:MAX_MEMBERS]]
    return {"representative": {**kept, "text": text}, "compared": compared, "hidden": len(members) - len(compared)}


def _join(row: dict[str, Any]) -> str:
    return f"{row['prompt'] or ''}\n\n{row['answer'] or ''}".strip()
