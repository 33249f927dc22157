"""The dedup stage: signs new texts, joins them with the stored signatures, and decides which rows go.

What was signed is never read as text again, except the partners of a candidate pair. Where rows were only added, only
what pairs tie to them is decided again; what is done for all rows at each run is one join of ids and one look at the
signatures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curator.dedup import strip_pairs, touched_texts
from curator.engine import Engine
from curator.fingerprint import fingerprint_stage
from curator.project import Project
from curator.removals import (
    PAIR_FLOOR,
    Removals,
    count_losses,
    describe_texts,
    find_alarms,
    find_near_pairs,
    find_removals,
    list_involved,
    name_texts,
    read_subject,
)
from schemas.config import DedupConfig
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

CHUNK_EXAMPLES = 50_000

ROWS = "dedup_rows"
"""The name under which the set of rows that was decided upon, and the place of screening that comes after them, are kept
beside the fingerprints of the stages."""

TEXTS = "dedup_texts"
"""The name under which the fingerprint of the signatures in force is kept there."""

Progress = Callable[[str, int, int], None]
"""Called with stage, rows done, rows to do."""


@dataclass(frozen=True)
class Deduplicated:
    """What the stage left.

    Attributes:
        removed: Near-duplicates that are out, of all rows.
        has_changed: The decision was taken anew.
        alarms: What a person should look at.
    """

    removed: int
    has_changed: bool
    alarms: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Change:
    """New verdicts and clusters, whose old ones they replace (None: everyone's), and what that adds to the losses."""

    removals: Removals
    reopened: "pl.Series | None" = None
    regrouped: "pl.Series | None" = None
    losses: "pl.DataFrame | None" = None


def deduplicate_corpus(
    project: Project, warehouse: Warehouse, screen_print: str, progress: Progress, threads: int | None, engine: Engine
) -> Deduplicated:
    """Removes near-duplicates; the result is that of a first run over the same rows.

    Args:
        project: Settings.
        warehouse: The open database, screened.
        screen_print: Fingerprint of the texts: other redaction is other text.
        progress: Called while texts are signed.
        threads: Threads; all cores if absent. The result does not depend on it.
        engine: Where texts are joined.
    """
    config = project.config.dedup
    # With boilerplate to find, the shingles are stored as well; how much of it there is changes no signature.
    has_shingles = config.boilerplate_rows is not None
    parts = (config.ngram, config.mask_numbers, PAIR_FLOOR, config.subject, config.masked, has_shingles)
    signed = fingerprint_stage("dedup", *parts, screen_print)
    fingerprint = fingerprint_stage("dedup", config, project.config.screen.max_answer_repeats, screen_print)
    warehouse.run("hold_dedup_rows")
    is_same = warehouse.read_value("stage_fingerprint", stage="dedup") == fingerprint
    known = warehouse.read_value("stage_fingerprint", stage=ROWS) if is_same else None
    decided, _, mark = (known or ":0").rpartition(":")
    held, held_before, num_later, next_place = warehouse.read("dedup_state", mark=int(mark)).row(0)
    if decided == held:
        return Deduplicated(int(warehouse.read_value("count_removed")), has_changed=False)
    # All rows that were decided upon are there still, and the others came later: they alone can change anything.
    is_grown = decided == held_before
    pending = warehouse.read("unsigned_dedup_rows", mark=int(mark) if is_grown else 0, fingerprint=signed)["id"]
    # One transaction: that a text is signed says that it has been decided upon, and only such rows are shown.
    with warehouse.transaction():
        new = _sign_texts(warehouse, pending, config, (signed, screen_print), progress, threads, engine)
        if is_grown and len(pending) == num_later and not has_shingles:
            change = _decide_touched(project, warehouse, new, signed)
        else:
            change = _decide_all(project, warehouse, signed)
        marks = {"dedup": fingerprint, ROWS: f"{held}:{next_place}", TEXTS: signed}
        alarms = _write(project, warehouse, change, marks)
    return Deduplicated(int(warehouse.read_value("count_removed")), has_changed=True, alarms=alarms)


def _sign_texts(
    warehouse: Warehouse,
    pending: "pl.Series",
    config: DedupConfig,
    prints: tuple[str, str],
    progress: Progress,
    threads: int | None,
    engine: Engine,
) -> "pl.DataFrame":
    """Signs the texts of the given ids, stores what that found with their near-duplicate pairs, and gives the former."""
    import polars as pl

    signed, screen_print = prints
    if pending.is_empty():
        return warehouse.read("dedup_rows", fingerprint=signed).clear()

    def read_texts(ids: pl.Series) -> pl.DataFrame:
        with warehouse.lend({"wanted": pl.DataFrame({"id": ids})}):
            return warehouse.read("texts_by_id", screen_fingerprint=screen_print)

    def read_named(hashes: pl.Series) -> pl.DataFrame:
        with warehouse.lend({"wanted": hashes.to_frame("text_hash")}):
            return warehouse.read("texts_by_hash", fingerprint=signed, screen_fingerprint=screen_print)

    progress("dedup", 0, len(pending))
    old = warehouse.read("signatures", fingerprint=signed)
    new = pl.concat(describe_texts(read_texts(ids), config, threads) for ids in _cut(pending))
    # In one transaction: a pair is looked for only when its younger text is signed.
    warehouse.append("signature", new, {"fingerprint": signed})
    joined = engine.find_pairs(
        lambda: _list_texts(warehouse.read("signed_texts", fingerprint=signed)["example_id"], read_texts, config),
        config.model_copy(update={"threshold": PAIR_FLOOR}),
    )
    if joined is None:
        near = find_near_pairs(new, old, read_named, config)
    else:
        near = name_texts(joined, warehouse.read("signed_texts", fingerprint=signed))
    with warehouse.lend({"incoming": near}):
        warehouse.run("insert_near_pairs", fingerprint=signed)
    progress("dedup", len(pending), len(pending))
    return new.rename({"example_id": "id"}).select("id", "text_hash", "size", "answer_hash", "question_hash")


def _list_texts(
    ids: "pl.Series", read_texts: "Callable[[pl.Series], pl.DataFrame]", config: DedupConfig
) -> "Iterator[pl.DataFrame]":
    for chunk in _cut(ids):
        texts = read_texts(chunk)
        yield texts.select("id").with_columns(read_subject(texts, config).alias("text"))


def _decide_all(project: Project, warehouse: Warehouse, signed: str) -> _Change:
    rows = warehouse.read("dedup_rows", fingerprint=signed)
    config = project.config.dedup
    pairs = _read_pairs(warehouse, config, signed)
    if config.boilerplate_rows is not None:
        stored = warehouse.read("signatures", fingerprint=signed)
        current = stored.join(rows.select("text_hash").unique(), on="text_hash", how="semi")
        pairs, _ = strip_pairs(current, pairs, config.boilerplate_rows, config.threshold)
    involved = list_involved(rows, pairs, project.config)
    return _Change(find_removals(_add_traits(warehouse, involved), pairs, project.config))


def _decide_touched(project: Project, warehouse: Warehouse, new: "pl.DataFrame", signed: str) -> _Change:
    """Decides about the texts that pairs tie to new ones, and about the rows that give an answer one of them gives."""
    import polars as pl

    pairs = _read_pairs(warehouse, project.config.dedup, signed)

    def read_tied(rows: pl.DataFrame) -> pl.DataFrame:
        with warehouse.lend({"wanted": touched_texts(pairs, rows["text_hash"]).to_frame()}):
            return warehouse.read("dedup_rows_by_text", fingerprint=signed)

    tied = pl.concat([read_tied(new), new.filter(pl.col("text_hash") == 0)])
    with warehouse.lend({"wanted": tied.select("answer_hash").unique()}):
        max_rows = project.config.screen.max_answer_repeats
        crowd = warehouse.read("dedup_rows_by_answer", max_rows=max_rows, fingerprint=signed)
    # The cap on an answer counts the rows that are left, so what ties the crowd to others has to be known as well.
    rows = pl.concat([tied, crowd, read_tied(crowd)] if crowd.height else [tied]).unique("id")
    known = _add_traits(warehouse, rows)
    found = find_removals(list_involved(known, pairs, project.config), pairs, project.config)
    reopened = known.filter(pl.col("id").is_in(pl.concat([tied["id"], crowd["id"]]).implode()))
    removals = Removals(
        found.verdicts.filter(pl.col("subject_id").is_in(reopened["id"].implode())),
        found.clusters.filter(pl.col("example_id").is_in(tied["id"].implode())),
    )
    with warehouse.lend({"wanted": reopened.select("id")}):
        gone = warehouse.read("dedup_copies")["id"]
    losses = count_losses(reopened, new["id"], gone, removals.verdicts)
    return _Change(removals, reopened["id"], tied["id"], losses)


def _read_pairs(warehouse: Warehouse, config: DedupConfig, signed: str) -> "pl.DataFrame":
    import numpy as np
    import polars as pl

    # They are measured in single precision.
    least = float(np.float32(config.threshold))
    return warehouse.read("near_pairs", fingerprint=signed).filter(pl.col("similarity") >= least)


def _add_traits(warehouse: Warehouse, rows: "pl.DataFrame") -> "pl.DataFrame":
    with warehouse.lend({"wanted": rows.select("id")}):
        return rows.join(warehouse.read("dedup_traits"), on="id")


def _write(project: Project, warehouse: Warehouse, change: _Change, marks: dict[str, str]) -> list[str]:
    """Puts the new verdicts and clusters in the place of the old ones; gives the alarms."""
    fingerprint = marks["dedup"]
    if change.reopened is None or change.regrouped is None:
        warehouse.run("clear_dedup_verdicts")
        warehouse.run("clear_clusters")
    else:
        for statement, ids in (("drop_dedup_verdicts", change.reopened), ("drop_clusters", change.regrouped)):
            with warehouse.lend({"reopened": ids.to_frame("id")}):
                warehouse.run(statement)
    warehouse.append("verdict", change.removals.verdicts, {"stage": "dedup", "fingerprint": fingerprint})
    warehouse.append("cluster", change.removals.clusters, {"fingerprint": fingerprint})
    for stage, mark in marks.items():
        warehouse.run("keep_stage", stage=stage, fingerprint=mark)
    losses = _keep_losses(warehouse, change.losses, fingerprint)
    return find_alarms(losses, project.config.dedup.max_source_loss)


def _keep_losses(warehouse: Warehouse, added: "pl.DataFrame | None", fingerprint: str) -> "pl.DataFrame":
    """Gives what each source loses: counted anew, or what was counted before and what was added to it."""
    import polars as pl

    if added is None:
        losses = warehouse.read("dedup_losses", fingerprint=fingerprint)
    else:
        losses = pl.concat([warehouse.read("dedup_sources"), added]).group_by("source").sum().sort("source")
    warehouse.run("clear_dedup_sources")
    warehouse.append("dedup_source", losses)
    return losses


def _cut(ids: "pl.Series") -> "Iterator[pl.Series]":
    for start in range(0, len(ids), CHUNK_EXAMPLES):
        yield ids.slice(start, CHUNK_EXAMPLES)
