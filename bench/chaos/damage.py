"""Flips, tears and empties the files of a project, and looks whether commands notice, say so, and leave them alone."""

import random
import shutil
from pathlib import Path

from commands import Yard
from evidence import check_export, digest_database
from playground import Ended, in_child, run_command
from scoring import Score, watch_commits

FILES = {
    "database": (("curator.db",), ("curate",)),
    "snapshot": ((".curator/snapshots/*.db",), ("stats", "--json")),
    "export file": (
        ("exports/*/messages/train.jsonl", "exports/*/messages/manifest.json"),
        ("export", "--format", "messages"),
    ),
    "corpus.lock": (("releases/*/corpus.lock",), ("releases", "rebuild", "{release}")),
    "journal": ((".curator/journal.db",), ("ingest", "feedback")),
    "tokens": ((".curator/tokens.json",), ("serve", "token", "list")),
    "settings": (("curator.toml",), ("curate",)),
}
"""What is damaged, and the command that reads it."""


def damage_files(yard: Yard, draw: random.Random, times: int) -> dict[str, Score]:
    """Damages each kind of file so many times; gives a score a kind."""
    yard.start_from("exported")
    found = {}
    for what, (patterns, words) in FILES.items() if times else ():
        score = found[f"damaged {what}"] = Score()
        for _ in range(times):
            yard.start_from("exported")
            _prepare(yard.project)
            path = draw.choice([path for pattern in patterns for path in sorted(yard.project.glob(pattern))][-2:])
            way = _hurt(path, draw)
            ended = in_child(lambda words=words: run_command(yard.project, yard.fill(words)))  # type: ignore[misc]
            score.tried += 1
            score.hit += ended.code != 0
            _judge(score, f"{path.name} {way}", ended)
            if what == "export file" and (faults := check_export(path.parent)):
                score.failures += faults
    if times:
        found["torn write-ahead log"] = tear_log(yard, draw, times)
    return found


def tear_log(yard: Yard, draw: random.Random, times: int) -> Score:
    """Cuts and flips the write-ahead log of a killed ingest: a prefix of the commits is there, or it is refused."""
    score = Score()
    words = yard.fill(("ingest", "dataset", "{material}/many.jsonl"))
    yard.start_from("fresh")
    whole: list[dict[str, str]] = []

    def work(stop: int) -> int:
        import os
        import signal

        count = 0

        def stop_there(_: object) -> None:
            nonlocal count
            count += 1
            if count == stop:
                os.kill(os.getpid(), signal.SIGKILL)

        watch_commits(stop_there)
        return run_command(yard.project, words)

    for stop in (2, 3, 4, 5):
        yard.start_from("fresh")
        in_child(lambda stop=stop: work(stop))  # type: ignore[misc]
        kept = yard.folder / "torn"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(yard.project, kept)
        whole.append(in_child(lambda kept=kept: digest_database(kept / "curator.db")).value)
    yard.start_from("fresh")
    in_child(lambda: work(5))
    torn = yard.folder / "wal"
    shutil.rmtree(torn, ignore_errors=True)
    shutil.copytree(yard.project, torn)
    for number in range(times):
        shutil.rmtree(yard.project)
        shutil.copytree(torn, yard.project)
        log = yard.project / "curator.db.wal"
        data = bytearray(log.read_bytes())
        at = draw.randrange(len(data))
        way = "cut" if number % 2 == 0 else "flipped"
        log.write_bytes(
            bytes(data[:at]) if way == "cut" else bytes(data[:at]) + bytes([data[at] ^ 0x55]) + bytes(data[at + 1 :])
        )
        database = yard.project / "curator.db"
        copy = yard.folder / "seen"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        shutil.copy(database, copy)
        shutil.copy(log, copy)
        state = in_child(lambda copy=copy: digest_database(copy / "curator.db"))  # type: ignore[misc]
        ended = in_child(lambda: run_command(yard.project, words))
        score.tried += 1
        score.hit += ended.code != 0
        _judge(score, f"log {way} at {at} of {len(data)}", ended)
        if state.value is not None and state.value not in whole:
            score.failures.append(f"log {way} at {at} of {len(data)}: opened as something that was never committed")
    return score


def _prepare(project: Path) -> None:
    """Adds the files that no command of the bases makes."""
    from curator.journal import Journal

    def work() -> None:
        journal = Journal(project / ".curator" / "journal.db")
        for number in range(50):
            journal.append_event(f"event-{number}", "rating", "app", '{"kind":"rating"}').result()
        journal.close()

    in_child(work)
    in_child(lambda: run_command(project, ["-q", "serve", "token", "add", "app", "--scope", "feedback"]))


def _hurt(path: Path, draw: random.Random) -> str:
    data = bytearray(path.read_bytes())
    way = draw.choice(["flipped", "cut", "emptied", "zeroed", "scrambled"])
    at = draw.randrange(len(data))
    if way == "flipped":
        for _ in range(8):
            data[draw.randrange(len(data))] ^= 0x55
    elif way == "cut":
        del data[at:]
    elif way == "emptied":
        data.clear()
    elif way == "zeroed":
        data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    else:
        data[at:] = bytes(255 - byte for byte in data[at:])
    path.write_bytes(bytes(data))
    return f"{way} at {at} of {len(data)}"


def _judge(score: Score, what: str, ended: Ended) -> None:
    """Whatever a command makes of damage, it says it in one line and ends by itself."""
    lines = [line for line in ended.err.splitlines() if line.startswith("curator: ")]
    if ended.code < 0 or ended.code > 4:
        score.failures.append(f"{what}: died with {ended.code}: {ended.err.strip()[-400:]}")
    elif "Traceback" in ended.err or "defect of curator" in ended.err:
        score.failures.append(f"{what}: {ended.err.strip()[-400:]}")
    elif ended.code in (1, 2) and (len(lines) != 1 or "→" not in ended.err):
        score.failures.append(f"{what}: exit {ended.code}, not one clear line: {ended.err.strip()[-400:]}")
