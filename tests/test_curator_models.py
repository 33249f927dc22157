"""What the project knows of trained models: `curator train` on a real release, why, forget."""

import json
from pathlib import Path

import pytest

from curator.models import find_adapter, record_deployment
from curator.project import change_project, open_project
from schemas.errors import ConfigError

QUICK = ("--set", "train.max_steps=3", "--set", "train.save_steps=3", "--set", "train.eval_steps=3",
         "--set", "sample.prompts=[]", "--set", "data.max_length=512")  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory, built, tiny_qwen2):
    """A project with a model that was trained on its release."""
    import shutil

    from curator.cli.app import run

    folder = tmp_path_factory.mktemp("trained") / "project"
    shutil.copytree(built, folder)
    command = ["-q", "-C", str(folder), "train", "--recipe", "tiny", "--base", str(tiny_qwen2), *QUICK]
    assert run(command) == 0
    return folder


@pytest.fixture
def record(trained):
    """The `train.json` of that model."""
    return json.loads(next((trained / "models").glob("*/train.json")).read_text())


def read_rows(cli, folder, query):
    return cli(folder, "sql", query, "--format", "json").json


def test_the_model_lies_in_the_project_under_release_and_recipe(trained, record):
    release = next((trained / "releases").iterdir()).name
    assert Path(record["path"]) == trained / "models" / f"{release}-tiny" / "adapter"
    assert record["release"] == release
    assert (Path(record["path"]) / "adapter_model.safetensors").exists()
    assert len(record["lock_sha256"]) == 64


def test_the_warehouse_knows_the_model_and_its_rows(cli, trained, record):
    adapters = read_rows(cli, trained, "select id, release_id, recipe, method, path, is_withdrawn from adapters")
    assert adapters == [{"id": record["id"], "release_id": record["release"], "recipe": "tiny", "method": "qlora",
                         "path": record["path"], "is_withdrawn": False}]  # fmt: skip
    query = "select count(*) as rows from adapter_members join corpus on corpus.id = example_id where split = 'train'"
    assert read_rows(cli, trained, query) == [{"rows": record["contract"]["used"]["train"]}]


def test_why_names_the_models_of_a_row(cli, trained, record):
    life = cli(trained, "why", record["example_ids"][0], "--json").json[0]
    assert [model["path"] for model in life["models"]] == [record["path"]]
    shown = cli(trained, "why", record["example_ids"][0])
    assert "-tiny/adapter" in (shown.out + shown.err).replace("\n", "").replace("│", "").replace(" ", "")


def test_forget_names_the_models_and_withdraws_them(cli, trained, record, tmp_path):
    import shutil

    folder = tmp_path / "project"
    shutil.copytree(trained, folder)
    # The exports of the copy are recorded under the path of the first project.
    shutil.rmtree(folder / "exports")
    project = open_project(folder)
    with change_project(project, "test") as (warehouse, summary):
        summary["test"] = True
        record_deployment(warehouse, "d1", record["id"], "q4_k_m", "/models/coach.gguf", None, {"drift": 0.1})
    life = cli(folder, "why", record["example_ids"][0], "--json").json[0]
    assert life["models"][0]["deployments"] == ["/models/coach.gguf"]
    done = cli(folder, "forget", "--id", record["example_ids"][0], "--json")
    assert (done.code, done.json["models"]) == (0, [record["path"], "/models/coach.gguf"])
    assert read_rows(cli, folder, "select is_withdrawn from adapters") == [{"is_withdrawn": True}]


def test_a_model_is_found_by_its_id_its_folder_or_as_the_newest(trained, record):
    with change_project(open_project(trained), "test") as (warehouse, _):
        for name in (None, record["id"][:8], "-tiny/adapter"):
            assert find_adapter(warehouse, name)["path"] == record["path"]
        with pytest.raises(ConfigError, match="0 are meant"):
            find_adapter(warehouse, "nothing")


def test_a_project_without_models_says_how_to_make_one(built, tmp_path):
    import shutil

    shutil.copytree(built, tmp_path / "project")
    with (
        change_project(open_project(tmp_path / "project"), "test") as (warehouse, _),
        pytest.raises(ConfigError, match="no trained model yet"),
    ):
        find_adapter(warehouse)


def test_a_plan_shows_every_setting_with_its_origin_and_changes_nothing(cli, project):
    before = sorted(path for path in project.rglob("*") if path.name != "lock")
    done = cli(project, "train", "--recipe", "qwen2.5-3b", "--set", "train.lr=1e-4", "--dry-run", "--json")
    assert done.code == 0
    settings = done.json["settings"]
    assert settings["train.lr"] == {"value": 1e-4, "from": "--set", "meaning": "Peak learning rate."}
    assert settings["train.batch_size"]["from"] == "recipe"
    assert settings["sample.prompts"]["from"] == "pack"
    assert done.json["estimate"]["steps"] == 100
    assert 5e9 < done.json["estimate"]["training_bytes"] < 8e9
    assert sorted(path for path in project.rglob("*") if path.name != "lock") == before
    shown = cli(project, "train", "--recipe", "qwen2.5-3b", "--dry-run")
    assert "memory of training" in shown.out
    assert "3,085.9 M" in shown.out


def test_check_names_the_rows_that_break_the_contract(cli, project, tiny_qwen2):
    done = cli(
        project, "train", "--recipe", "tiny", "--base", tiny_qwen2, "--set", "data.max_length=64", "--check", "--json"
    )
    assert done.code == 1
    found = {offence["rule"]: offence["ids"] for offence in done.json["offences"]}
    assert done.json["is_kept"] is False
    example = found["truncated_to_nothing"][0]
    assert cli(project, "why", example, "--json").json[0]["id"] == example
    good = cli(project, "train", "--recipe", "tiny", "--base", tiny_qwen2, "--check", "--json")
    assert (good.code, good.json["is_kept"]) == (0, True)
    assert not (project / "models").exists()


def test_a_role_trains_its_own_rows_alone(cli, project, tiny_qwen2):
    query = (
        "select role, count(*) as rows from corpus join release_members on example_id = corpus.id "
        "where release_members.split = 'train' group by all"
    )
    roles = read_rows(cli, project, query)
    assert roles
    for row in roles:
        done = cli(
            project, "train", "--recipe", "tiny", "--base", tiny_qwen2, "--role", row["role"], "--check", "--json"
        )
        assert done.json["used"]["train"] == row["rows"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--recipe", "tinny"], "did you mean tiny?"), (["--recipe", "tiny", "--set", "train.lr=x"], "train.lr"),
     (["--recipe", "tiny", "--role", "boss"], "insight, planner, coach"),
     (["--recipe", "tiny", "--format", "preference"], "messages, sharegpt, alpaca, instruction"),
     (["--recipe", "tiny", "--release", "zzz"], "no such release")],
)  # fmt: skip
def test_a_wrong_word_is_exit_code_2_and_one_line(cli, project, arguments, message):
    done = cli(project, "train", *arguments, "--dry-run")
    assert done.code == 2
    assert message in done.err
    assert done.out == ""


def test_without_a_recipe_the_list_is_shown(cli, bare):
    assert set(cli(bare, "train", "--json").json) >= {"qwen2.5-3b", "gpt2-xl", "tiny"}
