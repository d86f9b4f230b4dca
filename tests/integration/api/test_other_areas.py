# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nobody sees or changes what happened at sites of another area, whatever the role and address."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest

from central.identity.permissions import Role
from tests.integration.api.areas import INSIDE, OUTSIDE, confine, make_areas
from tests.integration.api.test_live import STREAM, WAIT_S, Stream
from tests.integration.api.tolling import TRUCK, TollWorld, toll_world
from tests.integration.api.world import CAMERA_ID, SITE_ID, SITE_NAME, World, sha256_of
from tests.integration.central import tolls

SHOWN_PLATE = "20C-123.45"
SOMEBODY = Role.DEMONSTRATOR


@dataclass(kw_only=True)
class Traces:
    """What a truck left at the world's site."""

    world: World
    client: httpx.Client
    ids: Mapping[str, str]

    def seen_from(self, area: str) -> None:
        confine(self.world, SOMEBODY.value, area)


@pytest.fixture
def traces(world: World) -> Iterator[Traces]:
    """A passage with pictures, an alert, a charged crossing and a closed day."""
    make_areas(world)
    with toll_world(world) as station, world.signed_in_as(SOMEBODY) as client:
        at = datetime.now(UTC) - timedelta(seconds=30)
        station.truck(at)
        station.work(now=datetime.now(UTC))
        yield Traces(world=world, client=client, ids=_ids(world, station, client, at))


def _ids(world: World, station: TollWorld, client: httpx.Client, at: datetime) -> dict[str, str]:
    with psycopg.connect(world.owner_url) as rows:
        row = rows.execute("SELECT id, captured_at FROM passage").fetchone()
        vehicle = rows.execute("SELECT vehicle_id FROM toll_tag ORDER BY epc LIMIT 1").fetchone()
        assert row is not None
        assert vehicle is not None
        alert_id = uuid4()
        rows.execute(
            "INSERT INTO alert (id, rule, severity, plate_text, plate_colour, vehicle_id,"
            " legal_basis, facts, state, opened_at, last_sighted_at, passage_id, site_id,"
            " camera_id) VALUES (%s, 'yellow_without_badge', 'high', %s, 'yellow', %s, '-', '[]',"
            " 'open', now(), %s, %s, %s, %s)",
            [alert_id, TRUCK, vehicle[0], row[1], row[0], SITE_ID, CAMERA_ID],
        )
    day = {"station": tolls.STATION, "day": (at + timedelta(hours=7)).date().isoformat()}
    closed = client.post("/console/tolls/days", data={**day, "so_far": "yes"})
    assert closed.status_code == 303, closed.text
    return {
        "passage": str(row[0]),
        "vehicle": str(vehicle[0]),
        "alert": str(alert_id),
        "crossing": str(station.crossing_id("charged")),
        "day": closed.headers["location"].rsplit("/", 1)[1],
        "picture": sha256_of(station.pictures[0]),
    }


def test_details_of_another_area_are_not_found(traces: Traces) -> None:
    ids = traces.ids
    addresses = [
        f"/console/passages/{ids['passage']}",
        f"/v1/passages/{ids['passage']}",
        f"/v1/evidence/{ids['picture']}",
        f"/console/alerts/{ids['alert']}",
        f"/console/tolls/{ids['crossing']}",
        f"/console/tolls/days/{ids['day']}",
    ]

    traces.seen_from(INSIDE)
    inside = {address: traces.client.get(address).status_code for address in addresses}
    traces.seen_from(OUTSIDE)
    outside = {address: traces.client.get(address).status_code for address in addresses}

    assert inside == dict.fromkeys(addresses, 200)
    assert outside == dict.fromkeys(addresses, 404)


def test_lists_of_another_area_are_empty(traces: Traces) -> None:
    def pages() -> dict[str, str]:
        client = traces.client
        look = {"purpose": "toll_dispute"}
        answers = {
            "/console/passages": client.get("/console/passages"),
            "/console/alerts": client.get("/console/alerts"),
            "/console/alerts?state=all": client.get("/console/alerts?state=all"),
            "/console/tolls": client.get("/console/tolls"),
            "/v1/passages/search": client.post("/v1/passages/search", json={}),
        }
        vehicle = client.post(
            f"/console/vehicles/{traces.ids['vehicle']}/look", data=look, follow_redirects=True
        )
        assert vehicle.status_code == 200
        # The vehicle itself belongs to the province; where it passed does not.
        return {name: answer.text for name, answer in answers.items()} | {"vehicle": vehicle.text}

    traces.seen_from(INSIDE)
    inside = pages()
    traces.seen_from(OUTSIDE)
    outside = pages()

    ours = (traces.ids["passage"], traces.ids["alert"], traces.ids["crossing"])
    for name, page in inside.items():
        assert any(each in page for each in ours), name
    for name, page in outside.items():
        assert not any(each in page for each in ours), name
        assert SITE_NAME not in page, name


def test_what_lies_in_another_area_can_not_be_changed(traces: Traces) -> None:
    ids = traces.ids
    changes: dict[str, dict[str, str]] = {
        f"/console/alerts/{ids['alert']}/acknowledge": {"version": "1"},
        f"/console/alerts/{ids['alert']}/close": {"version": "1", "reason": "handled"},
        f"/console/tolls/{ids['crossing']}/refund": {"version": "1", "reason": "wrong_group"},
        f"/console/tolls/{ids['crossing']}/decide": {"version": "1", "decision": "waive"},
        "/console/tolls/days": {"station": tolls.STATION, "day": "2026-01-05"},
    }
    traces.seen_from(OUTSIDE)

    answers = {
        address: traces.client.post(address, data=form).status_code
        for address, form in changes.items()
    }

    assert answers == dict.fromkeys(changes, 404)
    traces.seen_from(INSIDE)
    taken = traces.client.post(f"/console/alerts/{ids['alert']}/acknowledge", data={"version": "1"})
    assert taken.status_code == 303


@pytest.mark.parametrize("path", [STREAM, "/console/alerts/stream"])
def test_live_pages_of_another_area_show_nothing(traces: Traces, path: str) -> None:
    with psycopg.connect(traces.world.owner_url) as rows:
        rows.execute(
            "INSERT INTO alert_feed (alert_id, changed_at) VALUES (%s, now())",
            [traces.ids["alert"]],
        )

    def first_event() -> dict[str, str]:
        with traces.client.stream("GET", f"{path}?after=0", timeout=WAIT_S) as answer:
            assert answer.status_code == 200
            return Stream(answer).next_event()

    traces.seen_from(INSIDE)
    inside = first_event()
    traces.seen_from(OUTSIDE)
    outside = first_event()

    assert SHOWN_PLATE in inside["data"]
    assert SHOWN_PLATE not in outside["data"]
    assert not any(each in outside["data"] for each in traces.ids.values())


def test_whoever_has_no_area_sees_nothing(world: World) -> None:
    with world.signed_in_as(SOMEBODY) as client:
        with psycopg.connect(world.owner_url) as rows:
            rows.execute(
                "UPDATE app_user SET reach = 'areas' WHERE username = %s", [SOMEBODY.value]
            )
        page = client.get("/console/passages")

    assert page.status_code == 200
    assert SITE_NAME not in page.text
