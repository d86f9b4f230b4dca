# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of users, and of addresses that logins failed from."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.domain.scope import Reach, SiteScope
from central.identity.permissions import Role
from central.identity.types import (
    Account,
    Duty,
    User,
    UserOverview,
    UserState,
)

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """What every row about somebody who comes in says of the user."""

    id: int
    username: str
    display_name: str
    role: str
    unit_id: str | None
    site_ids: list[str] | None
    first_password_until: datetime | None
    needs_second_factor: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountRow(UserRow):
    password_hash: str = field(repr=False)
    enabled: bool
    failed_logins: int
    login_allowed_at: datetime | None
    has_security_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _OverviewRow:
    id: int
    username: str
    display_name: str
    role: str
    enabled: bool
    last_login_at: datetime | None
    unit_id: str | None
    reach: str
    area_ids: list[str]


class IdentityRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_user(
        self,
        *,
        username: str,
        display_name: str,
        password_hash: str,
        role: Role,
        first_password_until: datetime | None,
        now: datetime,
    ) -> int | None:
        """Make a user and return its id; ``None`` when the name is taken."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_user"],
                {
                    "username": username,
                    "display_name": display_name,
                    "password_hash": password_hash,
                    "role": role.value,
                    "first_password_until": first_password_until,
                    "now": now,
                },
            )
            return await cursor.fetchone()

    async def locked_account(self, username: str) -> Account | None:
        """An account for a login; other logins to it wait until the transaction ends."""
        async with self._connection.cursor(row_factory=class_row(_AccountRow)) as cursor:
            await cursor.execute(QUERIES["lock_account"], {"username": username})
            row = await cursor.fetchone()
        if row is None:
            return None
        return Account(
            user=user_of_row(row),
            password_hash=row.password_hash,
            enabled=row.enabled,
            failed_logins=row.failed_logins,
            login_allowed_at=row.login_allowed_at,
            first_password_until=row.first_password_until,
            has_second_factor=row.has_second_factor,
            has_security_key=row.has_security_key,
        )

    async def record_failure(self, user_id: int, *, login_allowed_at: datetime) -> None:
        """Count a failed login."""
        await self._connection.execute(
            QUERIES["record_failure"],
            {"user_id": user_id, "login_allowed_at": login_allowed_at},
        )

    async def record_success(self, user_id: int, *, newer_hash: str | None, now: datetime) -> None:
        """Forget the failures; ``newer_hash`` replaces an outdated hash of the same password."""
        await self._connection.execute(
            QUERIES["record_success"], {"user_id": user_id, "newer_hash": newer_hash, "now": now}
        )

    async def refresh_hash(self, user_id: int, *, newer_hash: str) -> None:
        """Replace an outdated hash of the same password."""
        values = {"user_id": user_id, "newer_hash": newer_hash}
        await self._connection.execute(QUERIES["refresh_hash"], values)

    async def replace_password(
        self, *, username: str, password_hash: str, first_password_until: datetime | None
    ) -> int | None:
        """Set a password and return the user's id; ``None`` when there is no such user."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["update_password"],
                {
                    "username": username,
                    "password_hash": password_hash,
                    "first_password_until": first_password_until,
                },
            )
            return await cursor.fetchone()

    async def users(
        self,
        *,
        limit: int,
        wanted: str | None = None,
        after_id: int | None = None,
        user_id: int | None = None,
    ) -> tuple[UserOverview, ...]:
        """Users by name: all of them, or those whose name holds what is wanted."""
        async with self._connection.cursor(row_factory=class_row(_OverviewRow)) as cursor:
            await cursor.execute(
                QUERIES["select_users"],
                {"rows_max": limit, "wanted": wanted, "after_id": after_id, "user_id": user_id},
            )
            rows = await cursor.fetchall()
        return tuple(
            UserOverview(
                id=row.id,
                username=row.username,
                display_name=row.display_name,
                role=Role(row.role),
                state=UserState.ENABLED if row.enabled else UserState.DISABLED,
                last_login_at=row.last_login_at,
                unit_id=row.unit_id,
                reach=Reach(row.reach),
                area_ids=tuple(row.area_ids),
            )
            for row in rows
        )

    async def locked_administrators(self, *, limit: int) -> tuple[str, ...]:
        """Names of those who may administrate; they can't be changed until the transaction ends."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["lock_administrators"], {"rows_max": limit})
            return tuple(await cursor.fetchall())

    async def switch(self, username: str, state: UserState) -> int | None:
        """Let a user in or shut them out; ``None`` when there is no such user."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["switch_user"],
                {"username": username, "enabled": state is UserState.ENABLED},
            )
            return await cursor.fetchone()

    async def set_role(self, username: str, role: Role) -> int | None:
        """Give a user another role; ``None`` when there is no such user."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["update_role"], {"username": username, "role": role.value})
            return await cursor.fetchone()

    async def place(
        self, username: str, *, unit_id: str | None, reach: Reach, area_ids: Collection[str]
    ) -> int | None:
        """Say which sites a user sees; ``None`` when there is no such user."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["update_place"],
                {"username": username, "unit_id": unit_id, "reach": reach.value},
            )
            user_id: int | None = await cursor.fetchone()
            if user_id is None:
                return None
            await cursor.execute(QUERIES["delete_user_areas"], {"user_id": user_id})
            await cursor.execute(
                QUERIES["insert_user_areas"], {"user_id": user_id, "area_ids": sorted(area_ids)}
            )
        return user_id

    async def client_allowed_at(self, client: str) -> datetime | None:
        """Until when logins from an address wait; ``None`` when none failed there."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_client_delay"], {"client": client})
            return await cursor.fetchone()

    async def count_client_failure(
        self, client: str, *, now: datetime, forgotten_before: datetime
    ) -> int:
        """Count a failed login from an address; returns how many there were lately."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["count_client_failure"],
                {"client": client, "now": now, "forgotten_before": forgotten_before},
            )
            failures: int | None = await cursor.fetchone()
        return failures or 0

    async def delay_client(self, client: str, *, login_allowed_at: datetime) -> None:
        """Let logins from an address wait."""
        await self._connection.execute(
            QUERIES["delay_client"], {"client": client, "login_allowed_at": login_allowed_at}
        )

    async def forget_clients(self, *, before: datetime) -> None:
        """Forget addresses that failed long ago."""
        await self._connection.execute(QUERIES["delete_old_clients"], {"before": before})


def user_of_row(row: UserRow) -> User:
    """The user in a row."""
    sites = None if row.site_ids is None else frozenset(row.site_ids)
    return User(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        scope=SiteScope(site_ids=sites),
        unit_id=row.unit_id,
        duty=_duty(row),
    )


def _duty(row: UserRow) -> Duty | None:
    """What the user must do first: an own password, and then the second factor of the role."""
    if row.first_password_until is not None:
        return Duty.CHANGE_PASSWORD
    if row.needs_second_factor and not row.has_second_factor:
        return Duty.ADD_SECOND_FACTOR
    return None
