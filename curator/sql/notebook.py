"""Writes a marimo notebook that explores the newest snapshot: one cell a saved query, ready to be changed."""

from pathlib import Path

from curator.atomic import write_file
from curator.sql.saved import describe_saved, list_saved
from schemas.errors import ConfigError

HEAD = '''"""Made by `curator sql --notebook`; open it with `marimo edit {name}`, or run it: `python {name}`."""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    from pathlib import Path

    import duckdb

    # The newest snapshot: read-only, and a command at work neither blocks it nor is blocked.
    snapshots = Path({snapshots!r})
    snapshot = duckdb.connect(str(max(snapshots.glob("[0-9]*.db"))), read_only=True)
    return (snapshot,)
'''
CELL = """

@app.cell
def _(snapshot):
    # {title}
    {variable} = snapshot.sql({sql}).to_arrow_table()
    {variable}
    return ({variable},)
"""
FOOT = """

if __name__ == "__main__":
    app.run()
"""


def write_notebook(path: Path, root: Path, snapshots: Path) -> int:
    """Writes the notebook and gives the number of its queries.

    Args:
        path: The file; it must end in `.py` and must not exist yet.
        root: The project, for its own saved queries.
        snapshots: Folder of the snapshots.

    Raises:
        ConfigError: The file exists, or is no Python file.
    """
    if path.suffix != ".py":
        raise ConfigError(f"--notebook {path}: expected a name that ends in .py", f"try {path.stem}.py")
    if path.exists():
        raise ConfigError(f"--notebook {path}: the file exists", "give another name, or remove it")
    saved = list_saved(root)
    cells = [
        _spell_cell(name, describe_saved(file) or name, file.read_text(encoding="utf-8"))
        for name, file in saved.items()
    ]
    text = HEAD.format(name=path.name, snapshots=str(snapshots.resolve())) + "".join(cells) + FOOT
    write_file(path, text.encode())
    return len(cells)


def _spell_cell(name: str, title: str, sql: str) -> str:
    variable = f"query_{''.join(letter if letter.isalnum() and letter.isascii() else '_' for letter in name)}"
    # A literal of Python: no text of a query can end it.
    return CELL.format(title=" ".join(title.split()), variable=variable, sql=repr(sql.strip()))
