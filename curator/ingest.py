"""Runs a connector and stores what it yields: one batch and its cursor in one transaction."""

import hmac
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from curator.project import Project
from schemas.document import DOCUMENT_COLUMNS
from schemas.errors import ConfigError, SourceInterruptedError
from schemas.frames import check_frame, make_frame
from schemas.identity import dump_canonical, make_id
from schemas.pack import Pack
from sources.protocol import Batch, Connector, Rejection, SourceContext
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

GROUP = "curator.sources"
INPUT_KEYS = frozenset({"path", "dump", "saved", "ids", "channel", "playlist", "rules"})
"""Options that name an input: with one of them the pack's defaults (its subreddits, channels, rights) do not apply."""
DELETED = "deleted_at_source"
"""Reason of a rejection that says: this document, `where` is its natural key, no longer exists at its source."""
ROW_GROUP_ROWS = 122_880
"""Rows that DuckDB packs and writes together."""
BULK_ROWS = 20_000
"""A batch of so many rows comes from a source that has the next one at once; smaller ones are committed alone."""
REJECTION_COLUMNS = {
    "source": "text",
    "location": "text",
    "reason": "text",
    "detail": "text",
    "is_fault": "bool",
    "seen_at": "timestamp",
}


@dataclass
class IngestReport:
    """What an ingest did.

    Attributes:
        source: Name of the connector.
        read: Documents that it yielded.
        added: Documents that were not there before.
        revived: Superseded versions that are current again.
        new_rejections: Refused pieces of input that were not on record before.
        blocked: Documents that a tombstone keeps out.
        rejections: Refused input by reason.
        faults: Damaged pieces of input, the first hundred.
        num_faults: Damaged pieces of input; any gives exit code 3.
        notes: Lines of the connector for the user.
        deleted: Natural keys of stored documents that were deleted where they came from; the caller forgets them.
        stopped: Why the source ended early, or empty.
        hint: What to type then.
    """

    source: str
    read: int = 0
    added: int = 0
    revived: int = 0
    new_rejections: int = 0
    blocked: int = 0
    rejections: Counter[str] = field(default_factory=Counter)
    faults: list[Rejection] = field(default_factory=list)
    num_faults: int = 0
    notes: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    stopped: str = ""
    hint: str = ""

    @property
    def has_changed(self) -> bool:
        """Whether anything was stored that was not there before."""
        return bool(self.added or self.revived or self.new_rejections)

    @property
    def is_partial(self) -> bool:
        """Whether something is damaged or missing (exit code 3)."""
        return bool(self.num_faults or self.stopped)

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return {
            "source": self.source,
            "read": self.read,
            "added": self.added,
            "revived": self.revived,
            "new_rejections": self.new_rejections,
            "blocked": self.blocked,
            "rejections": dict(sorted(self.rejections.items())),
            "faults": [{"where": f.where, "reason": f.reason, "detail": f.detail} for f in self.faults],
            "num_faults": self.num_faults,
            "notes": self.notes,
            "deleted": len(self.deleted),
            "stopped": self.stopped,
        }


