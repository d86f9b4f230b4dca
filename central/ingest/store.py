# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stores a batch: every message becomes a row, a row in quarantine, or is proved to be here.

Three things make "stored once" true. The outbox's account (``device_stream``) has a set of held
numbers, which tells repeats from news without a look at the events. It is read without a lock, so
that several ingests can store events of the same outboxes at once; numbers are added at the end,
and only if no other ingest has added one of them meanwhile: else the whole batch is rolled back and
judged anew with the accounts locked. And an event's id can be claimed only once in the whole
database.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from psycopg import Connection

from central.contracts.topics import Topic
from central.domain.times import TimeLimits
from central.ingest.accounts import StreamAccount
from central.ingest.admission import Admission
from central.ingest.repository import IngestRepository
from central.ingest.types import (
    BatchOutcome,
    Envelope,
    EventMessage,
    HeartbeatMessage,
    ParsedMessage,
    PassageMessage,
    Reason,
    RecordMessage,
    RejectedMessage,
    StreamKey,
    TagReadMessage,
)
from central.passages.service import FEED_CHANNEL

DETAIL_LENGTH_MAX: Final = 500
TOPIC_LENGTH_MAX: Final = 500


def store_batch(
    connection: Connection,
    messages: Sequence[ParsedMessage],
    *,
    limits: TimeLimits,
    now: datetime,
    is_alone: bool = True,
) -> BatchOutcome:
    """Store a batch in the caller's transaction.

    The outcome is true once the caller has committed. Storing the same batch again stores nothing
    and gives the same acknowledgements.

    Args:
        connection: A connection on which ``session.sql`` was run.
        messages: Parsed messages in order of arrival.
        limits: Which capture times can be true.
        now: The centre's clock.
        is_alone: Whether ingests with events of the same outboxes wait until the caller commits.

    Raises:
        StreamOvertakenError: One of them was faster; nothing may be committed. Not when alone.
        psycopg.Error: The database refuses the batch or went away; nothing is stored.
    """
    return _BatchStore(connection, limits=limits, now=now).run(messages, is_alone=is_alone)


def fingerprint(message: RejectedMessage | EventMessage) -> bytes:
    """What makes a message in quarantine the same one when it comes again.

    An event is recognised by its number and id, since its bytes change when it is sent late; a
    heartbeat by its topic and reason, since each would be new for ever; the rest by its bytes.
    """
    if message.envelope is not None:
        return event_fingerprint(message.envelope)
    if message.delivery.topic.endswith("/heartbeat"):
        return _digest(b"heartbeat", message.delivery.topic.encode(), message.reason.encode())
    return _digest(b"payload", message.delivery.topic.encode(), message.delivery.payload)


def event_fingerprint(envelope: Envelope) -> bytes:
    """The fingerprint of an event."""
    return _digest(
        b"event",
        envelope.stream.device_id.encode(),
        envelope.stream.outbox_id.bytes,
        str(envelope.seq).encode(),
        envelope.event_id.bytes,
    )


@dataclass(kw_only=True)
class _Sorted:
    """A batch sorted by what has to be done; mutable, lives for one transaction."""

    fresh: list[EventMessage] = field(default_factory=list)
    repeats: list[EventMessage | RejectedMessage] = field(default_factory=list)
    rejected: list[RejectedMessage] = field(default_factory=list)
    heartbeats: dict[str, HeartbeatMessage] = field(default_factory=dict)
    heartbeat_count: int = 0
    released: set[bytes] = field(default_factory=set)


