"""Finds the base on this machine or the hub, and loads its tokenizer and weights. Safetensors only, no foreign code."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from schemas.errors import TrainError
from schemas.identity import make_id
from schemas.recipe import Architecture, Method
from train.tokenize import find_stop_ids

WANTED_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "merges.txt", "vocab.txt", "LICENSE*"]
"""Files of a hub repository that are fetched: weights as safetensors, never pickles or code."""
HUB_TIMEOUT_S = "15"
HINT = "--base FOLDER, --base OWNER/NAME of the hub, or --base tiny: random weights, to rehearse"
Precision = Literal["bf16", "fp16", "fp32"]


@dataclass(frozen=True)
class Base:
    """A base model whose files lie on this machine.

    Attributes:
        name: Folder or hub id, as it was asked for.
        path: The folder.
        revision: Commit of the hub; for a folder a hash of its config and of the names and sizes of its weights.
    """

    name: str
    path: Path
    revision: str


@dataclass(frozen=True)
class Device:
    """Where it is computed and in which numbers."""

    kind: Literal["cpu", "cuda"]
    name: str
    precision: Precision
    count: int = 1


def find_base(name: str, *, may_fetch: bool = True) -> Base:
    """Gives the files of a base: a folder, the hub's cache on this machine, or the hub.

    Args:
        name: Folder or hub id.
        may_fetch: Whether the network may be used.

    Raises:
        TrainError: It is nowhere to be had, or holds no safetensors.
    """
    if not name:
        raise TrainError("no base model named", HINT)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _check_weights(Base(name, folder.resolve(), _hash_folder(folder)))
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise TrainError(f"base {name}: no such folder, and no hub id (owner/name)", HINT)
    path = _find_cached(name) or (_fetch(name) if may_fetch else None)
    if path is None:
        raise _explain_absence(name, "not on this machine")
    return _check_weights(Base(name, path, path.name))


def has_base(name: str) -> bool:
    """Whether the base lies on this machine."""
    try:
        find_base(name, may_fetch=False)
    except TrainError:
        return False
    return True


def read_architecture(base: Base) -> Architecture:
    """Gives the sizes of a base from its `config.json`.

    Raises:
        TrainError: The file lacks one.
    """
    path = base.path / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        heads = config.get("num_attention_heads", config.get("n_head"))
        hidden = config.get("hidden_size", config.get("n_embd"))
        return Architecture(
            kind=config["model_type"],
            layers=config.get("num_hidden_layers", config.get("n_layer")),
            hidden=hidden,
            intermediate=config.get("intermediate_size") or config.get("n_inner") or 4 * hidden,
            heads=heads,
            kv_heads=config.get("num_key_value_heads", heads),
            vocabulary=config["vocab_size"],
            context=config.get("max_position_embeddings", config.get("n_positions")),
            is_tied=config.get("tie_word_embeddings", config["model_type"] == "gpt2"),
            head_width=config.get("head_dim"),
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise TrainError(f"{path}: not the config of a language model ({error})", "--base names another") from error


def load_tokenizer(base: Base) -> Any:
    """Gives the base's tokenizer with its stock chat template; one without a padding token pads with its stop token.

    Raises:
        TrainError: It cannot be read or is not a fast one.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base.path, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise TrainError(f"{base.name}: its tokenizer cannot be read ({error})", "fetch the base again") from error
    if not tokenizer.is_fast:
        raise TrainError(f"{base.name}: no tokenizer.json, and the slow kind has no offsets", "fetch the base again")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def find_base_stops(base: Base, tokenizer: Any) -> set[int]:
    """Gives the tokens at which a server of this base stops."""
    path = base.path / "generation_config.json"
    try:
        stops = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
    except (OSError, ValueError):
        stops = None
    return find_stop_ids(tokenizer, stops)


def choose_device(precision: str) -> Device:
    """Gives device and number format: bf16 where the card has it, else fp16; always 32 bits on a CPU."""
    import torch

    if not torch.cuda.is_available():
        return Device("cpu", "CPU", "fp32", 1)
    wanted = precision if precision != "auto" else "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    found: Precision = "bf16" if wanted == "bf16" else "fp16" if wanted == "fp16" else "fp32"
    return Device("cuda", torch.cuda.get_device_name(), found, torch.cuda.device_count())


