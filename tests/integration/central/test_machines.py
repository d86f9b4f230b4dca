# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keys by command, and what no key and no person can be given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import pytest
from psycopg import AsyncConnection
from typer.testing import CliRunner

from central.audit.types import Actor
from central.domain.scope import SiteScope
from central.identity.administration import UserAdministration
from central.identity.errors import RoleNotAssignableError
from central.identity.permissions import Permission, Role
from central.identity.types import User
from central.machines.commands import key_commands
from central.machines.errors import (
    ClientExistsError,
    ClientInvalidError,
    ClientNotFoundError,
    KeyBeyondMakerError,
    KeyLimitError,
)
from central.machines.service import KeyAdministration, KeyService
from central.machines.types import KEYS_MAX, NewClient

NOW: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
DAY: Final = timedelta(days=1)
ACTOR: Final = Actor.command("test")
SCALE: Final = NewClient(
    name="tram-can", purpose="Trạm cân", permissions=frozenset({Permission.SEE_PASSAGES})
)


def test_a_key_is_made_renewed_and_revoked_by_command(database_url: str) -> None:
    app, run = key_commands(lambda: database_url), CliRunner().invoke
    add = ["add", "by-command", "--purpose", "x", "--allow", "see_alerts", "--site", "km12"]

    made = run(app, add, catch_exceptions=False).stdout.strip()
    renewed = run(app, ["rotate", "by-command", "--overlap-days", "0"], catch_exceptions=False)
    revoked = run(app, ["revoke", renewed.stdout[4:16]], catch_exceptions=False)
    listed = run(app, ["list"], catch_exceptions=False, env={"COLUMNS": "200"}).stdout

    assert made.startswith("ltk_")
    assert renewed.exit_code == revoked.exit_code == 0
    assert "expired" in listed
    assert "revoked" in listed
    assert made[17:] not in listed
    with psycopg.connect(database_url) as rows:
        actions = rows.execute(
            "SELECT action FROM audit_entry WHERE subject_id = 'by-command' ORDER BY id"
        ).fetchall()
    assert actions == [("api_client_added",), ("api_key_rotated",), ("api_key_revoked",)]


async def test_a_key_is_used_by_a_program_that_may_less_than_its_role(
    connection: AsyncConnection,
) -> None:
    made = await KeyAdministration(connection, actor=ACTOR).add(SCALE, lifetime=DAY, now=NOW)

    program = await KeyService(connection).program_of(made.key, now=NOW + DAY / 2)

    assert (program.username, program.role, program.key_prefix) == (
        "api:tram-can",
        Role.API_CLIENT,
        made.prefix,
    )
    assert {each for each in Permission if program.may(each)} == {Permission.SEE_PASSAGES}
    page = await KeyAdministration(connection, actor=ACTOR).clients(size=10)
    [key] = page.clients[0].keys
    assert key.last_used_at == NOW + DAY / 2


async def test_what_a_key_can_not_have_is_refused(connection: AsyncConnection) -> None:
    keys = KeyAdministration(connection, actor=ACTOR)
    await keys.add(SCALE, lifetime=DAY, now=NOW)

    with pytest.raises(ClientExistsError):
        await keys.add(SCALE, lifetime=DAY, now=NOW)
    with pytest.raises(ClientInvalidError):
        await keys.rotate("tram-can", lifetime=DAY, overlap=31 * DAY, now=NOW)
    with pytest.raises(ClientNotFoundError):
        await keys.rotate("nobody", lifetime=DAY, overlap=DAY, now=NOW)
    for _ in range(KEYS_MAX - 1):
        await keys.rotate("tram-can", lifetime=DAY, overlap=DAY, now=NOW)
    with pytest.raises(KeyLimitError):
        await keys.rotate("tram-can", lifetime=DAY, overlap=DAY, now=NOW)


async def test_nobody_makes_or_renews_a_key_that_reaches_further_than_they_do(
    connection: AsyncConnection,
) -> None:
    scope = SiteScope(site_ids=frozenset({"km12", "km20"}))
    user = User(id=1, username="c", display_name="C", role=Role.DEMONSTRATOR, scope=scope)
    keys = KeyAdministration(connection, actor=ACTOR, user=user)
    near = replace(SCALE, site_ids=frozenset({"km12"}))
    await KeyAdministration(connection, actor=ACTOR).add(SCALE, lifetime=DAY, now=NOW)

    await keys.add(replace(near, name="near"), lifetime=DAY, now=NOW)
    for site_ids in (None, frozenset({"km12", "km99"})):
        with pytest.raises(KeyBeyondMakerError):
            await keys.add(replace(near, name="far", site_ids=site_ids), lifetime=DAY, now=NOW)
    with pytest.raises(KeyBeyondMakerError):
        await keys.rotate("tram-can", lifetime=DAY, overlap=DAY, now=NOW)
    renewed = await keys.rotate("near", lifetime=DAY, overlap=DAY, now=NOW)

    assert renewed.client == "near"


async def test_no_person_gets_the_role_of_programs(connection: AsyncConnection) -> None:
    people = UserAdministration(connection, actor=ACTOR)
    await people.add(username="clerk", display_name="C", role=Role.CLERK, now=NOW)

    with pytest.raises(RoleNotAssignableError):
        await people.add(username="robot", display_name="R", role=Role.API_CLIENT, now=NOW)
    with pytest.raises(RoleNotAssignableError):
        await people.set_role("clerk", Role.API_CLIENT, now=NOW)
