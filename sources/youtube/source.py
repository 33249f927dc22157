"""The connector `youtube`: videos to transcript documents, some videos a batch, politely."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from schemas.errors import ConfigError, SourceInterruptedError
from schemas.identity import hash_author
from sources.protocol import Batch, Rejection, SourceContext
from sources.transcripts.cues import Reading
from sources.transcripts.document import build_transcript
from sources.youtube.details import VideoDetails
from sources.youtube.failures import Failure
from sources.youtube.fetching import CaptionClient
from sources.youtube.ids import ID_HINT, Video, expand_ids
from sources.youtube.listing import list_videos
from sources.youtube.options import YoutubeOptions
from sources.youtube.proxies import build_proxies, find_proxy

if TYPE_CHECKING:
    import requests

BATCH_VIDEOS = 10
MAX_NETWORK_FAILURES = 3
"""So many videos in a row without reaching YouTube mean that there is no network."""

WATCH_URL = "https://www.youtube.com/watch?v={id}"
BLOCKED_HINT = (
    "what was fetched is kept; run the same command again in some hours, raise pause_s, or give a proxy "
    "(proxy, webshare): addresses of cloud machines are blocked most of the time"
)


class YoutubeSource:
    """Reads captions of YouTube videos; see `Connector`.

    Args:
        options: `YoutubeOptions`.
        context: What it may know of the project.
        session: HTTP session of the client, for a certificate store or adapter of one's own.
    """

    name: ClassVar[str] = "youtube"
    Options: ClassVar[type[BaseModel]] = YoutubeOptions

    def __init__(self, options: BaseModel, context: SourceContext, session: "requests.Session | None" = None) -> None:
        if not isinstance(options, YoutubeOptions):
            raise ConfigError("ingest youtube: options of another source", "use YoutubeSource.Options")
        self._options = options
        self._context = context
        self._session = session
        self._num_network_failures = 0

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields up to ten videos a batch, in the order in which they were named; stored ones are not fetched again.

        Args:
            after: Id of the last video that was dealt with.

        Raises:
            ConfigError: Nothing to read, something that is no video, or yt-dlp or credentials are missing.
            SourceInterruptedError: YouTube blocks this machine, or is not reached.
        """
        try:
            client = CaptionClient(build_proxies(self._options, self._context.environment), self._session)
        except ImportError as error:
            raise ConfigError(
                "ingest youtube needs youtube-transcript-api", "pip install 'corpus-curator[youtube]'"
            ) from error
        videos, rejections = self._find_videos()
        ids = [video.id for video in videos]
        if after in ids:
            videos, rejections = videos[ids.index(after) + 1 :], []
        stored = set() if self._options.refresh else set(self._context.stored_keys())
        self._num_network_failures = 0
        return self._iterate_batches(client, [v for v in videos if v.id not in stored], rejections, after)

    def _find_videos(self) -> tuple[list[Video], list[Rejection]]:
        options = self._options
        if not (options.ids or options.channel or options.playlist):
            raise ConfigError("ingest youtube: nothing to read", ID_HINT)
        videos, rejections = expand_ids(options.ids, self._context.root)
        proxy = find_proxy(options, self._context.environment)
        for name in (*options.channel, *options.playlist):
            videos.extend(list_videos(name, options.limit, proxy))
        unique: dict[str, Video] = {}
        for video in videos:
            unique.setdefault(video.id, video)
        return list(unique.values()), rejections

    def _iterate_batches(
        self, client: CaptionClient, videos: list[Video], rejections: list[Rejection], done: str | None
    ) -> Iterator[Batch]:
        rows: list[dict[str, object]] = []
        for number, video in enumerate(videos):
            if number:
                time.sleep(self._options.pause_s)
            outcome = client.fetch(video.id, self._languages, generated=self._options.generated)
            if isinstance(outcome, Failure):
                rejections.append(self._reject(video, outcome))
                if self._must_stop(outcome):
                    yield Batch.of(rows, tuple(rejections), done)
                    raise SourceInterruptedError(f"youtube: {video.id}: {outcome.detail}", BLOCKED_HINT)
            else:
                self._num_network_failures = 0
                rows.append(self._build_row(video, *outcome))
            if not self._num_network_failures:
                done = video.id
            if (number + 1) % BATCH_VIDEOS == 0 and number + 1 < len(videos):
                yield Batch.of(rows, tuple(rejections), done)
                rows, rejections = [], []
        yield Batch.of(rows, tuple(rejections))

    @property
    def _languages(self) -> list[str]:
        return self._options.languages or self._context.pack.languages

    def _must_stop(self, failure: Failure) -> bool:
        self._num_network_failures = self._num_network_failures + 1 if failure.is_network else 0
        return failure.meaning == "blocked" or self._num_network_failures >= MAX_NETWORK_FAILURES

    def _reject(self, video: Video, failure: Failure) -> Rejection:
        # A channel has videos without captions; one that the user named himself is missed.
        is_fault = not (failure.meaning == "absent" and video.is_listed)
        return Rejection(WATCH_URL.format(id=video.id), failure.meaning, failure.detail, is_fault)

    def _build_row(self, video: Video, reading: Reading, details: VideoDetails) -> dict[str, object]:
        options, salt = self._options, self._context.salt
        row = build_transcript(
            replace(reading, title=details.title or video.title),
            source=self.name,
            natural_key=video.id,
            salt=salt,
            fetched_at=self._context.now,
            tags={
                "url": WATCH_URL.format(id=video.id),
                "licence": options.licence,
                "basis": options.basis,
                "permission": options.permission,
                "attribution": options.attribution,
            },
        )
        return row | ({"author_hash": hash_author(details.channel, salt)} if details.channel else {})
