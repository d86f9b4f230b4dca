# SPDX-License-Identifier: AGPL-3.0-or-later
"""The outbox itself: events are numbered and stored with their pictures in one transaction.

An event leaves only when the centre has acknowledged its commit. Pictures are evidence, not
proof of completeness: when room is short the oldest go first, are counted, and leave a note each.
Notes become events of their own while few events wait, and never make room for themselves: what
is told about a want of room must not add to it.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import UUID, uuid4

from central.contracts.event import Event
from central.contracts.evidence_notice import EvidenceFate
from central.contracts.streams import stream_of
from central.contracts.topics import Stream
from edge.errors import OutboxBehindError, OutboxFullError
from edge.outbox import losses
from edge.outbox.database import (
    connect,
    connect_to_read,
    from_us,
    lock_file,
    to_us,
    transaction,
    translated_errors,
)
from edge.outbox.types import (
    LostPicture,
    OutboxLimits,
    OutboxNumbers,
    OutboxSlot,
    OutboxState,
    PendingEvent,
    PendingPicture,
)
from edge.stages import EvidencePicture

PICTURES_DROPPED_AT_ONCE: Final = 64
NOTICES_AT_ONCE: Final = 100
NOTICES_EVENTS_MAX: Final = 1000
"""Most events that wait while the centre is told of lost pictures. Higher: it is told sooner after
an outage, and the notices take room that events may need."""
EventT = TypeVar("EventT", bound=Event)

_SELECT_STATE: Final = """
SELECT outbox_id, last_seq, acknowledged_seq, pictures_dropped, picture_bytes,
       (SELECT count(*) FROM event) AS events,
       (SELECT created_at_us FROM event ORDER BY seq LIMIT 1) AS oldest_us,
       (SELECT count(*) FROM picture) AS pictures
  FROM outbox
