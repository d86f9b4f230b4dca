# SPDX-License-Identifier: AGPL-3.0-or-later
"""The thread that turns messages into commits and commits into acknowledgements."""

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import psycopg
import structlog

from central.domain.times import TimeLimits
from central.ingest.accounts import StreamOvertakenError
from central.ingest.admission import with_lateness
from central.ingest.database import IngestDatabase
from central.ingest.metrics import IngestMetrics
from central.ingest.repository import IngestRepository
from central.ingest.store import store_batch
from central.ingest.types import (
    BatchOutcome,
    Delivery,
    HeartbeatMessage,
    ParsedMessage,
    Reason,
    RejectedMessage,
    StreamAck,
)

IDLE_POLL_S: Final = 0.2
"""How often a waiting writer looks whether it has to stop."""

RETRY_FIRST_S: Final = 0.2
RETRY_MAX_S: Final = 5.0
RETRY_GROWTH: Final = 2.0
QUARANTINE_GAUGE_EVERY_S: Final = 15.0
DATA_ERROR_CLASSES: Final = frozenset({"0A", "21", "22", "23", "2F", "44", "54", "P0", "XX"})
"""SQLSTATE classes that blame the data (or a bug about them), not the moment: no use in retrying.

Class 54 holds limits that a row exceeds; XX is what a broken row can provoke inside the server."""

log = structlog.get_logger()


class Acknowledger(Protocol):
    """Tells the broker and the devices what is committed."""

    def acknowledge(self, deliveries: Sequence[Delivery], acks: Sequence[StreamAck]) -> None:
        """Acknowledge deliveries to the broker, then send the commit acknowledgements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """When a batch is complete."""

    messages_max: int
    wait: timedelta


class IngestWriter:
    """Collects, stores, acknowledges; a failed commit is tried again until it works.

    Nothing is acknowledged before its commit. While the database is down the batch waits here,
    the queue fills up to what the broker may send unacknowledged, and the broker keeps the rest.
    """

    def __init__(
        self,
        *,
        messages: queue.Queue[ParsedMessage],
        database: IngestDatabase,
        acknowledger: Acknowledger,
        metrics: IngestMetrics,
        batch_limits: BatchLimits,
        time_limits: TimeLimits,
        clock: Callable[[], datetime],
        stop: threading.Event,
    ) -> None:
        self._messages = messages
        self._database = database
        self._acknowledger = acknowledger
        self._metrics = metrics
        self._batch_limits = batch_limits
        self._time_limits = time_limits
        self._clock = clock
        self._stop = stop
        self._jitter = random.Random()  # noqa: S311  # spreads retries; no secret
        self._gauge_due_at_s = 0.0

    def run(self) -> None:
        """Work until told to stop; the batch in hand is finished if the database is there."""
        try:
            while not self._stop.is_set():
                self._refresh_gauge()
                batch = self._collect()
                if batch:
                    self._process(batch)
        finally:
            self._database.close()

    def _collect(self) -> list[ParsedMessage]:
        """The next batch: complete when it is full or its first message has waited enough."""
        try:
            batch = [self._messages.get(timeout=IDLE_POLL_S)]
        except queue.Empty:
            return []
        deadline_s = time.monotonic() + self._batch_limits.wait.total_seconds()
        while len(batch) < self._batch_limits.messages_max:
            try:
                batch.append(self._messages.get_nowait())
            except queue.Empty:
                rest_s = deadline_s - time.monotonic()
                if rest_s <= 0 or self._stop.is_set():
                    break
                self._wait_for_more(batch, rest_s)
        self._metrics.waiting.set(self._messages.qsize())
        return batch

    def _wait_for_more(self, batch: list[ParsedMessage], wait_s: float) -> None:
        """Add the next message to a batch if it comes in time."""
        try:
            batch.append(self._messages.get(timeout=wait_s))
        except queue.Empty:
            return

    def _process(self, batch: Sequence[ParsedMessage]) -> None:
        """Store a batch, however long it takes, and acknowledge it."""
        delay_s = RETRY_FIRST_S
        while True:
            began_s = time.monotonic()
            try:
                outcomes = self._store(batch)
            except psycopg.Error as error:
                self._metrics.commit_failed()
                log.warning(
                    "commit_failed",
                    messages=len(batch),
                    error=type(error).__name__,
                    sqlstate=error.sqlstate,
                )
                if self._stop.wait(delay_s * self._jitter.uniform(0.5, 1.0)):
                    log.warning("batch_left_to_broker", messages=len(batch))
                    return
                delay_s = min(delay_s * RETRY_GROWTH, RETRY_MAX_S)
                continue
            duration_s = time.monotonic() - began_s
            for outcome in outcomes:
                self._metrics.committed(outcome, messages=len(batch), duration_s=duration_s)
            self._acknowledger.acknowledge(
                [message.delivery for message in batch], _newest_acks(outcomes)
            )
            return

    def _store(self, messages: Sequence[ParsedMessage]) -> list[BatchOutcome]:
        """Commit messages together; if their data are refused, find the one that is to blame.

        Every half that works is committed, so a retry of the whole finds it stored already.
        """
        try:
            try:
                return [self._store_together(messages, is_alone=False)]
            except StreamOvertakenError:
                return [self._store_together(messages, is_alone=True)]
        except psycopg.Error as error:
            if not is_data_error(error):
                raise
            if len(messages) == 1:
                return [self._store_refused(messages[0], error)]
        middle = len(messages) // 2
        return [*self._store(messages[:middle]), *self._store(messages[middle:])]

    def _store_together(self, messages: Sequence[ParsedMessage], *, is_alone: bool) -> BatchOutcome:
        """Commit messages, or nothing."""
        now, limits = self._clock(), self._time_limits
        dated = with_lateness(messages, limits=limits, now=now)
        with self._database.transaction() as connection:
            return store_batch(connection, dated, limits=limits, now=now, is_alone=is_alone)

    def _store_refused(self, message: ParsedMessage, error: psycopg.Error) -> BatchOutcome:
        """Put one message that the database refuses into quarantine."""
        if isinstance(message, RejectedMessage):
            raise error
        constraint = error.diag.constraint_name or ""
        log.error("message_refused", sqlstate=error.sqlstate, constraint=constraint)
        refused = RejectedMessage(
            delivery=message.delivery,
            reason=Reason.REFUSED_BY_DATABASE,
            detail=f"SQLSTATE {error.sqlstate} {constraint}".strip(),
            topic=message.topic,
            envelope=None if isinstance(message, HeartbeatMessage) else message.envelope,
        )
        with self._database.transaction() as connection:
            return store_batch(connection, [refused], limits=self._time_limits, now=self._clock())

    def _refresh_gauge(self) -> None:
        """Show now and then how many messages are in quarantine."""
        if time.monotonic() < self._gauge_due_at_s:
            return
        self._gauge_due_at_s = time.monotonic() + QUARANTINE_GAUGE_EVERY_S
        try:
            with self._database.transaction() as connection:
                self._metrics.quarantine_is(IngestRepository(connection).quarantine_counts())
        except psycopg.Error as error:
            log.warning("quarantine_not_counted", error=type(error).__name__)


def is_data_error(error: psycopg.Error) -> bool:
    """Whether the data are to blame, so that trying again would fail for ever."""
    return error.sqlstate is not None and error.sqlstate[:2] in DATA_ERROR_CLASSES


def _newest_acks(outcomes: Sequence[BatchOutcome]) -> list[StreamAck]:
    """The last acknowledgement of every outbox; a batch in parts has several."""
    newest = {ack.stream: ack for outcome in outcomes for ack in outcome.acks}
    return list(newest.values())
