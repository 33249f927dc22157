"""Disturbs a command in every way and looks what is left: the crash matrix."""

import errno
import mmap
import random
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import tripwire
from commands import Command, Yard
from disks import measure_used, small_disk
from evidence import (
    check_export,
    check_snapshot,
    digest_database,
    digest_folders,
    digest_snapshot,
    digest_tables,
    find_strays,
)
from playground import Ended, in_child, run_command
from scoring import Acknowledged, Course, Score, check_message, tell_difference, watch_commits

BETWEEN = "SIGKILL before a write"
TEARING = "SIGKILL within a write"
CHAIN = 6
"""Kills in a row on one project, before the command runs undisturbed and everything is compared."""


class Disturber:
    """Runs one command again and again, each time with another fault.

    Args:
        yard: Where.
        command: Which.
        draw: Chooses the moments.
        has_tripwire: Whether faults can be put at single writes.
    """

    def __init__(self, yard: Yard, command: Command, draw: random.Random, *, has_tripwire: bool) -> None:
        self.yard = yard
        self.command = command
        self.draw = draw
        self.has_tripwire = has_tripwire
        self.acknowledged = Acknowledged()
        self._sound: set[tuple[str, int, int]] = set()
        self.yard.start_from(command.base)
        self.words = yard.fill(command.arguments)
        self.course = self._run_undisturbed()

    @property
    def project(self) -> Path:
        """The project that is disturbed."""
        return self.yard.project

    def kill(self, kills: int) -> dict[str, Score]:
        """Kills by the clock, at single writes, and in the middle of single writes; six in a row before comparing."""
        scores: dict[str, Score] = {}
        ways = ["SIGKILL at a moment"]
        if self.has_tripwire:
            ways += [BETWEEN, TEARING]
        done = 0
        while done < kills:
            self.yard.start_from(self.command.base)
            least = 0
            for place in range(min(CHAIN, kills - done)):
                way = ways[(done + done // CHAIN) % len(ways)]
                score = scores.setdefault(way, Score())
                ended = self._kill_once(way)
                done += 1
                score.tried += 1
                score.hit += ended.code == -9
                # The clock, too, strikes within a write now and then; only between two of them a block is always whole.
                if way != BETWEEN and self._is_torn():
                    score.torn += 1
                    check_message(score, self._run(), self.command.name, "torn block")
                    self.yard.start_from(self.command.base)
                    least = 0
                    continue
                least = self._look_at_dead(ended, score, least, is_first=place == 0)
            self._compare_rerun(score, f"after {way}")
        return scores

    def fill_disk(self, times: int) -> Score:
        """Runs on a file system that has no room left at some moment of it."""
        score = Score()
        need = _size(self.yard, self.command)
        for number in range(times):
            with small_disk(self.project) as resize:
                self.yard.start_from(self.command.base)
                used = measure_used(self.project)
                resize(used + int(need * (number + self.draw.random()) / times) + 4096)
                ended = self._run()
                score.tried += 1
                score.hit += ended.code != self.course.code
                if ended.code != self.course.code:
                    check_message(score, ended, self.command.name, "full disk")
                    self._look_at_dead(ended, score, 0, is_first=False)
                resize(used + 4 * need + (256 << 20))
                self._compare_rerun(score, "after a full disk")
        return score

    def fail_writes(self, times: int, number: int, what: str) -> Score:
        """Has all writes fail from some moment on, with an error number of the operating system."""
        score = Score()
        for _ in range(times):
            self.yard.start_from(self.command.base)
            nth = self.draw.randint(1, max(1, self.course.writes))
            ended = self._run(tripwire.FAIL, nth, number)
            score.tried += 1
            score.hit += ended.code != self.course.code
            if ended.code != self.course.code:
                check_message(score, ended, self.command.name, what)
                self._look_at_dead(ended, score, 0, is_first=False)
            self._compare_rerun(score, f"after {what}")
        return score

    def forbid_writing(self) -> Score:
        """Runs on a file system that is mounted for reading only: one clear line, and nothing has changed."""
        score = Score(tried=1)
        with small_disk(self.project) as resize:
            resize(1 << 30)
            self.yard.start_from(self.command.base)
            subprocess.run(["mount", "-o", "remount,ro", str(self.project)], check=True)
            ended = self._run()
            score.hit += ended.code != 0
            check_message(score, ended, self.command.name, "read-only folder")
            subprocess.run(["mount", "-o", "remount,rw", str(self.project)], check=True)
            self._compare_rerun(score, "after a read-only folder")
        return score

    def _run_undisturbed(self) -> Course:
        """Runs the command, and runs it once more: twice is once, and what was finished before a kill is done again."""
        before = digest_folders(self.project)
        states, _ = self._watch_states()
        base_strays = find_strays(self.project)
        self.yard.start_from(self.command.base)
        counted = self._run(nth=tripwire.NEVER)
        if counted.code:
            raise SystemExit(
                f"{self.command.name} fails undisturbed, with {counted.code}: {counted.err.strip()[-600:]}"
            )
        changes, writes = self._changes
        found = self._digest()
        folders = digest_folders(self.project)
        strays = [name for name in find_strays(self.project) if name not in base_strays]
        again, code = self._watch_states()
        twice = self._digest()["snapshot"]
        return Course(states, again, [found["tables"], again[-1]], [found["snapshot"], twice], before, folders, strays, changes, writes,
                      counted.elapsed_s, counted.code, {counted.code, code})  # fmt: skip

    def _watch_states(self) -> tuple[list[dict[str, str]], int]:
        """Runs the command and gives the state of the database after each commit, and the exit code."""
        path = self.project / "curator.db"

        def work() -> dict[str, Any]:
            states = [digest_database(path) if path.exists() else {}]
            watch_commits(lambda warehouse: states.append(digest_tables(warehouse.connection.cursor())))
            code = run_command(self.project, self.words)
            return {"states": states, "code": code}

        ended = in_child(work)
        if ended.value is None:
            raise SystemExit(f"{self.command.name}: the driver failed\n{ended.err}")
        return ended.value["states"], ended.value["code"]

    def _run(
        self, mode: int = 0, nth: int = tripwire.NEVER, error_number: int = 0, kill_after_s: float | None = None
    ) -> Ended:
        counter = mmap.mmap(-1, 16)
        self.acknowledged.reset()

        def work() -> int:
            watch_commits(lambda _: self.acknowledged.add())
            if self.has_tripwire:
                tripwire.arm(self.project, mode, nth, error_number)
            code = run_command(self.project, self.words)
            if self.has_tripwire:
                counter[:16] = struct.pack("qq", *tripwire.count_changes())
                tripwire.arm(Path("/nowhere"))
            return code

        ended = in_child(work, kill_after_s)
        self._changes: tuple[int, int] = struct.unpack("qq", counter[:16])
        return ended

    def _kill_once(self, way: str) -> Ended:
        if way == "SIGKILL at a moment":
            return self._run(kill_after_s=self.draw.uniform(0, self.course.elapsed_s))
        mode = tripwire.KILL if way == BETWEEN else tripwire.TEAR
        # More of the early ones: a rerun has less to do.
        return self._run(mode, 1 + int(self.course.changes * self.draw.random() ** 1.5))

    def _look_at_dead(self, ended: Ended, score: Score, least: int, *, is_first: bool) -> int:
        """Looks at what a disturbed run left; gives the place of the state, which never goes back."""
        acked = self.acknowledged.count
        where = f"{self.command.name}: exit {ended.code}"
        found = self._digest(with_snapshot=False)
        for fault in [*found["faults"], *self._check_folders()]:
            score.failures.append(f"{where}: {fault}")
        known = [*self.course.states, *self.course.again]
        places = [place for place, state in enumerate(known) if state == found["tables"]]
        if not places:
            nearest = min((tell_difference(found["tables"], state) for state in known), key=len)
            score.failures.append(
                f"{where}, {acked} acknowledged: no commit of an undisturbed run left this: {nearest}"
            )
            return least
        if is_first and not any(place >= min(acked, len(self.course.states) - 1) for place in places):
            score.failures.append(f"{where}: {acked} commits acknowledged, the state is that after {places[-1]}")
        # The cursor of an input may go back: a run that begins anew writes down that it does.
        steady = _without_cursor(found["tables"])
        places = [place for place, state in enumerate(known) if _without_cursor(state) == steady]
        if places[-1] < least:
            score.failures.append(f"{where}: the state went back from commit {least} to {places[-1]}")
        return max(least, places[0])

    def _compare_rerun(self, score: Score, when: str) -> None:
        """Runs the command undisturbed and compares everything with a run that never was disturbed."""
        where = f"{self.command.name}, rerun {when}"
        ended = self._run()
        if ended.code not in self.course.codes:
            score.failures.append(f"{where}: exit {ended.code}: {ended.err.strip()[-600:]}")
            return
        found = self._digest()
        if found["tables"] not in self.course.tables:
            score.failures.append(f"{where}: tables differ: {tell_difference(found['tables'], self.course.tables[0])}")
        if found["snapshot"] not in self.course.snapshots:
            score.failures.append(
                f"{where}: snapshot differs: {tell_difference(found['snapshot'], self.course.snapshots[0])}"
            )
        if (folders := digest_folders(self.project)) != self.course.folders:
            score.failures.append(f"{where}: folders differ: {tell_difference(folders, self.course.folders)}")
        strays = [name for name in find_strays(self.project) if name not in self.course.strays]
        for fault in [*found["faults"], *(f"left over: {name}" for name in strays)]:
            score.failures.append(f"{where}: {fault}")

    def _digest(self, *, with_snapshot: bool = True) -> dict[str, Any]:
        """Reads database and snapshot in a child; a copy of the database is opened, so that its log stays as it is."""
        snapshots = self.project / ".curator" / "snapshots"
        database = self.project / "curator.db"

        published = max(snapshots.glob("[0-9]*.db"), default=None)
        mark = (published.name, published.stat().st_size, published.stat().st_mtime_ns) if published else ("", 0, 0)
        is_known = mark in self._sound

        def work() -> dict[str, Any]:
            self.yard.scratch.mkdir(exist_ok=True)
            copy = self.yard.scratch / "curator.db"
            for end in ("", ".wal"):
                Path(f"{copy}{end}").unlink(missing_ok=True)
                if Path(f"{database}{end}").exists():
                    shutil.copy(f"{database}{end}", f"{copy}{end}")
            tables = digest_database(copy) if copy.exists() else {}
            has_snapshot = any(snapshots.glob("[0-9]*.db")) if with_snapshot else False
            return {"tables": tables, "snapshot": digest_snapshot(snapshots) if has_snapshot else {},
                    "faults": [] if is_known else check_snapshot(snapshots)}  # fmt: skip

        ended = in_child(work)
        if ended.value is None:
            return {"tables": {}, "snapshot": {}, "faults": [f"cannot be read: {ended.err.strip()[-600:]}"]}
        if not ended.value["faults"]:
            self._sound.add(mark)
        return dict(ended.value)

    def _is_torn(self) -> bool:
        """Whether a block of the database is half of one and half of another."""
        return any("computed checksum" in fault for fault in self._digest(with_snapshot=False)["faults"])

    def _check_folders(self) -> list[str]:
        """Gives what is neither as it was nor as it will be."""
        faults = []
        for name, found in digest_folders(self.project).items():
            if found not in (self.course.folders_before.get(name), self.course.folders.get(name)):
                faults.append(f"{name}: neither the old one nor the new one")
            if name.startswith(("exports", "out")):
                faults += check_export(self.project / name)
        return faults


def disturb(
    yard: Yard, command: Command, counts: dict[str, int], seed: int, *, has_tripwire: bool, has_mount: bool
) -> dict[str, Score]:
    """Disturbs one command in every way; gives a score a fault."""
    disturber = Disturber(yard, command, random.Random(f"{seed} {command.name}"), has_tripwire=has_tripwire)
    scores = disturber.kill(counts["kills"])
    if has_tripwire:
        scores["writes fail: disk full"] = disturber.fail_writes(counts["writes"], errno.ENOSPC, "no space")
        scores["writes fail: I/O error"] = disturber.fail_writes(counts["writes"] // 2, errno.EIO, "I/O error")
    if has_mount:
        scores["small file system"] = disturber.fill_disk(counts["disks"])
        scores["read-only folder"] = disturber.forbid_writing()
    return scores


def _without_cursor(state: dict[str, str]) -> dict[str, str]:
    return {table: digest for table, digest in state.items() if table != "ingest_cursor"}


def _size(yard: Yard, command: Command) -> int:
    """Gives about how many bytes a command adds at its largest moment."""
    project = yard.project
    size = sum(path.stat().st_size for path in project.rglob("*") if path.is_file())
    return (
        max(size // 2, 4 << 20)
        if command.base in ("empty", "fresh", "nothing", "settings")
        else max(size // 3, 1 << 20)
    )
