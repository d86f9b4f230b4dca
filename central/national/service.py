# SPDX-License-Identifier: AGPL-3.0-or-later
"""The national centre's side: sheets are taken from the provinces that they belong to, and shown.

A sheet is all figures of one kind for an hour or a day, and replaces the version before it. So the
same sheet again changes nothing, late data repair it, and an older version that was on its way for
long replaces nothing.
"""

from datetime import date, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.errors import IntegrityError

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.identity.permissions import Permission
from central.identity.types import User
from central.machines.types import ProgramUser
from central.national.errors import (
    ProvinceExistsError,
    ProvinceNotFoundError,
    ProvinceNotYoursError,
    SheetInvalidError,
)
from central.national.repository import NationalRepository
from central.national.types import (
    LAST_DAY,
    PAGE_SIZE_MAX,
    Acceptance,
    DayPage,
    ProvincePage,
    Sheet,
)

SKEW_MAX: Final = timedelta(minutes=5)
"""How far ahead of ours a province's clock may be. Higher: a version of the future would keep
right ones out for as long."""


class NationalService:
    """What a user may do with figures of provinces, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, user: User) -> None:
        self._rows = NationalRepository(connection)
        self._user = user

    async def accept(self, province: str, sheet: Sheet, *, now: datetime) -> Acceptance:
        """Take a sheet of the province that the calling program is bound to.

        Raises:
            PermissionDeniedError: The caller may not hand figures up.
            ProvinceNotYoursError: The caller is not bound to this province.
            SheetInvalidError: It is of the future, or its rows contradict themselves.
        """
        self._user.require(Permission.PUSH_NATIONAL)
        if not isinstance(self._user, ProgramUser) or not await self._rows.is_province_of(
            self._user.client_id, province
        ):
            raise ProvinceNotYoursError
        latest_at = now + SKEW_MAX
        if sheet.revised_at > latest_at or sheet.ends_at > latest_at:
            raise SheetInvalidError("future")
        held = await self._rows.locked_version(province, sheet)
        if held is not None and held.revised_at > sheet.revised_at:
            return Acceptance.SUPERSEDED
        if held is not None and held.content_sha256 == sheet.content_sha256:
            await self._rows.put_version(province, sheet, now=now)
            return Acceptance.UNCHANGED
        if held is not None and held.revised_at == sheet.revised_at:
            return Acceptance.SUPERSEDED
        try:
            await self._rows.replace_rows(province, sheet)
        except IntegrityError as error:
            raise SheetInvalidError("rows") from error
        await self._rows.put_version(province, sheet, now=now)
        return Acceptance.STORED

    async def provinces(self, day: date, *, after: str = "", size: int) -> ProvincePage:
        """Provinces by code, with what is held of one day in Vietnam.

        Args:
            day: Which day.
            after: Code after which the page begins; empty for the first page.
            size: Most provinces of the page.

        Raises:
            PermissionDeniedError: The user may not see figures of provinces.
        """
        self._user.require(Permission.SEE_NATIONAL)
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._rows.provinces(day, after=after, limit=limit + 1)
        shown = tuple(found[:limit])
        return ProvincePage(
            provinces=shown, next_after=shown[-1].code if len(found) > limit else None
        )

    async def days(self, province: str, *, before: date | None = None, size: int) -> DayPage:
        """Days of a province of which anything is held, the newest first.

        Raises:
            PermissionDeniedError: The user may not see figures of provinces.
            ProvinceNotFoundError: There is no such province.
        """
        self._user.require(Permission.SEE_NATIONAL)
        name = await self._rows.province_name(province)
        if name is None:
            raise ProvinceNotFoundError
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._rows.days(province, before=before or LAST_DAY, limit=limit + 1)
        shown = tuple(found[:limit])
        return DayPage(
            province=province,
            name=name,
            days=shown,
            next_before=shown[-1].day if len(found) > limit else None,
        )


async def add_province(
    connection: AsyncConnection,
    code: str,
    *,
    name: str,
    program: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Bind a program to a province, for ever: its keys may be renewed, its province stays.

    Raises:
        ProvinceExistsError: The province or the program is bound already, or there is no program.
    """
    is_new = await NationalRepository(connection).add_province(
        code, name=name, program=program, added_by=actor.name, now=now
    )
    if not is_new:
        raise ProvinceExistsError
    await AuditService(connection).record(
        AuditEntry(
            occurred_at=now,
            actor=actor,
            action="national_province_added",
            subject_kind="province",
            subject_id=code,
            detail={"program": program},
        )
    )
