# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making users and changing what they may; every change is an act in the audit log."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue
from central.domain.scope import Reach
from central.errors import LastAdministratorError, UserNotFoundError
from central.identity.areas.repository import AreaRepository
from central.identity.errors import (
    AreaNotFoundError,
    OwnAccountError,
    RoleNotAssignableError,
    UnitNotFoundError,
)
from central.identity.permissions import PEOPLES_ROLES, Permission, Role
from central.identity.repository import IdentityRepository
from central.identity.service import IdentityService
from central.identity.sessions.repository import SessionRepository
from central.identity.types import (
    NewPassword,
    PasswordLife,
    User,
    UserOverview,
    UserPage,
    UserState,
)

USER_SUBJECT: Final = "user"
USERS_MAX: Final = 10_000
COMMAND: Final = "luuthong user"
BOOTSTRAP_USERNAME: Final = "admin"
BOOTSTRAP_NAME: Final = "Quản trị viên"


class UserAdministration:
    """What an administrator does with users, in the caller's transaction.

    Args:
        actor: Whoever acts, for the audit log.
        user: The signed-in administrator; ``None`` for a command at the server. Every method
            raises ``PermissionDeniedError`` when that user may not manage users.
    """

    def __init__(
        self, connection: AsyncConnection, *, actor: Actor, user: User | None = None
    ) -> None:
        self._rows = IdentityRepository(connection)
        self._sessions = SessionRepository(connection)
        self._areas = AreaRepository(connection)
        self._identity = IdentityService(connection)
        self._audit = AuditService(connection)
        self._actor = actor
        self._user = user

    async def users(self) -> tuple[UserOverview, ...]:
        """Every user, by name."""
        self._require()
        return await self._rows.users(limit=USERS_MAX)

    async def page(self, *, wanted: str | None, after_id: int | None, size: int) -> UserPage:
        """Some users by name.

        Args:
            wanted: Part of a user name or of a shown name; ``None`` for every user.
            after_id: User after whom the page begins; ``None`` for the beginning.
            size: Most users of the page.
        """
        self._require()
        rows = await self._rows.users(limit=size + 1, wanted=wanted, after_id=after_id)
        shown = rows[:size]
        return UserPage(users=shown, next_after=shown[-1].id if len(rows) > size else None)

    async def user(self, user_id: int) -> UserOverview:
        """One user.

        Raises:
            UserNotFoundError: There is no such user.
        """
        self._require()
        for found in await self._rows.users(limit=1, user_id=user_id):
            return found
        raise UserNotFoundError(str(user_id))

    async def add(
        self,
        *,
        username: str,
        display_name: str,
        role: Role,
        life: PasswordLife = PasswordLife.FIRST,
        now: datetime,
    ) -> NewPassword:
        """Make a user with a generated password, which the user must replace at first.

        Raises:
            RoleNotAssignableError: The role is for programs or for demonstrations.
            InvalidUsernameError: The name holds other signs than a-z, 0-9, dot, hyphen, underscore.
            UserExistsError: The name is taken.
        """
        self._require()
        _require_peoples_role(role)
        return await self.add_with_role(
            username=username, display_name=display_name, role=role, life=life, now=now
        )

    async def add_with_role(
        self,
        *,
        username: str,
        display_name: str,
        role: Role,
        life: PasswordLife,
        now: datetime,
    ) -> NewPassword:
        """Make a user with any role: only for what a local stack makes by itself.

        Raises:
            InvalidUsernameError: The name holds other signs than a-z, 0-9, dot, hyphen, underscore.
            UserExistsError: The name is taken.
        """
        self._require()
        made = await self._identity.create_user(
            username=username, display_name=display_name, role=role, life=life, now=now
        )
        await self._record("user_added", username, now=now, detail={"role": role.value})
        return made

    async def switch(self, username: str, state: UserState, *, now: datetime) -> None:
        """Let a user in, or shut them out and end their sessions.

        Raises:
            UserNotFoundError: There is no such user.
            LastAdministratorError: Nobody could administrate any more.
            OwnAccountError: It is the administrator's own account.
        """
        self._require(of=username)
        if state is UserState.DISABLED:
            await self._require_another_administrator(username)
        user_id = await self._rows.switch(username, state)
        if user_id is None:
            raise UserNotFoundError(username)
        if state is UserState.DISABLED:
            await self._sessions.end_sessions_of(user_id)
        await self._record(f"user_{state.value}", username, now=now, detail={})

    async def set_role(self, username: str, role: Role, *, now: datetime) -> None:
        """Give a user another role; open sessions have it from their next request on.

        Raises:
            UserNotFoundError: There is no such user.
            LastAdministratorError: Nobody could administrate any more.
            RoleNotAssignableError: The role is for programs or for demonstrations.
            OwnAccountError: It is the administrator's own account.
        """
        self._require(of=username)
        _require_peoples_role(role)
        if role is not Role.ADMINISTRATOR:
            await self._require_another_administrator(username)
        if await self._rows.set_role(username, role) is None:
            raise UserNotFoundError(username)
        await self._record("user_role_set", username, now=now, detail={"role": role.value})

    async def place(
        self,
        username: str,
        *,
        unit_id: str | None,
        reach: Reach,
        area_ids: Collection[str],
        now: datetime,
    ) -> None:
        """Say which unit a user belongs to and which sites the user sees.

        Open sessions see it at their next request, a live page when it comes back.

        Raises:
            UserNotFoundError: There is no such user.
            UnitNotFoundError: There is no such unit.
            AreaNotFoundError: One of the areas does not exist.
            OwnAccountError: It is the administrator's own account.
        """
        self._require(of=username)
        if unit_id is not None and not await self._areas.hold_unit(unit_id):
            raise UnitNotFoundError(unit_id)
        for missing in await self._areas.missing_areas(area_ids):
            raise AreaNotFoundError(missing)
        placed = await self._rows.place(
            username, unit_id=unit_id, reach=reach, area_ids=set(area_ids)
        )
        if placed is None:
            raise UserNotFoundError(username)
        detail: dict[str, JsonValue] = {
            "unit": unit_id,
            "reach": reach.value,
            "areas": [*sorted(area_ids)],
        }
        await self._record("user_placed", username, now=now, detail=detail)

    async def reset_password(
        self, username: str, *, life: PasswordLife = PasswordLife.FIRST, now: datetime
    ) -> NewPassword:
        """Generate a new password, which the user must replace, and end the user's sessions.

        Raises:
            UserNotFoundError: There is no such user.
        """
        self._require()
        made = await self._identity.reset_password(username, life=life, now=now)
        await self._record("password_reset", username, now=now, detail={})
        return made

    def _require(self, *, of: str | None = None) -> None:
        """Stop unless this is a command at the server or an administrator of somebody else."""
        if self._user is None:
            return
        self._user.require(Permission.MANAGE_USERS)
        if of == self._user.username:
            raise OwnAccountError

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


