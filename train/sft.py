"""The training itself: trl's SFTTrainer over rows that the contract check has tokenised and proved."""

import contextlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from schemas.errors import TrainError
from schemas.recipe import Recipe
from train.backends import Backend
from train.load import Base, Device
from train.samples import sample_answers
from train.saving import explain_saving
from train.tokenize import Tokens

METRICS_FILE = "metrics.jsonl"
SAMPLES_FILE = "samples.jsonl"
SMALL_MACHINE_CORES = 4
"""Up to so many cores one torch thread beats several: they wait for each other (measured: up to five times)."""

Move = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Job:
    """What a training run needs.

    Attributes:
        folder: Gets metrics, samples, checkpoints.
        recipe: The settings.
        base: The base's files.
        device: Where it runs.
        tokenizer: With the stock chat template.
        train: Rows to learn.
        validation: Rows to validate on; may be empty.
        stop_ids: Tokens that end an answer.
        system: System prompt of the sample prompts.
        checkpoint: Where to go on from; None for a new run.
    """

    folder: Path
    recipe: Recipe
    base: Base
    device: Device
    tokenizer: Any
    train: Sequence[Tokens]
    validation: Sequence[Tokens]
    stop_ids: set[int]
    system: str | None = None
    checkpoint: Path | None = None


@dataclass
class Outcome:
    """What a run gave.

    Attributes:
        model: The trained model, with its adapter.
        metrics: Every line of `metrics.jsonl`.
        summary: First and last loss, best validation loss, steps, tokens, seconds, tokens a second, peak memory.
        is_main: False in the processes beside the first one, which write nothing.
    """

    model: Any
    metrics: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    is_main: bool = True


def run_sft(job: Job, backend: Backend, move: Move) -> Outcome:
    """Trains a model.

    Args:
        job: What and where.
        backend: Who prepares the model.
        move: Told (what, done, total) after every step.

    Raises:
        TrainError: Memory does not suffice, or the base cannot be loaded.
    """
    silence_libraries()
    with _explain_memory(job.recipe), explain_saving(job.folder), _threads(job.device), warnings.catch_warnings():
        # Which argument a future release renames is for us to follow, not for the user to read.
        warnings.simplefilter("ignore", FutureWarning)
        kept = _read_kept(job)
        already = max((row.get("tokens", 0) for row in kept), default=0)
        trainer = _build_trainer(job, backend, _make_recorder(job, move, kept, already))
        started = time.monotonic()
        trainer.train(resume_from_checkpoint=str(job.checkpoint) if job.checkpoint else None)
        seconds = time.monotonic() - started
    metrics = read_metrics(job.folder)
    return Outcome(
        trainer.model,
        metrics,
        _summarise(trainer, metrics, seconds, job.device, already),
        trainer.is_world_process_zero(),
    )


