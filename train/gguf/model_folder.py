"""Reads a model folder as `save_pretrained` writes it: config.json and safetensors, in one file or in shards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import DeployError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    F32 = npt.NDArray[np.float32]

SINGLE_FILE = "model.safetensors"
SHARD_INDEX = "model.safetensors.index.json"
UNSAFE = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True)
class ModelFolder:
    """A folder with a whole model.

    Attributes:
        path: The folder.
        config: Its config.json.
    """

    path: Path
    config: dict[str, Any] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> "ModelFolder":
        """Opens a folder.

        Raises:
            DeployError: It has no config.json.
        """
        return cls(path, read_json(path / "config.json", "a model folder has config.json and *.safetensors"))

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Where each tensor lies.

        Raises:
            DeployError: There are no safetensors, or a shard is missing.
        """
        index = self.path / SHARD_INDEX
        if not index.exists():
            return dict.fromkeys(self._list_names(self.path / SINGLE_FILE), self.path / SINGLE_FILE)
        weight_map = read_json(index, "write the model again").get("weight_map")
        if not isinstance(weight_map, dict):
            raise DeployError(f"{index}: no weight_map", "write the model again with save_pretrained")
        shards = {name: self._shard(str(shard)) for name, shard in weight_map.items()}
        missing = sorted({shard.name for shard in shards.values() if not shard.exists()})
        if missing:
            raise DeployError(f"{self.path}: {len(missing)} shards missing: {missing[0]}", "copy the whole folder")
        return shards

    def read(self, name: str) -> "F32":
        """Reads one tensor as float32 (bfloat16 and float16 are widened, which loses nothing).

        Raises:
            DeployError: The file is damaged, or the weights are not finite.
        """
        import numpy as np
        from safetensors import SafetensorError, safe_open

        path = self.files[name]
        try:
            # Only torch knows bfloat16; numpy refuses such a file.
            with safe_open(path, framework="pt") as file:
                values: F32 = file.get_tensor(name).float().numpy()
        except (OSError, SafetensorError) as error:
            raise DeployError(f"{path}: {name}: {error}", "the file is damaged: copy or save it again") from error
        if not np.isfinite(values).all():
            raise DeployError(f"{path}: {name} holds NaN or infinity", "the training diverged: train again")
        return values

    def read_shape(self, name: str) -> tuple[int, ...]:
        """Gives the shape of a tensor without reading it."""
        from safetensors import safe_open

        with safe_open(self.files[name], framework="pt") as file:
            return tuple(file.get_slice(name).get_shape())

    def _shard(self, name: str) -> Path:
        if Path(name).name != name:
            raise DeployError(f"{self.path / SHARD_INDEX}: shard {name!r} lies elsewhere", "expected names of files")
        return self.path / name

    def _list_names(self, path: Path) -> list[str]:
        from safetensors import SafetensorError, safe_open

        if not path.exists():
            unsafe = [found.name for pattern in UNSAFE for found in sorted(self.path.glob(pattern))]
            found = f"only {unsafe[0]}, which can run code when it is loaded" if unsafe else "no weights"
            raise DeployError(f"{self.path}: {found}; expected {SINGLE_FILE}", "save the model as safetensors")
        try:
            with safe_open(path, framework="pt") as file:
                return list(file.keys())
        except (OSError, SafetensorError) as error:
            raise DeployError(f"{path}: {error}", "the file is damaged: copy or save it again") from error


def read_json(path: Path, hint: str) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        DeployError: The file is absent or no object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeployError(f"{path}: {error.strerror}", hint) from error
    except ValueError as error:
        raise DeployError(f"{path}: no JSON ({error})", hint) from error
    if not isinstance(value, dict):
        raise DeployError(f"{path}: expected an object, found {type(value).__name__}", hint)
    return value
