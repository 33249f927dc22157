"""The parity gate: the same prompts through every form of a model, and what must not differ.

Weights, tokens and templates take six steps from a trained adapter to a served model. Each step has a way to go wrong
that still talks. So each is measured against the one before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.deployment import DeployStep, ParityStep
from schemas.errors import DeployError
from train.chat_client import ChatClient
from train.gguf.quantise import Quantisation
from train.llama_client import LlamaClient
from train.local_model import LocalModel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    F32 = npt.NDArray[np.float32]

Messages = list[dict[str, str]]

FROZEN_QUESTIONS: tuple[tuple[str, ...], ...] = (
    ("How do I begin?",),
    (
        "I did 3x5 at 102.5 kg on 2024-03-17, then 1,250 g of rice.\n\nWhat's next?  Two spaces, a tab-less list:\n- a\n- b",
    ),
    ("Déjà vu: naïve café, 80% … “quoted” — and ٣ أيام في الأسبوع 💪",),
    ("What should I do first?", "Start small.", "And after that?", "Add a little.", "For how long?"),
)
"""Frozen: digits, marks, line breaks, accents, Arabic, an emoji, and more than one turn."""

NUM_TOKENS = 24
NUM_POSITIONS = 8
TOP_TOKENS = 32
SERVED_TOKENS = 1024
"""How many of the served probabilities are asked for, to find the reference's likeliest among them."""

TIE = 0.01
"""Log-probabilities this close are a tie: llama.cpp multiplies in float16, and which of two comes first is chance."""

DRIFT_TOLERANCE: dict[Quantisation, float] = {"f16": 0.02, "q8_0": 0.05, "q4_k_m": 0.2}
"""Largest drift: how much the log-probability of the next token moves, weighted by its probability."""


def make_frozen_prompts(system_prompt: str) -> list[Messages]:
    """Gives the frozen conversations, each begun by the system prompt."""
    prompts = []
    for turns in FROZEN_QUESTIONS:
        talk = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(turns)]
        prompts.append([{"role": "system", "content": system_prompt}, *talk] if system_prompt else talk)
    return prompts


@dataclass(frozen=True)
class Reference:
    """What the merged model, rounded as GGUF rounds it, says to the frozen prompts.

    Attributes:
        prompts: The conversations.
        ids: Their token ids.
        tokens: The greedy continuation of each.
        logprobs: (tokens, vocabulary) of each.
        special_ids: Tokens at which a server may stop.
    """

    prompts: list[Messages]
    ids: list[list[int]]
    tokens: list[list[int]]
    logprobs: "list[F32]" = field(repr=False)
    special_ids: frozenset[int]


def take_reference(model: LocalModel, prompts: Sequence[Messages]) -> Reference:
    """Asks the reference model."""
    ids = [model.encode(prompt) for prompt in prompts]
    answers = [model.continue_greedily(prompt, NUM_TOKENS) for prompt in ids]
    special = frozenset(model.tokenizer.convert_tokens_to_ids(model.special_tokens))
    return Reference(list(prompts), ids, [tokens for tokens, _ in answers], [rows for _, rows in answers], special)


def compare_prompts(reference: Reference, server: LlamaClient) -> ParityStep:
    """Compares the prompts that transformers and llama.cpp render, token by token."""
    wrong = []
    for place, (prompt, expected) in enumerate(zip(reference.prompts, reference.ids, strict=True)):
        found = server.render_ids(prompt)
        if found != expected:
            wrong.append(f"prompt {place + 1} {_first_difference(expected, found)}")
    detail = "; ".join(wrong) or f"{len(reference.ids)} prompts, {sum(map(len, reference.ids))} ids equal"
    return ParityStep(step="prompt", is_passed=not wrong, measured=len(wrong), tolerance=0, detail=detail)


def compare_greedy(reference: Reference, server: LlamaClient) -> ParityStep:
    """Compares the greedy continuations; a comparison ends at a tie."""
    wrong, ties = [], 0
    for place, (ids, expected) in enumerate(zip(reference.ids, reference.tokens, strict=True)):
        found, _ = server.continue_greedily(ids, NUM_TOKENS)
        split = find_split(expected, found, reference.special_ids)
        if split is None:
            continue
        row = reference.logprobs[place][split]
        if split < len(found) and row[expected[split]] - row[found[split]] < TIE:
            ties += 1
            continue
        wrong.append(f"prompt {place + 1} {_first_difference(expected, found)}")
    told = f"{len(reference.ids)} continuations of {NUM_TOKENS} tokens equal" + (
        f", {ties} up to a tie" if ties else ""
    )
    return ParityStep(
        step="f16", is_passed=not wrong, measured=len(wrong), tolerance=0, detail="; ".join(wrong) or told
    )


