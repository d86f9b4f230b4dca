# SPDX-License-Identifier: AGPL-3.0-or-later
"""Second factors by page and by ``/v1``: set up, sign in, be led to it, take away."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import httpx
import psycopg
import pytest
from pyotp import TOTP

from central.identity.permissions import Role
from tests.integration.api.world import SESSION_COOKIE, World, serving

FACTOR: Final = "/console/account/second-factor"
RULES: Final = "/console/users/second-factors"
NAME: Final = Role.CLERK.value
STEP_COOKIE: Final = "luuthong_login_step"


@pytest.fixture
def clerk(world: World) -> Iterator[httpx.Client]:
    """A session of somebody whose account has no second factor."""
    with world.signed_in_as(Role.CLERK) as client:
        yield client


@pytest.fixture
def browser(world: World) -> Iterator[httpx.Client]:
    """A browser in which nobody is signed in."""
    with httpx.Client(base_url=world.api_url) as client:
        yield client


def set_up(world: World, clerk: httpx.Client) -> list[str]:
    """Set an app up by page; returns the recovery codes."""
    begun = clerk.post(f"{FACTOR}/begin", data={"password": world.passwords[NAME]})
    assert begun.status_code == 200, begun.text
    secret = re.search(r'id="secret"[^>]*>([A-Z2-7]{32})<', begun.text)
    assert secret is not None
    done = clerk.post(f"{FACTOR}/confirm", data={"code": TOTP(secret[1]).now()})
    assert done.status_code == 200, done.text
    return re.findall(r"<li>([A-Z2-7-]{29})</li>", done.text)


def password_of(world: World) -> dict[str, str]:
    return {"username": NAME, "password": world.passwords[NAME]}


def test_an_app_is_set_up_with_a_qr_code_and_ten_recovery_codes_are_shown_once(
    world: World, clerk: httpx.Client
) -> None:
    begun = clerk.post(f"{FACTOR}/begin", data={"password": world.passwords[NAME]})

    assert "<svg" in begun.text
    assert begun.headers["cache-control"] == "no-store"
    codes = set_up(world, clerk)
    page = clerk.get(FACTOR)
    assert len(set(codes)) == 10
    assert not any(code in page.text for code in codes)


def test_a_wrong_first_code_shows_the_same_secret_again(world: World, clerk: httpx.Client) -> None:
    begun = clerk.post(f"{FACTOR}/begin", data={"password": world.passwords[NAME]})
    secret = re.search(r'id="secret"[^>]*>([A-Z2-7]{32})<', begun.text)

    again = clerk.post(f"{FACTOR}/confirm", data={"code": "12345"})

    assert again.status_code == 422
    assert secret is not None
    assert secret[1] in again.text


def test_signing_in_by_page_asks_for_the_code_and_goes_where_one_wanted_to(
    world: World, clerk: httpx.Client, browser: httpx.Client
) -> None:
    codes = set_up(world, clerk)
    wanted = "/console/account"

    first = browser.post("/console/login", data=password_of(world) | {"next": wanted})
    assert first.status_code == 303
    assert first.headers["location"].startswith("/console/login/code")
    assert SESSION_COOKIE not in browser.cookies
    assert browser.get(wanted).status_code == 303
    page = browser.get(first.headers["location"])
    assert wanted in page.text
    wrong = browser.post("/console/login/code", data={"code": "no", "next": wanted})
    assert wrong.status_code == 422
    right = browser.post("/console/login/code", data={"code": codes[0], "next": wanted})

    assert right.headers["location"] == wanted
    assert STEP_COOKIE not in browser.cookies
    assert browser.get(wanted).status_code == 200


def test_the_page_of_the_code_without_a_password_leads_back_to_it(browser: httpx.Client) -> None:
    answers = [
        browser.get("/console/login/code"),
        browser.post("/console/login/code", data={"code": "123456"}),
    ]

    for answer in answers:
        assert answer.status_code == 303
        assert answer.headers["location"] == "/console/login"


def test_v1_has_the_same_two_steps(
    world: World, clerk: httpx.Client, browser: httpx.Client
) -> None:
    codes = set_up(world, clerk)

    first = browser.post("/v1/session", json=password_of(world))
    early = browser.get("/v1/openapi.json")
    wrong = browser.post("/v1/session/second-factor", json={"code": "nonsense"})
    right = browser.post("/v1/session/second-factor", json={"code": codes[0]})

    assert (first.status_code, first.json()["code"]) == (401, "second-factor-needed")
    assert early.status_code == 401
    assert (wrong.status_code, wrong.json()["code"]) == (401, "second-factor-refused")
    assert (right.status_code, right.json()["username"]) == (201, NAME)
    assert browser.get("/v1/openapi.json").status_code == 200
    again = browser.post("/v1/session/second-factor", json={"code": codes[1]})
    assert (again.status_code, again.json()["code"]) == (401, "login-step-ended")


def test_many_wrong_codes_are_delayed_like_wrong_passwords(
    world: World, clerk: httpx.Client, browser: httpx.Client
) -> None:
    set_up(world, clerk)
    browser.post("/v1/session", json=password_of(world))

    codes = [
        browser.post("/v1/session/second-factor", json={"code": "nonsense"}).json()["code"]
        for _ in range(5)
    ]
    after = browser.post("/v1/session", json=password_of(world))

    assert codes == ["second-factor-refused"] * 5
    assert (after.status_code, after.json()["code"]) == (429, "login-delayed")


def test_whose_role_asks_for_a_second_factor_is_led_to_it_before_anything_else(
    world: World, clerk: httpx.Client
) -> None:
    with world.signed_in_as(Role.ADMINISTRATOR) as administrator:
        chosen = administrator.post(RULES, data={"role": ["clerk", "approver"]})
        rules = administrator.get(RULES).text
    assert (chosen.status_code, chosen.headers["location"]) == (303, RULES)
    assert re.findall(r'value="(\w+)" checked', rules) == ["clerk", "approver"]

    page, program = clerk.get("/console/account"), clerk.get("/v1/openapi.json")

    assert page.headers["location"] == FACTOR
    assert (program.status_code, program.json()["code"]) == (403, "second-factor-setup-needed")
    assert clerk.get(FACTOR).status_code == 200
    set_up(world, clerk)
    assert clerk.get("/console/account").status_code == 200
    assert clerk.get("/v1/openapi.json").status_code == 200


def test_taking_the_app_away_asks_for_password_and_code(
    world: World, clerk: httpx.Client, browser: httpx.Client
) -> None:
    codes = set_up(world, clerk)
    right = {"password": world.passwords[NAME], "code": codes[0]}

    refused = [
        clerk.post(f"{FACTOR}/remove", data=typed).status_code
        for typed in ({}, right | {"code": ""}, right | {"password": "x"}, right | {"code": "x"})
    ]
    removed = clerk.post(f"{FACTOR}/remove", data=right)

    assert refused == [422, 422, 422, 422]
    assert (removed.status_code, removed.headers["location"]) == (303, FACTOR)
    assert browser.post("/v1/session", json=password_of(world)).status_code == 201


def test_an_administrator_forgets_a_lost_factor_and_says_how_the_person_was_recognised(
    world: World, clerk: httpx.Client, browser: httpx.Client
) -> None:
    set_up(world, clerk)
    with psycopg.connect(world.owner_url) as rows:
        row = rows.execute("SELECT id FROM app_user WHERE username = %s", [NAME]).fetchone()
    assert row is not None
    page = f"/console/users/{row[0]}"

    with world.signed_in_as(Role.ADMINISTRATOR) as administrator:
        shown = administrator.get(page).text
        refused = administrator.post(f"{page}/second-factor/reset", data={"proof": "known"})
        done = administrator.post(
            f"{page}/second-factor/reset", data={"proof": "came in person with the staff card"}
        )

    assert f"{page}/second-factor/reset" in shown
    assert refused.status_code == 422
    assert 'value="known"' in refused.text
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert clerk.get("/console/account").headers["location"].startswith("/console/login")
    assert browser.post("/v1/session", json=password_of(world)).status_code == 201


def test_an_old_session_asks_for_the_password_before_it_ends_others(
    world: World, clerk: httpx.Client
) -> None:
    with psycopg.connect(world.owner_url) as rows:
        rows.execute("UPDATE app_session SET created_at = created_at - interval '11 minutes'")
    path = "/console/account/sessions/end-others"

    asked = clerk.post(path)
    wrong = clerk.post(path, data={"password": "wrong"})
    right = clerk.post(path, data={"password": world.passwords[NAME]})

    assert (asked.status_code, wrong.status_code, right.status_code) == (422, 422, 303)
    assert f'action="{path}"' in asked.text
    assert "notice-bad" not in asked.text
    assert "notice-bad" in wrong.text


def test_without_a_key_the_page_says_that_second_factors_are_off(world: World) -> None:
    keyless = replace(world)
    with serving(keyless, second_factor_key_file=None), keyless.signed_in_as(Role.CLERK) as clerk:
        page = clerk.get(f"{FACTOR}?lang=en")
        begun = clerk.post(f"{FACTOR}/begin", data={"password": world.passwords[NAME]})

    assert "Codes of an app are off here" in page.text
    assert begun.status_code == 422
