# SPDX-License-Identifier: AGPL-3.0-or-later
"""Users with roles: made, changed and shut out, every change in the audit log."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest

from central.audit.service import AuditService
from central.audit.types import Actor, AuditFilter
from central.errors import (
    LastAdministratorError,
    PermissionDeniedError,
    SessionInvalidError,
    UserNotFoundError,
)
from central.identity.administration import UserAdministration
from central.identity.oversight import OversightService
from central.identity.permissions import PERMISSIONS, Permission, Role
from central.identity.service import IdentityService
from central.identity.types import LoggedIn, LoginRefused, NewPassword, User, UserState

NOW: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ACTOR: Final = Actor.command("test")
COMMAND: Final = str(Path(sys.executable).with_name("luuthong-central"))

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def people(connection: psycopg.AsyncConnection) -> UserAdministration:
    return UserAdministration(connection, actor=ACTOR)


@pytest.fixture
async def clerk(people: UserAdministration) -> NewPassword:
    await people.add(username="boss", display_name="B", role=Role.ADMINISTRATOR, now=NOW)
    return await people.add(username="clerk", display_name="Một cửa 1", role=Role.CLERK, now=NOW)


async def test_a_user_logs_in_with_the_generated_password_and_has_the_role(
    connection: psycopg.AsyncConnection, clerk: NewPassword
) -> None:
    outcome = await IdentityService(connection).log_in(
        username="clerk", password=clerk.password, now=NOW
    )

    assert isinstance(outcome, LoggedIn)
    assert outcome.user.role is Role.CLERK
    assert outcome.user.may(Permission.TAKE_IN_DOSSIERS)
    with pytest.raises(PermissionDeniedError) as refusal:
        outcome.user.require(Permission.DECIDE_DOSSIERS)
    assert refusal.value.permission == Permission.DECIDE_DOSSIERS


async def test_a_disabled_user_is_out_at_once_and_in_again_when_enabled(
    connection: psycopg.AsyncConnection, people: UserAdministration, clerk: NewPassword
) -> None:
    identity = IdentityService(connection)
    session = await identity.log_in(username="clerk", password=clerk.password, now=NOW)
    assert isinstance(session, LoggedIn)

    await people.switch("clerk", UserState.DISABLED, now=NOW)

    with pytest.raises(SessionInvalidError):
        await identity.user_of(session.token, now=NOW + timedelta(minutes=1))
    refused = await identity.log_in(username="clerk", password=clerk.password, now=NOW)
    await people.switch("clerk", UserState.ENABLED, now=NOW)
    again = await identity.log_in(username="clerk", password=clerk.password, now=NOW)
    assert isinstance(refused, LoginRefused)
    assert isinstance(again, LoggedIn)


async def test_another_role_holds_in_sessions_that_are_open(
    connection: psycopg.AsyncConnection, people: UserAdministration, clerk: NewPassword
) -> None:
    identity = IdentityService(connection)
    session = await identity.log_in(username="clerk", password=clerk.password, now=NOW)
    assert isinstance(session, LoggedIn)

    await people.set_role("clerk", Role.APPROVER, now=NOW)

    user = await identity.user_of(session.token, now=NOW)
    assert user.may(Permission.DECIDE_DOSSIERS)


async def test_every_change_of_a_user_is_in_the_audit_log(
    connection: psycopg.AsyncConnection, people: UserAdministration, clerk: NewPassword
) -> None:
    await people.switch("clerk", UserState.DISABLED, now=NOW)
    await people.switch("clerk", UserState.ENABLED, now=NOW)
    await people.set_role(clerk.username, Role.REVIEWER, now=NOW)
    fresh = await people.reset_password("clerk", now=NOW)

    page = await AuditService(connection).entries(
        AuditFilter(subject_kind="user", subject_id="clerk"), before_id=None, size=20
    )

    acts = [each.entry for each in reversed(page.entries)]
    assert [act.action for act in acts] == [
        "user_added",
        "user_disabled",
        "user_enabled",
        "user_role_set",
        "password_reset",
    ]
    assert [act.detail for act in acts if act.detail] == [{"role": "clerk"}, {"role": "reviewer"}]
    assert fresh.password not in str(acts)


async def test_the_last_administrator_stays(people: UserAdministration, clerk: NewPassword) -> None:
    with pytest.raises(LastAdministratorError):
        await people.switch("boss", UserState.DISABLED, now=NOW)
    with pytest.raises(LastAdministratorError):
        await people.set_role("boss", Role.CLERK, now=NOW)

    await people.set_role(clerk.username, Role.ADMINISTRATOR, now=NOW)
    await people.switch("boss", UserState.DISABLED, now=NOW)

    states = {each.username: each.state for each in await people.users()}
    assert states == {"boss": UserState.DISABLED, "clerk": UserState.ENABLED}


async def test_an_unknown_user_can_not_be_changed(people: UserAdministration) -> None:
    with pytest.raises(UserNotFoundError):
        await people.switch("nobody", UserState.ENABLED, now=NOW)
    with pytest.raises(UserNotFoundError):
        await people.set_role("nobody", Role.CLERK, now=NOW)


async def test_looking_at_the_audit_log_is_in_the_audit_log(
    connection: psycopg.AsyncConnection, clerk: NewPassword
) -> None:
    officer = user_of(Role.DATA_PROTECTION_OFFICER)
    oversight = OversightService(connection, user=officer, actor=ACTOR)

    page = await oversight.entries(
        AuditFilter(subject_id=clerk.username), before_id=None, size=20, now=NOW
    )

    newest = (await AuditService(connection).entries(AuditFilter(), before_id=None, size=1)).entries
    assert [each.entry.action for each in page.entries] == ["user_added"]
    assert newest[0].entry.action == "audit_looked_at"
    assert newest[0].entry.detail["subject_id"] == "clerk"


@pytest.mark.parametrize("role", list(Role))
async def test_only_who_may_see_the_audit_log_sees_it(
    connection: psycopg.AsyncConnection, role: Role
) -> None:
    oversight = OversightService(connection, user=user_of(role), actor=ACTOR)
    allowed = {Role.DEMONSTRATOR, Role.TOLL_AUDITOR, Role.DATA_PROTECTION_OFFICER}

    try:
        await oversight.chain_state()
        has_seen = True
    except PermissionDeniedError:
        has_seen = False

    assert has_seen is (role in allowed)


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        # Nobody takes in and approves by role alone but the approver, who stands in for clerks.
        (Permission.TAKE_IN_DOSSIERS, {"clerk", "approver"}),
        (Permission.DECIDE_DOSSIERS, {"approver"}),
        (Permission.SEE_DOSSIERS, {"clerk", "approver"}),
        (Permission.SEE_ALERTS, {"operator", "reviewer", "api_client"}),
        (Permission.HANDLE_ALERTS, {"operator", "reviewer", "api_client"}),
        (Permission.SEE_WATCHLIST, {"operator", "reviewer", "api_client"}),
        (Permission.EDIT_WATCHLIST, {"reviewer", "api_client"}),
        (Permission.CHECK_PAPERS, {"operator", "reviewer", "clerk", "approver", "api_client"}),
        (
            Permission.LOOK_UP_VEHICLES,
            {
                "operator",
                "reviewer",
                "clerk",
                "approver",
                "toll_operator",
                "toll_auditor",
                "data_protection_officer",
                "api_client",
            },
        ),
        (Permission.SEE_TOLLS, {"toll_operator", "toll_auditor"}),
        (Permission.REVIEW_TOLLS, {"toll_operator", "toll_auditor"}),
        (Permission.CLOSE_TOLL_DAYS, {"toll_auditor"}),
        (Permission.SEE_AUDIT, {"toll_auditor", "data_protection_officer"}),
        (
            Permission.SEE_PASSAGES,
            {role.value for role in Role} - {"administrator"},
        ),
        (
            Permission.SEE_DEVICES,
            {
                "administrator",
                "operator",
                "reviewer",
                "toll_auditor",
                "toll_operator",
                "api_client",
            },
        ),
        (Permission.HANDLE_QUARANTINE, {"administrator"}),
        (Permission.MANAGE_USERS, {"administrator"}),
        (Permission.MANAGE_KEYS, {"administrator"}),
        (Permission.MANAGE_WEBHOOKS, {"administrator", "api_client"}),
        (
            Permission.SEE_NATIONAL,
            {"administrator", "operator", "reviewer", "toll_auditor", "api_client"},
        ),
        (Permission.PUSH_NATIONAL, {"api_client"}),
        (Permission.SEE_LIVE_FRAMES, {"operator", "reviewer"}),
        (Permission.SEE_COMPONENTS, {"administrator"}),
        (Permission.PROTECT_DATA, {"data_protection_officer"}),
    ],
)
def test_a_permission_belongs_to_these_roles(permission: Permission, roles: set[str]) -> None:
    holders = {role.value for role, held in PERMISSIONS.items() if permission in held}

    assert holders == roles | {"demonstrator"}


def test_every_permission_is_in_the_table_above_and_every_role_has_some() -> None:
    marks = test_a_permission_belongs_to_these_roles.pytestmark  # type: ignore[attr-defined]  # set by pytest

    assert {permission for permission, _roles in marks[0].args[1]} == set(Permission)
    assert set(PERMISSIONS) == set(Role)


@pytest.fixture
def run(owner_url: str) -> Run:
    """Run a command to its end."""

    def run_command(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            (COMMAND, *arguments),
            env={
                "PATH": os.environ["PATH"],
                "LUUTHONG_CENTRAL_DATABASE_URL": owner_url,
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run_command


def test_users_are_administrated_by_commands(run: Run) -> None:
    added = run("user", "add", "clerk", "--role", "clerk", "--display-name", "Một cửa 1")
    twice = run("user", "add", "clerk", "--role", "clerk")
    wrong = run("user", "add", "other", "--role", "king")
    run("user", "set-role", "clerk", "approver")
    disabled = run("user", "disable", "clerk")
    listed = run("user", "list")

    name, password = added.stdout.split()
    assert (name, len(password)) == ("clerk", 20)
    assert (twice.returncode, twice.stderr) == (1, "luuthong-central: user clerk exists\n")
    assert wrong.returncode == 2
    assert (disabled.returncode, disabled.stdout) == (0, "")
    row = next(line for line in listed.stdout.splitlines() if "clerk" in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == [
        "clerk",
        "Một cửa 1",
        "approver",
        "disabled",
        "-",
        "province",
        "-",
    ]
    assert password not in listed.stdout


def test_who_needs_a_second_factor_is_said_and_lost_ones_are_reset_by_commands(
    run: Run, rows: psycopg.Connection
) -> None:
    run("user", "add", "clerk", "--role", "clerk")
    none = run("second-factor", "show")
    advised = run("second-factor", "require")
    exactly = run("second-factor", "require", "clerk", "approver")
    program = run("second-factor", "require", "api_client")
    king = run("second-factor", "require", "king")
    still = run("second-factor", "show")
    waived = run("second-factor", "waive")
    unproved = run("second-factor", "reset", "clerk", "--proof", "yes")
    unknown = run("second-factor", "reset", "nobody", "--proof", "came with the staff card")
    reset = run("second-factor", "reset", "clerk", "--proof", "came with the staff card")

    assert none.stdout == waived.stdout == "no role needs a second factor\n"
    assert advised.stdout.split() == ["administrator", "approver", "data_protection_officer"]
    assert exactly.stdout.split() == still.stdout.split() == ["approver", "clerk"]
    assert [each.returncode for each in (program, king, unproved, unknown)] == [1, 2, 1, 1]
    assert "10 to 200 characters" in unproved.stderr
    assert reset.stdout.startswith("clerk has no second factor any more")
    written = rows.execute(
        "SELECT detail ->> 'proof' FROM audit_entry WHERE action = 'second_factor_reset'"
    ).fetchall()
    assert written == [("came with the staff card",)]


def test_the_chain_is_proved_by_a_command(run: Run, rows: psycopg.Connection) -> None:
    run("user", "add", "clerk", "--role", "clerk")
    whole = run("audit", "verify")
    rows.execute(
        "INSERT INTO audit_seal VALUES (7, 1, '2026-01-01', sha256('a'), sha256('b'), now())"
    )
    broken = run("audit", "verify")
    nonsense = run("audit", "verify", "--head", "nonsense")

    assert whole.returncode == 0
    assert "nothing was changed, removed or inserted" in whole.stdout
    assert broken.returncode == 2
    assert "seal_missing: position 1" in broken.stdout
    assert "entry_changed: position 7, entry 1" in broken.stdout
    assert nonsense.returncode == 2
    assert "POSITION:HASH" in nonsense.stderr


def user_of(role: Role) -> User:
    """Somebody with a role."""
    return User(id=1, username="somebody", display_name="S", role=role)
