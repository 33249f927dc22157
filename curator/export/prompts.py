"""System prompts: the pack's words for a coach role in a language, ended by its safety sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.pack import Pack


def build_system_prompt(pack: Pack, role: str, language: str) -> str:
    """Gives the system prompt of a coach role.

    Args:
        pack: The domain.
        role: insight, planner or coach.
        language: ISO 639-1; the pack's default where it has no text in that language.
    """
    texts = next(found for name, found in pack.roles.items() if name == role).system_prompt
    language = language if language in texts else pack.default_language
    safety = pack.safety_sentence.get(language, "")
    return f"{texts[language]} {safety}".strip()


def attach_system_prompt(
    turns: Sequence[Mapping[str, Any]], pack: Pack, role: str, language: str
) -> list[Mapping[str, Any]]:
    """Gives the turns with the pack's system prompt in front, unless they have one of their own."""
    if turns[0]["role"] == "system":
        return list(turns)
    return [{"role": "system", "content": build_system_prompt(pack, role, language)}, *turns]
