"""Rotary position embeddings: what GGUF says of them. Types that llama.cpp computes otherwise are refused."""

import math
from typing import TYPE_CHECKING, Any

from schemas.errors import DeployError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CHECKOUT_HINT = "convert it with a checkout of llama.cpp: curator deploy --llama-cpp PATH"


def describe_rope(config: dict[str, Any], head_size: int) -> dict[str, int | float | str]:
    """Gives the GGUF keys (without the architecture's prefix) of a model's position embeddings.

    Raises:
        DeployError: A RoPE type other than default, linear and llama3.
    """
    settings = read_rope_settings(config)
    kind = settings["rope_type"]
    keys: dict[str, int | float | str] = {
        "rope.freq_base": float(settings.get("rope_theta") or 10000.0),
        "rope.dimension_count": head_size,
    }
    if kind == "linear":
        keys |= {"rope.scaling.type": "linear", "rope.scaling.factor": float(settings["factor"])}
    elif kind not in ("default", "llama3"):
        raise DeployError(f"RoPE type {kind!r}: expected default, linear or llama3", CHECKOUT_HINT)
    return keys


def compute_rope_factors(config: dict[str, Any], head_size: int) -> "npt.NDArray[np.float32] | None":
    """Gives by what each frequency is divided in Llama 3's scaling, or None for other types.

    Long wavelengths are stretched by the factor, short ones stay, those between are interpolated (as in the release of
    Llama 3.1). llama.cpp reads them as the tensor `rope_freqs.weight`, of half the head's size.
    """
    import numpy as np

    settings = read_rope_settings(config)
    if settings["rope_type"] != "llama3":
        return None
    factor, low, high = (float(settings[key]) for key in ("factor", "low_freq_factor", "high_freq_factor"))
    context = float(settings["original_max_position_embeddings"])
    exponents = np.arange(0, head_size, 2, dtype=np.float64) / head_size
    wavelengths = 2 * math.pi * float(settings["rope_theta"]) ** exponents
    smooth = np.clip((context / wavelengths - low) / (high - low), 0.0, 1.0)
    factors: npt.NDArray[np.float32] = (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)
    return factors


def read_rope_settings(config: dict[str, Any]) -> dict[str, Any]:
    """Gives the settings with `rope_type` and `rope_theta`, as transformers 5 or earlier wrote them."""
    settings = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    settings["rope_type"] = settings.get("rope_type") or settings.get("type") or "default"
    settings.setdefault("rope_theta", config.get("rope_theta"))
    return settings
