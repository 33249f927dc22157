"""Finds questions and answers that stand as paragraphs: `Q:`/`A:`, or a bold question and what follows it."""

import re
from collections.abc import Sequence

from curator.extract.questions import is_question
from curator.extract.sections import Block, count_words, join_blocks

# A question that is asked outright may be answered briefly, but not in a word or two.
MIN_ANSWER_WORDS = 12

_MARKED_QUESTION = re.compile(r"^(?:Q|Question|س)\s*\d*\s*[:.)]\s*", re.IGNORECASE)
_MARKED_ANSWER = re.compile(r"^(?:A|Answer|ج)\s*\d*\s*[:.)]\s+", re.IGNORECASE)


def split_pairs(blocks: Sequence[Block]) -> tuple[list[tuple[str, list[Block]]], list[Block]]:
    """Takes questions and answers that stand as paragraphs out of a section: (pairs, what is left)."""
    pairs: list[tuple[str, list[Block]]] = []
    rest: list[Block] = []
    for block in blocks:
        question, answer = _read_pair_start(block)
        if question:
            pairs.append((question, [answer] if answer else []))
        elif pairs:
            pairs[-1][1].append(_without_mark(block) if not pairs[-1][1] else block)
        else:
            rest.append(block)
    full = [(q, a) for q, a in pairs if count_words(join_blocks(a)) >= MIN_ANSWER_WORDS]
    return (full, rest) if full else ([], list(blocks))


def _read_pair_start(block: Block) -> tuple[str, Block | None]:
    if block.kind != "text":
        return "", None
    marked = _MARKED_QUESTION.match(block.text)
    if marked:
        question, _, answer = _split_question(block.text[marked.end() :])
    elif is_question(block.bold_lead):
        bare = _MARKED_QUESTION.sub("", block.bold_lead)
        question, answer = bare, block.text[len(block.bold_lead) :].strip()
    else:
        return "", None
    if not is_question(question):
        return "", None
    return question, _without_mark(_with_text(block, answer)) if answer else None


def _split_question(text: str) -> tuple[str, str, str]:
    match = re.search(r"[?؟？]\s*", text)
    return (text[: match.end()].strip(), "", text[match.end() :].strip()) if match else (text, "", "")


def _without_mark(block: Block) -> Block:
    return _with_text(block, _MARKED_ANSWER.sub("", block.text))


def _with_text(block: Block, text: str) -> Block:
    return Block(block.kind, text, block.lines, block.link_chars)
