"""From rows of datasets to examples: a conversation is kept turn by turn, or left out with the reason."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from curator.extract import medquad, medquad_questions
from curator.extract.build import Extraction, build_example
from curator.extract.sections import count_words
from schemas.frames import example_frame, verdict_frame
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl

EXTRACTOR = "conversation"

GENERATED_KEYS = ("rule", "reasoning", "action", "variables")
"""What a generated example keeps of its making: dedup exempts rows of one rule, diversity counts what they say."""

# `{{name}}`: the row is a form that someone was meant to fill in.
_PLACEHOLDER = re.compile(r"\{\{\s*\w+\s*\}\}")


def extract_conversations(documents: "pl.DataFrame", pack: Pack) -> Extraction:
    """Makes examples and preferences of documents of kind `conversation`.

    Turns behind the last answer are cut off; everything else that cannot be learnt from (an answer without a
    question, two questions in a row, an empty turn, an unfilled form) leaves the row out.

    Args:
        documents: Frame of documents.
        pack: Its category names are looked for in the row's category.
    """
    examples: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for document in documents.iter_rows(named=True):
        content, metadata = json.loads(document["content"]), json.loads(document["metadata"])
        messages = content["messages"]
        if metadata.get("shape") == "medquad":
            is_first = "repeats" not in metadata
            messages, reason = _read_medquad(messages, metadata) if is_first else ([], "repeated_question")
        else:
            messages = _cut_open_end(messages)
            reason = find_fault(messages)
        if reason is None and "rejected" in content:
            reason = find_fault([*messages[:-1], *content["rejected"]])
        if reason is not None:
            verdicts.append({"subject_id": document["id"], "is_kept": False, "reason": reason})
            continue
        examples.append(_build(document, metadata, messages, content, pack))
    return Extraction(example_frame(examples), verdict_frame(verdicts))


def find_fault(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """Gives why a conversation cannot be learnt from, None if it can.

    One system turn may open it; then user and assistant alternate, the user first, the assistant last. Between a
    call of tools and the answer stand the results of the tools.
    """
    turns = messages[1:] if messages and messages[0]["role"] == "system" else messages
    if not turns or turns[-1]["role"] != "assistant" or turns[-1].get("tool_calls"):
        return "no_answer"
    if turns[0]["role"] != "user":
        return "no_question_first"
    if any(turn["role"] == "system" for turn in turns):
        return "system_in_between"
    if not all(_may_follow(before, after) for before, after in pairwise(turns)):
        return "not_alternating"
    return _find_text_fault(messages)


def _find_text_fault(messages: Sequence[Mapping[str, Any]]) -> str | None:
    if any(not turn["content"].strip() and not turn.get("tool_calls") for turn in messages):
        return "empty_turn"
    return "unfilled_placeholder" if any(_PLACEHOLDER.search(turn["content"]) for turn in messages) else None


def _may_follow(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if before["role"] == "user":
        return bool(after["role"] == "assistant")
    if before["role"] == "tool" or before.get("tool_calls"):
        return after["role"] in ("tool", "assistant")
    return bool(after["role"] == "user")


def _cut_open_end(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Cuts off what follows the last answer: a question nobody answered, a call nobody finished."""
    kept = [dict(message) for message in messages]
    while kept and (kept[-1]["role"] != "assistant" or kept[-1].get("tool_calls")):
        kept.pop()
    return kept


def _read_medquad(
    messages: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], str | None]:
    topic, kind = metadata.get("topic", ""), metadata.get("kind", "")
    tidy = medquad.tidy_answer(messages[-1]["content"])
    # The length is that of the page: a booklet stays one, whatever part of it would answer. What to eat is a part.
    if count_words(tidy) > medquad.MAX_WORDS and not medquad_questions.is_about_eating(tidy, kind):
        return [], "too_long_answer"
    question = medquad_questions.ask(messages[0]["content"], topic, kind, tidy)
    if question is None:
        return [], "unclear_question"
    answer = medquad_questions.cut_to_question(tidy, topic, kind)
    if answer is None:
        return [], "off_question"
    fault = "too_short_answer" if count_words(answer) < medquad.MIN_WORDS else medquad.find_damage(answer)
    if fault is not None:
        return [], fault
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], None


def _build(
    document: Mapping[str, Any],
    metadata: Mapping[str, Any],
    messages: Sequence[Mapping[str, Any]],
    content: Mapping[str, Any],
    pack: Pack,
) -> dict[str, Any]:
    row = metadata.get("row", 1)
    category = pack.find_category(metadata["category"]) if metadata.get("category") else None
    generated = metadata if document["source"] == "synthetic" else {}
    extra = {"shape": metadata.get("shape")} | {key: generated[key] for key in GENERATED_KEYS if key in generated}
    if "tools" in content:
        extra["tools"] = content["tools"]
    scenarios = [f"scenario:{generated['scenario']}"] if "scenario" in generated else []
    return build_example(
        document,
        extractor=EXTRACTOR,
        span={"rows": [row, row]},
        messages=messages,
        rejected=content.get("rejected"),
        unit_keys=[f"record:{document['natural_key']}", *scenarios],
        metadata=extra,
        category=category,
        category_basis="label" if category else None,
        language=metadata.get("language"),
    )
