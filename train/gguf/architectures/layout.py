"""A layout: keys and tensors of one architecture, said once, written by one writer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.errors import DeployError
from train.gguf.rope import CHECKOUT_HINT

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    F32 = npt.NDArray[np.float32]

Value = int | float | str


@dataclass(frozen=True)
class Tensor:
    """Where a tensor comes from and goes to.

    Attributes:
        source: Its name in the model folder.
        target: Its name in GGUF.
        change: How its rows are put in another order (the shape stays).
        is_transposed: Stored as (inputs, outputs), which GGUF turns round.
        is_exact: Stays float32 (position embeddings, whose rounding llama.cpp does not expect).
        is_optional: May be absent.
    """

    source: str
    target: str
    change: "Callable[[F32], F32] | None" = None
    is_transposed: bool = False
    is_exact: bool = False
    is_optional: bool = False


@dataclass(frozen=True)
class Layout:
    """Everything GGUF says of a model but its tokenizer.

    Attributes:
        name: The architecture's name in GGUF.
        keys: Its keys without that name in front; the type of a value is the type in GGUF (uint32, float32, string).
        tensors: All tensors.
        num_layers: Transformer blocks.
        ignored: Endings of names that hold no weights (causal masks of old files).
        head_size: Of one attention head, in RoPE's terms; 0 where there is no RoPE.
        is_tied: The output uses the token embeddings, so no output tensor is written.
        prefix: Begins the names of tensors in some files and is absent in others.
        output: The name of the output tensor in the model folder.
        embedding: The name of the token embeddings there.
    """

    name: str
    keys: dict[str, Value]
    tensors: list[Tensor]
    num_layers: int
    ignored: tuple[str, ...] = ()
    head_size: int = 0
    is_tied: bool = False
    prefix: str = ""
    output: str = "lm_head.weight"
    embedding: str = "model.embed_tokens.weight"


def require(config: dict[str, Any], key: str, *expected: Any) -> None:
    """Refuses a setting that would make llama.cpp compute something else.

    Raises:
        DeployError: The setting is there and none of the expected ones.
    """
    if config.get(key, expected[0]) not in expected:
        wanted = " or ".join(repr(value) for value in expected)
        raise DeployError(f"config.json: {key} is {config[key]!r}, expected {wanted}", CHECKOUT_HINT)
