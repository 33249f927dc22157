"""The pack: everything that makes curator speak one domain."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.example import CoachRole

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Category(_Strict):
    """One class of the taxonomy and its share of the target mix."""

    name: Name
    title: str
    target: float = Field(gt=0, le=1, description="Share of the corpus, 0-1; the shares of a pack add up to 1.")
    description: str = ""
    subtopics: list[str] = []
    aliases: list[str] = Field(default=[], description="Words of front matter, flair, tags, folders that mean it.")


class Role(_Strict):
    """One way the coach speaks."""

    system_prompt: dict[str, str] = Field(description="By language code; the default language must be there.")
    temperature: float = Field(ge=0, le=2)


class RecordTemplate(_Strict):
    """How rows of structured knowledge become examples."""

    path: str = Field(description="TOML file of templates, relative to the pack.")
    data: str | None = Field(default=None, description="Bundled rows (JSON, JSONL, CSV), relative to the pack.")


class Pack(_Strict):
    """A domain: taxonomy and target mix, lexicon, rules, templates, prompts, cases, default sources.

    Read from `pack.toml` in the pack's folder (`sources/packs/loader.py`); `root` is that folder.
    """

    root: Path
    name: Name
    title: str
    languages: list[str] = Field(min_length=1, description="Allowed languages, the default one first.")
    safety_sentence: dict[str, str] = Field(
        default={}, description="By language; ends every system prompt that is attached at export or deploy."
    )
    categories: list[Category] = Field(min_length=1)
    roles: dict[CoachRole, Role]
    category_roles: dict[str, CoachRole] = Field(
        default={}, description="Coach role of rows of a category when nothing else says it."
    )
    subreddit_categories: dict[str, str] = Field(default={}, description="Subreddit (lower case) to category.")
    reddit: dict[str, Any] = Field(default={}, description="Default options of `ingest reddit`.")
    youtube: dict[str, Any] = Field(default={}, description="Default options of `ingest youtube`.")
    markdown: dict[str, Any] = Field(default={}, description="Default options of `ingest markdown`.")
    synthetic: dict[str, Any] = Field(default={}, description="Default options of `ingest synthetic`.")
    dataset: dict[str, Any] = Field(default={}, description="Default options of `ingest dataset`.")
    knowledge: str | None = Field(default=None, description="Folder of knowledge pages, relative to the pack.")
    lexicon: str | None = Field(default=None, description="TOML of weighted terms, `[language.category]`.")
    training: list[str] = Field(
        default=[],
        description="JSONL files of `text` and `category` (may be `other`) that the categoriser learns from.",
    )
    domain: str | None = Field(
        default=None,
        description="TOML of what the domain speaks of, `[language]`: rows of general sources must hold it to get a category.",
    )
    questions: str | None = Field(default=None, description="TOML of patterns that turn headings into questions.")
    rules: list[str] = Field(default=[], description="Rule files of the generator, relative to the pack.")
    records: list[RecordTemplate] = []
    evaluation: str | None = Field(default=None, description="JSONL of evaluation cases, relative to the pack.")
    context: str | None = Field(
        default=None, description="TOML of the domain's working rules that prompts carry, `[[rule]]`."
    )
    retrieval: str | None = Field(
        default=None, description="JSONL of `question` and `pages` that `evaluate retrieval` asks."
    )
    overrides: dict[str, Any] = Field(
        default={}, description="Defaults of `curator.toml` that this domain changes, such as `balance`."
    )

    @model_validator(mode="after")
    def _check_shares(self) -> "Pack":
        total = sum(category.target for category in self.categories)
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"targets of the categories add up to {total:.4f}, expected 1")
        names = [category.name for category in self.categories]
        if len(set(names)) != len(names):
            raise ValueError("two categories have the same name")
        for where, table in (
            ("subreddit_categories", self.subreddit_categories),
            ("category_roles", self.category_roles),
        ):
            unknown = [v for v in (table if where == "category_roles" else table.values()) if v not in names]
            if unknown:
                raise ValueError(f"{where} names unknown categories {unknown}")
        return self

    @property
    def default_language(self) -> str:
        """The first allowed language."""
        return self.languages[0]

    @property
    def category_names(self) -> list[str]:
        """Names of the categories in the order of the pack."""
        return [category.name for category in self.categories]

    def find_category(self, word: str) -> str | None:
        """Gives the category that a word of a source (flair, tag, folder, front matter) means, or None."""
        wanted = word.strip().casefold().replace("-", "_").replace(" ", "_")
        for category in self.categories:
            names = [category.name, category.title, *category.aliases]
            if wanted in {name.casefold().replace("-", "_").replace(" ", "_") for name in names}:
                return category.name
        return None
