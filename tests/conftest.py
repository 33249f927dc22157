"""One small project, built once and only read; the command line in this process."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from curator.cli.app import run

ROOT = Path(__file__).resolve().parents[1]

# Models this small are up to five times slower on two threads that wait for each other; children inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The tests are no package: what they share is loaded by its path, and importing it costs nothing heavy.
_spec = importlib.util.spec_from_file_location("tiny_model", Path(__file__).with_name("tiny_model.py"))
tiny_model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny_model)

# Texts that must never leave the warehouse, and where they are planted.
AUTHOR = "Zebulon Quickfoot"
REDDIT_AUTHOR = "zebulon_quickfoot_77"
EMAIL = "zebulon@quickfoot.example"
UNUSED_TEXT = "xylotomous unread passage"
MARKERS = (AUTHOR, REDDIT_AUTHOR, EMAIL, UNUSED_TEXT)

PACK = """
name = "chess"
title = "Chess"
languages = ["en"]
knowledge = "knowledge"
lexicon = "lexicon.toml"

[[categories]]
name = "tactics"
title = "Tactics"
target = 0.6

[[categories]]
name = "endgames"
title = "Endgames"
target = 0.4

[roles.coach]
temperature = 0.7
[roles.coach.system_prompt]
en = "You are a chess coach."

[overrides.balance]
max_per_thread = 7
"""

TOPICS = {
    "technique": ("squat", "bench press", "deadlift", "overhead press", "barbell row", "lunge", "pull-up", "hip hinge"),
    "programming": ("deload week", "training split", "rep range", "weekly volume", "progressive overload", "rest day"),
    "nutrition": (
        "protein intake",
        "creatine",
        "meal timing",
        "calorie deficit",
        "hydration",
        "fibre",
        "carbohydrates",
    ),
    "recovery": ("sleep", "soreness", "stretching", "active recovery", "a foam roller"),
    "motivation": ("a plateau", "a habit", "a goal", "consistency", "a missed session"),
    "special_populations": ("pregnancy", "older lifters", "a beginner with back pain"),
}
ANSWERS = (
    "Start with {topic} twice a week and note how it feels before you add anything else to your plan.",
    "The short version is that {topic} rewards patience: pick one change, keep it for {n} weeks, then judge it.",
    "Most people overthink {topic}. Set a floor that you can hold on bad days and let the good days take care of it.",
    "With {topic} the first {n} minutes matter most, so warm up slowly and keep two repetitions in reserve.",
)
QUESTIONS = (
    "How should I begin with {topic} after {n} years off?",
    "What is the biggest mistake people make about {topic} in month {n}?",
    "Is {topic} worth the effort when I only train {n} days?",
    "Why did my coach change {topic} in week {n} of the plan?",
)


@dataclass(frozen=True)
class Outcome:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs the command line in this process: `cli(project, "stats", "--json")`."""

    def call(folder: Path | None, *arguments: object) -> Outcome:
        capfd.readouterr()
        given = [str(argument) for argument in arguments]
        code = run([*(["-C", str(folder)] if folder else []), *given])
        found = capfd.readouterr()
        return Outcome(code, found.out, found.err)

    return call


@pytest.fixture
def curator() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in a process of its own: `curator(project, "stats", env={...})`."""

    def call(folder: Path, *arguments: object, env: dict[str, str] | None = None, **options):
        command = [sys.executable, "-P", "-m", "curator", "-C", str(folder), *map(str, arguments)]
        settings = {"capture_output": True, "text": True, "timeout": 300} | options
        return subprocess.run(command, env={**os.environ, **(env or {})}, check=False, **settings)

    return call


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small input of each kind; hard cases of privacy are planted in it."""
    folder = tmp_path_factory.mktemp("material")
    write_material(folder)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, material: Path) -> Path:
    """A project after `curator run`; for reading only (copy it with `project` to change it)."""
    folder = tmp_path_factory.mktemp("built") / "project"
    make_project(folder, material)
    assert run(["-q", "-C", str(folder), "run", "--format", "messages", "--format", "alpaca"]) == 0
    return folder


@pytest.fixture(scope="session")
def tiny_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of two categories with nothing to generate, so that everything about it is fast."""
    folder = tmp_path_factory.mktemp("tiny") / "chess"
    (folder / "knowledge").mkdir(parents=True)
    (folder / "knowledge" / "fork.md").write_text("# What is a fork?\n\nOne piece attacks two others at once.\n")
    (folder / "lexicon.toml").write_text("[en.tactics]\nfork = 3.0\npin = 3.0\n[en.endgames]\nopposition = 3.0\n")
    (folder / "pack.toml").write_text(PACK)
    return folder


@pytest.fixture(scope="session")
def tiny_qwen2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Qwen2; for reading only."""
    return tiny_model.make_qwen2(tmp_path_factory.mktemp("models") / "qwen2")


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Llama; for reading only."""
    return tiny_model.make_llama(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random GPT-2; for reading only."""
    return tiny_model.make_gpt2(tmp_path_factory.mktemp("models") / "gpt2")


@pytest.fixture
def write_export() -> Callable[..., Path]:
    """Writes an export folder: `write_export(folder, {"train": [...]}, kind="messages")`."""
    return tiny_model.write_export


