"""The projects that disasters befall: small inputs of every kind, and a project after each stage, built once."""

import contextlib
import json
import os
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATEGORIES = ("tactics", "endgames")
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
"""
WORDS = (
    "rook", "bishop", "knight", "pawn", "queen", "king", "file", "rank", "square", "diagonal", "check", "fork", "pin", "skewer", "tempo", "opposition", "trade", "plan", "attack", "defence", "corner", "centre", "flank", "passed", "weak", "strong", "early", "late", "quiet", "forcing", "simple", "careful", "patient", "exact",
)  # fmt: skip
AUTHOR = "Quentin Plover"
ROWS_A_BATCH = 2_000
"""Rows that the dataset connector yields at once."""


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        code: Exit code; negative: the signal that killed it.
        out: What it wrote to stdout.
        err: What it wrote to stderr.
        elapsed_s: Wall time.
        value: What the function in it returned, as JSON values.
    """

    code: int
    out: str
    err: str
    elapsed_s: float
    value: Any = None


def in_child(work: Callable[[], Any], kill_after_s: float | None = None, limit_s: float = 300.0) -> Ended:
    """Runs a function in a forked process, so that this one stays free of threads and can be forked again.

    Args:
        work: Its result must be JSON values; an integer is the exit code as well.
        kill_after_s: SIGKILL to the process and all it started after so long; None: not at all.
        limit_s: What hangs for so long is killed, too, and told by code -14.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as answer:
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            _be_child(work, out.fileno(), err.fileno(), answer.fileno())
        status = _wait(child, started + (limit_s if kill_after_s is None else kill_after_s))
        if status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
            code = os.waitstatus_to_exitcode(status) if kill_after_s is not None else -int(signal.SIGALRM)
        else:
            code = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err, answer):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        value = json.loads(texts[2]) if texts[2] else None
        return Ended(code, texts[0], texts[1], time.monotonic() - started, value)


def run_command(folder: Path, arguments: Sequence[str]) -> int:
    """Runs the command line in this process; for use in a child."""
    from curator.cli.app import run

    return run(["-C", str(folder), *arguments])


def write_material(folder: Path) -> None:
    """Writes one small input of each kind; the dataset fills three batches."""
    draw = random.Random(7)
    _write_pack(folder / "chess")
    (folder / "notes").mkdir()
    for category in CATEGORIES:
        sections = "".join(f"## {_ask(draw)}\n\n{_tell(draw, 40)}\n\n" for _ in range(25))
        head = f"---\ncategory: {category}\nlicence: CC0-1.0\nauthor: {AUTHOR}\n---\n"
        (folder / "notes" / f"{category}.md").write_text(f"{head}# About {category}\n\n{sections}")
    write_questions(folder / "rows.jsonl", 160, seed=3)
    write_questions(folder / "many.jsonl", 2 * ROWS_A_BATCH + 500, seed=4, words=12)
    _write_dump(folder / "dump", draw)
    cues = "".join(
        f"00:{n // 6:02d}:{n % 6 * 10:02d}.000 --> 00:{n // 6:02d}:{n % 6 * 10 + 9:02d}.000\n{_ask(draw)} {_tell(draw, 18)}\n\n"
        for n in range(40)
    )
    (folder / "talk.vtt").write_text(f"WEBVTT\n\n{cues}")
    _write_events(folder / "events.jsonl", draw)


def write_questions(path: Path, count: int, seed: int, words: int = 35) -> None:
    """Writes question pairs, some of them near-duplicates of others."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        row = {"question": _ask(draw), "answer": _tell(draw, words), "category": CATEGORIES[number % 2]}
        rows.append(row)
        if number % 20 == 19:
            rows[-1] = {**rows[-2], "answer": rows[-2]["answer"] + " Good luck."}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_settings(project: Path, material: Path) -> None:
    """Writes a `curator.toml` that names all inputs but those of the generator."""
    project.mkdir(parents=True)
    rights = 'licence = "CC0-1.0"\npermission = "own"\nbasis = "made for this"\n'
    inputs = {"markdown": material / "notes", "dataset": material / "rows.jsonl", "transcripts": material / "talk.vtt"}
    tables = [f'[[ingest]]\nsource = "{name}"\npath = ["{path}"]\n{rights}' for name, path in inputs.items()]
    (project / "curator.toml").write_text(f'pack = "{material / "chess"}"\n\n' + "\n".join(tables))


