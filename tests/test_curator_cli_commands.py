"""What the commands say and return: data on stdout, talk on stderr, and the exit code for everything that is wrong."""

import json
import os
import shutil
import subprocess
import sys

import duckdb
import pytest

REPORTS = [
    ("stats",),
    ("status",),
    ("duplicates",),
    ("releases", "list"),
    ("releases", "show"),
    ("config", "show"),
    ("why", "How should I begin with squat after years off?"),
    ("why", "--not", "Is it good to train?"),
]


def rejected(cli, folder):
    query = "select reason, subject, detail from rejected where stage = 'ingest' order by all"
    return [tuple(row.values()) for row in cli(folder, "sql", query, "--format", "json").json]


@pytest.mark.parametrize("arguments", REPORTS, ids=" ".join)
def test_every_report_is_json_on_stdout_and_nothing_on_stderr(arguments, built, cli):
    found = cli(built, *arguments, "--json")
    assert (found.code, found.err) == (0, "")
    assert json.loads(found.out)


@pytest.mark.parametrize("arguments", REPORTS, ids=" ".join)
def test_every_report_can_be_read_by_a_person(arguments, built, cli):
    found = cli(built, *arguments)
    assert found.code == 0
    assert found.out.strip()
    assert "Traceback" not in found.err
    assert max(map(len, found.out.splitlines())) <= 100


def test_stats_count_what_went_in_and_came_out(built, cli):
    found = cli(built, "stats", "--json").json
    funnel = found["funnel"]
    assert funnel["documents"] == 7 + 36 + 1 + 24
    assert funnel["examples"] == funnel["kept"] + funnel["rejected"] + funnel["duplicates"]
    assert funnel["duplicates"] == 1
    assert funnel["released"] == sum(found["splits"].values()) == sum(row["released"] for row in found["mix"])
    assert {row["source"] for row in found["sources"]} == {"markdown", "dataset", "synthetic", "transcripts"}
    assert abs(sum(row["target_share"] for row in found["mix"]) - 1) < 1e-9


def test_the_mutating_commands_write_json_too_and_a_dry_run_changes_nothing(project, cli):
    with duckdb.connect(str(project / "curator.db"), read_only=True) as connection:
        runs = connection.execute("select count(*) from run").fetchone()
    files = sorted(path for path in project.rglob("*") if path.name not in {"curator.db", "lock"})
    for arguments in (
        ("curate", "--dry-run"),
        ("balance", "--dry-run", "--size", 20),
        ("export", "--dry-run", "--format", "sharegpt"),
        ("releases", "verify"),
        ("curate",),
    ):
        found = cli(project, *arguments, "--json")
        assert (found.code, found.err) == (0, ""), arguments
        assert json.loads(found.out), arguments
    assert sorted(path for path in project.rglob("*") if path.name not in {"curator.db", "lock"}) == files
    with duckdb.connect(str(project / "curator.db"), read_only=True) as connection:
        assert connection.execute("select count(*) from run").fetchone() == runs


def test_quiet_says_nothing_but_data(project, cli):
    found = cli(project, "-q", "curate")
    assert (found.code, found.out, found.err) == (0, "", "")


def test_data_files_that_are_damaged_are_exit_code_3_with_place_and_reason_and_the_rest_comes_in(bare, tmp_path, cli):
    folder = tmp_path / "in"
    folder.mkdir()
    good = {"question": "What is a set?", "answer": "A group of repetitions without a rest between them."}
    (folder / "rows.jsonl").write_text(f"{json.dumps(good)}\n{{broken\n{json.dumps(good | {'question': 'A rep?'})}\n")
    found = cli(bare, "ingest", "dataset", folder, "--json")
    assert found.code == 3
    assert (found.json["added"], found.json["num_faults"]) == (2, 1)
    ((reason, where, _),) = rejected(cli, bare)
    assert "json" in reason
    assert where.endswith("rows.jsonl:2")


