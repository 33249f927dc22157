"""What every page and endpoint needs, put together once when the service starts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.journal import Journal
from curator.project import Project
from curator.service.hosts import list_allowed_hosts
from curator.service.sessions import Sessions
from curator.service.snapshot_reader import SnapshotReader
from curator.service.sql_pool import SqlPool
from curator.service.tokens import TokenStore
from schemas.pack import Pack

if TYPE_CHECKING:
    from collections.abc import Iterable

JOURNAL_NAME = "journal.db"
TOKENS_NAME = "tokens.json"


@dataclass(frozen=True)
class Service:
    """The parts of a running service.

    Attributes:
        project: The folder and its settings.
        reader: Trusted statements over the newest snapshot.
        journal: Where feedback and decisions go.
        sql_pool: The user's SQL, in processes of its own.
        tokens: Named API tokens.
        sessions: Browsers that have logged in.
        allowed_hosts: Host names that are answered.
        is_tls: Whether browsers speak TLS with it, so that cookies are `Secure`.
    """

    project: Project
    reader: SnapshotReader
    journal: Journal
    sql_pool: SqlPool
    tokens: TokenStore
    sessions: Sessions
    allowed_hosts: frozenset[str]
    is_tls: bool = False

    @property
    def pack(self) -> Pack:
        """The domain."""
        return self.project.pack

    def close(self) -> None:
        """Ends the children and closes the files; what waits for the journal is written."""
        self.sql_pool.close()
        self.journal.close()
        self.reader.close()


def open_service(
    project: Project, host: str = "127.0.0.1", *, allowed_hosts: "Iterable[str]" = (), is_tls: bool = False
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
    folder = project.root / ".curator"
    return Service(
        project=project,
        reader=SnapshotReader(project.snapshots),
        journal=Journal(folder / JOURNAL_NAME),
        sql_pool=SqlPool(project.snapshots),
        tokens=TokenStore(folder / TOKENS_NAME),
        sessions=Sessions(),
        allowed_hosts=list_allowed_hosts(host, allowed_hosts),
        is_tls=is_tls,
    )
