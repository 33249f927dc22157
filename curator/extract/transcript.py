"""Transcripts to examples: questions that were really asked, and sentences that say how, why, when or what.

Only what stands by itself becomes an example; everything else stays in the document, where search and the optional
LLM step find it. A question is never made up: it was asked, or a sentence is turned into the question it answers.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.extract.build import Extraction, build_example
from curator.extract.transcript_answers import Answer, cut_answer
from curator.extract.transcript_questions import pose_spoken
from curator.extract.transcript_statements import opens_topic, pose_statement
from curator.extract.transcript_text import WORD, clean_speech, count_words, is_english, strip_lead
from curator.extract.transcript_turns import Sentence, Turn, is_punctuated, split_turns
from schemas.frames import example_frame, verdict_frame
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl

EXTRACTOR = "transcript"
MAX_INTERJECTION_WORDS = 8
"""`Right, that makes sense.` by the other speaker does not end an answer."""
MAX_AFTERTHOUGHT_WORDS = 12
"""What a speaker may add after a question that still waits for the other one's answer."""


MAX_ANSWER_SENTENCES = 60
"""More than any answer holds; what comes after is not looked at."""
MIN_STATEMENT_WORDS, MAX_STATEMENT_WORDS = 4, 120
"""Shorter sentences name nothing, longer ones are no sentences (and would cost time)."""


@dataclass(frozen=True)
class Candidate:
    """A question and the speech that may answer it.

    Attributes:
        question: Self-contained.
        rule: `asked` of another speaker, `self_asked`, or the rule of a statement (`how`, `why`, `when`, ...).
        sentences: What follows, longer than the answer will be.
        begins: Sentences of the transcript with which something new begins.
    """

    question: str
    rule: str
    sentences: tuple[Sentence, ...]
    begins: frozenset[Sentence]


def extract_transcripts(documents: "pl.DataFrame", pack: Pack) -> Extraction:
    """Gives the examples of transcript documents.

    Args:
        documents: Frame with `DOCUMENT_COLUMNS`; rows of other kinds are ignored.
        pack: The project's domain; a document in a language that it does not have gives nothing.

    Returns:
        Examples in the order of the documents; one verdict for each reason why places of a document were left out
        (`score` is how many), kept where the document gave other examples.
    """
    examples: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for document in documents.iter_rows(named=True):
        if document["kind"] != "transcript":
            continue
        found, reasons = _extract_one(document, pack)
        examples.extend(found)
        verdicts.extend(_build_verdicts(document["id"], bool(found), reasons))
    return Extraction(example_frame(examples), verdict_frame(verdicts))


def find_candidates(turns: Sequence[Turn], reasons: Counter[str]) -> Iterator[Candidate]:
    """Yields what may become an example, in the order of the transcript; questions left out are counted."""
    sentences = [sentence for turn in turns for sentence in turn.sentences if not _is_question(sentence)]
    cleaned = {
        sentence: strip_lead(clean_speech(sentence.text))
        for sentence in sentences
        if MIN_STATEMENT_WORDS <= count_words(sentence.text) <= MAX_STATEMENT_WORDS
    }
    known_words = frozenset(word for sentence in sentences for word in WORD.findall(sentence.text)[1:])
    statements = {
        sentence: posed
        for sentence, text in cleaned.items()
        if (posed := pose_statement(text, known_words)) is not None
    }
    # `If you rest, ...` mostly goes on with what was said; the other forms begin something.
    begins = frozenset(sentence for sentence, (_, rule) in statements.items() if rule != "when")
    begins |= {sentence for sentence, text in cleaned.items() if opens_topic(text)}
    for index, turn in enumerate(turns):
        for number, sentence in enumerate(turn.sentences):
            rest = turn.sentences[number + 1 : number + 1 + MAX_ANSWER_SENTENCES]
            if _is_question(sentence):
                question = pose_spoken(sentence.text)
                if question is None:
                    reasons["question_not_self_contained"] += 1
                elif sum(count_words(later.text) for later in rest) > MAX_AFTERTHOUGHT_WORDS:
                    yield Candidate(question, "self_asked", rest, begins)
                else:
                    yield Candidate(
                        question, "asked", _hear_out(turns[index + 1 : index + 1 + MAX_ANSWER_SENTENCES]), begins
                    )
            elif sentence in statements:
                going_on = _hear_out(turns[index : index + MAX_ANSWER_SENTENCES])[len(turn.sentences) :]
                yield Candidate(*statements[sentence], (sentence, *rest, *going_on), begins)


