"""The connector of feedback: an event becomes a document of kind `event`, once, without the name of its user."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.document import Permission, document_id
from schemas.errors import ConfigError
from schemas.feedback import EVENT_ADAPTER, JOURNAL, Recommendation
from schemas.identity import dump_canonical, hash_author, make_id
from sources.feedback.events import RawEvent, read_journal, read_lines
from sources.protocol import Batch, Rejection, SourceContext

BATCH_EVENTS = 5_000


class FeedbackOptions(BaseModel):
    """What to read and what is known about its rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: list[Path] = Field(default=[], description="JSONL files of events; the service's journal if empty.")
    licence: str = Field(default="unknown", description="Licence of what users wrote.")
    permission: Permission = Field(default="unknown", description="Whether users have agreed to training on it.")
    basis: str = Field(default="feedback of this project's users", description="Why we may hold it, in words.")


class FeedbackSource:
    """Reads feedback events.

    The content of a document is the event as canonical JSON without its user; metadata holds `event` (the kind),
    `recommendation` (its id), `client`, and for recommendations `prompt_key`, equal for like inputs. An event id that is
    stored already is a repetition and is left out, whatever it says.
    """

    name: ClassVar[str] = "feedback"
    Options: ClassVar[type[BaseModel]] = FeedbackOptions

    def __init__(self, options: BaseModel, context: SourceContext) -> None:
        self._context = context
        self._options = FeedbackOptions.model_validate(options)

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields events in the order of their input; the cursor names the input and the last event in it.

        The journal is only ever appended to, so its cursor is never given up and the next run goes on after it. Files
        begin anew, and what is stored already is passed over.

        Raises:
            ConfigError: A file does not exist.
            SourceError: The journal cannot be read.
        """
        missing = [path for path in self._options.path if not path.is_file()]
        if missing:
            raise ConfigError(f"{missing[0]}: no such file", "expected JSONL with one feedback event a line")
        seen = set(self._context.stored_keys())
        start, last = _read_cursor(after)
        if not self._options.path:
            yield from self._batches(0, self._read_journal(last), last, seen)
            return
        for number, path in enumerate(self._options.path[start:], start):
            yield from self._batches(number, read_lines(path, last if number == start else 0), last, seen)
        yield Batch.of([])

    def _batches(
        self, number: int, items: Iterable[RawEvent | Rejection], last: int, seen: set[str]
    ) -> Iterator[Batch]:
        rows: list[dict[str, object]] = []
        refused: list[Rejection] = []
        for item in items:
            found = item if isinstance(item, Rejection) else self._make_document(item, seen)
            refused.append(found) if isinstance(found, Rejection) else rows.append(found)
            last = last if isinstance(item, Rejection) else item.sequence
            if len(rows) + len(refused) >= BATCH_EVENTS:
                yield Batch.of(rows, tuple(refused), f"{number}:{last}")
                rows, refused = [], []
        yield Batch.of(rows, tuple(refused), f"{number}:{last}")

    def _read_journal(self, after: int) -> Iterable[RawEvent]:
        path = self._context.root / JOURNAL
        return read_journal(path, after) if path.exists() else []

    def _make_document(self, raw: RawEvent, seen: set[str]) -> dict[str, object] | Rejection:
        try:
            event = EVENT_ADAPTER.validate_json(raw.body)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "event"
            return Rejection(raw.where, "invalid_event", f"{field}: {first['msg']}")
        if event.event_id in seen:
            return Rejection(raw.where, "repeated_event", "this event id is stored already", is_fault=False)
        seen.add(event.event_id)
        content = dump_canonical(event.model_dump(mode="json", exclude={"user"}, exclude_none=True))
        return {
            "id": document_id(self.name, event.event_id, content),
            "source": self.name,
            "kind": "event",
            "natural_key": event.event_id,
            "title": None,
            "content": content,
            "metadata": dump_canonical(
                {
                    "event": event.kind,
                    "recommendation": event.recommendation_id,
                    "client": raw.client,
                    **({"prompt_key": make_prompt_key(event)} if isinstance(event, Recommendation) else {}),
                }
            ),
            "url": None,
            "author_hash": hash_author(event.user, self._context.salt) if event.user else None,
            "created_at": event.occurred_at,
            "fetched_at": self._context.now,
            "licence": self._options.licence,
            "basis": self._options.basis,
            "permission": self._options.permission,
            "attribution": None,
        }


def make_prompt_key(event: Recommendation) -> str:
    """Gives a key that is equal for like inputs: the same conversation but for system turns, case, and white space."""
    turns: list[Any] = [
        (message.role, " ".join(f"{message.content} {message.input or ''}".casefold().split()))
        for message in event.prompt
        if message.role != "system"
    ]
    return make_id("prompt", dump_canonical(turns))


def _read_cursor(after: str | None) -> tuple[int, int]:
    if after is None:
        return 0, 0
    number, _, last = after.partition(":")
    return int(number), int(last)
