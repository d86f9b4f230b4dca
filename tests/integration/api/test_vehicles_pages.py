# SPDX-License-Identifier: AGPL-3.0-or-later
"""A clerk finds a vehicle, says why, and sees everything about it; every look is written down."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api.console.reasons import KEEP, ReasonShelf
from api.deps.acting import LookForm
from central.audit.types import Purpose
from central.contracts.passage import PlateColour
from central.identity.permissions import Role
from tests.integration.api.world import Seen, World

TODAY = date(2026, 1, 1)
PURPOSE = {"purpose": "dossier", "case_reference": "H15.50-260302-0001"}


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with world.signed_in() as client:
        yield client


@pytest.fixture
def rows(world: World) -> Iterator[psycopg.Connection]:
    with psycopg.connect(world.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def truck(rows: psycopg.Connection) -> Iterator[UUID]:
    """A yellow truck without badge, whose inspection runs out soon."""
    vehicle_id, owner_id, suffix = uuid4(), uuid4(), uuid4().hex[:9].upper()
    soon = datetime.now(UTC).date() + timedelta(days=7)
    rows.execute(
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at, updated_at)"
        " VALUES (%s, 'organisation', 'Công ty TNHH Vận tải A', %s, 'sổ', %s, now(), now())",
        [owner_id, f"46{uuid4().int % 10**8:08}", TODAY],
    )
    rows.execute(
        "INSERT INTO vehicle (id, chassis_number, kind, brand, seats, payload_kg, owner_id,"
        " inspected_until, source, as_of, created_at, updated_at) VALUES (%s, %s, 'truck',"
        " 'Thaco', 3, 8000, %s, %s, 'Sổ đăng ký xe', %s, now(), now())",
        [vehicle_id, f"TRUCK{suffix}", owner_id, soon, TODAY],
    )
    rows.execute(
        "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
        " VALUES (%s, '20C77777', 'yellow', '2024-01-01')",
        [vehicle_id],
    )
    yield vehicle_id
    for table, column, value in (
        ("vehicle_plate", "vehicle_id", vehicle_id),
        ("vehicle", "id", vehicle_id),
        ("party", "id", owner_id),
    ):
        rows.execute(f"DELETE FROM {table} WHERE {column} = %s", [value])  # noqa: S608  # our own


def looks(rows: psycopg.Connection, vehicle_id: UUID) -> list[tuple[str, str]]:
    """Purpose and case of every look at a vehicle."""
    return rows.execute(
        "SELECT purpose, case_reference FROM audit_entry"
        " WHERE action = 'vehicle_looked_up' AND subject_id = %s ORDER BY id",
        [str(vehicle_id)],
    ).fetchall()


def test_a_vehicle_is_shown_only_after_a_purpose_was_given(
    client: httpx.Client, rows: psycopg.Connection, truck: UUID
) -> None:
    asked = client.get(f"/console/vehicles/{truck}")
    refused = client.post(f"/console/vehicles/{truck}/look", data={"purpose": ""})
    before = looks(rows, truck)
    shown = client.post(f"/console/vehicles/{truck}/look", data=PURPOSE, follow_redirects=True)

    assert "20C" not in asked.text
    assert refused.status_code == 422
    assert before == []
    assert "20C-777.77" in shown.text
    assert looks(rows, truck) == [("dossier", PURPOSE["case_reference"])]


def test_one_visit_asks_once_and_writes_every_look_down(
    client: httpx.Client, rows: psycopg.Connection, truck: UUID
) -> None:
    client.post(f"/console/vehicles/{truck}/look", data=PURPOSE, follow_redirects=True)

    again = client.get(f"/console/vehicles/{truck}")

    assert "20C-777.77" in again.text
    assert len(looks(rows, truck)) == 2


def test_another_session_is_asked_again(world: World, client: httpx.Client, truck: UUID) -> None:
    client.post(f"/console/vehicles/{truck}/look", data=PURPOSE, follow_redirects=True)

    with world.signed_in() as other:
        asked = other.get(f"/console/vehicles/{truck}")

    assert "20C-777.77" not in asked.text
    assert 'name="purpose"' in asked.text


def test_the_page_says_what_is_wrong_with_the_papers(client: httpx.Client, truck: UUID) -> None:
    shown = client.post(f"/console/vehicles/{truck}/look", data=PURPOSE, follow_redirects=True)

    assert "Biển vàng nhưng không có phù hiệu" in shown.text
    assert "XE TẢI" in shown.text
    assert "Điều 8.6, 23" in shown.text
    assert "Sắp hết hạn" in shown.text  # the inspection
    assert "Chưa rõ" in shown.text  # permit and transport licence
    assert "Sổ đăng ký xe" in shown.text


def test_the_only_vehicle_that_fits_is_opened_at_once(
    client: httpx.Client, rows: psycopg.Connection, truck: UUID
) -> None:
    answer = client.post(
        "/console/vehicles/search", data={"text": "20c-777.77", **PURPOSE}, follow_redirects=True
    )

    assert answer.url.path == f"/console/vehicles/{truck}"
    assert len(looks(rows, truck)) == 1


def test_several_are_listed_and_no_address_holds_a_plate(
    client: httpx.Client, rows: psycopg.Connection, truck: UUID
) -> None:
    rows.execute(
        "INSERT INTO vehicle (id, chassis_number, kind, owner_id, source, as_of, created_at,"
        " updated_at) SELECT %s, chassis_number || 'B', kind, owner_id, source, as_of, now(), now()"
        " FROM vehicle WHERE id = %s",
        [second := uuid4(), truck],
    )
    chassis = rows.execute("SELECT chassis_number FROM vehicle WHERE id = %s", [truck]).fetchone()
    assert chassis is not None

    answer = client.post(
        "/console/vehicles/search",
        data={"text": f"{chassis[0]}*", **PURPOSE},
        follow_redirects=True,
    )
    rows.execute("DELETE FROM vehicle WHERE id = %s", [second])

    assert re.fullmatch(r"/console/vehicles\?q=[\w-]{16}", answer.url.raw_path.decode())
    assert f"/console/vehicles/{truck}" in answer.text
    assert f"/console/vehicles/{second}" in answer.text
    assert chassis[0] not in str(answer.url)


@pytest.mark.parametrize(
    ("filled", "words"),
    [
        ({"text": "20C", **PURPOSE}, "ít nhất 4"),
        ({"text": "20C';--", **PURPOSE}, "Chỉ dùng chữ"),
        ({"text": "20C77777"}, "Hãy chọn mục đích"),
        ({"text": "20C77777", "purpose": "curiosity"}, "Hãy chọn mục đích"),
        ({"text": "20C77777", "purpose": "dossier", "case_reference": "x" * 101}, "100"),
    ],
)
def test_what_is_wrong_with_a_search_is_said_beside_it(
    client: httpx.Client, filled: dict[str, str], words: str
) -> None:
    answer = client.post("/console/vehicles/search", data=filled)

    assert answer.status_code == 422
    assert words in answer.text


def test_nothing_found_is_not_the_same_as_not_existing(client: httpx.Client) -> None:
    answer = client.post(
        "/console/vehicles/search", data={"text": "99Z99999", **PURPOSE}, follow_redirects=True
    )

    assert "tỉnh khác" in answer.text


def test_a_forgotten_search_says_so(client: httpx.Client) -> None:
    answer = client.get("/console/vehicles?q=abcdefghijklmnop")

    assert "đã quá lâu" in answer.text


def test_an_unknown_vehicle_is_a_404_with_a_way_on(client: httpx.Client) -> None:
    answer = client.post(f"/console/vehicles/{uuid4()}/look", data=PURPOSE, follow_redirects=True)

    assert answer.status_code == 404
    assert "không có trong sổ" in answer.text


def test_passages_of_another_colour_are_another_vehicles(
    world: World, client: httpx.Client, truck: UUID
) -> None:
    mine, other = world.store(
        Seen(plate="20C77777", colour=PlateColour.YELLOW),
        Seen(plate="20C77777", colour=PlateColour.WHITE),
    )

    shown = client.post(f"/console/vehicles/{truck}/look", data=PURPOSE, follow_redirects=True)

    assert f"/console/passages/{mine.id}" in shown.text
    assert f"/console/passages/{other.id}" not in shown.text


def test_parts_are_links_that_each_show_their_own_and_every_look_counts(
    world: World, client: httpx.Client, rows: psycopg.Connection, truck: UUID
) -> None:
    listed = {"plate": "20C77777", "reason": "stolen", "legal_basis": "QĐ 15/CSĐT"}
    with world.signed_in_as(Role.REVIEWER) as reviewer:
        assert reviewer.post("/console/watchlist", data=listed).status_code == 303
    path = f"/console/vehicles/{truck}"
    client.post(f"{path}/look", data=PURPOSE)

    whole = client.get(path).text
    part = client.get(f"{path}?part=watchlist").text
    papers = client.get(f"{path}?part=papers").text

    assert all(name in whole for name in ('id="vehicle-watchlist"', 'id="papers-title"'))
    assert "QĐ 15/CSĐT" in whole
    assert re.search(r'part=watchlist"\s+aria-current="page"', part)
    assert "QĐ 15/CSĐT" in part
    assert 'id="papers-title"' not in part
    assert "QĐ 15/CSĐT" not in papers
    assert client.get(f"{path}?part=nothing").status_code == 422
    assert len(looks(rows, truck)) == 3
    with world.signed_in_as(Role.CLERK) as clerk:  # may not see the watchlist
        clerk.post(f"{path}/look", data=PURPOSE)
        assert "QĐ 15/CSĐT" not in clerk.get(f"{path}?part=watchlist").text


def test_a_reason_holds_for_some_minutes() -> None:
    shelf, subject = ReasonShelf(), uuid4()
    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    reason = LookForm(purpose=Purpose.DOSSIER)
    shelf.remember(reason, session="one", subject=subject, now=now)

    just_now = shelf.recall(session="one", subject=subject, now=now + KEEP - timedelta(seconds=1))
    too_late = shelf.recall(session="one", subject=subject, now=now + KEEP)
    elsewhere = shelf.recall(session="two", subject=subject, now=now)

    assert (just_now, too_late, elsewhere) == (reason, None, None)
