# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stating what a day's ledger says: a signed file and a signed paper, kept for ever.

The signed file is the statement; the paper shows it to people and names the file's hash. A later
statement about the same day names the hash of the one that it supersedes; nothing is overwritten.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.audit.signatures import signer_name
from central.completeness.errors import DayNotOverError, StatementNotFoundError
from central.completeness.repository import CompletenessRepository
from central.completeness.service import read_ledger
from central.completeness.statement import (
    Figures,
    StatedGap,
    StatedRow,
    Statement,
    file_of,
    read_file,
    sha256_of,
)
from central.completeness.statement_rows import (
    KeptStatement,
    StatementCursor,
    StatementRepository,
)
from central.completeness.types import PAGE_SIZE_MAX, LedgerCursor
from central.documents.service import DocumentService
from central.documents.signing import house_key
from central.documents.statement_values import (
    DEVICES_MAX,
    GAPS_MAX,
    CompletenessValues,
    DeviceLine,
    GapLine,
    NumbersLine,
)
from central.documents.types import SigningKey, Subject, SubjectKind
from central.documents.values import Issuer
from central.documents.wording import whole_number
from central.domain.local_time import local_date
from central.domain.scope import SiteScope
from central.errors import PermissionDeniedError
from central.identity.permissions import Permission
from central.identity.types import User
from central.settings import OfficeSettings

RESTATED_OVER: Final = timedelta(days=7)
"""Days that are stated again when late data changed them. Higher: more statements are looked at."""

ROWS_MAX: Final = DEVICES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """Statements, newest first; ``next`` leads on, ``None`` at the end."""

    statements: tuple[KeptStatement, ...]
    next: StatementCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A statement that is there now, and whether it was made just now."""

    statement: KeptStatement
    is_new: bool


class StatementMaker:
    """Makes statements, in the caller's transaction: a job or a command."""

    def __init__(
        self, connection: AsyncConnection, *, office: OfficeSettings, key: SigningKey | None
    ) -> None:
        self._ledger = CompletenessRepository(connection)
        self._rows = StatementRepository(connection)
        self._documents = DocumentService(connection)
        self._office = office
        self._key = key

    async def due(self, *, now: datetime) -> Sequence[date]:
        """Days of the last week about which something may have to be stated; always yesterday."""
        today = local_date(now)
        found = await self._rows.days_with_events(first_day=today - RESTATED_OVER, today=today)
        return sorted({*found, today - timedelta(days=1)})

    async def state(self, day: date, *, maker: str, now: datetime) -> Stated:
        """State what the ledger of a day says, unless its newest statement says the same.

        Args:
            day: A day that is over, in Vietnam.
            maker: Who does it, as it stands in the statement.
            now: Aware time.

        Raises:
            DayNotOverError: The day goes on.
            SigningKeyError: The key is missing or unfit.
            TypesettingError: The paper can't be made.
        """
        if day >= local_date(now):
            raise DayNotOverError(day)
        await self._rows.lock(day)
        rows = await self._stated_rows(day, now=now)
        newest = next(iter(await self._rows.list(day=day, before=None, limit=1)), None)
        statement = Statement(
            day=day,
            revision=newest.revision + 1 if newest is not None else 1,
            made_at=now,
            made_by=maker,
            supersedes=newest.content_sha256 if newest is not None else None,
            figures=sum((row.figures for row in rows), Figures()),
            devices=rows,
        )
        if newest is not None and await self._says_the_same(newest, statement):
            return Stated(statement=newest, is_new=False)
        return Stated(statement=await self._keep(statement, now=now), is_new=True)

    async def files(self, kept: KeptStatement) -> tuple[bytes, bytes]:
        """Signed file and paper of a statement."""
        return (
            await self._rows.content(kept),
            await self._documents.content(kept.document_id),
        )

    async def _says_the_same(self, newest: KeptStatement, statement: Statement) -> bool:
        """Whether another statement would say nothing new; a signature that was missing is new."""
        if self._key is not None and newest.signed_by is None:
            return False
        return statement.says_the_same(read_file(await self._rows.content(newest)))

    async def _keep(self, statement: Statement, *, now: datetime) -> KeptStatement:
        house = await asyncio.to_thread(house_key, self._key) if self._key is not None else None
        content = await asyncio.to_thread(file_of, statement, house)
        paper = await self._documents.give_out(
            Subject(kind=SubjectKind.COMPLETENESS, id=statement.day.isoformat()),
            _values(statement, content, issuer=_issuer(self._office)),
            now=now,
            key=self._key,
        )
        return await self._rows.add(
            statement,
            content,
            signed_by=signer_name(house.certificate_pem) if house is not None else None,
            paper=paper.document,
        )

    async def _stated_rows(self, day: date, *, now: datetime) -> tuple[StatedRow, ...]:
        """Every row of the day's ledger, of the whole province."""
        rows = list[StatedRow]()
        place: LedgerCursor | None = None
        while True:
            page = await read_ledger(
                self._ledger,
                SiteScope.everything(),
                day,
                after=place,
                size=PAGE_SIZE_MAX,
                now=now,
            )
            rows.extend(map(StatedRow.of, page.rows))
            if page.next is None:
                return tuple(rows)
            place = page.next