class _BatchStore:
    """One batch in one transaction."""

    def __init__(self, connection: Connection, *, limits: TimeLimits, now: datetime) -> None:
        self._rows = IngestRepository(connection)
        self._limits = limits
        self._now = now
        self._accounts = dict[StreamKey, StreamAccount]()
        self._batch = _Sorted()
        self._doubled = 0

    def run(self, messages: Sequence[ParsedMessage], *, is_alone: bool) -> BatchOutcome:
        """Sort the batch, store its parts, and close the accounts."""
        admitted = self._admit(messages)
        self._accounts = self._rows.open_streams(
            _streams(admitted), is_alone=is_alone, now=self._now
        )
        for message in admitted:
            self._sort(message)
        self._judge_repeats()
        stored = self._store_fresh()
        self._store_rejected()
        for _, heartbeat in sorted(self._batch.heartbeats.items()):  # two ingests in one order
            self._rows.heartbeat(heartbeat.heartbeat, now=self._now)
        self._rows.close_streams(list(self._accounts.values()), now=self._now)
        return self._outcome(stored)

    def _admit(self, messages: Sequence[ParsedMessage]) -> list[ParsedMessage]:
        """Reject what comes from strangers or from impossible times."""
        device_ids = {message.topic.device_id for message in messages if message.topic is not None}
        admission = Admission(
            directory=self._rows.directory(device_ids), limits=self._limits, now=self._now
        )
        return [admission.admit(message) for message in messages]

    def _sort(self, message: ParsedMessage) -> None:
        """Decide what has to be done with one message."""
        if isinstance(message, HeartbeatMessage):
            self._batch.heartbeats[message.topic.device_id] = message
            self._batch.heartbeat_count += 1
            account = self._accounts[_heartbeat_stream(message)]
            account.announced_seq = max(account.announced_seq, message.heartbeat.outbox_last_seq)
            return
        if message.envelope is None:
            self._batch.rejected.append(message)
            return
        account = self._accounts[message.envelope.stream]
        if account.has(message.envelope):
            self._batch.repeats.append(message)
        elif not account.has_room_for(message.envelope):
            self._batch.rejected.append(_turned_down(message, Reason.TOO_MANY_GAPS))
        else:
            account.claim(message.envelope)
            if not isinstance(message, RejectedMessage):
                self._batch.fresh.append(message)
            else:
                self._batch.rejected.append(message)

    def _judge_repeats(self) -> None:
        """Tell real repeats from other events that carry a number in use."""
        if not self._batch.repeats:
            return
        here = {each.envelope for each in self._batch.fresh}
        here |= {each.envelope for each in self._batch.rejected if each.envelope is not None}
        envelopes = [each.envelope for each in self._batch.repeats if each.envelope is not None]
        identities = self._rows.identities([envelope.event_id for envelope in envelopes])
        quarantined = self._rows.quarantined({event_fingerprint(each) for each in envelopes})
        for message in self._batch.repeats:
            envelope = message.envelope
            if envelope is None or envelope in here:
                self._count_double(message)
                continue
            stored = identities.get(envelope.event_id)
            mark = event_fingerprint(envelope)
            before = quarantined.get(mark)
            if stored is not None and self._is_same(stored.stream_id, stored.seq, envelope):
                self._count_double(message)
            elif before is None:
                self._batch.rejected.append(_in_use(message))
            elif not isinstance(message, RejectedMessage) and before.may_be_released:
                self._batch.fresh.append(message)
                self._batch.released.add(mark)
                here.add(envelope)
            else:
                self._count_double(message)

    def _store_fresh(self) -> list[EventMessage]:
        """Store the new events and return them; ids that are in use go to quarantine."""
        fresh, equal = _without_equal_ids(self._batch.fresh)
        self._batch.rejected.extend(_turned_down(each, Reason.ID_REUSED) for each in equal)
        if not fresh:
            return []
        taken = self._rows.claim_identities(fresh, self._stream_ids(fresh))
        if taken:
            self._judge_taken([each for each in fresh if each.event.id in taken])
            fresh = [each for each in fresh if each.event.id not in taken]
        if not fresh:
            return []
        self._store_rows(fresh)
        for message in fresh:
            account = self._accounts[message.envelope.stream]
            account.stored += 1
            account.late += message.is_late
        self._release(fresh)
        return fresh

    def _store_rows(self, fresh: Sequence[EventMessage]) -> None:
        """Make rows of events whose ids are claimed, and tell those who wait for them."""
        passages = [each for each in fresh if isinstance(each, PassageMessage)]
        if passages:
            self._rows.store_passages(passages, self._stream_ids(passages), now=self._now)
            self._rows.announce(channel=FEED_CHANNEL, now=self._now)
        tag_reads = [each for each in fresh if isinstance(each, TagReadMessage)]
        if tag_reads:
            self._rows.store_tag_reads(tag_reads, self._stream_ids(tag_reads), now=self._now)
        records = [each for each in fresh if isinstance(each, RecordMessage)]
        if records:
            self._rows.store_records(records, self._stream_ids(records), now=self._now)

    def _release(self, stored: Sequence[EventMessage]) -> None:
        """Close the quarantine of messages that became rows after all."""
        if not self._batch.released:
            return
        marks = {event_fingerprint(each.envelope): each.envelope.stream for each in stored}
        for mark in self._batch.released & marks.keys():
            self._accounts[marks[mark]].quarantined -= 1
        self._rows.resolve(self._batch.released & marks.keys(), now=self._now)

    def _stream_ids(self, messages: Sequence[EventMessage]) -> list[int]:
        """The key of every message's outbox."""
        return [self._accounts[each.envelope.stream].stream_id for each in messages]

    def _judge_taken(self, messages: Sequence[EventMessage]) -> None:
        """Events whose id is stored already: the same event, or a wrong use of the id."""
        identities = self._rows.identities([message.event.id for message in messages])
        for message in messages:
            stored = identities[message.event.id]
            if self._is_same(stored.stream_id, stored.seq, message.envelope):
                self._count_double(message)
            else:
                self._batch.rejected.append(_turned_down(message, Reason.ID_REUSED))

    def _store_rejected(self) -> None:
        """Put what can't become a row into quarantine, the same message once."""
        if not self._batch.rejected:
            return
        rows = {}
        for message in self._batch.rejected:
            if message.envelope is not None and message.reason is not Reason.TOO_MANY_GAPS:
                self._accounts[message.envelope.stream].quarantined += 1
            rows[fingerprint(message)] = _quarantine_row(message, now=self._now)
        self._rows.quarantine([rows[mark] for mark in sorted(rows)])

    def _is_same(self, stream_id: int, seq: int, envelope: Envelope) -> bool:
        """Whether a stored event has this event's place."""
        return (stream_id, seq) == (self._accounts[envelope.stream].stream_id, envelope.seq)

    def _count_double(self, message: EventMessage | RejectedMessage) -> None:
        """A message that is here already."""
        self._doubled += 1
        if message.envelope is not None:
            self._accounts[message.envelope.stream].doubled += 1

    def _outcome(self, stored: Sequence[EventMessage]) -> BatchOutcome:
        """What the caller may tell after the commit."""
        acks = (account.ack() for account in self._accounts.values())
        return BatchOutcome(
            stored=len(stored),
            doubled=self._doubled,
            late=sum(message.is_late for message in stored),
            heartbeats=self._batch.heartbeat_count,
            quarantined=tuple(message.reason for message in self._batch.rejected),
            latencies_s=tuple(
                (self._now - message.event.captured_at).total_seconds()
                for message in stored
                if isinstance(message, PassageMessage) and not message.is_late
            ),
            acks=tuple(ack for ack in acks if ack is not None),
        )


