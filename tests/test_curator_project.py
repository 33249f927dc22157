"""A project: its folder, its target mix, and the publishing of what a command has changed."""

import json

import pytest

from curator.project import change_project, find_targets, open_project
from curator.scaffold import make_project
from schemas.errors import ConfigError
from warehouse import open_snapshot


@pytest.fixture
def chess(tmp_path, tiny_pack):
    (tmp_path / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    return tmp_path


def list_snapshots(folder):
    return sorted(path.name for path in (folder / ".curator" / "snapshots").glob("*"))


def count_runs(folder):
    with open_snapshot(folder / ".curator" / "snapshots") as snapshot:
        return snapshot.connection.execute("select count(*) from runs").fetchone()[0]


def change(folder, summary=None, error=None):
    with change_project(open_project(folder), "test") as (_, found):
        found.update(summary or {})
        if error:
            raise error


def test_a_folder_that_is_not_there_is_a_config_error(tmp_path, cli):
    with pytest.raises(ConfigError, match="no such folder"):
        open_project(tmp_path / "nowhere")
    assert cli(tmp_path / "nowhere", "stats").code == 2


def test_a_change_is_logged_and_published_and_no_change_is_neither(chess):
    change(chess)
    assert (list_snapshots(chess), count_runs(chess)) == (["000001.db"], 0)
    change(chess)
    assert list_snapshots(chess) == ["000001.db"]
    change(chess, {"added": 1})
    assert (list_snapshots(chess), count_runs(chess)) == (["000001.db", "000002.db"], 1)


def test_an_error_is_passed_on_after_publishing_what_was_committed(chess):
    change(chess)
    with pytest.raises(KeyboardInterrupt):
        change(chess, error=KeyboardInterrupt())
    assert list_snapshots(chess) == ["000001.db", "000002.db"]
    assert not open_project(chess).unpublished.exists()


def test_a_snapshot_that_a_dead_command_owes_is_published_by_the_next_one(chess):
    change(chess)
    open_project(chess).unpublished.touch()
    change(chess)
    assert list_snapshots(chess) == ["000001.db", "000002.db"]
    change(chess)
    assert list_snapshots(chess) == ["000001.db", "000002.db"]


def test_a_new_target_mix_is_published_with_the_next_command(chess):
    change(chess)
    text = (chess / "curator.toml").read_text()
    (chess / "curator.toml").write_text(text + "[balance.target]\nendgames = 0.9\ntactics = 0.1\n")
    change(chess)
    with open_snapshot(chess / ".curator" / "snapshots") as snapshot:
        rows = snapshot.connection.execute("select category, target_share from mix").fetchall()
    assert rows == [("tactics", 0.1), ("endgames", 0.9)]


@pytest.mark.parametrize(
    ("target", "message"), [("a = 1.0", r"unknown \['a'\]"), ("tactics = 0.5\nendgames = 0.4", "add up to 0.9000")]
)
def test_a_wrong_target_mix_is_a_config_error(target, message, chess):
    text = (chess / "curator.toml").read_text()
    (chess / "curator.toml").write_text(f"{text}[balance.target]\n{target}\n")
    with pytest.raises(ConfigError, match=message):
        find_targets(open_project(chess))


def test_init_writes_settings_that_load_and_never_over_a_project(tmp_path, cli):
    folder = tmp_path / "new"
    found = cli(None, "init", folder, "--pack", "golf")
    assert found.code == 0
    assert open_project(folder).pack.name == "golf"
    before = (folder / "curator.toml").read_text()
    again = cli(None, "init", folder)
    assert again.code == 2
    assert "a project is here already" in again.err
    assert (folder / "curator.toml").read_text() == before


def test_init_takes_a_pack_by_path_and_refuses_an_unknown_one_and_a_file(tmp_path, tiny_pack, cli):
    assert open_project(make_project(tmp_path / "a", str(tiny_pack))).pack.name == "chess"
    assert cli(None, "init", tmp_path / "b", "--pack", "curling").code == 2
    assert not (tmp_path / "b").exists()
    (tmp_path / "file").write_text("x")
    found = cli(None, "init", tmp_path / "file")
    assert found.code == 2
    assert "file" in found.err


def test_the_demo_does_not_run_over_somebody_elses_project(chess, cli):
    found = cli(None, "demo", chess)
    assert found.code == 2
    assert "another project is here" in found.err
    assert not (chess / "curator.db").exists()
