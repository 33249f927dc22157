"""What every page and endpoint needs, put together once when the service starts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from curator.journal import Journal
from curator.project import Project
from curator.prompt import PromptKit, open_kit
from curator.service.arms import Arms, open_arms
from curator.service.gateway.models import Models
from curator.service.hosts import list_allowed_hosts
from curator.service.limits import RateLimit
from curator.service.log import ServiceLog, open_log
from curator.service.metrics import Metrics
from curator.service.reviewing import ReviewDesk
from curator.service.sessions import Sessions
from curator.service.snapshot_reader import SnapshotReader
from curator.service.sql_pool import SqlPool
from curator.service.tokens import TokenStore, open_tokens
from curator.statistics import read_statistics
from schemas.feedback import JOURNAL
from schemas.pack import Pack
from warehouse import Warehouse

STATISTICS = ("statistics",)
"""Under this key the figures of a snapshot are remembered; worked out before it is shown."""
FIRST_PAGE = (
    "mix",
    "source_counts",
    "pages/funnel",
    "pages/reasons",
    "pages/timeline",
    "pages/timeline_months",
    "pages/last_runs",
    "pages/release_list",
    "pages/filters",
)
"""What the overview and the page of rows ask; of a million examples that takes seconds, so it is asked before the snapshot is shown."""


@dataclass(frozen=True)
class Service:
    """The parts of a running service.

    Attributes:
        project: The folder and its settings.
        reader: Trusted statements over the newest snapshot.
        journal: Where feedback and decisions go.
        desk: Claims and decisions of reviewers.
        sql_pool: The user's SQL, in processes of its own.
        kit: Puts prompts together.
        models: What answers behind the chat.
        arms: Who is in which arm of the experiment.
        tokens: Named API tokens.
        sessions: Browsers that have logged in.
        event_limit: How many events a client may send.
        allowed_hosts: Host names that are answered.
        log: Who asked for what.
        is_tls: Whether browsers speak TLS with it, so that cookies are `Secure`.
        metrics: Figures of the running service.
    """

    project: Project
    reader: SnapshotReader
    journal: Journal
    desk: ReviewDesk
    sql_pool: SqlPool
    kit: PromptKit
    models: Models
    arms: Arms
    tokens: TokenStore
    sessions: Sessions
    event_limit: RateLimit
    allowed_hosts: frozenset[str]
    log: ServiceLog
    is_tls: bool = False
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def pack(self) -> Pack:
        """The domain."""
        return self.project.pack

    def close(self) -> None:
        """Ends the children and closes the files; what waits for the journal is written."""
        self.sql_pool.close()
        self.journal.close()
        self.reader.close()
        self.log.close()


def open_service(
    project: Project, host: str = "127.0.0.1", *, allowed_hosts: Iterable[str] = (), is_tls: bool = False
) -> Service:
    """Puts a service together; nothing listens yet.

    Args:
        project: The project that it shows.
        host: The address that it will listen on.
        allowed_hosts: Further names that it may be asked for by.
        is_tls: Whether browsers reach it by TLS.

    Raises:
        JournalError: The journal cannot be opened.
    """
    config = project.config.serve
    journal = Journal(project.root / JOURNAL)
    return Service(
        project=project,
        reader=SnapshotReader(project.snapshots, ahead=_list_ahead()),
        journal=journal,
        desk=ReviewDesk(journal, config.lease_s),
        sql_pool=SqlPool(project.snapshots),
        kit=open_kit(project),
        models=Models(project),
        arms=open_arms(project.root, project.config.experiment),
        tokens=open_tokens(project.root),
        sessions=Sessions(),
        event_limit=RateLimit(config.events_per_s, config.events_burst),
        allowed_hosts=list_allowed_hosts(host, [*config.allowed_hosts, *allowed_hosts]),
        log=open_log(project.root),
        is_tls=is_tls,
    )


def describe_corpus(snapshot: Warehouse) -> dict[str, Any]:
    """Gives the figures of a snapshot and its number."""
    return {"snapshot": snapshot.path.stem, **read_statistics(snapshot).as_dict()}


def _list_ahead() -> dict[tuple[Any, ...], Callable[[Warehouse], Any]]:
    ahead: dict[tuple[Any, ...], Callable[[Warehouse], Any]] = {(name,): _ask(name) for name in FIRST_PAGE}
    return ahead | {STATISTICS: describe_corpus}


def _ask(name: str) -> Callable[[Warehouse], Any]:
    return lambda snapshot: snapshot.read(name)
