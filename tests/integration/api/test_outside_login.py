# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing in by an OpenID Connect provider: a real one, started beside the api."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest

from central.identity.permissions import Role
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.postgres import PrivateCluster
from tests.fixtures.oidc_provider import Provider, cancel_there, running_provider, sign_in_there
from tests.integration.api.world import (
    CLIENT_SECRET,
    SESSION_COOKIE,
    USERNAME,
    World,
    served_world,
    serving,
)

LEAVE: Final = "/console/login/outside"
LINK: Final = "/console/account/outside"
AWAY: Final = "luuthong_away"
SUBJECT: Final = "a1b2-c3d4"


class Site:
    """A served console and its provider."""

    def __init__(self, world: World, provider: Provider) -> None:
        self.world = world
        self.provider = provider

    def link(self, subject: str = SUBJECT, *, username: str = USERNAME) -> None:
        """Link an account as an administrator does at the server."""
        with psycopg.connect(self.world.owner_url) as rows:
            rows.execute(
                "INSERT INTO outside_identity (issuer, subject, user_id, linked_at)"
                " SELECT %s, %s, id, now() FROM app_user WHERE username = %s",
                [self.provider.issuer, subject, username],
            )

    def change(self, statement: str) -> None:
        """Change something behind the api's back."""
        with psycopg.connect(self.world.owner_url) as rows:
            rows.execute(statement)

    def acts(self) -> list[tuple[str, str, object]]:
        """Act, subject and reason of what was written down."""
        with psycopg.connect(self.world.owner_url) as rows:
            found = rows.execute(
                "SELECT action, subject_id, coalesce(detail ->> 'why', detail ->> 'proof')"
                " FROM audit_entry ORDER BY id"
            )
            return found.fetchall()


@pytest.fixture(scope="module")
def lasting_site(
    cluster: PrivateCluster, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Provider]]:
    folder = tmp_path_factory.mktemp("outside")
    secret_file = folder / "secret"
    secret_file.write_text(f"{CLIENT_SECRET}\n")
    port, console_port = free_port(), free_port()
    console_url = f"http://{LOOPBACK}:{console_port}"
    with (
        served_world(
            cluster,
            template=database_template,
            database="outside_tests",
            evidence_folder=folder / "evidence",
        ) as world,
        running_provider(
            port=port, console_url=console_url, client_secret=CLIENT_SECRET
        ) as provider,
        serving(
            world, port=console_port, outside=outside_settings(provider, secret_file, console_url)
        ),
    ):
        yield world, provider


@pytest.fixture
def site(lasting_site: tuple[World, Provider]) -> Site:
    world, provider = lasting_site
    world.forget()
    made = Site(world, provider)
    made.change("UPDATE app_user SET enabled = TRUE")
    made.change("DELETE FROM role_rule")
    return made


@pytest.fixture
def browser(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.world.api_url, timeout=20) as made:
        yield made


def outside_settings(provider: Provider, secret_file: Path, console_url: str) -> dict[str, object]:
    return {
        "issuer": provider.issuer,
        "client_secret_file": secret_file,
        "console_url": console_url,
        "name_vi": "cổng của tỉnh",
        "name_en": "the province's portal",
    }


def came_back(
    browser: httpx.Client, *, subject: str = SUBJECT, amr: str = "pwd", path: str = LEAVE
) -> httpx.Response:
    """Go to the provider, sign in there, and come back."""
    way_back = sign_in_there(browser, browser.get(path), subject=subject, amr=amr)
    return browser.get(way_back.headers["location"])


def test_whoever_is_linked_comes_in_with_a_new_session_and_it_is_written_down(
    site: Site, browser: httpx.Client
) -> None:
    site.link()
    login = browser.get("/console/login?next=/console/overview")
    browser.post("/console/login", data={"username": USERNAME, "password": site.world.password})
    held = browser.cookies[SESSION_COOKIE]

    departure = browser.get(f"{LEAVE}?next=/console/overview")
    way_back = sign_in_there(browser, departure, subject=SUBJECT)
    answer = browser.get(way_back.headers["location"])
    opened = browser.get(answer.headers["location"])
    account = browser.get("/console/account")

    asked = parse_qs(urlsplit(departure.headers["location"]).query)
    assert "Đăng nhập bằng cổng của tỉnh" in login.text
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/overview")
    assert opened.status_code == 200
    assert "Tài khoản bên ngoài" in account.text
    assert browser.cookies[SESSION_COOKIE] != held
    ended = httpx.get(f"{site.world.api_url}/console/account", cookies={SESSION_COOKIE: held})
    assert ended.status_code == 303
    assert ("signed_in", USERNAME, "outside") in site.acts()


