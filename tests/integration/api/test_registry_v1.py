# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs ask about vehicles, permits and licences: with a purpose, and unknown is no no."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from central.domain.local_time import local_date
from tests.integration.api.world import World

PURPOSE = {"purpose": "traffic_control"}
TRUCK = {"plate": "20C-888.88", "plate_colour": "yellow", **PURPOSE}
LICENCE = "010203040506"
STATEMENTS = (
    (
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at, updated_at)"
        " VALUES (%(owner)s, 'organisation', 'Công ty TNHH Vận tải A', '4600088888', 'sổ',"
        " %(as_of)s, now(), now())"
    ),
    (
        "INSERT INTO vehicle (id, chassis_number, kind, seats, payload_kg, gross_mass_kg, owner_id,"
        " inspected_until, source, as_of, created_at, updated_at) VALUES (%(truck)s,"
        " 'V1TRUCK88888', 'truck', 3, 8000, 15000, %(owner)s, %(later)s, 'sổ',"
        " %(as_of)s, now(), now())"
    ),
    (
        "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
        " VALUES (%(truck)s, '20C88888', 'yellow', '2024-01-01')"
    ),
    (
        "INSERT INTO transport_licence (id, number, party_id, valid_from, source, as_of,"
        " created_at) VALUES (gen_random_uuid(), 'KDVT-88888', %(owner)s, '2024-01-01',"
        " 'sổ', %(as_of)s, now())"
    ),
    (
        "INSERT INTO driving_licence (number, holder_name, born_on, points, state, source, as_of,"
        " created_at, updated_at) VALUES ('010203040506', 'Lái xe số 1', '1985-01-02', 12, 'valid',"
        " 'sổ', %(as_of)s, now(), now())"
    ),
    (
        "INSERT INTO driving_licence_class (number, class, valid_from, valid_until)"
        " VALUES ('010203040506', 'C', '2025-05-01', %(later)s)"
    ),
)
BADGE = (
    "INSERT INTO badge (id, number, kind, vehicle_id, party_id, valid_from, valid_until, source,"
    " as_of, created_at) VALUES (gen_random_uuid(), 'PH-88888', 'goods', %(truck)s, %(owner)s,"
    " '2025-03-01', %(later)s, 'sổ', %(as_of)s, now())"
)
PERMIT = (
    "INSERT INTO border_permit (id, number, kind, vehicle_id, party_id, valid_from, valid_until,"
    " trip_days_max, source, as_of, created_at) VALUES (gen_random_uuid(), 'LV-88888',"
    " 'laos_commercial', %(truck)s, %(owner)s, '2025-03-01', %(ends)s, 30, 'sổ', %(as_of)s, now())"
)
CLEAN = (
    "DELETE FROM border_permit WHERE vehicle_id = %(truck)s",
    "DELETE FROM badge WHERE vehicle_id = %(truck)s",
    "DELETE FROM driving_licence WHERE number = '010203040506'",
    "DELETE FROM transport_licence WHERE party_id = %(owner)s",
    "DELETE FROM vehicle_plate WHERE vehicle_id = %(truck)s",
    "DELETE FROM vehicle WHERE id = %(truck)s",
    "DELETE FROM party WHERE id = %(owner)s",
)


