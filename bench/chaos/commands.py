"""Which commands are disturbed, and the projects in which they start."""

import importlib
import importlib.util
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from playground import (
    AUTHOR,
    in_child,
    put_back,
    run_command,
    write_material,
    write_questions,
    write_settings,
    write_weeks,
)

ROOT = Path(__file__).resolve().parents[2]
RIGHTS = ["--licence", "CC0-1.0", "--permission", "own", "--basis", "made for this"]

AHEAD = (
    "duckdb", "jsonschema_rs", "numba", "polars", "scipy.optimize", "sklearn.linear_model",
    "curator.cli.app", "curator.curate", "curator.diff_report", "curator.forget", "curator.pipeline",
    "curator.rebuild_report", "curator.report", "curator.review.run", "curator.scaffold", "curator.service.tokens",
    "sources.dataset", "sources.feedback", "sources.markdown", "sources.reddit", "sources.synthetic", "sources.transcripts",
)  # fmt: skip
AHEAD_OF_TRAINING = ("bitsandbytes", "peft", "transformers.trainer", "trl.trainer.sft_trainer")
TRAINING = ("--set", "train.max_steps=4", "--set", "train.save_steps=2", "--set", "sample.prompts=[]")


@dataclass(frozen=True)
class Command:
    """A command that changes something.

    Attributes:
        name: In tables.
        base: The project in which it starts.
        arguments: As typed; `{material}` and `{id}` are filled in.
        is_dear: It takes long (a model is trained), so it is disturbed only a few times.
    """

    name: str
    base: str
    arguments: tuple[str, ...]
    is_dear: bool = False


COMMANDS = (
    Command("init", "nothing", ("init", "{project}", "--pack", "fitness")),
    Command("ingest, first ever", "empty", ("ingest", "markdown", "{material}/notes")),
    Command("ingest markdown", "fresh", ("ingest", "markdown", "{material}/notes")),
    Command("ingest dataset", "fresh", ("ingest", "dataset", "{material}/many.jsonl", *RIGHTS)),
    Command("ingest transcripts", "fresh", ("ingest", "transcripts", "{material}/talk.vtt", *RIGHTS)),
    Command("ingest reddit", "fresh", ("ingest", "reddit", "--dump", "{material}/dump")),
    Command("ingest feedback", "fresh", ("ingest", "feedback", "{material}/events.jsonl")),
    Command("ingest synthetic", "golf", ("ingest", "synthetic", "--count", "40")),
    Command("curate", "ingested", ("curate",)),
    Command("balance", "curated", ("balance",)),
    Command("export", "balanced", ("export", "--format", "messages")),
    Command("export, over another", "exported", ("export", "--format", "sharegpt", "--output", "{project}/out/set")),
    Command("forget", "exported", ("forget", "--author", AUTHOR)),
    Command("review apply", "exported", ("review", "apply", "{material}/decisions.jsonl")),
    Command("rebuild", "exported", ("releases", "rebuild", "{release}")),
    Command("run", "settings", ("run", "--format", "messages", "--format", "alpaca")),
    Command("serve token add", "exported", ("serve", "token", "add", "app", "--scope", "feedback")),
    Command("serve token revoke", "tokens", ("serve", "token", "revoke", "other")),
    Command("train", "exported", ("train", "--recipe", "tiny", "--base", "{material}/qwen2", *TRAINING), is_dear=True),
    Command("deploy", "trained", ("deploy", "--quantize", "f16"), is_dear=True),
    Command("deploy, an earlier one", "deployed", ("deploy", "--use", "{deployment}"), is_dear=True),
    Command("cycle", "cycling", ("cycle",), is_dear=True),
)  # fmt: skip

CYCLE = """pack = "fitness"
[[ingest]]
source = "markdown"
path = ["{material}/weeks"]
[cycle]
recipe = "tiny"
base = "{material}/qwen2"
settings = ["train.max_steps=4", "train.save_steps=2", "sample.prompts=[]"]
quantisation = "f16"
max_cases = 2
max_tokens = 8
perplexity_rows = 4
"""
"""The settings of a project that learns from feedback, in seconds."""

BASES: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "empty": ("", ()),
    "settings": ("", ()),
    "fresh": ("empty", (("ingest", "markdown", "{material}/chess/knowledge"),)),
    "ingested": (
        "fresh",
        (
            ("ingest", "markdown", "{material}/notes"),
            ("ingest", "dataset", "{material}/rows.jsonl", *RIGHTS),
            ("ingest", "transcripts", "{material}/talk.vtt", *RIGHTS),
            ("ingest", "reddit", "--dump", "{material}/dump"),
            ("ingest", "feedback", "{material}/events.jsonl"),
        ),
    ),
    "curated": ("ingested", (("curate",),)),
    "balanced": ("curated", (("balance",),)),
    "exported": (
        "balanced",
        (("export", "--format", "messages"), ("export", "--format", "alpaca", "--output", "{project}/out/set")),
    ),
    "tokens": ("exported", (("serve", "token", "add", "other", "--scope", "read"),)),
    "ran": (
        "settings",
        (("run", "--format", "messages"), ("export", "--format", "alpaca", "--output", "{project}/out/set")),
    ),
    "golf": ("empty", (("ingest", "markdown", "{material}/chess/knowledge"),)),
    "cycling": ("", (("ingest", "markdown", "{material}/weeks"),)),
    "trained": ("exported", (next(command.arguments for command in COMMANDS if command.name == "train"),)),
    "deployed": ("trained", (("deploy", "--quantize", "f16"), ("deploy", "--quantize", "q8_0"))),
}
"""Each project: the one that it goes on from, and the commands that make it."""


