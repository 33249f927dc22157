"""A row as token ids and labels: every label that is trained on, proved against the text it stands for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.recipe import Loss
from train.export_folder import Row
from train.template import TemplateError, render_conversation

IGNORED = -100
"""The label that the loss leaves out (torch's `ignore_index`)."""


@dataclass(frozen=True)
class Tokens:
    """A row as the trainer gets it.

    Attributes:
        ids: Token ids, cut to the longest length.
        labels: The same with `IGNORED` where nothing is learnt.
        length: Tokens before the cut.
        method: How the mask was found: marked, suffix, completion, all.
        faults: Rules of the contract that the row breaks.
        stops: Ids of the tokens that end its answers.
    """

    ids: list[int]
    labels: list[int]
    length: int
    method: str
    faults: list[str]
    stops: set[int]


def tokenize_row(tokenizer: Any, row: Row, loss: Loss, max_length: int, stop_ids: set[int]) -> Tokens:
    """Gives ids and labels of a row.

    Args:
        tokenizer: A fast transformers tokenizer.
        row: Turns, or instruction text.
        loss: `assistant` trains answers and their stop token, `all` every token.
        max_length: Longer rows lose their end.
        stop_ids: Tokens at which generation ends; one of them must follow every answer.

    Returns:
        Tokens whose `faults` name what the contract forbids: `template_refuses`, `mask_not_found`, `ids_differ`,
        `answer_differs`, `stop_not_trained`, `truncated_to_nothing`.
    """
    whole = _tokenize_text(tokenizer, row) if not row.turns else _tokenize_turns(tokenizer, row, stop_ids)
    labels = list(whole.ids) if loss == "all" else whole.labels
    ids, labels = whole.ids[:max_length], labels[:max_length]
    faults = list(whole.faults)
    if not faults and all(label == IGNORED for label in labels):
        faults.append("truncated_to_nothing" if whole.length > max_length else "mask_not_found")
    return Tokens(ids, labels, whole.length, "all" if loss == "all" else whole.method, faults, whole.stops)


def find_stop_ids(tokenizer: Any, generation_eos: int | Iterable[int] | None = None) -> set[int]:
    """Gives the tokens at which generation ends: the tokenizer's own and those of the base's generation settings."""
    more = [generation_eos] if isinstance(generation_eos, int) else list(generation_eos or [])
    return {int(token) for token in [tokenizer.eos_token_id, *more] if token is not None}


def _tokenize_turns(tokenizer: Any, row: Row, stop_ids: set[int]) -> Tokens:
    try:
        rendered = render_conversation(tokenizer, row.turns, row.tools)
    except TemplateError:
        return Tokens([], [], 0, "none", ["template_refuses"], set())
    encoded = tokenizer(rendered.text, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = list(encoded["input_ids"]), list(encoded["offset_mapping"])
    labels = [IGNORED] * len(ids)
    ends = [_label_answer(ids, offsets, labels, span, stop_ids) for span in rendered.answers]
    faults = _prove(tokenizer, row, rendered.text, rendered.answers, ids, labels, ends)
    return Tokens(ids, labels, len(ids), rendered.method, faults, {end for end in ends if end is not None})


def _label_answer(
    ids: list[int], offsets: list[tuple[int, int]], labels: list[int], span: tuple[int, int], stop_ids: set[int]
) -> int | None:
    """Labels the tokens of an answer and the stop token after it; gives that token, or None if there is none."""
    inside = [n for n, (start, end) in enumerate(offsets) if end > span[0] and start < span[1] and end > start]
    if not inside:
        return None
    # Between answer and stop token some templates put white space, which a server will have to generate as well.
    last = next((n for n in range(inside[-1] + 1, min(inside[-1] + 4, len(ids))) if ids[n] in stop_ids), None)
    for n in range(inside[0], (inside[-1] if last is None else last) + 1):
        labels[n] = ids[n]
    return None if last is None else ids[last]


def _prove(
    tokenizer: Any,
    row: Row,
    text: str,
    answers: list[tuple[int, int]],
    ids: list[int],
    labels: list[int],
    ends: list[int | None],
) -> list[str]:
    if not answers:
        return ["mask_not_found"]
    faults = []
    if ids != _ids_of_server(tokenizer, row):
        faults.append("ids_differ")
    if None in ends:
        faults.append("stop_not_trained")
    wanted = [turn["content"].strip() for turn in row.turns if turn["role"] == "assistant" and turn["content"]]
    trained = _decode_runs(tokenizer, labels, {end for end in ends if end is not None})
    if [part.strip() for part in trained] != [normalise(tokenizer, part) for part in wanted] or not text:
        faults.append("answer_differs")
    return faults


def _ids_of_server(tokenizer: Any, row: Row) -> list[int]:
    encoded = tokenizer.apply_chat_template(row.turns, tools=row.tools, tokenize=True, return_dict=True)
    return list(encoded["input_ids"])


def _decode_runs(tokenizer: Any, labels: list[int], stops: set[int]) -> list[str]:
    """Gives the text of each run of trained tokens without its stop token."""
    runs: list[list[int]] = []
    is_inside = False
    for label in labels:
        if label != IGNORED and label not in stops:
            if not is_inside:
                runs.append([])
            runs[-1].append(label)
        is_inside = label != IGNORED and label not in stops
    return [decode(tokenizer, run) for run in runs]


def decode(tokenizer: Any, ids: list[int]) -> str:
    """Gives the text of ids as it was, special tokens included."""
    return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def normalise(tokenizer: Any, text: str) -> str:
    """Gives what the tokenizer makes of a text (Qwen composes accents), without outer white space."""
    normaliser = getattr(tokenizer.backend_tokenizer, "normalizer", None)
    return str(normaliser.normalize_str(text) if normaliser is not None else text).strip()


def _tokenize_text(tokenizer: Any, row: Row) -> Tokens:
    """Instruction text: the prompt, the completion, and the end-of-text token that stops it."""
    stop = tokenizer.eos_token_id
    prompt = list(tokenizer(row.prompt, add_special_tokens=False)["input_ids"])
    encoded = tokenizer(row.prompt + row.completion, add_special_tokens=False, return_offsets_mapping=True)
    ids = [*encoded["input_ids"], stop]
    boundary = len(row.prompt)
    first = next((n for n, (_, end) in enumerate(encoded["offset_mapping"]) if end > boundary), len(ids) - 1)
    labels = [IGNORED] * first + ids[first:]
    faults = []
    if stop is None:
        faults.append("stop_not_trained")
    # A completion that melts into the last token of its prompt is never seen so when the model is asked.
    if prompt and ids[: len(prompt)] != prompt and first < len(prompt) - 1:
        faults.append("ids_differ")
    if not row.completion.strip():
        faults.append("mask_not_found")
    return Tokens(ids, labels, len(ids), "completion", faults, {stop} if stop is not None else set())