def test_a_pdf_named_md_and_invalid_utf8_are_exit_code_3_and_named(bare, tmp_path, cli):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "good.md").write_text("# What is a set?\n\nA group of repetitions without a rest.\n")
    (folder / "book.md").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    (folder / "latin.md").write_bytes("# Größe\n\nÜbung".encode("latin-1"))
    found = cli(bare, "ingest", "markdown", folder)
    assert found.code == 3
    assert found.out == ""
    assert "1 new" in found.err
    for name in ("book.md", "latin.md"):
        assert name in found.err
    reasons = {where.split("/")[-1].split(":")[0]: reason for reason, where, _ in rejected(cli, bare)}
    assert set(reasons) == {"book.md", "latin.md"}
    assert reasons["latin.md"] == "invalid_utf8"
    again = cli(bare, "ingest", "markdown", folder, "--json")
    assert (again.code, again.json["added"], again.json["new_rejections"]) == (3, 0, 0)


def test_a_truncated_zstd_dump_is_exit_code_3_and_its_whole_lines_are_kept(bare, tmp_path, cli):
    zstandard = pytest.importorskip("zstandard")
    posts = [
        {"id": f"x{n}", "title": f"Question {n} about the squat?", "selftext": os.urandom(300).hex(), "score": 5,
         "subreddit": "Fitness", "created_utc": 1_700_000_000 + n, "author": "a"} for n in range(3000)
    ]  # fmt: skip
    data = zstandard.ZstdCompressor().compress("".join(json.dumps(post) + "\n" for post in posts).encode())
    path = tmp_path / "RS_cut.zst"
    path.write_bytes(data[: len(data) * 3 // 4])
    found = cli(bare, "ingest", "reddit", "--dump", path, "--json")
    assert found.code == 3
    assert 1000 < found.json["added"] < 3000
    assert any("truncated" in reason for reason, _, _ in rejected(cli, bare))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ingest", "markdown", "nowhere"), "nowhere"),
        (("ingest", "dataset", "nowhere.jsonl"), "nowhere.jsonl"),
        (("ingest", "transcripts", "nowhere"), "nowhere"),
        (("ingest", "reddit", "--dump", "nowhere"), "nowhere"),
        (("ingest", "markdown", "EMPTY"), "EMPTY"),
        (("ingest", "dataset", "EMPTY"), "EMPTY"),
        (("ingest", "dataset", "rows.csv", "--map", "question=Farbe"), "Farbe"),
        (("ingest", "dataset", "rows.csv", "--map", "question"), "expected NAME=VALUE"),
        (("export",), "no release yet"),
        (("export", "--format", "xml"), "--format 'xml'"),
        (("balance", "--size", "few"), "--size 'few'"),
        (("balance", "--fill", "magic"), "--fill"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_a_user_gets_wrong_is_exit_code_2_in_one_line_with_what_to_do(
    arguments, said, bare, tiny_pack, cli, monkeypatch
):
    (bare / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    (bare / "rows.csv").write_text("Frage,Antwort\nWas?,Das ist es und nichts anderes.\n")
    (bare / "EMPTY").mkdir()
    monkeypatch.chdir(bare)
    found = cli(bare, *arguments)
    assert (found.code, found.out) == (2, "")
    lines = found.err.splitlines()
    assert len([line for line in lines if line.startswith("curator: ")]) == 1
    assert said in lines[0]
    assert lines[1].startswith("  → ")


@pytest.mark.parametrize("command", ["stats", "why x", "duplicates", "sql", "releases list"])
def test_a_project_without_data_is_one_line_with_the_next_thing_to_type(command, bare, tiny_pack, cli):
    (bare / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    arguments = [*command.split(), *(["select 1"] if command == "sql" else [])]
    found = cli(bare, *arguments)
    assert found.code == 1
    assert "no snapshot yet" in found.err
    assert "curator ingest" in found.err
    assert list(bare.iterdir()) == [bare / "curator.toml"]


def test_a_folder_that_is_no_project_is_named_as_such(bare, cli):
    found = cli(bare, "stats")
    assert found.code == 2
    assert "no project (no curator.toml)" in found.err


def test_status_and_doctor_work_without_data(bare, tiny_pack, cli):
    (bare / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    status = cli(bare, "status", "--json")
    assert (status.code, status.json["working now"]) == (0, "nobody")
    doctor = cli(bare, "doctor", "--json")
    assert doctor.code == 0
    assert {"settings", "lexicon", "database"} <= {finding["what"] for finding in doctor.json}


def test_doctor_names_what_a_pack_lacks_and_a_wrong_setting(bare, tmp_path, tiny_pack, cli):
    pack = tmp_path / "broken"
    shutil.copytree(tiny_pack, pack)
    (pack / "lexicon.toml").unlink()
    (bare / "curator.toml").write_text(f"pack = {json.dumps(str(pack))}\n")
    found = cli(bare, "doctor")
    assert found.code == 1
    assert "lexicon.toml" in found.out
    (bare / "curator.toml").write_text("colour = 1\n")
    assert cli(bare, "doctor", "--json").json[0]["is_problem"] is True


def test_a_release_can_be_listed_shown_compared_and_verified(project, cli):
    (old,) = cli(project, "releases", "list", "--json").json
    assert (old["rows"], old["verified"]) == (cli(project, "stats", "--json").json["funnel"]["released"], True)
    smaller = cli(project, "balance", "--size", 40, "--json").json["release_id"]
    assert [row["release"] for row in cli(project, "releases", "list", "--json").json] == [smaller, old["release"]]
    shown = cli(project, "releases", "show", old["release"][:6], "--json").json
    assert shown["release_id"] == old["release"]
    diff = cli(project, "releases", "diff", old["release"], smaller, "--json").json
    assert diff["counts"]["out"] >= 30
    assert set(diff["counts"]) <= {"in", "out", "moved"}
    assert cli(project, "releases", "diff", old["release"], smaller).code == 0
    verified = cli(project, "releases", "verify", smaller, "--json")
    assert (verified.code, verified.json["leaks"]) == (0, [])
    assert cli(project, "releases", "show", "ffffffffffff").code == 2


def test_pictures_are_written_and_another_ending_is_refused(built, tmp_path, cli):
    for name in ("mix.png", "mix.svg"):
        found = cli(built, "stats", "--plot", tmp_path / name)
        assert found.code == 0
        assert name in found.err.replace("\n", "")
    assert (tmp_path / "mix.png").read_bytes().startswith(b"\x89PNG")
    assert cli(built, "duplicates", "--plot", tmp_path / "similar.png").code == 0
    assert cli(built, "stats", "--plot", tmp_path / "mix.docx").code == 2


def test_a_traceback_is_only_shown_with_debug(bare, tiny_pack, monkeypatch, cli):
    (bare / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")

    def fail(*_):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("curator.statistics.read_status", fail)
    plain = cli(bare, "status")
    assert plain.code == 1
    assert "ZeroDivisionError: planted" in plain.err
    assert "--debug" in plain.err
    assert "Traceback" not in plain.err
    assert "Traceback" in cli(bare, "--debug", "status").err


def test_an_interruption_is_exit_code_130_and_memory_or_system_errors_are_1(bare, tiny_pack, monkeypatch, cli):
    (bare / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    for error, code, said in (
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "not enough memory"),
        (ModuleNotFoundError("No module named 'datasets'", name="datasets"), 2, "pip install 'corpus-curator[train]'"),
        (OSError(28, "No space left on device"), 1, "No space left"),
    ):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr("curator.statistics.read_status", fail)
        found = cli(bare, "status")
        assert found.code == code
        assert said in found.err
        assert "Traceback" not in found.err


def test_a_reader_that_leaves_early_is_no_failure_and_a_full_output_is(built):
    for arguments in (["stats", "--json"], ["stats"]):
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-P", "-m", "curator", "-C", str(built), *arguments]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, "")
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("No space left on device") == 1
