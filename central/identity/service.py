# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in and out, and making users."""

import asyncio
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from psycopg import AsyncConnection
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from central.errors import (
    InvalidUsernameError,
    SessionInvalidError,
    UserExistsError,
    UserNotFoundError,
)
from central.identity.permissions import Role
from central.identity.repository import IdentityRepository
from central.identity.types import (
    Account,
    LoggedIn,
    LoginDelayed,
    LoginOutcome,
    LoginRefused,
    NewPassword,
    SessionPolicy,
    User,
)

TOKEN_BYTES: Final = 32
GENERATED_PASSWORD_BYTES: Final = 15
PASSWORD_LENGTH_MAX: Final = 256
"""Longest password that is hashed: a longer one only costs time."""

FREE_FAILURES: Final = 5
"""Failures before a login is delayed. Higher: more guesses; lower: typing errors cost time."""

DELAY_STEP: Final = timedelta(seconds=2)
DELAY_MAX: Final = timedelta(minutes=15)
DELAY_DOUBLINGS_MAX: Final = 10
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


class IdentityService:
    """What can be done with users and sessions, in the caller's transaction.

    The caller commits after a refused login, too: the failure must be counted.
    """

    def __init__(self, connection: AsyncConnection, *, policy: SessionPolicy | None = None) -> None:
        self._rows = IdentityRepository(connection)
        self._policy = policy or SessionPolicy()

    async def log_in(self, *, username: str, password: str, now: datetime) -> LoginOutcome:
        """Check a password and open a session.

        Takes about as long for an unknown user as for a known one.
        """
        name = username.strip().lower()
        account = await self._rows.locked_account(name) if _USERNAME.fullmatch(name) else None
        if account and account.login_allowed_at and now < account.login_allowed_at:
            return LoginDelayed(until_at=account.login_allowed_at)
        is_right, newer_hash = await asyncio.to_thread(_verify, password, account)
        if account is None:
            return LoginRefused()
        if not is_right or not account.enabled:
            await self._rows.record_failure(
                account.user.id,
                login_allowed_at=now + delay_after(account.failed_logins + 1),
            )
            return LoginRefused()
        await self._rows.record_success(account.user.id, newer_hash=newer_hash, now=now)
        return await self._open_session(account.user, now=now)

    async def user_of(self, token: str, *, now: datetime) -> User:
        """The user who holds a session's token.

        Raises:
            SessionInvalidError: The session is unknown, has expired or was ended.
        """
        token_hash = _token_hash(token)
        session = await self._rows.session(token_hash, now=now, used_after=now - self._policy.idle)
        if session is None:
            raise SessionInvalidError
        if now - session.last_used_at >= self._policy.touch_every:
            await self._rows.touch_session(token_hash, now=now)
        return session.user

    async def log_out(self, token: str) -> None:
        """End a session; an unknown one is fine."""
        await self._rows.end_session(_token_hash(token))

    async def create_user(
        self, *, username: str, display_name: str, role: Role, now: datetime
    ) -> NewPassword:
        """Make a user with a generated password.

        Raises:
            InvalidUsernameError: The name holds other signs than a-z, 0-9, dot, hyphen, underscore.
            UserExistsError: The name is taken.
        """
        if _USERNAME.fullmatch(username) is None:
            raise InvalidUsernameError
        password = secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
        user_id = await self._rows.add_user(
            username=username,
            display_name=display_name,
            password_hash=await asyncio.to_thread(_hasher().hash, password),
            role=role,
            now=now,
        )
        if user_id is None:
            raise UserExistsError(username)
        return NewPassword(username=username, password=password)

    async def reset_password(self, username: str) -> NewPassword:
        """Generate a new password and end the user's sessions.

        Raises:
            UserNotFoundError: There is no such user.
        """
        password = secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
        user_id = await self._rows.replace_password(
            username=username, password_hash=await asyncio.to_thread(_hasher().hash, password)
        )
        if user_id is None:
            raise UserNotFoundError(username)
        await self._rows.end_sessions_of(user_id)
        return NewPassword(username=username, password=password)

    async def remove_dead_sessions(self, *, now: datetime) -> int:
        """Remove sessions that can't be used any more; returns how many."""
        return await self._rows.remove_dead_sessions(now=now, used_after=now - self._policy.idle)

    async def _open_session(self, user: User, *, now: datetime) -> LoggedIn:
        """A new session with a token that nobody can guess."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = now + self._policy.lifetime
        await self._rows.add_session(
            token_hash=_token_hash(token), user_id=user.id, now=now, expires_at=expires_at
        )
        return LoggedIn(user=user, token=token, expires_at=expires_at)


def delay_after(failures: int) -> timedelta:
    """How long an account rests after so many failures in a row: 0 at first, then doubling."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    doublings = min(failures - FREE_FAILURES, DELAY_DOUBLINGS_MAX)
    return min(DELAY_STEP * (1 << doublings), DELAY_MAX)


def _verify(password: str, account: Account | None) -> tuple[bool, str | None]:
    """Whether the password fits, and a newer hash of it if the old one is outdated.

    Slow on purpose; an unknown account costs the same.
    """
    given = password[:PASSWORD_LENGTH_MAX]
    known_hash = account.password_hash if account else _hash_of_nobody()
    try:
        return _hasher().verify_and_update(given, known_hash)
    except UnknownHashError:
        return False, None


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    """Argon2id with the library's recommended cost."""
    return PasswordHash((Argon2Hasher(),))


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    """A hash that no password fits, to spend the same time on unknown users."""
    return _hasher().hash(secrets.token_urlsafe(TOKEN_BYTES))


def _token_hash(token: str) -> bytes:
    """What is kept of a session's token."""
    return hashlib.sha256(token.encode("utf-8", errors="replace")).digest()
