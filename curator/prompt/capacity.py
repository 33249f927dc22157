"""What a model can read at once: a prompt that is too long for it loses references first, then the oldest turns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from curator.prompt.assemble import Material, Prompt, assemble_prompt
from schemas.errors import ConfigError
from schemas.pack import Pack

ANSWER_TOKENS = 800
"""Kept free for an answer whose length nobody has named."""


@dataclass(frozen=True)
class Capacity:
    """What is known of the model that a prompt goes to.

    Attributes:
        context_length: Tokens of prompt and answer together.
        count: Gives the tokens of messages as this model reads them.
        answer_tokens: Wanted for the answer; at most a quarter of the context is kept free for it.
    """

    context_length: int
    count: Callable[[Sequence[Mapping[str, str]]], int]
    answer_tokens: int = ANSWER_TOKENS

    @property
    def room(self) -> int:
        """Tokens that a prompt may take."""
        return self.context_length - min(self.answer_tokens, self.context_length // 4)


def fit_prompt(material: Material, pack: Pack, max_tokens: int, capacity: Capacity | None = None) -> Prompt:
    """Gives the prompt within a budget that is also short enough for a model.

    The budget counts estimated tokens, the model real ones: it is lowered in proportion until the model's count fits.

    Args:
        material: What there is.
        pack: System prompts and temperatures.
        max_tokens: Budget of the whole prompt.
        capacity: The model's; None where it is not known.

    Raises:
        ConfigError: System prompt and question alone are too long, or the role is unknown.
    """
    prompt = assemble_prompt(material, pack, max_tokens)
    if capacity is None:
        return prompt
    # System prompt and question stand first and are always in.
    least = sum(part.tokens for part in prompt.parts[:2])
    budget = max_tokens
    while (used := capacity.count(prompt.messages)) > capacity.room:
        if budget <= least:
            raise ConfigError(
                f"prompt: system prompt and question take {used} tokens; the model reads {capacity.context_length} with "
                "its answer",
                "ask something shorter, or deploy a model that reads more",
            )
        budget = max(least, min(budget - 1, prompt.tokens * capacity.room // used))
        prompt = assemble_prompt(material, pack, budget)
    return prompt
