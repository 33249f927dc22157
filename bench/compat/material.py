"""What the consumers read: one release exported in every format, a tokenizer, a tiny model, and the answers in it.

The answers come from the warehouse, not from the exports, so that a fault of an export cannot hide itself.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CASES = {
    "sharegpt": "all",
    "alpaca": "all",
    "alpaca-one-turn": "pairs",
    "instruction": "all",
    "messages": "all",
    "preference": "all",
}
"""Folder of each export and the project it is made from; the first part of its name is the format."""
SETTINGS = """\
pack = "fitness"

[screen]
languages = ["en", "ar"]

[balance]
tolerance = 0.5
target = { technique = 0.4, nutrition = 0.3, recovery = 0.3 }

[split]
train = 0.7
validation = 0.2
test = 0.1

[[ingest]]
source = "dataset"
path = ["rows"]
licence = "CC-BY-4.0"
permission = "own"
basis = "written for this check"
"""
TOPICS = {
    "technique": ("squat", "bench press", "deadlift", "overhead press", "barbell row", "lunge", "pull-up", "hip hinge"),
    "nutrition": ("protein", "creatine", "meal timing", "fibre", "hydration", "iron", "breakfast", "salt"),
    "recovery": ("sleep", "soreness", "stretching", "deload weeks", "foam rolling", "rest days", "naps", "saunas"),
}
CUES = ("keep a training log", "change one thing at a time", "film a set from the side", "ask a friend to watch",
        "stop a repetition early", "eat before you train", "go to bed an hour sooner", "warm up without hurry")  # fmt: skip
# What readers stumble over: line ends that are none in JSON, code, quotes, other scripts, signs of two code units.
ODD_TEXTS = (
    "Two lines that one reader takes for\u2028three: keep the bar over the middle of the foot.",
    "A next-line sign\u0085inside the answer, and a tab\there; press with the elbows under the bar.",
    'Write it down: ```json\n{"sets": 3, "reps": [5, 5, 5]}\n``` and say "done" when all sets are done.',
    "Stand tall 💪🏽, breathe in, brace, and lower the bar under control; naïve café-style résumé is fine too.",
    "\\n is no line end, {0} is no field and %s is none either; rest as long as the set was hard, or 100 % longer.",
)


def make_material(folder: Path) -> None:
    """Fills an empty folder with `export/CASE`, `model` and `expected.json`."""
    projects = {"all": folder / "all", "pairs": folder / "pairs"}
    write_project(projects["all"], list_chats(), list_pairs(), list_choices())
    write_project(projects["pairs"], list_pairs())
    expected = {}
    for case, name in CASES.items():
        target = folder / "export" / case
        run_curator(projects[name], "export", "--format", case.split("-")[0], "--output", str(target))
        expected[case] = read_expected(projects[name], target, is_pair=case == "preference")
    load_tiny_models().make_qwen2(folder / "model")
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))


def write_project(project: Path, *files: Iterator[dict[str, Any]]) -> None:
    """Makes a project with a release of the rows."""
    (project / "rows").mkdir(parents=True)
    (project / "curator.toml").write_text(SETTINGS)
    for number, rows in enumerate(files):
        (project / "rows" / f"{number}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_curator(project, "run")


def list_chats() -> Iterator[dict[str, Any]]:
    """Conversations: one turn and three, with and without a system turn of their own."""
    for number, (category, topic, cue) in enumerate(list_subjects()):
        turns = [
            {"role": "user", "content": f"What should I know about {topic} after {number + 2} months of training?"},
            {"role": "assistant", "content": make_answer(topic, cue, number)},
        ]
        if number % 3 == 0:
            turns += [
                {"role": "user", "content": f"And what if {topic} does not work for me?"},
                {"role": "assistant", "content": f"Then leave {topic} for {number + 2} weeks and {cue} before that."},
            ]
        if number % 4 == 0:
            turns.insert(0, {"role": "system", "content": f"You are a coach who has an eye on {topic}."})
        yield {"messages": turns, "category": category}


def list_pairs() -> Iterator[dict[str, Any]]:
    """Questions with an input of their own, and the odd texts."""
    for number, (category, topic, cue) in enumerate(list_subjects()):
        odd = ODD_TEXTS[number % len(ODD_TEXTS)]
        yield {
            "instruction": f"Judge this note on {topic} by an athlete in week {number + 1}.",
            "input": f"Did {topic} on day {number + 3}; felt well.\nWould do it again." if number % 2 else "",
            "output": f"{odd} For {topic}, {cue}, {number + 4} times a month.",
            "category": category,
        }


def list_choices() -> Iterator[dict[str, Any]]:
    """Two answers to a question, the better one named."""
    for number, (category, topic, cue) in enumerate(list_subjects()):
        yield {
            "prompt": f"Which is the safer way to think of {topic} when {number + 5} years have passed?",
            "chosen": f"Begin with {topic} slowly: {cue}, and add {number + 1} per cent a week at most.",
            "rejected": f"Do as much {topic} as you can, whatever it feels like, {number + 1} times a day.",
            "category": category,
        }


def list_subjects() -> Iterator[tuple[str, str, str]]:
    """Category, topic and piece of advice of each row."""
    for number in range(8):
        for category, topics in TOPICS.items():
            yield category, topics[number], CUES[(number * 3 + len(category)) % len(CUES)]


def make_answer(topic: str, cue: str, number: int) -> str:
    """Gives an answer unlike the others."""
    return f"With {topic} it is best to {cue}. After {number + 2} months:\n\n1. look at the log\n2. {cue} again\n"


def run_curator(project: Path, *arguments: str) -> str:
    """Runs a command of curator in the project and gives what it prints."""
    command = [sys.executable, "-P", "-m", "curator", "-q", "-C", str(project), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def load_tiny_models() -> Any:
    """Gives the module that the tests make their tiny models with."""
    spec = importlib.util.spec_from_file_location("tiny_model", ROOT / "tests" / "tiny_model.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_expected(project: Path, export: Path, *, is_pair: bool) -> dict[str, list[list[str]]]:
    """Gives the answers of every row by split, in the order of the files; of a preference, both answers."""
    from curator.export.stage import find_release
    from curator.project import change_project, open_project

    with change_project(open_project(project), "compat") as (warehouse, _):
        release = find_release(warehouse, None)
        screening = json.loads(release["lock"])["stages"]["screen"]
        members = warehouse.read("release_rows", release_id=release["id"], screen_fingerprint=screening).to_dicts()
    stored = {member["id"]: member for member in members}
    splits = json.loads((export / "rows.json").read_text())
    return {
        split: [read_answers(stored[row_id], is_pair=is_pair) for row_id, _ in rows] for split, rows in splits.items()
    }


def read_answers(member: dict[str, Any], *, is_pair: bool) -> list[str]:
    """Gives the assistant's texts in a member of a release, or the chosen and the rejected one."""
    answers = [turn["content"] for turn in json.loads(member["messages"]) if turn["role"] == "assistant"]
    return [answers[-1], json.loads(member["rejected"])[-1]["content"]] if is_pair else answers
