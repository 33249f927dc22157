"""Writers, readers and the service on one project at once: nobody sees half of anything, nobody loses anything."""

import contextlib
import json
import mmap
import os
import re
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from commands import RIGHTS, Yard
from evidence import check_snapshot
from playground import Ended, in_child, run_command

ROWS_A_FILE = 250
WAIT_S = "300"
HALF_FILES = (
    "select regexp_extract(natural_key, '(more-[0-9]+)', 1) as file, count(*) from documents"
    f" where natural_key like '%more-%' group by file having count(*) <> {ROWS_A_FILE}"
)
SUMS = (
    "select (select coalesce(sum(kept), 0) from sources)::int as by_source, (select count(*) from corpus)::int as rows,"
    " (select count(*) from release_members where release_id not in (select id from releases))::int as homeless"
)


class Crowd:
    """The project and everybody who works on it.

    Args:
        yard: Where.
        base: The project after its first exports.
    """

    def __init__(self, yard: Yard, base: str = "exported") -> None:
        self.yard = yard
        yard.start_from(base)
        self.project = yard.project
        self._is_over = mmap.mmap(-1, 8)

    def run(self, seconds: float) -> dict[str, Any]:
        """Lets everybody work for so long; gives what each counted and what each found wrong."""
        files = self.yard.write_inputs(max(4, int(seconds)), ROWS_A_FILE)
        token = in_child(
            lambda: run_command(self.project, ["-q", "serve", "token", "add", "app", "--scope", "admin"])
        ).out
        service = _Service(self.project, token.strip())
        half = len(files) // 2
        roles: dict[str, Callable[[], Iterator[tuple[str, list[str]]]]] = {
            "writer": lambda: self._write(files[:half]),
            "second writer": lambda: self._intrude(files[half:]),
            "reader": self._read,
            "sql": self._query,
            "export reader": self._read_exports,
            "client": lambda: self._ask(service),
        }
        children = {name: _start(lambda role=role: self._live(role)) for name, role in roles.items()}  # type: ignore[misc]
        time.sleep(seconds)
        self._is_over[:8] = struct.pack("q", 1)
        told = {name: finish() for name, finish in children.items()}
        service.stop()
        counts = {name: found["counts"] for name, found in told.items()}
        failures = [f"{name}: {failure}" for name, found in told.items() for failure in found["failures"]]
        failures += self._look_at_end(told)
        return {"seconds": seconds, "counts": counts, "failures": failures}

    def _live(self, role: Callable[[], Iterator[tuple[str, list[str]]]]) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        failures: list[str] = []
        for what, wrong in role():
            counts[what] += 1
            failures += wrong
            if self._is_over[0]:
                break
        return {"counts": dict(counts), "failures": failures[:50]}

    def _command(self, *words: str) -> Ended:
        return in_child(lambda: run_command(self.project, ["-q", *words]))

    def _write(self, files: list[Path]) -> Iterator[tuple[str, list[str]]]:
        """Ingests, curates, balances and exports, always ready to wait."""
        for place, path in enumerate(files):
            format_name = ("messages", "sharegpt")[place % 2]
            for words in (("ingest", "dataset", str(path), *RIGHTS), ("curate",), ("balance",), ("export", "-f", "messages"),
                          ("export", "-f", format_name, "-o", str(self.project / "out" / "set"))):  # fmt: skip
                done = self._command(*words, "--wait", WAIT_S)
                yield words[0], [] if done.code == 0 else [f"{words[0]}: exit {done.code}: {done.err.strip()[-400:]}"]

    def _intrude(self, files: list[Path]) -> Iterator[tuple[str, list[str]]]:
        """Writes without waiting; where somebody else is at it, the answer is 4 with a PID, and then it waits."""
        for path in files:
            words = ("ingest", "dataset", str(path), *RIGHTS)
            done = self._command(*words)
            if done.code == 0:
                yield "wrote at once", []
                continue
            named = re.search(r"locked by PID (\d+) \(curator [a-z ]+, since", done.err)
            is_clear = done.code == 4 and named is not None and len(done.err.strip().splitlines()) == 2
            yield "refused", [] if is_clear else [f"exit {done.code}: {done.err.strip()[-400:]}"]
            done = self._command(*words, "--wait", WAIT_S)
            yield "waited", [] if done.code == 0 else [f"--wait: exit {done.code}: {done.err.strip()[-400:]}"]

    def _read(self) -> Iterator[tuple[str, list[str]]]:
        """Opens the newest snapshot as the library does and checks every invariant."""
        from warehouse import open_snapshot

        folder = self.project / ".curator" / "snapshots"
        while True:
            try:
                faults = check_snapshot(folder)
                with open_snapshot(folder) as snapshot:
                    half = snapshot.connection.execute(HALF_FILES).fetchall()
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is what is looked for
                faults, half = [repr(error)], []
            yield "snapshots", [*faults, *(f"half a batch: {row}" for row in half)]

    def _query(self) -> Iterator[tuple[str, list[str]]]:
        """Asks by the command line, which opens the snapshot in a process of its own."""
        while True:
            done = self._command("sql", SUMS, "--format", "json")
            if done.code:
                yield "queries", [f"exit {done.code}: {done.err.strip()[-300:]}"]
                continue
            (row,) = json.loads(done.out)
            is_whole = row["by_source"] == row["rows"] and row["homeless"] == 0
            yield "queries", [] if is_whole else [f"contradictory: {row}"]

    def _read_exports(self) -> Iterator[tuple[str, list[str]]]:
        """Reads export folders while they are replaced: the old one or the new one, by its own manifest."""
        folder = self.project / "out" / "set"
        while True:
            yield _read_whole(folder)
            time.sleep(0.002)

    def _ask(self, service: "_Service") -> Iterator[tuple[str, list[str]]]:
        """Posts events and asks for the figures; what is acknowledged must be in the journal at the end."""
        number = 0
        while True:
            status, answer = service.call("/api/v1/stats")
            is_whole = status == 200 and _add_up(answer)
            yield "figures", [] if is_whole else [f"/stats: {status} {str(answer)[:300]}"]
            event = {"kind": "rating", "event_id": f"event-{number:08d}", "recommendation_id": f"shown-id-{number % 60}",
                     "occurred_at": "2026-03-02T18:30:00+00:00", "user": "u1", "rating": 4}  # fmt: skip
            status, answer = service.call("/api/v1/events", event)
            number += status in (200, 202)
            if status == 429:
                time.sleep(0.2)
            yield ("acknowledged" if status in (200, 202) else "told to come again",
                   [] if status in (200, 202, 429) else [f"/events: {status} {str(answer)[:300]}"])  # fmt: skip

    def _look_at_end(self, told: dict[str, Any]) -> list[str]:
        """After all: every acknowledged event is ingested, every file whole, the export as the manifest says."""
        wanted = told["client"]["counts"].get("acknowledged", 0)
        done = self._command("ingest", "feedback", "--json")
        read = json.loads(done.out)["read"] if done.out.strip() else 0
        faults = (
            [] if read >= wanted else [f"end: {wanted} events acknowledged, {read} in the journal: {done.err[-300:]}"]
        )
        ingested = told["writer"]["counts"].get("ingest", 0)
        ingested += sum(told["second writer"]["counts"].get(name, 0) for name in ("wrote at once", "waited"))

        def count() -> int:
            from warehouse import open_snapshot

            with open_snapshot(self.project / ".curator" / "snapshots") as snapshot:
                query = "select count(*) from documents where natural_key like '%more-%'"
                return int(snapshot.connection.execute(query).fetchall()[0][0])

        rows = in_child(lambda: {"rows": count()}).value["rows"]
        if rows != ingested * ROWS_A_FILE:
            faults.append(f"end: {ingested} files acknowledged, {rows} rows of {ROWS_A_FILE} each")
        return faults


