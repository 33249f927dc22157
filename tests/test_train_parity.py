"""The whole way of a tiny model to a server, and that the gate stops whatever comes out different."""

import dataclasses
import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from schemas.errors import DeployError
from train.chat_client import ChatClient
from train.deploy import DeployRequest, deploy_model, identify_deployment, preview_deployment
from train.gguf import write_gguf
from train.llama_client import LlamaClient
from train.local_model import load_local_model
from train.local_server import serve_gguf
from train.parity import (
    compare_drift,
    compare_greedy,
    compare_prompts,
    compare_served,
    find_split,
    make_frozen_prompts,
    require_parity,
    take_reference,
)

_spec = importlib.util.spec_from_file_location("tiny_adapter", Path(__file__).with_name("tiny_adapter.py"))
tiny_adapter = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny_adapter)

SYSTEM = "You are a coach. You are not a doctor."


def deploy(model, folder, quantisation, **options):
    folder.mkdir()
    request = DeployRequest(model, SYSTEM, quantisation, threads=1, **options)
    told = []
    return deploy_model(request, folder, told.append), told


@pytest.fixture(scope="module")
def qwen2_adapter(tiny_qwen2, tmp_path_factory):
    return tiny_adapter.make_adapter(tiny_qwen2, tmp_path_factory.mktemp("adapter") / "q")


@pytest.fixture(scope="module")
def reference(tiny_qwen2):
    return take_reference(load_local_model(tiny_qwen2, precision="halves"), make_frozen_prompts(SYSTEM))


@pytest.fixture(scope="module")
def plain(tiny_qwen2, tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "model.gguf"
    write_gguf(tiny_qwen2, path)
    return path


@pytest.mark.chain
def test_llama_comes_out_the_same_with_scaled_rope_and_eight_bits(tiny_llama, tmp_path):
    folder = shutil.copytree(tiny_llama, tmp_path / "llama31")
    scaling = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 64}  # fmt: skip
    config = json.loads((folder / "config.json").read_text()) | {"rope_parameters": scaling}
    (folder / "config.json").write_text(json.dumps(config))
    deployment, _ = deploy(folder, tmp_path / "d", "q8_0")
    steps = {step.step: step for step in deployment.parity}
    assert (steps["prompt"].measured, steps["f16"].measured) == (0, 0)
    assert 0 < steps["quantise"].measured < 0.05


def test_qwen3_comes_out_the_same(tiny_qwen2, tmp_path):
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    folder = tmp_path / "qwen3"
    AutoTokenizer.from_pretrained(tiny_qwen2).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        Qwen3ForCausalLM(Qwen3Config(
            hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            head_dim=32, vocab_size=1024, max_position_embeddings=512, tie_word_embeddings=False, eos_token_id=2,
        )).save_pretrained(folder)  # fmt: skip
    write_gguf(folder, tmp_path / "m.gguf")
    expected = take_reference(load_local_model(folder, precision="halves"), make_frozen_prompts(SYSTEM))
    with serve_gguf(tmp_path / "m.gguf", threads=1) as server:
        assert compare_prompts(expected, LlamaClient(server.url)).is_passed
        assert compare_greedy(expected, LlamaClient(server.url)).is_passed


def test_the_model_of_other_weights_fails_at_the_tokens(reference, tiny_qwen2, tmp_path):
    folder = shutil.copytree(tiny_qwen2, tmp_path / "other")
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors["model.layers.0.self_attn.v_proj.weight"] *= -1
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    write_gguf(folder, tmp_path / "m.gguf")
    with serve_gguf(tmp_path / "m.gguf", threads=1) as server:
        client = LlamaClient(server.url)
        assert compare_prompts(reference, client).is_passed
        step = compare_greedy(reference, client)
        assert compare_drift(reference, client, "q4_k_m").is_passed is False
    with pytest.raises(DeployError, match=r"parity fails at step f16 \(\d, at most 0\): prompt \d differs at token"):
        require_parity(step)


def test_another_chat_template_fails_at_the_prompt(reference, tiny_qwen2, tmp_path):
    folder = shutil.copytree(tiny_qwen2, tmp_path / "other")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("assistant\\n", "assistant \\n"))
    write_gguf(folder, tmp_path / "m.gguf")
    with serve_gguf(tmp_path / "m.gguf", threads=1) as server:
        step = compare_prompts(reference, LlamaClient(server.url))
    assert step.measured == 4
    with pytest.raises(DeployError, match="parity fails at step prompt"):
        require_parity(step)


