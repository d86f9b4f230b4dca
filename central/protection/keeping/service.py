# SPDX-License-Identifier: AGPL-3.0-or-later
"""Judging old spans, erasing what nothing keeps, and reading the records of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.control.types import ClosingReason
from central.documents.service import DocumentService
from central.documents.statement_values import KeptLine, RetentionValues
from central.documents.types import SigningKey, Subject, SubjectKind
from central.documents.values import Issuer
from central.domain.times import TimeLimits
from central.evidence.types import Purpose
from central.identity.permissions import Permission
from central.identity.types import User
from central.protection.errors import ErasureRecordNotFoundError
from central.protection.keeping.closed import ClosedRows
from central.protection.keeping.event_ids import EventIds
from central.protection.keeping.repository import Going, KeepingRepository, Staying
from central.protection.keeping.types import (
    ErasureRecord,
    Kept,
    RecordCursor,
    RecordPage,
    Span,
    Way,
)
from central.retention_settings import RetentionSettings
from central.settings import OfficeSettings
from central.traffic.counting import service as counting

PAGE_SIZE_MAX: Final = 200
JUDGED_AGAIN_AFTER: Final = timedelta(days=30)
"""A span is judged again after so long at the latest: data came late, or an alert was closed.
Lower: late rows go sooner, and rows that are kept for years are looked at more often."""
STAYING_MAX: Final = 50_000
"""Most rows that are put back after their chunk was dropped. Higher: more chunks are dropped as a
whole; while rows are put back, ingest waits (seconds for so many)."""
PURSUED_REASONS: Final = (
    ClosingReason.VEHICLE_STOPPED,
    ClosingReason.CASE_OPENED,
    ClosingReason.HANDED_OVER,
)
"""Alerts that were closed so led to action: their passages are evidence."""

Periods = Mapping[Purpose, timedelta]
_OF_SPANS: Final = (Purpose.UNMATCHED, Purpose.MATCHED, Purpose.PURSUED, Purpose.TOLL)
PURPOSES: Final[Mapping[Kept, Sequence[Purpose]]] = {
    Kept.PASSAGES: _OF_SPANS,
    Kept.TAG_READS: _OF_SPANS,
    Kept.ALERTS: (Purpose.MATCHED, Purpose.PURSUED),
    Kept.QUARANTINE: (Purpose.SETTLED,),
}
"""What data may be kept for."""


def periods_of(settings: RetentionSettings) -> Periods:
    """How long each purpose keeps a row, counted from the capture (pursued: from the closing)."""
    return {
        Purpose.UNMATCHED: settings.unmatched_keep,
        Purpose.MATCHED: settings.matched_keep,
        Purpose.PURSUED: settings.pursued_keep,
        Purpose.TOLL: settings.toll_keep,
        Purpose.SETTLED: settings.quarantine_keep,
    }


class Keeper:
    """Judges and erases, in the caller's transaction: a job or a command."""

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        settings: RetentionSettings,
        limits: TimeLimits,
        office: OfficeSettings,
        key: SigningKey | None,
        actor: Actor,
        staying_max: int = STAYING_MAX,
    ) -> None:
        self._connection = connection
        self._rows = KeepingRepository(connection)
        self._ids = EventIds(connection, limits=limits)
        self._audit = AuditService(connection)
        self._documents = DocumentService(connection)
        self._periods = periods_of(settings)
        self._closed = ClosedRows(
            connection, periods=self._periods, pursued_reasons=PURSUED_REASONS
        )
        self._office = office
        self._key = key
        self._actor = actor
        self._staying_max = staying_max

    async def due_span(self, data: Kept, *, now: datetime) -> Span | None:
        """The oldest span that has to be judged; ``None`` when none has."""
        return await self._rows.due_span(data, old_before=self._old_before(now), now=now)

    async def due_spans(self, data: Kept, *, now: datetime) -> int:
        """How many spans have to be judged."""
        return await self._rows.due_spans(data, old_before=self._old_before(now), now=now)

    async def judge(self, span: Span, *, now: datetime) -> ErasureRecord | None:
        """Judge the rows of a span, erase those whose time is over, and put it on record.

        Counts by minute, hour and day stay: what is waiting to be counted is counted first.

        Returns:
            The record; ``None`` when everything stays.

        Raises:
            SigningKeyError: The key is missing or unfit.
            TypesettingError: The paper can't be made.
            psycopg.errors.LockNotAvailable: Somebody reads the span for long; nothing happened.
        """
        await self._rows.claim(span)
        if span.data is Kept.PASSAGES:
            while await counting.count_touched(self._connection):
                pass
        await self._rows.judge(span, self._periods, pursued_reasons=PURSUED_REASONS, now=now)
        going = await self._rows.going(now=now)
        staying = await self._rows.staying(now=now)
        pictures = 0
        if span.data is Kept.PASSAGES:
            pictures = await self._rows.release_pictures(span, now=now)
        record = None
        if going.erased:
            way = await self._erase(span, staying, now=now)
            await self._ids.forget_judged(now=now)
            record = await self._record(span, going, staying, way=way, pictures=pictures, now=now)
        again_at = min([now + JUDGED_AGAIN_AFTER, *(each.first_goes_at for each in staying)])
        await self._rows.note_judged(span, next_at=again_at, now=now)
        return record

    async def due_closed(self, data: Kept, *, now: datetime) -> int:
        """How many rows are due of what is kept from its closing on."""
        return await self._closed.due(data, now=now)

    async def judge_closed(self, data: Kept, *, now: datetime) -> ErasureRecord | None:
        """Erase rows whose closing is long enough ago, some at a time, and put it on record.

        Returns:
            The record; ``None`` when nothing is due.

        Raises:
            SigningKeyError: The key is missing or unfit.
            TypesettingError: The paper can't be made.
        """
        span = await self._closed.judge(data, now=now)
        if span is None:
            return None
        going = await self._rows.going(now=now)
        staying = await self._rows.staying(now=now)
        await self._closed.erase(data, now=now)
        return await self._record(span, going, staying, way=Way.DELETED, pictures=0, now=now)

    async def erase_lone_sightings(self, *, now: datetime) -> int:
        """Erase sightings that no alert has and whose time is over; returns how many."""
        return await self._closed.erase_lone_sightings(now=now)

    async def release_strays(self, *, now: datetime) -> int:
        """Have pictures erased that no passage ever named; returns how many."""
        return await self._rows.release_strays(old_before=self._old_before(now), now=now)

    def _old_before(self, now: datetime) -> datetime:
        return now - self._periods[Purpose.UNMATCHED]

    async def _erase(self, span: Span, staying: Sequence[Staying], *, now: datetime) -> Way:
        if sum(each.rows_kept for each in staying) <= self._staying_max:
            await self._rows.drop(span, now=now)
            return Way.DROPPED
        await self._rows.delete(span, now=now)
        return Way.DELETED

    async def _record(
        self,
        span: Span,
        going: Going,
        staying: Sequence[Staying],
        *,
        way: Way,
        pictures: int,
        now: datetime,
    ) -> ErasureRecord:
        record = ErasureRecord(
            id=uuid4(),
            made_at=now,
            data=span.data,
            since=span.since,
            until=span.until,
            way=way,
            erased=going.erased,
            pictures=pictures,
            kept={Purpose(each.purpose): each.rows_kept for each in staying},
            periods={each: self._periods[each] for each in PURPOSES[span.data]},
            ids_sha256=going.ids_sha256,
        )
        await self._audit.record(_entry(record, self._actor))
        head = await self._audit.head()
        paper = await self._documents.give_out(
            Subject(kind=SubjectKind.RETENTION, id=str(record.id)),
            _values(record, self._office, chain_head=f"{head.position}:{head.hash.hex()}"),
            now=now,
            key=self._key,
        )
        await self._rows.add_record(record, paper.document.id)
        return record


