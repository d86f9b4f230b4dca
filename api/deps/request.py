# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a request may ask for: a connection, the user behind its session, the time, the store.

All of it is async, though most of it waits for nothing: the framework asks anything else in a
thread of its own, and a request asks a dozen times.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, cast

from fastapi import Depends, Request
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from api.errors import (
    NotSignedInError,
    PasswordChangeNeededError,
    SecondFactorSetupNeededError,
    TooManyRequestsError,
)
from api.security.cookies import session_token
from api.security.keys import bearer_key
from api.security.rates import RATE_USE, RateLimit, SharedRates
from api.settings import ApiSettings
from central.db.outages import translated_outages
from central.db.replica import Replica
from central.devices.authority import DeviceAuthority
from central.errors import SessionInvalidError
from central.evidence.service import EvidenceService
from central.evidence.store import EvidenceStore
from central.identity.outside.provider import OutsideProvider
from central.identity.permissions import Permission
from central.identity.rates.service import GuardedAction
from central.identity.second_factor.sealing import SecretSeal
from central.identity.security_keys.types import KeySite
from central.identity.service import IdentityService
from central.identity.types import Duty, SessionPolicy, User
from central.machines.service import KeyService
from central.passages.service import PassageService
from central.sites.service import SiteService

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What lives as long as the process."""

    settings: ApiSettings
    pool: AsyncConnectionPool
    store: EvidenceStore
    clock: Clock
    rates: SharedRates
    authority: DeviceAuthority | None = None
    provider: OutsideProvider | None = None
    seal: SecretSeal | None = None
    key_site: KeySite | None = None
    replica: Replica | None = None

    @property
    def key_limit(self) -> RateLimit:
        """How often one key may ask."""
        return RateLimit(
            requests_max=self.settings.key_requests_per_minute, window=timedelta(minutes=1)
        )

    @property
    def session_policy(self) -> SessionPolicy:
        """How long sessions hold."""
        return SessionPolicy(
            lifetime=max(self.settings.session_lifetime, self.settings.session_idle),
            idle=self.settings.session_idle,
            sessions_max=self.settings.sessions_max,
        )


def process_behind(request: Request) -> Process:
    """What the lifespan put into the request's state."""
    return cast("Process", request.state.process)  # Starlette's state is untyped.


async def process_of(request: Request) -> Process:
    """The same for those who depend on it."""
    return process_behind(request)


ProcessDep = Annotated[Process, Depends(process_of)]


async def now_of(process: ProcessDep) -> datetime:
    """The time of this request, aware."""
    return process.clock()


Now = Annotated[datetime, Depends(now_of)]


async def connection_of(process: ProcessDep) -> AsyncIterator[AsyncConnection]:
    """A connection with one transaction, committed before the answer is sent.

    Raises:
        CentralUnavailableError: The database can't be reached.
    """
    with translated_outages():
        async with process.pool.connection() as connection:
            yield connection


Connection = Annotated[AsyncConnection, Depends(connection_of, scope="function")]


async def identity_of(connection: Connection, process: ProcessDep) -> IdentityService:
    """Users and sessions."""
    return IdentityService(connection, policy=process.session_policy)


async def sites_of(connection: Connection) -> SiteService:
    """Sites and devices."""
    return SiteService(connection)


async def passages_of(connection: Connection, process: ProcessDep) -> PassageService:
    """Passages."""
    return PassageService(connection, search_time=process.settings.database_search_time)


async def evidence_of(connection: Connection, process: ProcessDep) -> EvidenceService:
    """Evidence pictures."""
    return EvidenceService(connection, process.store)


Identity = Annotated[IdentityService, Depends(identity_of, scope="function")]
Sites = Annotated[SiteService, Depends(sites_of, scope="function")]
Passages = Annotated[PassageService, Depends(passages_of, scope="function")]
Evidence = Annotated[EvidenceService, Depends(evidence_of, scope="function")]


def held_token(request: Request) -> str:
    """Token of the session that came with the request.

    Raises:
        NotSignedInError: None came.
    """
    token = session_token(request)
    if token is None:
        raise NotSignedInError
    return token


async def session_user(request: Request, identity: Identity, now: Now) -> User:
    """The user whose session cookie came with the request, even one with a first password.

    Raises:
        NotSignedInError: There is no session, or it has ended.
    """
    try:
        return await identity.user_of(held_token(request), now=now)
    except SessionInvalidError as error:
        raise NotSignedInError from error


SessionUser = Annotated[User, Depends(session_user, scope="function")]


async def program_of(
    request: Request, key: str, *, process: Process, connection: AsyncConnection, now: datetime
) -> User:
    """The program whose key came with the request.

    Raises:
        KeyRefusedError: The key lets nobody in.
        TooManyRequestsError: It asked more often than a key may.
    """
    program = await KeyService(connection).program_of(key, now=now)
    use = await process.rates.use_after(
        GuardedAction.ASK_BY_KEY, program.key_prefix, limit=process.key_limit, now=now
    )
    setattr(request.state, RATE_USE, use)
    if use.is_over:
        raise TooManyRequestsError(wait_s=use.wait_s)
    return program


async def signed_in_user(
    request: Request, identity: Identity, connection: Connection, process: ProcessDep, now: Now
) -> User:
    """The program whose key, or the user whose session cookie, came with the request.

    Raises:
        KeyRefusedError: The key lets nobody in; a cookie beside it does not help.
        TooManyRequestsError: The key asked more often than it may.
        NotSignedInError: There is no session, or it has ended.
        PasswordChangeNeededError: The user has to choose an own password first.
        SecondFactorSetupNeededError: The user's role asks for a second factor first.
    """
    key = bearer_key(request)
    if key is not None:
        return await program_of(request, key, process=process, connection=connection, now=now)
    user = await session_user(request, identity, now)
    if user.duty is Duty.CHANGE_PASSWORD:
        raise PasswordChangeNeededError
    if user.duty is Duty.ADD_SECOND_FACTOR:
        raise SecondFactorSetupNeededError
    return user


SignedIn = Annotated[User, Depends(signed_in_user, scope="function")]


async def passage_reader(user: SignedIn) -> User:
    """The signed-in user, if passages and their pictures belong to the user's work.

    Raises:
        NotSignedInError: Nobody is signed in.
        PermissionDeniedError: The user may not see passages.
    """
    user.require(Permission.SEE_PASSAGES)
    return user


PassageReader = Annotated[User, Depends(passage_reader, scope="function")]
MaySeePassages: Final = Depends(passage_reader, scope="function")
"""The same for routers and routes that need the user elsewhere."""
