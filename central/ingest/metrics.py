# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ingest counts, for Prometheus; no label ever holds a device's data."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from central.ingest.types import BatchOutcome, Reason

LOOPBACK: Final = "127.0.0.1"
_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SIZES: Final = (1, 5, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)


class IngestMetrics:
    """The counters of one ingest, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages = Counter(
            "luuthong_ingest_messages",
            "Messages by what became of them.",
            ["result"],
            registry=self.registry,
        )
        self._rejected = Counter(
            "luuthong_ingest_quarantined",
            "Messages put into quarantine, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._quarantine = Gauge(
            "luuthong_quarantine_open_messages",
            "Messages in quarantine that nobody has resolved, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._overflow = Counter(
            "luuthong_ingest_overflow_messages",
            "Unacknowledged-class (QoS 0) messages given up because the queue was full.",
            registry=self.registry,
        )
        self._failures = Counter(
            "luuthong_ingest_commit_failures",
            "Commits that failed and were tried again.",
            registry=self.registry,
        )
        self._batch_size = Histogram(
            "luuthong_ingest_batch_messages",
            "Messages per commit.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self._commit_time = Histogram(
            "luuthong_ingest_commit_seconds",
            "Time from a complete batch to its commit.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._latency = Histogram(
            "luuthong_ingest_capture_to_commit_seconds",
            "From the capture to the commit, passages that were not late.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "luuthong_ingest_waiting_messages", "Messages in the queue.", registry=self.registry
        )
        self.is_connected = Gauge(
            "luuthong_ingest_broker_connected",
            "Whether the link to the broker is up and the subscription stands.",
            registry=self.registry,
        )

    def committed(self, outcome: BatchOutcome, *, messages: int, duration_s: float) -> None:
        """Count a committed batch."""
        self._messages.labels("stored").inc(outcome.stored)
        self._messages.labels("doubled").inc(outcome.doubled)
        self._messages.labels("heartbeat").inc(outcome.heartbeats)
        self._messages.labels("quarantined").inc(len(outcome.quarantined))
        for reason in outcome.quarantined:
            self._rejected.labels(reason.value).inc()
        self._batch_size.observe(messages)
        self._commit_time.observe(duration_s)
        for latency_s in outcome.latencies_s:
            self._latency.observe(max(latency_s, 0.0))

    def commit_failed(self) -> None:
        """Count a commit that has to be tried again."""
        self._failures.inc()

    def overflowed(self) -> None:
        """Count a message that was given up."""
        self._overflow.inc()

    def quarantine_is(self, open_messages: Mapping[str, int]) -> None:
        """Show how many messages are in quarantine, by reason."""
        for reason in Reason:
            self._quarantine.labels(reason.value).set(open_messages.get(reason.value, 0))


@contextmanager
def served(metrics: IngestMetrics, *, port: int) -> Iterator[None]:
    """Serve the counters on loopback for the length of the block; port 0 serves nothing."""
    if not port:
        yield
        return
    server, thread = start_http_server(port, addr=LOOPBACK, registry=metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
