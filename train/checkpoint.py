"""The folder of a run: what it is a run of, its checkpoints, and whether a new one may go on from them."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import TrainError
from schemas.identity import dump_canonical, make_id
from schemas.recipe import Recipe

CHECKPOINTS = "checkpoints"
RUN_FILE = "run.json"
FREE_SETTINGS = {
    "train": {"max_steps", "epochs", "eval_steps", "save_steps", "log_steps", "patience"},
    "sample": True,
    "hardware": True,
    "title": True,
}
"""Settings that a resumed run may change: they decide how long it goes and what is looked at, not what is learnt."""


@dataclass(frozen=True)
class RunFolder:
    """Where a run keeps its files.

    Attributes:
        path: The folder.
        identity: What must be equal for a run to go on from the checkpoints in it.
    """

    path: Path
    identity: dict[str, Any]

    @property
    def checkpoints(self) -> Path:
        """Folder of `checkpoint-N`."""
        return self.path / CHECKPOINTS

    def open(self, *, resume: bool) -> Path | None:
        """Prepares the folder; gives the checkpoint to go on from, None for a new run.

        Raises:
            TrainError: `resume` is asked for and there is nothing to go on from, or it is of another run.
        """
        if resume:
            return self._find_checkpoint()
        if os.environ.get("RANK", "0") != "0":
            # One of several processes: the first one tidies up, or they would delete under each other.
            return None
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / RUN_FILE).write_text(json.dumps(self.identity, indent=2) + "\n", encoding="utf-8")
        return None

    def _find_checkpoint(self) -> Path:
        try:
            found = json.loads((self.path / RUN_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainError(f"{self.path}: no run to resume", "leave --resume out to begin one") from error
        different = sorted(key for key in self.identity if found.get(key) != self.identity[key])
        if different:
            raise TrainError(
                f"{self.path}: its checkpoints are of another run ({', '.join(different)} differ)",
                "leave --resume out to begin anew, or name another folder with --output",
            )
        steps = sorted(self.checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
        whole = [path for path in steps if (path / "trainer_state.json").exists()]
        if not whole:
            raise TrainError(f"{self.path}: no checkpoint yet", "leave --resume out to begin anew")
        return whole[-1]


def identify_run(
    release: str, recipe: Recipe, base_revision: str, coach_role: str | None, backend: str
) -> dict[str, Any]:
    """Gives what two runs must share for one to go on from the other's checkpoints."""
    fixed = recipe.model_dump(mode="json", exclude=FREE_SETTINGS)  # type: ignore[arg-type]
    return {
        "release": release,
        "recipe": make_id(dump_canonical(fixed)),
        "base": base_revision,
        "coach_role": coach_role,
        "backend": backend,
    }
