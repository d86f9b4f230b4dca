# SPDX-License-Identifier: AGPL-3.0-or-later
"""Users are made and changed by an administrator, and choose their own password first."""

import re
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from central.identity.permissions import Role
from tests.integration.api.areas import INSIDE, make_areas
from tests.integration.api.world import SESSION_COOKIE, World

USERS = "/console/users"
GOOD = "con trâu ăn cỏ non"


@pytest.fixture
def administrator(world: World) -> Iterator[httpx.Client]:
    with world.signed_in_as(Role.ADMINISTRATOR) as client:
        yield client
    with psycopg.connect(world.owner_url) as rows:
        rows.execute("DELETE FROM app_user WHERE username = 'moi'")


def user_id(world: World, username: str) -> int:
    with psycopg.connect(world.owner_url) as rows:
        row = rows.execute("SELECT id FROM app_user WHERE username = %s", [username]).fetchone()
    assert row is not None
    return int(row[0])


def first_password(page: str) -> str:
    found = re.search(r'class="people-secret" translate="no">([^<]+)<', page)
    assert found is not None
    return found[1]


def test_a_new_user_chooses_an_own_password_before_any_page_opens(
    world: World, administrator: httpx.Client
) -> None:
    form = {"username": "moi", "display_name": "Người mới", "role": "operator"}
    made = administrator.post(USERS, data=form)
    given = first_password(made.text)

    with httpx.Client(base_url=world.api_url) as client:
        client.post("/console/login", data={"username": "moi", "password": given})
        held = client.cookies[SESSION_COOKIE]
        page = client.get("/console/passages")
        machine = client.post("/v1/passages/search", json={})
        refused = client.post(
            "/console/account/password", data={"old": given, "new": GOOD, "again": GOOD + "x"}
        )
        changed = client.post(
            "/console/account/password",
            # What no form has is ignored: nobody gives himself a role by it.
            data={"old": given, "new": GOOD, "again": GOOD, "role": "administrator"},
        )
        fresh = client.cookies[SESSION_COOKIE]
        opened = client.get("/console/passages")
        account = client.get("/console/account")
        users = client.get(USERS)

    assert (page.status_code, page.headers["location"]) == (303, "/console/account/password")
    assert (machine.status_code, machine.json()["code"]) == (403, "password-change-needed")
    assert refused.status_code == 422
    assert "không giống nhau" in refused.text
    assert changed.status_code == 303
    assert held != fresh
    assert opened.status_code == 200
    assert "Người mới" in account.text
    assert users.status_code == 403


def test_an_administrator_changes_role_areas_and_state(
    world: World, administrator: httpx.Client
) -> None:
    make_areas(world)
    administrator.post(USERS, data={"username": "moi", "role": "clerk"})
    address = f"{USERS}/{user_id(world, 'moi')}"

    answers = [
        administrator.post(f"{address}/role", data={"role": "reviewer"}),
        administrator.post(f"{address}/place", data={"reach": "areas", "area": INSIDE}),
        administrator.post(f"{address}/switch", data={"state": "disabled"}),
    ]
    page = administrator.get(address).text
    listed = administrator.post(f"{USERS}/search", data={"wanted": "MOI"}).text
    nobody = administrator.post(f"{USERS}/search", data={"wanted": "nobody-here"}).text

    assert [each.status_code for each in answers] == [303, 303, 303]
    assert re.search(r'value="reviewer"\s+selected', page)
    assert re.search(rf'value="{INSIDE}"\s+checked', page)
    assert "Đã khóa" in page
    assert INSIDE in listed
    assert "Không có người dùng phù hợp" in nobody


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("", {"username": "Có dấu", "role": "clerk"}, 422),
        ("", {"username": "operator", "role": "clerk"}, 422),
        ("", {"username": "moi", "role": "demonstrator"}, 422),
        ("", {"username": "moi", "role": "api_client"}, 422),
        ("", {"username": "moi", "role": "king"}, 422),
        ("", {"username": "x" * 5000, "role": "clerk"}, 422),
        ("/{own}/role", {"role": "operator"}, 409),
        ("/{own}/switch", {"state": "disabled"}, 409),
        ("/{operator}/place", {"reach": "areas", "area": "nowhere"}, 422),
        ("/{operator}/place", {"reach": "areas", "unit": "nowhere"}, 422),
        ("/{operator}/place", {"reach": "everything"}, 422),
        ("/999999999999999999999/switch", {"state": "disabled"}, 404),
    ],
)
def test_what_makes_no_sense_is_refused(
    world: World, administrator: httpx.Client, path: str, form: dict[str, str], status: int
) -> None:
    filled = path.replace("{own}", str(user_id(world, Role.ADMINISTRATOR.value)))
    filled = filled.replace("{operator}", str(user_id(world, "operator")))

    answer = administrator.post(USERS + filled, data=form)

    assert answer.status_code == status, answer.text


def test_sessions_of_others_can_not_be_ended(world: World, administrator: httpx.Client) -> None:
    with psycopg.connect(world.owner_url) as rows, world.signed_in():
        row = rows.execute(
            "SELECT app_session.id FROM app_session INNER JOIN app_user"
            " ON app_user.id = app_session.user_id WHERE username = 'operator' LIMIT 1"
        ).fetchone()
    assert row is not None

    theirs = administrator.post(f"/console/account/sessions/{row[0]}/end")
    others = administrator.post("/console/account/sessions/end-others")
    still = administrator.get("/console/account")

    assert theirs.status_code == 404
    assert (others.status_code, still.status_code) == (303, 200)


def test_a_session_that_was_planted_does_not_outlive_the_login(world: World) -> None:
    with world.signed_in() as attacker:
        planted = attacker.cookies[SESSION_COOKIE]
        login = httpx.post(
            f"{world.api_url}/console/login",
            data={"username": "operator", "password": world.password},
            cookies={SESSION_COOKIE: planted},
        )
        got = login.cookies[SESSION_COOKIE]
        after = attacker.post("/v1/passages/search", json={})

    assert got != planted
    assert after.status_code == 401
