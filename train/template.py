"""Which characters of a rendered conversation the model must learn, whatever chat template its base has.

The stock templates of Qwen, Llama, Phi and Mistral carry no `{% generation %}` marks, so the masks that transformers
makes of them are all zero. Here the *answers* are marked instead of the template: each is wrapped in two characters
that no text holds, the stock template renders them, and where they come out the answer stands. Without the marks the
text must be the stock rendering, letter by letter; that is checked for every row, so a template that trims, splits or
rewrites answers cannot shift a mask. Such rows are tried a second way, by what the last answer adds to the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OPEN, CLOSE = "\uf8fe", "\uf8ff"
"""Two private-use characters; a row that holds one is refused."""


@dataclass(frozen=True)
class Rendered:
    """A conversation as text.

    Attributes:
        text: The stock rendering.
        answers: Start and end of each trained answer in it, without the stop token.
        method: marked, suffix, or none when the answers could not be found.
    """

    text: str
    answers: list[tuple[int, int]]
    method: str


class TemplateError(Exception):
    """The template refuses the conversation; its own words are the argument."""


def render_conversation(tokenizer: Any, turns: Sequence[Mapping[str, Any]], tools: Any = None) -> Rendered:
    """Renders a conversation with the tokenizer's own template and finds its answers.

    Args:
        tokenizer: A transformers tokenizer with a chat template.
        turns: Messages; the roles are the caller's to check.
        tools: Tool descriptions, if any.

    Raises:
        TemplateError: The template raised an error of its own, such as "roles must alternate".
    """
    text = _render(tokenizer, turns, tools)
    places = [n for n, turn in enumerate(turns) if turn["role"] == "assistant" and turn["content"]]
    if not places or OPEN in text or CLOSE in text:
        return Rendered(text, [], "none")
    for strip in (False, True):
        found = _find_marked(_render(tokenizer, _mark(turns, places, strip=strip), tools), text)
        if found is not None and len(found) == len(places):
            return Rendered(text, found, "marked")
    answers = _find_suffix(tokenizer, turns, tools, text) if places == [len(turns) - 1] else None
    return Rendered(text, answers, "suffix") if answers else Rendered(text, [], "none")


def render_prompt(tokenizer: Any, turns: Sequence[Mapping[str, Any]], tools: Any = None) -> str:
    """Gives the text that a server would hand to the model for these turns.

    Raises:
        TemplateError: The template refuses them.
    """
    return _render(tokenizer, turns, tools, add_generation_prompt=True)


def _render(
    tokenizer: Any, turns: Sequence[Mapping[str, Any]], tools: Any, *, add_generation_prompt: bool = False
) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(
                list(turns), tools=tools, tokenize=False, add_generation_prompt=add_generation_prompt
            )
        )
    except Exception as error:
        # Templates raise jinja2's own errors and, through raise_exception, whatever they like.
        raise TemplateError(f"{type(error).__name__}: {error}") from error


def _mark(turns: Sequence[Mapping[str, Any]], places: Sequence[int], *, strip: bool) -> list[dict[str, Any]]:
    """Wraps the answers; stripped first where the template strips them, which the marks would prevent."""
    marked = [dict(turn) for turn in turns]
    for place in places:
        content = marked[place]["content"]
        marked[place]["content"] = f"{OPEN}{content.strip() if strip else content}{CLOSE}"
    return marked


def _find_marked(marked: str, text: str) -> list[tuple[int, int]] | None:
    """Gives where the marks stood in the text without them; None if that is not the stock text."""
    pieces, starts, spans, length = [], [], [], 0
    for piece in _split(marked):
        if piece == OPEN:
            starts.append(length)
        elif piece == CLOSE:
            if not starts:
                return None
            spans.append((starts.pop(), length))
        else:
            pieces.append(piece)
            length += len(piece)
    return spans if "".join(pieces) == text and not starts else None


def _split(text: str) -> list[str]:
    parts = [text]
    for mark in (OPEN, CLOSE):
        parts = [piece for part in parts for piece in _partition(part, mark)]
    return parts


def _partition(text: str, mark: str) -> list[str]:
    pieces = [piece for part in text.split(mark) for piece in (mark, part)][1:]
    return [piece for piece in pieces if piece]


def _find_suffix(
    tokenizer: Any, turns: Sequence[Mapping[str, Any]], tools: Any, text: str
) -> list[tuple[int, int]] | None:
    """Finds a single last answer as what follows the prompt that a server would send."""
    prompt = render_prompt(tokenizer, turns[:-1], tools)
    content = str(turns[-1]["content"]).strip()
    if not text.startswith(prompt) or not text[len(prompt) :].lstrip().startswith(content):
        return None
    start = text.index(content, len(prompt))
    return [(start, start + len(content))]
