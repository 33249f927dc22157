"""Builds what is sent to a model: the one place for `prompt show`, `chat` and the service."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from curator.export.prompts import build_system_prompt
from curator.prompt.few_shot import Shot
from curator.prompt.retrieval import Hit
from schemas.errors import ConfigError
from schemas.pack import Pack
from schemas.profile import Profile

T = TypeVar("T")

_WORDS = {
    "en": {
        "profile": "About the person you coach:",
        "rules": "Rules of this field that you keep to:",
        "passages": "References. Use what answers the question and cite it as [1], [2]; ignore the rest:",
    },
    "ar": {
        "profile": "عن الشخص الذي تدربه:",
        "rules": "قواعد هذا المجال التي تلتزم بها:",
        "passages": "مراجع. استخدم ما يجيب عن السؤال واذكره بالشكل [1] و[2]، وتجاهل الباقي:",
    },
}


@dataclass(frozen=True)
class Material:
    """Everything that may go into a prompt; what does not fit is left out by priority.

    Attributes:
        question: The newest user turn.
        role: insight, planner or coach.
        language: ISO 639-1.
        profile: Who asks.
        rules: Name and text of working rules of the domain, the most fitting first.
        hits: Passages, best first.
        shots: Examples, the most similar last.
        history: Earlier turns, oldest first.
        system: Replaces the pack's system prompt (an arm of an experiment); the safety sentence stays.
        style: Added to the system prompt (an arm of an experiment): how the coach speaks.
        category: What the question is about, where that is known.
    """

    question: str
    role: str = "coach"
    language: str = "en"
    profile: Profile | None = None
    rules: Sequence[tuple[str, str]] = ()
    hits: Sequence[Hit] = ()
    shots: Sequence[Shot] = ()
    history: Sequence[Mapping[str, str]] = ()
    system: str | None = None
    style: str | None = None
    category: str | None = None


@dataclass(frozen=True)
class Part:
    """One piece of a prompt: what it is, its size, and whether there was room for it."""

    name: str
    tokens: int
    is_kept: bool


@dataclass(frozen=True)
class Prompt:
    """What is sent, and what it is made of.

    Attributes:
        messages: Role and content of each turn.
        temperature: Of the role.
        citations: Number, title and place of the passages that are in.
        parts: All pieces in the order of their priority.
        tokens: Size of all messages (UTF-8 bytes / 4).
        category: What the question is about, where that is known.
    """

    messages: list[dict[str, str]]
    temperature: float
    citations: list[dict[str, Any]]
    parts: list[Part]
    tokens: int
    category: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Gives plain values."""
        return asdict(self)


@dataclass
class _Budget:
    left: int
    parts: list[Part] = field(default_factory=list)

    def take(self, name: str, *texts: str) -> bool:
        tokens = sum(count_tokens(text) for text in texts)
        is_kept = tokens <= self.left
        self.left -= tokens if is_kept else 0
        self.parts.append(Part(name, tokens, is_kept))
        return is_kept


