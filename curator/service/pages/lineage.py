"""The lineage picture: sources, releases, adapters, deployments as columns of boxes, lines as wide as their rows."""

from dataclasses import dataclass
from typing import Any

BOX_WIDTH, BOX_HEIGHT, GAP = 152, 40, 14
COLUMN_WIDTH = 224
COLUMNS = ("source", "release", "adapter", "deployment")
MAX_BOXES = 12
MIN_LINE, MAX_LINE = 1.0, 14.0


@dataclass(frozen=True)
class Box:
    """One thing of the picture.

    Attributes:
        kind: One of `COLUMNS`.
        key: Its id.
        title: What stands in it.
        note: What stands below, smaller.
        link: Where it leads.
    """

    kind: str
    key: str
    title: str
    note: str
    link: str


def draw_lineage(
    flows: list[dict[str, Any]], adapters: list[dict[str, Any]], deployments: list[dict[str, Any]]
) -> dict[str, Any]:
    """Gives boxes and lines with their places; the newest of each column, `MAX_BOXES` at most.

    Args:
        flows: `source`, `release_id`, `rows`.
        adapters: `id`, `release_id`, `recipe`, `base`, `rows`.
        deployments: `id`, `adapter_id`, `quantisation`, `endpoint`.
    """
    boxes = _make_boxes(flows, adapters, deployments)
    places: dict[tuple[str, str], tuple[int, int]] = {}
    for column, kind in enumerate(COLUMNS):
        for line, box in enumerate([box for box in boxes if box.kind == kind][:MAX_BOXES]):
            places[kind, box.key] = (column * COLUMN_WIDTH + 1, 28 + line * (BOX_HEIGHT + GAP))
    links = [(("source", row["source"]), ("release", row["release_id"]), row["rows"]) for row in flows]
    links += [(("release", row["release_id"]), ("adapter", row["id"]), row["rows"]) for row in adapters]
    links += [(("adapter", row["adapter_id"]), ("deployment", row["id"]), 0) for row in deployments]
    most = max([rows for *_, rows in links], default=0) or 1
    return {
        "width": (len(COLUMNS) - 1) * COLUMN_WIDTH + BOX_WIDTH + 2,
        "height": max([y for _, y in places.values()], default=28) + BOX_HEIGHT + 4,
        "heads": [(column * COLUMN_WIDTH + 1, f"{kind}s") for column, kind in enumerate(COLUMNS)],
        "boxes": [
            {"box": box, "x": places[box.kind, box.key][0], "y": places[box.kind, box.key][1]}
            for box in boxes
            if (box.kind, box.key) in places
        ],
        "lines": [
            {"path": _curve(places[start], places[end]), "width": _widen(rows, most), "rows": rows}
            for start, end, rows in links
            if start in places and end in places
        ],
    }


def _make_boxes(
    flows: list[dict[str, Any]], adapters: list[dict[str, Any]], deployments: list[dict[str, Any]]
) -> list[Box]:
    by_source: dict[str, int] = {}
    by_release: dict[str, int] = {}
    for row in flows:
        by_source[row["source"]] = by_source.get(row["source"], 0) + row["rows"]
        by_release[row["release_id"]] = by_release.get(row["release_id"], 0) + row["rows"]
    boxes = [Box("source", name, name, f"{rows:,} rows", f"/rows?source={name}") for name, rows in by_source.items()]
    boxes += [
        Box("release", key, key[:12], f"{rows:,} rows", f"/releases?release={key}") for key, rows in by_release.items()
    ]
    boxes += [
        Box("adapter", row["id"], row["recipe"], str(row["base"]).rsplit("/", 1)[-1], f"/releases?model={row['id']}")
        for row in adapters
    ]
    boxes += [
        Box("deployment", row["id"], row["quantisation"], row["endpoint"] or "file", "/releases#deployments")
        for row in deployments
    ]
    return boxes


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT / 2
    to_x, to_y = end[0], end[1] + BOX_HEIGHT / 2
    middle = (x + to_x) / 2
    return f"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}"


def _widen(rows: int, most: int) -> float:
    return round(max(MIN_LINE, MAX_LINE * rows / most), 1)
