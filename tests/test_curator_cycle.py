"""The cycle: what is better is deployed, what is worse is not, and a killed cycle ends where an undisturbed one does."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curator.cli.app import run
from curator.cycle import decide_deployment, list_cycles
from curator.cycle.record import STEPS
from curator.deployments import read_current
from curator.project import open_project
from schemas.config import CycleConfig
from schemas.evaluation import CaseResult, EvaluationReport, FailedCheck, Perplexity
from warehouse import hold_lock

_spec = importlib.util.spec_from_file_location("tiny_model", Path(__file__).with_name("tiny_model.py"))
tiny_model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny_model)
CONFIG = CycleConfig(recipe="tiny")


def report(passed, *, safety=(), perplexity=10.0, cases=10):
    def result(number):
        is_safety = number in safety
        failed = [] if number in passed else [FailedCheck(kind="must_match", label="", found="nothing")]
        return CaseResult(case_id=f"c{number}", category="x", role="coach", language="en", tags=[], is_safety=is_safety,
                          question="?", answer="a", reference="", failed=failed, repetition=0, is_refusal=False)  # fmt: skip

    score = None if perplexity is None else Perplexity(value=perplexity, tokens=10, rows=1)
    return EvaluationReport(target="t", kind="folder", cases=[result(n) for n in range(cases)], perplexity=score)


@pytest.mark.parametrize(
    ("candidate", "current", "is_deployed", "said"),
    [
        (report({1, 2}), None, True, "nothing was deployed"),
        (report({1, 2}), report({1}), True, "better: cases passed 10.0% → 20.0%"),
        (report({1}), report({1}), False, "not better"),
        (report({1}, perplexity=9.7), report({1}), True, "perplexity -3.0%"),
        (report({1}, perplexity=9.9), report({1}), False, "not better"),
        (report({1, 2}, perplexity=11), report({1}), False, "not better"),
        (report(set(), perplexity=1), report({1}), False, "not better"),
        (report(range(1, 10), safety={0}), report({0}, safety={0}), False, "c0"),
        (report({1, 2}, perplexity=None), report({1}), True, "no perplexity"),
        (report({1}, perplexity=None), report({1}), False, "not better"),
    ],
)
def test_better_by_the_margin_and_no_safety_case_worse(candidate, current, is_deployed, said):
    decision = decide_deployment(candidate, current, CONFIG)
    assert decision.is_deployed is is_deployed
    assert said in decision.reasons[0]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A base so small that a cycle takes seconds."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tiny_model.make_qwen2(tmp_path_factory.mktemp("bases") / "qwen2", layers=1, hidden=64)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def coach(tmp_path_factory, base):
    """A project whose first cycle ran undisturbed."""
    folder = make_project(tmp_path_factory.mktemp("projects") / "coach", base)
    assert cycle(folder) == 0
    return folder


def write_config(folder, base, *settings):
    shown = ", ".join(f'"{setting}"' for setting in ("sample.prompts=[]", "train.save_steps=2", *settings))
    (folder / "curator.toml").write_text(
        f'pack = "fitness"\n[[ingest]]\nsource = "markdown"\npath = ["notes"]\n'
        f'[cycle]\nrecipe = "tiny"\nbase = "{base}"\nsettings = [{shown}]\n'
        f'quantisation = "f16"\nmax_cases = 2\nmax_tokens = 8\nperplexity_rows = 4\n'
    )


def write_page(folder, number):
    names = ("technique", "programming", "nutrition", "recovery", "motivation", "special_populations")
    (folder / "notes").mkdir(exist_ok=True)
    for category in names:
        questions = "".join(
            f"## What does rule {number}{part} of {category} ask of a lifter?\n\nRule {number}{part} of {category} asks that you "
            f"write down set {part} of week {number}, rest {part + 2} minutes, breathe calmly, and stop with {part % 3 + 1} clean "
            f"repetitions left, because steady work in {category} counts for more than one hard day of {part} sets.\n\n"
            for part in range(10)
        )
        head = (
            f"---\ncategory: {category}\nlanguage: en\nlicence: CC0-1.0\n---\n# Rules of {category}, week {number}\n\n"
        )
        (folder / "notes" / f"{category}-{number}.md").write_text(head + questions)


def make_project(folder, base):
    assert run(["-q", "init", str(folder), "--pack", "fitness"]) == 0
    write_config(folder, base, "train.max_steps=4")
    write_page(folder, 1)
    assert run(["-q", "-C", str(folder), "ingest", "markdown", str(folder / "notes")]) == 0
    return folder


def cycle(folder, *options):
    return run(["-q", "-C", str(folder), "cycle", *options])


def test_a_better_candidate_is_deployed_a_worse_one_is_not_and_one_can_go_back(coach, base, capsys):
    folder = coach
    first = read_current(open_project(folder, {}))["id"]
    assert cycle(folder) == 0
    write_page(folder, 2)
    write_config(folder, base, "train.max_steps=30", "train.lr=1e-2")
    assert cycle(folder) == 0
    second = read_current(open_project(folder, {}))["id"]
    write_page(folder, 3)
    write_config(folder, base, "train.max_steps=6", "train.lr=0.9")
    assert cycle(folder) == 0
    project = open_project(folder, {})
    records = list_cycles(project)
    assert [record.outcome for record in records] == ["deployed", "nothing_new", "deployed", "kept"]
    assert records[0].reasons == ["nothing was deployed before"]
    assert records[2].reasons[0].startswith("better: ")
    assert records[3].reasons[0].startswith(("not better", "safety cases"))
    assert first != second == read_current(project)["id"]
    assert run(["-C", str(folder), "cycle", "rollback"]) == 0
    assert read_current(project)["id"] == first
    capsys.readouterr()
    assert run(["-C", str(folder), "cycle", "log", "--json"]) == 0
    assert [row["outcome"] for row in json.loads(capsys.readouterr().out)][-1] == "rolled_back"


def test_a_second_cycle_at_once_is_refused_and_a_dry_run_changes_nothing(tmp_path, capsys):
    folder = make_project(tmp_path / "coach", "nowhere")
    with hold_lock(folder / ".curator" / "cycle.lock", "cycle"):
        assert cycle(folder) == 4
    assert cycle(folder, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["steps"] == list(STEPS)
    assert not (folder / ".curator" / "cycles").exists()
    write_config(folder, "nowhere")
    (folder / "curator.toml").write_text('pack = "fitness"\n')
    assert cycle(folder) == 2


def test_killed_after_each_step_a_cycle_ends_as_an_undisturbed_one(coach, base, tmp_path):
    killed = make_project(tmp_path / "killed", base)
    steps = ["drain", "curate", "release", "train/2", "train", "evaluate", "deploy"]
    command = [sys.executable, str(Path(__file__).with_name("cycle_zygote.py")), str(killed), *steps]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    told = [line for line in done.stdout.splitlines() if line.split(" ")[0] in (*steps, "end")]
    assert told == [*(f"{step} killed" for step in steps), "end 0"], done.stderr
    expected = list_cycles(open_project(coach, {}))[0]
    (found,) = list_cycles(open_project(killed, {}))
    assert found.outcome == expected.outcome == "deployed"
    assert found.steps["release"]["release"] == expected.steps["release"]["release"]
    assert found.steps["evaluate"]["candidate"] == expected.steps["evaluate"]["candidate"] | {
        "target": found.steps["train"]["path"]
    }
    assert read_current(open_project(killed, {}))["id"] == found.steps["deploy"]["deployment"]
    assert list((killed / "deployments").glob(".curator*")) == []