def test_an_outside_account_that_nobody_linked_opens_nothing(
    site: Site, browser: httpx.Client
) -> None:
    answer = came_back(browser, subject=USERNAME)  # the name of an account is no link to it

    assert answer.status_code == 403
    assert "không mở được gì" in answer.text
    assert SESSION_COOKIE not in browser.cookies
    assert site.acts() == [("outside_login_refused", "unknown", "not_linked")]


def test_a_user_who_is_shut_out_stays_out(site: Site, browser: httpx.Client) -> None:
    site.link()
    site.change("UPDATE app_user SET enabled = FALSE")

    answer = came_back(browser)

    assert answer.status_code == 403
    assert SESSION_COOKIE not in browser.cookies
    assert site.acts() == [("outside_login_refused", USERNAME, "shut_out")]


def test_a_way_back_works_once_and_in_its_own_browser_only(
    site: Site, browser: httpx.Client
) -> None:
    site.link()
    departure = browser.get(LEAVE)
    token = browser.cookies[AWAY]
    way_back = sign_in_there(browser, departure, subject=SUBJECT).headers["location"]

    elsewhere = httpx.get(way_back)
    first = browser.get(way_back)
    again = httpx.get(way_back, cookies={AWAY: token})

    assert (elsewhere.status_code, first.status_code, again.status_code) == (422, 303, 422)
    assert "đã dùng rồi" in again.text
    assert "set-cookie" not in again.headers or SESSION_COOKIE not in again.headers["set-cookie"]


def test_a_state_of_another_login_is_refused(site: Site, browser: httpx.Client) -> None:
    site.link()
    way_back = sign_in_there(browser, browser.get(LEAVE), subject=SUBJECT).headers["location"]

    answer = browser.get(re.sub(r"state=[^&]+", "state=planted", way_back))

    assert answer.status_code == 422
    assert SESSION_COOKIE not in browser.cookies


def test_a_login_that_took_too_long_is_refused(site: Site, browser: httpx.Client) -> None:
    site.link()
    way_back = sign_in_there(browser, browser.get(LEAVE), subject=SUBJECT).headers["location"]
    site.change("UPDATE outside_login SET expires_at = now() - interval '1 second'")

    answer = browser.get(way_back)

    assert answer.status_code == 422
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE outside_login SET nonce = 'another'", "not_trusted"),
        ("UPDATE outside_login SET code_verifier = repeat('x', 64)", "refused"),
    ],
)
def test_a_token_for_another_login_and_a_code_without_its_verifier_open_nothing(
    site: Site, browser: httpx.Client, change: str, why: str
) -> None:
    site.link()
    way_back = sign_in_there(browser, browser.get(LEAVE), subject=SUBJECT).headers["location"]
    site.change(change)

    answer = browser.get(way_back)

    assert answer.status_code == 422
    assert SESSION_COOKIE not in browser.cookies
    assert site.acts() == [("outside_login_refused", "unknown", why)]


def test_an_answer_of_another_provider_is_refused(site: Site, browser: httpx.Client) -> None:
    site.link()
    way_back = sign_in_there(browser, browser.get(LEAVE), subject=SUBJECT).headers["location"]

    answer = browser.get(re.sub(r"&iss=[^&]+", "&iss=https%3A%2F%2Fevil.example", way_back))

    assert answer.status_code == 422
    assert site.acts() == [("outside_login_refused", "unknown", "not_trusted")]


def test_pressing_cancel_at_the_provider_leads_back_to_signing_in(
    site: Site, browser: httpx.Client
) -> None:
    way_back = cancel_there(browser, browser.get(LEAVE)).headers["location"]

    answer = browser.get(way_back)

    assert answer.status_code == 422
    assert "Bạn đã hủy" in answer.text
    assert 'href="/console/login"' in answer.text
    assert AWAY not in browser.cookies
    assert site.acts() == [("outside_login_refused", "unknown", "cancelled")]


