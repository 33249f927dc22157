"""A conversation in the terminal: the prompt kit's prompts, a model that is served here or elsewhere, a stream."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.deployments import find_deployment
from curator.project import Project
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curator.prompt.capacity import Capacity
    from train.chat_client import ChatClient
    from train.llama_client import LlamaClient

API_KEY = "CURATOR_CHAT_API_KEY"
NO_BUDGET = 1 << 30


@dataclass(frozen=True)
class TalkOptions:
    """How to talk.

    Attributes:
        target: A deployment's id, a folder, a GGUF file or a URL; the current deployment if absent.
        role: insight, planner or coach.
        model: Name of the model at a URL.
        is_plain: Only the system prompt, without references, rules and examples.
        temperature: The deployment's, else 0.7, if absent.
        max_tokens: Length of an answer.
        threads: Of llama.cpp; its own choice if absent.
    """

    target: str | None = None
    role: str = "coach"
    model: str = "default"
    is_plain: bool = False
    temperature: float | None = None
    max_tokens: int = 800
    threads: int | None = None


@dataclass(frozen=True)
class OpenModel:
    """A model that can be talked to.

    Attributes:
        client: Of its server.
        sampling: Options of every request.
        capacity: What it can read at once, where that is known.
    """

    client: "ChatClient"
    sampling: dict[str, Any]
    capacity: "Capacity | None"


def talk(project: Project, options: TalkOptions, message: str | None = None, *, is_quiet: bool = False) -> None:
    """Answers one message, or talks until the input ends.

    Raises:
        ConfigError: There is no such model or role.
        DeployError: The model does not load or answer.
    """
    if options.role not in project.pack.roles:
        known = ", ".join(project.pack.roles)
        raise ConfigError(f"role {options.role!r}: unknown in pack {project.pack.name}", f"try {known}")
    history: list[dict[str, str]] = []
    with open_model(project, options) as model:
        if message is not None:
            answer_question(project, options, model, history, sys.stdin.read() if message == "-" else message)
            return
        for question in read_questions(is_quiet=is_quiet):
            answer_question(project, options, model, history, question)


@contextlib.contextmanager
def open_model(project: Project, options: TalkOptions) -> "Iterator[OpenModel]":
    """Gives the model that is meant; a GGUF file is served for as long as the block lasts."""
    from train.chat_client import ChatClient
    from train.deploy import RECORD_NAME, read_deployment
    from train.llama_client import LlamaClient, find_llama
    from train.local_server import serve_gguf

    sampling: dict[str, Any] = {"temperature": 0.7, "max_tokens": options.max_tokens}
    if options.target and options.target.startswith(("http://", "https://")):
        sampling |= _given(options)
        client = ChatClient(options.target, options.model, os.environ.get(API_KEY))
        yield OpenModel(client, sampling, measure_capacity(find_llama(options.target), options.max_tokens))
        return
    path = Path(options.target) if options.target and Path(options.target).exists() else None
    path = path or find_deployment(project, options.target, options.role)
    if path.is_dir():
        if (path / RECORD_NAME).is_file():
            parameters = read_deployment(path).parameters
            sampling |= parameters.model_dump()
        path = path / "model.gguf"
    sampling |= _given(options)
    with serve_gguf(path, threads=options.threads) as server:
        capacity = measure_capacity(LlamaClient(server.url), options.max_tokens)
        yield OpenModel(ChatClient(server.url, path.parent.name), sampling, capacity)


def measure_capacity(llama: "LlamaClient | None", answer_tokens: int) -> "Capacity | None":
    """Gives what a server of llama.cpp can read at once; of others that is not known.

    Raises:
        DeployError: The server does not answer.
    """
    context_length = llama.read_context_length() if llama else None
    if llama is None or context_length is None:
        return None
    from curator.prompt.capacity import Capacity

    def count(messages: "Sequence[Mapping[str, str]]") -> int:
        return len(llama.render_ids([dict(message) for message in messages]))

    # Others have the same page of properties, but not what renders and counts.
    return Capacity(context_length, count, answer_tokens) if llama.can_render() else None


def answer_question(
    project: Project, options: TalkOptions, model: OpenModel, history: list[dict[str, str]], question: str
) -> None:
    """Writes the answer to stdout as it comes and remembers the turn."""
    if not question.strip():
        return
    pieces = []
    messages = make_prompt(project, options, history, question, model.capacity)
    for piece in model.client.stream(messages, **model.sampling):
        pieces.append(piece)
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
    history += [{"role": "user", "content": question}, {"role": "assistant", "content": "".join(pieces)}]


def make_prompt(
    project: Project, options: TalkOptions, history: list[dict[str, str]], question: str,
    capacity: "Capacity | None" = None,
) -> list[dict[str, str]]:  # fmt: skip
    """Gives the messages that are sent: what `curator prompt show` prints, or the plain conversation.

    Raises:
        ConfigError: The question does not fit the budget or the model.
    """
    from curator.prompt import Material, fit_prompt, open_kit

    if not options.is_plain:
        return open_kit(project).build(question, role=options.role, history=history, capacity=capacity).messages
    material = Material(question, options.role, project.pack.default_language, history=history)
    return fit_prompt(material, project.pack, NO_BUDGET, capacity).messages


def read_questions(*, is_quiet: bool) -> Iterator[str]:
    """Gives what the user types, line by line, until the input ends."""
    is_typed = sys.stdin.isatty() and not is_quiet
    while True:
        if is_typed:
            sys.stderr.write("› ")
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return
        yield line.rstrip("\n")


def _given(options: TalkOptions) -> dict[str, Any]:
    return {} if options.temperature is None else {"temperature": options.temperature}
