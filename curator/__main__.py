"""The entry point of the command `curator` and of `python -m curator`."""

import sys
from pathlib import Path

SIBLINGS = ("sources", "schemas", "warehouse", "train")


def main() -> None:
    """Checks that the five packages lie side by side, then runs the command line."""
    intruder = find_intruder()
    if intruder:
        sys.stderr.write(f"curator: {intruder} hides a package of curator; rename it or run from another folder\n")
        sys.exit(1)
    from curator.cli.app import run

    sys.exit(run())


def find_intruder() -> str | None:
    """Gives the file or folder that is imported in place of one of the siblings, or None.

    The package names are common words: somebody's own `train.py` in the working folder would be imported instead.
    """
    from importlib.util import find_spec

    home = Path(__file__).resolve().parent.parent
    for name in SIBLINGS:
        spec = find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or origin.parent.parent != home:
            return str(origin or name)
    return None


if __name__ == "__main__":
    main()
