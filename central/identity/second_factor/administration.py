# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who must have a second factor, and what is done for somebody who lost it."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.errors import UserNotFoundError
from central.identity.errors import (
    IdentityProofMissingError,
    OwnAccountError,
    RoleNotAssignableError,
)
from central.identity.permissions import PEOPLES_ROLES, Permission, Role
from central.identity.repository import IdentityRepository
from central.identity.second_factor.repository import FactorRepository
from central.identity.second_factor.types import FactorOverview
from central.identity.sessions.repository import SessionRepository
from central.identity.types import User

USER_SUBJECT: Final = "user"
ROLE_SUBJECT: Final = "role"
COMMAND: Final = "luuthong second-factor"
PROOF_LENGTH_MIN: Final = 10
PROOF_LENGTH_MAX: Final = 200
ADVISED_ROLES: Final = (Role.ADMINISTRATOR, Role.APPROVER, Role.DATA_PROTECTION_OFFICER)
"""Roles whose stolen account does most harm: they give rights, decide, or read who looked."""


class FactorAdministration:
    """What an administrator does with second factors of others, in the caller's transaction.

    Args:
        actor: Whoever acts, for the audit log.
        user: The signed-in administrator; ``None`` for a command at the server. Every method
            raises ``PermissionDeniedError`` when that user may not manage users.
    """

    def __init__(
        self, connection: AsyncConnection, *, actor: Actor, user: User | None = None
    ) -> None:
        self._accounts = IdentityRepository(connection)
        self._sessions = SessionRepository(connection)
        self._rows = FactorRepository(connection)
        self._audit = AuditService(connection)
        self._actor = actor
        self._user = user

    async def overview(self, user_id: int) -> FactorOverview:
        """What somebody has besides the password."""
        self._require()
        return await self._rows.overview(user_id)

    async def overview_of(self, username: str) -> FactorOverview:
        """The same, by name.

        Raises:
            UserNotFoundError: There is no such user.
        """
        self._require()
        account = await self._accounts.locked_account(username)
        if account is None:
            raise UserNotFoundError(username)
        return await self._rows.overview(account.user.id)

    async def roles(self) -> frozenset[Role]:
        """Roles whose holders must have a second factor."""
        self._require()
        return frozenset(Role(role) for role in await self._rows.roles_that_need())

    async def require_of(self, roles: Collection[Role], *, now: datetime) -> None:
        """Ask exactly these roles for a second factor; it holds from the next request on.

        Raises:
            RoleNotAssignableError: A role is for programs or for demonstrations.
        """
        self._require()
        for role in roles:
            if role not in PEOPLES_ROLES:
                raise RoleNotAssignableError(role)
        before, wanted = await self.roles(), frozenset(roles)
        for role in sorted(wanted - before):
            await self._rows.put_rule(role, needs_second_factor=True)
            await self._record_of_role("second_factor_required", role, now=now)
        for role in sorted(before - wanted):
            await self._rows.put_rule(role, needs_second_factor=False)
            await self._record_of_role("second_factor_waived", role, now=now)

    async def reset(self, username: str, *, proof: str, now: datetime) -> None:
        """Forget somebody's app, security keys and recovery codes and end every session of theirs.

        Args:
            username: Who lost the factor.
            proof: How somebody made sure that it is really that person who asks.
            now: Aware time.

        Raises:
            IdentityProofMissingError: The proof is too short to say anything, or too long.
            UserNotFoundError: There is no such user.
            OwnAccountError: It is the administrator's own account.
        """
        self._require()
        if self._user is not None and username == self._user.username:
            raise OwnAccountError
        told = proof.strip()
        if not PROOF_LENGTH_MIN <= len(told) <= PROOF_LENGTH_MAX:
            raise IdentityProofMissingError
        account = await self._accounts.locked_account(username)
        if account is None:
            raise UserNotFoundError(username)
        await self._rows.remove_all(account.user.id)
        await self._sessions.end_sessions_of(account.user.id)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action="second_factor_reset",
                subject_kind=USER_SUBJECT,
                subject_id=username,
                detail={"proof": told},
            )
        )

    def _require(self) -> None:
        """Stop unless this is a command at the server or an administrator."""
        if self._user is not None:
            self._user.require(Permission.MANAGE_USERS)

    async def _record_of_role(self, action: str, role: Role, *, now: datetime) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=ROLE_SUBJECT,
                subject_id=role,
                detail={},
            )
        )
