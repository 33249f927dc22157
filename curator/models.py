"""The warehouse's record of trained models: which release and rows they hold, and where they were deployed."""

from typing import TYPE_CHECKING, Any

import orjson

from schemas.errors import ConfigError
from schemas.training import TrainReport

if TYPE_CHECKING:
    from warehouse import Warehouse


def record_adapter(warehouse: "Warehouse", report: TrainReport) -> None:
    """Stores a finished training run and the examples it was trained on.

    Args:
        warehouse: The open database; the caller holds the lock.
        report: What the trainer gave. A report of the same id takes the place of the older one.
    """
    import polars as pl

    values = report.model_dump(mode="json", exclude={"example_ids"})
    members = pl.DataFrame({"example_id": report.example_ids}, schema={"example_id": pl.String})
    with warehouse.transaction():
        warehouse.run(
            "keep_adapter",
            id=report.id,
            release_id=report.release,
            recipe=report.recipe_name,
            recipe_sha256=report.recipe_sha256,
            method=report.method,
            base=report.base,
            base_revision=report.base_revision,
            coach_role=report.coach_role,
            path=report.path,
            metrics=orjson.dumps(report.metrics).decode(),
            report=orjson.dumps(values).decode(),
        )
        warehouse.run("clear_adapter_members", id=report.id)
        warehouse.append("adapter_member", members, {"adapter_id": report.id})


def record_deployment(
    warehouse: "Warehouse",
    deployment_id: str,
    adapter_id: str,
    quantisation: str,
    path: str,
    endpoint: str | None,
    parity: dict[str, Any],
) -> None:
    """Stores that a trained model was deployed.

    Args:
        warehouse: The open database; the caller holds the lock.
        deployment_id: Id of the deployment; the same one takes the place of the older.
        adapter_id: The trained model.
        quantisation: f16, q8_0, q4_k_m.
        path: The GGUF file.
        endpoint: URL that serves it, or None.
        parity: What the parity gate measured.
    """
    warehouse.run(
        "keep_deployment",
        id=deployment_id,
        adapter_id=adapter_id,
        quantisation=quantisation,
        path=path,
        endpoint=endpoint,
        parity=orjson.dumps(parity).decode(),
    )


def find_adapter(warehouse: "Warehouse", adapter_id: str | None = None) -> dict[str, Any]:
    """Gives the record of a trained model: the newest, or the one whose id or path starts or ends with `adapter_id`.

    Raises:
        ConfigError: There is none, or several are meant.
    """
    rows = warehouse.read("adapters").to_dicts()
    if not rows:
        raise ConfigError("no trained model yet", "curator train --recipe NAME makes one")
    if adapter_id is None:
        return rows[0]
    found = [row for row in rows if row["id"].startswith(adapter_id) or row["path"].endswith(adapter_id)]
    if len(found) != 1:
        known = ", ".join(row["id"][:12] for row in rows[:5])
        raise ConfigError(f"model {adapter_id!r}: {len(found)} are meant, expected one", f"known: {known}")
    return found[0]