def silence_libraries() -> None:
    """Keeps bars and advice of the libraries off the terminal; what goes wrong still raises."""
    import datasets
    from transformers.utils import logging

    for quieten in (logging.disable_progress_bar, logging.set_verbosity_error, datasets.disable_progress_bars):
        cast("Callable[[], None]", quieten)()


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Gives the lines of `metrics.jsonl`; none when there is no such file."""
    path = folder / METRICS_FILE
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _read_kept(job: Job) -> list[dict[str, Any]]:
    """Gives the metrics up to the checkpoint; lines after it belong to steps that are now done again."""
    if job.checkpoint is None:
        return []
    step = int(job.checkpoint.name.split("-")[1])
    return [row for row in read_metrics(job.folder) if row["step"] <= step]


def _build_trainer(job: Job, backend: Backend, recorder: Any) -> Any:
    from transformers import EarlyStoppingCallback, PrinterCallback, ProgressCallback
    from trl.trainer.sft_trainer import SFTTrainer

    prepared = backend.prepare(job.base, job.recipe, job.device)
    recipe = job.recipe
    callbacks: list[Any] = [recorder]
    if job.validation and recipe.train.patience:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=recipe.train.patience))
    trainer: Any = SFTTrainer(
        model=prepared.model,
        args=_build_arguments(job),
        train_dataset=_make_dataset(job.train),
        eval_dataset=_make_dataset(job.validation) if job.validation else None,
        processing_class=job.tokenizer,
        peft_config=prepared.adapter,
        callbacks=callbacks,
    )
    # trl casts adapters over an NF4 base to bf16. They stay in 32 bits: peft reads them so from a checkpoint, and a resumed
    # run must end where an undisturbed one does; fp16's loss scaler needs it; and small steps are not lost to rounding.
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    # The trainer's own printing of every log line; ours go to metrics.jsonl.
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _make_dataset(rows: Sequence[Tokens]) -> Any:
    import datasets

    return datasets.Dataset.from_dict({"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows]})


def _build_arguments(job: Job) -> Any:
    from trl.trainer.sft_config import SFTConfig

    train, data = job.recipe.train, job.recipe.data
    stops_early = bool(job.validation) and train.patience > 0
    is_cpu = job.device.kind == "cpu"
    return SFTConfig(
        output_dir=str(job.folder / "checkpoints"),
        max_steps=train.max_steps or -1,
        num_train_epochs=train.epochs,
        per_device_train_batch_size=train.batch_size,
        per_device_eval_batch_size=train.batch_size,
        gradient_accumulation_steps=train.accumulation,
        learning_rate=train.lr,
        lr_scheduler_type=train.scheduler,
        warmup_steps=train.warmup_steps,
        # 8-bit optimisers run on a CPU as well, but the paged kind needs CUDA's unified memory.
        optim="adamw_8bit" if is_cpu and train.optimiser == "paged_adamw_8bit" else train.optimiser,
        adam_beta1=train.beta1,
        adam_beta2=train.beta2,
        weight_decay=train.weight_decay,
        max_grad_norm=train.max_grad_norm,
        gradient_checkpointing=train.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if train.gradient_checkpointing else None,
        bf16=job.device.precision == "bf16",
        fp16=job.device.precision == "fp16",
        use_cpu=is_cpu,
        max_length=data.max_length,
        packing=data.packing == "bfd",
        packing_strategy="bfd",
        # A validation loss is the mean over rows in either way; unpacked, its batches do not depend on other rows.
        eval_packing=False,
        eval_strategy="steps" if job.validation else "no",
        eval_steps=train.eval_steps,
        save_strategy="steps",
        save_steps=_find_save_steps(train.save_steps, train.eval_steps, must_match=stops_early),
        save_total_limit=2,
        load_best_model_at_end=stops_early,
        metric_for_best_model="eval_loss" if job.validation else None,
        greater_is_better=False if job.validation else None,
        logging_steps=train.log_steps,
        logging_first_step=True,
        seed=train.seed,
        data_seed=train.seed,
        dataloader_pin_memory=not is_cpu,
        disable_tqdm=True,
        report_to=[],
    )


def _find_save_steps(save_steps: int, eval_steps: int, *, must_match: bool) -> int:
    """The best checkpoint can be loaded at the end only if each was validated: the next multiple is taken."""
    return -(-save_steps // eval_steps) * eval_steps if must_match else save_steps


def _make_recorder(job: Job, move: Move, kept: Sequence[dict[str, Any]], already: int) -> Any:
    """Gives the callback that writes metrics and samples; its class needs transformers, which is imported late.

    Args:
        job: The run.
        move: Told after every step.
        kept: Metrics of the steps before the checkpoint.
        already: Tokens seen in them; trl counts from nought again.
    """
    from transformers import TrainerCallback

    class Recorder(TrainerCallback):
        """Writes `metrics.jsonl` and `samples.jsonl` while the run goes on."""

        def __init__(self) -> None:
            self.started = time.monotonic()

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            if not state.is_world_process_zero:
                return
            _write_lines(job.folder / METRICS_FILE, kept, is_new=True)
            if not job.checkpoint:
                _write_lines(job.folder / SAMPLES_FILE, [], is_new=True)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
            if state.is_world_process_zero and logs and ({"loss", "eval_loss"} & set(logs)):
                _write_lines(
                    job.folder / METRICS_FILE, [_describe_log(state, logs, time.monotonic() - self.started, already)]
                )

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            move("training", state.global_step, state.max_steps)

        def on_epoch_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ARG002
            if state.is_world_process_zero and job.recipe.sample.prompts:
                answers = sample_answers(
                    model, job.tokenizer, job.recipe.sample, job.stop_ids, job.recipe.train.seed, job.system
                )
                about = {"step": state.global_step, "epoch": round(state.epoch or 0.0, 4)}
                _write_lines(job.folder / SAMPLES_FILE, [about | answer for answer in answers])

    return Recorder()


def _describe_log(state: Any, logs: dict[str, Any], seconds: float, already: int) -> dict[str, Any]:
    names = {"loss": "loss", "eval_loss": "eval_loss", "learning_rate": "lr", "grad_norm": "grad_norm"}
    tokens = logs.get("num_tokens", logs.get("eval_num_tokens"))
    return {
        "step": state.global_step,
        "epoch": round(state.epoch or 0.0, 4),
        **{ours: float(logs[theirs]) for theirs, ours in names.items() if theirs in logs},
        **({"tokens": already + int(tokens)} if tokens is not None else {}),
        "seconds": round(seconds, 3),
    }


def _write_lines(path: Path, rows: Sequence[dict[str, Any]], *, is_new: bool = False) -> None:
    with path.open("w" if is_new else "a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _summarise(
    trainer: Any, metrics: Sequence[dict[str, Any]], seconds: float, device: Device, already: int
) -> dict[str, Any]:
    losses = [row["loss"] for row in metrics if "loss" in row]
    validated = [row["eval_loss"] for row in metrics if "eval_loss" in row]
    tokens = max((row.get("tokens", 0) for row in metrics), default=0)
    summary: dict[str, Any] = {
        "steps": trainer.state.global_step,
        "epochs": round(trainer.state.epoch or 0.0, 4),
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
        "best_eval_loss": min(validated, default=None),
        "tokens": tokens,
        "seconds": round(seconds, 3),
        "tokens_per_second": round((tokens - already) / seconds, 1) if seconds else None,
    }
    if device.kind == "cuda":
        import torch

        summary["peak_memory_bytes"] = torch.cuda.max_memory_reserved()
    return summary


@contextlib.contextmanager
def _threads(device: Device) -> Iterator[None]:
    """One torch thread on a small machine without a GPU; as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    if device.kind == "cpu" and (os.cpu_count() or 1) <= SMALL_MACHINE_CORES:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _explain_memory(recipe: Recipe) -> Iterator[None]:
    """Turns any of the shapes in which memory runs out into one line with what to change."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise explain_out_of_memory(recipe) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a card or in the machine."""
    text = str(error).lower()
    shapes = ("out of memory", "can't allocate memory", "cublas_status_alloc_failed")
    return isinstance(error, MemoryError) or any(shape in text for shape in shapes)


def explain_out_of_memory(recipe: Recipe) -> TrainError:
    """Gives the error with the three settings to change, in the order in which they cost least."""
    train, data = recipe.train, recipe.data
    smaller = max(1, train.batch_size // 2)
    batch = (
        f"--set train.batch_size={smaller} --set train.accumulation={train.accumulation * train.batch_size // smaller}"
    )
    length = f"--set data.max_length={max(16, data.max_length // 2)}"
    if train.method == "full":
        third = "--set train.optimiser=paged_adamw_8bit"
    elif not train.gradient_checkpointing:
        third = "--set train.gradient_checkpointing=true"
    else:
        third = "--set train.method=qlora" if train.method == "lora" else f"--set lora.r={max(1, recipe.lora.r // 2)}"
    where = f"batch of {train.batch_size} x {data.max_length} tokens, {train.method}"
    return TrainError(f"out of memory ({where})", f"try, one after the other: {batch}; {length}; {third}")
