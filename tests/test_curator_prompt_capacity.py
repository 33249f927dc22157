"""A model that reads little: references go first, then the oldest turns; what can go no further is said in one line."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from curator.project import open_project
from curator.prompt import Capacity, Hit, Material, Passage, assemble_prompt, fit_prompt
from curator.service.app import create_app
from curator.service.context import open_service
from curator.talk import measure_capacity
from schemas.errors import ConfigError
from sources.packs.loader import load_pack
from train.gguf import write_gguf
from train.llama_client import LlamaClient
from train.local_server import serve_gguf

FITNESS = load_pack("fitness")
QUESTION = "How deep should I squat?"
TURNS = [turn for n in range(4) for turn in ({"role": "user", "content": f"Question {n}: " + "why " * 30},
                                             {"role": "assistant", "content": f"Answer {n}: " + "so " * 30})]  # fmt: skip
PASSAGE = Passage("p.md", "Depth", "", "Squat as deep as your back stays flat. " * 8, "p.md:1-2", None, "en")
MATERIAL = Material(QUESTION, hits=[Hit(PASSAGE, 2.0)], history=TURNS)


def count_letters(messages):
    """A tokenizer that takes two letters for a token, twice as many as the estimate."""
    return sum(len(message["content"]) // 2 for message in messages)


def contents(prompt):
    return [message["content"] for message in prompt.messages]


def test_a_quarter_of_a_small_context_is_kept_for_the_answer_and_no_more_than_is_wanted():
    assert Capacity(512, count_letters).room == 384
    assert Capacity(8192, count_letters).room == 7392
    assert Capacity(512, count_letters, answer_tokens=20).room == 492


def test_a_prompt_that_fits_is_left_as_it_is():
    whole = assemble_prompt(MATERIAL, FITNESS, 3000)
    assert fit_prompt(MATERIAL, FITNESS, 3000) == whole
    assert fit_prompt(MATERIAL, FITNESS, 3000, Capacity(100_000, count_letters)) == whole


def test_references_go_before_turns_and_the_oldest_turns_before_newer_ones():
    whole = count_letters(assemble_prompt(MATERIAL, FITNESS, 3000).messages)
    without_reference = fit_prompt(MATERIAL, FITNESS, 3000, Capacity(whole - 1 + 20, count_letters, answer_tokens=20))
    assert without_reference.citations == []
    assert contents(without_reference)[-1] == QUESTION
    assert contents(without_reference)[1:-1] == [turn["content"] for turn in TURNS]
    few = fit_prompt(MATERIAL, FITNESS, 3000, Capacity(400, count_letters, answer_tokens=20))
    kept = contents(few)[1:-1]
    assert 0 < len(kept) < len(TURNS)
    assert kept == [turn["content"] for turn in TURNS[-len(kept) :]]


@settings(max_examples=60)
@given(st.integers(min_value=200, max_value=2000), st.integers(min_value=1, max_value=900))
def test_what_is_given_always_fits_and_keeps_system_prompt_and_question(context, answer):
    capacity = Capacity(context, count_letters, answer_tokens=answer)
    least = count_letters(assemble_prompt(Material(QUESTION), FITNESS, 3000).messages)
    if least > capacity.room:
        with pytest.raises(ConfigError, match=f"take {least} tokens; the model reads {context} with its answer"):
            fit_prompt(MATERIAL, FITNESS, 3000, capacity)
        return
    prompt = fit_prompt(MATERIAL, FITNESS, 3000, capacity)
    assert count_letters(prompt.messages) <= capacity.room
    assert FITNESS.safety_sentence["en"] in contents(prompt)[0]
    assert contents(prompt)[-1] == QUESTION


@pytest.fixture(scope="module")
def gguf(tmp_path_factory, tiny_qwen2):
    path = tmp_path_factory.mktemp("small") / "model.gguf"
    write_gguf(tiny_qwen2, path)
    return path


def test_a_server_of_llama_cpp_tells_what_it_reads(gguf):
    with serve_gguf(gguf, threads=1) as server:
        capacity = measure_capacity(LlamaClient(server.url), 100)
        assert (capacity.context_length, capacity.room) == (512, 412)
        assert capacity.count([{"role": "user", "content": QUESTION}]) > 10
    assert measure_capacity(None, 100) is None


@pytest.mark.parametrize("answer", [b'{"error": {"message": "no such page"}}', b"not found"])
def test_a_server_that_only_tells_its_context_is_asked_without_counting(answer, monkeypatch):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send(200, b'{"default_generation_settings": {"n_ctx": 4096}}')

        def do_POST(self):
            self.send(200 if answer.startswith(b"{") else 404, answer)

        def send(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    # A proxy of the environment is not for this machine.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = LlamaClient(f"http://127.0.0.1:{server.server_address[1]}")
    assert client.read_context_length() == 4096
    assert measure_capacity(client, 100) is None
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("more", [(), ("--plain",)])
def test_chat_answers_with_a_model_of_512_tokens_and_names_a_question_that_is_too_long(bare, cli, gguf, more):
    command = ("chat", gguf, "--max-tokens", "5", "--threads", "1", "--temperature", "0", *more)
    found = cli(bare, *command, "-m", QUESTION)
    assert (found.code, found.err) == (0, "")
    found = cli(bare, *command, "-m", "squat " * 400)
    assert found.code == 2
    assert "the model reads 512 with its answer" in found.err
    assert len(found.err.splitlines()) == 2


def test_the_gateway_answers_with_a_model_of_512_tokens_whatever_was_said_before(bare, gguf):
    (bare / "curator.toml").write_text(f'[serve]\ngguf = "{gguf}"\n')
    service = open_service(open_project(bare))
    token = service.tokens.add("app", ["feedback"])
    with TestClient(create_app(service, has_pages=False), base_url="http://127.0.0.1:8600") as client:
        client.headers["Authorization"] = f"Bearer {token}"
        body = {"messages": [*TURNS, {"role": "user", "content": QUESTION}], "max_tokens": 5}
        answer = client.post("/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["usage"]["prompt_tokens"] <= 507
        body["messages"] = [{"role": "user", "content": "squat " * 400}]
        refused = client.post("/v1/chat/completions", json=body)
    assert refused.status_code in (400, 422)
    assert "the model reads 512 with its answer" in refused.text
