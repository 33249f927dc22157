"""The interactive SQL shell: history, completion, highlighting."""

from pathlib import Path
from typing import TYPE_CHECKING

from curator.sql.formats import write_result
from curator.sql.run import run_query
from curator.sql.saved import describe_saved, list_saved, read_saved
from schemas.errors import CuratorError
from warehouse import find_snapshot, list_views

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

KEYWORDS = [
    "select",
    "from",
    "where",
    "group",
    "by",
    "order",
    "by",
    "limit",
    "having",
    "join",
    "left",
    "on",
    "using",
    "as",
    "with",
    "case",
    "when",
    "then",
    "else",
    "end",
    "distinct",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "quantile_cont",
    "and",
    "or",
    "not",
    "in",
    "like",
    "ilike",
    "is",
    "null",
    "between",
    "union",
    "all",
    "asc",
    "desc",
    "over",
    "partition",
    "qualify",
    "describe",
    "summarize",
    "explain",
    "show",
    "tables",
]
HELP = ".tables  .saved  .run NAME  .quit      a query ends with ;"


def run_shell(snapshots: Path, root: Path, output_format: str) -> None:
    """Reads queries until end of input; each runs on the newest snapshot in a process of its own."""
    from curator.cli.output import say, show_error

    session = _make_session(snapshots, root)
    say(HELP)
    while True:
        try:
            text = session.prompt("sql> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text in (".quit", ".exit"):
            return
        if not text:
            continue
        try:
            sql = _expand(text, root)
            if sql:
                write_result(run_query(find_snapshot(snapshots), sql), output_format, None)
        except KeyboardInterrupt:
            say("the query was stopped")
        except CuratorError as error:
            show_error(error.message, error.hint)


def _expand(text: str, root: Path) -> str:
    from curator.cli.output import print_table

    if text == ".tables":
        print_table("", ["table", "one row is"], [[name, what] for name, what in list_views().items()])
        return ""
    if text == ".saved":
        print_table("", ["query", "shows"], [[n, describe_saved(path)] for n, path in list_saved(root).items()])
        return ""
    if text.startswith(".run "):
        return read_saved(root, text.removeprefix(".run ").strip())
    return text.rstrip(";")


def _make_session(snapshots: Path, root: Path) -> "PromptSession[str]":
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import SqlLexer

    columns = run_query(
        find_snapshot(snapshots), "select distinct column_name from information_schema.columns order by 1"
    )
    words = [*KEYWORDS, *list_views(), *(str(name) for name in columns["column_name"].to_pylist()), ".tables", ".saved"]
    history = root / ".curator" / "sql_history"
    history.parent.mkdir(exist_ok=True)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)),
        completer=WordCompleter(words, ignore_case=True),
        lexer=PygmentsLexer(SqlLexer),
        complete_while_typing=False,
    )

    def is_open() -> bool:
        text = session.default_buffer.text.strip()
        return bool(text) and not text.startswith(".") and not text.endswith(";")

    # Enter sends a finished query and starts a new line in an open one.
    session.multiline = Condition(is_open)
    return session