"""


class Outbox:
    """Events and pictures of one device that the centre does not have yet.

    May be used from several threads; one process at a time.
    """

    def __init__(self, path: Path, *, limits: OutboxLimits) -> None:
        """Open the outbox, creating it where it is absent.

        Raises:
            OutboxBusyError: Another process has it.
            OutboxUnreadableError: The file is no outbox, is damaged, or may not be used.
            OutboxFullError: There is no room to create it.
        """
        self._path = path
        self._limits = limits
        self._lock = RLock()
        self._lock_file = lock_file(path)
        try:
            self._connection = connect(path, new_id=uuid4(), file_bytes_max=limits.file_bytes_max)
        except BaseException:
            self._lock_file.close()
            raise
        self.outbox_id = read_state(self._connection).outbox_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and give it back; a second call does nothing."""
        with self._lock:
            self._connection.close()
            self._lock_file.close()

    def put(
        self,
        make: Callable[[OutboxSlot], EventT],
        pictures: Sequence[EvidencePicture],
        *,
        now: datetime,
    ) -> EventT:
        """Number an event and store it with its pictures; on the disk when this returns.

        Args:
            make: Builds the message for the number it gets; called again when a first attempt
                found no room.
            pictures: Evidence of the event.
            now: Aware time at which the event is stored.

        Returns:
            The message as it was stored.

        Raises:
            OutboxFullError: Not even the bare event fits; nothing was stored, no number spent.
            OutboxUnreadableError: The file is damaged.
        """
        with self._lock:
            while True:
                try:
                    return self._put_once(make, pictures, now=now)
                except OutboxFullError:
                    if self._drop_oldest_pictures(PICTURES_DROPPED_AT_ONCE, now=now) == 0:
                        break
            # No room is left to win: the event goes without its pictures, if need be without a
            # note of them.
            try:
                return self._put_once(make, (), now=now, lost=pictures)
            except OutboxFullError:
                return self._put_once(make, (), now=now, dropped=len(pictures))

    def tell_lost(self, make: Callable[[LostPicture, OutboxSlot], Event], *, now: datetime) -> int:
        """Make events of notes about pictures that were given up, the oldest first.

        A note and its event change places in one transaction, so that the centre is told once.
        Nothing is told while many events wait or no room is left.

        Args:
            make: Builds the message for the number it gets; called again after a failed attempt.
            now: Aware time at which the events are stored.

        Returns:
            How many were told.
        """
        with self._lock:
            numbers = self.numbers()
            if numbers.last_seq - numbers.acknowledged_seq > NOTICES_EVENTS_MAX:
                return 0
            try:
                with translated_errors(self._path), transaction(self._connection):
                    told = losses.take_oldest(self._connection, NOTICES_AT_ONCE)
                    for each in told:
                        self._number(partial(make, each), now=now)
                    return len(told)
            except OutboxFullError:
                return 0

    def acknowledge(self, *, outbox_id: UUID, up_to_seq: int) -> int:
        """Forget the events that the centre has committed.

        Args:
            outbox_id: Outbox that the acknowledgement speaks of; another one changes nothing.
            up_to_seq: Highest committed number without a gap before it.

        Returns:
            Number of events forgotten: 0 for a repeat or another outbox.

        Raises:
            OutboxBehindError: The number was never given here; nothing was forgotten.
        """
        with self._lock, translated_errors(self._path):
            state = read_state(self._connection)
            if outbox_id != state.outbox_id or not state.acknowledged_seq < up_to_seq:
                return 0
            if up_to_seq > state.last_seq:
                raise OutboxBehindError(
                    path=self._path, last_seq=state.last_seq, acknowledged_seq=up_to_seq
                )
            with transaction(self._connection):
                deleted = self._connection.execute(
                    "DELETE FROM event WHERE seq <= ?", (up_to_seq,)
                ).rowcount
                self._connection.execute("UPDATE outbox SET acknowledged_seq = ?", (up_to_seq,))
            return deleted

    def pending(self, *, after_seq: int, limit: int) -> list[PendingEvent]:
        """Events that wait, lowest number first.

        Args:
            after_seq: Only events with a higher number.
            limit: Most events to return, at least 1.
        """
        with self._lock, translated_errors(self._path):
            rows = self._connection.execute(
                "SELECT seq, boot_id, created_at_us, payload, stream FROM event"
                " WHERE seq > ? ORDER BY seq LIMIT ?",
                (after_seq, limit),
            ).fetchall()
        return [
            PendingEvent(
                seq=seq,
                boot_id=UUID(boot_id),
                created_at=from_us(created_us),
                payload=payload,
                stream=Stream(stream),
            )
            for seq, boot_id, created_us, payload, stream in rows
        ]

    def numbers(self) -> OutboxNumbers:
        """How far this outbox has come; cheap however much waits."""
        with self._lock, translated_errors(self._path):
            last_seq, acknowledged_seq = self._connection.execute(
                "SELECT last_seq, acknowledged_seq FROM outbox"
            ).fetchone()
        return OutboxNumbers(last_seq=last_seq, acknowledged_seq=acknowledged_seq)

    def next_picture(self, *, after_number: int) -> PendingPicture | None:
        """The picture that waits longest among those with a higher number."""
        with self._lock, translated_errors(self._path):
            row = self._connection.execute(
                "SELECT number, sha256, jpeg FROM picture WHERE number > ? ORDER BY number LIMIT 1",
                (after_number,),
            ).fetchone()
        if row is None:
            return None
        number, sha256, jpeg = row
        return PendingPicture(number=number, sha256=sha256, jpeg=jpeg)

    def forget_uploaded_picture(self, number: int) -> None:
        """The centre has this picture."""
        with self._lock, translated_errors(self._path), transaction(self._connection):
            self._connection.execute("DELETE FROM picture WHERE number = ?", (number,))

    def drop_picture(self, number: int, *, now: datetime) -> None:
        """Give up a picture that the centre will never take; it is counted and noted."""
        with self._lock, translated_errors(self._path), transaction(self._connection):
            self._give_up([number], fate=EvidenceFate.UNREADABLE, now=now)

    def state(self) -> OutboxState:
        """What waits here."""
        with self._lock, translated_errors(self._path):
            return read_state(self._connection)

    def _put_once(
        self,
        make: Callable[[OutboxSlot], EventT],
        pictures: Sequence[EvidencePicture],
        *,
        now: datetime,
        lost: Sequence[EvidencePicture] = (),
        dropped: int = 0,
    ) -> EventT:
        """Store an event; ``lost`` pictures are noted and counted, ``dropped`` ones counted."""
        with translated_errors(self._path), transaction(self._connection):
            message = self._number(make, now=now)
            self._connection.executemany(
                "INSERT OR IGNORE INTO picture (sha256, size_bytes, jpeg, event_id)"
                " VALUES (?, ?, ?, ?)",
                [
                    (picture.sha256, len(picture.jpeg), picture.jpeg, str(message.id))
                    for picture in pictures
                ],
            )
            named = [(str(message.id), picture.sha256) for picture in lost]
            self._note(named, fate=EvidenceFate.DROPPED_FOR_ROOM, now=now)
            self._count_dropped(dropped)
            self._keep_pictures_under_cap(now=now)
            return message

    def _number(self, make: Callable[[OutboxSlot], EventT], *, now: datetime) -> EventT:
        """Give an event its number and store it; inside the caller's transaction."""
        (seq,) = self._connection.execute(
            "UPDATE outbox SET last_seq = last_seq + 1 RETURNING last_seq"
        ).fetchone()
        message = make(OutboxSlot(outbox_id=self.outbox_id, seq=seq))
        self._connection.execute(
            "INSERT INTO event (seq, event_id, boot_id, created_at_us, payload, stream)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                seq,
                str(message.id),
                str(message.boot_id),
                to_us(now),
                message.to_json(),
                stream_of(message).value,
            ),
        )
        return message

    def _keep_pictures_under_cap(self, *, now: datetime) -> None:
        """Drop the oldest pictures until the rest fits; inside the caller's transaction."""
        while True:
            (size,) = self._connection.execute("SELECT picture_bytes FROM outbox").fetchone()
            if size <= self._limits.picture_bytes_max:
                return
            self._give_up_oldest(1, now=now)

    def _drop_oldest_pictures(self, count: int, *, now: datetime) -> int:
        """Drop pictures in a transaction of their own; returns how many there were to drop.

        A full disk may refuse even this; then there is nothing to win.
        """
        try:
            with translated_errors(self._path), transaction(self._connection):
                return self._give_up_oldest(count, now=now)
        except OutboxFullError:
            return 0

    def _give_up_oldest(self, count: int, *, now: datetime) -> int:
        rows = self._connection.execute(
            "SELECT number FROM picture ORDER BY number LIMIT ?", (count,)
        ).fetchall()
        numbers = [number for (number,) in rows]
        return self._give_up(numbers, fate=EvidenceFate.DROPPED_FOR_ROOM, now=now)

    def _give_up(self, numbers: Sequence[int], *, fate: EvidenceFate, now: datetime) -> int:
        """Delete pictures and leave notes; the former first, as it makes room for the latter."""
        taken = losses.take_pictures(self._connection, numbers)
        # Pictures that an earlier release stored do not say whose they are; they are counted only.
        named = [(event_id, sha256) for event_id, sha256 in taken if event_id is not None]
        self._note(named, fate=fate, now=now)
        self._count_dropped(len(taken) - len(named))
        return len(taken)

    def _note(self, named: Sequence[tuple[str, str]], *, fate: EvidenceFate, now: datetime) -> None:
        """Count and note pictures by the id of their event and their digest."""
        lost = [
            LostPicture(event_id=UUID(event_id), sha256=sha256, fate=fate, given_up_at=now)
            for event_id, sha256 in named
        ]
        if lost:
            losses.note(self._connection, lost)
            self._count_dropped(len(lost))

    def _count_dropped(self, count: int) -> None:
        self._connection.execute(
            "UPDATE outbox SET pictures_dropped = pictures_dropped + ?", (count,)
        )


def look_into(path: Path) -> OutboxState:
    """State of an outbox without taking it from the process that uses it.

    Raises:
        OutboxUnreadableError: There is no outbox, or it is damaged.
    """
    connection = connect_to_read(path)
    try:
        with translated_errors(path):
            return read_state(connection)
    finally:
        connection.close()


def read_state(connection: sqlite3.Connection) -> OutboxState:
    """State as the database shows it."""
    outbox_id, last_seq, acknowledged, dropped, size, events, oldest_us, pictures = (
        connection.execute(_SELECT_STATE).fetchone()
    )
    return OutboxState(
        outbox_id=UUID(outbox_id),
        last_seq=last_seq,
        acknowledged_seq=acknowledged,
        events=events,
        oldest_event_at=None if oldest_us is None else from_us(oldest_us),
        pictures=pictures,
        picture_bytes=size,
        pictures_dropped=dropped,
    )