class Registered:
    """A truck in the registry, to which a test adds papers."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.today = local_date(datetime.now(UTC))
        self.values: dict[str, Any] = {
            "truck": uuid4(),
            "owner": uuid4(),
            "later": self.today + timedelta(days=400),
            "as_of": self.today - timedelta(days=10),
        }

    @property
    def id(self) -> UUID:
        return UUID(str(self.values["truck"]))

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement, self.values)

    def add_badge(self) -> None:
        self.run(BADGE)

    def add_permit(self, *, days: int = 100) -> None:
        self.values["ends"] = self.today + timedelta(days=days)
        self.run(PERMIT)


@pytest.fixture
def truck(world: World) -> Iterator[Registered]:
    with psycopg.connect(world.database_url, autocommit=True) as connection:
        registered = Registered(connection)
        registered.run(*STATEMENTS)
        yield registered
        registered.run(*CLEAN)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with world.signed_in() as client:
        yield client


def codes(answer: httpx.Response) -> set[str]:
    return {reason["code"] for reason in answer.json()["reasons"]}


def test_a_vehicle_is_looked_up_by_plate_or_chassis_number_and_that_is_written_down(
    client: httpx.Client, truck: Registered
) -> None:
    by_plate = client.post("/v1/vehicles/lookup", json=TRUCK)
    by_chassis = client.post(
        "/v1/vehicles/lookup", json={"chassis_number": "v1truck88888", **PURPOSE}
    )

    assert by_plate.status_code == 200, by_plate.text
    assert by_plate.json() == by_chassis.json()
    assert by_plate.json()["owner"]["name"] == "Công ty TNHH Vận tải A"
    assert by_plate.json()["origin"]["source"] == "sổ"
    looks = truck.connection.execute(
        "SELECT purpose FROM audit_entry WHERE action = 'vehicle_looked_up' AND subject_id = %s",
        [str(truck.id)],
    ).fetchall()
    assert looks == [("traffic_control",), ("traffic_control",)]


@pytest.mark.parametrize("path", ["vehicles/lookup", "permits/check", "licences/check"])
@pytest.mark.parametrize(
    "body",
    [
        {"plate": "20C-888.88", "licence_number": LICENCE},  # no purpose
        {"plate": "20C-888.88", "licence_number": LICENCE, "purpose": "curiosity"},
        {"licence_number": LICENCE, **PURPOSE},  # no vehicle
        {"plate": "20C-888.88", "chassis_number": "V1TRUCK88888", "licence_number": LICENCE}
        | PURPOSE,
    ],
)
def test_what_is_incomplete_is_refused(
    client: httpx.Client, path: str, body: dict[str, str]
) -> None:
    if path != "licences/check":
        body = {name: value for name, value in body.items() if name != "licence_number"}

    answer = client.post(f"/v1/{path}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid")


@pytest.mark.parametrize("path", ["vehicles/lookup", "permits/check", "licences/check"])
def test_without_a_session_nothing_is_answered(world: World, path: str) -> None:
    answer = httpx.post(f"{world.api_url}/v1/{path}", json=TRUCK)

    assert answer.status_code == 401


def test_a_vehicle_that_is_not_there_is_not_found_and_the_look_is_written_down(
    world: World, client: httpx.Client
) -> None:
    answer = client.post("/v1/vehicles/lookup", json={"plate": "99Z99999", **PURPOSE})

    assert (answer.status_code, answer.json()["code"]) == (404, "vehicle-not-found")
    assert "99Z" not in answer.text
    with psycopg.connect(world.database_url) as rows:
        written = rows.execute(
            "SELECT action, purpose, subject_id = key_id::text, audit_entry::text LIKE '%99Z%'"
            " FROM audit_entry"
        ).fetchall()
    assert written == [("vehicles_searched", "traffic_control", True, False)]


@pytest.mark.parametrize("on", ["9999-12-31", "0001-01-01", "1999-12-31", "2100-01-01"])
def test_a_day_of_which_nothing_can_be_known_is_refused(client: httpx.Client, on: str) -> None:
    permit = client.post("/v1/permits/check", json=TRUCK | {"on": on, "trip_days": 366})
    licence = client.post("/v1/licences/check", json=TRUCK | {"on": on, "licence_number": LICENCE})

    assert (permit.status_code, licence.status_code) == (422, 422)


def test_a_colour_is_needed_where_two_vehicles_bear_the_text(
    client: httpx.Client, truck: Registered
) -> None:
    truck.values["car"] = uuid4()
    truck.run(
        "INSERT INTO vehicle (id, chassis_number, kind, owner_id, source, as_of, created_at,"
        " updated_at) VALUES (%(car)s, 'V1CAR88888', 'car', %(owner)s, 'sổ', %(as_of)s, now(),"
        " now())",
        "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
        " VALUES (%(car)s, '20C88888', 'white', '2024-01-01')",
    )

    without = client.post("/v1/vehicles/lookup", json={"plate": "20C-888.88", **PURPOSE})
    white = client.post("/v1/vehicles/lookup", json=TRUCK | {"plate_colour": "white"})
    truck.run(
        "DELETE FROM vehicle_plate WHERE vehicle_id = %(car)s",
        "DELETE FROM vehicle WHERE id = %(car)s",
    )

    assert (without.status_code, without.json()["code"]) == (409, "vehicle-ambiguous")
    assert white.json()["kind"] == "car"


def test_a_truck_with_everything_may_cross_to_laos(client: httpx.Client, truck: Registered) -> None:
    truck.add_badge()
    truck.add_permit()

    answer = client.post("/v1/permits/check", json=TRUCK | {"trip_days": 30})

    assert answer.json()["answer"] == "yes", answer.text
    assert codes(answer) == {
        "border_permit_yes",
        "trip_days_yes",
        "inspection_yes",
        "badge_yes",
        "transport_licence_yes",
    }
    for reason in answer.json()["reasons"]:
        assert reason["legal_basis"]["reference"]
        assert all(fact["age_days"] in {10, None} for fact in reason["facts"])


def test_a_permit_that_is_not_recorded_is_unknown_and_one_that_ran_out_is_a_no(
    client: httpx.Client, truck: Registered
) -> None:
    truck.add_badge()

    unrecorded = client.post("/v1/permits/check", json=TRUCK)
    truck.add_permit(days=0)
    run_out = client.post("/v1/permits/check", json=TRUCK)

    assert (unrecorded.json()["answer"], run_out.json()["answer"]) == ("unknown", "no")
    assert "border_permit_unknown" in codes(unrecorded)
    assert "border_permit_no" in codes(run_out)


def test_a_trip_that_is_longer_than_the_permit_is_a_no(
    client: httpx.Client, truck: Registered
) -> None:
    truck.add_badge()
    truck.add_permit(days=20)

    fits = client.post("/v1/permits/check", json=TRUCK | {"trip_days": 20})
    too_long = client.post("/v1/permits/check", json=TRUCK | {"trip_days": 21})

    assert (fits.json()["answer"], too_long.json()["answer"]) == ("yes", "no")


def test_a_yellow_truck_without_badge_may_not_cross(
    client: httpx.Client, truck: Registered
) -> None:
    truck.add_permit()

    answer = client.post("/v1/permits/check", json=TRUCK)

    assert answer.json()["answer"] == "no"
    assert "badge_no" in codes(answer)


def test_a_vehicle_that_nobody_knows_is_unknown_and_not_invalid(client: httpx.Client) -> None:
    body = {"plate": "99Z99999", **PURPOSE}

    permit = client.post("/v1/permits/check", json=body)
    licence = client.post("/v1/licences/check", json=body | {"licence_number": "999999999999"})

    assert (permit.json()["answer"], codes(permit)) == ("unknown", {"vehicle_unknown"})
    assert codes(licence) == {"vehicle_unknown", "licence_unknown"}


def test_a_driver_may_drive_what_the_licence_covers(
    client: httpx.Client, truck: Registered
) -> None:
    body = TRUCK | {"licence_number": LICENCE}

    alone = client.post("/v1/licences/check", json=body)
    drawing = client.post("/v1/licences/check", json=body | {"trailer": "heavy"})
    later = client.post("/v1/licences/check", json=body | {"on": truck.values["later"].isoformat()})

    assert alone.json()["answer"] == "yes", alone.text
    assert (drawing.json()["answer"], later.json()["answer"]) == ("no", "no")
    assert "licence_term_no" in codes(later)
    written = truck.connection.execute(
        "SELECT detail ->> 'answer' FROM audit_entry WHERE action = 'licence_checked'"
        " ORDER BY id DESC LIMIT 3"
    ).fetchall()
    assert written == [("no",), ("no",), ("yes",)]


def test_no_answer_about_a_licence_names_its_holder(
    client: httpx.Client, truck: Registered
) -> None:
    truck.add_badge()

    answer = client.post("/v1/licences/check", json=TRUCK | {"licence_number": LICENCE})

    assert answer.status_code == 200
    assert "Lái xe" not in answer.text
    assert "1985" not in answer.text
