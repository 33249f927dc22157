"""The whole chain on a CPU, within four minutes: `pytest -m chain`.

A tiny Qwen2 is checked, trained with QLoRA, interrupted, resumed, merged, written as GGUF, quantised and talked to over
HTTP; GPT-2 with all its weights and the layout of Llama go the same way. Bad data stops before that
(test_train_contract.py).
"""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from schemas.errors import TrainError
from schemas.training import TrainReport
from train import Request, load_recipe, train_model
from train.card import read_record
from train.chat_client import ChatClient
from train.deploy import DeployRequest, deploy_model, read_deployment
from train.load import find_base
from train.local_server import serve_gguf
from train.sft import read_metrics

pytestmark = pytest.mark.chain

_spec = importlib.util.spec_from_file_location("tiny_model", Path(__file__).with_name("tiny_model.py"))
tiny_model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny_model)

SYSTEM = "You are a coach. You are not a doctor."
STEPS = 28
LEARN = [f"train.max_steps={STEPS}", "train.eval_steps=14", "train.save_steps=14", "sample.max_new_tokens=4",
         'sample.prompts=["How deep?", "Why?"]']  # fmt: skip
SHORT = ["train.max_steps=8", "train.save_steps=4", "train.eval_steps=4", "sample.prompts=[]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def export(folder):
    return lambda kind: tiny_model.write_export(folder / f"export-{kind}", kind=kind)


@pytest.fixture(scope="module")
def qlora(folder, export, tiny_qwen2):
    """A finished run of the rehearsal recipe."""
    request = Request(export("messages"), load_recipe("tiny", LEARN), folder / "qlora",
                      base=str(tiny_qwen2), system=SYSTEM)  # fmt: skip
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    report = train_model(request)
    assert torch.get_num_threads() == 2  # one while it trains, on a small machine
    torch.set_num_threads(before)
    return request, report


def test_qlora_learns(qlora):
    _, report = qlora
    assert report.metrics["first_loss"] > 6
    assert report.metrics["last_loss"] < 0.7 * report.metrics["first_loss"]
    assert report.metrics["best_eval_loss"] < 0.7 * report.metrics["first_loss"]
    assert (report.metrics["steps"], report.device, report.precision) == (STEPS, "cpu: CPU", "fp32")


def test_only_the_adapter_is_written_and_only_as_safetensors(qlora):
    _, report = qlora
    names = {path.name for path in Path(report.path).iterdir()}
    assert names == {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "tokenizer_config.json",
                     "chat_template.jinja", "README.md", "train.json"}  # fmt: skip
    weights = load_file(Path(report.path) / "adapter_model.safetensors")
    assert {name.split(".")[-2] for name in weights} == {"lora_A", "lora_B"}
    assert sum(weight.numel() for weight in weights.values()) == report.estimate.trained_parameters
    assert max(weight.abs().max() for name, weight in weights.items() if "lora_B" in name) > 0


def test_the_stock_template_is_shipped_unchanged(qlora, tiny_qwen2):
    _, report = qlora
    shipped, stock = (folder / "chat_template.jinja" for folder in (Path(report.path), tiny_qwen2))
    assert shipped.read_text() == stock.read_text()
    assert "generation %}" not in shipped.read_text()


def test_metrics_samples_and_curve_lie_beside_the_adapter(qlora):
    request, report = qlora
    metrics = read_metrics(request.output)
    assert [row["step"] for row in metrics if "loss" in row] == list(range(1, STEPS + 1))
    assert [row["step"] for row in metrics if "eval_loss" in row] == [14, 28]
    tokens = [row["tokens"] for row in metrics if "loss" in row]
    assert tokens == sorted(tokens)
    assert tokens[-1] == report.metrics["tokens"] > report.contract.tokens["train"]
    samples = [json.loads(line) for line in (request.output / "samples.jsonl").read_text().splitlines()]
    assert {row["prompt"] for row in samples} == set(request.recipe.recipe.sample.prompts)
    epochs = {row["step"] for row in samples}
    assert len(samples) == 2 * len(epochs)
    assert (request.output / "loss.png").read_bytes()[:4] == b"\x89PNG"
    assert (request.output / "loss.pdf").read_bytes()[:5] == b"%PDF-"


def test_card_and_record_say_what_the_model_is_made_of(qlora, tiny_qwen2):
    request, report = qlora
    record = read_record(request.output)
    assert record == report
    assert isinstance(record, TrainReport)
    assert (record.release, record.recipe_name, record.base) == ("r-1", "tiny", str(tiny_qwen2))
    assert record.base_revision == find_base(str(tiny_qwen2)).revision
    assert record.origins["train.lr"] == "recipe"
    assert record.example_ids == sorted(f"train{n}" for n in range(24))
    assert record.versions["torch"].startswith("2.")
    card = (Path(report.path) / "README.md").read_text()
    for words in ("r-1", "`tiny`", "| train.lr | 0.003 | recipe |", "answers and their stop token", "library_name"):
        assert words in card


def test_a_finished_run_is_not_trained_again_by_resume(qlora):
    request, report = qlora
    assert train_model(request, resume=True) == report


def test_an_interrupted_run_goes_on_where_it_was(folder, export, tiny_qwen2):
    request = Request(export("messages"), load_recipe("tiny", SHORT), folder / "resumed", base=str(tiny_qwen2))
    seen = []

    def interrupt(what, done, total):
        seen.append((what, done, total))
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(request, interrupt)
    assert seen[-1] == ("training", 6, 8)
    assert read_record(request.output) is None
    steps = []
    report = train_model(request, lambda what, done, total: steps.append(done), resume=True)
    assert steps == [5, 6, 7, 8]
    assert report.metrics["steps"] == 8
    metrics = read_metrics(request.output)
    assert [row["step"] for row in metrics if "loss" in row] == list(range(1, 9))
    straight = train_model(Request(request.export, request.recipe, folder / "straight", base=str(tiny_qwen2)))
    assert report.metrics["tokens"] == straight.metrics["tokens"]
    assert report.metrics["last_loss"] == straight.metrics["last_loss"]
    resumed, undisturbed = (load_file(Path(run.path) / "adapter_model.safetensors") for run in (report, straight))
    assert resumed.keys() == undisturbed.keys()
    assert all((weight == undisturbed[name]).all() for name, weight in resumed.items())
    other = Request(request.export, load_recipe("tiny", [*SHORT, "lora.alpha=8"]), request.output, base=str(tiny_qwen2))
    with pytest.raises(TrainError, match=r"of another run .recipe differ"):
        train_model(other, resume=True)


def test_the_trained_adapter_is_the_same_model_at_every_step_to_the_server(qlora, tiny_qwen2, tmp_path):
    adapter = Path(qlora[1].path)
    deployment, told = deploy(adapter, tmp_path / "d", "q4_k_m", release_id="r-1")
    steps = {step.step: step for step in deployment.parity}
    assert list(steps) == ["merge", "prompt", "f16", "quantise", "served"]
    assert all(step.is_passed for step in deployment.parity)
    assert steps["merge"].measured < 1e-4
    assert (steps["prompt"].measured, steps["f16"].measured, steps["served"].measured) == (0, 0, 0)
    assert 0 < steps["quantise"].measured < 0.2
    assert len(told) == 5
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["Modelfile", "deployment.json", "model.gguf"]
    assert read_deployment(tmp_path / "d") == deployment
    assert (deployment.architecture, deployment.base, deployment.release_id) == ("qwen2", str(tiny_qwen2), "r-1")
    assert (deployment.quantiser, deployment.parameters.stop) == ("ggml", ["<|im_end|>"])
    assert f'SYSTEM """{SYSTEM}"""' in (tmp_path / "d" / "Modelfile").read_text()
    with serve_gguf(tmp_path / "d" / "model.gguf", threads=1) as server:
        client = ChatClient(server.url)
        talk = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "How deep?"}]
        whole = client.ask(talk, temperature=0, max_tokens=12)
        pieces = list(client.stream(talk, temperature=0, max_tokens=12))
    assert len(pieces) > 1
    assert "".join(pieces).strip() == whole.text.strip() != ""


