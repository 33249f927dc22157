"""A run on several GPUs: one process a card, started through accelerate, each of them running this module."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schemas.errors import TrainError
from schemas.recipe import Recipe
from schemas.training import TrainReport
from train.card import read_record
from train.recipe import ResolvedRecipe
from train.run import Move, Request, train_model

JOB = "job.json"


def count_gpus(wanted: int) -> int:
    """Gives the processes to start: as many as wanted, else one a card of this machine; 1 without a card."""
    import torch

    return wanted or max(1, torch.cuda.device_count())


def train_anywhere(request: Request, move: Move = lambda *_: None, *, resume: bool = False) -> TrainReport:
    """Trains in this process on one device, or in one process a card on several.

    Args:
        request: What is to be trained.
        move: Told of every step, where it is trained in this process.
        resume: Go on from the newest checkpoint.

    Raises:
        TrainError: As `train.run.train_model`, or one of the processes failed.
    """
    processes = count_gpus(request.recipe.recipe.hardware.gpus)
    if processes == 1:
        return train_model(request, move, resume=resume)
    return launch(request, processes, resume=resume)


def launch(request: Request, processes: int, *, resume: bool = False, is_cpu: bool = False) -> TrainReport:
    """Trains in several processes and gives the record that the first of them wrote.

    Args:
        request: What is to be trained.
        processes: How many.
        resume: Go on from the newest checkpoint.
        is_cpu: Without GPUs (for rehearsal; they talk through gloo).

    Raises:
        TrainError: One of them failed; what it said stands above.
    """
    request.output.mkdir(parents=True, exist_ok=True)
    job = request.output / JOB
    job.write_text(json.dumps(_dump(request, resume=resume)), encoding="utf-8")
    before = read_record(request.output)
    child = [sys.executable, "-P", "-m", "train.launch", str(job)]
    command = [sys.executable, "-P", "-m", "accelerate.commands.launch", "--num_processes", str(processes),
               "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
               *(["--cpu"] if is_cpu else ["--multi_gpu"]), "--no_python", *child]  # fmt: skip
    done = subprocess.run(command, check=False, stdout=sys.stderr)
    job.unlink(missing_ok=True)
    record = read_record(request.output)
    if done.returncode or record is None or (record == before and not resume):
        raise TrainError(
            f"training in {processes} processes failed (exit code {done.returncode})",
            "what they said stands above; --set hardware.gpus=1 trains on one card",
        )
    return record


def main(arguments: list[str]) -> int:
    """Runs one of the processes: reads the job and trains."""
    values = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    try:
        train_model(_load(values), resume=values["resume"])
    except TrainError as error:
        sys.stderr.write(f"{error.message}\n  → {error.hint}\n")
        return error.exit_code
    return 0


def _dump(request: Request, *, resume: bool) -> dict[str, Any]:
    paths = {name: str(value) if isinstance(value, Path) else value for name, value in vars(request).items()}
    recipe = asdict(request.recipe) | {"recipe": request.recipe.recipe.model_dump(mode="json")}
    return paths | {"recipe": recipe, "resume": resume}


def _load(values: dict[str, Any]) -> Request:
    recipe = values["recipe"] | {"recipe": Recipe.model_validate(values["recipe"]["recipe"])}
    fields = {name: value for name, value in values.items() if name != "resume"}
    paths = {name: Path(fields[name]) for name in ("export", "output", "lock") if fields[name] is not None}
    return Request(**(fields | paths | {"recipe": ResolvedRecipe(**recipe)}))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
