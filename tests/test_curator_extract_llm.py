import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from jsonschema import Draft202012Validator

from curator.extract.llm import AnswerCache, LlmSettings, Passage, ask_passages, find_fault
from schemas.errors import ConfigError, SourceInterruptedError
from schemas.example import EXAMPLE_COLUMNS
from schemas.frames import check_frame
from schemas.verdict import VERDICT_COLUMNS

pytest.importorskip("openai", reason="the extra `llm` is not installed")

TEXT = (
    "Before a heavy squat you fill your belly with air and push it out against the belt on every side. Hold that "
    "pressure for the whole repetition, which takes about 4 seconds, and breathe again at the top."
)
QUESTION = "How do I brace before a heavy squat?"
ANSWER = "Fill your belly with air, push it out against the belt on every side, and hold that pressure for the whole repetition."


class Server:
    """A loopback server of OpenAI's chat API whose answers a test prepares."""

    def __init__(self) -> None:
        self.requests: list[dict] = []
        self.reply = lambda _: (200, json.dumps({"examples": [{"question": QUESTION, "answer": ANSWER}]}))
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.requests.append({"path": self.path, "key": self.headers["authorization"], **body})
                status, content = server.reply(body)
                message = {"role": "assistant", "content": content}
                good = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"]}
                data = good | {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
                payload = json.dumps(data if status == 200 else {"error": {"message": content}}).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    started = Server()
    yield started
    started.http.shutdown()
    started.http.server_close()


def make_passage(text: str = TEXT, number: int = 1) -> Passage:
    document = {"id": f"{number:032x}", "url": None, "author_hash": None}
    return Passage(document, text, {"lines": [1, 2]}, (f"video:{number}",), title="Bracing")


def make_settings(server: Server, **changes: object) -> LlmSettings:
    return LlmSettings(**{"url": server.url, "model": "tiny", "max_retries": 0, **changes})


def answer_with(*pairs: tuple[str, str]) -> str:
    return json.dumps({"examples": [{"question": question, "answer": answer} for question, answer in pairs]})


def test_a_passage_becomes_an_example_that_cites_it(server):
    extraction = ask_passages([make_passage()], make_settings(server), {})
    check_frame(extraction.examples, EXAMPLE_COLUMNS, "examples")
    check_frame(extraction.verdicts, VERDICT_COLUMNS, "verdicts")
    [row] = extraction.examples.to_dicts()
    assert [turn["content"] for turn in json.loads(row["messages"])] == [QUESTION, ANSWER]
    assert (row["extractor"], row["unit_keys"], json.loads(row["span"])) == ("llm", ["video:1"], {"lines": [1, 2]})
    assert json.loads(row["metadata"])["model"] == "tiny"
    assert extraction.verdicts.is_empty()


def test_the_server_is_asked_for_structured_output_with_a_valid_schema(server):
    ask_passages([make_passage()], make_settings(server, api_key="secret", max_examples=2), {})
    [request] = server.requests
    schema = request["response_format"]["json_schema"]["schema"]
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["examples"]["maxItems"] == 2
    assert request["path"] == "/v1/chat/completions"
    assert request["key"] == "Bearer secret"
    assert request["temperature"] == 0
    assert request["messages"][1]["content"].startswith("# Bracing\n\nBefore a heavy squat")
    assert "secret" not in repr(make_settings(server, api_key="secret"))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("no json", "llm_broken_json"),
        ('{"examples": "none"}', "llm_wrong_shape"),
        ('{"examples": [{"question": "Why?"}]}', "llm_wrong_shape"),
        (answer_with(*[(QUESTION, ANSWER)] * 4), "llm_wrong_shape"),
        (answer_with(("Brace hard.", ANSWER)), "llm_no_question"),
        (answer_with((QUESTION, "Fill your belly with air.")), "llm_answer_too_short"),
        (answer_with((QUESTION, ANSWER + " The speaker says so in this video.")), "llm_points_at_passage"),
        (answer_with((QUESTION, ANSWER + " It takes about 9 seconds.")), "llm_unsupported_number"),
        (
            answer_with(
                (QUESTION, "Creatine monohydrate raises phosphate stores, improving sprint power within weeks. " * 2)
            ),
            "llm_unsupported",
        ),
        (answer_with(("How much creatine should teenagers swallow?", ANSWER)), "llm_unsupported"),
    ],
)
def test_an_answer_that_the_passage_does_not_support_is_left_out_with_a_reason(server, reply, reason):
    server.reply = lambda _: (200, reply)
    extraction = ask_passages([make_passage()], make_settings(server), {})
    assert extraction.examples.is_empty()
    [verdict] = extraction.verdicts.to_dicts()
    assert (verdict["reason"], verdict["is_kept"], verdict["subject_id"]) == (reason, False, f"{1:032x}")


