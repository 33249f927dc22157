"""From the messages of a client to the prompt of the pack: the only place of the service where that happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from curator.prompt import Capacity, Prompt, PromptKit
from curator.service.errors import ServiceError
from curator.service.snapshot_reader import SnapshotReader
from schemas.config import ArmConfig
from schemas.errors import WarehouseError
from schemas.pack import Pack
from schemas.profile import Profile

MAX_TURNS = 200
MAX_TEXT = 100_000


class TextPart(BaseModel):
    """A piece of a turn in OpenAI's long form."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str = ""


class Turn(BaseModel):
    """One turn as clients send it; what they add to it is ignored."""

    model_config = ConfigDict(extra="ignore")

    role: str = Field(max_length=20, description="system, user or assistant")
    content: str | list[TextPart] = Field(max_length=MAX_TEXT)

    def read_text(self) -> str:
        """Gives the text of the turn.

        Raises:
            ServiceError: It holds something else, such as a picture.
        """
        if isinstance(self.content, str):
            return self.content
        other = next((part.type for part in self.content if part.type not in ("text", "input_text")), None)
        if other is not None:
            raise ServiceError(422, f"messages: a part of type {other[:40]!r}, expected text")
        return "\n".join(part.text for part in self.content)


@dataclass(frozen=True)
class Asked:
    """What a client wants to know.

    Attributes:
        question: The last user turn.
        history: Earlier turns of user and assistant.
        system: The client's own system prompt, or None.
        role: insight, planner or coach.
        profile: Who asks, or None.
        user: Whom it is for, as the application names them; None where it does not.
        inputs: The check-in that was asked, or nothing.
    """

    question: str
    history: list[dict[str, str]]
    system: str | None
    role: str
    profile: Profile | None = None
    user: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


def read_turns(turns: Sequence[Turn], role: str, profile: Profile | None = None, user: str | None = None) -> Asked:
    """Takes the messages of a client apart.

    Raises:
        ServiceError: There is no question at the end, or a turn of a role that cannot be sent on.
    """
    texts = [{"role": turn.role, "content": turn.read_text()} for turn in turns]
    unknown = next(
        (turn["role"] for turn in texts if turn["role"] not in ("system", "developer", "user", "assistant")), None
    )
    if unknown is not None:
        raise ServiceError(422, f"messages: a turn of {unknown!r}, expected system, user or assistant")
    if not texts or texts[-1]["role"] != "user" or not texts[-1]["content"].strip():
        raise ServiceError(422, "messages: the last turn must be the user's and not empty")
    system = "\n\n".join(turn["content"] for turn in texts if turn["role"] in ("system", "developer")).strip()
    history = [turn for turn in texts[:-1] if turn["role"] in ("user", "assistant") and turn["content"].strip()]
    return Asked(texts[-1]["content"], history, system or None, role, profile, user)


def build_prompt(
    kit: PromptKit, reader: SnapshotReader, asked: Asked, arm: ArmConfig | None = None, capacity: Capacity | None = None
) -> Prompt:
    """Gives what is sent to the model: the pack's system prompt and material around the client's turns.

    The system prompt of the user's arm goes before that of the client, and that before the pack's.

    Raises:
        ConfigError: The question does not fit the budget or the model.
    """
    options: dict[str, Any] = {
        "role": asked.role,
        "profile": asked.profile,
        "history": asked.history,
        "system": (arm and arm.system_prompt) or asked.system,
        "style": arm and arm.style,
        "capacity": capacity,
    }
    try:
        with reader.open() as snapshot:
            return kit.build(asked.question, snapshot=snapshot, **options)
    except WarehouseError:
        # Without a snapshot there are no examples to show the model; the coach still answers.
        return kit.build(asked.question, snapshot=None, **options)


def name_model(pack: Pack, role: str) -> str:
    """Gives the name by which a role of the coach is asked for, such as `fitness-planner`."""
    return f"{pack.name}-{role}"


def find_role(pack: Pack, model: str) -> str:
    """Gives the role that a model name means; any other name is the coach, so that frontends can keep theirs."""
    name = model.removesuffix(":latest")
    return next((str(role) for role in pack.roles if name_model(pack, role) == name or role == name), "coach")
