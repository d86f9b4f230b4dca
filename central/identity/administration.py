# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making users and changing what they may; every change is an act in the audit log."""

from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue
from central.errors import LastAdministratorError, UserNotFoundError
from central.identity.permissions import Role
from central.identity.repository import IdentityRepository
from central.identity.service import IdentityService
from central.identity.types import NewPassword, UserOverview, UserState

USERS_MAX: Final = 10_000
USER_SUBJECT: Final = "user"
COMMAND: Final = "luuthong user"
BOOTSTRAP_USERNAME: Final = "admin"
BOOTSTRAP_NAME: Final = "Quản trị viên"


class UserAdministration:
    """What an administrator at the server does with users, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, actor: Actor) -> None:
        self._rows = IdentityRepository(connection)
        self._identity = IdentityService(connection)
        self._audit = AuditService(connection)
        self._actor = actor

    async def users(self) -> tuple[UserOverview, ...]:
        """Every user, by name."""
        return await self._rows.users(limit=USERS_MAX)

    async def add(
        self, *, username: str, display_name: str, role: Role, now: datetime
    ) -> NewPassword:
        """Make a user with a generated password.

        Raises:
            InvalidUsernameError: The name holds other signs than a-z, 0-9, dot, hyphen, underscore.
            UserExistsError: The name is taken.
        """
        made = await self._identity.create_user(
            username=username, display_name=display_name, role=role, now=now
        )
        await self._record("user_added", username, now=now, detail={"role": role.value})
        return made

    async def switch(self, username: str, state: UserState, *, now: datetime) -> None:
        """Let a user in, or shut them out and end their sessions.

        Raises:
            UserNotFoundError: There is no such user.
            LastAdministratorError: Nobody could administrate any more.
        """
        if state is UserState.DISABLED:
            await self._require_another_administrator(username)
        user_id = await self._rows.switch(username, state)
        if user_id is None:
            raise UserNotFoundError(username)
        if state is UserState.DISABLED:
            await self._rows.end_sessions_of(user_id)
        await self._record(f"user_{state.value}", username, now=now, detail={})

    async def set_role(self, username: str, role: Role, *, now: datetime) -> None:
        """Give a user another role; open sessions have it from their next request on.

        Raises:
            UserNotFoundError: There is no such user.
            LastAdministratorError: Nobody could administrate any more.
        """
        if role is not Role.ADMINISTRATOR:
            await self._require_another_administrator(username)
        if await self._rows.set_role(username, role) is None:
            raise UserNotFoundError(username)
        await self._record("user_role_set", username, now=now, detail={"role": role.value})

    async def reset_password(self, username: str, *, now: datetime) -> NewPassword:
        """Generate a new password and end the user's sessions.

        Raises:
            UserNotFoundError: There is no such user.
        """
        made = await self._identity.reset_password(username)
        await self._record("password_reset", username, now=now, detail={})
        return made

    async def _require_another_administrator(self, username: str) -> None:
        if await self._rows.locked_administrators(limit=USERS_MAX) == (username,):
            raise LastAdministratorError(username)

    async def _record(
        self, action: str, username: str, *, now: datetime, detail: dict[str, JsonValue]
    ) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=USER_SUBJECT,
                subject_id=username,
                detail=detail,
            )
        )


async def create_bootstrap_administrator(
    info: str, *, username: str = BOOTSTRAP_USERNAME, now: datetime
) -> NewPassword:
    """Make an administrator from a command; connects, commits and closes by itself.

    Args:
        info: Connection string of the driver.
        username: Name of the administrator.
        now: Aware time.

    Raises:
        InvalidUsernameError: The name holds a sign that it must not.
        UserExistsError: The name is taken.
    """
    async with await AsyncConnection.connect(info) as connection:
        return await UserAdministration(connection, actor=Actor.command(COMMAND)).add(
            username=username, display_name=BOOTSTRAP_NAME, role=Role.ADMINISTRATOR, now=now
        )


async def reset_password(info: str, *, username: str, now: datetime) -> NewPassword:
    """Give a user a new password from a command; connects, commits and closes by itself.

    Raises:
        UserNotFoundError: There is no such user.
    """
    async with await AsyncConnection.connect(info) as connection:
        people = UserAdministration(connection, actor=Actor.command(COMMAND))
        return await people.reset_password(username, now=now)
