"""A conversation in the terminal: the prompt kit's prompts, a model that is served here or elsewhere, a stream."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.deployments import find_deployment
from curator.export.prompts import attach_system_prompt
from curator.project import Project
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from train.chat_client import ChatClient

API_KEY = "CURATOR_CHAT_API_KEY"


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
    with open_model(project, options) as (client, sampling):
        if message is not None:
            answer_question(
                project, options, client, sampling, history, sys.stdin.read() if message == "-" else message
            )
            return
        for question in read_questions(is_quiet=is_quiet):
            answer_question(project, options, client, sampling, history, question)


@contextlib.contextmanager
def open_model(project: Project, options: TalkOptions) -> "Iterator[tuple[ChatClient, dict[str, Any]]]":
    """Gives a client and the request's options; a GGUF file is served for as long as the block lasts."""
    from train.chat_client import ChatClient
    from train.deploy import RECORD_NAME, read_deployment
    from train.local_server import serve_gguf

    sampling: dict[str, Any] = {"temperature": 0.7, "max_tokens": options.max_tokens}
    if options.target and options.target.startswith(("http://", "https://")):
        sampling |= _given(options)
        yield ChatClient(options.target, options.model, os.environ.get(API_KEY)), sampling
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
        yield ChatClient(server.url, path.parent.name), sampling


def answer_question(
    project: Project, options: TalkOptions, client: "ChatClient", sampling: dict[str, Any],
    history: list[dict[str, str]], question: str,
) -> None:  # fmt: skip
    """Writes the answer to stdout as it comes and remembers the turn."""
    if not question.strip():
        return
    pieces = []
    for piece in client.stream(make_prompt(project, options, history, question), **sampling):
        pieces.append(piece)
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
    history += [{"role": "user", "content": question}, {"role": "assistant", "content": "".join(pieces)}]


def make_prompt(
    project: Project, options: TalkOptions, history: list[dict[str, str]], question: str
) -> list[dict[str, str]]:
    """Gives the messages that are sent: what `curator prompt show` prints, or the plain conversation."""
    if not options.is_plain:
        from curator.prompt.kit import open_kit

        return open_kit(project).build(question, role=options.role, history=history).messages
    turns = [*history, {"role": "user", "content": question}]
    attached = attach_system_prompt(turns, project.pack, options.role, project.pack.default_language)
    return [dict(turn) for turn in attached]


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
