"""Where the row-wise stages and the near-duplicate join run: in this process, or on Daft (natively or on Ray).

A stage is a pure function of a frame, so a chunk can be worked on anywhere; reading and writing the database stays here,
and the result does not depend on the engine.
"""

import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from schemas.config import DedupConfig
from schemas.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

Task = Callable[["pl.DataFrame"], tuple["pl.DataFrame", ...]]
WAVE = 16
"""Chunks that are out at once; bounds the memory of the driver."""


class Engine(Protocol):
    """Runs pure functions of frames."""

    def map_frames(self, task: Task, frames: "Iterable[pl.DataFrame]") -> "Iterator[tuple[pl.DataFrame, ...]]":
        """Yields what the task makes of each frame, in order."""
        ...

    def find_pairs(self, texts: "Callable[[], Iterable[pl.DataFrame]]", config: DedupConfig) -> "pl.DataFrame | None":
        """Gives all near-duplicate pairs (`left`, `right`: ids, `similarity`) of texts; None: do it incrementally.

        Args:
            texts: Gives frames of `id`, `text`.
            config: Threshold, n-gram, masking.
        """
        ...


class LocalEngine:
    """This process: the kernels use its cores, and dedup joins only what is new."""

    def map_frames(self, task: Task, frames: "Iterable[pl.DataFrame]") -> "Iterator[tuple[pl.DataFrame, ...]]":
        """Yields what the task makes of each frame, in order."""
        return map(task, frames)

    def find_pairs(self, texts: "Callable[[], Iterable[pl.DataFrame]]", config: DedupConfig) -> "pl.DataFrame | None":
        """Gives None: stored signatures make a full join unnecessary."""
        del texts, config
        return None


@dataclass(frozen=True)
class DaftEngine:
    """Daft: on all cores of this machine, or on a Ray cluster.

    Attributes:
        scratch: Folder or bucket URL in which texts lie as Parquet while they are joined; every worker must reach it.
        ray: Address of a Ray cluster, `local` for one that is started here, or None for Daft's own runner.
    """

    scratch: str
    ray: str | None = None

    def map_frames(self, task: Task, frames: "Iterable[pl.DataFrame]") -> "Iterator[tuple[pl.DataFrame, ...]]":
        """Yields what the task makes of each frame, in order; a wave of chunks is out at once."""
        daft = self._start()

        def work(chunks: Any) -> list[bytes]:
            return [pack_frames(task(unpack_frames(chunk)[0])) for chunk in chunks.to_pylist()]

        run = daft.func.batch(return_dtype=daft.DataType.binary())(work)
        remaining = iter(frames)
        while wave := list(itertools.islice(remaining, WAVE)):
            table = daft.from_pydict({"place": list(range(len(wave))), "chunk": [pack_frames((f,)) for f in wave]})
            done = table.into_partitions(len(wave)).select("place", run(daft.col("chunk")).alias("done")).to_pydict()
            for _, data in sorted(zip(done["place"], done["done"], strict=True)):
                yield unpack_frames(data)

    def find_pairs(self, texts: "Callable[[], Iterable[pl.DataFrame]]", config: DedupConfig) -> "pl.DataFrame | None":
        """Gives all pairs, found by Daft over Parquet files in the scratch folder."""
        from curator.dedup.daft_engine import find_duplicates_daft

        daft = self._start()
        folder = f"{self.scratch.rstrip('/')}/dedup-texts"
        frame = None
        for part in texts():
            daft.from_arrow(part.to_arrow()).write_parquet(
                folder, write_mode="overwrite" if frame is None else "append"
            )
            frame = part
        if frame is None:
            return None
        stored = daft.read_parquet(f"{folder}/*.parquet")
        found = find_duplicates_daft(stored, config.threshold, ngram=config.ngram, mask_numbers=config.mask_numbers)
        return found.pairs

    def _start(self) -> Any:
        try:
            import daft
        except ImportError as error:
            raise ConfigError("--engine daft: daft is not installed", 'pip install "corpus-curator[scale]"') from error
        if self.ray is not None:
            try:
                import ray
            except ImportError as error:
                raise ConfigError("--ray: ray is not installed", "pip install ray") from error
            # To Ray, too, `local` is a cluster of its own; without it Ray joins the last one, which may be gone.
            address = None if ray.is_initialized() else self.ray
            daft.set_runner_ray(address=address, noop_if_initialized=True)
        return daft


def make_engine(name: str, ray: str | None, scratch: str | None, folder: Path) -> Engine:
    """Gives the engine that `--engine`, `--ray` and `--scratch` ask for.

    Raises:
        ConfigError: An unknown engine, or options that belong to another one.
    """
    if name == "daft":
        return DaftEngine(scratch or str(folder / ".curator" / "scale"), ray)
    if name != "local":
        raise ConfigError(f"--engine {name!r}: unknown", "expected local or daft")
    if ray or scratch:
        raise ConfigError("--ray and --scratch belong to --engine daft", "add --engine daft")
    return LocalEngine()


def pack_frames(frames: "tuple[pl.DataFrame, ...]") -> bytes:
    """Gives frames as bytes: the Arrow IPC stream of each behind its length."""
    parts = []
    for frame in frames:
        buffer = io.BytesIO()
        frame.write_ipc_stream(buffer)
        parts.append(len(buffer.getvalue()).to_bytes(8, "little") + buffer.getvalue())
    return b"".join(parts)


def unpack_frames(data: bytes) -> "tuple[pl.DataFrame, ...]":
    """Gives the frames that `pack_frames` packed."""
    import polars as pl

    frames = []
    while data:
        size = int.from_bytes(data[:8], "little")
        frames.append(pl.read_ipc_stream(io.BytesIO(data[8 : 8 + size])))
        data = data[8 + size :]
    return tuple(frames)
