"""The notebook: a Python file that marimo opens, in which every cell runs on the newest snapshot."""

import ast
import py_compile
import sys
import types

import pytest

from curator.sql.saved import list_saved


@pytest.fixture
def marimo(monkeypatch):
    """The far end: what a notebook needs of marimo to be imported and to have its cells called."""
    cells = []

    class App:
        def __init__(self, width):
            self.width = width

        def cell(self, function):
            cells.append(function)
            return function

        def run(self):
            return None

    monkeypatch.setitem(sys.modules, "marimo", types.SimpleNamespace(App=App))
    return cells


def test_every_cell_of_the_notebook_runs_on_the_newest_snapshot(cli, built, tmp_path, marimo):
    path = tmp_path / "look.py"
    done = cli(built, "sql", "--notebook", path)
    assert done.code == 0
    py_compile.compile(str(path), doraise=True)
    module = types.ModuleType("look")
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
    connect, *queries = marimo
    (snapshot,) = connect()
    assert len(queries) == len(list_saved(built))
    tables = [query(snapshot)[0] for query in queries]
    assert {"category", "target_share"} <= set(tables[list(list_saved(built)).index("mix")].column_names)


def test_text_of_a_query_cannot_leave_its_literal(cli, project, tmp_path):
    (project / "queries").mkdir(exist_ok=True)
    (project / "queries" / "a-b.sql").write_text(
        '-- it\'s """quoted"""\nselect \'x\'\'y\\n"""\' as a, "id" from corpus'
    )
    path = tmp_path / "look.py"
    assert cli(project, "sql", "--notebook", path).code == 0
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert (project / "queries" / "a-b.sql").read_text() in texts


@pytest.mark.parametrize("name", ["look.txt", "there.py"])
def test_no_file_is_written_over_and_the_name_is_that_of_python(cli, built, tmp_path, name):
    (tmp_path / "there.py").write_text("mine")
    done = cli(built, "sql", "--notebook", tmp_path / name)
    assert (done.code, (tmp_path / "there.py").read_text()) == (2, "mine")
