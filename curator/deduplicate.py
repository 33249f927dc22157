"""The dedup stage: signs new texts, joins them with the stored signatures, and decides which rows go.

What was signed is never read as text again, except the partners of a candidate pair. What is done for all rows at each
run is one join of ids and hashes, and the decision over the rows that have a partner at all.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curator.dedup import strip_pairs
from curator.engine import Engine
from curator.fingerprint import fingerprint_stage
from curator.project import Project
from curator.removals import (
    Removals,
    describe_texts,
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
    parts = (config.ngram, config.mask_numbers, config.threshold, config.subject, config.masked, has_shingles)
    signed = fingerprint_stage("dedup", *parts, screen_print)
    known = warehouse.read("dedup_candidates", fingerprint=signed)
    rows = _sign_texts(warehouse, known, config, (signed, screen_print), progress, threads, engine)
    fingerprint = fingerprint_stage(
        "dedup", config, project.config.screen.max_answer_repeats, screen_print, _hash_ids(rows["id"])
    )
    if warehouse.read_value("stage_fingerprint", stage="dedup") == fingerprint:
        return Deduplicated(int(warehouse.read_value("count_removed")), has_changed=False)
    removals = _decide(project, warehouse, rows, signed)
    _write_removals(warehouse, fingerprint, removals)
    return Deduplicated(removals.verdicts.height, has_changed=True, alarms=removals.alarms)


def _sign_texts(
    warehouse: Warehouse,
    known: "pl.DataFrame",
    config: DedupConfig,
    prints: tuple[str, str],
    progress: Progress,
    threads: int | None,
    engine: Engine,
) -> "pl.DataFrame":
    """Signs the rows that have no hash yet and stores their near-duplicate pairs; gives all rows with their hashes."""
    import polars as pl

    signed, screen_print = prints
    pending = known.filter(pl.col("text_hash").is_null())["id"].sort()
    if not len(pending):
        return known

    def read_texts(ids: pl.Series) -> pl.DataFrame:
        with warehouse.lend({"wanted": pl.DataFrame({"id": ids})}):
            return warehouse.read("texts_by_id", screen_fingerprint=screen_print)

    progress("dedup", 0, len(pending))
    new = pl.concat(describe_texts(read_texts(ids), config, threads) for ids in _cut(pending))
    old = warehouse.read("signatures", fingerprint=signed)
    joined = engine.find_pairs(
        lambda: _list_texts(pl.concat([old["example_id"], new["example_id"]]), read_texts, config), config
    )
    near = find_near_pairs(new, old, read_texts, config) if joined is None else name_texts(joined, new, old)
    # One transaction: a pair is looked for only when its younger text is signed.
    with warehouse.transaction():
        warehouse.append("signature", new, {"fingerprint": signed})
        with warehouse.lend({"incoming": near}):
            warehouse.run("insert_near_pairs", fingerprint=signed)
    progress("dedup", len(pending), len(pending))
    hashes = new.rename({"example_id": "id"}).select(known.columns)
    return pl.concat([known.filter(pl.col("text_hash").is_not_null()), hashes])


def _list_texts(
    ids: "pl.Series", read_texts: "Callable[[pl.Series], pl.DataFrame]", config: DedupConfig
) -> "Iterator[pl.DataFrame]":
    for chunk in _cut(ids):
        texts = read_texts(chunk)
        yield texts.select("id").with_columns(read_subject(texts, config).alias("text"))


def _decide(project: Project, warehouse: Warehouse, rows: "pl.DataFrame", signed: str) -> Removals:
    pairs = warehouse.read("near_pairs", fingerprint=signed)
    config = project.config.dedup
    if config.boilerplate_rows is not None:
        stored = warehouse.read("signatures", fingerprint=signed)
        current = stored.join(rows.select("text_hash").unique(), on="text_hash", how="semi")
        pairs, _ = strip_pairs(current, pairs, config.boilerplate_rows, config.threshold)
    involved = list_involved(rows, pairs, project.config)
    with warehouse.lend({"wanted": involved.select("id")}):
        traits = warehouse.read("dedup_traits")

    def count_sources() -> dict[str, int]:
        with warehouse.lend({"wanted": rows.select("id")}):
            return dict(warehouse.read("count_by_source").iter_rows())

    return find_removals(involved.join(traits, on="id"), pairs, project.config, count_sources)


def _write_removals(warehouse: Warehouse, fingerprint: str, removals: Removals) -> None:
    with warehouse.transaction():
        # Under this fingerprint rows may stand from an earlier time: add only what is not there.
        if not warehouse.read_value("has_dedup_rows", fingerprint=fingerprint):
            warehouse.append("verdict", removals.verdicts, {"stage": "dedup", "fingerprint": fingerprint})
            warehouse.append("cluster", removals.clusters, {"fingerprint": fingerprint})
        warehouse.run("keep_stage", stage="dedup", fingerprint=fingerprint)


def _hash_ids(ids: "pl.Series") -> str:
    """Gives one hash of all rows: an unchanged set is not decided upon again."""
    return hashlib.blake2b("\n".join(ids.sort().to_list()).encode(), digest_size=16).hexdigest()


def _cut(ids: "pl.Series") -> "Iterator[pl.Series]":
    for start in range(0, len(ids), CHUNK_EXAMPLES):
        yield ids.slice(start, CHUNK_EXAMPLES)
