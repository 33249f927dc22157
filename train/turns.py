"""The turns of a chat template: what stands between two messages, found by rendering and splitting.

Ollama wants a Go template, tokenizers carry a Jinja one. Most chat templates say nothing but: between a message of this
role and one of that role stands this text. Those texts are read off a rendered conversation of marks, and the claim is
proved on other conversations; a template that says more is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas.errors import DeployError

Messages = Sequence[dict[str, str]]
Render = Callable[[Messages, bool], str]
"""(messages, whether the answer's beginning follows) to text."""

START = END = ""
INSTRUCTION_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '### Instruction:\n' + message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ '### Response:\n' + message['content'] + '\n\n' }}"
    "{% else %}{{ message['content'] + '\n\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}"
)
"""For models without a chat template of their own (GPT-2): the text form of `curator export --format instruction`."""


@dataclass(frozen=True)
class TurnFormat:
    """What stands before, between and after messages.

    Attributes:
        gaps: Text by (role before, role after); an empty role is the beginning, or the end where an answer begins.
        is_system_late: The system prompt stands before the last user message, not at the beginning (Mistral).
    """

    gaps: dict[tuple[str, str], str]
    is_system_late: bool

    def render(self, messages: Messages) -> str:
        """Gives the prompt of a conversation that ends with a user message."""
        ordered = order_messages(messages, is_system_late=self.is_system_late)
        roles = [START, *(message["role"] for message in ordered), END]
        gaps = [self.gaps[pair] for pair in pairwise(roles)]
        return "".join(gap + text for gap, text in zip(gaps, [*(m["content"] for m in ordered), ""], strict=True))

    def without_beginning(self, token: str) -> "TurnFormat":
        """Gives the turns without the token of the beginning, for servers that put it there themselves."""
        gaps = {pair: gap.removeprefix(token) if pair[0] == START else gap for pair, gap in self.gaps.items()}
        return TurnFormat(gaps, self.is_system_late)

    @property
    def after_answer(self) -> str:
        """What follows an answer when the conversation goes on; the model stops where it begins."""
        return self.gaps["assistant", "system" if self.is_system_late else "user"]


def read_turns(render: Render) -> TurnFormat:
    """Reads the turns off a template.

    Args:
        render: Renders messages with the tokenizer's own template.

    Raises:
        DeployError: The template does more than to put texts between messages, or refuses a system prompt.
    """
    for is_late in (False, True):
        try:
            turns = TurnFormat(_collect_gaps(render, is_late=is_late), is_late)
            is_proven = all(turns.render(talk) == render(talk, True) for talk in _conversations("proof"))
        except (KeyError, ValueError):
            continue
        if is_proven:
            return turns
    raise DeployError(
        "chat template: it does more than to stand between messages, so it cannot be said in Ollama's language",
        "give a Go template of your own: curator deploy --template FILE",
    )


def order_messages(messages: Messages, *, is_system_late: bool) -> list[dict[str, str]]:
    """Gives the messages in the order in which their texts are rendered."""
    if not is_system_late or messages[0]["role"] != "system":
        return list(messages)
    return [*messages[1:-1], messages[0], messages[-1]]


def _collect_gaps(render: Render, *, is_late: bool) -> dict[tuple[str, str], str]:
    gaps: dict[tuple[str, str], str] = {}
    for talk in _conversations("mark"):
        ordered = order_messages(talk, is_system_late=is_late)
        rest = render(talk, True)
        roles = [START, *(message["role"] for message in ordered), END]
        for pair, text in zip(pairwise(roles), [*(message["content"] for message in ordered), None], strict=True):
            gap, rest = (rest, "") if text is None else _split_once(rest, text)
            if gaps.setdefault(pair, gap) != gap:
                raise ValueError(pair)
    return gaps


def _split_once(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    if not found or mark in after:
        raise ValueError(mark)
    return before, after


def _conversations(word: str) -> list[list[dict[str, str]]]:
    """Gives conversations with and without system prompt, of one to three questions, every text another one."""
    talks = []
    for with_system in (True, False):
        for questions in (1, 2, 3):
            roles = ["system"] * with_system + ["user", "assistant"] * questions
            talks.append(
                [{"role": role, "content": f"{word}x{place}y{questions}z"} for place, role in enumerate(roles[:-1])]
            )
    return talks
