"""Settings from several places: which one wins, and where a value came from."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

Layers = Sequence[tuple[str, Mapping[str, Any]]]
"""Name and nested values of each place, the strongest first."""

DEFAULT = "default"


def merge_layers(layers: Layers) -> dict[str, Any]:
    """Gives the values in force; nested tables are merged key by key, everything else is replaced whole."""
    merged: dict[str, Any] = {}
    for _, layer in reversed(layers):
        merged = _merge(merged, layer)
    return merged


def find_origin(key: str, layers: Layers) -> str:
    """Gives the strongest place that has a dotted key; `default` if none has it."""
    return next((origin for origin, layer in layers if _has(layer, key)), DEFAULT)


def locate_error(error: ValidationError, layers: Layers) -> tuple[str, str]:
    """Gives the dotted key of the first fault, and the place that has it; `default` with the whole key if none has it.

    A union adds names of its own to the location (`balance.size.int`), so the longest beginning that a place has
    is the setting.
    """
    location = error.errors()[0]["loc"]
    keys = [".".join(map(str, location[:length])) for length in range(len(location), 0, -1)]
    found = ((key, find_origin(key, layers)) for key in keys)
    return next(((key, origin) for key, origin in found if origin != DEFAULT), (keys[0] if keys else "", DEFAULT))


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
    return merged


def _has(layer: Mapping[str, Any], key: str) -> bool:
    found: Any = layer
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return False
        found = found[part]
    return True
