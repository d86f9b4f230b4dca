# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of users and sessions."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.domain.scope import Reach, SiteScope
from central.identity.permissions import Role
from central.identity.types import Account, User, UserOverview, UserState

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountRow:
    id: int
    username: str
    display_name: str
    role: str
    unit_id: str | None
    site_ids: list[str] | None
    password_hash: str = field(repr=False)
    enabled: bool
    failed_logins: int
    login_allowed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _OverviewRow:
    username: str
    display_name: str
    role: str
    enabled: bool
    last_login_at: datetime | None
    unit_id: str | None
    reach: str
    area_ids: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SessionRow:
    id: int
    username: str
    display_name: str
    role: str
    unit_id: str | None
    site_ids: list[str] | None
    last_used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session that is still good."""

    user: User
    last_used_at: datetime


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
            user=_user(row),
            password_hash=row.password_hash,
            enabled=row.enabled,
            failed_logins=row.failed_logins,
            login_allowed_at=row.login_allowed_at,
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

    async def replace_password(self, *, username: str, password_hash: str) -> int | None:
        """Set a password and return the user's id; ``None`` when there is no such user."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["update_password"],
                {"username": username, "password_hash": password_hash},
            )
            return await cursor.fetchone()

    async def users(self, *, limit: int) -> tuple[UserOverview, ...]:
        """Every user, by name."""
        async with self._connection.cursor(row_factory=class_row(_OverviewRow)) as cursor:
            await cursor.execute(QUERIES["select_users"], {"rows_max": limit})
            rows = await cursor.fetchall()
        return tuple(
            UserOverview(
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

    async def add_session(
        self, *, token_hash: bytes, user_id: int, now: datetime, expires_at: datetime
    ) -> None:
        """Open a session."""
        await self._connection.execute(
            QUERIES["insert_session"],
            {
                "token_hash": token_hash,
                "user_id": user_id,
                "now": now,
                "expires_at": expires_at,
            },
        )

    async def session(
        self, token_hash: bytes, *, now: datetime, used_after: datetime
    ) -> OpenSession | None:
        """A session that is still good."""
        async with self._connection.cursor(row_factory=class_row(_SessionRow)) as cursor:
            await cursor.execute(
                QUERIES["select_session_user"],
                {"token_hash": token_hash, "now": now, "used_after": used_after},
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        return OpenSession(user=_user(row), last_used_at=row.last_used_at)

    async def touch_session(self, token_hash: bytes, *, now: datetime) -> None:
        """Record that a session was used."""
        await self._connection.execute(
            QUERIES["touch_session"], {"token_hash": token_hash, "now": now}
        )

    async def end_session(self, token_hash: bytes) -> None:
        """End a session; an unknown one is fine."""
        await self._connection.execute(QUERIES["delete_session"], {"token_hash": token_hash})

    async def end_sessions_of(self, user_id: int) -> None:
        """End every session of a user."""
        await self._connection.execute(QUERIES["delete_sessions_of_user"], {"user_id": user_id})

    async def remove_dead_sessions(self, *, now: datetime, used_after: datetime) -> int:
        """Remove sessions that can't be used any more; returns how many."""
        cursor = await self._connection.execute(
            QUERIES["delete_dead_sessions"], {"now": now, "used_after": used_after}
        )
        return cursor.rowcount


def _user(row: _AccountRow | _SessionRow) -> User:
    """The user in a row."""
    sites = None if row.site_ids is None else frozenset(row.site_ids)
    return User(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        scope=SiteScope(site_ids=sites),
        unit_id=row.unit_id,
    )
