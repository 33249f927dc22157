"""What llama.cpp's server tells beyond chat: its rendering, its tokens, its probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import DeployError
from train.web import fetch_json

_CERTAIN = 1e9
"""A bias that makes any token the next one; the probabilities told are those from before the bias."""

_ALL = 1 << 20
"""More than any vocabulary has."""


@dataclass(frozen=True)
class LlamaClient:
    """llama.cpp's own endpoints.

    Attributes:
        url: Of the server.
    """

    url: str

    def read_context_length(self) -> int | None:
        """Gives how many tokens of prompt and answer the server takes for one conversation; None where it does not say."""
        try:
            return int(fetch_json(f"{self.url}/props")["default_generation_settings"]["n_ctx"])
        except (LookupError, TypeError, ValueError):
            return None

    def render_ids(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Gives the token ids of the prompt as the server renders it."""
        return self.tokenize(self.render(messages))

    def can_render(self) -> bool:
        """Tells whether the server has the endpoints that render and count; old ones and others do not."""
        try:
            return bool(self.render_ids([{"role": "user", "content": "?"}]))
        except (DeployError, LookupError, TypeError, ValueError):
            return False

    def render(self, messages: Sequence[dict[str, str]]) -> str:
        """Gives the text of the prompt as the server renders it."""
        return str(fetch_json(f"{self.url}/apply-template", {"messages": list(messages)})["prompt"])

    def tokenize(self, text: str) -> list[int]:
        """Gives the ids of a text in which special tokens count as such."""
        body = {"content": text, "add_special": True, "parse_special": True}
        return [int(token) for token in fetch_json(f"{self.url}/tokenize", body)["tokens"]]

    def continue_greedily(self, ids: Sequence[int], num_tokens: int) -> tuple[list[int], str]:
        """Gives the most likely next tokens, at most so many, and their text.

        Without the cache: a prompt that is computed in other portions may come out different in the last digits.
        """
        reply = self._complete(ids, n_predict=num_tokens, temperature=0, return_tokens=True, cache_prompt=False)
        return [int(token) for token in reply["tokens"]], str(reply["content"])

    def read_top(self, ids: Sequence[int], top: int) -> dict[int, float]:
        """Gives the natural log-probabilities of the likeliest next tokens."""
        # A token that ends the answer, or half a character, would come without its probabilities: a plain letter is
        # made the next one, which changes nothing of what is told.
        letter = self.tokenize("a")[-1]
        reply = self._complete(ids, n_predict=1, temperature=0, n_probs=top, logit_bias=[[letter, _CERTAIN]])
        return {int(t["id"]): float(t["logprob"]) for t in reply["completion_probabilities"][0]["top_logprobs"]}

    def read_logprob(self, ids: Sequence[int], token: int) -> float:
        """Gives the natural log-probability of one token as the next one."""
        reply = self._complete(ids, n_predict=1, temperature=0, n_probs=1, logit_bias=[[token, _CERTAIN]])
        told = reply.get("completion_probabilities")
        return float(told[0]["logprob"]) if told else self.read_top(ids, _ALL)[token]

    def _complete(self, ids: Sequence[int], **options: Any) -> dict[str, Any]:
        body = {"prompt": list(ids), "cache_prompt": True, **options}
        reply: dict[str, Any] = fetch_json(f"{self.url}/completion", body)
        return reply


def find_llama(url: str) -> LlamaClient | None:
    """Gives the client of llama.cpp's own endpoints where the server at a URL (with or without `/v1`) has them."""
    root = url.rstrip("/").removesuffix("/v1")
    try:
        fetch_json(f"{root}/props", timeout_s=5.0)
    except DeployError:
        return None
    return LlamaClient(root)
