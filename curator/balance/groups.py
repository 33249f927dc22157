"""Authors and threads that could give more rows than their caps allow: what the programme must know of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from schemas.config import BalanceConfig

if TYPE_CHECKING:
    import polars as pl

GROUPS = ["author", "thread_group"]
"""Columns that name the author and the thread of a row where their cap can bind, and are empty elsewhere."""
MAX_CELLS = 3000
"""Cells up to which caps on authors and threads are part of the programme (some seconds); above it rows are thinned
first, those of scarce categories kept before others."""

Rooms = dict[tuple[str, str], int]
"""By column of `GROUPS` and its value: rows that may still be taken."""


def mark_groups(
    ranked: "pl.DataFrame", cell: list[str], config: BalanceConfig, targets: Mapping[str, float]
) -> "tuple[pl.DataFrame, Rooms]":
    """Adds the columns of `GROUPS`, and leaves out rows that no selection could hold.

    A row goes where its author or thread has no room at all, or where better rows of the same cell, author and thread
    use all of the room there is; rows of one such cell can stand for one another, so nothing is lost.

    Args:
        ranked: Rows, the best first: `author_hash`, `thread` (null: none), `taken` (rows of the author that other
            splits hold), and the columns of `cell`.
        cell: Columns that make two rows alike.
        config: The caps.
        targets: Shares by category; says which categories are scarce when rows must be thinned.

    Returns:
        The rows in their order, and how many rows each group may still give.
    """
    rows = _thin(_with_rooms(ranked, config), cell)
    if rows.select([*cell, *GROUPS]).n_unique() > MAX_CELLS:
        rows = _thin(_with_rooms(_keep_scarce(rows, targets), config), cell)
    return rows, _list_rooms(rows)


def _with_rooms(rows: "pl.DataFrame", config: BalanceConfig) -> "pl.DataFrame":
    import polars as pl

    return rows.with_columns(
        pl.when(pl.col("author_hash").is_not_null()).then(config.max_per_author - pl.col("taken")).alias("author_room"),
        pl.when(pl.col("thread").is_not_null()).then(pl.lit(config.max_per_thread)).alias("thread_group_room"),
    ).filter((pl.col("author_room").fill_null(1) > 0) & (pl.col("thread_group_room").fill_null(1) > 0))


def _thin(rows: "pl.DataFrame", cell: list[str]) -> "pl.DataFrame":
    """Marks groups that exceed their room, cuts their cells down to it, and again, until nothing more goes."""
    import polars as pl

    while True:
        marked = rows.with_columns(_name_group("author_hash", "author"), _name_group("thread", "thread_group"))
        room = pl.min_horizontal(*(pl.when(pl.col(g) != "").then(pl.col(f"{g}_room")) for g in GROUPS))
        place = pl.int_range(pl.len()).over([*cell, *GROUPS])
        left = marked.filter(room.is_null() | (place < room))
        if left.height == rows.height:
            return marked
        rows = left


def _name_group(column: str, group: str) -> "pl.Expr":
    import polars as pl

    is_over = pl.len().over(column) > pl.col(f"{group}_room")
    return pl.when(pl.col(column).is_not_null() & is_over).then(pl.col(column)).otherwise(pl.lit("")).alias(group)


def _keep_scarce(rows: "pl.DataFrame", targets: Mapping[str, float]) -> "pl.DataFrame":
    """Keeps of each author and thread as many rows as it may give, of the scarcest categories first."""
    import polars as pl

    counts = dict(rows.group_by("category").len().iter_rows())
    plenty = {name: counts.get(name, 0) / share for name, share in targets.items() if share}
    order = pl.col("category").replace_strict(plenty, default=0.0, return_dtype=pl.Float64)
    rows = rows.with_row_index("rank").with_columns(order.alias("plenty")).sort("plenty", "rank")
    for column, room in (("author_hash", "author_room"), ("thread", "thread_group_room")):
        place = pl.int_range(pl.len()).over(column)
        rows = rows.filter(pl.col(column).is_null() | (place < pl.col(room)))
    return rows.sort("rank").drop("rank", "plenty")


def _list_rooms(rows: "pl.DataFrame") -> Rooms:
    import polars as pl

    rooms: Rooms = {}
    for group in GROUPS:
        found = rows.filter(pl.col(group) != "").select(group, f"{group}_room").unique()
        rooms |= {(group, name): int(room) for name, room in found.iter_rows()}
    return rooms