def _require_peoples_role(role: Role) -> None:
    """Stop at roles of programs and of demonstrations."""
    if role not in PEOPLES_ROLES:
        raise RoleNotAssignableError(role)


async def create_bootstrap_administrator(
    info: str,
    *,
    username: str = BOOTSTRAP_USERNAME,
    role: Role = Role.ADMINISTRATOR,
    life: PasswordLife = PasswordLife.FIRST,
    now: datetime,
) -> NewPassword:
    """Make an administrator from a command; connects, commits and closes by itself.

    Args:
        info: Connection string of the driver.
        username: Name of the administrator.
        role: A local stack makes a demonstrator, who may do and see everything.
        life: Whether the password must be replaced.
        now: Aware time.

    Raises:
        InvalidUsernameError: The name holds a sign that it must not.
        UserExistsError: The name is taken.
    """
    async with await AsyncConnection.connect(info) as connection:
        return await UserAdministration(connection, actor=Actor.command(COMMAND)).add_with_role(
            username=username, display_name=BOOTSTRAP_NAME, role=role, life=life, now=now
        )


async def reset_password(
    info: str, *, username: str, life: PasswordLife = PasswordLife.FIRST, now: datetime
) -> NewPassword:
    """Give a user a new password from a command; connects, commits and closes by itself.

    Raises:
        UserNotFoundError: There is no such user.
    """
    async with await AsyncConnection.connect(info) as connection:
        people = UserAdministration(connection, actor=Actor.command(COMMAND))
        return await people.reset_password(username, life=life, now=now)