def compare_drift(
    reference: Reference, server: LlamaClient, quantisation: Quantisation, tolerance: float | None = None
) -> ParityStep:
    """Measures how far the probabilities of a quantised model have moved along the reference's continuations."""
    drifts, largest = [], 0.0
    for ids, tokens, rows in zip(reference.ids, reference.tokens, reference.logprobs, strict=True):
        for place in range(NUM_POSITIONS):
            served = server.read_top([*ids, *tokens[:place]], SERVED_TOKENS)
            mean, worst = _measure_drift(rows[place], served)
            drifts.append(mean)
            largest = max(largest, worst)
    limit = DRIFT_TOLERANCE[quantisation] if tolerance is None else tolerance
    drift = sum(drifts) / len(drifts)
    detail = f"{quantisation}: mean {drift:.4f}, largest {largest:.4f} over {len(drifts)} positions"
    return ParityStep(step="quantise", is_passed=drift <= limit, measured=drift, tolerance=limit, detail=detail)


def compare_served(reference: Reference, server: LlamaClient, client: ChatClient) -> ParityStep:
    """Compares what the chat endpoint answers with what the file itself continues, and the lengths of the prompts."""
    wrong = []
    for place, (prompt, ids) in enumerate(zip(reference.prompts, reference.ids, strict=True)):
        _, expected = server.continue_greedily(ids, NUM_TOKENS)
        answer = client.ask(prompt, temperature=0, max_tokens=NUM_TOKENS, cache_prompt=False)
        if answer.prompt_tokens != len(ids):
            wrong.append(f"prompt {place + 1}: {answer.prompt_tokens} tokens, expected {len(ids)}")
        elif not _is_same_text(answer.text, expected):
            wrong.append(f"prompt {place + 1}: {answer.text[:40]!r}, expected {expected[:40]!r}")
    detail = "; ".join(wrong) or f"{len(reference.ids)} answers equal"
    return ParityStep(step="served", is_passed=not wrong, measured=len(wrong), tolerance=0, detail=detail)


def compare_ollama(reference: Reference, client: ChatClient) -> ParityStep:
    """Compares the length of a prompt as Ollama renders it; its API tells no ids.

    Only the first prompt is asked: of later ones Ollama counts what it has not seen before.
    """
    answer = client.ask(reference.prompts[0], temperature=0, max_tokens=1)
    expected = len(reference.ids[0])
    is_same = answer.prompt_tokens == expected
    detail = f"prompt of {answer.prompt_tokens} tokens, expected {expected}"
    return ParityStep(step="ollama", is_passed=is_same, measured=float(not is_same), tolerance=0, detail=detail)


def require_parity(step: ParityStep) -> ParityStep:
    """Gives the step back.

    Raises:
        DeployError: It did not pass; the message says which and what differs.
    """
    if step.is_passed:
        return step
    hints: dict[DeployStep, str] = {
        "merge": "the adapter does not belong to this base: give the right one with --base PATH",
        "prompt": "the tokenizer or chat template comes out differently; convert with --llama-cpp PATH to compare",
        "f16": "the conversion changed the model; convert with --llama-cpp PATH to compare",
        "quantise": "try --quantize q8_0 or f16, or accept it with --drift NUMBER",
        "served": "the server renders or stops differently: run it again, then report it",
        "ollama": "Ollama renders another prompt: give a Go template of your own with --template FILE",
    }
    measured = f"{step.measured:.4g}, at most {step.tolerance:.4g}"
    raise DeployError(f"parity fails at step {step.step} ({measured}): {step.detail}", hints[step.step])


def find_split(expected: list[int], found: list[int], special_ids: frozenset[int]) -> int | None:
    """Gives where two continuations part, or None; a server may stop before or after a special token."""
    for place, (left, right) in enumerate(zip(expected, found, strict=False)):
        if left != right:
            return place
    if len(found) >= len(expected):
        return None
    has_stopped = expected[len(found)] in special_ids or (found and found[-1] in special_ids)
    return None if has_stopped else len(found)


def _is_same_text(left: str, right: str) -> bool:
    """Says whether two texts are the same but for half a character at the end, which one endpoint keeps back."""
    shorter, longer = sorted((left.strip(), right.strip()), key=len)
    return longer.startswith(shorter) and not longer[len(shorter) :].strip("\N{REPLACEMENT CHARACTER} \n")


def _first_difference(expected: list[int], found: list[int]) -> str:
    pairs = zip(expected, found, strict=False)
    place = next((n for n, (left, right) in enumerate(pairs) if left != right), min(len(expected), len(found)))
    ours, theirs = (tokens[place] if place < len(tokens) else "the end" for tokens in (expected, found))
    return f"differs at token {place}: {theirs}, expected {ours}"


def _measure_drift(expected: "F32", served: dict[int, float]) -> tuple[float, float]:
    """Gives the weighted mean and the largest difference over the reference's likeliest tokens."""
    import numpy as np

    likeliest = np.argsort(expected)[::-1][:TOP_TOKENS]
    least = min(served.values())
    found = np.array([served.get(int(token), least) for token in likeliest])
    moved = np.abs(expected[likeliest] - found)
    return float(np.average(moved, weights=np.exp(expected[likeliest]))), float(moved.max())