def test_an_empty_list_is_a_fine_answer(server):
    server.reply = lambda _: (200, '{"examples": []}')
    extraction = ask_passages([make_passage()], make_settings(server), {})
    assert extraction.examples.is_empty()
    assert extraction.verdicts.is_empty()


def test_a_number_of_the_passage_may_be_used():
    assert find_fault(QUESTION, ANSWER + " That takes about 4 seconds.", TEXT, 0.7) is None


def test_a_rerun_asks_nothing_again_and_gives_the_same_rows(server, tmp_path):
    passages = [make_passage(f"{TEXT} Part {number}.", number) for number in range(5)]
    first = ask_passages(passages, make_settings(server), AnswerCache(tmp_path / "llm"))
    assert len(server.requests) == 5
    again = ask_passages(passages, make_settings(server, workers=1), AnswerCache(tmp_path / "llm"))
    assert len(server.requests) == 5
    assert again.examples.equals(first.examples)
    ask_passages(passages, make_settings(server, model="other"), AnswerCache(tmp_path / "llm"))
    assert len(server.requests) == 10


def test_the_same_text_twice_is_asked_once(server):
    extraction = ask_passages([make_passage(number=1), make_passage(number=2)], make_settings(server), {})
    assert len(server.requests) == 1
    assert extraction.examples["document_id"].to_list() == [f"{1:032x}", f"{2:032x}"]


def test_a_failing_server_interrupts_and_what_was_answered_is_kept(server, tmp_path):
    passages = [make_passage(f"{TEXT} Part {number}.", number) for number in range(4)]
    good = server.reply
    server.reply = lambda body: (503, "busy") if "Part 2." in body["messages"][1]["content"] else good(body)
    cache = AnswerCache(tmp_path)
    with pytest.raises(SourceInterruptedError) as caught:
        ask_passages(passages, make_settings(server, workers=1), cache)
    assert caught.value.exit_code == 3
    num_kept = len(cache)
    assert num_kept in (2, 3)  # the last one may have been under way
    server.reply = good
    server.requests.clear()
    assert ask_passages(passages, make_settings(server), cache).examples.height == 4
    assert len(server.requests) == 4 - num_kept


@pytest.mark.parametrize(("status", "kind"), [(401, ConfigError), (404, ConfigError), (400, ConfigError)])
def test_a_refusal_is_a_config_error_that_names_the_model(server, status, kind):
    server.reply = lambda _: (status, "no such model")
    with pytest.raises(kind, match="'tiny'"):
        ask_passages([make_passage()], make_settings(server), {})


def test_a_server_that_is_not_there_interrupts():
    settings = LlmSettings(url="http://127.0.0.1:9/v1", model="tiny", max_retries=0, timeout_s=5)
    with pytest.raises(SourceInterruptedError, match=r"127\.0\.0\.1:9"):
        ask_passages([make_passage()], settings, {})


def test_a_cache_is_a_mapping_of_whole_files(tmp_path):
    cache = AnswerCache(tmp_path / "a" / "b")
    cache["k"] = "é"
    assert dict(cache) == {"k": "é"}
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["k.json"]
    del cache["k"]
    assert "k" not in cache