def test_a_token_that_has_expired_by_our_clock_is_refused(site: Site, tmp_path: Path) -> None:
    site.link()
    secret_file = tmp_path / "secret"
    secret_file.write_text(f"{CLIENT_SECRET}\n")
    console_url = site.world.api_url
    late = World(
        database_url=site.world.database_url,
        owner_url=site.world.owner_url,
        evidence_folder=tmp_path / "evidence",
    )

    def in_two_hours() -> datetime:
        return datetime.now(UTC) + timedelta(hours=2)

    outside = outside_settings(site.provider, secret_file, console_url)
    with (
        serving(late, clock=in_two_hours, outside=outside),
        httpx.Client(base_url=late.api_url, timeout=20) as late_browser,
    ):
        way_back = sign_in_there(late_browser, late_browser.get(LEAVE), subject=SUBJECT)
        answer = late_browser.get(way_back.headers["location"].replace(console_url, late.api_url))

    assert answer.status_code == 422
    assert site.acts() == [("outside_login_refused", "unknown", "not_trusted")]


def test_a_provider_that_does_not_answer_leaves_the_password(site: Site, tmp_path: Path) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text(f"{CLIENT_SECRET}\n")
    lonely = World(
        database_url=site.world.database_url,
        owner_url=site.world.owner_url,
        evidence_folder=tmp_path / "evidence",
    )
    outside = outside_settings(site.provider, secret_file, site.world.api_url)
    outside["issuer"] = f"http://{LOOPBACK}:{free_port()}"

    with serving(lonely, outside=outside):
        answer = httpx.get(f"{lonely.api_url}{LEAVE}")
        left = httpx.get(f"{lonely.api_url}{LEAVE}/left")
        login = httpx.get(f"{lonely.api_url}/console/login")

    assert answer.status_code == 503
    assert 'href="/console/login"' in answer.text
    assert (left.status_code, login.status_code) == (200, 200)
    assert "session/end" not in left.text


def test_a_provider_that_calls_itself_otherwise_is_not_trusted(site: Site, tmp_path: Path) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text(f"{CLIENT_SECRET}\n")
    other = World(
        database_url=site.world.database_url,
        owner_url=site.world.owner_url,
        evidence_folder=tmp_path / "evidence",
    )
    outside = outside_settings(site.provider, secret_file, site.world.api_url)
    # The same machine by another name: its own description says 127.0.0.1.
    outside["issuer"] = site.provider.issuer.replace(LOOPBACK, "localhost")

    with serving(other, outside=outside):
        answer = httpx.get(f"{other.api_url}{LEAVE}")

    assert answer.status_code == 422
    assert "location" not in answer.headers


def test_a_role_that_needs_a_second_factor_gets_in_only_when_the_provider_says_so(
    site: Site, browser: httpx.Client
) -> None:
    site.link()
    site.change("INSERT INTO role_rule (role, needs_second_factor) VALUES ('operator', TRUE)")

    weak = came_back(browser)
    browser.cookies.clear()
    strong = came_back(browser, amr="pwd otp")

    assert weak.status_code == 403
    assert "yếu tố thứ hai" in weak.text
    assert strong.status_code == 303
    assert browser.get("/console/overview").status_code == 200
    assert site.acts()[:2] == [
        ("outside_login_refused", USERNAME, "factor_needed"),
        ("signed_in", USERNAME, "outside_two_factors"),
    ]


def test_somebody_links_the_own_account_with_the_password_and_takes_the_link_away(
    site: Site, browser: httpx.Client
) -> None:
    browser.post("/console/login", data={"username": USERNAME, "password": site.world.password})
    refused = browser.post(LINK, data={"password": "wrong"})
    shown = browser.post(LINK, data={"password": site.world.password})
    [target] = re.findall(r'href="(http[^"]+)"', shown.text)
    departure = browser.get(unescape(target))
    way_back = sign_in_there(browser, departure, subject=SUBJECT)

    answer = browser.get(way_back.headers["location"])
    linked = browser.get(answer.headers["location"])
    with httpx.Client(base_url=site.world.api_url, timeout=20) as other:
        came_in = came_back(other)
        browser.post(f"{LINK}/remove")
        thrown_out = other.get("/console/account")

    assert refused.status_code == 422
    assert (answer.status_code, answer.headers["location"]) == (303, LINK)
    assert "Đã liên kết" in linked.text
    assert came_in.status_code == 303
    assert thrown_out.status_code == 303  # the session that the link had opened ended with it
    assert [act for act, _subject, _why in site.acts()] == [
        "signed_in",
        "login_refused",
        "outside_account_linked",
        "signed_in",
        "outside_account_unlinked",
    ]


