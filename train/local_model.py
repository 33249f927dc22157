"""A model folder, or an adapter on its base, in memory: the reference that everything served is compared with."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from schemas.errors import DeployError
from train.gguf.model_folder import read_json
from train.gguf.tokenizer import strip_generation_marks
from train.turns import INSTRUCTION_TEMPLATE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    F32 = npt.NDArray[np.float32]

SMALL_PARAMETERS = 20_000_000
ADAPTER_CONFIG = "adapter_config.json"
Precision = Literal["exact", "halves", "fast"]
"""exact: float32; halves: float32 that went through float16, as a GGUF file holds it; fast: the folder's own type."""


@dataclass(frozen=True)
class LocalModel:
    """A model that can be asked for more than text.

    Attributes:
        tokenizer: Of transformers, with a chat template.
        model: Of transformers, in evaluation mode.
    """

    tokenizer: Any
    model: Any

    def render(self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool = True) -> str:
        """Gives the text of a conversation as the tokenizer's chat template says it.

        Raises:
            DeployError: The template refuses the conversation.
        """
        try:
            text = self.tokenizer.apply_chat_template(
                [dict(message) for message in messages], tokenize=False, add_generation_prompt=add_generation_prompt
            )
        except Exception as error:
            # Templates raise whatever they like.
            raise DeployError(f"chat template: {error}", "expected turns of system, user and assistant") from error
        return str(text)

    def encode(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """Gives the ids of a prompt."""
        return self.encode_text(self.render(messages))

    def encode_text(self, rendered: str) -> list[int]:
        """Gives the ids of a rendered text, which begins with the token of the beginning if it has one."""
        ids = self.tokenizer(rendered, add_special_tokens=False)["input_ids"]
        return [int(token) for token in ids]

    def read_logits(self, ids: Sequence[int]) -> "F32":
        """Gives (length, vocabulary) float32: what follows each token."""
        import torch

        with torch.inference_mode():
            batch = torch.tensor([list(ids)], device=self.model.device)
            logits: F32 = self.model(batch, use_cache=False).logits[0].float().cpu().numpy()
        return logits

    def continue_greedily(self, ids: Sequence[int], num_tokens: int) -> "tuple[list[int], F32]":
        """Gives the most likely next tokens, past any that stops, and the log-probabilities at each of them.

        Returns:
            The tokens, and (num_tokens, vocabulary) float32 of natural logarithms.
        """
        import numpy as np
        import torch

        tokens: list[int] = []
        rows = []
        batch, cache = torch.tensor([list(ids)], device=self.model.device), None
        with torch.inference_mode():
            for _ in range(num_tokens):
                out = self.model(batch, past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                row = torch.log_softmax(out.logits[0, -1].float(), dim=-1)
                rows.append(row.cpu().numpy())
                tokens.append(int(row.argmax()))
                batch = torch.tensor([[tokens[-1]]], device=self.model.device)
        return tokens, np.stack(rows)

    def generate(self, messages: Sequence[Mapping[str, str]], *, max_tokens: int, temperature: float = 0.0,
                 top_p: float = 1.0, seed: int = 0, stop: Sequence[str] = ()) -> str:  # fmt: skip
        """Gives the answer to a conversation; at temperature 0 always the same."""
        import torch

        ids = self.encode(messages)
        batch = torch.tensor([ids], device=self.model.device)
        sampling = {"do_sample": True, "temperature": temperature, "top_p": top_p} if temperature else {}
        devices = [self.model.device] if self.model.device.type == "cuda" else []
        with torch.inference_mode(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            out = self.model.generate(
                batch, attention_mask=torch.ones_like(batch), max_new_tokens=max_tokens,
                pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
                **({"do_sample": False} | sampling),
                **({"stop_strings": list(stop), "tokenizer": self.tokenizer} if stop else {}),
            )  # fmt: skip
        text = self.tokenizer.decode(out[0, len(ids) :], skip_special_tokens=True)
        for mark in stop:
            text = text.split(mark, 1)[0]
        return str(text)

    @property
    def special_tokens(self) -> list[str]:
        """Texts of all tokens that are no text."""
        added = self.tokenizer.added_tokens_decoder.values()
        return list(dict.fromkeys([*self.tokenizer.all_special_tokens, *(t.content for t in added if t.special)]))


def load_local_model(folder: Path, *, base: str | None = None, precision: Precision = "exact") -> LocalModel:
    """Loads a model folder, or an adapter on its unquantised base.

    Args:
        folder: With config.json, or with adapter_config.json.
        base: Where the base of an adapter lies; as the adapter says if absent.
        precision: exact, halves or fast (bfloat16 or float16 on a GPU).

    Raises:
        DeployError: A part is missing, not safetensors, or does not fit.
    """
    import torch

    model = load_weights(folder, base=base, dtype="auto" if precision == "fast" else "float32")
    if precision == "halves":
        for values in (*model.parameters(), *model.buffers()):
            values.data = values.data.to(torch.float16).to(values.dtype)
    if precision == "fast":
        # The CPU computes 16-bit weights much more slowly than 32-bit ones.
        model = model.to("cuda") if torch.cuda.is_available() else model.float()
    return LocalModel(load_tokenizer(folder, base), model.eval())


def load_tokenizer(folder: Path, base: str | None = None) -> Any:
    """Loads the tokenizer of a folder, or of the base where an adapter folder has none; it gets a chat template.

    Raises:
        DeployError: There is none.
    """
    from transformers import AutoTokenizer

    place = str(folder) if (folder / "tokenizer_config.json").exists() or not is_adapter(folder) else None
    place = place or find_base(folder, base)
    with explain_loading(place, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
    tokenizer.chat_template = strip_generation_marks(tokenizer.chat_template or INSTRUCTION_TEMPLATE)
    return tokenizer


def load_weights(folder: Path, *, base: str | None = None, dtype: str = "float32") -> Any:
    """Loads the weights, an adapter left as it is beside those of its base.

    Raises:
        DeployError: They are missing or damaged.
    """
    from transformers import AutoModelForCausalLM

    is_partial = is_adapter(folder)
    place = find_base(folder, base) if is_partial else str(folder)
    with explain_loading(place, "model"):
        model = AutoModelForCausalLM.from_pretrained(
            place, dtype=dtype, use_safetensors=True, trust_remote_code=False, local_files_only=Path(place).is_dir()
        )
    if not is_partial:
        return model
    from peft import PeftModel

    with explain_loading(str(folder), "adapter"):
        if not (folder / "adapter_model.safetensors").is_file():
            raise OSError("no adapter_model.safetensors")
        return PeftModel.from_pretrained(model, str(folder))


@contextlib.contextmanager
def spare_threads(model: LocalModel) -> Iterator[None]:
    """Computes a small model on one thread in the block: several would mostly wait for each other."""
    import torch

    before = torch.get_num_threads()
    if model.model.num_parameters() <= SMALL_PARAMETERS and model.model.device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def is_adapter(folder: Path) -> bool:
    """Says whether a folder holds an adapter and not a whole model."""
    return (folder / ADAPTER_CONFIG).is_file()


def find_base(adapter: Path, base: str | None = None) -> str:
    """Gives the path or name of an adapter's base.

    Raises:
        DeployError: The adapter is of another kind than LoRA, or names no base.
    """
    config = read_json(adapter / ADAPTER_CONFIG, "curator train writes it")
    if config.get("peft_type") != "LORA":
        raise DeployError(f"{adapter}: adapter of kind {config.get('peft_type')}: expected LORA", "merge it yourself")
    named = base or config.get("base_model_name_or_path")
    if not named:
        raise DeployError(f"{adapter / ADAPTER_CONFIG}: names no base", "give --base PATH")
    return str(named)


@contextlib.contextmanager
def explain_loading(place: str, what: str) -> Iterator[None]:
    """Says in one line why transformers or peft could not load something.

    Raises:
        DeployError: It could not.
    """
    import warnings

    from safetensors import SafetensorError
    from transformers.utils import logging

    # Its bars write over ours, and a terminal that is none gets a line a step.
    hide_bars: Any = logging.disable_progress_bar
    hide_bars()
    try:
        with warnings.catch_warnings():
            # What peft has still to change for transformers is no concern of who deploys.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:160]
        if isinstance(error, RuntimeError) and "out of memory" in reason:
            hint = "free some memory, or deploy on a larger machine"
        elif not Path(place).exists():
            hint = f"download it (hf download {place}) or give --base PATH of a folder that has it"
        else:
            hint = "expected the files that save_pretrained writes (safetensors, config.json, tokenizer.json)"
        raise DeployError(f"{place}: the {what} does not load: {reason}", hint) from error