def load_weights(base: Base, method: Method, device: Device, attention: str) -> Any:
    """Loads the base for training.

    Args:
        base: Its files.
        method: qlora: linear layers in NF4, double-quantised; lora: in the precision; full: in 32 bits, which
            mixed precision casts for computing.
        device: Where to.
        attention: Name of the attention kernel, or auto.

    Raises:
        TrainError: The files cannot be read as a causal language model.
    """
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {"attn_implementation": attention} if attention != "auto" else {}
    compute = torch_type(device.precision)
    if method == "qlora":
        options["quantization_config"] = _quantisation(compute)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base.path,
            dtype=torch_type("fp32") if method == "full" else compute,
            device_map={"": _place(device)},
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            **options,
        )
    except (OSError, ValueError, ImportError) as error:
        raise TrainError(
            f"{base.name}: cannot be loaded ({error})", "curator doctor checks the installation"
        ) from error
    if device.kind == "cpu":
        keep_quantised_layers_trainable(model)
    return model


def keep_quantised_layers_trainable(model: Any) -> int:
    """Stops bitsandbytes from repacking weights on CPUs with AVX512-BF16; gives how many layers were told.

    There it rewrites the weights in place at the first evaluation, for faster inference, and the next training step
    fails ("a view of a leaf Variable") or learns nothing because no gradient flows.
    """
    from bitsandbytes.nn.modules import Linear4bit

    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    for layer in layers:
        layer.support_avx512bf16_for_cpu = False
    return len(layers)


def torch_type(precision: Precision) -> Any:
    """Gives torch's name of a number format."""
    import torch

    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[precision]


def _quantisation(compute: Any) -> Any:
    from transformers import BitsAndBytesConfig

    make: Any = BitsAndBytesConfig
    return make(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def _place(device: Device) -> str | int:
    """Each process that accelerate starts has a card of its own."""
    return "cpu" if device.kind == "cpu" else int(os.environ.get("LOCAL_RANK", "0"))


def _find_cached(name: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        path = Path(snapshot_download(name, local_files_only=True, allow_patterns=WANTED_FILES))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None
    return path if (path / "config.json").exists() and any(path.glob("*.safetensors")) else None


def _fetch(name: str) -> Path:
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", HUB_TIMEOUT_S)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=WANTED_FILES))
    except GatedRepoError as error:
        raise TrainError(
            f"base {name}: its owner asks for consent", f"accept the licence on the hub, hf auth login, {_how(name)}"
        ) from error
    except RepositoryNotFoundError as error:
        raise TrainError(f"base {name}: the hub knows no such model", "check the spelling of --base") from error
    except Exception as error:
        # No network shows as one of a dozen exceptions, from requests, httpx, the hub's client and the system.
        raise _explain_absence(
            name, f"not on this machine, and the hub cannot be reached ({type(error).__name__})"
        ) from (error)


def _explain_absence(name: str, what: str) -> TrainError:
    return TrainError(f"base {name}: {what}", f"on a machine with network: {_how(name)}")


def _how(name: str) -> str:
    short = name.rsplit("/", maxsplit=1)[-1]
    return f"hf download {name} --local-dir {short}; copy the folder here, then --base PATH/{short}"


def _check_weights(base: Base) -> Base:
    if not any(base.path.glob("*.safetensors")):
        pickled = next((path.name for path in base.path.glob("*.bin")), None)
        found = f"only {pickled}, which can run code when it is opened" if pickled else "no weights"
        raise TrainError(f"base {base.path}: holds {found}", "fetch its safetensors: hf download ID --local-dir FOLDER")
    return base


def _hash_folder(folder: Path) -> str:
    config = folder / "config.json"
    weights = sorted(f"{path.name}:{path.stat().st_size}" for path in folder.glob("*.safetensors"))
    return make_id(config.read_text(encoding="utf-8") if config.exists() else "", *weights)
