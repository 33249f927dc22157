"""The optional LLM step: a model of the user's own asks and answers from a passage, and only what it supports is kept.

Works with every server that speaks OpenAI's chat API (Ollama, vLLM, NIM). Answers are cached by content, so a rerun
asks only what is new, and an interrupted run goes on.
"""

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from curator.extract.build import Extraction, build_example
from curator.extract.transcript_text import count_words, find_stems
from schemas.errors import ConfigError, SourceError, SourceInterruptedError
from schemas.frames import example_frame, verdict_frame
from schemas.identity import dump_canonical, make_id

if TYPE_CHECKING:
    from openai import OpenAI

EXTRACTOR = "llm"
PROMPT = """You turn passages into training examples for a coach. From the passage that the user sends, write up to \
{max_examples} pairs of a question that a person could ask a coach and the answer that the passage gives to it.
Every fact and number of an answer must stand in the passage; add nothing. Question and answer must each be understood \
without the passage: never mention the passage, its speakers, its author or a video. Write in the passage's language, \
in complete sentences, 30 to 150 words an answer. If the passage answers no such question, give an empty list.
Reply with JSON only: {{"examples": [{{"question": "...", "answer": "..."}}]}}"""
MIN_ANSWER_WORDS = 15
REFERENCE = re.compile(
    r"\b(?:the|this|that) (?:passage|text|transcript|speaker|author|video|podcast|episode|article|excerpt|interview)\b",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class LlmSettings(BaseModel):
    """Which model is asked, and how strictly its answers are checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="Base address of the server, such as http://localhost:11434/v1.")
    model: str = Field(description="Name of the model as the server knows it.")
    api_key: SecretStr = Field(default=SecretStr("none"), description="From the environment; local servers need none.")
    max_examples: int = Field(default=3, ge=1, le=10, description="Pairs that are asked for from one passage.")
    min_support: float = Field(default=0.7, ge=0, le=1, description="Share of an answer's words that the passage has.")
    timeout_s: float = Field(default=120.0, gt=0, description="Seconds to wait for one answer.")
    max_retries: int = Field(default=2, ge=0, description="Further tries after a timeout, a 429 or a 5xx.")
    workers: int = Field(default=4, ge=1, description="Passages that are asked at the same time.")
    seed: int = Field(default=3407, description="Handed to the server, which may ignore it.")


@dataclass(frozen=True)
class Passage:
    """A piece of a document that may answer a question.

    Attributes:
        document: Row of a document frame.
        text: What is sent.
        span: Where it stands in the document.
        unit_keys: What ties examples of it to a unit.
        title: Chapter or heading above it.
    """

    document: Mapping[str, Any]
    text: str
    span: Mapping[str, Any]
    unit_keys: tuple[str, ...]
    title: str | None = None


class AnswerCache(MutableMapping[str, str]):
    """Answers in a folder, one file each, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, key: str) -> str:
        try:
            return self._path(key).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: str) -> None:
        part = self._path(key).with_suffix(".part")
        part.write_text(value, encoding="utf-8")
        part.replace(self._path(key))

    def __delitem__(self, key: str) -> None:
        self._path(key).unlink()

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self._folder.glob("*.json")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def ask_passages(passages: Sequence[Passage], settings: LlmSettings, cache: MutableMapping[str, str]) -> Extraction:
    """Gives the examples that a model writes from passages, in the order of the passages.

    Args:
        passages: What is asked; equal texts are asked once.
        settings: Server, model, checks.
        cache: Answers of earlier runs by content; each new one is put in as soon as it comes, from several threads.

    Returns:
        Examples whose answers the passages support, and a verdict for each reason why others were left out.

    Raises:
        ConfigError: The `openai` package is missing, or the server refuses key, model or request.
        SourceInterruptedError: The server is not reached or fails; what was answered is in the cache.
    """
    answers = _ask_missing(passages, settings, cache)
    examples: dict[str, dict[str, Any]] = {}
    reasons: dict[tuple[str, str], int] = {}
    for passage in passages:
        pairs, fault = read_answer(answers[answer_key(passage, settings)], settings)
        faults = [fault] if fault else []
        for question, answer in pairs:
            found = find_fault(question, answer, passage.text, settings.min_support)
            if found:
                faults.append(found)
                continue
            row = _build_row(passage, question, answer, settings)
            examples.setdefault(row["id"], row)
        for reason in faults:
            key = (passage.document["id"], reason)
            reasons[key] = reasons.get(key, 0) + 1
    return Extraction(example_frame(examples.values()), verdict_frame(_build_verdicts(reasons, examples)))


def answer_key(passage: Passage, settings: LlmSettings) -> str:
    """Gives the key of a passage's answer: model, prompt and content, but not where the server is."""
    prompt = PROMPT.format(max_examples=settings.max_examples)
    return make_id("llm", settings.model, str(settings.seed), prompt, passage.title or "", passage.text)


