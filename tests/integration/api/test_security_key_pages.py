# SPDX-License-Identifier: AGPL-3.0-or-later
"""Security keys by page: add, sign in, be led to where they work, rename, take away."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from api.settings import ApiSettings
from central.identity.permissions import Role
from tests.fixtures.authenticator import SoftwareKey
from tests.integration.api.test_second_factor_pages import (
    FACTOR,
    NAME,
    RULES,
    STEP_COOKIE,
    password_of,
    set_up,
)
from tests.integration.api.world import World, serving

KEYS: Final = f"{FACTOR}/keys"
SIGN_IN: Final = "/console/login/key"
KEY_NAME: Final = "USB <b>xanh</b>"


@pytest.fixture
def clerk(world: World) -> Iterator[httpx.Client]:
    """A session of somebody whose account has no second factor, at the console's own address."""
    with world.signed_in_as(Role.CLERK) as client:
        client.headers["host"] = urlsplit(world.console_url).netloc
        yield client


@pytest.fixture
def browser(world: World) -> Iterator[httpx.Client]:
    """A browser in which nobody is signed in."""
    host = urlsplit(world.console_url).netloc
    with httpx.Client(base_url=world.api_url, headers={"host": host}) as client:
        yield client


def question_of(page: httpx.Response) -> str:
    """What a page has the browser ask a key."""
    found = re.search(r'data-key-options="([^"]*)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def add_key(world: World, clerk: httpx.Client) -> SoftwareKey:
    """Add a key by page."""
    key = SoftwareKey(origin=world.console_url)
    typed = {"name": KEY_NAME, "password": world.passwords[NAME]}
    begun = clerk.post(f"{KEYS}/begin", data=typed)
    added = clerk.post(KEYS, data={"name": KEY_NAME, "answer": key.create(question_of(begun))})
    assert added.status_code in {200, 303}, added.text
    return key


def test_whose_role_asks_for_a_factor_adds_a_key_and_signs_in_with_it_or_a_recovery_code(
    world: World, clerk: httpx.Client, browser: httpx.Client
) -> None:
    with world.signed_in_as(Role.ADMINISTRATOR) as administrator:
        administrator.post(RULES, data={"role": ["clerk"]})
        assert clerk.get("/console/account").headers["location"] == FACTOR
        key = SoftwareKey(origin=world.console_url)
        typed = {"name": KEY_NAME, "password": world.passwords[NAME]}
        begun = clerk.post(f"{KEYS}/begin", data=typed)
        added = clerk.post(KEYS, data={"name": KEY_NAME, "answer": key.create(question_of(begun))})
        page = clerk.get(FACTOR)
        person = administrator.get(f"/console/users/{_id_of_clerk(world)}?lang=en")
    codes = re.findall(r"<li>([A-Z2-7-]{29})</li>", added.text)

    first = browser.post("/console/login", data=password_of(world) | {"next": "/console/account"})
    asked = browser.get(first.headers["location"])
    wrong = browser.post(SIGN_IN, data={"answer": "{}", "next": "/console/account"})
    answer = key.sign(question_of(wrong))
    right = browser.post(SIGN_IN, data={"answer": answer, "next": "/console/account"})

    assert begun.headers["cache-control"] == "no-store"
    assert html.escape(KEY_NAME) in page.text
    assert KEY_NAME not in page.text
    assert "JavaScript" in begun.text  # the button says what it needs before it works
    assert re.search(r"<button [^>]*data-key-ask disabled", begun.text)
    assert "security keys: 1" in person.text
    assert len(set(codes)) == 10
    assert first.headers["location"].startswith(SIGN_IN)
    assert 'href="/console/login/code?next=%2Fconsole%2Faccount"' in asked.text
    assert (wrong.status_code, question_of(wrong) == question_of(asked)) == (422, False)
    assert (right.status_code, right.headers["location"]) == (303, "/console/account")
    assert STEP_COOKIE not in browser.cookies
    assert browser.get("/console/account").status_code == 200
    program = browser.post("/v1/session", json=password_of(world))
    by_code = browser.post("/v1/session/second-factor", json={"code": codes[0]})
    assert (program.status_code, program.json()["code"]) == (401, "second-factor-needed")
    assert by_code.status_code == 201


def test_the_page_of_the_key_leads_whoever_has_no_key_or_no_password_where_they_belong(
    world: World, clerk: httpx.Client, browser: httpx.Client
) -> None:
    nobody = [browser.get(SIGN_IN), browser.post(SIGN_IN, data={"answer": "{}"})]
    set_up(world, clerk)
    first = browser.post("/console/login", data=password_of(world))

    led = browser.get(SIGN_IN)

    assert [each.headers["location"] for each in nobody] == ["/console/login"] * 2
    assert first.headers["location"].startswith("/console/login/code")
    assert led.headers["location"].startswith("/console/login/code")
    assert SIGN_IN not in browser.get(led.headers["location"]).text


def test_a_key_is_renamed_freely_and_taken_away_with_the_password_by_nobody_else(
    world: World, clerk: httpx.Client
) -> None:
    no_name = clerk.post(f"{KEYS}/begin", data={"name": " ", "password": "x"})
    no_password = clerk.post(f"{KEYS}/begin", data={"name": "kept name"})
    add_key(world, clerk)
    with psycopg.connect(world.owner_url) as rows:
        row = rows.execute("SELECT id FROM security_key").fetchone()
    assert row is not None
    path, password = f"{KEYS}/{row[0]}", {"password": world.passwords[NAME]}

    with world.signed_in_as(Role.APPROVER) as other:
        foreign = [
            other.post(f"{path}/rename", data={"name": "mine"}).status_code,
            other.post(f"{path}/remove", data=password).status_code,
        ]
    renamed = clerk.post(f"{path}/rename", data={"name": "Khóa dự phòng"})
    page = clerk.get(FACTOR).text
    with psycopg.connect(world.owner_url) as rows:
        rows.execute("UPDATE app_user SET failed_logins = 0")
    empty = clerk.post(f"{path}/remove")
    with psycopg.connect(world.owner_url) as rows:
        counted = rows.execute("SELECT sum(failed_logins) FROM app_user").fetchone()
    refused = clerk.post(f"{path}/remove", data={"password": "x"})
    removed = clerk.post(f"{path}/remove", data=password)

    assert (no_name.status_code, no_password.status_code) == (422, 422)
    assert 'value="kept name"' in no_password.text
    assert foreign == [404, 404]
    assert (renamed.status_code, renamed.headers["location"]) == (303, FACTOR)
    assert "Khóa dự phòng" in page
    assert (empty.status_code, counted) == (422, (0,))
    assert (refused.status_code, removed.status_code) == (422, 303)
    assert "Khóa dự phòng" not in clerk.get(FACTOR).text


def test_at_another_address_the_page_says_where_keys_work(world: World) -> None:
    with world.signed_in_as(Role.CLERK) as astray:
        page = astray.get(FACTOR)

    assert f'href="{world.console_url}/console"' in page.text
    assert f"{KEYS}/begin" not in page.text


def test_without_an_address_the_pages_say_that_keys_are_off(
    world: World, clerk: httpx.Client
) -> None:
    add_key(world, clerk)
    addressless = replace(world)
    with serving(addressless, console_url=None):
        with httpx.Client(base_url=addressless.api_url) as browser:
            browser.post("/console/login", data=password_of(world))
            asked = browser.get(f"{SIGN_IN}?lang=en")
            answered = browser.post(SIGN_IN, data={"answer": "{}"})
        with httpx.Client(base_url=addressless.api_url, cookies=clerk.cookies) as client:
            page = client.get(f"{FACTOR}?lang=en")

    for each in (asked, page):
        assert "Security keys are off here" in each.text
    assert "/console/login/code" in asked.text  # the recovery codes still open
    assert answered.status_code == 422


@pytest.mark.parametrize("url", ["http://console.example", "https://192.0.2.7", "console.example"])
def test_the_api_does_not_start_with_an_address_that_keys_can_not_be_bound_to(url: str) -> None:
    with pytest.raises(ValueError, match="console_url"):
        ApiSettings.model_validate({"database_url": "postgresql:///x", "console_url": url})


def _id_of_clerk(world: World) -> int:
    with psycopg.connect(world.owner_url) as rows:
        row = rows.execute("SELECT id FROM app_user WHERE username = %s", [NAME]).fetchone()
    assert row is not None
    return int(row[0])
