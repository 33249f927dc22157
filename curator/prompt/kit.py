"""Gathers the material of a prompt from a project: retrieval, rules and examples around a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from curator.extract.page import find_language
from curator.prompt.assemble import Material, Prompt
from curator.prompt.capacity import Capacity, fit_prompt
from curator.prompt.domain import DomainRule, choose_rules, load_rules
from curator.prompt.few_shot import Shot, choose_shots, read_candidates
from curator.prompt.passages import load_passages
from curator.prompt.retrieval import Hit, Retriever
from schemas.config import PromptConfig
from schemas.pack import Pack
from schemas.profile import Profile

if TYPE_CHECKING:
    from curator.dedup.semantic import Embed
    from curator.project import Project
    from warehouse import Warehouse


@dataclass(frozen=True)
class PromptKit:
    """What prompts of one project are made with; keep one for many questions, the index is built once.

    Attributes:
        pack: The domain.
        config: Sizes.
        folders: The project's own pages.
        embed: Optional sentence embeddings for retrieval.
    """

    pack: Pack
    config: PromptConfig
    folders: tuple[Path, ...] = ()
    embed: "Embed | None" = None

    @cached_property
    def retriever(self) -> Retriever:
        """The index of passages."""
        return Retriever(load_passages(self.pack, self.folders), self.embed)

    @cached_property
    def rules(self) -> list[DomainRule]:
        """The working rules of the domain."""
        return load_rules(self.pack)

    def build(
        self,
        question: str,
        *,
        role: str = "coach",
        profile: Profile | None = None,
        history: Sequence[Mapping[str, str]] = (),
        snapshot: "Warehouse | None" = None,
        system: str | None = None,
        style: str | None = None,
        capacity: Capacity | None = None,
    ) -> Prompt:
        """Gives the prompt for a question.

        Args:
            question: What the user asks now.
            role: insight, planner or coach.
            profile: Who asks.
            history: Earlier turns (user and assistant), oldest first.
            snapshot: Where examples come from; none: no examples.
            system: Replaces the pack's system prompt.
            style: Added to the system prompt.
            capacity: Of the model that it goes to, where that is known.

        Raises:
            ConfigError: The question does not fit the budget or the model, the role is unknown, or a file of the pack is broken.
        """
        language = self.find_language(question, profile)
        hits = self.retriever.find(question, language, self.config.passages) if self.config.passages else []
        category = next((hit.passage.category for hit in hits if hit.passage.category), None)
        return fit_prompt(
            Material(
                question=question,
                role=role,
                language=language,
                profile=profile,
                rules=choose_rules(self.rules, category, language, self.pack),
                hits=hits,
                shots=self._find_shots(question, category, language, snapshot),
                history=list(history)[-self.config.history_turns :] if self.config.history_turns else [],
                system=system,
                style=style,
                category=category,
            ),
            self.pack,
            self.config.max_tokens,
            capacity,
        )

    def find(self, question: str, top_k: int = 3) -> list[Hit]:
        """Gives the passages nearest to a question."""
        return self.retriever.find(question, self.find_language(question, None), top_k)

    def find_language(self, question: str, profile: Profile | None) -> str:
        """Gives the language to answer in: that of the script of the question, of the profile, of the pack."""
        named = find_language({}, question) or (profile.language if profile else None)
        return named if named in self.pack.languages else self.pack.default_language

    def _find_shots(
        self, question: str, category: str | None, language: str, snapshot: "Warehouse | None"
    ) -> list[Shot]:
        if snapshot is None or not self.config.shots:
            return []
        return choose_shots(question, read_candidates(snapshot, category, language), self.config.shots)


def open_kit(project: "Project", embed: "Embed | None" = None) -> PromptKit:
    """Gives the kit of a project: its pack, its settings, and the folders of pages that it ingests.

    Folders that are no longer there are left out: a prompt needs them less than an answer.
    """
    named = [
        Path(path)
        for entry in project.config.ingest
        if entry.source == "markdown"
        for path in _as_list(entry.options.get("path", []))
    ]
    folders = tuple(path if path.is_absolute() else project.root / path for path in named)
    return PromptKit(project.pack, project.config.prompt, tuple(path for path in folders if path.exists()), embed)


def _as_list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
