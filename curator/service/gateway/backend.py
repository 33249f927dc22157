"""The model behind the gateway: an OpenAI-compatible server somewhere, or a GGUF file served on this machine."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

from curator.prompt.capacity import ANSWER_TOKENS, Capacity
from curator.service.errors import ServiceError
from curator.talk import measure_capacity
from train.llama_client import LlamaClient
from train.local_server import serve_gguf

CONNECT_TIMEOUT_S = 10.0
Json = dict[str, Any]


class Backend:
    """Asks the model; made once, used by all requests.

    Args:
        url: Base URL that ends in `/v1`; None for a file.
        gguf: A file to serve here instead; it is loaded by the first question.
        model: The model's name there, or None for the first that is listed.
        key: Bearer token, or None.
        timeout_s: Seconds to wait for the next piece.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        gguf: Path | None = None,
        model: str | None = None,
        key: str | None = None,
        timeout_s: float = 300.0,
    ) -> None:
        self._url = url
        self._gguf = gguf
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
        self._starting = asyncio.Lock()
        self._local = contextlib.ExitStack()
        self._client: httpx.AsyncClient | None = None
        self._held = 0
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Whether somebody holds it."""
        return self._held > 0

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keeps the model loaded while a question is prepared for it or answered by it."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    async def complete(self, body: Json) -> Json:
        """Gives the whole completion of a chat request.

        Raises:
            ServiceError: The model does not answer (502, 504), or is busy (429).
        """
        with self.hold():
            client, url = await self._connect()
            with _translate(url):
                response = await client.post(f"{url}/chat/completions", json={**body, "stream": False})
                _check(response.status_code, response.content)
                found: Json = response.json()
        if not isinstance(found.get("choices"), list) or not found["choices"]:
            raise ServiceError(502, f"{_name(url)}: the model gave no answer")
        return found

    async def stream(self, body: Json) -> AsyncIterator[Json]:
        """Gives the pieces of a completion as the model sends them.

        Raises:
            ServiceError: As `complete`; also in the middle, when the model breaks off.
        """
        with self.hold():
            client, url = await self._connect()
            with _translate(url):
                async with client.stream("POST", f"{url}/chat/completions", json={**body, "stream": True}) as response:
                    if response.status_code >= 400:
                        _check(response.status_code, await response.aread())
                    async for line in response.aiter_lines():
                        data = line.removeprefix("data:").strip()
                        if data == "[DONE]":
                            return
                        if data.startswith("{"):
                            piece: Json = json.loads(data)
                            if "error" in piece:
                                raise ServiceError(502, f"{_name(url)}: {_read_message(data.encode())}")
                            yield piece

    async def find_model(self) -> str:
        """Gives the name of the model that is asked.

        Raises:
            ServiceError: There is none, or the server does not say.
        """
        if self._model is None:
            client, url = await self._connect()
            with _translate(url):
                response = await client.get(f"{url}/models")
                _check(response.status_code, response.content)
                listed = response.json().get("data") or []
            if not listed:
                raise ServiceError(502, f"{_name(url)}: it lists no model", "set serve.model")
            self._model = str(listed[0]["id"])
        return self._model

    async def find_capacity(self, answer_tokens: int | None = None) -> Capacity | None:
        """Gives what a model that is served here can read at once; a server elsewhere looks after itself.

        Args:
            answer_tokens: What the client wants for the answer.

        Raises:
            DeployError: The file does not load.
        """
        if self._gguf is None:
            return None
        _, url = await self._connect()
        llama = LlamaClient(url.removesuffix("/v1"))
        return await asyncio.to_thread(measure_capacity, llama, answer_tokens or ANSWER_TOKENS)

    async def close(self) -> None:
        """Ends connections and the local server, for good."""
        self._is_closed = True
        if self._client is not None:
            await self._client.aclose()
            self._client = None
        if self._gguf is not None:
            self._url = self._model = None
        await asyncio.to_thread(self._local.close)

    async def _connect(self) -> tuple[httpx.AsyncClient, str]:
        async with self._starting:
            if self._is_closed:
                # What was loaded now would belong to nobody, and run for ever.
                raise ServiceError(503, "another model has taken this one's place", "ask again", {"Retry-After": "1"})
            if self._url is None:
                path = self._gguf or Path()
                server = await asyncio.to_thread(self._local.enter_context, serve_gguf(path))
                self._url = f"{server.url.rstrip('/')}/v1"
            if self._client is None:
                # Proxies of the environment are not for a model on this machine, and a key must not follow a redirect.
                self._client = httpx.AsyncClient(headers=self._headers, timeout=self._timeout, trust_env=False)
            return self._client, self._url


@contextlib.contextmanager
def _translate(url: str) -> Any:
    try:
        yield
    except httpx.TimeoutException as error:
        raise ServiceError(504, f"{_name(url)}: the model takes too long", "ask for less") from error
    except httpx.HTTPError as error:
        raise ServiceError(
            502, f"{_name(url)}: {error or type(error).__name__}", "is the model's server running?"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ServiceError(
            502, f"{_name(url)}: its answer cannot be read", "is serve.upstream the right URL?"
        ) from error


def _check(status: int, content: bytes) -> None:
    if status == 429:
        raise ServiceError(429, f"the model's server is busy: {_read_message(content)}", "", {"Retry-After": "5"})
    if status >= 400:
        raise ServiceError(502, f"the model's server answers {status}: {_read_message(content)}")


def _read_message(content: bytes) -> str:
    try:
        found = json.loads(content).get("error", content.decode("utf-8", "replace"))
        text = found.get("message", found) if isinstance(found, dict) else found
    except (ValueError, AttributeError):
        text = content.decode("utf-8", "replace")
    return " ".join(str(text).split())[:300]


def _name(url: str) -> str:
    # A URL may carry credentials; the host is all that a client needs to hear.
    return httpx.URL(url).host
