# SPDX-License-Identifier: AGPL-3.0-or-later
"""What programs do by /v1: alerts, watchlist, sites, devices; changes are made once."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection

from central.control.judging import JudgingService
from central.domain.local_time import local_date
from central.identity.permissions import Permission
from tests.integration.api.world import DEVICE_ID, SITE_ID, Seen, World

PLATE = "20A12345"
LISTED = {
    "plate": "20A-123.45",
    "plate_colour": "white",
    "reason": "stolen",
    "legal_basis": "Công văn 12/CSGT",
}
CONTROL = (
    Permission.SEE_PASSAGES,
    Permission.SEE_ALERTS,
    Permission.HANDLE_ALERTS,
    Permission.SEE_WATCHLIST,
    Permission.EDIT_WATCHLIST,
    Permission.SEE_DEVICES,
)


def judge(world: World) -> None:
    """Judge what was stored last, as the job does."""

    async def work() -> None:
        async with await AsyncConnection.connect(world.database_url) as connection:
            cursor = await connection.execute("SELECT max(position) FROM passage_feed")
            row = await cursor.fetchone()
            assert row is not None
            await JudgingService(connection).judge_commit(row[0], now=datetime.now(UTC))

    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(asyncio.run, work()).result()


def with_alert(world: World, client: httpx.Client) -> str:
    """Raise one alert about a listed plate; returns its id."""
    assert client.post("/v1/watchlist", json=LISTED).status_code == 201
    world.store(Seen(plate=PLATE))
    judge(world)
    [alert] = client.get("/v1/alerts").json()["alerts"]
    return str(alert["id"])


def test_an_alert_is_listed_taken_on_and_closed_by_whoever_saw_its_newest_version(
    world: World,
) -> None:
    with world.program(*CONTROL) as client:
        alert_id = with_alert(world, client)
        address = f"/v1/alerts/{alert_id}"
        seen = client.get(address)
        blind = client.post(f"{address}/acknowledge")
        taken = client.post(f"{address}/acknowledge", headers={"If-Match": seen.headers["etag"]})
        stale = client.post(
            f"{address}/close",
            json={"reason": "vehicle_stopped"},
            headers={"If-Match": seen.headers["etag"]},
        )
        odd = client.post(f"{address}/acknowledge", headers={"If-Match": "' OR 1=1"})
        closed = client.post(
            f"{address}/close",
            json={"reason": "vehicle_stopped", "note": "Km 12"},
            headers={"If-Match": taken.headers["etag"]},
        )
        is_open = client.get("/v1/alerts", params={"state": ["open", "acknowledged"]}).json()

    assert seen.json()["alert"]["plate_text"] == PLATE
    assert seen.json()["sightings"][0]["passage"]["site_id"] == SITE_ID
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition-needed")
    assert taken.json() == {"id": alert_id, "state": "acknowledged", "version": 2}
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert odd.status_code == 412
    assert (closed.status_code, closed.headers["etag"]) == (200, '"3"')
    assert is_open == {"alerts": [], "next_cursor": None}
    with psycopg.connect(world.owner_url) as rows:
        closed_by = rows.execute("SELECT closed_by, closing_note FROM alert").fetchall()
    assert closed_by == [("api:tram-can", "Km 12")]


def test_a_program_of_another_area_neither_sees_nor_closes_an_alert(world: World) -> None:
    with world.program(*CONTROL) as client:
        alert_id = with_alert(world, client)
    with world.program(*CONTROL, name="other-area", site_ids=["km12"]) as other:
        listed = other.get("/v1/alerts").json()["alerts"]
        answers = [
            other.get(f"/v1/alerts/{alert_id}"),
            other.post(f"/v1/alerts/{alert_id}/acknowledge", headers={"If-Match": '"1"'}),
            other.get(f"/v1/devices/{DEVICE_ID}"),
            other.get(f"/v1/devices/{DEVICE_ID}/completeness"),
        ]
        sites = other.get("/v1/sites").json()["sites"]

    assert listed == sites == []
    assert {answer.status_code for answer in answers} == {404}


def test_lists_go_on_by_cursor_and_show_everything_once(world: World) -> None:
    with world.program(*CONTROL) as client:
        for number in range(5):
            entry = LISTED | {"plate": f"20A-1234{number}"}
            assert client.post("/v1/watchlist", json=entry).status_code == 201
        plates: list[str] = []
        wish: dict[str, Any] = {"page_size": 2}
        while True:
            page = client.post("/v1/watchlist/search", json=wish).json()
            plates += [entry["plate_text"] for entry in page["entries"]]
            if page["next_cursor"] is None:
                break
            wish["cursor"] = page["next_cursor"]
        devices = client.get("/v1/devices", params={"page_size": 1}).json()

    assert plates == [f"20A1234{number}" for number in reversed(range(5))]
    assert [device["id"] for device in devices["devices"]] == [DEVICE_ID]
    assert devices["next_cursor"] is None


def test_devices_tell_their_health_and_what_of_them_is_missing(world: World) -> None:
    world.store(Seen())
    world.seq += 2  # two numbers that never come
    world.store(Seen())
    world.beat()

    with world.program(Permission.SEE_DEVICES) as client:
        device = client.get(f"/v1/devices/{DEVICE_ID}").json()
        [proof] = client.get(f"/v1/devices/{DEVICE_ID}/completeness").json()["outboxes"]

    assert (device["is_silent"], device["cameras"][0]["analysed_fps"]) == (False, 12.0)
    assert (proof["stored_count"], proof["missing_count"]) == (2, 2)
    assert proof["missing"] == [{"first": 2, "last": 3}]


def test_a_day_of_every_device_adds_up_and_its_tag_follows_what_changes(world: World) -> None:
    world.store(Seen())
    world.seq += 2  # two numbers that never come
    world.store(Seen())
    world.beat()
    question = {"day": local_date(datetime.now(UTC)).isoformat(), "page_size": "1"}

    with world.program(Permission.SEE_DEVICES) as client:
        answer = client.get("/v1/completeness", params=question)
        tags = {"If-None-Match": f'"old", W/{answer.headers["etag"]}'}
        same = client.get("/v1/completeness", params=question, headers=tags)
        world.store(Seen())
        other = client.get("/v1/completeness", params=question, headers=tags)
        odd = client.get("/v1/completeness", params=question | {"cursor": "Gate;--.1"})
        never = client.get("/v1/completeness", params={"day": "0001-01-01"})
    with world.program(Permission.SEE_DEVICES, name="other-area", site_ids=["km12"]) as client:
        elsewhere = client.get("/v1/completeness", params=question).json()

    [row] = answer.json()["rows"]
    account = row["account"]
    assert row["device_id"] == DEVICE_ID
    assert (account["due_count"], account["stored_count"], account["lost_count"]) == (4, 2, 2)
    [gap] = account["gaps"]
    assert (gap["first"], gap["last"]) == (2, 3)
    assert (gap["explanation"], gap["loss"]) == ("lost", "forgotten")
    assert (same.status_code, same.content, other.status_code) == (304, b"", 200)
    assert answer.headers["etag"] == same.headers["etag"] != other.headers["etag"]
    assert (odd.status_code, never.status_code) == (422, 422)
    assert elsewhere["rows"] == []


def test_an_entry_is_removed_once(world: World) -> None:
    with world.program(*CONTROL) as client:
        entry_id = client.post("/v1/watchlist", json=LISTED).json()["id"]
        gone = client.delete(f"/v1/watchlist/{entry_id}")
        twice = client.delete(f"/v1/watchlist/{entry_id}")
        ended = client.post("/v1/watchlist/search", json={"state": "ended"}).json()["entries"]

    assert (gone.status_code, twice.status_code) == (204, 404)
    assert ended[0]["removed_by"] == "api:tram-can"


def test_a_change_asked_for_twice_with_one_key_is_made_once_and_answered_twice(
    world: World,
) -> None:
    named = {"Idempotency-Key": str(uuid4())}
    with world.program(*CONTROL) as client:
        first = client.post("/v1/watchlist", json=LISTED, headers=named)
        again = client.post("/v1/watchlist", json=LISTED, headers=named)
        other = client.post("/v1/watchlist", json=LISTED | {"note": "x"}, headers=named)
        with world.program(*CONTROL, name="somebody-else") as else_:
            theirs = else_.post("/v1/watchlist", json=LISTED, headers=named)

    assert (first.status_code, again.status_code, theirs.status_code) == (201, 201, 201)
    assert first.json() == again.json() != theirs.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    with psycopg.connect(world.owner_url) as rows:
        kept = rows.execute("SELECT body FROM api_answer").fetchall()
        entries = rows.execute("SELECT count(*) FROM watchlist_entry").fetchone()
    assert entries == (2,)
    assert PLATE not in str(kept)


def test_of_two_twins_at_the_same_time_one_is_turned_away(world: World) -> None:
    named = {"Idempotency-Key": "twins"}
    with (
        world.program(*CONTROL) as client,
        psycopg.connect(world.owner_url) as first,
    ):
        # The first twin holds the key and waits; it is another connection with the same lock.
        first.execute("SELECT pg_advisory_xact_lock(7311, hashtext('api:tram-can twins'))")
        pending = client.post("/v1/watchlist", json=LISTED, headers=named)
        first.rollback()
        later = client.post("/v1/watchlist", json=LISTED, headers=named)

    assert (pending.status_code, pending.json()["code"]) == (409, "idempotency-key-pending")
    assert pending.headers["retry-after"] == "1"
    assert later.status_code == 201


def test_twins_that_race_make_one_change(world: World) -> None:
    named = {"Idempotency-Key": "race"}
    start = threading.Barrier(4)
    with world.program(*CONTROL) as client:

        def ask() -> int:
            start.wait(timeout=10)
            return client.post("/v1/watchlist", json=LISTED, headers=named).status_code

        with ThreadPoolExecutor(max_workers=4) as executor:
            answers = [each.result() for each in [executor.submit(ask) for _ in range(4)]]

    assert set(answers) <= {201, 409}
    with psycopg.connect(world.owner_url) as rows:
        assert rows.execute("SELECT count(*) FROM watchlist_entry").fetchone() == (1,)


INJECTION = "' OR 1=1; DROP TABLE alert; --"


@pytest.mark.parametrize(
    ("method", "path", "values"),
    [
        ("GET", "/v1/alerts", {"state": INJECTION}),
        ("GET", "/v1/alerts", {"rule": INJECTION}),
        ("GET", "/v1/alerts", {"vehicle_id": INJECTION}),
        ("GET", "/v1/alerts", {"cursor": INJECTION}),
        ("GET", "/v1/alerts", {"cursor": "A" * 32, "page_size": "many"}),
        ("GET", "/v1/sites", {"cursor": INJECTION}),
        ("GET", "/v1/devices", {"cursor": INJECTION}),
        ("GET", "/v1/devices", {"page_size": "201"}),
        ("GET", f"/v1/devices/{INJECTION}", {}),
        ("POST", "/v1/watchlist/search", {"state": INJECTION}),
        ("POST", "/v1/watchlist/search", {"plate": INJECTION}),
        ("POST", "/v1/watchlist/search", {"cursor": "?" * 32}),
        ("POST", "/v1/watchlist", LISTED | {"plate": INJECTION}),
        ("POST", "/v1/watchlist", LISTED | {"listed_by": "somebody else"}),
        ("POST", "/v1/watchlist", LISTED | {"plate": 7}),
        ("POST", "/v1/watchlist", LISTED | {"valid_until": "2001-01-01T00:00:00Z"}),
        ("POST", "/v1/watchlist", LISTED | {"note": "x" * 70_000}),
        ("POST", "/v1/passages/search", {"site_ids": [INJECTION]}),
    ],
)
def test_what_can_not_be_meant_is_refused_and_changes_nothing(
    world: World, method: str, path: str, values: dict[str, Any]
) -> None:
    with world.program(*CONTROL) as client:
        if method == "GET":
            answer = client.get(path, params=values)
        else:
            answer = client.request(method, path, json=values)

    assert answer.status_code in {413, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert INJECTION not in answer.text
    with psycopg.connect(world.owner_url) as rows:
        assert rows.execute("SELECT count(*) FROM watchlist_entry").fetchone() == (0,)
