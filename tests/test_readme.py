"""Every command and option that README and CONTRIBUTING name exists, and what can run as it stands is run."""

import re
import shlex
from pathlib import Path

import pytest

from curator.cli.app import run

ROOT = Path(__file__).parent.parent
SPAN = re.compile(r"`(curator(?: [^`\n]+)?)`")
LINE = re.compile(r"^(curator [^#\n]+)", re.MULTILINE)
BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
GROUPS = ("ingest", "releases", "config", "evaluate", "prompt", "cycle")


def list_commands() -> list[str]:
    found: set[str] = set()
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        found |= {match.strip() for match in SPAN.findall(text)}
        found |= {line.strip() for block in BLOCK.findall(text) for line in LINE.findall(block)}
    return sorted(command.split("&&")[0].strip() for command in found if command != "curator")


@pytest.mark.parametrize("command", list_commands())
def test_what_the_documents_name_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(command.replace("[", "").replace("]", "").replace("|", " "))[1:]
    path = words[:2] if words[0] in GROUPS and len(words) > 1 and not words[1].startswith("-") else words[:1]
    path = words[:3] if path == ["serve"] and words[1:2] == ["token"] else path
    assert run([*path, "--help"]) == 0, f"{command}: no such command"
    help_text = capsys.readouterr().out
    for option in (word.split("=")[0] for word in words if word.startswith("--")):
        assert option in help_text, f"{command}: no option {option}"


def test_the_quick_start_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With files of the reader's own in place of ~/dumps, ~/notes and faq.csv."""
    monkeypatch.setenv("HOME", str(tmp_path))
    demo = ROOT / "sources" / "packs" / "fitness" / "demo"
    (tmp_path / "dumps").mkdir()
    for name in ("RS_demo.ndjson", "RC_demo.ndjson"):
        (tmp_path / "dumps" / name).write_bytes((demo / name).read_bytes())
    (tmp_path / "notes").symlink_to(demo / "notes", target_is_directory=True)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = next(found for found in BLOCK.findall(text) if "curator init coach" in found)
    commands = [
        part.strip() for line in block.splitlines() for part in line.split("&&") if part.strip().startswith("curator")
    ]
    assert len(commands) == 8
    monkeypatch.chdir(tmp_path)
    for command in commands:
        words = [str(tmp_path / word[2:]) if word.startswith("~/") else word for word in shlex.split(command)[1:]]
        if words[0] == "ingest" and words[1] == "synthetic":
            words[-1] = "300"
        code = run(["-q", *words])
        # The demo's dump holds one damaged line, which is reported with exit code 3.
        assert code == (3 if "reddit" in words else 0), command
        if words[0] == "init":
            monkeypatch.chdir(tmp_path / "coach")
            Path("faq.csv").write_text(
                "Frage,Antwort\nWie tief?,So tief wie du kannst ohne den Rücken zu runden.\n", encoding="utf-8"
            )
    assert list(Path("exports").glob("*/sharegpt/train.jsonl"))
