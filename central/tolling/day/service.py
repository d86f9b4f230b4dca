# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closing a station's day (NĐ 119/2024/NĐ-CP Art. 16), and looking at closed days."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.domain.local_time import local_date, start_of_local_day
from central.domain.scope import SiteScope
from central.identity.permissions import Permission
from central.identity.types import User
from central.ledger.service import LedgerService
from central.ledger.types import SealReach
from central.tolling.day.comparing import compare
from central.tolling.day.errors import (
    FileFault,
    FileProblem,
    ProviderFileError,
    StationNotFoundError,
    TollDayNotFoundError,
    TollDayNotOverError,
)
from central.tolling.day.repository import TollDayRepository
from central.tolling.day.types import (
    ChainEnd,
    Closed,
    ClosingMode,
    CrossingProof,
    DayCursor,
    DayDetail,
    DayFigures,
    DayKey,
    DayPage,
    DayPageRequest,
    DayReport,
    Difference,
    ProviderFile,
    ProviderSum,
    StoredFile,
)

CLOSED_ACTION: Final = "toll_day_closed"
SUBJECT: Final = "toll_day"
SEAL_BATCHES_MAX: Final = 1000


class TollDayService:
    """What can be done with days, in the caller's transaction.

    ``user`` is ``None`` at the server's command line, which may do everything.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = TollDayRepository(connection)
        self._ledger = LedgerService(connection)
        self._audit = AuditService(connection)

    async def preview(self, key: DayKey, *, user: User | None, now: datetime) -> DayReport:
        """A day as it stands, without closing it.

        Raises:
            PermissionDeniedError: The user may not see tolls.
            StationNotFoundError: No such station, or it lies outside the user's scope.
            TollDayNotOverError: The day has not begun.
        """
        scope = _scope(user, Permission.SEE_TOLLS)
        name = await self._station_name(key, scope)
        if now < start_of_local_day(key.day):
            raise TollDayNotOverError(key.day, has_begun=False)
        report, _ = await self._report(key, station_name=name, now=now)
        return report

    async def close(
        self,
        key: DayKey,
        *,
        file: ProviderFile | None = None,
        mode: ClosingMode = ClosingMode.WHOLE_DAY,
        user: User | None,
        actor: Actor,
        now: datetime,
    ) -> Closed:
        """Close a day; again, it makes a new revision if anything is different.

        Args:
            key: Station and day.
            file: A provider's file to compare with from now on; earlier ones of other providers
                stay in force.
            mode: Whether the day that still runs may be closed, too.
            user: Who closes.
            actor: The same, as the audit log names them.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not close days.
            StationNotFoundError: No such station, or it lies outside the user's scope.
            TollDayNotOverError: The day has not begun, or still runs.
            ProviderFileError: The file speaks of another station or day.
        """
        scope = _scope(user, Permission.CLOSE_TOLL_DAYS)
        name = await self._station_name(key, scope)
        _check_time(key, mode=mode, now=now)
        await self._rows.lock(key)
        if file is not None:
            await self._keep(key, file, now=now)
        # What is closed is chained, so that the end of the chain proves this day.
        for _ in range(SEAL_BATCHES_MAX):
            if not await self._ledger.seal(now=now, reach=SealReach.EVERYTHING):
                break
        report, files = await self._report(key, station_name=name, now=now)
        last = await self._rows.revisions(key, limit=1)
        if last and last[0].figures.contents_sha256 == report.figures.contents_sha256:
            return Closed(day=last[0], report=report, is_new=False)
        revision = last[0].revision + 1 if last else 1
        day_id = await self._rows.add_day(
            report, revision=revision, files=files, closed_by=actor.name, now=now
        )
        await self._write_down(day_id, report, revision=revision, actor=actor, now=now)
        day = await self._rows.day(day_id, scope)
        if day is None:
            raise RuntimeError("a day that was just written is there")
        return Closed(day=day, report=report, is_new=True)

    async def days(self, page: DayPageRequest, *, user: User) -> DayPage:
        """Newest revisions of closed days, newest day first.

        Raises:
            PermissionDeniedError: The user may not see tolls.
        """
        scope = _scope(user, Permission.SEE_TOLLS)
        found = await self._rows.days(after=page.after, scope=scope, limit=page.size + 1)
        days = tuple(found[: page.size])
        last = days[-1].key if len(found) > page.size else None
        return DayPage(
            days=days,
            next=DayCursor(day=last.day, station_id=last.station_id) if last else None,
        )

    async def day(self, day_id: UUID, *, user: User) -> DayDetail:
        """One revision of a closed day.

        Raises:
            PermissionDeniedError: The user may not see tolls.
            TollDayNotFoundError: No such day, or it lies outside the user's scope.
        """
        scope = _scope(user, Permission.SEE_TOLLS)
        day = await self._rows.day(day_id, scope)
        if day is None:
            raise TollDayNotFoundError(day_id)
        return DayDetail(
            day=day,
            differences=tuple(await self._rows.differences(day_id)),
            revisions=tuple(await self._rows.revisions(day.key)),
        )

    async def providers(self, *, user: User) -> tuple[str, ...]:
        """Payment providers that ever put money on an account, by name.

        Raises:
            PermissionDeniedError: The user may not close days.
        """
        user.require(Permission.CLOSE_TOLL_DAYS)
        return tuple(await self._rows.providers())

    async def proof(self) -> CrossingProof:
        """Compare every crossing with the ledger; for the command line."""
        return await self._rows.proof()

    async def _station_name(self, key: DayKey, scope: SiteScope) -> str:
        name = await self._rows.station_name(key.station_id, scope)
        if name is None:
            raise StationNotFoundError(key.station_id)
        return name

    async def _keep(self, key: DayKey, file: ProviderFile, *, now: datetime) -> None:
        """Keep a file, unless it speaks of crossings of another station or day."""
        foreign = await self._rows.foreign(key, file.rows)
        if foreign:
            problems = tuple(
                FileProblem(
                    line=row.line,
                    fault=FileFault.OTHER_CROSSING,
                    what=(
                        f"the crossing belongs to station {found.station_id}"
                        f" and day {found.booked_on}"
                    ),
                )
                for row in file.rows
                if (found := foreign.get(row.crossing_id)) is not None
            )
            raise ProviderFileError(problems, problems_count=len(problems))
        await self._rows.keep_file(key, file, now=now)

    async def _report(
        self, key: DayKey, *, station_name: str, now: datetime
    ) -> tuple[DayReport, Sequence[StoredFile]]:
        """Figures and differences as they stand, and the files they rest on."""
        figures = await self._rows.figures(key)
        files = await self._rows.files(key)
        differences: list[Difference] = []
        for file in files:
            differences.extend(
                compare(
                    await self._rows.charges(key, file.provider),
                    await self._rows.file_rows(file.id),
                    provider=file.provider,
                )
            )
        end = await self._ledger.chain_end()
        is_over = _is_over(key, now)
        report = DayReport(
            key=key,
            station_name=station_name,
            is_over=is_over,
            figures=_with_files(figures, files, is_over=is_over),
            differences=tuple(differences),
            chain=ChainEnd(position=end.position, hash=end.hash.hex()),
        )
        return report, files

    async def _write_down(
        self, day_id: UUID, report: DayReport, *, revision: int, actor: Actor, now: datetime
    ) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action=CLOSED_ACTION,
                subject_kind=SUBJECT,
                subject_id=str(day_id),
                detail={
                    "station": report.key.station_id,
                    "day": report.key.day.isoformat(),
                    "revision": revision,
                    "charged_dong": report.figures.charged_dong,
                    "ledger_dong": report.figures.ledger.charged_dong,
                    "differences": len(report.differences),
                },
            )
        )


def _scope(user: User | None, permission: Permission) -> SiteScope:
    """What the caller may see, after asking for the permission."""
    if user is None:
        return SiteScope.everything()
    user.require(permission)
    return user.scope


def _is_over(key: DayKey, now: datetime) -> bool:
    return now >= start_of_local_day(key.day) + timedelta(days=1)


def _check_time(key: DayKey, *, mode: ClosingMode, now: datetime) -> None:
    """Refuse a day that lies ahead, and one that still runs unless that is wanted."""
    has_begun = key.day <= local_date(now)
    if not has_begun or (mode is ClosingMode.WHOLE_DAY and not _is_over(key, now)):
        raise TollDayNotOverError(key.day, has_begun=has_begun)


def _with_files(figures: DayFigures, files: Sequence[StoredFile], *, is_over: bool) -> DayFigures:
    """Figures with what the files say; files and the day's end are contents, too."""
    by_provider = {each.provider: each for each in figures.by_provider}
    for file in files:
        known = by_provider.get(
            file.provider, ProviderSum(provider=file.provider, charged=0, charged_dong=0)
        )
        by_provider[file.provider] = replace(
            known, file_name=file.name, file_rows=file.rows, file_dong=file.amount_dong
        )
    digest = hashlib.sha256(figures.contents_sha256)
    digest.update(b"over" if is_over else b"so far")
    for file in files:
        digest.update(f"\n{file.provider} {file.sha256}".encode())
    return replace(
        figures,
        by_provider=tuple(by_provider[name] for name in sorted(by_provider)),
        contents_sha256=digest.digest(),
    )