def write_weeks(folder: Path) -> None:
    """Writes pages of the fitness pack's categories, enough rows for a small release."""
    folder.mkdir(exist_ok=True)
    for category in ("technique", "programming", "nutrition", "recovery", "motivation", "special_populations"):
        sections = "".join(
            f"## What does rule {part} of {category} ask of a lifter?\n\nRule {part} of {category} asks that you write "
            f"down set {part} of the week, rest {part + 2} minutes, breathe calmly, and stop with {part % 3 + 1} clean "
            f"repetitions left, because steady work in {category} counts for more than one hard day of {part} sets.\n\n"
            for part in range(10)
        )
        head = f"---\ncategory: {category}\nlanguage: en\nlicence: CC0-1.0\n---\n# Rules of {category}\n\n"
        (folder / f"{category}.md").write_text(head + sections)


def put_back(base: Path, project: Path) -> None:
    """Makes the project folder what the base is; the folder itself stays (it may be a mounted file system)."""
    project.mkdir(parents=True, exist_ok=True)
    for path in project.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.copytree(base, project, dirs_exist_ok=True, symlinks=True)


def _be_child(work: Callable[[], Any], out: int, err: int, answer: int) -> None:
    code = 70
    try:
        os.setpgid(0, 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        value = work()
        code = value if isinstance(value, int) and not isinstance(value, bool) else 0
        os.write(answer, json.dumps(value).encode())
    except BaseException:  # noqa: BLE001 - a fault of the driver itself must be seen, and the child must not go on
        os.write(2, traceback.format_exc().encode())
    finally:
        import sys

        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _wait(child: int, deadline: float) -> int | None:
    pause = 0.001
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.02)


def _write_pack(folder: Path) -> None:
    (folder / "knowledge").mkdir(parents=True)
    (folder / "knowledge" / "fork.md").write_text("# What is a fork?\n\nOne piece attacks two others at once.\n")
    (folder / "lexicon.toml").write_text("[en.tactics]\nfork = 3.0\npin = 3.0\n[en.endgames]\nopposition = 3.0\n")
    (folder / "pack.toml").write_text(PACK)


def _write_dump(folder: Path, draw: random.Random) -> None:
    folder.mkdir()
    posts, comments = [], []
    for n in range(60):
        shared = {"subreddit": "chess", "created_utc": 1_700_000_000 + n, "retrieved_on": 1_700_100_000, "score": 20}
        posts.append(
            {**shared, "id": f"p{n}", "title": _ask(draw), "selftext": _tell(draw, 30), "author": f"asker_{n}"}
        )
        parent = {"link_id": f"t3_p{n}", "parent_id": f"t3_p{n}"}
        comments.append({**shared, **parent, "id": f"c{n}", "body": _tell(draw, 45), "author": f"helper_{n}"})
    for name, rows in (("RS_made.ndjson", posts), ("RC_made.ndjson", comments)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def _write_events(path: Path, draw: random.Random) -> None:
    rows: list[dict[str, Any]] = []
    for n in range(60):
        shared = {
            "occurred_at": f"2026-01-{n % 28 + 1:02d}T10:00:00+00:00",
            "user": f"u{n}",
            "recommendation_id": f"shown-id-{n}",
        }
        prompt = [{"role": "user", "content": _ask(draw)}]
        rows.append({**shared, "kind": "recommendation", "event_id": f"shown-event-{n}", "prompt": prompt,
                     "answer": _tell(draw, 30), "model": "m1"})  # fmt: skip
        rows.append({**shared, "kind": "rating", "event_id": f"rated-event-{n}", "rating": 1 + n % 5})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _ask(draw: random.Random) -> str:
    return f"When should the {' '.join(draw.choices(WORDS, k=9))} be played in a game?"


def _tell(draw: random.Random, words: int) -> str:
    parts = [draw.choices(WORDS, k=min(12, words - start)) for start in range(0, words, 12)]
    return " ".join(f"You should look at the {' '.join(part)} before you move." for part in parts)
