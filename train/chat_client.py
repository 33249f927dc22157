"""Talks to any OpenAI-compatible server: the bundled llama.cpp one, Ollama, vLLM."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import DeployError
from train.web import TIMEOUT_S, fetch_json, open_url, require_url

Messages = Sequence[dict[str, str]]


@dataclass(frozen=True)
class ChatAnswer:
    """An answer as a whole.

    Attributes:
        text: What the model says.
        prompt_tokens: Length of the rendered prompt as the server counts it; None where it does not.
        is_complete: It stopped by itself, not at the limit.
    """

    text: str
    prompt_tokens: int | None
    is_complete: bool


@dataclass(frozen=True)
class ChatClient:
    """A server and the model to ask there.

    Attributes:
        url: Up to but without `/v1`.
        model: Name of the model; servers of one model do not care.
        api_key: Sent as bearer token where there is one.
        timeout_s: Seconds to wait for the next piece.
    """

    url: str
    model: str = "default"
    api_key: str | None = None
    timeout_s: float = TIMEOUT_S

    def ask(self, messages: Messages, **options: Any) -> ChatAnswer:
        """Gives the whole answer.

        Args:
            messages: The conversation, the question last.
            **options: Of the request: temperature, top_p, max_tokens, seed, stop.

        Raises:
            DeployError: The server does not answer, or not with a completion.
        """
        body = self._body(messages, options) | {"stream": False}
        reply = fetch_json(self._endpoint, body, headers=self._headers, timeout_s=self.timeout_s)
        try:
            choice = reply["choices"][0]
            text = choice["message"].get("content") or ""
            tokens = (reply.get("usage") or {}).get("prompt_tokens")
        except (LookupError, TypeError, AttributeError) as error:
            raise DeployError(f"{self.url}: no chat completion: {str(reply)[:80]}", "is it the right URL?") from error
        return ChatAnswer(text, tokens, choice.get("finish_reason") != "length")

    def stream(self, messages: Messages, **options: Any) -> Iterator[str]:
        """Gives the answer piece by piece, as the server sends it (server-sent events).

        Raises:
            DeployError: The server does not answer or breaks off.
        """
        body = self._body(messages, options) | {"stream": True}
        with open_url(self._endpoint, body, headers=self._headers, timeout_s=self.timeout_s) as response:
            for line in response:
                data = line.decode("utf-8", "replace").strip().removeprefix("data:").strip()
                if data == "[DONE]":
                    return
                if data.startswith("{"):
                    yield from self._read_piece(data)

    def _read_piece(self, data: str) -> Iterator[str]:
        event = json.loads(data)
        if "error" in event:
            raise DeployError(f"{self.url}: {event['error']}", "ask something shorter, or look at the server")
        for choice in event.get("choices", [])[:1]:
            piece = (choice.get("delta") or {}).get("content")
            if piece:
                yield piece

    def _body(self, messages: Messages, options: dict[str, Any]) -> dict[str, Any]:
        return {"model": self.model, "messages": list(messages), **options}

    @property
    def _endpoint(self) -> str:
        return f"{require_url(self.url).removesuffix('/v1')}/v1/chat/completions"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
