"""Models are created in Ollama through its API; the far end here is a stub and is named one."""

import hashlib
import importlib.util
import sys
from pathlib import Path

import pytest

from schemas.deployment import ServingParameters
from schemas.errors import DeployError
from train.chat_client import ChatClient
from train.modelfile import Modelfile
from train.ollama import create_in_ollama, is_ollama_there
from train.parity import Reference, compare_ollama, require_parity


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


ollama_stub = load("ollama_stub")

MODELFILE = Modelfile(
    "model.gguf",
    '{{ range $place, $_ := .Messages }}{{ if eq .Role "user" }}U: {{ .Content }}{{ end }}{{ end }} A:',
    "Be kind.",
    ServingParameters(stop=["<|im_end|>"]),
)


@pytest.fixture
def gguf(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(range(256)) * 5000)
    return path


def test_the_file_is_uploaded_and_the_model_created(gguf):
    with ollama_stub.run_stub() as stub:
        digest = create_in_ollama(stub.url + "/", "coach", gguf, MODELFILE)
    assert digest == hashlib.sha256(gguf.read_bytes()).hexdigest()
    assert stub.blobs == {f"sha256:{digest}": gguf.stat().st_size}
    assert stub.models["coach"] == MODELFILE.as_request("coach", digest) | {"stream": True}


def test_a_file_that_is_there_is_not_sent_again(gguf):
    with ollama_stub.run_stub() as stub:
        create_in_ollama(stub.url, "coach", gguf, MODELFILE)
        create_in_ollama(stub.url, "coach:v2", gguf, MODELFILE)
    assert (stub.uploads, sorted(stub.models)) == (1, ["coach", "coach:v2"])


def test_what_ollama_says_is_told(gguf):
    with ollama_stub.run_stub() as stub:
        stub.failure = "unsupported architecture"
        with pytest.raises(DeployError, match="did not create coach: unsupported architecture"):
            create_in_ollama(stub.url, "coach", gguf, MODELFILE)


def test_a_server_that_is_not_there_is_named(gguf):
    with ollama_stub.run_stub() as stub:
        url = stub.url
        assert is_ollama_there(url)
    assert not is_ollama_there(url)
    with pytest.raises(DeployError, match=f"{url}.*no answer"):
        create_in_ollama(url, "coach", gguf, MODELFILE)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:11434", "ftp://x", ""])
def test_only_urls_of_servers_are_asked(url, gguf):
    with pytest.raises(DeployError, match="no URL of a server"):
        create_in_ollama(url, "coach", gguf, MODELFILE)


def test_the_chat_client_reads_the_answer_and_its_prompts_length(gguf):
    with ollama_stub.run_stub() as stub:
        create_in_ollama(stub.url, "coach", gguf, MODELFILE)
        answer = ChatClient(stub.url, "coach").ask([{"role": "user", "content": "Hi"}])
        assert (answer.text, answer.prompt_tokens, answer.is_complete) == (ollama_stub.ANSWER, len("U: Hi A:"), True)
        with pytest.raises(DeployError, match="404: model not found"):
            ChatClient(stub.url, "other").ask([{"role": "user", "content": "Hi"}])


@pytest.mark.parametrize(("length", "passes"), [(8, True), (9, False)])
def test_another_prompt_in_ollama_fails_the_gate(length, passes, gguf):
    reference = Reference([[{"role": "user", "content": "Hi"}]], [[0] * length], [], [], frozenset())
    with ollama_stub.run_stub() as stub:
        create_in_ollama(stub.url, "coach", gguf, MODELFILE)
        step = compare_ollama(reference, ChatClient(stub.url, "coach"))
    assert step.is_passed is passes
    if not passes:
        with pytest.raises(DeployError, match=r"parity fails at step ollama.*prompt of 8 tokens, expected 9"):
            require_parity(step)