class _Service:
    """`curator serve` in a process of its own."""

    def __init__(self, project: Path, token: str) -> None:
        command = [sys.executable, "-P", "-m", "curator", "-C", str(project), "serve", "--port", "0"]
        self.token = token
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        for line in self.process.stderr or ():
            found = re.search(r"http://127\.0\.0\.1:(\d+)/login", line)
            if found:
                self.port = int(found[1])
                return
        raise SystemExit(f"the service ended with {self.process.wait()}")

    def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Gives status and answer of a request."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()


def _start(work: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Forks a child that lives on; gives a function that waits for its end and gives its result."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        code = 70
        try:
            os.write(write, json.dumps(work()).encode())
            code = 0
        except BaseException:  # noqa: BLE001 - the parent tells that the child failed
            import traceback

            traceback.print_exc()
        os._exit(code)
    os.close(write)

    def finish() -> dict[str, Any]:
        with os.fdopen(read, "rb") as pipe:
            data = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return dict(json.loads(data)) if data else {"counts": {}, "failures": [f"the driver ended with {code}"]}

    return finish


def _read_whole(folder: Path) -> tuple[str, list[str]]:
    """Reads the files of an export through one open folder, so that an exchange in between cannot mix two of them."""
    import hashlib

    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return "exports", ["there was a moment without the folder"]
    try:
        manifest = json.loads(_read_in(opened, "manifest.json"))
        files = {file["path"]: (_read_in(opened, file["path"]), file["sha256"]) for file in manifest["files"]}
    except FileNotFoundError:
        # The folder that was opened has been replaced and is being deleted: the next look finds the new one.
        return "exports replaced while read", []
    finally:
        os.close(opened)
    wrong = [name for name, (data, digest) in files.items() if hashlib.sha256(data).hexdigest() != digest]
    return "exports", [f"{name}: not the bytes of the manifest" for name in wrong]


def _read_in(folder: int, name: str) -> bytes:
    descriptor = os.open(name, os.O_RDONLY, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _add_up(stats: dict[str, Any]) -> bool:
    kept = sum(row["kept"] for row in stats["sources"])
    return bool(kept == stats["funnel"].get("kept", kept))
