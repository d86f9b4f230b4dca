# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in and out, and making users."""

import asyncio
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, ActorKind, AuditEntry, Outcome
from central.errors import (
    InvalidUsernameError,
    SessionInvalidError,
    UserExistsError,
    UserNotFoundError,
)
from central.identity.login_steps import LoginStepRepository, NewStep
from central.identity.passwords import hashed, new_password, verified
from central.identity.permissions import Role
from central.identity.rates.service import MEMORY, RateService
from central.identity.repository import IdentityRepository
from central.identity.sessions.repository import SessionRepository
from central.identity.types import (
    Account,
    FirstPasswordExpired,
    LoggedIn,
    LoginDelayed,
    LoginOutcome,
    LoginRefused,
    NewPassword,
    NewSession,
    Origin,
    PasswordLife,
    Proof,
    SecondFactorNeeded,
    SessionPolicy,
    User,
)

TOKEN_BYTES: Final = 32
FIRST_PASSWORD_LASTS: Final = timedelta(days=7)
"""How long a password that somebody else made lets its user in, to choose an own one."""

FREE_FAILURES: Final = 5
"""Failures before a login is delayed. Higher: more guesses; lower: typing errors cost time."""

CLIENT_FREE_FAILURES: Final = 30
"""The same for an address, whatever the name: a whole office may stand behind one."""

CLIENT_MEMORY: Final = timedelta(hours=6)
"""How long an address must not fail until its failures are forgotten."""

STEP_LASTS: Final = timedelta(minutes=5)
"""How long a right password waits for its second proof. Lower: slow typists begin again."""

STEPS_MAX: Final = 10
"""Waiting logins of one user at a time; a further one ends the oldest."""

DELAY_STEP: Final = timedelta(seconds=2)
DELAY_MAX: Final = timedelta(minutes=15)
DELAY_DOUBLINGS_MAX: Final = 10
CLIENT_LENGTH_MAX: Final = 60
BROWSER_LENGTH_MAX: Final = 200
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_NOBODY: Final = "unknown"
IPV6_PREFIX: Final = 64
USER_SUBJECT: Final = "user"
NOWHERE: Final = Origin()