def list_sources() -> list[str]:
    """Gives the names of all connectors, built in or third-party; imports none of them."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def load_connector(name: str) -> type[Connector]:
    """Imports a connector.

    Raises:
        ConfigError: There is none of that name, or what it needs is not installed.
    """
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise ConfigError(f"source {name!r}: no such connector", f"expected one of {', '.join(list_sources())}")
    try:
        connector: type[Connector] = next(iter(found)).load()
    except ImportError as error:
        raise ConfigError(f"source {name!r}: {error}", f"pip install 'corpus-curator[{name}]'") from error
    return connector


def make_connector(project: Project, name: str, options: Mapping[str, Any], salt: bytes, **context: Any) -> Connector:
    """Builds a connector with checked options.

    Raises:
        ConfigError: An option is unknown or wrong.
    """
    kind = load_connector(name)
    given = {key: value for key, value in options.items() if value is not None}
    defaults = {} if INPUT_KEYS & set(given) else find_pack_defaults(project.pack, name)
    try:
        checked = kind.Options.model_validate({**defaults, **given})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{name}: {key}: {first['msg']}", f"curator ingest {name} --help lists the options"
        ) from error
    return kind(
        checked,
        SourceContext(
            root=project.root,
            pack=project.pack,
            salt=salt,
            seed=project.config.seed,
            now=datetime.now(UTC),
            environment=dict(os.environ),
            **context,
        ),
    )


def find_pack_defaults(pack: Pack, name: str) -> dict[str, Any]:
    """Gives the pack's default options of a source; a third-party source has none."""
    found = getattr(pack, name, {}) if name in Pack.model_fields else {}
    return dict(found) if isinstance(found, Mapping) else {}


def ingest_source(
    project: Project,
    warehouse: Warehouse,
    name: str,
    options: Mapping[str, Any],
    on_batch: Callable[[IngestReport], None] = lambda _: None,
) -> IngestReport:
    """Reads a source from where its last run stopped, and stores everything it yields.

    Args:
        project: Gives pack, seed and root.
        warehouse: The open database.
        name: Name of a connector.
        options: Its options; None values count as absent.
        on_batch: Called after each stored batch (for a progress display).

    Returns:
        The report; a source that stops half-way is reported there, not raised.

    Raises:
        ConfigError: The connector or an option is wrong; nothing was stored.
        WarehouseError: The database refuses; earlier batches are stored.
    """
    connector = make_connector(
        project,
        name,
        options,
        warehouse.read_salt(),
        stored_keys=lambda: iter(warehouse.read("natural_keys", source=name)["natural_key"].to_list()),
    )
    input_key = make_id(name, dump_canonical({k: str(v) for k, v in sorted(options.items()) if v is not None}))
    after = warehouse.read_value("ingest_cursor", source=name, input_key=input_key)
    report = IngestReport(name)
    intake = _Intake(warehouse, name, input_key, _read_tombstones(warehouse), report)
    batches = iter(connector.read(after))
    with warehouse.streaming():
        while _store_stretch(intake, batches):
            on_batch(report)
    return report


def preview_source(project: Project, name: str, options: Mapping[str, Any]) -> IngestReport:
    """Reads a source and stores nothing: what would come in, and what would be refused.

    Raises:
        ConfigError: The connector or an option is wrong.
    """
    report = IngestReport(name)
    try:
        for batch in make_connector(project, name, options, b"preview").read(None):
            report.read += batch.documents.height
            _count_batch(report, batch)
    except SourceInterruptedError as error:
        report.stopped, report.hint = error.message, error.hint
    return report


def hash_key(salt: bytes, kind: str, key: str) -> str:
    """Gives the salted hash under which a forgotten thing is remembered."""
    return hmac.new(salt, f"{kind}\n{key}".encode(), "sha256").hexdigest()


def _read_tombstones(warehouse: Warehouse) -> set[str]:
    return set(warehouse.read("tombstones")["key_hash"].to_list())


def _store_stretch(intake: "_Intake", batches: Iterator[Batch]) -> bool:
    """Stores the next batch in a transaction, large ones several together; gives whether there was one.

    What fills a row group is packed and written to its place at once; smaller transactions are written to the log
    first, read again and packed later.
    """
    num_rows = 0
    with intake.warehouse.transaction():
        try:
            for batch in batches:
                intake.store(batch)
                num_rows += batch.documents.height
                if batch.documents.height < BULK_ROWS or num_rows >= ROW_GROUP_ROWS:
                    return True
        except SourceInterruptedError as error:
            intake.report.stopped, intake.report.hint = error.message, error.hint
    return num_rows > 0


