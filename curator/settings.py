"""Reads the settings of a project and remembers where each value came from."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from schemas.config import ProjectConfig
from schemas.errors import ConfigError
from schemas.layers import Layers, find_origin, locate_error, merge_layers
from schemas.pack import Pack
from sources.packs.loader import load_pack

CONFIG_NAME = "curator.toml"


class _Environment(ProjectConfig, BaseSettings):
    """The settings as environment variables: `CURATOR_BALANCE__SIZE=500`."""

    model_config = SettingsConfigDict(env_prefix="CURATOR_", env_nested_delimiter="__", frozen=True, extra="forbid")


@dataclass(frozen=True)
class Settings:
    """The settings in force.

    Attributes:
        config: The merged and checked values.
        pack: The domain they name.
        origins: Dotted key to flag, environment, file, pack or default.
    """

    config: ProjectConfig
    pack: Pack
    origins: dict[str, str]


def load_settings(root: Path, flags: Mapping[str, Any] | None = None) -> Settings:
    """Merges flags, environment, `curator.toml`, the pack and the defaults, in that order of precedence.

    Args:
        root: The project folder; a missing `curator.toml` counts as an empty one.
        flags: Nested values given on the command line, such as `{"balance": {"size": 500}}`.

    Raises:
        ConfigError: Something is unknown or out of range; the message names where it was set.
    """
    layers: list[tuple[str, dict[str, Any]]] = [
        ("flag", dict(flags or {})),
        ("environment", _read_environment()),
        ("file", _read_file(root / CONFIG_NAME)),
    ]
    name = next((layer["pack"] for _, layer in layers if "pack" in layer), ProjectConfig().pack)
    pack = load_pack(str(name), root)
    layers.append(("pack", dict(pack.overrides)))
    try:
        config = ProjectConfig.model_validate(merge_layers(layers))
    except ValidationError as error:
        raise _explain(error, layers, root) from error
    origins = {key: find_origin(key, layers) for key in flatten(config.model_dump())}
    return Settings(config, pack, origins)


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Gives nested settings as dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _read_environment() -> dict[str, Any]:
    source = EnvSettingsSource(_Environment)
    try:
        return dict(source())
    except Exception as error:
        raise ConfigError(f"environment: {error}", "CURATOR_SECTION__KEY=value, lists as JSON") from error


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: {error}", "the file must be UTF-8 TOML") from error


def _explain(error: ValidationError, layers: Layers, root: Path) -> ConfigError:
    first = error.errors()[0]
    key, origin = locate_error(error, layers)
    place = {"file": str(root / CONFIG_NAME), "environment": "environment", "pack": "pack.toml"}.get(origin, origin)
    if first["type"] == "extra_forbidden":
        known = list(flatten(ProjectConfig().model_dump())) + list(ProjectConfig.model_fields)
        near = get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        return ConfigError(f"{place}: {key}: no such setting", f"{hint}curator config show lists every setting")
    found = f", found {first['input']!r}" if isinstance(first["input"], str | int | float | bool) else ""
    return ConfigError(f"{place}: {key}: {first['msg']}{found}", "curator config show lists every setting")