class RecordDesk:
    """What the data-protection officer reads of erasures."""

    def __init__(self, connection: AsyncConnection, *, user: User) -> None:
        self._rows = KeepingRepository(connection)
        self._documents = DocumentService(connection)
        self._user = user

    async def page(self, *, before: RecordCursor | None, size: int) -> RecordPage:
        """Records, newest first.

        Raises:
            PermissionDeniedError: The user may not.
        """
        self._user.require(Permission.PROTECT_DATA)
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._rows.records(before=before, limit=limit + 1)
        shown = found[:limit]
        last = shown[-1] if len(found) > limit else None
        return RecordPage(
            records=tuple(shown),
            next=RecordCursor(made_at=last.made_at, id=last.id) if last else None,
        )

    async def paper(self, record_id: UUID) -> bytes:
        """The paper of a record as PDF.

        Raises:
            PermissionDeniedError: The user may not.
            ErasureRecordNotFoundError: There is none.
        """
        self._user.require(Permission.PROTECT_DATA)
        document = await self._rows.paper(record_id)
        if document is None:
            raise ErasureRecordNotFoundError(record_id)
        return await self._documents.content(document)


def _entry(record: ErasureRecord, actor: Actor) -> AuditEntry:
    """The erasure as the audit log has it."""
    return AuditEntry(
        occurred_at=record.made_at,
        actor=actor,
        action="rows_erased_by_date",
        subject_kind="erasure",
        subject_id=str(record.id),
        detail={
            "data": record.data.value,
            "since": record.since.isoformat(),
            "until": record.until.isoformat(),
            "erased": record.erased,
            "pictures": record.pictures,
            "kept": {purpose.value: rows for purpose, rows in record.kept.items()},
            "ids_sha256": record.ids_sha256,
        },
    )


def _values(record: ErasureRecord, office: OfficeSettings, *, chain_head: str) -> RetentionValues:
    """What stands on the paper."""
    return RetentionValues(
        issuer=Issuer(authority=office.authority, office=office.name, place=office.place),
        code=str(record.id),
        data=record.data.value,
        since=record.since,
        until=record.until,
        erased=record.erased,
        pictures=record.pictures,
        kept=tuple(
            KeptLine(purpose=purpose.value, rows=record.kept.get(purpose, 0), keep=keep)
            for purpose, keep in record.periods.items()
        ),
        ids_sha256=record.ids_sha256,
        chain_head=chain_head,
        issued_at=record.made_at,
    )
