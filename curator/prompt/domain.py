"""The domain's working rules that a prompt carries: progression, recovery, nutrition and the like, as the pack has them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ConfigError
from schemas.pack import Pack
from sources.packs.loader import read_pack_toml


class DomainRule(BaseModel):
    """One rule of thumb of the domain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="Names the rule where the parts of a prompt are listed.")
    categories: list[str] = Field(default=[], description="Where it matters most; empty: everywhere.")
    text: dict[str, str] = Field(min_length=1, description="By language code; the pack's default must be there.")


def load_rules(pack: Pack) -> list[DomainRule]:
    """Gives the rules of a pack in its order; none where it has no context file.

    Raises:
        ConfigError: The file is broken, or a rule names an unknown category or lacks the default language.
    """
    if pack.context is None:
        return []
    raw = read_pack_toml(pack, pack.context).get("rule", [])
    return [_check_rule(table, number, pack) for number, table in enumerate(raw, 1)]


def choose_rules(rules: list[DomainRule], category: str | None, language: str, pack: Pack) -> list[tuple[str, str]]:
    """Gives name and text of the rules, those of the category first, in the language or else the pack's default."""
    ordered = sorted(rules, key=lambda rule: category not in rule.categories)
    return [(rule.name, rule.text.get(language, rule.text[pack.default_language])) for rule in ordered]


def _check_rule(raw: dict[str, Any], number: int, pack: Pack) -> DomainRule:
    where = f"{pack.root / str(pack.context)}: rule {number}"
    try:
        rule = DomainRule.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{where}: {first['loc'][0]}: {first['msg']}", "CONTRIBUTING shows one") from error
    unknown = set(rule.categories) - set(pack.category_names)
    if unknown:
        raise ConfigError(f"{where}: unknown category {min(unknown)!r}", f"one of {', '.join(pack.category_names)}")
    if pack.default_language not in rule.text:
        raise ConfigError(f"{where}: no text in {pack.default_language!r}", f"add text.{pack.default_language}")
    return rule