def test_drift_beyond_the_tolerance_fails_and_names_what_to_do(reference, tiny_qwen2, tmp_path):
    write_gguf(tiny_qwen2, tmp_path / "m.gguf", "q4_k_m")
    with serve_gguf(tmp_path / "m.gguf", threads=1) as server:
        client = LlamaClient(server.url)
        allowed = compare_drift(reference, client, "q4_k_m")
        strict = compare_drift(reference, client, "q4_k_m", 0.001)
        served = compare_served(reference, client, ChatClient(server.url))
    assert allowed.is_passed
    assert served.is_passed
    assert (strict.is_passed, strict.measured) == (False, pytest.approx(allowed.measured, rel=0.05))
    with pytest.raises(DeployError, match="parity fails at step quantise") as error:
        require_parity(strict)
    assert "--quantize q8_0" in error.value.hint


@pytest.mark.parametrize(
    ("found", "split"),
    [([5, 6, 2], None), ([5, 6], None), ([5, 6, 2, 7], None), ([5], 1), ([], 0), ([5, 6, 3], 2), ([5, 6, 2, 8], 3)],
)
def test_a_server_may_stop_before_or_after_the_token_that_ends_an_answer_and_nowhere_else(found, split):
    assert find_split([5, 6, 2, 7], found, frozenset({2})) == split


def test_a_tie_is_no_difference_but_a_clear_choice_is(reference, plain):
    wrong = [list(tokens) for tokens in reference.tokens]
    wrong[0][3] = (wrong[0][3] + 1) % 1024
    rows = [row.copy() for row in reference.logprobs]
    clear = dataclasses.replace(reference, tokens=wrong, logprobs=rows)
    with serve_gguf(plain, threads=1) as server:
        client = LlamaClient(server.url)
        rows[0][3][wrong[0][3]] = rows[0][3][reference.tokens[0][3]] + 5
        assert "prompt 1 differs at token 3" in compare_greedy(clear, client).detail
        rows[0][3][wrong[0][3]] = rows[0][3][reference.tokens[0][3]] + 0.001
        tied = compare_greedy(clear, client)
    assert (tied.is_passed, tied.detail) == (True, "4 continuations of 24 tokens equal, 1 up to a tie")


def test_served_likelihoods_are_those_of_transformers(reference, plain):
    ids, tokens, rows = reference.ids[0], reference.tokens[0], reference.logprobs[0]
    with serve_gguf(plain, threads=1) as server:
        client = LlamaClient(server.url)
        for token in (tokens[0], 7, 1000, 2):  # the last one ends an answer
            assert client.read_logprob(ids, token) == pytest.approx(rows[0][token], abs=0.01)


def test_the_id_follows_what_the_deployment_is_made_of(tiny_qwen2, qwen2_adapter, tmp_path):
    request = DeployRequest(qwen2_adapter, SYSTEM)
    ids = {
        identify_deployment(changed)
        for changed in (
            request,
            dataclasses.replace(request, quantisation="q8_0"),
            dataclasses.replace(request, system_prompt="Another."),
            dataclasses.replace(request, model=tiny_qwen2),
        )
    }
    assert len(ids) == 4
    moved = shutil.copytree(qwen2_adapter, tmp_path / "moved")
    assert identify_deployment(dataclasses.replace(request, model=moved)) == identify_deployment(request)


def test_a_preview_loads_no_weights(tiny_qwen2, tmp_path):
    folder = shutil.copytree(tiny_qwen2, tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    found = preview_deployment(DeployRequest(folder, SYSTEM))
    assert (found["architecture"], found["parameters"]["stop"]) == ("qwen2", ["<|im_end|>"])


def test_a_file_that_is_no_gguf_is_named(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF\x03\x00\x00\x00 and then nothing that fits")
    with pytest.raises(DeployError, match="does not load it"), serve_gguf(tmp_path / "bad.gguf"):
        pass
    with pytest.raises(DeployError, match="no such file"), serve_gguf(tmp_path / "gone.gguf"):
        pass


def test_a_path_of_odd_signs_is_served(plain, tmp_path):
    folder = tmp_path / 'Ünï "q" $(id) %s\n;x'
    folder.mkdir()
    shutil.copy(plain, folder / "mödel 1.gguf")
    with serve_gguf(folder / "mödel 1.gguf", threads=1) as server:
        assert ChatClient(server.url).ask([{"role": "user", "content": "Hi"}], max_tokens=2).prompt_tokens > 0
