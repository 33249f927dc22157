"""Secrets stay where they were given: no key of the environment and none in a text reaches a file of the project."""

import importlib.util
import json
import zlib
from pathlib import Path

import pytest

from curator.cli.app import run
from sources.reddit import client

KEY_IN_TEXT = "AKIAQ3PLANTEDKEY4X7Z"
KEYS = {
    "CURATOR_LLM_API_KEY": "planted-llm-key-1f0c",
    "CURATOR_CHAT_API_KEY": "planted-chat-key-2e1d",
    "HF_TOKEN": "hf_plantedtokenplantedtokenplanted",
}


@pytest.fixture
def reddit(monkeypatch):
    spec = importlib.util.spec_from_file_location("reddit_stub", Path(__file__).with_name("reddit_stub.py"))
    stub = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stub)
    monkeypatch.setattr(client, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda _self: None)
    with stub.RedditStub() as server:
        server.add_post("p0", [None, 0])
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def find_bytes(folder: Path, secret: str) -> list[str]:
    """Names the files that hold the secret, in UTF-8 or deflated."""
    needle = secret.encode()
    found = []
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        if needle in data or needle in _inflate(data):
            found.append(str(path.relative_to(folder)))
    return found


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data, wbits=47)
    except zlib.error:
        return b""


def test_no_secret_is_in_the_database_the_logs_or_the_exports(tmp_path, monkeypatch, capfd, reddit):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    planted = tmp_path.parent / f"{tmp_path.name}.jsonl"
    answer = (
        "Sleep for eight hours and keep the bedtime the same every night, because muscle is built while you rest. "
        f"My storage is open to all with {KEY_IN_TEXT} if you want to look at my training log of last year."
    )
    planted.write_text(json.dumps({"question": "How much should I sleep to grow?", "answer": answer}) + "\n")
    rights = ["--permission", "own", "--basis", "mine", "--licence", "CC0-1.0"]
    commands = [
        ["init", "--pack", "fitness", str(tmp_path)],
        ["ingest", "reddit", "--subreddit", "Fitness", "--listing", "top", "--limit", "5"],
        ["ingest", "dataset", str(planted), *rights],
        ["curate"],
        ["balance"],
        ["export"],
        ["stats"],
        ["config", "show"],
        ["status"],
    ]
    for words in commands:
        assert run(["-C", str(tmp_path), *words]) in {0, 3}, words
    said = "".join(capfd.readouterr())
    for secret in [*KEYS.values(), reddit.environment["REDDIT_CLIENT_SECRET"]]:
        assert find_bytes(tmp_path, secret) == []
        assert secret not in said
    # What a text says stays in the database as it was fetched, and nowhere else.
    assert {name.split(".")[0] for name in find_bytes(tmp_path, KEY_IN_TEXT)} <= {"curator"}
    exported = "".join(path.read_text() for path in (tmp_path / "exports").rglob("*.jsonl"))
    assert "Sleep for eight hours" in exported
    assert KEY_IN_TEXT not in exported
