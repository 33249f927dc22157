"""Where answers come from: a model folder in memory, a GGUF file that is served here, or a server elsewhere."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from schemas.errors import ConfigError
from train.chat_client import ChatClient
from train.llama_client import LlamaClient, find_llama
from train.local_model import LocalModel, is_adapter, load_local_model, spare_threads
from train.local_server import serve_gguf

Messages = Sequence[dict[str, str]]
Kind = Literal["folder", "gguf", "url"]


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn.

    Attributes:
        max_tokens: Length at which an answer is cut.
        temperature: 0 takes the likeliest token each time, so that a second run gives the same figures.
        seed: For other temperatures.
        stop: Further texts at which an answer ends.
    """

    max_tokens: int = 400
    temperature: float = 0.0
    seed: int = 3407
    stop: tuple[str, ...] = ()


class Answers(Protocol):
    """A model that can be asked."""

    @property
    def kind(self) -> Kind:
        """folder, gguf or url."""

    def answer(self, messages: Messages) -> str:
        """Gives the answer to a conversation."""

    def score(self, messages: Messages) -> tuple[float, int] | None:
        """Gives the negative log-likelihood (nats) and the tokens of the last message, or None if it is not told."""


@dataclass(frozen=True)
class FolderAnswers:
    """A model or adapter folder, by transformers."""

    model: LocalModel
    sampling: Sampling
    kind: Kind = "folder"

    def answer(self, messages: Messages) -> str:
        """Gives the answer."""
        sampling = self.sampling
        return self.model.generate(
            messages, max_tokens=sampling.max_tokens, temperature=sampling.temperature, seed=sampling.seed,
            stop=sampling.stop,
        )  # fmt: skip

    def score(self, messages: Messages) -> tuple[float, int] | None:
        """Gives the likelihood of the last message after the others."""
        import numpy as np

        prompt = self.model.render(messages[:-1])
        ids = self.model.encode_text(prompt + messages[-1]["content"])
        start = count_shared(self.model.encode_text(prompt), ids)
        if start == 0 or start >= len(ids):
            return None
        logits = self.model.read_logits(ids).astype(np.float64)[start - 1 : -1]
        logits -= logits.max(axis=-1, keepdims=True)
        picked = logits[np.arange(len(logits)), ids[start:]] - np.log(np.exp(logits).sum(axis=-1))
        return float(-picked.sum()), len(picked)


@dataclass(frozen=True)
class ServerAnswers:
    """A server; llama.cpp's also tells likelihoods, token by token."""

    client: ChatClient
    sampling: Sampling
    kind: Kind
    llama: LlamaClient | None = None

    def answer(self, messages: Messages) -> str:
        """Gives the answer."""
        sampling = self.sampling
        options = {"temperature": sampling.temperature, "max_tokens": sampling.max_tokens, "seed": sampling.seed}
        stop = {"stop": list(sampling.stop)} if sampling.stop else {}
        return self.client.ask(messages, **options, **stop).text

    def score(self, messages: Messages) -> tuple[float, int] | None:
        """Gives the likelihood of the last message after the others: one request a token, the prompt cached."""
        if self.llama is None:
            return None
        prompt = self.llama.render(messages[:-1])
        ids = self.llama.tokenize(prompt + messages[-1]["content"])
        start = count_shared(self.llama.tokenize(prompt), ids)
        if start == 0 or start >= len(ids):
            return None
        picked = [self.llama.read_logprob(ids[:place], ids[place]) for place in range(start, len(ids))]
        return -math.fsum(picked), len(picked)


@contextlib.contextmanager
def open_answers(
    target: str, sampling: Sampling | None = None, *, base: str | None = None, model: str = "default",
    api_key: str | None = None, threads: int | None = None,
) -> Iterator[Answers]:  # fmt: skip
    """Opens a target for asking.

    Args:
        target: Folder of an adapter, a model or a deployment; a GGUF file; or the URL of an OpenAI-compatible server.
        sampling: How answers are drawn.
        base: Base of an adapter.
        model: Name of the model at a server.
        api_key: For a server.
        threads: Of a GGUF file that is served here.

    Raises:
        ConfigError: The target is none of these.
        DeployError: It does not load or answer.
    """
    sampling = sampling or Sampling()
    if target.startswith(("http://", "https://")):
        client = ChatClient(target, model, api_key)
        yield ServerAnswers(client, sampling, "url", find_llama(target))
        return
    path = Path(target)
    # `curator train` writes either below its folder, which is what one names first.
    path = next(
        (
            path / name
            for name in ("adapter", "model")
            if (path / name / "config.json").is_file() or is_adapter(path / name)
        ),
        path,
    )
    gguf = path / "model.gguf" if (path / "model.gguf").is_file() else path
    if gguf.suffix == ".gguf" and gguf.is_file():
        with serve_gguf(gguf, threads=threads) as server:
            yield ServerAnswers(ChatClient(server.url), sampling, "gguf", LlamaClient(server.url))
        return
    if not is_adapter(path) and not (path / "config.json").is_file():
        raise ConfigError(
            f"{target}: neither an adapter, a model folder, a GGUF file nor a URL",
            "curator train and curator deploy write such folders",
        )
    loaded = load_local_model(path, base=base, precision="fast")
    with spare_threads(loaded):
        yield FolderAnswers(loaded, sampling)


def count_shared(left: Sequence[int], right: Sequence[int]) -> int:
    """Gives how many ids two sequences share from the beginning: a text's last token may change when it goes on."""
    return next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
