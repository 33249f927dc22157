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
    if found["by_reason"]:
        print_table("rows out", ["reason", "rows"], list(found["by_reason"].items()))
    duplicates = found["duplicates"]
    if duplicates["removed"]:
        say(
            f"{duplicates['removed']:,} of the rows out are duplicates by now, {duplicates['replaced']:,} of them of a row "
            f"in {right}"
        )
    _show_rights(found)
    for side in ("left", "right"):
        for model in found["evaluation"][side]:
            figures = ", ".join(f"{name} {value}" for name, value in sorted(model["metrics"].items()))
            state = ", withdrawn" if model["is_withdrawn"] else ""
            say(f"{found[side]}: model {model['id'][:12]} ({model['recipe']} on {model['base']}{state}): {figures}")


def _show_rights(found: Mapping[str, Any]) -> None:
    counts: dict[tuple[str, str], list[int]] = {}
    for place, side in enumerate(("left", "right")):
        for row in found["rights"][side]:
            counts.setdefault((row["licence"], row["permission"]), [0, 0])[place] = row["rows"]
    rows = [[*rights, *numbers] for rights, numbers in sorted(counts.items())]
    print_table("rights", ["licence", "permission", found["left"], found["right"]], rows)
