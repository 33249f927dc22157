"""Guards: import cost, layers, forbidden calls, documentation of modules, and shadowed package names."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("curator", "sources", "schemas", "warehouse", "train")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
HEAVY = {
    "torch", "transformers", "praw", "numba", "fastapi", "duckdb", "polars", "pydantic_settings", "sklearn", "scipy",
    "matplotlib", "datasketch", "pyarrow", "markitdown", "youtube_transcript_api",
}  # fmt: skip
SPIES = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_IMPORTS = {"pickle", "dill", "cloudpickle", "marshal", "shelve"}


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def run_python(code, *arguments, **options):
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("arguments", [["--help"], ["ingest", "reddit", "--help"], ["--version"], ["nonsense"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys; from curator.cli.app import run; run(sys.argv[1:]); print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = run_python(code, *arguments)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "typer" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_costs_nothing_heavy_and_its_face_is_whole(package):
    code = f"import sys, {package} as p; [getattr(p, n) for n in getattr(p, '__all__', [])]; print(*sys.modules)"
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert {name.split(".")[0] for name in done.stdout.split()} & HEAVY == set()


def test_the_import_contracts_hold():
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([str(tool), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"Contracts: \d+ kept, 0 broken", done.stdout)


def test_every_module_has_a_docstring():
    assert names(path for path in MODULES if not ast.get_docstring(parse(path))) == []


def test_no_module_evaluates_text_or_unpickles():
    found = []
    for path in MODULES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPIES:
                found.append(f"{path.name}:{node.lineno} {node.func.id}")
            elif isinstance(node, ast.Import | ast.ImportFrom):
                imported = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                found += [f"{path.name}:{node.lineno} {name}" for name in imported if name in FORBIDDEN_IMPORTS]
            elif isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
                is_off = isinstance(node.value, ast.Constant) and node.value.value is False
                found += [] if is_off else [f"{path.name}:{node.value.lineno} trust_remote_code"]
            elif isinstance(node, ast.keyword) and node.arg == "shell":
                found.append(f"{path.name}:{node.value.lineno} shell")
    assert found == []


def test_nothing_is_left_to_do_and_nothing_private_is_named():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    texts = {}
    for name in filter(None, tracked):
        path = ROOT / name
        if (
            path.is_file()
            and path.suffix in {".py", ".toml", ".md", ".sql", ".txt", ".yml", ""}
            and path != Path(__file__)
        ):
            texts[name] = path.read_text(encoding="utf-8", errors="replace")
    if not texts:
        pytest.skip("not a checkout")
    # Whoever installs brings an index of their own: no file chooses one, and pins are names and versions.
    hosts = re.compile(r"--(?:extra-)?index-url\b|--find-links\b|--registry\b|\bregistry\s*=\s*[\"']?http")
    assert [name for name, text in texts.items() if hosts.search(text)] == []
    code = {name: text for name, text in texts.items() if name.endswith(".py")}
    assert [name for name, text in code.items() if re.search(r"#\s*(?:TODO|FIXME|XXX)\b", text)] == []
    requirements = [name for name in texts if name == "constraints.txt"]
    assert all(re.fullmatch(r"[\w.-]+(?:\[[\w,-]+\])?==[\w.+!-]+", line) for name in requirements
               for line in texts[name].splitlines() if line and not line.startswith("#"))  # fmt: skip


def test_sql_is_put_together_only_inside_the_warehouse_where_a_name_cannot_be_bound():
    built = re.compile(r'f"(?:select|insert|update|delete|create|attach|copy)\b', re.IGNORECASE)
    found = [path for path in MODULES if built.search(path.read_text(encoding="utf-8"))]
    assert [name for name in names(found) if not name.startswith("warehouse/")] == []


def test_the_module_runs_without_the_working_folder_on_its_path(tmp_path):
    (tmp_path / "train.py").write_text("raise SystemExit('the stray file ran')\n")
    command = [sys.executable, "-P", "-m", "curator", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("curator ")


@pytest.mark.parametrize("stray", ["train.py", "sources/__init__.py"])
def test_a_stray_file_that_hides_a_package_is_named(stray, tmp_path):
    path = tmp_path / stray
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise SystemExit('the stray file ran')\n")
    done = subprocess.run(
        [sys.executable, "-m", "curator", "--version"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert str(path.resolve()) in done.stderr
    assert "hides a package of curator" in done.stderr
    assert done.stdout == ""


def test_a_stray_folder_without_code_hides_nothing(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "rows.jsonl").write_text("{}")
    command = [sys.executable, "-m", "curator", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_children_are_started_by_interpreter_and_with_a_safe_path():
    starts = re.compile(r"subprocess\.(?:run|Popen|check_output|check_call|call)\(")
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if starts.search(text) and "sys.executable" in text:
            assert '"-P"' in text, path
