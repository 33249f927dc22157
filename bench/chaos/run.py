"""Crashes and crowds: what survives them.

    python bench/chaos/run.py [--kills 300] [--crowd 300] [--only WORD ...] [--short] [--json FILE]

Every command that changes something is killed (by the clock, before single writes, in the middle of them), meets a full
disk, a failing disk, a read-only folder and damaged files. After each: is every acknowledged row there, is the database
in a state that a commit left, are exports whole, and does the same command end like one that never was disturbed? Then
writers, readers and the service work on one project at once, and no reader may see half of anything.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import damage
import tripwire
from commands import COMMANDS, Command, Yard, import_ahead
from crowd import Crowd
from disks import can_mount
from matrix import disturb
from scoring import Score

SHORT = {"ingest markdown"}
LIGHT = {"kills": 18, "writes": 2, "disks": 1}
DEAR = {"writes": 2, "disks": 1}
BRIEF = {"kills": 3, "writes": 1, "disks": 1}


def main() -> int:
    """Runs what is asked for and prints a table; the exit code is 1 when anything was wrong."""
    arguments = read_arguments()
    has_tripwire = tripwire.load_tripwire()
    import_ahead(with_training=any(command.is_dear for command in choose_commands(arguments)))
    place = Path(tempfile.mkdtemp(prefix="chaos-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        has_mount = can_mount(place / "mount")
        for is_there, what in ((has_tripwire, "no C compiler: no faults at single writes"),
                               (has_mount, "mounting is not allowed: no small and no read-only file systems")):  # fmt: skip
            if not is_there:
                print(f"skipped: {what}", flush=True)
        yard = Yard(place / "yard")
        table = run_matrix(arguments, yard, has_tripwire=has_tripwire, has_mount=has_mount)
        crowd = run_crowd(arguments, yard)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if arguments.json:
        told = {"matrix": {name: {fault: vars(score) for fault, score in scores.items()} for name, scores in table.items()},
                "crowd": crowd, "has_tripwire": has_tripwire, "has_mount": has_mount}  # fmt: skip
        Path(arguments.json).write_text(json.dumps(told, indent=1))
    show(table)
    return int(
        any(score.failures for scores in table.values() for score in scores.values()) or bool(crowd.get("failures"))
    )


def run_matrix(
    arguments: argparse.Namespace, yard: Yard, *, has_tripwire: bool, has_mount: bool
) -> dict[str, dict[str, Score]]:
    """Disturbs every command that is asked for, then damages files."""
    chosen = choose_commands(arguments)
    light = len([command for command in chosen if not command.is_dear])
    table: dict[str, dict[str, Score]] = {}
    for command in chosen:
        counts = BRIEF if arguments.short else {**DEAR, "kills": arguments.dear} if command.is_dear else LIGHT
        if not arguments.short and not command.is_dear and arguments.kills:
            counts = {**counts, "kills": max(3, -(-arguments.kills // light))}
        started = time.monotonic()
        table[command.name] = disturb(yard, command, counts, arguments.seed, has_tripwire=has_tripwire,
                                      has_mount=has_mount)  # fmt: skip
        tell(command.name, table[command.name], time.monotonic() - started)
    if not arguments.short and (not arguments.only or "damage" in arguments.only):
        started = time.monotonic()
        draw = random.Random(arguments.seed)
        table["damaged files"] = damage.damage_files(yard, draw, arguments.damages)
        tell("damaged files", table["damaged files"], time.monotonic() - started)
    return table


def choose_commands(arguments: argparse.Namespace) -> list[Command]:
    """Gives the commands that are asked for."""
    return [
        command for command in COMMANDS
        if (not arguments.only or any(word in command.name for word in arguments.only))
        and (not arguments.short or command.name in SHORT) and (not command.is_dear or not arguments.cheap)
    ]  # fmt: skip


def run_crowd(arguments: argparse.Namespace, yard: Yard) -> dict[str, object]:
    """Lets writers, readers and the service work at once."""
    if not arguments.crowd or (arguments.only and "crowd" not in arguments.only):
        return {}
    told = Crowd(yard, "ran" if arguments.short else "exported").run(arguments.crowd)
    print(f"crowd for {arguments.crowd:g} s: {json.dumps(told['counts'])}", flush=True)
    for failure in sorted(set(map(str, told["failures"])))[:40]:
        print(f"    ! {failure}", flush=True)
    return told


def tell(name: str, scores: dict[str, Score], elapsed_s: float) -> None:
    """Says at once how a command fared."""
    kills = sum(score.hit for fault, score in scores.items() if "SIGKILL" in fault)
    tried = sum(score.tried for score in scores.values())
    failures = [failure for score in scores.values() for failure in score.failures]
    print(f"{name}: {tried} disturbed, {kills} killed, {len(failures)} failures, {elapsed_s:.0f} s", flush=True)
    for failure in sorted(set(failures))[:12]:
        print(f"    ! {failure}", flush=True)


def show(table: dict[str, dict[str, Score]]) -> None:
    """Prints commands by faults: disturbed runs, and failures where there are any."""
    faults = list(dict.fromkeys(fault for scores in table.values() for fault in scores))
    print("\n| command | " + " | ".join(faults) + " |\n|---" * 1 + "|---" * len(faults) + "|")
    for name, scores in table.items():
        cells = []
        for fault in faults:
            score = scores.get(fault)
            bad = f" **{len(score.failures)}!**" if score and score.failures else ""
            torn = f" ({score.torn} torn)" if score and score.torn else ""
            cells.append(f"{score.hit}/{score.tried}{torn}{bad}" if score else "")
        print(f"| {name} | " + " | ".join(cells) + " |")
    hits = sum(score.hit for scores in table.values() for fault, score in scores.items() if "SIGKILL" in fault)
    total = sum(score.tried for scores in table.values() for score in scores.values())
    print(f"\n{hits} processes killed at work, {total} disturbed runs in all", flush=True)


def read_arguments() -> argparse.Namespace:
    """Reads the command line of the driver."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=360, help="in all, spread over the commands that train nothing")
    parser.add_argument("--dear", type=int, default=3, metavar="KILLS", help="of each command that trains or deploys")
    parser.add_argument("--crowd", type=float, default=300, metavar="SECONDS", help="0: no crowd")
    parser.add_argument("--damages", type=int, default=12, help="of each kind of file")
    parser.add_argument("--only", nargs="*", help="commands whose name holds one of the words; also damage, crowd")
    parser.add_argument("--cheap", action="store_true", help="without training and deploying")
    parser.add_argument("--short", action="store_true", help="one command, a few kills: for the tests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="write everything to a file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
