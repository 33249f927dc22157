"""Every command and option is documented, and its help can be read."""

import re

import pytest
import typer

from curator.cli.app import app, run

ROOT = typer.main.get_command(app)
EXPECTED = {
    "init", "demo", "doctor", "config show", "ingest", "ingest markdown", "ingest documents", "ingest transcripts",
    "ingest youtube", "ingest reddit", "ingest dataset", "ingest synthetic", "ingest other", "curate", "balance",
    "export", "run", "releases list", "releases show", "releases diff", "releases verify", "releases rebuild", "sql",
    "stats", "why", "duplicates", "status", "forget", "review accept", "review reject", "review edit", "review relabel",
    "review apply",
}  # fmt: skip
# What somebody looks for in the help of a command.
MENTIONS = {
    "init": ["pack", "curator.toml"],
    "demo": ["fitness"],
    "ingest markdown": ["--label", "--licence", "--permission", "--dry-run"],
    "ingest transcripts": [".vtt", ".srt"],
    "ingest reddit": ["--dump", "--subreddit", "zst"],
    "ingest dataset": ["--map", "question=Frage", "hf://"],
    "ingest synthetic": ["--count", "--seed"],
    "curate": ["screen", "categorise", "--dry-run", "--wait"],
    "balance": ["--size", "--fill", "release"],
    "export": ["sharegpt", "alpaca", "instruction", "messages", "--policy", "publishable", "--array"],
    "run": ["curator.toml"],
    "sql": ["corpus", "lineage", "--saved", "parquet", "stdin"],
    "why": ["--not", "Id"],
    "stats": ["--plot"],
    "duplicates": ["--thresholds"],
    "config show": ["environment", "default"],
}


def walk(command, path=()):
    for name, child in getattr(command, "commands", {}).items():
        yield (*path, name), child
        yield from walk(child, (*path, name))


COMMANDS = {" ".join(path): command for path, command in walk(ROOT)}


def test_the_promised_commands_are_there():
    assert set(COMMANDS) >= EXPECTED


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_says_what_it_does_and_every_option_and_argument_what_it_is_for(name):
    command = COMMANDS[name]
    assert command.help
    assert len(command.help.split()) >= 3
    undocumented = [p.name for p in command.params if not getattr(p, "help", "") and p.name != "help"]
    assert undocumented == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_exits_0_and_goes_to_stdout(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert run([*name.split(), "--help"]) == 0
    found = capsys.readouterr()
    assert found.err == ""
    text = re.sub(r"\s+", " ", re.sub(r"[│╭╮╰╯─]", " ", found.out))
    assert "Usage:" in text
    assert [word for word in MENTIONS.get(name, []) if word not in text] == []
    assert max(map(len, found.out.splitlines())) <= 100


def test_commands_that_change_something_have_a_dry_run_and_can_wait():
    changing = ("curate", "balance", "export", *(name for name in COMMANDS if name.startswith("ingest ")))
    for name in changing:
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {"--dry-run", "--wait", "--json"} <= options, name


def test_every_report_can_be_json():
    for name in ("stats", "why", "duplicates", "status", "doctor", "config show", "releases list", "releases show",
                 "releases diff", "releases verify", "run", "demo"):  # fmt: skip
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert "--json" in options, name


def test_the_help_of_all_tells_commands_and_exit_codes(capsys):
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("ingest", "curate", "balance", "export", "sql", "why", "Exit codes", "4 locked", "--project"):
        assert word in text


def test_version_is_said_alone(capsys):
    assert run(["--version"]) == 0
    assert re.fullmatch(r"curator \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [["nonsense"], ["stats", "--nonsense"], ["why"], ["balance", "--size"]])
def test_usage_errors_are_exit_code_2_without_a_traceback(arguments, capsys):
    assert run(arguments) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert "Traceback" not in found.err
    assert found.err
