"""Queries by name: those that come with curator and the project's own in `queries/`."""

from pathlib import Path

import warehouse
from schemas.errors import ConfigError

BUILT_IN = Path(warehouse.__file__).parent / "saved_queries"


def list_saved(root: Path) -> dict[str, Path]:
    """Gives name and file of every saved query; a project's own hides a built-in one of the same name."""
    found = {path.stem: path for path in sorted(BUILT_IN.glob("*.sql"))}
    return found | {path.stem: path for path in sorted((root / "queries").glob("*.sql"))}


def read_saved(root: Path, name: str) -> str:
    """Gives the text of a saved query.

    Raises:
        ConfigError: There is none of that name.
    """
    saved = list_saved(root)
    if name not in saved:
        raise ConfigError(f"saved query {name!r}: unknown", f"expected one of {', '.join(saved)}")
    return saved[name].read_text(encoding="utf-8")


def describe_saved(path: Path) -> str:
    """Gives the comment in the first line of a saved query."""
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("--").strip() if first.startswith("--") else ""
