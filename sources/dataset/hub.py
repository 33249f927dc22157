"""Reads datasets of the Hugging Face hub through the `datasets` library, streaming, never running their code."""

from collections.abc import Iterator
from typing import Any

from schemas.errors import ConfigError, SourceError
from sources.dataset.rows import Row

HUB_PREFIX = "hf://"


def find_hub_files(path: str) -> list[str]:
    """Gives `hf://owner/name/split` for each split of a dataset.

    Raises:
        ConfigError: The path is not `hf://owner/name`, or `datasets` is not installed.
        SourceError: The hub cannot be reached, or has no such dataset.
    """
    parts = path.removeprefix(HUB_PREFIX).strip("/").split("/")
    if len(parts) == 3 and all(parts):
        return [path]
    if len(parts) != 2 or not all(parts):
        raise ConfigError(f"{path}: expected hf://owner/name or hf://owner/name/split", "check the name on the hub")
    return [f"{HUB_PREFIX}{'/'.join(parts)}/{split}" for split in sorted(_load("/".join(parts)))]


def read_hub_rows(path: str) -> Iterator[Row]:
    """Yields the rows of `hf://owner/name/split`."""
    owner, name, split = path.removeprefix(HUB_PREFIX).strip("/").split("/")
    for number, cells in enumerate(_load(f"{owner}/{name}", split), 1):
        yield Row(number, None, dict(cells))


def _load(name: str, split: str | None = None) -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            f"hf://{name}: needs the library datasets, which is not installed", "pip install datasets"
        ) from error
    try:
        return datasets.load_dataset(name, split=split, streaming=True)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(
            f"hf://{name}: {first}", "check the name and the network, or download it and name the folder"
        ) from error
