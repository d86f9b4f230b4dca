# SPDX-License-Identifier: AGPL-3.0-or-later
"""Letting programs in by their keys, and making, rotating and revoking those.

A key is ``ltk_<prefix>_<secret>``. The prefix names it in lists and in the audit log; of the
secret, 256 random bits, only the SHA-256 is kept, which nobody can turn back or guess.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue
from central.identity.permissions import Permission, Role
from central.identity.types import User
from central.machines.errors import (
    ClientExistsError,
    ClientInvalidError,
    ClientNotFoundError,
    KeyBeyondMakerError,
    KeyExpiredError,
    KeyLimitError,
    KeyNotFoundError,
    KeyRevokedError,
    KeyUnknownError,
)
from central.machines.repository import MachineRepository
from central.machines.types import (
    GRANTABLE,
    KEYS_MAX,
    LIFETIME_MAX,
    NAME_LENGTH_MAX,
    OVERLAP_MAX,
    PURPOSE_LENGTH_MAX,
    SITES_MAX,
    ClientPage,
    MadeKey,
    NewClient,
    ProgramUser,
)

KEY_MARK: Final = "ltk"
"""First letters of every key, by which scanners of leaked secrets find it."""

PREFIX_BYTES: Final = 6
SECRET_BYTES: Final = 32
TOUCH_EVERY: Final = timedelta(minutes=1)
"""How exactly the last use is recorded; saves a write per request."""

PROGRAM_NAME_PREFIX: Final = "api:"
"""Stands before a program's name in histories, as no user's name can hold a colon."""

CLIENT_SUBJECT: Final = "api_client"
_KEY: Final = re.compile(rf"{KEY_MARK}_([0-9a-f]{{{PREFIX_BYTES * 2}}})_([A-Za-z0-9_-]{{43}})")
_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9-]{{1,{NAME_LENGTH_MAX - 1}}}")
_SITE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NO_HASH: Final = bytes(hashlib.sha256().digest_size)


class KeyService:
    """How a program's key becomes a user, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = MachineRepository(connection)

    async def program_of(self, key: str, *, now: datetime) -> ProgramUser:
        """The program that holds a key.

        Whether a key has expired or was revoked is told only to those who hold the whole of it.

        Raises:
            KeyUnknownError: There is no such key.
            KeyExpiredError: Its time is over.
            KeyRevokedError: Somebody revoked it.
        """
        parts = _KEY.fullmatch(key)
        if parts is None:
            raise KeyUnknownError
        row = await self._rows.key(parts[1])
        expected = row.secret_hash if row is not None else _NO_HASH
        is_right = hmac.compare_digest(expected, hash_of(parts[2]))
        if row is None or not is_right:
            raise KeyUnknownError
        if row.revoked_at is not None:
            raise KeyRevokedError
        if now >= row.expires_at:
            raise KeyExpiredError
        used_before = now - TOUCH_EVERY
        if row.last_used_at is None or row.last_used_at < used_before:
            await self._rows.touch(row.id, now=now, used_before=used_before)
        return ProgramUser(
            id=-row.client_id,  # users' ids are positive; ProgramUser turns it back
            username=f"{PROGRAM_NAME_PREFIX}{row.name}",
            display_name=row.name,
            role=Role.API_CLIENT,
            granted=row.granted,
            scope=row.sites,
            key_prefix=row.prefix,
        )


