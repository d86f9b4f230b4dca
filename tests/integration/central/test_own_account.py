# SPDX-License-Identifier: AGPL-3.0-or-later
"""First and own passwords, sessions, and logins that are tried over and over."""

from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import pytest

from central.audit.service import AuditService
from central.audit.types import Actor, AuditFilter
from central.errors import SessionInvalidError
from central.identity.administration import UserAdministration
from central.identity.own_account import (
    YOUNG,
    OwnAccount,
    PasswordChange,
    PasswordNeeded,
    PasswordRefused,
    SessionsEnded,
)
from central.identity.passwords import PasswordFault
from central.identity.permissions import Role
from central.identity.service import CLIENT_FREE_FAILURES, IdentityService
from central.identity.types import (
    Duty,
    FirstPasswordExpired,
    LoggedIn,
    LoginDelayed,
    LoginOutcome,
    LoginRefused,
    NewPassword,
    Origin,
    SessionPolicy,
)

NOW: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ACTOR: Final = Actor.command("test")
HERE: Final = Origin(client="192.0.2.7", browser="Firefox")
GOOD: Final = "con trâu ăn cỏ non"


@pytest.fixture
def identity(connection: psycopg.AsyncConnection) -> IdentityService:
    return IdentityService(connection)


@pytest.fixture
async def clerk(connection: psycopg.AsyncConnection) -> NewPassword:
    people = UserAdministration(connection, actor=ACTOR)
    return await people.add(username="clerk", display_name="Một cửa", role=Role.CLERK, now=NOW)


def opened(outcome: object) -> LoggedIn:
    assert isinstance(outcome, LoggedIn), outcome
    return outcome


def own(connection: psycopg.AsyncConnection, session: LoggedIn) -> OwnAccount:
    return OwnAccount(connection, user=session.user, token=session.token, actor=ACTOR)


async def test_a_first_password_only_lets_in_to_choose_another(
    connection: psycopg.AsyncConnection, identity: IdentityService, clerk: NewPassword
) -> None:
    first = opened(await identity.log_in(username="clerk", password=clerk.password, now=NOW))
    before = (await identity.user_of(first.token, now=NOW)).duty
    change = PasswordChange(old=clerk.password, new=GOOD)

    fresh = opened(await own(connection, first).change_password(change, origin=HERE, now=NOW))

    after = (await identity.user_of(fresh.token, now=NOW)).duty
    assert (before, after) == (Duty.CHANGE_PASSWORD, None)
    assert fresh.token != first.token
    with pytest.raises(SessionInvalidError):  # whoever held the old token holds nothing now
        await identity.user_of(first.token, now=NOW)
    again = await identity.log_in(username="clerk", password=GOOD, now=NOW)
    assert opened(again).user.duty is None


async def test_a_first_password_expires(identity: IdentityService, clerk: NewPassword) -> None:
    outcome = await identity.log_in(
        username="clerk", password=clerk.password, now=NOW + timedelta(days=8)
    )

    assert outcome == FirstPasswordExpired()


async def test_a_password_is_not_changed_without_the_present_one_or_to_a_bad_one(
    connection: psycopg.AsyncConnection, identity: IdentityService, clerk: NewPassword
) -> None:
    session = opened(await identity.log_in(username="clerk", password=clerk.password, now=NOW))
    account = own(connection, session)

    outcomes = [
        await account.change_password(change, origin=HERE, now=NOW)
        for change in (
            PasswordChange(old="wrong", new=GOOD),
            PasswordChange(old=clerk.password, new=clerk.password),
            PasswordChange(old=clerk.password, new="matkhau123456"),
        )
    ]

    assert outcomes == [
        LoginRefused(),
        PasswordRefused(fault=PasswordFault.SAME_AS_BEFORE),
        PasswordRefused(fault=PasswordFault.TOO_COMMON),
    ]
    assert (await identity.user_of(session.token, now=NOW)).username == "clerk"


async def test_own_sessions_are_listed_and_ended_and_never_those_of_others(
    connection: psycopg.AsyncConnection, identity: IdentityService, clerk: NewPassword
) -> None:
    people = UserAdministration(connection, actor=ACTOR)
    other = await people.add(username="other", display_name="O", role=Role.CLERK, now=NOW)
    theirs = opened(await identity.log_in(username="other", password=other.password, now=NOW))
    at_home, at_work = [
        opened(
            await identity.log_in(username="clerk", password=clerk.password, origin=HERE, now=NOW)
        )
        for _ in range(2)
    ]
    account = own(connection, at_work)
    listed = await account.sessions(now=NOW)
    (their_session,) = await own(connection, theirs).sessions(now=NOW)

    with pytest.raises(SessionInvalidError):
        await account.end_session(their_session.id, origin=HERE, now=NOW)
    others = next(each.id for each in listed if not each.is_own)
    await account.end_session(others, origin=HERE, now=NOW)

    assert {(each.client, each.browser) for each in listed} == {("192.0.2.7", "Firefox")}
    assert [each.is_own for each in await account.sessions(now=NOW)] == [True]
    with pytest.raises(SessionInvalidError):
        await identity.user_of(at_home.token, now=NOW)
    assert (await identity.user_of(theirs.token, now=NOW)).username == "other"