class IdentityService:
    """What can be done with users and sessions, in the caller's transaction.

    The caller commits after a refused login, too: the failure must be counted.
    """

    def __init__(self, connection: AsyncConnection, *, policy: SessionPolicy | None = None) -> None:
        self._rows = IdentityRepository(connection)
        self._sessions = SessionRepository(connection)
        self._steps = LoginStepRepository(connection)
        self._rates = RateService(connection)
        self._audit = AuditService(connection)
        self._policy = policy or SessionPolicy()

    async def log_in(
        self,
        *,
        username: str,
        password: str,
        now: datetime,
        origin: Origin = NOWHERE,
        old_token: str | None = None,
    ) -> LoginOutcome:
        """Check a password and open a session.

        Takes about as long for an unknown user as for a known one.

        Args:
            username: As it was typed.
            password: As it was typed.
            now: Aware time.
            origin: Where the login comes from, which has delays of its own.
            old_token: Session that the browser holds already; a new login ends it.
        """
        waits_until = await self.client_waits_until(origin, now=now)
        if waits_until is not None:
            return LoginDelayed(until_at=waits_until)
        name = username.strip().lower()
        account = await self._rows.locked_account(name) if _USERNAME.fullmatch(name) else None
        if account and account.login_allowed_at and now < account.login_allowed_at:
            return LoginDelayed(until_at=account.login_allowed_at)
        known_hash = account.password_hash if account else None
        is_right, newer_hash = await asyncio.to_thread(verified, password, known_hash)
        if account is None or not is_right or not account.enabled:
            await self.record_failure(account, origin=origin, now=now)
            return LoginRefused()
        if account.first_password_until is not None and account.first_password_until <= now:
            await self._record("login_refused", account.user, origin=origin, now=now)
            return FirstPasswordExpired()
        if account.has_second_factor:
            return await self._open_step(account, newer_hash=newer_hash, now=now)
        await self._rows.record_success(account.user.id, newer_hash=newer_hash, now=now)
        if old_token is not None:
            await self._sessions.end_session(token_hash(old_token))
        return await self.open_session(account.user, proof=Proof.PASSWORD, origin=origin, now=now)

    async def check_password(
        self, user: User, password: str, *, origin: Origin, now: datetime
    ) -> Account | LoginRefused | LoginDelayed:
        """The account of somebody signed in, if the password is right.

        A wrong one counts like a failed login, so that nobody guesses here instead.
        """
        account = await self._rows.locked_account(user.username)
        if account is None:
            return LoginRefused()
        if account.login_allowed_at is not None and now < account.login_allowed_at:
            return LoginDelayed(until_at=account.login_allowed_at)
        is_right, _ = await asyncio.to_thread(verified, password, account.password_hash)
        if not is_right:
            await self.record_failure(account, origin=origin, now=now)
            return LoginRefused()
        return account

    async def record_failure(
        self, account: Account | None, *, origin: Origin, now: datetime
    ) -> None:
        """Count a failed proof for the account and for the address, and write it down."""
        if account is not None:
            await self._rows.record_failure(
                account.user.id,
                login_allowed_at=now + delay_after(account.failed_logins + 1, free=FREE_FAILURES),
            )
        client = client_key(origin)
        if client is not None:
            failures = await self._rows.count_client_failure(
                client, now=now, forgotten_before=now - CLIENT_MEMORY
            )
            delay = delay_after(failures, free=CLIENT_FREE_FAILURES)
            await self._rows.delay_client(client, login_allowed_at=now + delay)
        await self._record(
            "login_refused", account.user if account else None, origin=origin, now=now
        )

    async def is_held_unchanged(self, token: str, user: User, *, now: datetime) -> bool:
        """Whether a session still belongs to a user whose role and sites are what they were.

        Asking is no use of the session: a page that is left open does not keep it alive.
        """
        session = await self._sessions.session(
            token_hash(token), now=now, used_after=now - self._policy.idle
        )
        return session is not None and session.user == user

    async def user_of(self, token: str, *, now: datetime) -> User:
        """The user who holds a session's token.

        Raises:
            SessionInvalidError: The session is unknown, has expired or was ended.
        """
        hashed_token = token_hash(token)
        session = await self._sessions.session(
            hashed_token, now=now, used_after=now - self._policy.idle
        )
        if session is None:
            raise SessionInvalidError
        if now - session.last_used_at >= self._policy.touch_every:
            await self._sessions.touch_session(hashed_token, now=now)
        return session.user

    async def log_out(self, token: str) -> Proof | None:
        """End a session and tell what had opened it; ``None`` when there was none."""
        return await self._sessions.end_session(token_hash(token))

    async def create_user(
        self,
        *,
        username: str,
        display_name: str,
        role: Role,
        life: PasswordLife = PasswordLife.LASTING,
        now: datetime,
    ) -> NewPassword:
        """Make a user with a generated password.

        Raises:
            InvalidUsernameError: The name holds other signs than a-z, 0-9, dot, hyphen, underscore.
            UserExistsError: The name is taken.
        """
        if _USERNAME.fullmatch(username) is None:
            raise InvalidUsernameError
        password = new_password()
        user_id = await self._rows.add_user(
            username=username,
            display_name=display_name,
            password_hash=await asyncio.to_thread(hashed, password),
            role=role,
            first_password_until=_first_password_until(life, now=now),
            now=now,
        )
        if user_id is None:
            raise UserExistsError(username)
        return NewPassword(username=username, password=password)

    async def reset_password(
        self, username: str, *, life: PasswordLife = PasswordLife.LASTING, now: datetime
    ) -> NewPassword:
        """Generate a new password and end the user's sessions.

        Raises:
            UserNotFoundError: There is no such user.
        """
        password = new_password()
        user_id = await self._rows.replace_password(
            username=username,
            password_hash=await asyncio.to_thread(hashed, password),
            first_password_until=_first_password_until(life, now=now),
        )
        if user_id is None:
            raise UserNotFoundError(username)
        await self._sessions.end_sessions_of(user_id)
        return NewPassword(username=username, password=password)

    async def remove_dead_sessions(self, *, now: datetime) -> int:
        """Remove sessions and waiting logins that are over; returns how many sessions."""
        await self._steps.remove_dead_steps(now=now)
        await self._rows.forget_clients(before=now - CLIENT_MEMORY)
        await self._rates.forget(before=now - MEMORY)
        return await self._sessions.remove_dead_sessions(
            now=now, used_after=now - self._policy.idle
        )

    async def open_session(
        self, user: User, *, proof: Proof, origin: Origin, now: datetime
    ) -> LoggedIn:
        """A new session with a token that nobody can guess, for somebody who proved enough."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = now + self._policy.lifetime
        session = NewSession(
            token_hash=token_hash(token),
            user_id=user.id,
            opened_at=now,
            expires_at=expires_at,
            proof=proof,
            origin=_cut(origin),
        )
        await self._sessions.add_session(session, sessions_max=self._policy.sessions_max)
        await self._record("signed_in", user, origin=origin, now=now, proof=proof)
        return LoggedIn(user=user, token=token, expires_at=expires_at)

    async def client_waits_until(self, origin: Origin, *, now: datetime) -> datetime | None:
        """Until when logins from this address wait; ``None`` when they need not."""
        client = client_key(origin)
        allowed_at = await self._rows.client_allowed_at(client) if client else None
        return allowed_at if allowed_at is not None and now < allowed_at else None

    async def _open_step(
        self, account: Account, *, newer_hash: str | None, now: datetime
    ) -> SecondFactorNeeded:
        """Let a login wait for its proof. Failures stay: guessing codes must slow down, too."""
        user_id = account.user.id
        if newer_hash is not None:
            await self._rows.refresh_hash(user_id, newer_hash=newer_hash)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        step = NewStep(
            token_hash=token_hash(token),
            user_id=user_id,
            opened_at=now,
            expires_at=now + STEP_LASTS,
        )
        await self._steps.add_step(step, steps_max=STEPS_MAX)
        return SecondFactorNeeded(
            token=token,
            expires_at=step.expires_at,
            has_security_key=account.has_security_key,
        )

    async def _record(
        self,
        action: str,
        user: User | None,
        *,
        origin: Origin,
        now: datetime,
        proof: Proof | None = None,
    ) -> None:
        """Write a login down; a name that nobody has is left out: it may be a password."""
        name = user.username if user is not None else _NOBODY
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=Actor(
                    kind=ActorKind.USER,
                    name=name,
                    role=user.role if user else None,
                    client_address=origin.client,
                ),
                action=action,
                outcome=Outcome.REFUSED if proof is None else Outcome.DONE,
                subject_kind=USER_SUBJECT,
                subject_id=name,
                detail={"proof": proof.value if proof else None},
            )
        )


def delay_after(failures: int, *, free: int) -> timedelta:
    """How long logins rest after so many failures in a row: 0 at first, then doubling."""
    if failures < free:
        return timedelta(0)
    doublings = min(failures - free, DELAY_DOUBLINGS_MAX)
    return min(DELAY_STEP * (1 << doublings), DELAY_MAX)


def client_key(origin: Origin) -> str | None:
    """What is counted as one address: of IPv6 the network, as one caller has all of it."""
    if origin.client is None:
        return None
    try:
        address = ip_address(origin.client)
    except ValueError:
        return origin.client[:CLIENT_LENGTH_MAX] or None
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def token_hash(token: str) -> bytes:
    """What is kept of a session's token."""
    return hashlib.sha256(token.encode("utf-8", errors="replace")).digest()


def _first_password_until(life: PasswordLife, *, now: datetime) -> datetime | None:
    """Until when a new password lets in only to choose another."""
    return now + FIRST_PASSWORD_LASTS if life is PasswordLife.FIRST else None


def _cut(origin: Origin) -> Origin:
    """An origin that fits into its row."""
    return Origin(
        client=origin.client[:CLIENT_LENGTH_MAX] if origin.client else None,
        browser=origin.browser[:BROWSER_LENGTH_MAX] if origin.browser else None,
    )