@pytest.fixture(scope="module")
def gpt2(folder, export, tiny_gpt2):
    """A finished run with all weights."""
    settings = ["train.max_steps=12", "data.max_length=256", "train.lr=1e-3", "sample.prompts=[\"How deep?\"]",
                "sample.max_new_tokens=4"]  # fmt: skip
    request = Request(export("instruction"), load_recipe("gpt2", settings), folder / "gpt2", base=str(tiny_gpt2))
    return train_model(request)


def test_gpt2_learns_with_all_weights(gpt2):
    report = gpt2
    assert (report.method, report.loss, report.precision) == ("full", "all", "fp32")
    assert report.metrics["last_loss"] < 0.7 * report.metrics["first_loss"]
    names = {path.name for path in Path(report.path).iterdir()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} <= names
    assert not {name for name in names if name.endswith((".bin", ".pt"))}
    assert report.contract.mask_methods == {"all": 28}
    tokenizer = json.loads((Path(report.path) / "tokenizer_config.json").read_text())
    assert "pad_token" not in tokenizer or tokenizer["pad_token"] is None


def test_the_trained_gpt2_is_the_same_model_as_gguf(gpt2, tmp_path):
    deployment, _ = deploy(Path(gpt2.path), tmp_path / "d", "f16")
    assert [(step.step, step.measured) for step in deployment.parity] == [("prompt", 0), ("f16", 0), ("served", 0)]
    assert (deployment.architecture, deployment.base, deployment.quantiser) == ("gpt2", None, "none")
    assert deployment.parameters.stop == ["### Instruction:", "<|endoftext|>"]


def deploy(model, folder, quantisation, **options):
    folder.mkdir()
    told = []
    return deploy_model(DeployRequest(model, SYSTEM, quantisation, threads=1, **options), folder, told.append), told
