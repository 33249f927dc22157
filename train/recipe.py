"""Reads a recipe and remembers where each of its values came from."""

import difflib
import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.errors import ConfigError
from schemas.identity import dump_canonical
from schemas.layers import Layers, find_origin, locate_error, merge_layers
from schemas.recipe import Recipe

SUFFIX = ".toml"


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe with everything in force.

    Attributes:
        name: Name of the bundled recipe, or of the file without its ending.
        recipe: The checked values.
        origins: Dotted key to recipe, pack, --set or default.
    """

    name: str
    recipe: Recipe
    origins: dict[str, str]

    @property
    def sha256(self) -> str:
        """A hash of every value, whatever it came from."""
        return hashlib.sha256(dump_canonical(self.recipe.model_dump(mode="json")).encode()).hexdigest()


def list_recipes() -> dict[str, str]:
    """Gives the bundled recipes by name with their titles."""
    found = {path.name.removesuffix(SUFFIX): _read(path.read_text("utf-8"), path.name) for path in _bundled()}
    return {name: str(values["title"]) for name, values in sorted(found.items())}


def load_recipe(
    name_or_path: str, settings: Iterable[str] = (), pack_values: Mapping[str, Any] | None = None
) -> ResolvedRecipe:
    """Reads a recipe and puts the pack's values and those of the command line over it.

    Args:
        name_or_path: A bundled recipe, or the path of a TOML file.
        settings: `key=value` each, such as `train.lr=1e-4`; later ones win.
        pack_values: Nested values that the domain gives, such as `{"sample": {"prompts": [...]}}`.

    Raises:
        ConfigError: No such recipe or setting, or a value is wrong; the message names where it was set.
    """
    name, values = _find(name_or_path)
    layers = [("--set", _parse_settings(settings)), ("pack", dict(pack_values or {})), ("recipe", values)]
    try:
        recipe = Recipe.model_validate(merge_layers(layers))
    except ValidationError as error:
        raise _explain(error, layers, name_or_path) from error
    origins = {key: find_origin(key, layers) for key in flatten_recipe(recipe)}
    return ResolvedRecipe(name, recipe, origins)


def flatten_recipe(recipe: Recipe) -> dict[str, Any]:
    """Gives every value by its dotted key, in the order of the documentation."""
    return {key: value for key, (value, _) in describe_recipe(recipe).items()}


def describe_recipe(recipe: Recipe) -> dict[str, tuple[Any, str]]:
    """Gives value and documentation of every setting by its dotted key."""
    return dict(_walk(recipe, ""))


def _walk(model: BaseModel, prefix: str) -> Iterable[tuple[str, tuple[Any, str]]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _walk(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", (value, field.description or "")


def _bundled() -> list[Any]:
    return [path for path in files("train").joinpath("recipes").iterdir() if path.name.endswith(SUFFIX)]


def _find(name_or_path: str) -> tuple[str, dict[str, Any]]:
    path = Path(name_or_path)
    if path.suffix == SUFFIX:
        try:
            return path.stem, _read(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: {error}", "a recipe is a UTF-8 TOML file") from error
    bundled = {found.name.removesuffix(SUFFIX): found for found in _bundled()}
    if name_or_path not in bundled:
        near = difflib.get_close_matches(name_or_path, bundled, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        known = ", ".join(sorted(bundled))
        raise ConfigError(
            f"recipe {name_or_path!r}: no such recipe", f"{hint}known: {known}, or a path ending in .toml"
        )
    return name_or_path, _read(bundled[name_or_path].read_text("utf-8"), f"{name_or_path}{SUFFIX}")


def _read(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: {error}", "a recipe is a UTF-8 TOML file") from error


def _parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not key.strip():
            raise ConfigError(f"--set {setting!r}: expected key=value", "such as --set train.lr=1e-4")
        _check_key(key.strip())
        inner: Any = _parse_value(text.strip())
        for part in reversed(key.strip().split(".")):
            inner = {part: inner}
        values = merge_layers([("--set", inner), ("--set", values)])
    return values


def _parse_value(text: str) -> Any:
    """Reads a value as TOML would (1e-4, true, ["q_proj"]); what is no TOML is a plain word."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _check_key(key: str) -> None:
    known = set(list_keys())
    if key not in known:
        near = difflib.get_close_matches(key, known, 1) or [k for k in known if k.endswith(f".{key}")]
        hint = f"did you mean {near[0]}?" if near else "curator train --recipe NAME --dry-run lists every setting"
        raise ConfigError(f"--set {key}: no such setting", hint)


def list_keys() -> list[str]:
    """Gives every key that can be set, those of the architecture among them."""
    return list(_list_fields(Recipe, ""))


def _list_fields(model: type[BaseModel], prefix: str) -> Iterable[str]:
    for name, field in model.model_fields.items():
        inner = next((part for part in (field.annotation, *_parts(field.annotation)) if _is_model(part)), None)
        if inner is not None:
            yield from _list_fields(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _parts(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", ())


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _explain(error: ValidationError, layers: Layers, where: str) -> ConfigError:
    first = error.errors()[0]
    key, origin = locate_error(error, layers)
    given = first["input"]
    found = f", found {given!r}" if isinstance(given, str | int | float | bool) else ""
    source = f"recipe {where}" if origin in ("recipe", "default") else origin
    what = f"{key}: " if key else ""
    message = first["msg"].removeprefix("Value error, ")
    return ConfigError(f"{source}: {what}{message}{found}", "curator train --recipe NAME --dry-run lists every setting")