class Yard:
    """A folder with material, the bases built so far, and the one project in which everything happens.

    Every disturbed run starts from a copy at the same path, since paths are part of what is stored.

    Args:
        folder: Where; made anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.material = folder / "material"
        self.project = folder / "project"
        self.scratch = folder / "seen"
        shutil.rmtree(folder, ignore_errors=True)
        self.material.mkdir(parents=True)
        write_material(self.material)
        self._names: dict[str, str] = {}

    def start_from(self, base: str) -> None:
        """Makes the project a copy of a base, which is built where it is not yet."""
        if base == "nothing":
            shutil.rmtree(self.project, ignore_errors=True)
            return
        if not self._place(base).exists():
            self._build(base)
        put_back(self._place(base), self.project)

    def fill(self, arguments: tuple[str, ...]) -> list[str]:
        """Puts paths and ids into the words of a command; `-q` stands before them."""
        if any("{material}/qwen2" in word for word in arguments):
            self._make_model()
        values = {"material": str(self.material), "project": str(self.project), **self._names}
        words = list(arguments)
        for name, value in values.items():
            words = [word.replace(f"{{{name}}}", value) for word in words]
        return ["-q", *words]

    def _place(self, base: str) -> Path:
        return self.folder / "bases" / base

    def _build(self, base: str) -> None:
        before, steps = BASES[base]
        if before:
            self.start_from(before)
        else:
            shutil.rmtree(self.project, ignore_errors=True)
            write_settings(self.project, self.material)
            if base == "empty":
                (self.project / "curator.toml").write_text(f'pack = "{self.material / "chess"}"\n')
        if base == "golf":
            (self.project / "curator.toml").write_text('pack = "golf"\n')
        if base == "cycling":
            write_weeks(self.material / "weeks")
            self._make_model()
            (self.project / "curator.toml").write_text(CYCLE.replace("{material}", str(self.material)))
        for step in steps:
            words = self.fill(step)
            done = in_child(lambda words=words: run_command(self.project, words), limit_s=600)  # type: ignore[misc]
            if done.code:
                raise SystemExit(f"the base {base} cannot be built: {' '.join(step)}: {done.err}")
        if base == "exported":
            self._find_names()
        if base == "deployed":
            current = json.loads((self.project / "deployments" / "current.json").read_bytes())
            self._names["deployment"] = current["previous"]
        put_back(self.project, self._place(base))

    def _find_names(self) -> None:
        def look() -> list[str]:
            from warehouse import open_snapshot

            with open_snapshot(self.project / ".curator" / "snapshots") as snapshot:
                query = "select id from releases union all (select id from corpus where source = 'dataset' order by id limit 4)"
                return [row[0] for row in snapshot.connection.execute(query).fetchall()]

        release, first, *others = in_child(look).value
        self._names |= {"release": release}
        edited = [
            {"role": "user", "content": "When should I trade the rooks?"},
            {"role": "assistant", "content": "You should wait until the other side has only weak pawns left to hold."},
        ]
        decisions = [
            {"kind": kind, "subject": subject, "reviewer": "ann", "decided_at": "2026-02-01T10:00:00+00:00", **more}
            for subject, (kind, more) in zip(
                [first, *others],
                (
                    ("edit", {"messages": edited}),
                    ("reject", {"reason": "wrong"}),
                    ("relabel", {"category": "endgames"}),
                    ("accept", {}),
                ),
                strict=True,
            )
        ]
        text = "".join(json.dumps(decision) + "\n" for decision in decisions)
        (self.material / "decisions.jsonl").write_text(text)

    def _make_model(self) -> None:
        folder = self.material / "qwen2"
        if folder.exists():
            return

        def make() -> None:
            place = ROOT / "tests" / "tiny_model.py"
            spec = importlib.util.spec_from_file_location("tiny_model", place)
            if spec is None or spec.loader is None:
                raise SystemExit(f"{place} is missing")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.make_qwen2(folder)

        done = in_child(make)
        if done.code:
            raise SystemExit(f"the tiny model cannot be made: {done.err}")

    def write_inputs(self, count: int, rows: int) -> list[Path]:
        """Writes further files of question pairs."""
        paths = [self.material / f"more-{number}.jsonl" for number in range(count)]
        for number, path in enumerate(paths):
            write_questions(path, rows, seed=100 + number, words=20)
        return paths


def import_ahead(*, with_training: bool) -> None:
    """Imports what commands need, without starting a thread: children are forked and must not pay for it again."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.path.insert(0, str(ROOT))
    for name in (*AHEAD, *(AHEAD_OF_TRAINING if with_training else ())):
        importlib.import_module(name)
