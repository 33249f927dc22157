"""The base `tiny`: random weights for a rehearsal, made once a project out of the words of its pack."""

from pathlib import Path

from curator.atomic import replace_folder
from curator.project import Project
from train.tiny import make_tiny_base

NAME = "tiny"
NOTE = "base tiny: random weights, for a rehearsal of the chain; what such a model answers means nothing"


def is_tiny(base: str | None) -> bool:
    """Gives whether `--base tiny` is meant, and not a folder of that name."""
    return base == NAME and not Path(NAME).is_dir()


def provide_tiny_base(project: Project, folder: Path) -> Path:
    """Gives the folder of the project's tiny base, or makes one: there, or in another folder.

    Args:
        project: Gives the pack whose pages the tokenizer learns from.
        folder: Where to make it if the project has none.

    Raises:
        TrainError: The extra `train` is not installed.
        ExportError: The disk refuses.
    """
    kept = name_tiny_base(project)
    if (kept / "config.json").is_file():
        return kept
    with replace_folder(folder) as fresh:
        make_tiny_base(fresh, _read_pages(project))
    return folder


def name_tiny_base(project: Project) -> Path:
    """Gives where a project keeps it."""
    return project.root / ".curator" / "tiny-base"


def _read_pages(project: Project) -> list[str]:
    if not project.pack.knowledge:
        return []
    root = Path(project.pack.root) / project.pack.knowledge
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(root.rglob("*.md"))]
