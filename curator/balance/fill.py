"""Fills what categories lack with generated rows: exactly as many as the mix wants and the cap allows."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from curator.balance.problem import Problem
from curator.curate import curate_corpus
from curator.ingest import ingest_source
from curator.project import Project, find_targets
from schemas.config import BalanceConfig
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

MAX_ROUNDS = 4
"""Some generated rows fall to screening or dedup, so what is lacking is asked for again."""


def fill_with_synthetic(
    project: Project, warehouse: Warehouse, progress: Callable[[str, int, int], None] = lambda *_: None
) -> dict[str, int]:
    """Generates, curates and counts again until no category lacks a row or nothing more comes.

    Returns:
        What is still lacking by category (empty: everything was filled).
    """
    lacking = count_lacking(project, warehouse)
    for _ in range(MAX_ROUNDS):
        if not lacking:
            break
        options = {"category": lacking, "more": True}
        report = ingest_source(project, warehouse, "synthetic", options, lambda r: progress("generate", r.read, 0))
        if not report.added:
            break
        curate_corpus(project, warehouse, progress)
        lacking = count_lacking(project, warehouse)
    return lacking


def count_lacking(project: Project, warehouse: Warehouse) -> dict[str, int]:
    """Gives how many generated rows each category lacks for the wanted size.

    The solver is asked what it would take if the generator's supply were endless; what is kept already is taken off.
    For `size = "max"` that is the largest release which the rows of other sources allow under the synthetic cap.
    """
    import polars as pl

    kept = warehouse.read("kept_examples").filter(
        pl.col("rejected").is_null() & pl.col("category").is_not_null() & ~pl.col("is_flagged")
    )
    rows = kept.with_columns((pl.col("source") == "synthetic").alias("is_synthetic"))
    human = rows.filter(~pl.col("is_synthetic"))
    targets = find_targets(project)
    size = project.config.balance.size
    if size == "max" and not human.height:
        return {}
    cells = _with_endless_supply(human, list(targets))
    config = project.config.balance.model_copy(update={"max_source_share": 1.0, "max_licence_share": 1.0})
    if size == "max" and config.max_synthetic_share >= 1:
        # Without a cap the generator could go on for ever: the largest human category sets the size.
        counts = dict(human.group_by("category").len().iter_rows())
        size = round(max(counts.get(name, 0) / share for name, share in targets.items()))
    takes = Problem(cells, targets, config).solve(size)
    wanted = cells.with_columns(pl.Series("take", takes)).filter("is_synthetic")
    have = dict(rows.filter("is_synthetic").group_by("category").len().iter_rows())
    return {
        name: int(take) - have.get(name, 0)
        for name, take in wanted.select("category", "take").iter_rows()
        if take > have.get(name, 0)
    }


def _with_endless_supply(human: "pl.DataFrame", categories: list[str]) -> "pl.DataFrame":
    import polars as pl

    cells = Problem.build(human, dict.fromkeys(categories, 1 / len(categories)), _no_caps()).cells
    plenty = human.height * 100 + 100_000
    endless = pl.DataFrame(
        {
            "category": categories,
            "is_synthetic": True,
            "source": "synthetic",
            "licence": "generated",
            "available": plenty,
        },
    ).cast(dict(cells.schema))  # type: ignore[arg-type]
    return pl.concat([cells, endless.select(cells.columns)]).sort(cells.columns[:4])  # fmt: skip


def _no_caps() -> BalanceConfig:
    return BalanceConfig(max_synthetic_share=1.0)
