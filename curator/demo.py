"""The demo: the whole job on bundled material, without network, credentials or GPU."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.pipeline import PipelineReport, run_pipeline
from curator.plot import plot_mix
from curator.project import open_project
from curator.settings import CONFIG_NAME
from schemas.errors import ConfigError
from sources.packs.loader import BUNDLED_ROOT

FORMATS = ("sharegpt", "alpaca", "instruction", "messages")
MATERIAL = BUNDLED_ROOT / "fitness" / "demo"
SYNTHETIC_ROWS = 2_000
HEAD = "# Made by `curator demo`"


@dataclass(frozen=True)
class DemoReport:
    """What the demo made.

    Attributes:
        folder: The project.
        pipeline: Reports of all steps.
        picture: The mix against the target.
        seconds: How long it took.
    """

    folder: Path
    pipeline: PipelineReport
    picture: Path
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return {
            "folder": str(self.folder),
            "picture": str(self.picture),
            "seconds": round(self.seconds, 2),
            **self.pipeline.as_dict(),
        }


def run_demo(folder: Path, progress: Callable[[str, int, int], None] = lambda *_: None) -> DemoReport:
    """Makes the demo project in a folder (again, if it is there) and runs everything.

    Raises:
        ConfigError: The folder holds another project.
    """
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / CONFIG_NAME
    if not config.exists():
        config.write_text(write_config(), encoding="utf-8")
    elif not config.read_text(encoding="utf-8", errors="replace").startswith(HEAD):
        raise ConfigError(f"{config}: another project is here", "curator demo OTHER_FOLDER, or curator run in it")
    report = run_pipeline(open_project(folder), FORMATS, progress)
    picture = folder.resolve() / "mix.png"
    if report.statistics is not None:
        plot_mix(report.statistics.mix, picture)
    return DemoReport(folder, report, picture, time.monotonic() - started)


def write_config() -> str:
    """Gives the settings of the demo project: the pack's pages, its generator, and the bundled community material."""
    import json

    own = 'licence = "Apache-2.0"\npermission = "own"\nbasis = "written for the demo"\n'
    tables = [
        ("markdown", ""),
        ("dataset", ""),
        ("markdown", f"path = [{json.dumps(str(MATERIAL / 'notes'))}]\n{own}"),
        (
            "reddit",
            f"dump = {json.dumps([str(MATERIAL / n) for n in ('RS_demo.ndjson', 'RC_demo.ndjson')])}\nsubreddits = []\n{own}",
        ),
        ("transcripts", f"path = {json.dumps([str(MATERIAL / n) for n in ('talk.en.vtt', 'interview.md')])}\n{own}"),
        ("dataset", f"path = [{json.dumps(str(MATERIAL / 'questions.jsonl'))}]\n{own}"),
        ("synthetic", f"count = {SYNTHETIC_ROWS}\n"),
    ]
    head = f'{HEAD}; every setting: curator config show\npack = "fitness"\n'
    return head + "".join(f'\n[[ingest]]\nsource = "{source}"\n{options}' for source, options in tables)
