"""Fingerprints: under which code and settings a stage's rows were made."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.identity import dump_canonical, make_id
from schemas.pack import Pack

STAGE_VERSIONS = {"extract": 2, "screen": 3, "categorise": 4, "dedup": 1, "split": 1}
"""Raised by whoever changes what a stage decides; rows of older versions are then made again."""


def fingerprint_stage(stage: str, *parts: Any) -> str:
    """Gives the fingerprint of a stage.

    Args:
        stage: One of `STAGE_VERSIONS`.
        *parts: What it depends on: settings models, or any JSON value.
    """
    values = [part.model_dump(mode="json") if isinstance(part, BaseModel) else part for part in parts]
    return make_id("stage", stage, str(STAGE_VERSIONS[stage]), dump_canonical(values))


def fingerprint_pack(pack: Pack) -> str:
    """Gives a hash of every file of a pack that the stages read (all but its knowledge pages)."""
    knowledge = pack.root / pack.knowledge if pack.knowledge else None
    return _hash_files(pack, [path for path in pack.root.rglob("*") if not _is_below(path, knowledge)])


def fingerprint_knowledge(pack: Pack) -> str:
    """Gives a hash of the knowledge pages of a pack, which its classifier learns from."""
    return _hash_files(pack, list((pack.root / pack.knowledge).rglob("*")) if pack.knowledge else [])


def _hash_files(pack: Pack, paths: list[Path]) -> str:
    files = sorted(path for path in paths if path.is_file())
    return make_id(*(f"{p.relative_to(pack.root).as_posix()}:{make_id(p.read_bytes().hex())}" for p in files))


def _is_below(path: Path, folder: Path | None) -> bool:
    return folder is not None and path.is_relative_to(folder)
