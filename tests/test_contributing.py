"""What CONTRIBUTING shows is built and run: a third domain, and a third-party connector."""

import re
import sys
from pathlib import Path

import orjson
import pytest

from curator.cli.app import run
from curator.project import open_project
from warehouse import open_snapshot

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = r"`{name}`:[^\n]*\n+(?:[^\n`]*\n+)?```\w+\n(.*?)```"
FILES = (
    "sourdough/pack.toml",
    "sourdough/lexicon.toml",
    "sourdough/rules.toml",
    "sourdough/knowledge/starter/feeding.md",
    "sourdough/knowledge/baking/crumb.md",
)


def read_block(name: str) -> str:
    found = re.search(BLOCK.format(name=re.escape(name)), TEXT, re.DOTALL)
    assert found, f"CONTRIBUTING.md shows no {name}"
    return found.group(1)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(read_block(name), encoding="utf-8")
    return tmp_path / "sourdough"


def test_the_pack_takes_less_than_80_lines_of_toml() -> None:
    assert sum(len(read_block(name).splitlines()) for name in FILES if name.endswith(".toml")) < 80


def test_the_whole_job_runs_on_the_pack(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "bakery"
    assert run(["init", str(project), "--pack", str(pack)]) == 0
    assert run(["-C", str(project), "doctor"]) == 0, capsys.readouterr().out
    assert run(["-C", str(project), "run", "--format", "alpaca", "--json"]) == 0
    with open_snapshot(open_project(project).snapshots) as snapshot:
        mix = {row["category"]: row for row in snapshot.read("mix").to_dicts()}
        sources = set(snapshot.read("source_counts")["source"].to_list())
    assert sources == {"markdown", "synthetic"}
    assert mix["starter"]["kept"] > 4
    assert mix["baking"]["kept"] == 2
    train = next((project / "exports").glob("*/alpaca/train.jsonl"))
    rows = [orjson.loads(line) for line in train.read_bytes().splitlines()]
    assert all(row["system"].startswith("You are a patient sourdough coach") for row in rows)


def test_the_connector_of_the_docs_reads_good_lines_and_refuses_bad_ones(tmp_path: Path) -> None:
    code = next(block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "DiarySource" in block)
    (tmp_path / "diary_of_the_docs.py").write_text(code, encoding="utf-8")
    (tmp_path / "d.tsv").write_text("2026-01-01\tHow was it?\tGood.\nbroken\n", encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    try:
        from diary_of_the_docs import DiaryOptions, DiarySource  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(tmp_path))
    from sources.packs.loader import load_pack
    from sources.protocol import SourceContext

    context = SourceContext(root=tmp_path, pack=load_pack("fitness"))
    (batch,) = DiarySource(DiaryOptions(path=tmp_path / "d.tsv"), context).read(None)
    assert batch.documents["natural_key"].to_list() == ["d.tsv#2026-01-01"]
    assert [(r.where, r.reason) for r in batch.rejections] == [("d.tsv:2", "broken_line")]
