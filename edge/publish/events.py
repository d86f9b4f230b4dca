# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sends the outbox to the centre and forgets only what the centre has committed.

A broker's receipt proves nothing, so events stay in flight until a commit acknowledgement names
them. After a lost connection, or when none comes in time, everything unacknowledged is sent again
from the lowest number: the centre knows events by their id. When a backlog waits, what is captured
meanwhile goes before it.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Final, Protocol
from uuid import UUID

import structlog
from pydantic import ValidationError

from central.contracts.commit_ack import CommitAckV1
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.streams import EVENT_CONTRACTS
from central.contracts.topics import Stream, Topic
from edge.errors import OutboxBehindError, OutboxError, PublishError
from edge.publish.backoff import Backoff
from edge.publish.in_flight import InFlight
from edge.publish.link import BrokerAccess, Link
from edge.publish.ports import EventStore, WaitingEvent

IDLE_WAIT_S: Final = 1.0
RECONNECT: Final = Backoff(first_s=0.5, longest_s=60.0)
STORE_TROUBLE_WAIT_S: Final = 2.0
BATCH_MAX: Final = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRules:
    """How events are sent.

    Attributes:
        province: First level of the topics.
        site_id: Second level.
        device_id: Third level, and the user at the broker.
        boot_id: This life of the process; events of an earlier one are late.
        window: Most events sent and not yet acknowledged. Higher rides over slow links and
            repeats more after a loss.
        ack_timeout: Wait before sending again. Lower repeats sooner and, on a slow link, in vain.
        late_after: Age from which an event no longer counts as live.
        heartbeat_interval: Time between heartbeats.
    """

    province: str
    site_id: str
    device_id: str
    boot_id: UUID
    window: int
    ack_timeout: timedelta
    late_after: timedelta
    heartbeat_interval: timedelta

    def topic(self, stream: Stream) -> str:
        """This device's topic of one stream."""
        return str(
            Topic(
                province=self.province,
                site_id=self.site_id,
                device_id=self.device_id,
                stream=stream,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStatus:
    """How publishing goes.

    Attributes:
        is_connected: Whether the broker is there right now.
        problem: Why it is not, in one sentence; ``None`` when it is.
        acks_ignored: Acknowledgements of another outbox, of numbers never given, or unreadable.
    """

    is_connected: bool
    problem: str | None
    acks_ignored: int


class _Note(Protocol):
    """Remembers that an event of a lane went out."""

    def __call__(self, seq: int, *, now_s: float, rng: random.Random) -> None:
        """The event with this number."""


class EventPublisher:
    """Sends events and heartbeats from one thread; the owner calls ``run`` in it."""

    def __init__(
        self,
        store: EventStore,
        *,
        access: BrokerAccess,
        rules: PublishRules,
        heartbeat: Callable[[], HeartbeatV1],
        clock: Callable[[], datetime],
        rng: random.Random,
        on_command: Callable[[bytes], None] | None = None,
    ) -> None:
        """Prepare; nothing is sent before ``run``.

        Args:
            store: The outbox.
            access: Broker and credentials.
            rules: How to send.
            heartbeat: Makes the heartbeat of the moment.
            clock: Gives aware UTC time.
            rng: Source of jitter.
            on_command: Takes what the centre asks for; ``None`` listens to nothing. Must be quick.
        """
        self._on_command = on_command
        self._store = store
        self._access = access
        self._rules = rules
        self._heartbeat = heartbeat
        self._clock = clock
        self._rng = rng
        self._wake = Event()
        self._lock = Lock()
        self._newest_ack: CommitAckV1 | None = None
        self._is_connected = False
        self._problem: str | None = "not connected yet"
        self._acks_ignored = 0
        self._in_flight = InFlight(window=rules.window, timeout_s=rules.ack_timeout.total_seconds())
        self._next_heartbeat_s = 0.0

    def wake(self) -> None:
        """There is something to do: a new event, or the end."""
        self._wake.set()

    def status(self) -> PublishStatus:
        """How it goes; may be asked from any thread."""
        with self._lock:
            return PublishStatus(
                is_connected=self._is_connected,
                problem=self._problem,
                acks_ignored=self._acks_ignored,
            )

    def run(self, stop: Event) -> None:
        """Send until told to stop; every loss of the broker is the turn of its next node.

        Args:
            stop: Set by the owner, who then calls ``wake``.
        """
        failures = turn = 0
        while not stop.is_set():
            access = self._access.at_turn(turn)
            link = Link(
                access,
                ack_topic=self._rules.topic(Stream.ACK),
                on_ack=self._take_ack,
                on_change=self.wake,
                command_topic=self._rules.topic(Stream.COMMAND) if self._on_command else None,
                on_command=self._on_command,
            )
            try:
                with link:
                    link.open(stop)
                    if link.is_open:
                        self._set_state(connected=True, problem=None)
                        log.info("broker_connected", host=access.host, port=access.port)
                        failures = 0
                        self._serve(link, stop)
                    problem = "the connection was lost"
            except PublishError as error:
                problem = str(error)
                log.warning("broker_unavailable", problem=problem)
            self._set_state(connected=False, problem=problem)
            failures += 1
            turn += 1
            stop.wait(RECONNECT.wait_s(failures, rng=self._rng))

    def _serve(self, link: Link, stop: Event) -> None:
        """Send over one connection until it is lost."""
        self._in_flight.reconnect()
        self._next_heartbeat_s = time.monotonic()
        while link.is_open and not stop.is_set():
            self._wake.clear()
            try:
                self._apply_ack()
                sent = self._send_waiting(link)
            except OutboxError as error:
                log.error("outbox_unusable", problem=str(error))  # noqa: TRY400 - no bug of ours
                stop.wait(STORE_TROUBLE_WAIT_S)
                continue
            self._send_heartbeat_when_due(link)
            if not sent:
                self._wake.wait(self._wait_s())

    def _send_waiting(self, link: Link) -> bool:
        """Send what the window has room for, live events first; true when there may be more."""
        flight, numbers = self._in_flight, self._store.numbers()
        flight.acknowledged(numbers.acknowledged_seq, now_s=time.monotonic(), rng=self._rng)
        if flight.is_overdue(time.monotonic()):
            log.warning("commit_ack_overdue", sent_seq=flight.sent_seq)
            flight.repeat()
        flight.look_ahead(newest_seq=numbers.last_seq)
        live = self._send(link, flight.sent_ahead, after_seq=flight.live_seq, room=flight.live_room)
        others = self._send(link, flight.sent, after_seq=flight.sent_seq, room=flight.room)
        return BATCH_MAX in {live, others}

    def _send(self, link: Link, note: _Note, *, after_seq: int, room: int) -> int:
        """Send the next events of one lane; returns how many."""
        if room <= 0:
            return 0
        events = self._store.pending(after_seq=after_seq, limit=min(room, BATCH_MAX))
        for event in events:
            link.publish(self._rules.topic(event.stream), self._payload(event))
            note(event.seq, now_s=time.monotonic(), rng=self._rng)
        return len(events)

    def _payload(self, event: WaitingEvent) -> bytes:
        """The message, marked late when it no longer is live."""
        is_late = (
            event.boot_id != self._rules.boot_id
            or self._clock() - event.created_at > self._rules.late_after
        )
        if not is_late:
            return event.payload
        contract = EVENT_CONTRACTS[event.stream]
        return contract.from_json(event.payload).model_copy(update={"is_late": True}).to_json()

    def _send_heartbeat_when_due(self, link: Link) -> None:
        now_s = time.monotonic()
        if now_s < self._next_heartbeat_s:
            return
        interval_s = self._rules.heartbeat_interval.total_seconds()
        self._next_heartbeat_s = now_s + interval_s
        link.publish(
            self._rules.topic(Stream.HEARTBEAT),
            self._heartbeat().to_json(),
            expires_after_s=max(1, round(3 * interval_s)),
        )

    def _wait_s(self) -> float:
        """Time until the next thing that happens by itself."""
        now_s = time.monotonic()
        due = [IDLE_WAIT_S, self._next_heartbeat_s - now_s]
        if self._in_flight.deadline_s is not None:
            due.append(self._in_flight.deadline_s - now_s)
        return max(0.0, min(due))

    def _take_ack(self, payload: bytes) -> None:
        """Remember the newest acknowledgement; runs in the library's thread."""
        try:
            ack = CommitAckV1.from_json(payload)
        except ValidationError:
            self._ignore_ack("unreadable")
            return
        if ack.device_id != self._rules.device_id or ack.outbox_id != self._store.outbox_id:
            self._ignore_ack("of_another_outbox")
            return
        with self._lock:
            if self._newest_ack is None or ack.up_to_seq > self._newest_ack.up_to_seq:
                self._newest_ack = ack
        self.wake()

    def _ignore_ack(self, why: str) -> None:
        with self._lock:
            self._acks_ignored += 1
        log.warning("commit_ack_ignored", why=why)

    def _apply_ack(self) -> None:
        with self._lock:
            ack, self._newest_ack = self._newest_ack, None
        if ack is None:
            return
        if ack.up_to_seq <= self._in_flight.acknowledged_seq:
            return
        try:
            forgotten = self._store.acknowledge(outbox_id=ack.outbox_id, up_to_seq=ack.up_to_seq)
        except OutboxBehindError as error:
            log.error("outbox_is_an_old_copy", problem=str(error))  # noqa: TRY400 - no bug of ours
            self._ignore_ack("of_numbers_never_given")
            return
        self._in_flight.acknowledged(ack.up_to_seq, now_s=time.monotonic(), rng=self._rng)
        log.debug("events_acknowledged", up_to_seq=ack.up_to_seq, count=forgotten)

    def _set_state(self, *, connected: bool, problem: str | None) -> None:
        with self._lock:
            self._is_connected = connected
            self._problem = problem
