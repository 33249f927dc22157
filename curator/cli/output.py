"""What a command says: data to stdout, talk and progress to stderr, errors in one line with a hint."""

import contextlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

MAX_WIDTH = 100


class _Console(Console):
    """Leaves a closed pipe to the command line, which does not take it for a failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def make_console(*, is_stderr: bool = True) -> Console:
    """Gives a console no wider than 100 columns; NO_COLOR and pipes are respected by rich itself."""
    probe = Console(stderr=is_stderr, highlight=False)
    width = min(probe.width, MAX_WIDTH) if probe.is_terminal else MAX_WIDTH
    return _Console(stderr=is_stderr, highlight=False, width=width, soft_wrap=False)


def say(text: str) -> None:
    """Says a line of talk on stderr."""
    make_console().print(text, markup=False)


def show_error(message: str, hint: str = "") -> None:
    """Says what went wrong and what to type next."""
    console = make_console()
    console.print(f"curator: {message}", style="bold red", markup=False, soft_wrap=True)
    if hint:
        console.print(f"  → {hint}", markup=False, soft_wrap=True)


def spell_command(folder: Path, *words: str) -> str:
    """Gives a command on a project as it can be typed where the user is now, also where `curator` is not on the PATH."""
    return " ".join([_name_program(), "-C", shlex.quote(str(folder)), *words])


def _name_program() -> str:
    """Gives `curator`, or the path by which this process was started where typing that would start something else."""
    started = Path(sys.argv[0])
    if started.name != "curator":
        return f"{shlex.quote(sys.executable)} -m curator"
    found = shutil.which("curator")
    if found and started.exists() and Path(found).samefile(started):
        return "curator"
    return shlex.quote(str(started))


def print_json(value: Any) -> None:
    """Writes a report as JSON to stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]], *, to_stdout: bool = True) -> None:
    """Shows a table of at most 100 columns; numbers stand right."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for position, name in enumerate(header):
        is_number = bool(rows) and all(isinstance(row[position], int | float) or row[position] is None for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(format_cell(cell) for cell in row))
    make_console(is_stderr=not to_stdout).print(table)


def format_cell(value: Any) -> str:
    """Gives the text of a cell; None is empty, big numbers get thin groups."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    from rich.markup import escape

    return escape(str(value))


@contextlib.contextmanager
def show_progress(quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function (what, done, total) that moves a bar; without a terminal there are no bars.

    A total of 0 is an unknown one: the bar only counts.
    """
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda *_: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=make_console(), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def move(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield move