def test_an_outside_account_opens_one_account_only(site: Site, browser: httpx.Client) -> None:
    with site.world.signed_in_as(Role.CLERK):
        site.link(username=Role.CLERK.value)
    browser.post("/console/login", data={"username": USERNAME, "password": site.world.password})
    shown = browser.post(LINK, data={"password": site.world.password})
    [target] = re.findall(r'href="(http[^"]+)"', shown.text)
    way_back = sign_in_there(browser, browser.get(unescape(target)), subject=SUBJECT)

    answer = browser.get(way_back.headers["location"])

    assert answer.status_code == 409
    assert "outside_account_linked" not in {act for act, _subject, _why in site.acts()}


def test_a_link_that_was_begun_by_somebody_else_is_not_made(
    site: Site, browser: httpx.Client
) -> None:
    browser.post("/console/login", data={"username": USERNAME, "password": site.world.password})
    shown = browser.post(LINK, data={"password": site.world.password})
    [target] = re.findall(r'href="(http[^"]+)"', shown.text)
    way_back = sign_in_there(browser, browser.get(unescape(target)), subject=SUBJECT)
    browser.post("/console/logout")
    with site.world.signed_in_as(Role.CLERK) as clerk:
        browser.cookies.set(SESSION_COOKIE, clerk.cookies[SESSION_COOKIE])

    answer = browser.get(way_back.headers["location"])

    assert answer.status_code == 422
    assert "outside_account_linked" not in {act for act, _subject, _why in site.acts()}


def test_an_administrator_links_somebody_by_the_subject_and_nobody_else_may(
    site: Site, browser: httpx.Client
) -> None:
    with psycopg.connect(site.world.owner_url) as rows:
        [user_id] = rows.execute(
            "SELECT id FROM app_user WHERE username = %s", [USERNAME]
        ).fetchone() or (0,)
    page = f"/console/users/{user_id}/outside"
    with site.world.signed_in_as(Role.ADMINISTRATOR) as administrator:
        long = administrator.post(page, data={"subject": "x" * 256})
        made = administrator.post(page, data={"subject": SUBJECT})
        shown = administrator.get(page)
        again = administrator.post(page, data={"subject": "another"})
        came_in = came_back(browser)
        administrator.post(f"{page}/remove")

    assert (long.status_code, made.status_code, again.status_code) == (422, 303, 422)
    assert f'value="{"x" * 256}"' in long.text
    assert "người dùng này đã có mã khác" in again.text
    assert "Đã liên kết" in shown.text
    assert SUBJECT not in shown.text
    assert came_in.status_code == 303
    assert browser.get("/console/account").status_code == 303


def test_signing_out_ends_the_session_here_and_offers_to_end_it_at_the_provider(
    site: Site, browser: httpx.Client
) -> None:
    site.link()
    came_back(browser)
    token = browser.cookies[SESSION_COOKIE]

    answer = browser.post("/console/logout")
    left = browser.get(answer.headers["location"])
    kept = httpx.get(f"{site.world.api_url}/console/account", cookies={SESSION_COOKIE: token})
    [target] = re.findall(r'href="(http[^"]+session/end[^"]+)"', left.text)

    assert (answer.status_code, answer.headers["location"]) == (303, f"{LEAVE}/left")
    assert kept.status_code == 303
    assert browser.get(unescape(target)).status_code == 200  # the provider asks once more


def test_too_many_departures_of_one_address_are_told_to_wait(site: Site) -> None:
    answers = [httpx.get(f"{site.world.api_url}{LEAVE}").status_code for _ in range(31)]

    assert answers[-1] == 429
    assert set(answers) <= {303, 429}
