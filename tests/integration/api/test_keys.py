# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs come in by a key, do what it allows where it allows it, and no longer than it works."""

import html
import re
from dataclasses import replace

import httpx
import psycopg
import pytest

from central.identity.permissions import Permission, Role
from tests.integration.api.test_session import OPEN_ROUTES, routes_of
from tests.integration.api.world import SITE_ID, Seen, World, serving

PATTERN = re.compile(r"ltk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")


def key_on(page: httpx.Response) -> str:
    """The key that a page shows."""
    [key] = PATTERN.findall(html.unescape(page.text))
    return str(key)


def search(world: World, key: str) -> httpx.Response:
    """What the api answers to a key."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{world.api_url}/v1/passages/search", json={}, headers=headers)


def test_a_key_allows_what_it_names_and_nothing_else_of_its_role(world: World) -> None:
    world.store(Seen())
    with world.program(Permission.SEE_PASSAGES) as client:
        allowed = client.post("/v1/passages/search", json={})
        refused = client.post(
            "/v1/vehicles/lookup", json={"plate": "20A-123.45", "purpose": "inspection"}
        )

    assert len(allowed.json()["passages"]) == 1
    assert allowed.headers["ratelimit-policy"] == '"key";q=600;w=60'
    assert re.fullmatch(r'"key";r=599;t=\d+', allowed.headers["ratelimit"])
    assert (refused.status_code, refused.json()["code"]) == (403, "permission-denied")
    with psycopg.connect(world.owner_url) as rows:
        written = rows.execute(
            "SELECT actor_kind, actor, actor_role, outcome FROM audit_entry ORDER BY id DESC"
        ).fetchone()
    assert written == ("service", "api:tram-can", "api_client", "refused")


def test_a_key_for_other_sites_sees_nothing_here(world: World) -> None:
    [passage] = world.store(Seen())

    with world.program(Permission.SEE_PASSAGES, site_ids=["km12"]) as client:
        found = client.post("/v1/passages/search", json={}).json()["passages"]
        one = client.get(f"/v1/passages/{passage.id}")
    with world.program(Permission.SEE_PASSAGES, name="nearer", site_ids=[SITE_ID]) as client:
        here = client.post("/v1/passages/search", json={}).json()["passages"]

    assert (found, one.status_code, len(here)) == ([], 404, 1)


def test_a_key_opens_no_page_for_people(world: World) -> None:
    pages = [path for method, path in routes_of(world.app) if method == "GET"]
    closed = [
        path
        for path in pages
        if path.startswith("/console") and ("GET", path) not in OPEN_ROUTES and "{" not in path
    ]

    with world.program(Permission.SEE_PASSAGES) as client:
        answers = {path: client.get(path).status_code for path in closed}

    assert len(answers) > 5
    assert set(answers.values()) == {303}


def test_the_page_shows_a_key_once_and_the_log_and_the_database_never(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    form = {
        "name": "tram-can-km12",
        "purpose": "Trạm cân <b>",
        "permissions": ["see_passages", "see_alerts"],
        "days": "90",
    }
    with world.signed_in_as(Role.DEMONSTRATOR) as people:
        made = people.post("/console/keys", data=form)
        key = key_on(made)
        answer = search(world, key)
        again = people.get("/console/keys")

    assert answer.status_code == 200
    assert "Trạm cân &lt;b&gt;" in again.text
    assert key[4:16] in again.text
    assert PATTERN.findall(again.text) == []
    with psycopg.connect(world.owner_url) as rows:
        kept = str(rows.execute("SELECT * FROM api_key, api_client, audit_entry").fetchall())
    assert key[17:] not in kept
    assert "api_client_added" in kept
    assert key[17:] not in "".join(capfd.readouterr())


def test_a_renewed_key_works_beside_the_old_one_until_that_is_revoked(world: World) -> None:
    form = {"name": "phan-mem-a", "purpose": "Thử", "permissions": "see_passages"}
    with world.signed_in_as(Role.DEMONSTRATOR) as people:
        old = key_on(people.post("/console/keys", data=form))
        new = key_on(people.post("/console/keys/phan-mem-a/rotate"))
        both = (search(world, old).status_code, search(world, new).status_code)
        gone = people.post(f"/console/keys/{old[4:16]}/revoke")
        twice = people.post(f"/console/keys/{old[4:16]}/revoke")

    revoked = search(world, old)
    assert both == (200, 200)
    assert (gone.status_code, twice.status_code) == (303, 404)
    assert (revoked.status_code, revoked.json()["code"]) == (401, "key-revoked")
    assert revoked.headers["www-authenticate"] == "Bearer"
    assert search(world, new).status_code == 200
    with psycopg.connect(world.owner_url) as rows:
        days = rows.execute(
            "SELECT extract(day FROM expires_at - made_at) FROM api_key WHERE prefix = %s",
            [old[4:16]],
        ).fetchone()
    assert days == (7,)


def test_an_expired_key_and_what_is_no_key_are_told_apart_only_for_its_holder(
    world: World, session_cookies: dict[str, str]
) -> None:
    with world.program(Permission.SEE_PASSAGES) as client:
        key = client.headers["authorization"].removeprefix("Bearer ")
    with psycopg.connect(world.owner_url) as rows:
        rows.execute("UPDATE api_key SET expires_at = made_at")
    guesses = [
        key[:-1] + ("A" if key[-1] != "A" else "B"),
        "?",
        "x" * 5000,
        key[:17],
        "ltk_' OR 1=1",
    ]

    expired = search(world, key)
    codes = {search(world, guess).json()["code"] for guess in guesses}
    with_cookie = httpx.post(
        f"{world.api_url}/v1/passages/search",
        json={},
        headers={"Authorization": f"Bearer {key}"},
        cookies=session_cookies,
    )

    assert (expired.status_code, expired.json()["code"]) == (401, "key-expired")
    assert codes == {"key-unknown"}
    assert with_cookie.status_code == 401


def test_a_key_that_asks_too_often_waits_at_every_process_and_another_does_not(
    world: World,
) -> None:
    own = replace(world)
    with serving(own, key_requests_per_minute=2), own.program(Permission.SEE_PASSAGES) as busy:
        answers = [busy.post("/v1/passages/search", json={}) for _ in range(2)]
        with serving(own, key_requests_per_minute=2) as elsewhere:
            answers.append(
                httpx.post(f"{elsewhere}/v1/passages/search", json={}, headers=busy.headers)
            )
        with own.program(Permission.SEE_PASSAGES, name="other") as quiet:
            other = quiet.post("/v1/passages/search", json={})

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "too-many-requests"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["ratelimit"].startswith('"key";r=0;')
    assert other.status_code == 200


def test_a_form_with_a_wrong_part_comes_back_with_it_marked(world: World) -> None:
    good = {"name": "a1", "purpose": "x", "permissions": "see_passages", "days": "9"}
    wrong: tuple[tuple[dict[str, object], str], ...] = (
        ({"name": "Big Name"}, "name-problem"),
        ({"purpose": ""}, "purpose-problem"),
        ({"permissions": []}, "permissions-problem"),
        ({"permissions": ["see_audit"]}, "permissions-problem"),  # no program may have it
        ({"sites": ["'; DROP TABLE api_key"]}, "sites-problem"),
        ({"days": "0"}, "lifetime-problem"),
        ({"days": "400"}, "lifetime-problem"),
    )

    with world.signed_in_as(Role.DEMONSTRATOR) as people:
        answers = [people.post("/console/keys", data=good | change) for change, _ in wrong]
        unknown_field = people.post("/console/keys", data=good | {"role": "administrator"})

    for answer, (change, part) in zip(answers, wrong, strict=True):
        assert (answer.status_code, change) == (422, change)
        assert f'id="{part}"' in answer.text
        assert PATTERN.findall(answer.text) == []
    assert unknown_field.status_code == 422


def test_an_administrator_makes_and_sees_no_key_that_allows_more_than_the_own_role(
    world: World,
) -> None:
    form = {"name": "tram-can", "purpose": "Thử", "permissions": ["see_devices", "see_passages"]}
    with world.signed_in_as(Role.DEMONSTRATOR) as able:
        able.post("/console/keys", data=form)
    with world.signed_in_as(Role.ADMINISTRATOR) as people:
        beyond = people.post("/console/keys", data=form | {"name": "more"})
        renewed = people.post("/console/keys/tram-can/rotate")
        own = people.post(
            "/console/keys", data=form | {"name": "own", "permissions": "see_devices"}
        )
        again = people.post("/console/keys/own/rotate")
        page = people.get("/console/keys").text

    assert beyond.status_code == 422
    assert 'id="permissions-problem"' in beyond.text
    assert renewed.status_code == 403
    assert PATTERN.findall(beyond.text + renewed.text) == []
    assert key_on(own) != key_on(again)
    assert 'value="see_devices"' in page
    assert 'value="see_passages"' not in page
    assert "/console/keys/own/rotate" in page
    assert "/console/keys/tram-can/rotate" not in page