class KeyAdministration:
    """What is done with programs and keys, in the caller's transaction; every change is audited.

    Args:
        actor: Who does it.
        user: The administrator on a page; ``None`` at the server's command line, whose users
            are trusted with everything.
    """

    def __init__(
        self, connection: AsyncConnection, *, actor: Actor, user: User | None = None
    ) -> None:
        self._rows = MachineRepository(connection)
        self._audit = AuditService(connection)
        self._actor = actor
        self._user = user

    async def clients(self, *, after: str = "", size: int) -> ClientPage:
        """Programs by name.

        Args:
            after: Name after which the page begins; empty for the first page.
            size: Most programs of the page.

        Raises:
            PermissionDeniedError: The user may not manage keys.
        """
        self._check()
        rows = await self._rows.clients(after=after, limit=size + 1)
        shown = rows[:size]
        return ClientPage(clients=shown, next_after=shown[-1].name if len(rows) > size else None)

    async def add(self, new: NewClient, *, lifetime: timedelta, now: datetime) -> MadeKey:
        """Let a program in and make its first key.

        Raises:
            PermissionDeniedError: The user may not manage keys.
            ClientInvalidError: A part is missing or wrong.
            KeyBeyondMakerError: The key would allow more than the user may do.
            ClientExistsError: The name is taken.
        """
        self._check()
        _check_client(new)
        self._check_within(new.permissions, new.site_ids)
        _check_lifetime(lifetime)
        client_id = await self._rows.add_client(new, made_by=self._actor.name, now=now)
        if client_id is None:
            raise ClientExistsError(new.name)
        made = await self._make_key(client_id, new.name, lifetime=lifetime, now=now)
        detail: dict[str, JsonValue] = {
            "key": made.prefix,
            "permissions": [*sorted(new.permissions)],
            "sites": None if new.site_ids is None else [*sorted(new.site_ids)],
        }
        await self._record("api_client_added", new.name, now=now, detail=detail)
        return made

    async def rotate(
        self, name: str, *, lifetime: timedelta, overlap: timedelta, now: datetime
    ) -> MadeKey:
        """Make a program a new key; those that it has end after the overlap.

        Raises:
            PermissionDeniedError: The user may not manage keys.
            ClientInvalidError: The lifetime or the overlap is too long.
            ClientNotFoundError: There is no such program.
            KeyBeyondMakerError: Its keys allow more than the user may do.
            KeyLimitError: It has too many working keys.
        """
        self._check()
        _check_lifetime(lifetime)
        if not timedelta(0) <= overlap <= OVERLAP_MAX:
            raise ClientInvalidError("overlap")
        client = await self._rows.locked_client(name)
        if client is None:
            raise ClientNotFoundError
        self._check_within(client.granted, client.sites)
        client_id = client.id
        if await self._rows.count_working_keys(client_id, now=now) >= KEYS_MAX:
            raise KeyLimitError(KEYS_MAX)
        await self._rows.shorten_keys(client_id, ends_at=now + overlap)
        made = await self._make_key(client_id, name, lifetime=lifetime, now=now)
        detail: dict[str, JsonValue] = {
            "key": made.prefix,
            "old_keys_end_at": (now + overlap).isoformat(),
        }
        await self._record("api_key_rotated", name, now=now, detail=detail)
        return made

    async def revoke(self, prefix: str, *, now: datetime) -> None:
        """End a key at once.

        Raises:
            PermissionDeniedError: The user may not manage keys.
            KeyNotFoundError: No key is named so, or it was revoked before.
        """
        self._check()
        name = await self._rows.revoke(prefix, revoked_by=self._actor.name, now=now)
        if name is None:
            raise KeyNotFoundError
        await self._record("api_key_revoked", name, now=now, detail={"key": prefix})

    def _check(self) -> None:
        """Stop unless the user may manage keys."""
        if self._user is not None:
            self._user.require(Permission.MANAGE_KEYS)

    def _check_within(
        self, permissions: Collection[Permission], site_ids: frozenset[str] | None
    ) -> None:
        """Stop unless the user may do all that a key allows: whoever makes one sees it."""
        user = self._user
        if user is None:
            return
        if not all(map(user.may, permissions)) or not user.scope.covers(site_ids):
            raise KeyBeyondMakerError

    async def _make_key(
        self, client_id: int, name: str, *, lifetime: timedelta, now: datetime
    ) -> MadeKey:
        """Make a key and keep its hash."""
        prefix = secrets.token_hex(PREFIX_BYTES)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        expires_at = now + lifetime
        await self._rows.add_key(
            client_id,
            prefix=prefix,
            secret_hash=hash_of(secret),
            made_by=self._actor.name,
            now=now,
            expires_at=expires_at,
        )
        return MadeKey(
            client=name, prefix=prefix, key=f"{KEY_MARK}_{prefix}_{secret}", expires_at=expires_at
        )

    async def _record(
        self, action: str, name: str, *, now: datetime, detail: dict[str, JsonValue]
    ) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=CLIENT_SUBJECT,
                subject_id=name,
                detail=detail,
            )
        )


def hash_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def _check_lifetime(lifetime: timedelta) -> None:
    """Stop unless a key may live so long; before anything is written."""
    if not timedelta(0) < lifetime <= LIFETIME_MAX:
        raise ClientInvalidError("lifetime")


def _check_client(new: NewClient) -> None:
    """Stop at the first part that is missing or wrong."""
    sites = new.site_ids
    problems = {
        "name": _NAME.fullmatch(new.name) is None,
        "purpose": not 1 <= len(new.purpose.strip()) <= PURPOSE_LENGTH_MAX,
        "permissions": not new.permissions or not new.permissions <= set(GRANTABLE),
        "sites": sites is not None
        and (
            not 1 <= len(sites) <= SITES_MAX or any(_SITE.fullmatch(each) is None for each in sites)
        ),
    }
    for part, is_wrong in problems.items():
        if is_wrong:
            raise ClientInvalidError(part)
