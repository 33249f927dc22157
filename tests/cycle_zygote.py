"""Runs one cycle over and over and kills it at each step; libraries are loaded once, every run is a process of its own.

    python cycle_zygote.py PROJECT STEP...

Each run is a fork that is killed (SIGKILL) as soon as the step is on record, `train/2` in the middle of training; the
last one runs to the end. Nothing of the project is opened before the forks.
"""

import os
import signal
import sys
from pathlib import Path


def load():
    """Loads what the steps load, so that no run has to."""
    import bitsandbytes  # noqa: F401
    import peft  # noqa: F401
    import torch
    import transformers.trainer  # noqa: F401
    import trl.trainer.sft_trainer  # noqa: F401

    torch.set_num_threads(1)


def run(folder, last):
    """Runs the cycle in a child; gives how it ended, as `os.wait` tells."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    from curator.cycle import run_cycle
    from curator.project import open_project

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def say(text):
        if text.startswith(f"{last}:"):
            die()

    def move(what, done, total):
        if last == "train/2" and "train" in what and done * 2 >= total:
            die()

    run_cycle(open_project(folder, {}), say, move)
    os._exit(0)


def main(folder, steps):
    load()
    for step in steps:
        ended = run(folder, step)
        print(step, "killed" if os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL else ended, flush=True)
    print("end", run(folder, None), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
