# SPDX-License-Identifier: AGPL-3.0-or-later
"""Units, areas and what a user sees because of them."""

from datetime import UTC, datetime
from typing import Final

import psycopg
import pytest

from central.audit.types import Actor
from central.domain.scope import Reach
from central.errors import InvalidNameError, PermissionDeniedError, SiteNotFoundError
from central.identity.administration import UserAdministration
from central.identity.areas.service import AreaService
from central.identity.errors import (
    AreaInUseError,
    AreaNotFoundError,
    OwnAccountError,
    RoleNotAssignableError,
    UnitInUseError,
    UnitNotFoundError,
)
from central.identity.permissions import Role
from central.identity.repository import IdentityRepository
from central.identity.types import User, UserState

NOW: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ACTOR: Final = Actor.command("test")


@pytest.fixture
def areas(connection: psycopg.AsyncConnection) -> AreaService:
    return AreaService(connection, actor=ACTOR)


@pytest.fixture
async def people(connection: psycopg.AsyncConnection) -> UserAdministration:
    for site in ("cau-a", "cau-b", "cau-c"):
        await connection.execute(
            "INSERT INTO site (id, province, name) VALUES (%s, 'thai-nguyen', %s)", [site, site]
        )
    administration = UserAdministration(connection, actor=ACTOR)
    await administration.add(username="an", display_name="An", role=Role.OPERATOR, now=NOW)
    return administration


async def sites_of(connection: psycopg.AsyncConnection, username: str) -> frozenset[str] | None:
    account = await IdentityRepository(connection).locked_account(username)
    assert account is not None
    return account.user.scope.site_ids


async def test_a_user_sees_the_areas_of_the_user_and_of_the_unit(
    connection: psycopg.AsyncConnection, people: UserAdministration, areas: AreaService
) -> None:
    await areas.put_area("bac", name="Phía bắc", site_ids=["cau-a"], now=NOW)
    await areas.put_area("nam", name="Phía nam", site_ids=["cau-a", "cau-b"], now=NOW)
    await areas.put_unit("doi-1", name="Đội 1", area_ids=["nam"], now=NOW)

    seen = [await sites_of(connection, "an")]
    for unit_id, reach, own in (
        (None, Reach.AREAS, []),
        (None, Reach.AREAS, ["bac"]),
        ("doi-1", Reach.AREAS, []),
        ("doi-1", Reach.AREAS, ["bac"]),
        ("doi-1", Reach.PROVINCE, ["bac"]),
    ):
        await people.place("an", unit_id=unit_id, reach=reach, area_ids=own, now=NOW)
        seen.append(await sites_of(connection, "an"))

    assert seen == [
        None,
        frozenset(),
        {"cau-a"},
        {"cau-a", "cau-b"},
        {"cau-a", "cau-b"},
        None,
    ]


async def test_what_is_in_use_can_not_be_removed(
    people: UserAdministration, areas: AreaService
) -> None:
    await areas.put_area("bac", name="Phía bắc", site_ids=["cau-a"], now=NOW)
    await areas.put_unit("doi-1", name="Đội 1", area_ids=[], now=NOW)
    await people.place("an", unit_id="doi-1", reach=Reach.AREAS, area_ids=["bac"], now=NOW)

    with pytest.raises(AreaInUseError):
        await areas.remove_area("bac", now=NOW)
    with pytest.raises(UnitInUseError):
        await areas.remove_unit("doi-1", now=NOW)
    await people.place("an", unit_id=None, reach=Reach.PROVINCE, area_ids=[], now=NOW)
    await areas.remove_area("bac", now=NOW)
    await areas.remove_unit("doi-1", now=NOW)

    assert await areas.areas() == ()
    assert await areas.units() == ()


async def test_unknown_units_areas_and_sites_are_refused(
    people: UserAdministration, areas: AreaService
) -> None:
    with pytest.raises(SiteNotFoundError):
        await areas.put_area("bac", name="Phía bắc", site_ids=["cau-x"], now=NOW)
    with pytest.raises(AreaNotFoundError):
        await areas.put_unit("doi-1", name="Đội 1", area_ids=["nowhere"], now=NOW)
    with pytest.raises(InvalidNameError):
        await areas.put_unit("Đội 1", name="Đội 1", area_ids=[], now=NOW)
    with pytest.raises(InvalidNameError):
        await areas.put_area("bac", name=" ", site_ids=[], now=NOW)
    with pytest.raises(UnitNotFoundError):
        await people.place("an", unit_id="doi-9", reach=Reach.PROVINCE, area_ids=[], now=NOW)
    with pytest.raises(AreaNotFoundError):
        await people.place("an", unit_id=None, reach=Reach.AREAS, area_ids=["x"], now=NOW)
    with pytest.raises(UnitNotFoundError):
        await areas.remove_unit("doi-9", now=NOW)
    with pytest.raises(AreaNotFoundError):
        await areas.remove_area("x", now=NOW)


@pytest.mark.parametrize("role", [Role.API_CLIENT, Role.DEMONSTRATOR])
async def test_roles_of_programs_and_demonstrations_are_not_given_to_people(
    people: UserAdministration, role: Role
) -> None:
    with pytest.raises(RoleNotAssignableError):
        await people.add(username="binh", display_name="Bình", role=role, now=NOW)
    with pytest.raises(RoleNotAssignableError):
        await people.set_role("an", role, now=NOW)


async def test_an_administrator_does_not_change_the_own_account(
    connection: psycopg.AsyncConnection, people: UserAdministration
) -> None:
    await people.add(username="boss", display_name="B", role=Role.ADMINISTRATOR, now=NOW)
    boss = User(id=1, username="boss", display_name="B", role=Role.ADMINISTRATOR)
    own = UserAdministration(connection, actor=ACTOR, user=boss)

    with pytest.raises(OwnAccountError):
        await own.set_role("boss", Role.OPERATOR, now=NOW)
    with pytest.raises(OwnAccountError):
        await own.switch("boss", UserState.DISABLED, now=NOW)
    with pytest.raises(OwnAccountError):
        await own.place("boss", unit_id=None, reach=Reach.PROVINCE, area_ids=[], now=NOW)
    await own.set_role("an", Role.REVIEWER, now=NOW)

    assert {each.username: each.role for each in await own.users()}["an"] is Role.REVIEWER


async def test_only_who_may_manage_users_does(connection: psycopg.AsyncConnection) -> None:
    clerk = User(id=1, username="clerk", display_name="C", role=Role.CLERK)
    people = UserAdministration(connection, actor=ACTOR, user=clerk)
    areas = AreaService(connection, actor=ACTOR, user=clerk)

    attempts = (
        people.users(),
        people.add(username="x1", display_name="X", role=Role.CLERK, now=NOW),
        people.reset_password("an", now=NOW),
        people.place("an", unit_id=None, reach=Reach.PROVINCE, area_ids=[], now=NOW),
        areas.units(),
        areas.areas(),
        areas.put_unit("doi-1", name="Đội 1", area_ids=None, now=NOW),
        areas.remove_area("bac", now=NOW),
    )
    for attempt in attempts:
        with pytest.raises(PermissionDeniedError):
            await attempt
