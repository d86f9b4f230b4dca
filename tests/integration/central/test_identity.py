# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in and out on a real database."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from central.errors import (
    InvalidUsernameError,
    SessionInvalidError,
    UserExistsError,
    UserNotFoundError,
)
from central.identity.permissions import Role
from central.identity.service import FREE_FAILURES, IdentityService
from central.identity.types import LoggedIn, LoginDelayed, LoginRefused, NewPassword

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def service(connection: psycopg.AsyncConnection) -> IdentityService:
    return IdentityService(connection)


@pytest.fixture
async def admin(service: IdentityService) -> NewPassword:
    return await service.create_user(
        username="admin", display_name="Quản trị viên", role=Role.ADMINISTRATOR, now=NOW
    )


async def logged_in(service: IdentityService, admin: NewPassword, *, now: datetime) -> LoggedIn:
    outcome = await service.log_in(username=admin.username, password=admin.password, now=now)
    assert isinstance(outcome, LoggedIn)
    return outcome


async def test_the_right_password_opens_a_session(
    service: IdentityService, admin: NewPassword
) -> None:
    session = await logged_in(service, admin, now=NOW)

    user = await service.user_of(session.token, now=NOW + timedelta(minutes=5))

    assert (user.username, user.role) == ("admin", Role.ADMINISTRATOR)


async def test_a_name_may_be_typed_in_capitals(
    service: IdentityService, admin: NewPassword
) -> None:
    outcome = await service.log_in(username=" Admin ", password=admin.password, now=NOW)

    assert isinstance(outcome, LoggedIn)


@pytest.mark.parametrize("username", ["admin", "nobody", "", "x" * 5000, "a\x00b"])
async def test_a_wrong_password_or_name_is_refused_the_same_way(
    service: IdentityService, admin: NewPassword, username: str
) -> None:
    outcome = await service.log_in(username=username, password=admin.password + "x", now=NOW)

    assert outcome == LoginRefused()


async def test_many_failures_delay_even_the_right_password(
    service: IdentityService, admin: NewPassword
) -> None:
    for _ in range(FREE_FAILURES):
        await service.log_in(username="admin", password="wrong", now=NOW)

    at_once = await service.log_in(username="admin", password=admin.password, now=NOW)
    later = NOW + timedelta(seconds=3)
    afterwards = await service.log_in(username="admin", password=admin.password, now=later)

    assert at_once == LoginDelayed(until_at=NOW + timedelta(seconds=2))
    assert isinstance(afterwards, LoggedIn)


@pytest.mark.parametrize(
    ("pauses_min", "is_open"),
    [
        ([119], True),
        ([121], False),  # idle for more than two hours
        ([100] * 7, True),  # 700 minutes, always in use
        ([100] * 7 + [25], False),  # more than twelve hours since the login
    ],
)
async def test_a_session_ends_when_idle_or_old(
    service: IdentityService, admin: NewPassword, pauses_min: list[int], *, is_open: bool
) -> None:
    session = await logged_in(service, admin, now=NOW)
    now = NOW

    for pause_min in pauses_min[:-1]:
        now += timedelta(minutes=pause_min)
        await service.user_of(session.token, now=now)
    now += timedelta(minutes=pauses_min[-1])

    if is_open:
        assert (await service.user_of(session.token, now=now)).username == "admin"
    else:
        with pytest.raises(SessionInvalidError):
            await service.user_of(session.token, now=now)


async def test_a_session_that_was_ended_is_not_valid(
    service: IdentityService, admin: NewPassword
) -> None:
    session = await logged_in(service, admin, now=NOW)

    await service.log_out(session.token)
    await service.log_out(session.token)

    with pytest.raises(SessionInvalidError):
        await service.user_of(session.token, now=NOW)


@pytest.mark.parametrize("token", ["", "x", "\x00", "ữ" * 1000])
async def test_a_made_up_token_is_not_valid(service: IdentityService, token: str) -> None:
    with pytest.raises(SessionInvalidError):
        await service.user_of(token, now=NOW)


async def test_a_new_password_replaces_the_old_one_and_ends_the_sessions(
    service: IdentityService, admin: NewPassword
) -> None:
    session = await logged_in(service, admin, now=NOW)

    renewed = await service.reset_password("admin", now=NOW)

    with pytest.raises(SessionInvalidError):
        await service.user_of(session.token, now=NOW)
    assert (
        await service.log_in(username="admin", password=admin.password, now=NOW) == LoginRefused()
    )
    assert isinstance(
        await service.log_in(username="admin", password=renewed.password, now=NOW), LoggedIn
    )


async def test_a_switched_off_user_is_out_at_once(
    service: IdentityService, admin: NewPassword, connection: psycopg.AsyncConnection
) -> None:
    session = await logged_in(service, admin, now=NOW)

    await connection.execute("UPDATE app_user SET enabled = false")

    with pytest.raises(SessionInvalidError):
        await service.user_of(session.token, now=NOW)
    assert (
        await service.log_in(username="admin", password=admin.password, now=NOW) == LoginRefused()
    )


async def test_neither_password_nor_token_stands_in_the_database(
    service: IdentityService, admin: NewPassword, connection: psycopg.AsyncConnection
) -> None:
    session = await logged_in(service, admin, now=NOW)

    cursor = await connection.execute(
        "SELECT app_user::text || app_session::text FROM app_user, app_session"
    )
    everything = str(await cursor.fetchall())

    assert admin.password not in everything
    assert session.token not in everything
    assert admin.password not in repr(admin)
    assert session.token not in repr(session)


async def test_names_are_unique_and_plain(service: IdentityService, admin: NewPassword) -> None:
    with pytest.raises(UserExistsError):
        await service.create_user(
            username=admin.username, display_name="Khác", role=Role.OPERATOR, now=NOW
        )
    with pytest.raises(InvalidUsernameError):
        await service.create_user(
            username="Nguyễn", display_name="Nguyễn", role=Role.OPERATOR, now=NOW
        )
    with pytest.raises(UserNotFoundError):
        await service.reset_password("nobody", now=NOW)


async def test_dead_sessions_are_removed(service: IdentityService, admin: NewPassword) -> None:
    await logged_in(service, admin, now=NOW)
    living = await logged_in(service, admin, now=NOW + timedelta(hours=2))

    removed = await service.remove_dead_sessions(now=NOW + timedelta(hours=3))

    assert removed == 1
    user = await service.user_of(living.token, now=NOW + timedelta(hours=3))
    assert user.username == "admin"