def _streams(messages: Iterable[ParsedMessage]) -> dict[StreamKey, Topic]:
    """Every outbox in a batch, with a topic of its device."""
    streams: dict[StreamKey, Topic] = {}
    for message in messages:
        if isinstance(message, HeartbeatMessage):
            streams[_heartbeat_stream(message)] = message.topic
        elif message.envelope is not None and message.topic is not None:
            streams[message.envelope.stream] = message.topic
    return streams


def _heartbeat_stream(message: HeartbeatMessage) -> StreamKey:
    """The outbox that a heartbeat tells of."""
    return StreamKey(device_id=message.topic.device_id, outbox_id=message.heartbeat.outbox_id)


def _without_equal_ids(
    messages: Sequence[EventMessage],
) -> tuple[list[EventMessage], list[EventMessage]]:
    """The first message of every id, and the others that use its id for another event."""
    first = dict[int, EventMessage]()  # by the id's number, which is hashed faster than an id
    others = [
        message
        for message in messages
        if first.setdefault(message.event.id.int, message) is not message
    ]
    return list(first.values()), others


def _turned_down(message: EventMessage | RejectedMessage, reason: Reason) -> RejectedMessage:
    """The message as a rejection; an earlier reason is kept."""
    if isinstance(message, RejectedMessage):
        return message
    return RejectedMessage(
        delivery=message.delivery,
        reason=reason,
        detail="",
        topic=message.topic,
        envelope=message.envelope,
    )


def _in_use(message: EventMessage | RejectedMessage) -> RejectedMessage:
    """The message as one whose number is in use; whatever else is wrong with it can't free that.

    It may be an event that was stored so long ago that its id is forgotten, and then must not be
    let out of quarantine when another reason passes.
    """
    return RejectedMessage(
        delivery=message.delivery,
        reason=Reason.SEQ_REUSED,
        detail=message.reason.value if isinstance(message, RejectedMessage) else "",
        topic=message.topic,
        envelope=message.envelope,
    )


def _quarantine_row(message: RejectedMessage, *, now: datetime) -> Mapping[str, object]:
    """A rejected message as it is bound to its query."""
    envelope = message.envelope
    return {
        "fingerprint": fingerprint(message),
        "reason": message.reason.value,
        "detail": message.detail[:DETAIL_LENGTH_MAX],
        "topic": message.delivery.topic.replace("\x00", "")[:TOPIC_LENGTH_MAX],
        "payload": message.delivery.payload,
        "size_bytes": len(message.delivery.payload),
        "device_id": message.topic.device_id if message.topic else None,
        "event_id": envelope.event_id if envelope else None,
        "outbox_id": envelope.stream.outbox_id if envelope else None,
        "seq": envelope.seq if envelope else None,
        "now": now,
    }


def _digest(*parts: bytes) -> bytes:
    """SHA-256 over parts that can't run into each other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
