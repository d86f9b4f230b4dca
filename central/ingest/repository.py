# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows that ingest reads and writes, on a plain (not async) connection."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row, scalar_row, tuple_row
from psycopg.types.json import Jsonb
from psycopg.types.multirange import Multirange

from central.contracts.heartbeat import HeartbeatV1
from central.contracts.topics import Topic
from central.db.copying import copy_rows, microseconds
from central.db.deferring import PRIORITY_LIVE, Job, defer
from central.db.queries import QueryFile
from central.db.sequences import multirange, seq_set
from central.domain.local_time import local_date
from central.ingest.accounts import StreamAccount, StreamOvertakenError
from central.ingest.admission import Directory, KnownDevice
from central.ingest.columns import (
    EVIDENCE_COLUMNS,
    IDENTITY_COLUMNS,
    PASSAGE_COLUMNS,
    TAG_READ_COLUMNS,
    identity_row,
    row_start,
)
from central.ingest.records import insert_of
from central.ingest.types import (
    EventMessage,
    PassageMessage,
    Reason,
    RecordMessage,
    StreamKey,
    TagReadMessage,
)

QUERIES: Final = QueryFile.beside(__file__)
RELEASABLE_REASONS: Final = frozenset(
    {
        Reason.CONTRACT_BROKEN,
        Reason.UNKNOWN_DEVICE,
        Reason.DEVICE_DISABLED,
        Reason.SITE_MISMATCH,
        Reason.UNKNOWN_CAMERA,
        Reason.TIME_IN_FUTURE,
        Reason.TIME_TOO_OLD,
        Reason.TOO_MANY_GAPS,
        Reason.REFUSED_BY_DATABASE,
    }
)
"""Reasons that can pass: a device is registered, a limit changes, the centre is updated."""

MATCH_TAG_READ: Final = "match_tag_read"
"""Task that looks for the passage and the account of one tag read."""

PASSAGE_TASKS: Final = ("judge_passages", "match_passages")
"""Tasks that each commit of passages causes: vehicle control and toll, by its feed position."""