class StatementDesk:
    """What a user may read of statements; they are about the whole province, all or nothing."""

    def __init__(self, connection: AsyncConnection, *, user: User) -> None:
        self._rows = StatementRepository(connection)
        self._documents = DocumentService(connection)
        self._user = user

    @property
    def may_read(self) -> bool:
        """Whether the user sees devices, and the whole province."""
        return self._user.may(Permission.SEE_DEVICES) and self._user.scope.site_ids is None

    async def page(
        self, *, day: date | None, before: StatementCursor | None, size: int
    ) -> StatementPage:
        """Statements, newest day and revision first.

        Args:
            day: Only about this day; ``None`` for all.
            before: Where to go on; ``None`` for the newest.
            size: Most statements of the page.

        Raises:
            PermissionDeniedError: The user may not.
        """
        self._require()
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._rows.list(day=day, before=before, limit=limit + 1)
        shown = found[:limit]
        last = shown[-1] if len(found) > limit else None
        return StatementPage(
            statements=tuple(shown),
            next=StatementCursor(day=last.day, revision=last.revision) if last else None,
        )

    async def file(self, day: date, *, revision: int | None) -> tuple[KeptStatement, bytes]:
        """The signed file; the newest when no revision is named.

        Raises:
            PermissionDeniedError: The user may not.
            StatementNotFoundError: Nothing was stated about the day, or not so often.
        """
        kept = await self._one(day, revision=revision)
        return kept, await self._rows.content(kept)

    async def paper(self, day: date, *, revision: int | None) -> tuple[KeptStatement, bytes]:
        """The paper as PDF; raises as ``file`` does."""
        kept = await self._one(day, revision=revision)
        return kept, await self._documents.content(kept.document_id)

    async def _one(self, day: date, *, revision: int | None) -> KeptStatement:
        self._require()
        before = StatementCursor(day=day, revision=revision + 1) if revision is not None else None
        found = await self._rows.list(day=day, before=before, limit=1)
        if not found or (revision is not None and found[0].revision != revision):
            raise StatementNotFoundError(day)
        return found[0]

    def _require(self) -> None:
        self._user.require(Permission.SEE_DEVICES)
        if not self.may_read:
            raise PermissionDeniedError(
                username=self._user.username,
                role=self._user.role,
                permission=Permission.SEE_DEVICES,
            )


def _issuer(office: OfficeSettings) -> Issuer:
    return Issuer(authority=office.authority, office=office.name, place=office.place)


def _values(statement: Statement, content: bytes, *, issuer: Issuer) -> CompletenessValues:
    """What stands on the paper."""
    gaps = tuple(_gap_lines(statement))
    return CompletenessValues(
        issuer=issuer,
        day=statement.day,
        revision=statement.revision,
        total=_numbers_line(statement.figures),
        devices=tuple(
            DeviceLine(
                device=row.device_id,
                site=row.site_id,
                numbers=_numbers(row.first, row.last),
                figures=_numbers_line(row.figures),
            )
            for row in statement.devices[:ROWS_MAX]
        ),
        gaps=gaps[:GAPS_MAX],
        gaps_left_out=statement.figures.gaps - len(gaps[:GAPS_MAX]),
        file_sha256=sha256_of(content),
        issued_at=statement.made_at,
    )


def _gap_lines(statement: Statement) -> Iterator[GapLine]:
    for row in statement.devices:
        for gap in row.gaps:
            yield GapLine(
                device=row.device_id,
                numbers=_numbers(gap.first, gap.last),
                count=gap.last - gap.first + 1,
                explanation=_code(gap),
                since=gap.since,
            )


def _code(gap: StatedGap) -> str:
    return gap.loss.value if gap.loss is not None else gap.explanation.value


def _numbers_line(figures: Figures) -> NumbersLine:
    return NumbersLine(
        captured=figures.due,
        stored=figures.stored,
        waiting=figures.waiting,
        held_back=figures.held_back,
        lost=figures.lost,
    )


def _numbers(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return ""
    if first == last:
        return whole_number(first)
    return f"{whole_number(first)}…{whole_number(last)}"
