"""Settings: which layer wins, where each value comes from, and one clear line for what is wrong."""

import json

import pytest

from curator.settings import flatten, load_settings
from schemas.config import ProjectConfig
from schemas.errors import ConfigError
from sources.packs.loader import load_pack


@pytest.fixture
def write(tmp_path, tiny_pack):
    """Writes `curator.toml` and gives the folder."""

    def call(text=""):
        (tmp_path / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n{text}")
        return tmp_path

    return call


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in ("CURATOR_SEED", "CURATOR_BALANCE__SIZE", "CURATOR_PACK"):
        monkeypatch.delenv(name, raising=False)


def test_flag_goes_before_environment_before_file_before_pack_before_default(write, monkeypatch):
    folder = write("seed = 1\n[balance]\nsize = 10\nmax_per_author = 3\n")
    steps = []
    for action in (
        lambda: None,
        lambda: monkeypatch.setenv("CURATOR_BALANCE__SIZE", "20"),
        lambda: None,
    ):
        action()
        flags = {"balance": {"size": 30}} if len(steps) == 2 else {}
        found = load_settings(folder, flags)
        steps.append((found.config.balance.size, found.origins["balance.size"]))
    assert steps == [(10, "file"), (20, "environment"), (30, "flag")]
    assert (found.config.balance.max_per_thread, found.origins["balance.max_per_thread"]) == (7, "pack")
    assert (found.config.balance.tolerance, found.origins["balance.tolerance"]) == (0.01, "default")
    assert (found.config.balance.max_per_author, found.origins["seed"]) == (3, "file")


def test_every_setting_has_an_origin(write):
    found = load_settings(write())
    assert set(found.origins) == set(flatten(found.config.model_dump()))
    assert set(found.origins.values()) == {"default", "file", "pack"}


def test_a_folder_without_settings_has_the_defaults_and_what_the_pack_changes_of_them(tmp_path):
    overrides = load_pack("fitness").overrides
    assert load_settings(tmp_path).config == ProjectConfig.model_validate(overrides)
    assert load_settings(tmp_path).config.balance == ProjectConfig().balance


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[balance]\nsize = 'lots'", "balance.size"),
        ("[balance]\nsizes = 5", "balance.sizes"),
        ("[split]\ntrain = 2", "split.train"),
        ("seed = -1", "seed"),
        ("colour = 'red'", "colour"),
        ("[screen]\nlanguages = [1]", "screen.languages"),
        ("[[ingest]]\npath = ['x']", "ingest"),
        ("[export]\nformat = 'xml'", "export.format"),
    ],
)
def test_a_wrong_value_names_the_file_and_the_key(text, key, write, cli):
    folder = write(text)
    with pytest.raises(ConfigError) as error:
        load_settings(folder)
    assert error.value.message.startswith(f"{folder / 'curator.toml'}: {key}")
    found = cli(folder, "stats")
    assert (found.code, found.out) == (2, "")
    assert "curator.toml" in found.err
    assert key in found.err


def test_a_wrong_environment_variable_or_flag_is_named_as_such(write, monkeypatch, cli):
    folder = write()
    assert "--format 'xml'" in cli(folder, "export", "--format", "xml").err
    monkeypatch.setenv("CURATOR_SEED", "many")
    with pytest.raises(ConfigError, match=r"environment: seed: .*found 'many'"):
        load_settings(folder)
    monkeypatch.delenv("CURATOR_SEED")
    monkeypatch.setenv("CURATOR_BALANCE__SIZES", "1")
    with pytest.raises(ConfigError, match=r"environment: balance\.sizes"):
        load_settings(folder)


@pytest.mark.parametrize("data", [b"seed = ", b"\xff\xfe", b"[balance\n"])
def test_a_file_that_is_no_toml_is_named(data, tmp_path):
    (tmp_path / "curator.toml").write_bytes(data)
    with pytest.raises(ConfigError, match=r"curator\.toml"):
        load_settings(tmp_path)


def test_an_unknown_pack_lists_the_known_ones(write, monkeypatch):
    monkeypatch.setenv("CURATOR_PACK", "curling")
    with pytest.raises(ConfigError, match=r"pack 'curling'.*fitness, golf"):
        load_settings(write())


def test_settings_cannot_be_changed_once_read(write):
    config = load_settings(write()).config
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 5


def test_config_show_tells_value_and_origin_of_every_setting(write, monkeypatch, cli):
    folder = write("seed = 5\n")
    monkeypatch.setenv("CURATOR_BALANCE__SIZE", "77")
    shown = cli(folder, "config", "show", "--json").json
    assert shown["seed"] == {"value": 5, "origin": "file"}
    assert shown["balance.size"] == {"value": 77, "origin": "environment"}
    assert shown["balance.max_per_thread"] == {"value": 7, "origin": "pack"}
    assert shown["dedup.threshold"] == {"value": 0.8, "origin": "default"}
    table = cli(folder, "config", "show")
    assert "balance.max_per_thread" in table.out
    assert table.err == ""
