"""Erasing for good: rows out of every table, then the file written anew, because DELETE leaves the bytes in it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import WarehouseError
from warehouse.connection import STORAGE_VERSION, connect, translate_errors
from warehouse.store import COMPACT, Warehouse

if TYPE_CHECKING:
    import polars as pl

BY_EXAMPLE = {
    "screening": "example_id",
    "label": "example_id",
    "cluster": "example_id",
    "unit": "example_id",
    "extraction": "example_id",
    "signature": "example_id",
    "release_member": "example_id",
    "adapter_member": "example_id",
    "review_label": "example_id",
    "example": "id",
}
"""Tables that hold something derived from an example, and the column that names it; `example` comes last."""
BY_EDIT = [(table, column) for table in ("decision", "revision") for column in ("subject_id", "result_id")]
"""Tables that name two examples in a row: the one a person looked at, and the one that an edit made of it."""


def erase_rows(warehouse: Warehouse, documents: "pl.DataFrame", examples: "pl.DataFrame") -> None:
    """Deletes documents, examples and all that was derived from them; runs inside the caller's transaction.

    Args:
        warehouse: The open database.
        documents: `id`, `natural_key`.
        examples: `id`.
    """
    connection = warehouse.connection
    with warehouse.lend({"doomed": documents.select("id", "natural_key"), "doomed_examples": examples}):
        warehouse.run("withdraw_releases")
        warehouse.run("drop_exports")
        warehouse.run("withdraw_adapters")
        subjects = "(select id from doomed union all select id from doomed_examples)"
        connection.execute(f"delete from verdict where subject_id in {subjects} or partner in {subjects}")  # noqa: S608
        connection.execute(
            "delete from split_ledger where key_kind = 'example' and key in (select id from doomed_examples)"
        )
        connection.execute("delete from rejection where location in (select natural_key from doomed)")
        connection.execute(
            "delete from cluster where representative_id in (select id from doomed_examples)"
            " or cluster_id in (select id from doomed_examples)"
        )
        for table, column in BY_EDIT:
            connection.execute(f"delete from {table} where {column} in (select id from doomed_examples)")  # noqa: S608
        for table, column in BY_EXAMPLE.items():
            # Names are the constants above; values come from the lent frame.
            connection.execute(f"delete from {table} where {column} in (select id from doomed_examples)")  # noqa: S608
        warehouse.run("forget_documents_read")
        connection.execute("delete from document where id in (select id from doomed)")


def compact_database(path: Path) -> None:
    """Copies a closed database into a new file and swaps the two, so that deleted bytes are gone.

    Raises:
        WarehouseError: The disk refuses; the old file is still there, with the rows deleted but their bytes in it.
    """
    fresh = path.with_name(f"{path.name}{COMPACT}")
    with translate_errors(path):
        fresh.unlink(missing_ok=True)
        connection = connect(":memory:")
        try:
            old, new = (str(name).replace("'", "''") for name in (path, fresh))
            connection.execute(f"attach '{old}' as old_file")
            connection.execute(f"attach '{new}' as new_file (storage_version '{STORAGE_VERSION}')")
            connection.execute("copy from database old_file to new_file")
            connection.execute("checkpoint new_file")
            # A log that outlives its file by a kill would be taken for that of the new one.
            connection.execute("checkpoint old_file")
        finally:
            connection.close()
        descriptor = os.open(fresh, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(path)
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def find_text(warehouse: Warehouse, markers: list[str]) -> list[str]:
    """Gives `table.column` of every place in which one of the texts still stands, decoded (compression hides bytes).

    Raises:
        WarehouseError: The database refuses.
    """
    connection = warehouse.connection
    with translate_errors(warehouse.path):
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'main' and not internal"
            " and data_type like 'VARCHAR%' and table_name in (select table_name from duckdb_tables())"
        ).fetchall()
        found = []
        for table, column in columns:
            if not (table.isidentifier() and column.isidentifier()):
                raise WarehouseError(f"{table}.{column} is no name of a column")
            query = (
                f"select count(*) from {table}, unnest($markers) as wanted(marker)"  # noqa: S608 - our own identifiers
                f" where contains(cast({column} as varchar), wanted.marker)"
            )
            if connection.execute(query, {"markers": markers}).fetchall()[0][0]:
                found.append(f"{table}.{column}")
    return found
