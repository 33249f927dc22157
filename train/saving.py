"""What goes wrong when weights are written, in words that say what to do."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import TrainError

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
_TORCH_WRITER = ("iostream error", "PytorchStreamWriter", "inline_container")


@contextlib.contextmanager
def explain_saving(folder: Path) -> Iterator[None]:
    """Gives a full or failing disk its name again: safetensors and torch write by themselves and raise errors of theirs.

    Args:
        folder: Where is written, for the message.

    Raises:
        OSError: As the operating system told safetensors.
        TrainError: torch could not write, and does not tell why.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        text = str(error)
        if told := _SYSTEM_ERROR.search(text):
            number = int(told[1])
            raise OSError(number, os.strerror(number), str(folder)) from error
        if any(words in text for words in _TORCH_WRITER):
            raise TrainError(
                f"{folder}: torch could not write a checkpoint",
                "see that the disk has room and works, then type the same command again",
            ) from error
        raise
