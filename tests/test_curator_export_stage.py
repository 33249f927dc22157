"""A real project from rows to export folders: what is written loads, what must not be written is not."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from curator import atomic
from curator.balance.release import freeze_release
from curator.curate import curate_corpus
from curator.export import export_release
from curator.export.card import write_card
from curator.ingest import ingest_source
from curator.project import Project, open_project
from schemas.config import ExportConfig
from schemas.errors import ConfigError, ExportError
from warehouse import Warehouse, open_warehouse

FORMATS = ("sharegpt", "alpaca", "instruction", "messages", "preference")
PACK = """
name = "mini"
title = "A small domain"
languages = ["en"]
safety_sentence.en = "See a doctor about pain."
categories = [
    {name = "technique", title = "Technique", target = 0.4},
    {name = "nutrition", title = "Nutrition", target = 0.3},
    {name = "recovery", title = "Recovery", target = 0.3},
]
roles.coach = {temperature = 0.5, system_prompt = {en = "You are a coach."}}
"""
TOPICS = {"technique": "squat", "nutrition": "protein", "recovery": "sleep"}
CALL = {"id": "c1", "type": "function", "function": {"name": "log", "arguments": '{"kg": 100}'}}


def make_turns(topic: str, number: int) -> list[dict]:
    """A conversation whose words no other one shares, so that nothing is a near-duplicate."""
    words = [f"{topic}{number}word{place}" for place in range(8)]
    question = f"How should I plan my {topic} with {' '.join(words[:3])} in mind?"
    answer = f"Plan the {topic} around {' and the '.join(words[3:])}. Then rest for {number} days."
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def make_rows() -> list[dict]:
    rows = [
        {"messages": make_turns(word, number), "category": category}
        for category, word in TOPICS.items()
        for number in range(40)
    ]
    rows[0]["messages"].insert(0, {"role": "system", "content": "You are a strict coach."})
    rows[1]["messages"] += [
        {"role": "user", "content": "And next\u2028week?"},
        {"role": "assistant", "content": "The very same plan as this week 💪"},
    ]
    rows[2]["messages"] = [
        {"role": "user", "content": "Please log my squat of today."},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "stored", "tool_call_id": "c1"},
        {"role": "assistant", "content": "I have logged your squat of one hundred kilos."},
    ]
    return rows


def write_lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def make_project(root: Path, *, is_backwards: bool = False) -> Project:
    """A curated and balanced project with open, closed and preference rows."""
    (root / "pack").mkdir(parents=True)
    (root / "pack" / "pack.toml").write_text(PACK)
    (root / "curator.toml").write_text('pack = "pack"\n[split]\ntrain = 0.6\nvalidation = 0.2\ntest = 0.2\n')
    rows = make_rows()
    pairs = [
        {
            "prompt": turns[0]["content"],
            "chosen": turns[1]["content"],
            "rejected": f"No idea about item {number} there, sorry.",
        }
        for number in range(30)
        for turns in [make_turns("mobility", number)]
    ]
    sources = [
        ("open.jsonl", rows[:100], {"licence": "CC-BY-4.0", "permission": "granted", "name": "Open set"}),
        ("closed.jsonl", rows[100:], {"licence": "CC-BY-NC-4.0", "permission": "unknown", "name": "Closed set"}),
        ("pairs.jsonl", pairs, {"licence": "MIT", "permission": "own", "name": "Pairs"}),
    ]
    project = open_project(root)
    with open_warehouse(project.database) as warehouse:
        for name, lines, options in sources[::-1] if is_backwards else sources:
            path = write_lines(root / name, lines)
            assert ingest_source(project, warehouse, "dataset", {"path": [str(path)], **options}).added == len(lines)
        curate_corpus(project, warehouse, threads=1)
        report = freeze_release(project, warehouse, threads=1)
        assert report.leaks == []
        assert report.size > 60
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("export") / "project")


@pytest.fixture
def warehouse(project: Project) -> Iterator[Warehouse]:
    with open_warehouse(project.database) as opened:
        yield opened


@pytest.fixture
def own_project(project: Project, tmp_path: Path) -> Project:
    """A copy that a test may spoil."""
    shutil.copytree(project.root, tmp_path / "copy")
    return open_project(tmp_path / "copy")


def read_folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_format_loads_with_datasets_and_no_row_is_lost(project, warehouse, tmp_path, monkeypatch):
    for name, value in {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}.items():
        monkeypatch.setenv(name, value)
    import datasets

    datasets.disable_progress_bars()
    for name in FORMATS:
        for array in (False, True) if name == "alpaca" else (False,):
            report = export_release(
                project, warehouse, ExportConfig(format=name, array=array), output=tmp_path / f"{name}{array}"
            )
            loaded = datasets.load_dataset(str(report.path), cache_dir=str(tmp_path / "cache"))
            assert {split: rows.num_rows for split, rows in loaded.items()} == report.rows
            assert set(report.rows) == {"train", "validation", "test"}
            written = [json.loads(line) for line in _read_rows(report.path / "train", array)]
            assert [_drop_nulls(row) for row in loaded["train"]] == written


def _read_rows(path: Path, array: bool) -> list[str]:
    if not array:
        return path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    return [json.dumps(row) for row in json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))]


def _drop_nulls(value):
    """What a reader fills in for keys that a row does not have."""
    if isinstance(value, dict):
        return {key: _drop_nulls(part) for key, part in value.items() if part not in (None, [])}
    return [_drop_nulls(part) for part in value] if isinstance(value, list) else value


def test_exporting_again_changes_no_byte_and_says_so(project, warehouse):
    first = export_release(project, warehouse, ExportConfig(format="sharegpt"))
    before = read_folder(first.path)
    again = export_release(project, warehouse, ExportConfig(format="sharegpt"))
    assert (first.path, first.is_new, again.is_new) == (again.path, True, False)
    assert read_folder(again.path) == before
    assert first.path == project.exports / first.release_id / "sharegpt"


def test_the_manifest_tells_rows_bytes_and_hashes_of_every_file(project, warehouse, tmp_path):
    import hashlib

    report = export_release(project, warehouse, ExportConfig(format="alpaca"), output=tmp_path / "out")
    manifest = json.loads((report.path / "manifest.json").read_bytes())
    assert [file["path"] for file in manifest["files"]] == ["train.jsonl", "validation.jsonl", "test.jsonl"]
    for file in manifest["files"]:
        data = (report.path / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert file["rows"] == data.count(b"\n") == len(data.decode().splitlines())
    assert manifest["counts"]["rows"] == sum(report.rows.values())
    assert manifest["counts"]["categories"]["technique"] > 0
    assert (manifest["seed"], manifest["release"]) == (3407, report.release_id)


def test_tool_turns_go_into_messages_and_are_left_out_elsewhere_with_a_reason(project, warehouse):
    reports = {name: export_release(project, warehouse, ExportConfig(format=name), dry_run=True) for name in FORMATS}
    assert reports["messages"].left_out == {}
    for name in ("sharegpt", "alpaca", "instruction"):
        assert reports[name].left_out == {"tool_turns": 1}
        assert sum(reports[name].rows.values()) == sum(reports["messages"].rows.values()) - 1


def test_preferences_and_conversations_are_never_mixed(project, warehouse, tmp_path):
    report = export_release(project, warehouse, ExportConfig(format="preference"), output=tmp_path / "pairs")
    rows = [json.loads(line) for line in (report.path / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sum(report.rows.values()) == 30
    assert {row["rejected"][0]["content"].split(" ")[0] for row in rows} == {"No"}
    assert all("mobility" in row["chosen"][0]["content"] for row in rows)


def test_publishable_leaves_out_what_nobody_allowed_and_the_licence_follows(project, warehouse):
    private = export_release(project, warehouse, ExportConfig())
    public = export_release(project, warehouse, ExportConfig(policy="publishable"))
    assert private.path != public.path
    assert private.rights["licence"] == "CC-BY-NC-4.0"
    assert private.rights["unknown_permission"] == private.rights["permissions"]["unknown"] > 0
    assert public.rights["licence"] == "CC-BY-4.0"
    assert public.rights["permissions"] == {"granted": sum(public.rows.values())}
    assert public.left_out == {"permission_unknown": private.rights["unknown_permission"]}
    assert "Not for publication" in (private.path / "README.md").read_text(encoding="utf-8")
    card = (public.path / "README.md").read_text(encoding="utf-8")
    assert "Not for publication" not in card
    assert "Open set" in card
    assert "Closed set" not in card
    assert yaml.safe_load(card.split("---")[1])["license"] == "cc-by-4.0"


def test_the_pack_speaks_first_unless_it_is_told_not_to(project, warehouse):
    packed = export_release(project, warehouse, ExportConfig(format="messages"))
    bare = export_release(project, warehouse, ExportConfig(format="messages", system_prompt="none"))
    assert packed.path != bare.path
    first = [json.loads(line)["messages"][0] for line in (packed.path / "train.jsonl").read_text("utf-8").splitlines()]
    assert {turn["role"] for turn in first} == {"system"}
    openings = [
        json.loads(line)["messages"][0]["role"]
        for split in bare.rows
        for line in (bare.path / f"{split}.jsonl").read_text("utf-8").splitlines()
    ]
    assert sorted(set(openings)) == ["system", "user"]
    assert openings.count("system") == 1


def spoil(project: Project, statement: str, like: str) -> str:
    """Changes the stored text of one member of the release behind the back of screening; gives its id."""
    with open_warehouse(project.database) as warehouse:
        chosen = "select min(id) from example join release_member on example_id = id where messages like ?"
        row_id = warehouse.connection.execute(chosen, [like]).fetchone()[0]
        warehouse.connection.execute(f"update example set messages = {statement} where id = ?", [row_id])
    return row_id


@pytest.mark.parametrize("name", ["sharegpt", "alpaca", "instruction", "messages"])
def test_private_data_that_came_in_after_screening_stops_the_export(own_project, name):
    row_id = spoil(own_project, "replace(messages, 'Then rest', 'Mail me@gym.com or rest')", "%protein%")
    shutil.rmtree(own_project.exports, ignore_errors=True)
    expected = f"{row_id}: private data \\(EMAIL\\)"
    with open_warehouse(own_project.database) as warehouse, pytest.raises(ExportError, match=expected):
        export_release(own_project, warehouse, ExportConfig(format=name))
    assert not own_project.exports.exists()


def test_a_conversation_that_does_not_alternate_stops_the_export(own_project):
    row_id = spoil(own_project, """replace(messages, '"user"', '"assistant"')""", "%protein%")
    with open_warehouse(own_project.database) as warehouse, pytest.raises(ExportError, match=row_id):
        export_release(own_project, warehouse, ExportConfig(format="messages", system_prompt="none"))


def test_an_answer_that_became_empty_stops_the_export(own_project):
    row_id = spoil(own_project, """regexp_replace(messages, '"Plan [^"]*"', '" "')""", "%protein%")
    with open_warehouse(own_project.database) as warehouse, pytest.raises(ExportError, match=row_id):
        export_release(own_project, warehouse, ExportConfig(format="alpaca"))


def test_an_export_that_breaks_half_way_leaves_the_old_folder_whole(project, warehouse, tmp_path, monkeypatch):
    out = tmp_path / "out"
    export_release(project, warehouse, ExportConfig(format="alpaca"), output=out)
    before = read_folder(out)
    written = []

    def write_half(path: Path, data: bytes) -> int:
        written.append(path.name)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        with path.open("wb") as file:
            return file.write(data[: len(data) // 2])

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(ExportError, match="No space left"):
        export_release(project, warehouse, ExportConfig(format="messages"), output=out)
    monkeypatch.undo()
    assert len(written) == 2
    assert read_folder(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    export_release(project, warehouse, ExportConfig(format="messages"), output=out)
    assert b"messages" in (out / "train.jsonl").read_bytes()


def test_a_kill_before_the_exchange_leaves_the_old_folder_and_the_next_run_sweeps_the_rest(tmp_path, monkeypatch):
    out = tmp_path / "out"
    with atomic.replace_folder(out) as new:
        (new / "a").write_text("old")

    class KilledError(BaseException):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "_exchange", kill)
        patched.setattr(atomic.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KilledError), atomic.replace_folder(out) as new:
            (new / "a").write_text("new")
    assert (out / "a").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    with atomic.replace_folder(out) as new:
        (new / "a").write_text("new")
    assert (out / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("foreign", [".git", "notes.txt"])
def test_a_folder_that_holds_anything_else_is_never_replaced(project, warehouse, tmp_path, foreign):
    out = tmp_path / "out"
    export_release(project, warehouse, ExportConfig(format="alpaca"), output=out)
    (out / foreign).mkdir() if foreign.startswith(".") else (out / foreign).write_text("mine")
    with pytest.raises(ConfigError, match=foreign):
        export_release(project, warehouse, ExportConfig(format="sharegpt"), output=out)
    assert (out / foreign).exists()


def test_somebody_elses_manifest_is_no_export(project, warehouse, tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "my web app"}')
    with pytest.raises(ConfigError, match="is no export"):
        export_release(project, warehouse, ExportConfig(), output=tmp_path)
    assert (tmp_path / "manifest.json").read_text() == '{"name": "my web app"}'


def test_balancing_again_makes_no_other_release_and_deals_nothing_anew(project, warehouse):
    before = warehouse.read("split_ledger").sort("key_kind", "key")
    again = freeze_release(project, warehouse, threads=1)
    assert not again.is_new
    assert warehouse.read("split_ledger").sort("key_kind", "key").equals(before)
    assert warehouse.read("releases").height == 1


def test_a_dry_run_writes_nothing(project, warehouse, tmp_path):
    report = export_release(project, warehouse, ExportConfig(format="alpaca"), output=tmp_path / "out", dry_run=True)
    assert sum(report.rows.values()) > 0
    assert not (tmp_path / "out").exists()


def test_an_unknown_release_is_named_with_those_that_exist(project, warehouse):
    with pytest.raises(ConfigError, match="no such release"):
        export_release(project, warehouse, ExportConfig(), "ffff")


def test_a_project_without_a_release_says_what_to_type(tmp_path):
    (tmp_path / "curator.toml").write_text('pack = "golf"\n')
    bare = open_project(tmp_path)
    with open_warehouse(bare.database) as opened, pytest.raises(ConfigError) as caught:
        export_release(bare, opened, ExportConfig())
    assert "curator balance" in caught.value.hint


def test_the_order_of_ingests_changes_no_byte(project, warehouse, tmp_path):
    export_release(project, warehouse, ExportConfig(format="messages"), output=tmp_path / "a")
    turned = make_project(tmp_path / "project", is_backwards=True)
    with open_warehouse(turned.database) as opened:
        export_release(turned, opened, ExportConfig(format="messages"), output=tmp_path / "b")
    assert read_folder(tmp_path / "a") == read_folder(tmp_path / "b")


def test_the_card_leaves_out_an_empty_split_and_lists_optional_columns(project):
    files = [{"path": "train.jsonl", "split": "train", "rows": 2, "bytes": 10, "sha256": "0" * 64}]
    rights = {"licence": "GPL-3.0-only", "licences": {"GPL-3.0-only": 2}, "unknown_permission": 0, "attributions": []}
    manifest = {"release": "r", "format": "alpaca", "curator": "1", "files": files, "counts": {}, "rights": rights}
    head = yaml.safe_load(write_card(manifest, project.pack, ["en"], ["history", "system"]).split("---")[1])
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "train.jsonl"}]
    assert [f["name"] for f in head["dataset_info"]["features"]] == [
        "instruction",
        "input",
        "output",
        "system",
        "history",
    ]
    assert (head["license"], head["size_categories"]) == ("gpl-3.0", ["n<1K"])
