"""The named statements of `warehouse/sql/`."""

import functools
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"


@functools.cache
def load_statement(name: str) -> str:
    """Gives the text of `warehouse/sql/<name>.sql`."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
