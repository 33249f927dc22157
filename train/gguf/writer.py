"""Writes a GGUF file from a model folder, one tensor in memory at a time."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import DeployError
from train.gguf.architectures import Layout, Tensor, describe_architecture
from train.gguf.model_folder import ModelFolder
from train.gguf.quantise import FILE_TYPES, Quantisation, Quantiser, TypeName, choose_type, find_quantiser
from train.gguf.rope import compute_rope_factors
from train.gguf.tokenizer import Vocabulary, read_vocabulary

if TYPE_CHECKING:
    import gguf

QUANTISATION_VERSION = 2


@dataclass(frozen=True)
class GgufFile:
    """What was written.

    Attributes:
        path: The file.
        architecture: Its name in GGUF.
        quantisation: The mix.
        num_tensors: Tensors in it.
        size_bytes: Of the file.
        quantiser: ggml, numpy, llama-quantize, or none where nothing was quantised.
    """

    path: Path
    architecture: str
    quantisation: Quantisation
    num_tensors: int
    size_bytes: int
    quantiser: str


@dataclass(frozen=True)
class _Planned:
    tensor: Tensor
    shape: tuple[int, ...]
    kind: TypeName


def write_gguf(folder: Path, target: Path, quantisation: Quantisation = "f16", *,
               name: str | None = None, quantiser: Quantiser | None = None) -> GgufFile:  # fmt: skip
    """Writes the model of a folder as GGUF.

    Args:
        folder: config.json, safetensors and tokenizer.json, as `save_pretrained` writes them.
        target: The file, written whole or not at all.
        quantisation: f16, q8_0 or q4_k_m.
        name: What the model is called inside; the folder's name if absent.
        quantiser: ggml's where it can be had, else numpy's.

    Raises:
        DeployError: The architecture, its settings, a tensor or the tokenizer is not one that is known to come out
            right, or the disk is full.
    """
    model = ModelFolder.open(folder)
    layout = describe_architecture(model.config)
    vocabulary = read_vocabulary(folder, num_embeddings=_count_embeddings(model, layout))
    planned = plan_tensors(model, layout, quantisation)
    quantiser = quantiser or find_quantiser()
    partial = target.with_name(f".{target.name}.partial")
    try:
        with contextlib.closing(_open_writer(partial, layout, vocabulary, quantisation, name or folder.name)) as writer:
            _write_tensors(writer, model, layout, planned, quantiser)
        partial.replace(target)
    except OSError as error:
        raise DeployError(f"{target}: {error.strerror}", "free some space or check the rights") from error
    finally:
        partial.unlink(missing_ok=True)
    is_quantised = any(plan.kind not in ("F32", "F16") for plan in planned)
    return GgufFile(
        target,
        layout.name,
        quantisation,
        len(planned),
        target.stat().st_size,
        quantiser.name if is_quantised else "none",
    )


def plan_tensors(model: ModelFolder, layout: Layout, quantisation: Quantisation) -> list[_Planned]:
    """Gives every tensor to write with shape and type; proves that none is missing and none left over.

    Raises:
        DeployError: One is.
    """
    names = _find_names(model, layout)
    planned = []
    for tensor in layout.tensors:
        if tensor.source not in names:
            if tensor.is_optional:
                continue
            raise DeployError(f"{model.path}: tensor {tensor.source} is missing", "save the whole model again")
        shape = model.read_shape(names.pop(tensor.source))
        shape = shape[::-1] if tensor.is_transposed else shape
        kind = choose_type(
            tensor.target, shape, quantisation, layout.num_layers, is_tied=layout.is_tied, is_exact=tensor.is_exact
        )
        planned.append(_Planned(tensor, shape, kind))
    _refuse_leftovers(model, layout, names)
    return planned


def _find_names(model: ModelFolder, layout: Layout) -> dict[str, str]:
    """Gives the name in the file by the name without the prefix that only some files have."""
    return {name.removeprefix(layout.prefix): name for name in model.files if not name.endswith(layout.ignored or "\0")}


def _refuse_leftovers(model: ModelFolder, layout: Layout, names: dict[str, str]) -> None:
    import numpy as np

    output = names.pop(layout.output, None) if layout.is_tied else None
    if output and not np.array_equal(model.read(output), model.read(_find_names(model, layout)[layout.embedding])):
        raise DeployError(
            f"{model.path}: {output} differs from the embeddings, but config.json says tie_word_embeddings",
            "set tie_word_embeddings to false in config.json",
        )
    if names:
        raise DeployError(
            f"{model.path}: {len(names)} tensors are unknown in {layout.name}: {min(names)}",
            "merge adapters first; else convert it with a checkout of llama.cpp: --llama-cpp PATH",
        )


def _count_embeddings(model: ModelFolder, layout: Layout) -> int:
    name = _find_names(model, layout).get(layout.embedding)
    if name is None:
        raise DeployError(f"{model.path}: tensor {layout.embedding} is missing", "save the whole model again")
    return model.read_shape(name)[0]


def _open_writer(path: Path, layout: Layout, vocabulary: Vocabulary, quantisation: Quantisation, name: str
                 ) -> "gguf.GGUFWriter":  # fmt: skip
    import gguf

    writer = gguf.GGUFWriter(path, layout.name)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_file_type(FILE_TYPES[quantisation])
    writer.add_quantization_version(QUANTISATION_VERSION)
    adders: dict[type, Any] = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    for key, value in layout.keys.items():
        adders[type(value)](f"{layout.name}.{key}", value)
    vocabulary.add_to(writer)
    return writer


def _write_tensors(
    writer: "gguf.GGUFWriter", model: ModelFolder, layout: Layout, planned: list[_Planned], quantiser: Quantiser
) -> None:
    import gguf
    import numpy as np
    from gguf.quants import quant_shape_to_byte_shape

    factors = compute_rope_factors(model.config, layout.head_size) if layout.head_size else None
    if factors is not None:
        writer.add_tensor_info("rope_freqs.weight", factors.shape, factors.dtype, factors.nbytes)
    for plan in planned:
        kind = gguf.GGMLQuantizationType[plan.kind]
        size = int(np.prod(quant_shape_to_byte_shape(plan.shape, kind)))
        writer.add_tensor_info(plan.tensor.target, plan.shape, np.dtype(np.float32), size, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    names = _find_names(model, layout)
    if factors is not None:
        writer.write_tensor_data(factors)
    for plan in planned:
        values = model.read(names[plan.tensor.source])
        if plan.tensor.is_transposed:
            values = values.T
        if plan.tensor.change is not None:
            values = plan.tensor.change(values)
        writer.write_tensor_data(quantiser.encode(values, plan.kind, plan.tensor.target))
