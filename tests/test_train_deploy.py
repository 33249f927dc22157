"""`curator deploy` and `curator chat` in a project: one folder a deployment, one pointer, nothing half done."""

import importlib.util
import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from curator.deployments import find_deployment, point_current, read_current, roll_back
from curator.models import record_adapter
from curator.project import change_project, open_project
from schemas.errors import ConfigError
from warehouse import open_snapshot


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


ollama_stub = load("ollama_stub")
tiny_adapter = load("tiny_adapter")


@pytest.fixture(scope="module")
def home(tmp_path_factory, tiny_pack):
    folder = tmp_path_factory.mktemp("home")
    (folder / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    return folder


@pytest.fixture(scope="module")
def deployed(home, tiny_qwen2):
    """A project whose current deployment is the whole tiny model."""
    from curator.deployments import DeployOptions, deploy

    project = open_project(home)
    deployment, folder = deploy(project, DeployOptions(str(tiny_qwen2), "q8_0", threads=1))
    return home, deployment, folder


@pytest.fixture
def project(deployed, tmp_path):
    return shutil.copytree(deployed[0], tmp_path / "project")


def test_a_deployment_is_a_folder_and_the_current_one(deployed):
    home, deployment, folder = deployed
    assert sorted(path.name for path in folder.iterdir()) == ["Modelfile", "deployment.json", "model.gguf"]
    assert folder == home / "deployments" / deployment.id
    assert read_current(open_project(home)) == {"id": deployment.id, "previous": None}
    assert deployment.system_prompt == "You are a chess coach."
    assert [step.step for step in deployment.parity] == ["prompt", "f16", "quantise", "served"]


def test_the_same_deployment_is_not_made_twice(project, deployed, tiny_qwen2, cli):
    before = {path.name: path.stat().st_mtime_ns for path in (project / "deployments" / deployed[1].id).iterdir()}
    done = cli(project, "deploy", tiny_qwen2, "--threads", 1, "--quantize", "q8_0", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["id"] == deployed[1].id
    after = {path.name: path.stat().st_mtime_ns for path in (project / "deployments" / deployed[1].id).iterdir()}
    assert before == after


def test_a_dry_run_shows_and_writes_nothing(project, tiny_qwen2, cli):
    before = sorted(project.rglob("*"))
    done = cli(project, "deploy", tiny_qwen2, "--threads", 1, "--quantize", "f16", "--dry-run", "--temperature", "0.3")
    found = json.loads(done.out)
    assert done.code == 0
    assert (found["architecture"], found["quantisation"], found["is_there"]) == ("qwen2", "f16", False)
    assert found["parameters"] == {"temperature": 0.3, "top_p": 0.9, "stop": ["<|im_end|>"]}
    assert sorted(project.rglob("*")) == before


def test_a_deployment_that_fails_leaves_the_current_one(project, deployed, tiny_qwen2, cli):
    done = cli(project, "deploy", tiny_qwen2, "--threads", 1, "--quantize", "q4_k_m", "--drift", "0.00001")
    assert done.code == 1
    assert "parity fails at step quantise" in done.err
    assert "--quantize q8_0" in done.err
    assert [path.name for path in (project / "deployments").iterdir() if path.is_dir()] == [deployed[1].id]
    assert read_current(open_project(project))["id"] == deployed[1].id


def test_the_pointer_goes_back_and_forth(project, deployed):
    opened = open_project(project)
    other = "0" * 32
    shutil.copytree(project / "deployments" / deployed[1].id, project / "deployments" / other)
    point_current(opened, other)
    assert read_current(opened) == {"id": other, "previous": deployed[1].id}
    assert roll_back(opened).name == deployed[1].id
    assert find_deployment(opened).name == deployed[1].id
    assert find_deployment(opened, "0000").name == other
    with pytest.raises(ConfigError, match="0 are meant"):
        find_deployment(opened, "ffffffffff")


def test_the_command_uses_an_earlier_deployment(project, deployed, cli):
    shutil.copytree(project / "deployments" / deployed[1].id, project / "deployments" / ("0" * 32))
    assert cli(project, "deploy", "--use", "00000").code == 0
    assert read_current(open_project(project))["id"] == "0" * 32
    assert json.loads(cli(project, "deploy", "--rollback", "--json").out) == {"id": deployed[1].id}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deploy"], "nothing is trained yet"),
        (["deploy", "no-such-model"], "no such folder, and nothing is trained yet"),
        (["deploy", "--rollback"], "no deployment before the current one"),
        (["chat", "-m", "Hi"], "nothing is deployed yet"),
        (["chat", "-m", "Hi", "--role", "planner"], "role 'planner': unknown in pack chess"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(arguments, message, tmp_path, tiny_pack, cli):
    (tmp_path / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    done = cli(tmp_path, *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_folder_that_is_no_model_is_named(tmp_path, project, cli):
    (tmp_path / "empty").mkdir()
    done = cli(project, "deploy", tmp_path / "empty")
    assert done.code == 1
    assert "config.json" in done.err
    assert "Traceback" not in done.err


def test_a_checkout_without_a_converter_is_named(tmp_path, project, tiny_qwen2, cli):
    done = cli(project, "deploy", tiny_qwen2, "--threads", 1, "--llama-cpp", tmp_path)
    assert done.code == 1
    assert "no convert_hf_to_gguf.py" in done.err


def test_a_checkout_of_the_users_own_converts_and_quantises(tmp_path, project, tiny_qwen2, cli):
    """The checkout is a stub: its two programs hand out files made before, so that the way to them and back is what runs."""
    from train.gguf import write_gguf

    checkout = tmp_path / "llama.cpp stub"
    (checkout / "build" / "bin").mkdir(parents=True)
    for mix in ("f16", "q8_0"):
        write_gguf(tiny_qwen2, checkout / f"{mix}.gguf", mix)
    (checkout / "beside.py").write_text("NAME = 'f16.gguf'\n")
    (checkout / "convert_hf_to_gguf.py").write_text(
        "import shutil, sys\nfrom pathlib import Path\nfrom beside import NAME\n"
        "folder, outfile, target, outtype, kind = sys.argv[1:]\n"
        "assert (outfile, outtype, kind) == ('--outfile', '--outtype', 'f16')\n"
        "assert (Path(folder) / 'model.safetensors').is_file()\n"
        "shutil.copy(NAME, target)\n"
    )
    program = checkout / "build" / "bin" / "llama-quantize"
    program.write_text('#!/bin/sh\ntest -f "$1" && test "$3" = Q8_0 && cp q8_0.gguf "$2"\n')
    program.chmod(0o755)
    done = cli(project, "deploy", tiny_qwen2, "--threads", 1, "--llama-cpp", checkout, "--quantize", "q8_0", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["quantiser"] == "llama-quantize"
    (checkout / "convert_hf_to_gguf.py").write_text("raise SystemExit('NotImplementedError: BPE pre-tokenizer')")
    done = cli(project, "deploy", tiny_qwen2, "--threads", 1, "--llama-cpp", checkout, "--quantize", "f16")
    assert done.code == 1
    assert "NotImplementedError: BPE pre-tokenizer" in done.err


def test_chat_streams_an_answer_of_the_current_deployment(project, cli, monkeypatch):
    done = cli(
        project, "chat", "--plain", "--threads", 1, "-m", "What is a fork?", "--max-tokens", "8", "--temperature", "0"
    )
    assert done.code == 0, done.err
    assert done.out.strip()
    again = cli(
        project, "chat", "--plain", "--threads", 1, "-m", "What is a fork?", "--max-tokens", "8", "--temperature", "0"
    )
    assert again.out == done.out
    monkeypatch.setattr(sys, "stdin", io.StringIO("What is a fork?\n\nAnd a pin?\n"))
    talked = cli(project, "chat", "--plain", "--threads", 1, "--max-tokens", "8", "--temperature", "0")
    assert talked.out.startswith(done.out.rstrip("\n"))
    assert len(talked.out) > len(done.out)


def test_the_model_is_created_in_ollama_with_the_prompt_it_was_trained_with(project, deployed, tiny_qwen2, cli):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_qwen2)
    with ollama_stub.run_stub(lambda text: len(tokenizer(text)["input_ids"])) as stub:
        done = cli(
            project, "deploy", tiny_qwen2, "--quantize", "q8_0", "--ollama", stub.url, "--name", "chess:v1", "--json"
        )
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["ollama_model"], found["parity"][-1]["step"]) == ("chess:v1", "ollama")
    created = stub.models["chess:v1"]
    assert created["system"] == "You are a chess coach."
    assert created["parameters"] == {"temperature": 0.7, "top_p": 0.9, "stop": ["<|im_end|>"]}
    assert created["files"] == {"model.gguf": f"sha256:{deployed[1].gguf_sha256}"}
    expected = "<|im_start|>system\nYou are a chess coach.<|im_end|>\n<|im_start|>user\nHow do I begin?<|im_end|>\n<|im_start|>assistant\n"
    assert stub.prompts == [expected]


def test_a_template_of_the_users_own_that_renders_otherwise_fails_in_ollama(project, tiny_qwen2, tmp_path, cli):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_qwen2)
    own = tmp_path / "own.tmpl"
    own.write_text('{{ range $place, $_ := .Messages }}{{ if eq .Role "user" }}{{ .Content }}{{ end }}{{ end }}')
    with ollama_stub.run_stub(lambda text: len(tokenizer(text)["input_ids"])) as stub:
        done = cli(
            project, "deploy", tiny_qwen2, "--threads", 1, "--quantize", "q8_0", "--ollama", stub.url, "--template", own
        )
    assert done.code == 1
    assert "parity fails at step ollama" in done.err
    assert "--template FILE" in done.err


@pytest.fixture
def trained(project, tiny_qwen2):
    """The project with a recorded adapter; gives its id."""
    from schemas.training import TrainReport

    folder = tiny_adapter.make_adapter(tiny_qwen2, project / "models" / "a")
    report = TrainReport.model_construct(
        id="ab" * 16, release="r1", recipe_name="tiny", recipe_sha256="0", method="lora", base=str(tiny_qwen2),
        base_revision=None, coach_role="coach", path=str(folder), metrics={}, example_ids=[],
    )  # fmt: skip
    with change_project(open_project(project), "train") as (warehouse, summary):
        record_adapter(warehouse, report)
        summary["adapter"] = report.id
    return report.id


def test_the_newest_adapter_is_deployed_and_the_warehouse_learns_of_it(project, trained, cli):
    done = cli(project, "deploy", "--threads", 1, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["release_id"], found["quantisation"], found["parity"][0]["step"]) == ("r1", "q4_k_m", "merge")
    with open_snapshot(open_project(project).snapshots) as snapshot:
        assert snapshot.read("snapshot_adapters")["id"].to_list() == [trained]
    rows = json.loads(cli(project, "sql", "--format", "json", "select * from deployments").out)
    assert [(row["id"], row["adapter_id"], row["quantisation"]) for row in rows] == [(found["id"], trained, "q4_k_m")]
    assert rows[0]["path"] == f"deployments/{found['id']}/model.gguf"


def test_a_model_with_a_forgotten_row_in_it_is_not_deployed(project, trained, cli):
    import duckdb

    with duckdb.connect(str(project / "curator.db")) as connection:
        connection.execute("update adapter set is_withdrawn = true")
    with change_project(open_project(project), "test") as (_, summary):
        summary["published"] = True
    done = cli(project, "deploy", trained[:8])
    assert done.code == 2
    assert "a row it was trained on was forgotten" in done.err
