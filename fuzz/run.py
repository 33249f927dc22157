"""Coverage-guided fuzzing of everything that reads or writes text of others; see `make fuzz`.

    python fuzz/run.py [TARGET ...] --minutes 30

The minutes are divided among the targets (all, if none is named). A finding is an exception other than the one line
that a user gets to read, or an input that takes more than ten seconds; it is left in build/fuzz/findings.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "fuzz-work"
sys.path[:0] = [str(ROOT), str(ROOT / "fuzz")]

MAX_BYTES = 4096
SLOW_S = 10
PACKAGES = ["sources", "schemas", "curator.extract", "curator.export.card", "curator.settings", "train.modelfile"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        fuzz(arguments.child, int(arguments.minutes * 60))
        return
    # Fuzzing ends without a farewell, so what the targets write is removed from here.
    with tempfile.TemporaryDirectory(
        prefix="curator-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    ) as place:
        tempfile.tempdir = os.environ["TMPDIR"] = place
        failed = fuzz_all(arguments.targets, arguments.minutes)
    sys.exit(1 if failed else 0)


def fuzz_all(chosen: list[str], minutes: float) -> list[str]:
    """Fuzzes each target in a process of its own; gives those with findings."""
    from targets import TARGETS

    names = chosen or list(TARGETS)
    share = minutes / len(names)
    failed = []
    for name in names:
        start = time.perf_counter()
        command = [sys.executable, __file__, "--child", name, "--minutes", str(share)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        runs = next((line.split()[1] for line in done.stderr.splitlines() if line.startswith("Done ")), "?")
        print(
            f"{name:14} {runs:>8} inputs in {time.perf_counter() - start:4.0f} s  {'FOUND' if done.returncode else 'ok'}",
            flush=True,
        )
        if done.returncode:
            failed.append(name)
            print("\n".join([*done.stdout.splitlines()[-25:], *done.stderr.splitlines()[-4:]]), flush=True)
    return failed


def fuzz(name: str, seconds: int) -> None:
    """Fuzzes one target until the time is over or something is found."""
    import atheris

    with atheris.instrument_imports(include=PACKAGES):
        from targets import TARGETS
    target, seeds = TARGETS[name]
    corpus = WORK / name
    corpus.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(seeds):
        (corpus / f"seed{place}").write_bytes(seed.encode())
    findings = WORK / "findings"
    findings.mkdir(exist_ok=True)
    options = [f"-max_total_time={max(1, seconds)}", f"-max_len={MAX_BYTES}", f"-timeout={SLOW_S}", "-rss_limit_mb=4096",
               f"-artifact_prefix={findings}/{name}-", "-verbosity=1"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
