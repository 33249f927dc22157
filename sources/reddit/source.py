"""The Reddit connector: picks the door that the options ask for."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel

from sources.protocol import Batch, SourceContext
from sources.reddit.options import RedditOptions


class RedditSource:
    """Reads Reddit from dumps and saved pages, or live where neither is given.

    A rejection with reason `deleted_at_source` (never a fault) carries the natural key of a post or comment that its
    author or a moderator has taken away: the shell makes a tombstone of it, whichever door found out.
    """

    name: ClassVar[str] = "reddit"
    Options: ClassVar[type[BaseModel]] = RedditOptions

    def __init__(self, options: BaseModel, context: SourceContext) -> None:
        self.options = RedditOptions.model_validate(options.model_dump())
        self.context = context

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields batches; a cursor of another door starts this one from its beginning.

        Raises:
            ConfigError: A path or setting is wrong, or the live door lacks its credentials.
            SourceInterruptedError: Reddit stopped answering; a rerun goes on after the last batch.
        """
        if self.options.dump or self.options.saved:
            from sources.reddit.offline import read_offline

            return read_offline(self.options, self.context, after)
        if self.options.recheck:
            from sources.reddit.recheck import read_recheck

            return read_recheck(self.context, self.options.request_budget, after)
        from sources.reddit.live import read_live

        return read_live(self.options, self.context, after)
