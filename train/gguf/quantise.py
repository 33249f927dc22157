"""Which type each tensor gets, and its bytes.

The mixes are llama.cpp's own (`q4_k_m` is not one type: what loses most by rounding gets six bits). The work is done by
ggml itself where xllamacpp exports it, else by numpy; either way the outcome is read back and compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from schemas.errors import DeployError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    F32 = npt.NDArray[np.float32]
    Bytes = npt.NDArray[np.uint8]

Quantisation = Literal["f16", "q8_0", "q4_k_m"]
QUANTISATIONS: tuple[Quantisation, ...] = ("q4_k_m", "q8_0", "f16")
TypeName = Literal["F32", "F16", "Q8_0", "Q5_0", "Q4_K", "Q6_K"]
FILE_TYPES: dict[Quantisation, int] = {"f16": 1, "q8_0": 7, "q4_k_m": 15}
"""llama.cpp's numbers of the mixes (general.file_type)."""

MAX_RELATIVE_ERROR: dict[TypeName, float] = {"Q8_0": 0.02, "Q6_K": 0.05, "Q5_0": 0.12, "Q4_K": 0.2}
"""Root mean square of the error over that of the values, at most; normally distributed weights lie at a third of it."""

BLOCK_SIZE: dict[TypeName, int] = {"F32": 1, "F16": 1, "Q8_0": 32, "Q5_0": 32, "Q4_K": 256, "Q6_K": 256}
_CHECKED_ROWS = 64


def choose_type(name: str, shape: tuple[int, ...], quantisation: Quantisation, num_layers: int, *, is_tied: bool,
                is_exact: bool = False) -> TypeName:  # fmt: skip
    """Gives the type of a tensor.

    Args:
        name: Its name in GGUF.
        shape: Rows and row length, as numpy says it.
        quantisation: The mix.
        num_layers: Transformer blocks.
        is_tied: The token embeddings are the output as well.
        is_exact: It stays float32 in every mix.
    """
    if len(shape) < 2 or is_exact:
        return "F32"
    if quantisation == "f16":
        return "F16"
    wanted: TypeName = "Q8_0" if quantisation == "q8_0" else _choose_q4_k_m(name, num_layers, is_tied=is_tied)
    return _fit_row(wanted, shape[-1])


@dataclass(frozen=True)
class Quantiser:
    """Turns rows of float32 into blocks.

    Attributes:
        name: ggml or numpy.
        quantise: Gives the bytes, (rows, bytes a row) uint8, of (rows, row length) float32.
    """

    name: str
    quantise: "Callable[[F32, TypeName], Bytes]"

    def encode(self, values: "F32", kind: TypeName, tensor: str) -> "npt.NDArray[np.generic]":
        """Gives the bytes of a tensor and proves on its first rows that they mean what went in.

        Raises:
            DeployError: A value does not fit float16, or what was written differs too much.
        """
        import numpy as np

        if kind == "F32":
            return np.ascontiguousarray(values, dtype=np.float32)
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if not np.isfinite(halves).all():
            raise DeployError(f"{tensor}: a weight beyond 65504 does not fit float16", "the training diverged")
        if kind == "F16":
            return np.ascontiguousarray(halves)
        # Rounded through float16 first, as llama-quantize finds them in a float16 file.
        rounded = np.ascontiguousarray(halves, dtype=np.float32)
        blocks = self.quantise(rounded, kind)
        check_blocks(rounded, blocks, kind, tensor)
        return blocks


def check_blocks(values: "F32", blocks: "Bytes", kind: TypeName, tensor: str) -> None:
    """Reads the first rows of a tensor back.

    Raises:
        DeployError: They differ from the values by more than the type explains.
    """
    import numpy as np
    from gguf import GGMLQuantizationType, dequantize

    expected = values[:_CHECKED_ROWS]
    found = dequantize(blocks[:_CHECKED_ROWS], GGMLQuantizationType[kind])
    error, size = (float(np.sqrt(np.mean(np.square(part, dtype=np.float64)))) for part in (found - expected, expected))
    if not error <= MAX_RELATIVE_ERROR[kind] * size + 1e-12:
        raise DeployError(
            f"{tensor}: {kind} reads back with an error of {error / max(size, 1e-12):.2f} of its size",
            "quantise with a llama-quantize of your own: --llama-cpp PATH",
        )


def find_quantiser() -> Quantiser:
    """Gives ggml's quantiser where it is exported and reads back right, else numpy's (slower, as exact)."""
    import numpy as np

    from train.gguf.ggml import load_quantise_chunk
    from train.gguf.k_quants import quantise_rows

    native = load_quantise_chunk()
    plain = Quantiser("numpy", quantise_rows)
    if native is None:
        return plain
    probe = np.linspace(-1, 1, 4 * 256, dtype=np.float32).reshape(4, 256)
    try:
        for kind in MAX_RELATIVE_ERROR:
            check_blocks(probe, native(probe, kind), kind, "probe")
    except DeployError:
        # Another build of xllamacpp with another idea of the function: never trust it with weights.
        return plain
    return Quantiser("ggml", native)


def _choose_q4_k_m(name: str, num_layers: int, *, is_tied: bool) -> TypeName:
    if name == "output.weight" or (is_tied and name == "token_embd.weight"):
        return "Q6_K"
    parts = name.split(".")
    if parts[0] == "blk" and parts[2] in ("attn_v", "attn_qkv", "ffn_down"):
        return "Q6_K" if _gets_more_bits(int(parts[1]), num_layers) else "Q4_K"
    return "Q4_K"


def _gets_more_bits(layer: int, num_layers: int) -> bool:
    """Says whether a layer is among the first or last eighth, or each third one between."""
    eighth = num_layers // 8
    return layer < eighth or layer >= 7 * num_layers // 8 or (layer - eighth) % 3 == 2


def _fit_row(wanted: TypeName, row_length: int) -> TypeName:
    """Gives the next type whose blocks fit the row, as llama.cpp falls back."""
    smaller = {"Q4_K": "Q5_0", "Q6_K": "Q8_0", "Q8_0": "F16", "Q5_0": "F16"}
    while row_length % BLOCK_SIZE[wanted]:
        wanted = cast("TypeName", smaller[wanted])
    return wanted