async def test_long_after_signing_in_ending_sessions_asks_for_the_password_again(
    connection: psycopg.AsyncConnection, identity: IdentityService, clerk: NewPassword
) -> None:
    sessions = [
        opened(await identity.log_in(username="clerk", password=clerk.password, now=NOW))
        for _ in range(3)
    ]
    account, late = own(connection, sessions[0]), NOW + YOUNG + timedelta(seconds=1)
    listed = await account.sessions(now=late)
    one = next(each.id for each in listed if not each.is_own)

    refused = [
        await account.end_session(one, origin=HERE, now=late),
        await account.end_session(one, password="wrong", origin=HERE, now=late),
        await account.end_other_sessions(origin=HERE, now=late),
        await account.end_other_sessions(password="wrong", origin=HERE, now=late),
    ]
    kept = await account.sessions(now=late)
    ended = [
        await account.end_session(one, password=clerk.password, origin=HERE, now=late),
        await account.end_other_sessions(password=clerk.password, origin=HERE, now=late),
    ]

    assert refused == [PasswordNeeded(), LoginRefused(), PasswordNeeded(), LoginRefused()]
    assert len(kept) == len(sessions)
    assert ended == [SessionsEnded(), SessionsEnded()]
    assert [each.is_own for each in await account.sessions(now=late)] == [True]


async def test_a_login_ends_the_session_that_the_browser_held_and_the_oldest_of_too_many(
    connection: psycopg.AsyncConnection, identity: IdentityService, clerk: NewPassword
) -> None:
    held = opened(await identity.log_in(username="clerk", password=clerk.password, now=NOW))

    fresh = opened(
        await identity.log_in(
            username="clerk", password=clerk.password, old_token=held.token, now=NOW
        )
    )
    with pytest.raises(SessionInvalidError):
        await identity.user_of(held.token, now=NOW)
    newest = fresh
    for number in range(SessionPolicy().sessions_max):
        later = NOW + timedelta(seconds=number + 1)
        newest = opened(await identity.log_in(username="clerk", password=clerk.password, now=later))

    with pytest.raises(SessionInvalidError):
        await identity.user_of(fresh.token, now=NOW)
    assert len(await own(connection, newest).sessions(now=NOW)) == SessionPolicy().sessions_max
    behind = await identity.log_in(username="clerk", password=clerk.password, now=NOW)
    user = await identity.user_of(opened(behind).token, now=NOW)  # its clock was behind
    assert user.username == clerk.username


async def test_ten_thousand_wrong_logins_are_hardly_looked_at(
    identity: IdentityService, clerk: NewPassword
) -> None:
    async def attempt(number: int, now: datetime) -> LoginOutcome:
        return await identity.log_in(
            username=clerk.username, password=f"guess {number}", origin=HERE, now=now
        )

    # Ten a second, for a thousand seconds: only guesses after the delay reach the password.
    outcomes = [
        await attempt(number, NOW + timedelta(milliseconds=100 * number))
        for number in range(10_000)
    ]

    looked_at = sum(isinstance(each, LoginRefused) for each in outcomes)
    assert 5 < looked_at < 20
    assert isinstance(outcomes[-1], LoginDelayed)


async def test_an_address_that_tries_many_names_waits_whatever_the_name(
    connection: psycopg.AsyncConnection, identity: IdentityService, clerk: NewPassword
) -> None:
    for number in range(CLIENT_FREE_FAILURES):
        await identity.log_in(username=f"user{number}", password="x", origin=HERE, now=NOW)

    from_there = await identity.log_in(
        username="clerk", password=clerk.password, origin=HERE, now=NOW
    )
    from_elsewhere = await identity.log_in(
        username="clerk",
        password=clerk.password,
        origin=Origin(client="2001:db8::1"),
        now=NOW,
    )

    assert isinstance(from_there, LoginDelayed)
    assert isinstance(from_elsewhere, LoggedIn)
    page = await AuditService(connection).entries(
        AuditFilter(action="login_refused"), before_id=None, size=50
    )
    assert len(page.entries) == CLIENT_FREE_FAILURES
    assert {each.entry.subject_id for each in page.entries} == {"unknown"}  # no typed name
