# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which outside account opens whose account: linked by the user, or by an administrator."""

from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.errors import UserNotFoundError
from central.identity.errors import OwnAccountError
from central.identity.outside.errors import OutsideTakenError
from central.identity.outside.repository import OutsideRepository
from central.identity.outside.types import OutsideLink, OutsidePerson
from central.identity.permissions import Permission
from central.identity.types import User

USER_SUBJECT: Final = "user"


class OutsideLinks:
    """Links of accounts, in the caller's transaction; every change is an act in the audit log.

    Args:
        actor: Who acts, for the audit log.
        user: The same as a user; ``None`` for a command at the server.
    """

    def __init__(
        self, connection: AsyncConnection, *, actor: Actor, user: User | None = None
    ) -> None:
        self._rows = OutsideRepository(connection)
        self._audit = AuditService(connection)
        self._actor = actor
        self._user = user

    async def link_own(self, user: User, person: OutsidePerson, *, now: datetime) -> None:
        """Link the account of the user who came back from the provider.

        Raises:
            OutsideTakenError: The outside account or the user is linked already.
        """
        linked = await self._rows.link(
            user.id, issuer=person.issuer, subject=person.subject, now=now
        )
        if not linked:
            raise OutsideTakenError
        await self._record("outside_account_linked", user.username, now=now)

    async def unlink_own(self, user: User, *, now: datetime) -> None:
        """Take the outside account from the own account; sessions that it opened end."""
        if await self._rows.unlink(user.id):
            await self._record("outside_account_unlinked", user.username, now=now)

    async def link(self, username: str, *, issuer: str, subject: str, now: datetime) -> None:
        """Link somebody's account to a subject that the provider's administrator named.

        Raises:
            UserNotFoundError: There is no such user.
            OwnAccountError: It is the administrator's own account.
            OutsideTakenError: The outside account or the user is linked already.
        """
        user_id = await self._somebody(username)
        if not await self._rows.link(user_id, issuer=issuer, subject=subject, now=now):
            raise OutsideTakenError
        await self._record("outside_account_linked", username, now=now)

    async def unlink(self, username: str, *, now: datetime) -> None:
        """Take outside accounts from somebody; sessions that they opened end.

        Raises:
            UserNotFoundError: There is no such user.
            OwnAccountError: It is the administrator's own account.
        """
        user_id = await self._somebody(username)
        if await self._rows.unlink(user_id):
            await self._record("outside_account_unlinked", username, now=now)

    async def of(self, user_id: int, *, issuer: str) -> OutsideLink | None:
        """The outside account that opens a user's account; the caller may see that user."""
        return await self._rows.link_of(user_id, issuer=issuer)

    async def _somebody(self, username: str) -> int:
        """Somebody else's account, for an administrator or a command at the server."""
        if self._user is not None:
            self._user.require(Permission.MANAGE_USERS)
            if self._user.username == username:
                raise OwnAccountError
        user_id = await self._rows.user_id(username)
        if user_id is None:
            raise UserNotFoundError(username)
        return user_id

    async def _record(self, action: str, username: str, *, now: datetime) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=USER_SUBJECT,
                subject_id=username,
            )
        )
