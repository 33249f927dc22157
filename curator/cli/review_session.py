"""The queue in the terminal: one row at a time, a key each, and undo."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from curator.cli.output import say

if TYPE_CHECKING:
    from curator.review import Decision

KEYS = "[a]ccept  [r]eject  [e]dit  re[l]abel  [s]kip  [u]ndo  [q]uit"


@dataclass
class Session:
    """Goes through a queue; what is decided is kept until the end, so that it can be undone.

    Attributes:
        queue: Rows of `read_queue`.
        categories: What a row can be relabelled to.
        reviewer: Who decides.
        decisions: What was decided so far; an interruption keeps it.
    """

    queue: list[dict[str, Any]]
    categories: list[str]
    reviewer: str
    decisions: "list[Decision]" = field(default_factory=list)
    _places: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Asks until the queue ends or the reviewer quits; end of input and Ctrl-C keep what was decided."""
        place = 0
        try:
            while place < len(self.queue):
                row = self.queue[place]
                self._show(place, row)
                key = typer.prompt(KEYS, default="s", err=True).strip().lower()[:1]
                if key == "q":
                    return
                if key == "u":
                    place = self._undo(place)
                elif key == "s" or self._decide(key, row, place):
                    place += 1
        except (KeyboardInterrupt, EOFError, typer.Abort):
            say("\ninterrupted; what was decided is kept")

    def _show(self, place: int, row: dict[str, Any]) -> None:
        from curator.why import describe_place

        why = ", ".join(row["flags"] or row["reasons"])
        say(f"\n{place + 1}/{len(self.queue)} {row['id'][:12]} {why}")
        label = f"{row['category'] or 'uncategorised'}" + (f" ({row['confidence']:.2f})" if row["confidence"] else "")
        say(f"{row['source']} {describe_place(row['natural_key'], row['span'])}; {label}")
        for turn in row["messages"]:
            say(f"[{turn['role']}] {turn['content']}" + (f"\n{turn['input']}" if turn.get("input") else ""))
        if row["partner_messages"]:
            say(f"kept instead, similarity {row['similarity']:.2f}:")
            for turn in row["partner_messages"]:
                say(f"  [{turn['role']}] {turn['content']}")

    def _decide(self, key: str, row: dict[str, Any], place: int) -> bool:
        """Turns a key into a decision; False: nothing was decided, ask again."""
        from curator.cli.review import make_decision
        from schemas.errors import ConfigError

        asked = {"a": self._accept, "r": self._reject, "e": self._edit, "l": self._relabel}.get(key)
        if asked is None:
            say(f"{key!r} is no key")
            return False
        try:
            kind, parts = asked(row)
            self.decisions.append(make_decision(kind, row["id"], self.reviewer, **parts))
        except ConfigError as error:
            say(error.message)
            return False
        self._places.append(place)
        # Who sets the category of a row that also waits for something else has not answered that.
        return kind != "relabel" or row["reasons"] in (["uncategorised"], ["low_confidence"])

    def _undo(self, place: int) -> int:
        if not self.decisions:
            say("nothing to undo")
            return place
        undone = self.decisions.pop()
        say(f"undone: {undone.kind} {undone.subject[:12]}")
        return self._places.pop()

    def _accept(self, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        del row
        return "accept", {}

    def _reject(self, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        del row
        why = typer.prompt("why", default="rejected_by_reviewer", err=True).strip().replace(" ", "_")
        return "reject", {"reason": why}

    def _edit(self, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        from curator.review.editing import edit_in_editor

        return "edit", {"messages": edit_in_editor(row["messages"])}

    def _relabel(self, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        from schemas.errors import ConfigError

        del row
        for number, name in enumerate(self.categories, 1):
            say(f"  {number} {name}")
        given = typer.prompt("category (number or name)", err=True).strip()
        name = self.categories[int(given) - 1] if given.isdigit() and 0 < int(given) <= len(self.categories) else given
        if name not in self.categories:
            raise ConfigError(f"category {given!r}: unknown")
        return "relabel", {"category": name}