def count_tokens(text: str) -> int:
    """Estimates tokens: UTF-8 bytes / 4, rounded up, as everywhere where no tokenizer is at hand."""
    return -(-len(text.encode()) // 4)


def assemble_prompt(material: Material, pack: Pack, max_tokens: int) -> Prompt:
    """Gives the prompt within a budget.

    System prompt with its safety sentence and the question are always in. Then, as long as there is room: the profile,
    earlier turns (newest first), rules, passages (best first), examples (most similar first).

    Args:
        material: What there is.
        pack: System prompts and temperatures.
        max_tokens: Budget of the whole prompt.

    Raises:
        ConfigError: The question does not fit, or the role is unknown.
    """
    words = _WORDS.get(material.language, _WORDS["en"])
    system = _build_system(material, pack)
    budget = _Budget(max_tokens)
    if not (budget.take("system prompt", system) and budget.take("question", material.question)):
        needed = sum(part.tokens for part in budget.parts)
        raise ConfigError(
            f"prompt: system prompt and question take {needed} tokens, the budget is {max_tokens}",
            f"shorten the question, or raise prompt.max_tokens above {needed}",
        )
    profile = _take_profile(material, budget, words)
    history = _take_history(material.history, budget)
    rules = _take_block(budget, words["rules"], [(f"rule: {name}", f"- {text}", text) for name, text in material.rules])
    found = [(f"passage: {hit.passage.place}", _spell_hit(hit, 9) + "\n", hit) for hit in material.hits]
    hits = _take_block(budget, words["passages"], found)
    shots = [shot for shot in reversed(material.shots) if budget.take(f"example: {shot.id}", shot.prompt, shot.answer)]
    blocks = [system]
    if profile:
        blocks.append(profile)
    if rules:
        blocks.append("\n".join([words["rules"], *(f"- {line}" for line in rules)]))
    if hits:
        blocks.append("\n\n".join([words["passages"], *(_spell_hit(hit, n) for n, hit in enumerate(hits, 1))]))
    messages = [{"role": "system", "content": "\n\n".join(blocks)}]
    for shot in reversed(shots):
        messages += [{"role": "user", "content": shot.prompt}, {"role": "assistant", "content": shot.answer}]
    messages += [*history, {"role": "user", "content": material.question}]
    return Prompt(
        messages,
        next(role.temperature for name, role in pack.roles.items() if name == material.role),
        [{"number": n, "title": _name_hit(hit), "place": hit.passage.place} for n, hit in enumerate(hits, 1)],
        budget.parts,
        sum(count_tokens(message["content"]) for message in messages),
        material.category,
    )


def _build_system(material: Material, pack: Pack) -> str:
    if material.role not in {str(name) for name in pack.roles}:
        raise ConfigError(f"role {material.role!r}: not in pack {pack.name}", f"one of {', '.join(pack.roles)}")
    if material.system is None and material.style is None:
        return build_system_prompt(pack, material.role, material.language)
    safety = pack.safety_sentence.get(material.language) or pack.safety_sentence.get(pack.default_language, "")
    system = material.system
    if system is None:
        system = build_system_prompt(pack, material.role, material.language)
    if material.style:
        # The safety sentence stays the last one.
        system = f"{system.removesuffix(safety).rstrip()} {material.style}"
    return system if safety in system else f"{system} {safety}"


def _take_profile(material: Material, budget: _Budget, words: Mapping[str, str]) -> str:
    lines = material.profile.describe() if material.profile else []
    text = "\n".join([words["profile"], *(f"- {line}" for line in lines)])
    return text if lines and budget.take("profile", f"\n\n{text}") else ""


def _take_block(budget: _Budget, header: str, items: "Sequence[tuple[str, str, T]]") -> list[T]:
    """Keeps the items that there is room for; the first one kept pays for the header and the gap before it."""
    kept: list[T] = []
    for name, text, item in items:
        if budget.take(name, f"{text}\n" if kept else f"\n\n{header}\n\n{text}\n"):
            kept.append(item)
    return kept


def _take_history(history: Sequence[Mapping[str, str]], budget: _Budget) -> list[dict[str, str]]:
    """Keeps the newest turns without a gap, beginning with a user turn."""
    kept: list[dict[str, str]] = []
    for turn in reversed(history):
        if not budget.take(f"earlier {turn['role']} turn", turn["content"]):
            break
        kept.insert(0, {"role": turn["role"], "content": turn["content"]})
    while kept and kept[0]["role"] != "user":
        kept.pop(0)
    return kept


def _name_hit(hit: Hit) -> str:
    return " › ".join(part for part in (hit.passage.title, hit.passage.heading) if part)


def _spell_hit(hit: Hit, number: int) -> str:
    return f"[{number}] {_name_hit(hit)} ({hit.passage.place})\n{hit.passage.text}"