FEED_LOCK_ID: Final = 0x6C75_7574_6665
"""Advisory lock under which feed positions are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeviceRow:
    id: str
    site_id: str
    province: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _StreamRow:
    id: int
    device_id: str
    outbox_id: UUID
    held: Multirange[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIdentity:
    """Under which number an event is stored."""

    id: UUID
    stream_id: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedBefore:
    """A message that was in quarantine before."""

    fingerprint: bytes
    reason: str
    is_resolved: bool
    is_mended: bool

    @property
    def may_be_released(self) -> bool:
        """Whether it waits for something that can pass by itself, or was mended."""
        return not self.is_resolved and (self.is_mended or self.reason in RELEASABLE_REASONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasableRow:
    """A message in quarantine whose device is known by now."""

    id: int
    topic: str
    payload: bytes


class IngestRepository:
    """Reads and writes of one batch; the transaction belongs to the caller."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def directory(self, device_ids: Collection[str]) -> Directory:
        """What the centre knows of these devices and of their sites' cameras."""
        with self._connection.cursor(row_factory=class_row(_DeviceRow)) as cursor:
            cursor.execute(QUERIES["select_known_devices"], {"device_ids": list(device_ids)})
            devices = cursor.fetchall()
        with self._connection.cursor(row_factory=tuple_row) as pairs:
            site_ids = list({device.site_id for device in devices})
            pairs.execute(QUERIES["select_known_cameras"], {"site_ids": site_ids})
            cameras = frozenset((str(site_id), str(camera_id)) for site_id, camera_id in pairs)
        return Directory(
            devices={
                row.id: KnownDevice(site_id=row.site_id, province=row.province, enabled=row.enabled)
                for row in devices
            },
            cameras=cameras,
        )

    def open_streams(
        self, topics: Mapping[StreamKey, Topic], *, is_alone: bool, now: datetime
    ) -> dict[StreamKey, StreamAccount]:
        """Open the accounts of these outboxes, and lock them if nobody else may add to them."""
        if not topics:
            return {}
        names = {
            "device_ids": [key.device_id for key in topics],
            "outbox_ids": [key.outbox_id for key in topics],
            "now": now,
        }
        query = QUERIES["lock_streams" if is_alone else "select_streams"]
        if is_alone:  # in the order of the others, who add to accounts under the feed's lock
            self._connection.execute(QUERIES["lock_feed"], {"lock_id": FEED_LOCK_ID})
        with self._connection.cursor(row_factory=class_row(_StreamRow)) as cursor:
            rows = cursor.execute(query, names).fetchall()
            if len(rows) < len(topics):
                cursor.execute(QUERIES["insert_streams"], names)
                rows = cursor.execute(query, names).fetchall()
        found = {(row.device_id, row.outbox_id): row for row in rows}
        accounts = {}  # by the batch's own keys: a value is found faster than an equal one
        for key, topic in topics.items():
            row = found[key.device_id, key.outbox_id]
            held = seq_set(row.held)
            accounts[key] = StreamAccount(stream_id=row.id, key=key, held=held, topic=topic)
        return accounts

    def close_streams(self, accounts: Collection[StreamAccount], *, now: datetime) -> None:
        """Write down what the batch adds to each account, and to its account of the day.

        Raises:
            StreamOvertakenError: Another ingest added one of the numbers; the batch must be judged
                anew.
        """
        if not accounts:
            return
        accounts = sorted(accounts, key=lambda account: account.stream_id)
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.executemany(
                QUERIES["update_stream"],
                [
                    {
                        "stream_id": account.stream_id,
                        "held": multirange(account.claimed_set),
                        "now": now,
                        "announced_seq": account.announced_seq,
                        "stored": account.stored,
                        "doubled": account.doubled,
                        "quarantined": account.quarantined,
                        "late": account.late,
                    }
                    for account in accounts
                ],
                returning=True,
            )
            for account, result in zip(accounts, cursor.results(), strict=True):
                held: Multirange[int] | None = result.fetchone()
                if held is None:
                    raise StreamOvertakenError
                account.held = seq_set(held)
            cursor.executemany(
                QUERIES["upsert_device_days"],
                [
                    {
                        "stream_id": account.stream_id,
                        "day": local_date(now),
                        "first_seq": min(account.claimed, default=None),
                        "last_seq": max(account.claimed, default=None),
                        "stored": account.stored,
                        "doubled": account.doubled,
                        "quarantined": max(account.quarantined, 0),
                        "late": account.late,
                    }
                    for account in accounts
                    if account.claimed or account.doubled or account.stored
                ],
            )

    def identities(self, event_ids: Sequence[UUID]) -> Mapping[UUID, StoredIdentity]:
        """Which of these events are stored already."""
        with self._connection.cursor(row_factory=class_row(StoredIdentity)) as cursor:
            cursor.execute(QUERIES["select_identities"], {"event_ids": list(event_ids)})
            return {row.id: row for row in cursor.fetchall()}

    def claim_identities(
        self, messages: Sequence[EventMessage], stream_ids: Sequence[int]
    ) -> set[UUID]:
        """Claim the ids of new events; returns those that are stored already."""
        copy_rows(
            self._connection,
            "incoming_identity",
            IDENTITY_COLUMNS,
            (
                identity_row(each.event, stream_id=stream_id)
                for each, stream_id in zip(messages, stream_ids, strict=True)
            ),
        )
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(QUERIES["claim_identities"])
            taken: set[UUID] = set(cursor.fetchall())
        if taken:
            self._connection.execute(QUERIES["forget_incoming"], {"taken": list(taken)})
        return taken

    def store_passages(
        self, messages: Sequence[PassageMessage], stream_ids: Sequence[int], *, now: datetime
    ) -> None:
        """Store passages whose ids are claimed, and the pictures that they name.

        They are copied straight into place: that the same event comes twice is settled by now.
        """
        copy_rows(
            self._connection,
            "passage",
            PASSAGE_COLUMNS,
            _rows(messages, stream_ids, columns=len(PASSAGE_COLUMNS), now=now),
        )
        pictures = [each.pictures for each in messages if each.pictures]
        if pictures:
            copy_rows(self._connection, "passage_evidence", EVIDENCE_COLUMNS, pictures)
        minutes = {each.event.captured_at.replace(second=0, microsecond=0) for each in messages}
        self._connection.execute(QUERIES["touch_minutes"], {"minutes": sorted(minutes)})

    def store_tag_reads(
        self, messages: Sequence[TagReadMessage], stream_ids: Sequence[int], *, now: datetime
    ) -> None:
        """Store tag reads whose ids are claimed, and queue a job for each."""
        copy_rows(
            self._connection,
            "tag_read",
            TAG_READ_COLUMNS,
            _rows(messages, stream_ids, columns=len(TAG_READ_COLUMNS), now=now),
        )
        with self._connection.pipeline():
            for message in messages:
                arguments = {"tag_read_id": str(message.event.id)}
                job = Job(task=MATCH_TAG_READ, arguments=arguments, priority=PRIORITY_LIVE)
                defer(self._connection, job)

    def store_records(
        self, messages: Sequence[RecordMessage], stream_ids: Sequence[int], *, now: datetime
    ) -> None:
        """Store traffic minutes, incidents and evidence notices whose ids are claimed."""
        with self._connection.pipeline():
            for message, stream_id in zip(messages, stream_ids, strict=True):
                query, values = insert_of(message.event)
                self._connection.execute(
                    QUERIES[query],
                    {**_common(message, stream_id=stream_id, now=now), **values},
                )

    def announce(self, *, channel: str, now: datetime) -> None:
        """Put the claimed passages into the live feed, wake its readers, queue what must follow."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(QUERIES["insert_feed_entry"], {"lock_id": FEED_LOCK_ID, "now": now})
            position = cursor.fetchone()
        self._connection.execute(
            QUERIES["notify_feed"], {"channel": channel, "position": str(position)}
        )
        for task in PASSAGE_TASKS:
            job = Job(task=task, arguments={"position": position or 0}, priority=PRIORITY_LIVE)
            defer(self._connection, job)

    def quarantine(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep messages that can't become rows."""
        with self._connection.cursor() as cursor:
            cursor.executemany(QUERIES["upsert_quarantine"], rows)

    def quarantined(self, fingerprints: Collection[bytes]) -> Mapping[bytes, QuarantinedBefore]:
        """Which of these messages were in quarantine before."""
        with self._connection.cursor(row_factory=class_row(QuarantinedBefore)) as cursor:
            cursor.execute(QUERIES["select_quarantined"], {"fingerprints": list(fingerprints)})
            return {row.fingerprint: row for row in cursor.fetchall()}

    def resolve(self, fingerprints: Collection[bytes], *, now: datetime) -> None:
        """Close messages in quarantine that became rows after all."""
        self._connection.execute(
            QUERIES["resolve_quarantined"], {"fingerprints": list(fingerprints), "now": now}
        )

    def releasable(
        self, reasons: Sequence[str], *, after_id: int, limit: int, entry_id: int | None = None
    ) -> Sequence[ReleasableRow]:
        """Messages in quarantine whose reason may have passed, oldest first; or one of them."""
        with self._connection.cursor(row_factory=class_row(ReleasableRow)) as cursor:
            cursor.execute(
                QUERIES["select_releasable"],
                {
                    "reasons": list(reasons),
                    "after_id": after_id,
                    "rows_max": limit,
                    "entry_id": entry_id,
                },
            )
            return cursor.fetchall()

    def resolve_stored(self, quarantine_ids: Sequence[int], *, now: datetime) -> None:
        """Close those of these messages whose event is a passage."""
        self._connection.execute(
            QUERIES["resolve_stored"], {"quarantine_ids": list(quarantine_ids), "now": now}
        )

    def quarantine_counts(self) -> Mapping[str, int]:
        """Open messages in quarantine by reason."""
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(QUERIES["count_quarantine"])
            return {str(reason): int(messages) for reason, messages in cursor}

    def heartbeat(self, heartbeat: HeartbeatV1, *, now: datetime) -> None:
        """Keep a heartbeat as the device's newest, and as the last one of its minute."""
        parameters = {
            "device_id": heartbeat.device_id,
            "heartbeat_id": heartbeat.id,
            "sent_at": heartbeat.sent_at,
            "now": now,
            "outbox_id": heartbeat.outbox_id,
            "outbox_events": heartbeat.outbox_events,
            "pictures_dropped": heartbeat.pictures_dropped,
            "clock_error_ms": heartbeat.clock_error_ms,
            "report": Jsonb(heartbeat.model_dump(mode="json", exclude_none=True)),
        }
        self._connection.execute(QUERIES["upsert_device_status"], parameters)
        self._connection.execute(QUERIES["upsert_heartbeat_minute"], parameters)


def _common(message: RecordMessage, *, stream_id: int, now: datetime) -> Mapping[str, object]:
    """What every record's row has."""
    event = message.event
    return {
        "id": event.id,
        "captured_at": event.captured_at,
        "now": now,
        "device_id": event.device_id,
        "stream_id": stream_id,
        "seq": event.seq,
        "boot_id": event.boot_id,
        "site_id": event.site_id,
        "clock_source": event.clock_source,
        "clock_error_ms": event.clock_error_ms,
        "is_late": message.is_late,
    }


def _rows(
    messages: Sequence[PassageMessage | TagReadMessage],
    stream_ids: Sequence[int],
    *,
    columns: int,
    now: datetime,
) -> Iterator[bytes]:
    """The rows of messages, packed when they were read, behind their starts."""
    stored_us = microseconds(now)
    starts = {
        stream_id: row_start(columns, stream_id=stream_id, stored_us=stored_us)
        for stream_id in set(stream_ids)
    }
    for message, stream_id in zip(messages, stream_ids, strict=True):
        yield starts[stream_id]
        yield message.body