@dataclass(frozen=True)
class _Intake:
    """Where the batches of one input go."""

    warehouse: Warehouse
    name: str
    input_key: str
    tombstones: set[str]
    report: IngestReport

    def store(self, batch: Batch) -> None:
        """Stores a batch and its cursor."""
        check_frame(batch.documents, DOCUMENT_COLUMNS, f"batch of {self.name}")
        documents = batch.documents
        if self.tombstones and documents.height:
            documents = _leave_out_forgotten(self.warehouse, documents, self.tombstones)
        now = datetime.now(UTC)
        self._store_documents(documents)
        self._store_rejections(_rejection_frame(self.name, batch, now))
        cursor = {"source": self.name, "input_key": self.input_key, "cursor": batch.cursor, "now": now}
        self.warehouse.run("keep_cursor", **cursor)
        self.report.read += batch.documents.height
        self.report.blocked += batch.documents.height - documents.height
        _count_batch(self.report, batch)

    def _store_documents(self, documents: "pl.DataFrame") -> None:
        with self.warehouse.lend({"incoming": documents.select("id")}):
            known = self.warehouse.read("known_documents")["id"]
        fresh = _choose_fresh(documents, known)
        self.warehouse.append("document", fresh)
        self.report.added += fresh.height
        if len(known):
            with self.warehouse.lend({"incoming": documents}):
                self.report.revived += _touch_returning(self.warehouse)

    def _store_rejections(self, rejections: "pl.DataFrame") -> None:
        if rejections.height:
            with self.warehouse.lend({"incoming_rejections": rejections}):
                self.report.new_rejections += int(self.warehouse.read_value("count_new_rejections"))
                self.warehouse.run("insert_rejections")


def _choose_fresh(documents: "pl.DataFrame", known: "pl.Series") -> "pl.DataFrame":
    """Gives the documents whose id is not known, one row an id: the one that was fetched last."""
    if len(known):
        documents = documents.filter(~documents["id"].is_in(known.implode()))
    if documents["id"].n_unique() < documents.height:
        newest_first = documents.sort("fetched_at", descending=True, maintain_order=True)
        documents = newest_first.unique("id", keep="first", maintain_order=True)
    return documents


def _touch_returning(warehouse: Warehouse) -> int:
    """Makes stored versions that are fetched again the newest; gives how many are current that were not."""
    if not warehouse.read_value("count_returning"):
        return 0
    before = int(warehouse.read_value("count_incoming_current"))
    warehouse.run("touch_documents")
    return int(warehouse.read_value("count_incoming_current")) - before


def _count_batch(report: IngestReport, batch: Batch) -> None:
    report.notes += batch.notes
    for rejection in batch.rejections:
        report.rejections[rejection.reason] += 1
        if rejection.reason == DELETED:
            report.deleted.append(rejection.where)
        if rejection.is_fault:
            report.num_faults += 1
            if len(report.faults) < 100:
                report.faults.append(rejection)


def _rejection_frame(name: str, batch: Batch, now: datetime) -> "pl.DataFrame":
    return make_frame(
        (
            {
                "source": name,
                "location": rejection.where,
                "reason": rejection.reason,
                "detail": rejection.detail,
                "is_fault": rejection.is_fault,
                "seen_at": now,
            }
            for rejection in batch.rejections
        ),
        REJECTION_COLUMNS,
    )


def _leave_out_forgotten(warehouse: Warehouse, documents: "pl.DataFrame", tombstones: set[str]) -> "pl.DataFrame":
    import polars as pl

    salt = warehouse.read_salt()
    keep = [
        not tombstones.intersection(
            hash_key(salt, kind, str(value))
            for kind, value in (
                ("document", f"{row['source']}\n{row['natural_key']}"),
                ("author", row["author_hash"]),
                ("url", row["url"]),
                ("source", row["source"]),
            )
            if value is not None
        )
        for row in documents.select("source", "natural_key", "author_hash", "url").iter_rows(named=True)
    ]
    return documents.filter(pl.Series(keep, dtype=pl.Boolean))
