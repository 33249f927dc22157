"""Runs the whole job on real material that is not part of the repository, one project a pack.

    python bench/real.py --data FOLDER [--out real]

The folder holds kb/, qa/, transcripts/, reddit/ and instruct/ as its own SOURCES.md says. Without it the script says
so and ends with exit code 0. Prints, for each pack, a table source → documents → examples → kept → top reasons for
rejection, the release with its shortfalls, and the exports.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

import polars as pl

from curator.balance.fill import fill_with_synthetic
from curator.balance.release import freeze_release
from curator.cli.output import print_table, say
from curator.curate import curate_corpus
from curator.export import export_release
from curator.ingest import ingest_source
from curator.project import change_project, open_project
from curator.report import show_export, show_ingest, show_release_report, show_stats
from curator.scaffold import make_project
from curator.statistics import read_statistics
from schemas.config import ExportConfig
from schemas.errors import CuratorError
from warehouse import open_snapshot

FORMATS = ("sharegpt", "alpaca", "instruction", "messages")
MIT = {"licence": "MIT", "permission": "granted", "basis": "published under MIT"}
APACHE = {"licence": "Apache-2.0", "permission": "granted", "basis": "published under Apache-2.0"}
FITNESS = [
    ("markdown", {}),
    ("markdown", {"path": ["kb/handbook"], **MIT}),
    ("markdown", {"path": ["kb/health-skill"], **MIT}),
    (
        "dataset",
        {
            "path": ["kb/exercises/free-exercise-db.exercises.json"],
            "licence": "Unlicense",
            "permission": "granted",
            "basis": "public domain",
        },
    ),
    (
        "dataset",
        {"path": ["qa/MedQuAD"], "licence": "CC-BY-4.0", "permission": "granted", "basis": "published under CC BY 4.0"},
    ),
    (
        "transcripts",
        {
            "path": ["transcripts/brainscience"],
            "licence": "CC-BY-SA-4.0",
            "permission": "granted",
            "basis": "published under CC BY-SA 4.0",
        },
    ),
    (
        "transcripts",
        {
            "path": ["transcripts/google_srt", "transcripts/derived_rolling_vtt"],
            "licence": "CC-BY-3.0",
            "permission": "granted",
            "basis": "published under CC BY 3.0",
        },
    ),
    ("transcripts", {"path": ["transcripts/caption_edge_cases"], **MIT}),
    ("reddit", {"dump": ["reddit/dumps"], "subreddits": []}),
    ("reddit", {"saved": ["reddit/api"], "subreddits": []}),
    ("reddit", {"dump": ["reddit/top2013"], "subreddits": []}),
    ("dataset", {"path": ["instruct/llamafactory"], **APACHE}),
    ("dataset", {"path": ["instruct/fastchat"], **APACHE}),
    ("synthetic", {}),
]
GOLF = [
    ("markdown", {}),
    ("markdown", {"path": ["kb/golf"], **APACHE}),
    ("reddit", {"dump": ["reddit/dumps"], "subreddits": ["golf", "GolfSwing"]}),
    ("synthetic", {}),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("real"))
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        say(f"{arguments.data}: absent, so nothing real was run (make real DATA=folder)")
        return 0
    shutil.rmtree(arguments.out, ignore_errors=True)
    for pack, sources in (("fitness", FITNESS), ("golf", GOLF)):
        run_pack(pack, sources, arguments.data.resolve(), arguments.out / pack)
    return 0


def run_pack(pack: str, sources: list[tuple[str, dict]], data: Path, folder: Path) -> None:
    started = time.monotonic()
    say(f"\n== {pack}")
    project = open_project(make_project(folder, pack))
    rows = []
    with change_project(project, "real") as (warehouse, summary):
        for name, options in sources:
            rows.append(ingest(project, warehouse, name, options, data))
        curate_corpus(project, warehouse)
        lacking = fill_with_synthetic(project, warehouse)
        report = freeze_release(project, warehouse)
        exports = [
            export_release(project, warehouse, ExportConfig(format=name, policy=policy))
            for name in FORMATS
            for policy in ("private",)
        ]
        num_reused = count_reused_comments(warehouse)
        rows = [[*row[:4], *count_rows(warehouse, row[4])] for row in rows]
        summary["release"] = report.release_id
    print_table(
        f"{pack}: what came of each input",
        ["source", "input", "documents", "refused", "examples", "kept", "in domain", "top reasons for rejection"],
        rows,
    )
    say(f"comments used twice: {num_reused}")
    if lacking:
        say(f"the generator could not fill: {lacking}")
    with open_snapshot(project.snapshots) as snapshot:
        show_stats(read_statistics(snapshot))
    show_release_report(report)
    for export in exports:
        show_export(export)
    say(f"{pack}: {time.monotonic() - started:.1f} s")


def ingest(project, warehouse, name: str, options: dict, data: Path) -> list:
    placed = {k: [str(data / p) for p in v] if k in ("path", "dump", "saved") else v for k, v in options.items()}
    label = ", ".join(next((options[k] for k in ("path", "dump", "saved") if k in options), ["(pack)"]))
    before = read_ids(warehouse)
    try:
        report = ingest_source(project, warehouse, name, placed)
    except CuratorError as error:
        say(f"{name} {label}: {error.message}")
        return [name, label, 0, 0, set()]
    show_ingest(report)
    new = read_ids(warehouse) - before
    return [name, label, report.read, sum(report.rejections.values()), new]


def read_ids(warehouse) -> set[str]:
    return {row[0] for row in warehouse.connection.execute("select id from document").fetchall()}


def count_reused_comments(warehouse) -> int:
    """Counts comments that stand in more than one conversation; each may be used once."""
    query = """
        with used as (
            select unnest(document_ids) as id from current_example where extractor = 'thread' and rejected is null
        )
        select count(*) from (
            select used.id from used join document on document.id = used.id and document.kind = 'comment'
            group by used.id having count(*) > 1)
    """
    return warehouse.connection.execute(query).fetchall()[0][0]


def count_rows(warehouse, ids: set[str]) -> list:
    """Counts examples, kept rows and those in a category of the documents of one input, and why the others fell."""
    query = """
        with made as (select id from current_example where document_id in (select id from mine)),
        fallen as (
            select distinct stage, reason, subject_id from current_verdict
            where not is_kept and stage <> 'balance'
                and (subject_id in (select id from made) or subject_id in (select id from mine))
        )
        select
            (select count(*) from made),
            (select count(*) from made where id in (select id from kept_example)),
            (select count(*) from made where id in (select id from kept_example where category is not null)),
            (select string_agg(reason || ' ' || n, ', ') from (
                select reason, count(*) as n from fallen group by reason order by n desc, reason limit 4))
    """
    with warehouse.lend({"mine": pl.DataFrame({"id": sorted(ids)}, schema={"id": pl.String})}):
        return list(warehouse.connection.execute(query).fetchall()[0])


if __name__ == "__main__":
    sys.exit(main())
