"""Figures of the running service for Prometheus."""

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from curator.service.log import ServiceLog

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ACCEPTED = 202
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """Counters of one service; each has a registry of its own, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "curator_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "curator_request_seconds", "Seconds until the answer was sent.", ("route",), buckets=BUCKETS_S,
            registry=self.registry,
        )  # fmt: skip
        self._unrecorded = Counter(
            "curator_answers_unrecorded", "Answers that could not be written into the journal.", registry=self.registry
        )
        self._journal = Gauge("curator_journal_rows", "Rows of the journal.", ("what",), registry=self.registry)
        self._corpus = Gauge("curator_corpus_rows", "Rows of the corpus.", ("what",), registry=self.registry)
        self._snapshot = Gauge("curator_snapshot_number", "Number of the newest snapshot.", registry=self.registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_unrecorded(self) -> None:
        """Counts an answer that the journal does not hold."""
        self._unrecorded.inc()

    def render(self, journal: dict[str, int], corpus: dict[str, int], snapshot: int) -> bytes:
        """Gives the text that Prometheus reads.

        Args:
            journal: Rows of the journal by what they are.
            corpus: Rows of the corpus by what they are.
            snapshot: Number of the newest snapshot, 0 when there is none.
        """
        for gauge, figures in ((self._journal, journal), (self._corpus, corpus)):
            for name, value in figures.items():
                gauge.labels(name).set(value)
        self._snapshot.set(snapshot)
        text: bytes = generate_latest(self.registry)
        return text


class Watch:
    """Middleware that counts and logs every answer by the pattern of its route, never by its address.

    Args:
        app: What answers.
        metrics: Where answers are counted.
        log: Where they are written down, but for files of the pages and events that were taken.
    """

    def __init__(self, app: "ASGIApp", metrics: Metrics, log: ServiceLog) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers and counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route: Any = scope.get("route")
            name = str(scope.get("curator.route") or getattr(route, "path", "other"))
            method = scope["method"] if scope["method"] in METHODS else "other"
            seconds = time.perf_counter() - started
            self._metrics.observe(method, name, status, seconds)
            # Events that were taken stand in the journal, each with its client.
            if not scope["path"].startswith("/static/") and status != ACCEPTED:
                client = scope.get("state", {}).get("client")
                self._log.note_request(method, name, status, seconds, client.name if client else None)


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
