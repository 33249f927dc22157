"""`curator curate --llm`: passages are asked once, and supported answers enter the corpus."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from curator.cli.app import run
from curator.project import open_project
from warehouse import open_snapshot

LINES = [
    "when you wake up after a short night keep the first session of the day light and move the heavy work",
    "to the evening because strength comes back once you have eaten twice and walked outside for an hour",
    "most lifters who sleep under six hours do well with a fifth less volume on that day and no record attempts",
    "and if the short nights go on for a week then plan a deload and look at caffeine light and the hour you go to bed",
]
ANSWER = (
    "Keep the first session of the day light and move the heavy work to the evening, because strength comes back once "
    "you have eaten twice and walked outside for an hour."
)


@pytest.fixture
def model() -> Iterator[tuple[str, list[str]]]:
    """A loopback server of OpenAI's chat API that counts what it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(body["messages"][-1]["content"])
            pairs = {"examples": [{"question": "How should I train after a short night?", "answer": ANSWER}]}
            choice = {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": json.dumps(pairs)},
            }
            data = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice]}
            payload = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    cues = [f"{i}\n00:00:{10 * i:02d},000 --> 00:00:{10 * i + 9:02d},000\n{line}\n" for i, line in enumerate(LINES)]
    (tmp_path / "talk.srt").write_text("\n".join(cues), encoding="utf-8")
    project = tmp_path / "project"
    assert run(["init", str(project)]) == 0
    assert run(["-C", str(project), "ingest", "transcripts", str(tmp_path / "talk.srt"), "--language", "en"]) == 0
    return project


def read_examples(folder: Path) -> list[dict[str, object]]:
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        return snapshot.read("example_texts").to_dicts()


def test_a_supported_answer_becomes_an_example_and_a_rerun_asks_nothing(
    folder: Path, model: tuple[str, list[str]]
) -> None:
    url, asked = model
    assert run(["-C", str(folder), "curate"]) == 0
    assert read_examples(folder) == []
    assert run(["-C", str(folder), "curate", "--llm", url, "--llm-model", "tiny"]) == 0
    rows = read_examples(folder)
    assert len(rows) == 1
    assert ANSWER in str(rows[0]["messages"])
    assert len(asked) == 1
    assert run(["-C", str(folder), "curate", "--llm", url, "--llm-model", "tiny"]) == 0
    assert run(["-C", str(folder), "curate"]) == 0
    assert read_examples(folder) == rows
    assert len(asked) == 1


def test_a_model_without_a_server_is_a_usage_error(folder: Path) -> None:
    assert run(["-C", str(folder), "curate", "--llm-model", "tiny"]) == 2


def test_a_server_that_is_not_there_ends_with_3_and_what_was_extracted_stays(folder: Path) -> None:
    assert run(["-C", str(folder), "curate", "--llm", "http://127.0.0.1:9/v1", "--llm-model", "tiny"]) == 3
