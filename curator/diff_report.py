"""What differs between two releases, for a person: rows, mix, reasons, duplicates, rights, models."""

from collections.abc import Mapping
from typing import Any

from curator.cli.output import print_table, say


def show_diff(found: Mapping[str, Any]) -> None:
    """Shows what differs between two releases."""
    left, right = found["left"], found["right"]
    say(f"{left} → {right}: " + (", ".join(f"{n:,} {w}" for w, n in found["counts"].items()) or "equal"))
    mix = found["mix"]
    print_table("", ["category", left, right], [[name, mix["left"][name], mix["right"][name]] for name in mix["left"]])
    for title, reasons in (("rows in", found["in_by_reason"]), ("rows out", found["by_reason"])):
        if reasons:
            print_table(title, ["reason", "rows"], list(reasons.items()))
    _show_rights(found)
    _show_duplicates(found)
    _show_models(found)


def _show_duplicates(found: Mapping[str, Any]) -> None:
    removed, replaced = found["duplicates"]["removed"], found["duplicates"]["replaced"]
    line = f"{removed:,} of the rows out are duplicates by now, {replaced:,} of them of a row in {found['right']}"
    say(line if removed else "duplicates: none of the rows out is one by now")


def _show_models(found: Mapping[str, Any]) -> None:
    models = [(found[side], model) for side in ("left", "right") for model in found["evaluation"][side]]
    if not models:
        say("evaluation: no model was trained on either")
    for release, model in models:
        figures = ", ".join(f"{name} {value}" for name, value in sorted(model["metrics"].items()))
        state = ", withdrawn" if model["is_withdrawn"] else ""
        say(f"{release}: model {model['id'][:12]} ({model['recipe']} on {model['base']}{state}): {figures}")


def _show_rights(found: Mapping[str, Any]) -> None:
    counts: dict[tuple[str, str], list[int]] = {}
    for place, side in enumerate(("left", "right")):
        for row in found["rights"][side]:
            counts.setdefault((row["licence"], row["permission"]), [0, 0])[place] = row["rows"]
    rows = [[*rights, *numbers] for rights, numbers in sorted(counts.items())]
    print_table("rights, preferences included", ["licence", "permission", found["left"], found["right"]], rows)