@pytest.fixture
def facts() -> tuple[tuple[str, str], ...]:
    """The questions and answers that an export holds unless others are given."""
    return tiny_model.FACTS


@pytest.fixture
def markers() -> tuple[str, ...]:
    """Texts that stand in the material and must not come out of the warehouse."""
    return MARKERS


@pytest.fixture
def unhashed() -> set[str]:
    """Those of them that are author names: not even the database has them, only their hashes."""
    return {AUTHOR, REDDIT_AUTHOR}


@pytest.fixture
def project(tmp_path: Path, built: Path) -> Path:
    """A copy of the built project, free to be changed."""
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A project folder without data."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return folder


def make_project(folder: Path, material: Path, *, is_reversed: bool = False) -> None:
    """Writes the settings of a project that reads the material, but for the dump.

    Forum posts are judged by a classifier, and training it would be most of the time that the project takes.
    """
    folder.mkdir(parents=True)
    own = 'licence = "CC-BY-4.0"\npermission = "own"\nbasis = "written for this test"\n'
    tables = [
        f'source = "markdown"\npath = {json.dumps([str(material / "notes")])}\n{own}',
        f'source = "dataset"\npath = {json.dumps([str(material / "questions.jsonl")])}\n{own}',
        f'source = "transcripts"\npath = {json.dumps([str(material / "talk.vtt")])}\n{own}',
        'source = "synthetic"\ncount = 24\n',
    ]
    if is_reversed:
        tables.reverse()
    (folder / "curator.toml").write_text('pack = "fitness"\n' + "".join(f"\n[[ingest]]\n{text}" for text in tables))


def write_material(folder: Path) -> None:
    """Writes the inputs: pages, question pairs, a forum dump, captions."""
    _write_notes(folder / "notes")
    _write_questions(folder / "questions.jsonl")
    _write_dump(folder / "dump")
    cues = [
        (1, 8, "How deep should I squat? Squat as deep as you can keep your back flat and your heels down."),
        (9, 18, "How often should I deadlift? Once or twice a week is plenty when the sets are heavy."),
        (19, 28, "What about the bench press? Keep your shoulder blades together and press in a slight arc."),
    ]
    lines = [f"00:00:{a:02d}.000 --> 00:00:{b:02d}.000\n{text}\n" for a, b, text in cues]
    (folder / "talk.vtt").write_text("WEBVTT\n\n" + "\n".join(lines))


def _write_notes(folder: Path) -> None:
    folder.mkdir()
    for category, topics in TOPICS.items():
        sections = [
            f"## {QUESTIONS[n % 4].format(topic=topic, n=n + 2)}\n\n{ANSWERS[n % 4].format(topic=topic, n=n + 2)} "
            f"This is what worked for the {category.replace('_', ' ')} group when {topic} came up in the spring.\n"
            for n, topic in enumerate(topics)
        ]
        head = f"---\ntitle: {category}\ncategory: {category}\nauthor: {AUTHOR}\n---\n"
        (folder / f"{category}.md").write_text(f"{head}# All about {category}\n\n" + "\n".join(sections))
    (folder / "contact.md").write_text(
        f"---\nauthor: {AUTHOR}\n---\n# How do I reach the office by letter?\n\n"
        f"Write to {EMAIL} and say on which day you would like to be called back, then wait for an answer.\n"
        f"\n<!-- {UNUSED_TEXT} -->\n"
    )


def _write_questions(path: Path) -> None:
    rows = [
        {
            "question": QUESTIONS[(n + 1) % 4].format(topic=topic, n=n + 12),
            "answer": f"{ANSWERS[(n + 2) % 4].format(topic=topic, n=n + 12)} Answer {category} {n} was written by hand "
            f"for somebody whose main worry was {topic} and who had {n + 12} weeks to go before the next meet.",
            "category": category,
        }
        for category, topics in TOPICS.items()
        for n, topic in enumerate(topics)
    ]
    twin = dict(rows[0], answer=rows[0]["answer"] + " Good luck.")
    short = {"question": "Is it good to train?", "answer": "Yes."}
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, twin, short]))


def _write_dump(folder: Path) -> None:
    folder.mkdir()
    posts, comments = [], []
    for n, topic in enumerate(TOPICS["technique"]):
        common = {
            "subreddit": "Fitness",
            "link_flair_text": "technique",
            "created_utc": 1_700_000_000 + n,
            "retrieved_on": 1_700_100_000,
        }
        title = f"How do I fix my {topic} when it stalls at session {n}?"
        text = f"I have trained the {topic} for {n + 3} months and my numbers do not move. What should I change first?"
        posts.append({**common, "id": f"p{n}", "title": title, "selftext": text, "score": 20, "author": f"asker_{n}"})
        answer = (
            f"Film your {topic} from the side, drop the weight by ten per cent and build up again over {n + 3} weeks."
        )
        comments.append(
            {**common, "id": f"c{n}", "link_id": f"t3_p{n}", "parent_id": f"t3_p{n}", "score": 12, "body": answer,
             "author": REDDIT_AUTHOR}
        )  # fmt: skip
    for name, rows in (("RS_test.ndjson", posts), ("RC_test.ndjson", comments)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
