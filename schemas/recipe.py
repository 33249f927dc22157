"""The recipe: everything that decides how a model is trained, each setting documented here and nowhere else."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Method = Literal["qlora", "lora", "full"]
Loss = Literal["assistant", "all"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Architecture(_Section):
    """Sizes of the base, so that memory and time can be estimated before its weights are at hand.

    Read from the base's `config.json` instead wherever that is there.
    """

    kind: str = Field(description="`model_type` of its config: qwen2, llama, phi3, mistral, gpt2.")
    layers: int = Field(ge=1, description="Blocks.")
    hidden: int = Field(ge=1, description="Width of the residual stream.")
    intermediate: int = Field(ge=1, description="Width inside the feed-forward block.")
    heads: int = Field(ge=1, description="Attention heads of a block.")
    kv_heads: int = Field(ge=1, description="Heads of keys and values; equal to `heads` without grouping.")
    vocabulary: int = Field(ge=1, description="Rows of the embedding.")
    context: int = Field(ge=1, description="Positions that the base was made for.")
    is_tied: bool = Field(description="Whether input and output embeddings are one matrix.")
    head_width: int | None = Field(None, ge=1, description="Width of a head; hidden / heads if absent.")


class ModelSection(_Section):
    """What is trained."""

    base: str = Field("", description="Folder or hub id of the base; `--base` goes before it.")
    architecture: Architecture | None = None


class DataSection(_Section):
    """How rows become tokens."""

    format: Literal["messages", "instruction", "sharegpt", "alpaca"] = Field(
        "messages", description="Export that is read: chat turns, or the instruction text of GPT-2."
    )
    loss: Loss = Field("assistant", description="assistant: answers and their stop token; all: every token of a row.")
    max_length: int = Field(2048, ge=16, description="Tokens of a row; what is longer is cut at the end.")
    packing: Literal["bfd", "off"] = Field(
        "bfd", description="bfd: short rows share a sequence (best fit, documents kept apart); off: one row a sequence."
    )
    validation_ratio: float = Field(
        0.0, ge=0, lt=0.5, description="Share of train held out where the export has no validation split."
    )


class LoraSection(_Section):
    """The adapter; unused by a full fine-tune."""

    r: int = Field(16, ge=1, description="Rank.")
    alpha: int = Field(16, ge=1, description="Scale; the update is multiplied by alpha / r.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the adapter's inputs left out in training.")
    targets: Literal["all-linear"] | list[str] = Field("all-linear", description="Modules that get an adapter.")


class TrainSection(_Section):
    """The optimisation."""

    method: Method = Field("qlora", description="qlora: NF4 base, LoRA; lora: 16-bit base, LoRA; full: all weights.")
    lr: float = Field(2e-4, gt=0, lt=1, description="Peak learning rate.")
    scheduler: Literal["constant", "constant_with_warmup", "linear", "cosine"] = Field(
        "linear", description="How the rate goes down after the warm-up."
    )
    warmup_steps: int = Field(5, ge=0, description="Optimiser steps over which the rate rises from 0.")
    max_steps: int = Field(0, ge=0, description="Optimiser steps; 0: as many as `epochs` need.")
    epochs: float = Field(1.0, gt=0, description="Passes over the data when `max_steps` is 0.")
    batch_size: int = Field(2, ge=1, description="Sequences a device and forward pass.")
    accumulation: int = Field(4, ge=1, description="Forward passes an optimiser step.")
    optimiser: Literal["adamw_torch", "adamw_8bit", "paged_adamw_8bit"] = Field(
        "paged_adamw_8bit", description="AdamW; 8-bit moments take a quarter, paged ones give way to peaks of memory."
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's memory of gradients.")
    beta2: float = Field(0.999, ge=0, lt=1, description="AdamW's memory of their squares.")
    weight_decay: float = Field(0.0, ge=0, description="Share of each weight taken away a step, times the rate.")
    max_grad_norm: float = Field(1.0, gt=0, description="Longer gradients are scaled down to it.")
    gradient_checkpointing: bool = Field(True, description="Compute activations twice instead of keeping them.")
    precision: Literal["auto", "bf16", "fp16", "fp32"] = Field(
        "auto", description="auto: bf16 where the card has it, else fp16; fp32 on a CPU."
    )
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2"] = Field(
        "auto", description="auto: what transformers chooses."
    )
    eval_steps: int = Field(20, ge=1, description="Optimiser steps between two validations.")
    save_steps: int = Field(20, ge=1, description="Optimiser steps between two checkpoints (two are kept).")
    log_steps: int = Field(1, ge=1, description="Optimiser steps between two lines of metrics.jsonl.")
    patience: int = Field(3, ge=0, description="Validations without a lower loss before it stops; 0: never stops.")
    seed: int = Field(3407, ge=0, lt=2**32, description="Order of the rows, dropout, initial adapter, samples.")


class SampleSection(_Section):
    """What the model is asked at every epoch, so that a person sees it learn."""

    prompts: list[Annotated[str, Field(min_length=1)]] = Field(
        ["Introduce yourself in two sentences.", "What should I do first?", "What do you need to know about me?"],
        description="Asked in this order, the same at every epoch.",
    )
    temperature: float = Field(0.7, gt=0, le=2, description="Of sampled answers.")
    top_k: int = Field(50, ge=0, description="Most likely tokens that are drawn from; 0: all.")
    max_new_tokens: int = Field(128, ge=1, description="Longest sampled answer.")


class HardwareSection(_Section):
    """What estimates of memory and time assume."""

    teraflops: float = Field(
        30.0, gt=0, description="What the card reaches in training, in 1e12 operations a second (24 GB class: 30)."
    )
    gpus: int = Field(0, ge=0, description="Processes, one a GPU, started through accelerate; 0: all GPUs.")


class Recipe(_Section):
    """A training run but for its data.

    Precedence of every value: `--set` > pack > recipe file > default.
    """

    title: str = Field(description="One line: what it is for.")
    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    lora: LoraSection = LoraSection()
    train: TrainSection = TrainSection()
    sample: SampleSection = SampleSection()
    hardware: HardwareSection = HardwareSection()

    @model_validator(mode="after")
    def _check_length(self) -> "Recipe":
        shape = self.model.architecture
        if shape is not None and self.data.max_length > shape.context:
            raise ValueError(f"data.max_length {self.data.max_length} is more than the base's context {shape.context}")
        return self