def answer_schema(max_examples: int) -> dict[str, Any]:
    """Gives the JSON Schema (2020-12) of an answer."""
    pair = {
        "type": "object",
        "additionalProperties": False,
        "required": ["question", "answer"],
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": ["examples"],
        "properties": {"examples": {"type": "array", "maxItems": max_examples, "items": pair}},
    }


def read_answer(text: str, settings: LlmSettings) -> tuple[list[tuple[str, str]], str | None]:
    """Gives the pairs of an answer, or none and the reason why it cannot be used."""
    from jsonschema import Draft202012Validator

    try:
        data = json.loads(text)
    except ValueError:
        return [], "llm_broken_json"
    if not Draft202012Validator(answer_schema(settings.max_examples)).is_valid(data):
        return [], "llm_wrong_shape"
    return [(" ".join(pair["question"].split()), pair["answer"].strip()) for pair in data["examples"]], None


def find_fault(question: str, answer: str, passage: str, min_support: float) -> str | None:
    """Gives the reason why a pair is not kept: it must stand by itself and say only what the passage says."""
    stems, known = find_stems(answer), find_stems(passage)
    numbers = set(NUMBER.findall(passage))
    faults = {
        "llm_no_question": not question.rstrip().endswith(("?", "؟", "？")),
        "llm_answer_too_short": count_words(answer) < MIN_ANSWER_WORDS,
        "llm_points_at_passage": bool(REFERENCE.search(question) or REFERENCE.search(answer)),
        "llm_unsupported_number": any(number not in numbers for number in NUMBER.findall(answer)),
        "llm_unsupported": len(stems & known) < min_support * len(stems) or not find_stems(question) & known,
    }
    return next((reason for reason, is_broken in faults.items() if is_broken), None)


def _ask_missing(passages: Sequence[Passage], settings: LlmSettings, cache: MutableMapping[str, str]) -> dict[str, str]:
    wanted = {answer_key(passage, settings): passage for passage in passages}
    missing = [(key, passage) for key, passage in wanted.items() if key not in cache]
    if missing:
        client = _connect(settings)

        def fill(key: str, passage: Passage) -> None:
            cache[key] = _ask_one(client, passage, settings)

        with ThreadPoolExecutor(settings.workers) as pool:
            tasks = [pool.submit(fill, key, passage) for key, passage in missing]
            try:
                for task in tasks:
                    task.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    return {key: cache[key] for key in wanted}


def _connect(settings: LlmSettings) -> "OpenAI":
    try:
        from openai import OpenAI
    except ImportError as error:
        raise ConfigError("the LLM step needs the openai client", "pip install 'corpus-curator[llm]'") from error
    return OpenAI(
        base_url=settings.url,
        api_key=settings.api_key.get_secret_value(),
        timeout=settings.timeout_s,
        max_retries=settings.max_retries,
    )


def _ask_one(client: "OpenAI", passage: Passage, settings: LlmSettings) -> str:
    import openai

    heading = f"# {passage.title}\n\n" if passage.title else ""
    schema: Any = {"name": "examples", "strict": True, "schema": answer_schema(settings.max_examples)}
    try:
        completion = client.chat.completions.create(
            model=settings.model,
            messages=[
                {"role": "system", "content": PROMPT.format(max_examples=settings.max_examples)},
                {"role": "user", "content": heading + passage.text},
            ],
            response_format={"type": "json_schema", "json_schema": schema},
            temperature=0,
            seed=settings.seed,
        )
    except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
        raise SourceInterruptedError(
            f"{settings.url}: {_first_line(error)}", "what was answered is kept; run the same command again"
        ) from error
    except openai.APIStatusError as error:
        raise ConfigError(
            f"{settings.url} refuses model {settings.model!r}: {error.status_code} {_first_line(error)}",
            "check --llm, --llm-model and the key in the environment",
        ) from error
    except openai.OpenAIError as error:
        raise SourceError(f"{settings.url}: {_first_line(error)}", "is this a server of OpenAI's chat API?") from error
    return completion.choices[0].message.content or "" if completion.choices else ""


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _build_row(passage: Passage, question: str, answer: str, settings: LlmSettings) -> dict[str, Any]:
    return build_example(
        passage.document,
        extractor=EXTRACTOR,
        span=passage.span,
        messages=[{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
        unit_keys=passage.unit_keys,
        metadata={"model": settings.model, "title": passage.title},
    )


def _build_verdicts(
    reasons: Mapping[tuple[str, str], int], examples: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    kept = {example["document_id"] for example in examples.values()}
    for (document_id, reason), count in sorted(reasons.items()):
        yield {
            "subject_id": document_id,
            "is_kept": document_id in kept,
            "reason": reason,
            "score": float(count),
            "detail": dump_canonical({"places": count}),
        }