def _is_question(sentence: Sentence) -> bool:
    return sentence.text.rstrip("\"”’') ").endswith("?")


def _extract_one(document: Mapping[str, Any], pack: Pack) -> tuple[list[dict[str, Any]], Counter[str]]:
    metadata = json.loads(document["metadata"])
    content = document["content"]
    language = metadata.get("language")
    if not (is_english(content) if language is None else language.split("-")[0] == "en") or "en" not in pack.languages:
        return [], Counter(language_without_rules=1)
    if not is_punctuated(content):
        return [], Counter(no_punctuation=1)
    reasons: Counter[str] = Counter()
    used: set[int] = set()
    examples = []
    for candidate in find_candidates(split_turns(content, metadata), reasons):
        # A definition that does not come back to its subject is said in passing.
        min_mentions = 2 if candidate.rule == "what" else 0
        answer = cut_answer(candidate.question, candidate.sentences, candidate.begins, min_mentions)
        if isinstance(answer, str):
            reasons[answer] += 1
        elif used.intersection(map(id, answer.sentences)):
            reasons["answer_already_used"] += 1
        else:
            used.update(map(id, answer.sentences))
            examples.append(_build_row(document, metadata, candidate, answer))
    if not examples and not reasons:
        reasons["no_question"] += 1
    return examples, reasons


def _hear_out(turns: Sequence[Turn]) -> tuple[Sentence, ...]:
    """Gives what the first speaker says, across short interjections of the others."""
    sentences: list[Sentence] = []
    for turn in turns:
        is_interjection = turn.num_words <= MAX_INTERJECTION_WORDS and not turn.sentences[-1].text.endswith("?")
        if turn.speaker == turns[0].speaker:
            sentences.extend(turn.sentences)
        elif not is_interjection:
            break
        if len(sentences) > MAX_ANSWER_SENTENCES:
            break
    return tuple(sentences)


def _build_row(
    document: Mapping[str, Any], metadata: Mapping[str, Any], candidate: Candidate, answer: Answer
) -> dict[str, Any]:
    first, last = answer.sentences[0].first_line, answer.sentences[-1].last_line
    cues = metadata.get("cues")
    span = {"seconds": [cues[first - 1][0], cues[last - 1][1]]} if cues else {"lines": [first, last]}
    file_lines = metadata.get("file_lines")
    details: dict[str, Any] = {"rule": candidate.rule}
    if file_lines:
        details["file_lines"] = [file_lines[first - 1], file_lines[last - 1]]
    return build_example(
        document,
        extractor=EXTRACTOR,
        span=span,
        messages=[{"role": "user", "content": candidate.question}, {"role": "assistant", "content": answer.text}],
        unit_keys=[f"video:{metadata.get('video') or document['natural_key']}"],
        metadata=details,
        language="en",
        url=_locate(document["url"], span.get("seconds")),
        author_hash=_find_author(document, metadata, first),
    )


def _locate(url: str | None, seconds: Sequence[float] | None) -> str | None:
    """Adds the second at which the answer begins to the address of a video."""
    if url is None or seconds is None or not any(host in url for host in ("youtube.com/", "youtu.be/")):
        return url
    return f"{url}{'&' if '?' in url else '?'}t={int(seconds[0])}s"


def _find_author(document: Mapping[str, Any], metadata: Mapping[str, Any], line: int) -> str | None:
    speakers, hashes = metadata.get("speakers"), metadata.get("speaker_hashes", {})
    own: str | None = hashes.get(speakers[line - 1]) if speakers else None
    return own or document["author_hash"]


def _build_verdicts(document_id: str, is_kept: bool, reasons: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for reason, count in sorted(reasons.items()):
        yield {
            "subject_id": document_id,
            "is_kept": is_kept,
            "reason": reason,
            "score": float(count),
            "detail": f"{count} places" if count > 1 else "1 place",
        }
