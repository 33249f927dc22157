"""A model folder as one GGUF file: what llama.cpp and Ollama load.

Written with the `gguf` package alone for the layouts that are known to come out right (Qwen2, Qwen3, Llama and Mistral,
GPT-2). Whatever is not known (architecture, pre-tokenizer, RoPE type) is refused, never guessed: a wrong guess gives a
model that talks, but badly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train.gguf.model_folder import ModelFolder
    from train.gguf.quantise import QUANTISATIONS, Quantisation
    from train.gguf.writer import GgufFile, write_gguf

__all__ = ["QUANTISATIONS", "GgufFile", "ModelFolder", "Quantisation", "write_gguf"]

_HOMES = {
    "QUANTISATIONS": "quantise",
    "GgufFile": "writer",
    "ModelFolder": "model_folder",
    "Quantisation": "quantise",
    "write_gguf": "writer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
