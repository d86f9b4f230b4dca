# SPDX-License-Identifier: AGPL-3.0-or-later
"""The registry on a real database."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from central.audit.types import Actor, ActorKind, Look, Purpose
from central.contracts.passage import PlateColour
from central.domain.plates import PATTERN_LENGTH_MAX
from central.errors import InvalidPlatePatternError, PermissionDeniedError
from central.identity.permissions import Role
from central.identity.types import User
from central.registry.errors import (
    BadgeConflictError,
    BadgeNotFoundError,
    BadgeNotRevocableError,
    PartyNotFoundError,
    PermitConflictError,
    VehicleNotFoundError,
    VehicleSearchTooWideError,
)
from central.registry.service import RegistryService
from central.registry.types import NewBadge, NewPermit, Origin, PartyId, PlateKey, VehicleId

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ORIGIN = Origin(source="test register", as_of=date(2026, 2, 1))
CLERK = User(id=1, username="clerk", display_name="Cán bộ một cửa", role=Role.CLERK)
LOOK = Look(
    actor=Actor(kind=ActorKind.USER, name="clerk", role="clerk"),
    purpose=Purpose.DOSSIER,
    case_reference="H15.50-260302-0001",
)
BY_COMMAND = Actor.command("test")

Insert = Callable[..., Awaitable[VehicleId]]


@pytest.fixture
def service(connection: psycopg.AsyncConnection) -> RegistryService:
    return RegistryService(connection)


@pytest.fixture
async def owner_id(connection: psycopg.AsyncConnection) -> PartyId:
    party_id = PartyId(uuid4())
    await connection.execute(
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at, updated_at)"
        " VALUES (%s, 'organisation', 'Công ty TNHH Vận tải A', '4600000001', 'test', %s, %s, %s)",
        [party_id, ORIGIN.as_of, NOW, NOW],
    )
    return party_id


@pytest.fixture
def new_vehicle(connection: psycopg.AsyncConnection, owner_id: PartyId) -> Insert:
    """Enter a truck with plates; each is text, colour, first day, day after the last."""

    async def insert(chassis: str, *plates: tuple[str, str, date, date | None]) -> VehicleId:
        vehicle_id = VehicleId(uuid4())
        await connection.execute(
            "INSERT INTO vehicle (id, chassis_number, kind, payload_kg, gross_mass_kg, seats,"
            " owner_id, source, as_of, created_at, updated_at)"
            " VALUES (%s, %s, 'truck', 8000, 15000, 3, %s, 'test', %s, %s, %s)",
            [vehicle_id, chassis, owner_id, ORIGIN.as_of, NOW, NOW],
        )
        for text, colour, valid_from, valid_until in plates:
            await connection.execute(
                "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from,"
                " valid_until) VALUES (%s, %s, %s, %s, %s)",
                [vehicle_id, text, colour, valid_from, valid_until],
            )
        return vehicle_id

    return insert


def new_badge(
    vehicle_id: UUID,
    party_id: UUID,
    *,
    number: str = "PH-1",
    valid_from: date = date(2026, 3, 1),
    valid_until: date = date(2028, 3, 1),
) -> NewBadge:
    return NewBadge(
        number=number,
        kind="goods",
        vehicle_id=VehicleId(vehicle_id),
        party_id=PartyId(party_id),
        valid_from=valid_from,
        valid_until=valid_until,
        dossier_code="H15.50-260302-0001",
        origin=ORIGIN,
    )


def key(text: str, colour: PlateColour = PlateColour.YELLOW) -> PlateKey:
    return PlateKey(text=text, colour=colour)


async def test_white_and_yellow_plates_of_one_text_are_two_vehicles(
    service: RegistryService, new_vehicle: Insert
) -> None:
    white = await new_vehicle("CHASSIS1", ("20C12345", "white", date(2020, 1, 1), None))
    yellow = await new_vehicle("CHASSIS2", ("20C12345", "yellow", date(2020, 1, 1), None))

    facts = await service.facts_for_plates(
        [key("20C12345", colour) for colour in PlateColour], on=TODAY
    )

    found = {asked.colour: {each.vehicle.id for each in those} for asked, those in facts.items()}
    assert found[PlateColour.WHITE] == {white}
    assert found[PlateColour.YELLOW] == {yellow}
    assert found[PlateColour.BLUE] == set()
    assert found[PlateColour.UNKNOWN] == {white, yellow}


async def test_a_plate_that_moved_belongs_to_the_vehicle_of_the_day(
    service: RegistryService, new_vehicle: Insert
) -> None:
    change = date(2025, 6, 1)
    before = await new_vehicle("CHASSIS1", ("20C12345", "white", date(2020, 1, 1), change))
    after = await new_vehicle("CHASSIS2", ("20C12345", "white", change, None))
    asked = key("20C12345", PlateColour.WHITE)

    last_day = await service.facts_for_plates([asked], on=date(2025, 5, 31))
    first_day = await service.facts_for_plates([asked], on=change)

    assert [each.vehicle.id for each in last_day[asked]] == [before]
    assert [each.vehicle.id for each in first_day[asked]] == [after]


async def test_many_plates_are_read_at_once_and_unknown_ones_are_empty(
    service: RegistryService, new_vehicle: Insert
) -> None:
    for place in range(20):
        await new_vehicle(f"CHASSIS{place}", (f"20C100{place:02}", "yellow", TODAY, None))
    asked = [key(f"20C100{place:02}") for place in range(30)]

    facts = await service.facts_for_plates(asked, on=TODAY)

    assert [len(facts[each]) for each in asked] == [1] * 20 + [0] * 10
    assert await service.facts_for_plates([], on=TODAY) == {}


async def test_facts_name_the_badge_that_holds_and_the_one_that_was_last(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId
) -> None:
    vehicle_id = await new_vehicle("CHASSIS1", ("20C12345", "yellow", date(2020, 1, 1), None))
    badge = await service.issue_badge(new_badge(vehicle_id, owner_id), now=NOW)

    before = await service.facts_of(vehicle_id, on=date(2026, 2, 28))
    first = await service.facts_of(vehicle_id, on=date(2026, 3, 1))
    last = await service.facts_of(vehicle_id, on=date(2028, 2, 29))
    over = await service.facts_of(vehicle_id, on=date(2028, 3, 1))

    assert before is not None
    assert (before.badge, before.last_badge) == (None, None)
    assert first is not None
    assert (first.badge, first.last_badge) == (badge, badge)
    assert last is not None
    assert last.badge == badge
    assert over is not None
    assert (over.badge, over.last_badge) == (None, badge)


async def test_a_vehicle_without_plate_has_facts(
    service: RegistryService, new_vehicle: Insert
) -> None:
    vehicle_id = await new_vehicle("CHASSIS1")

    facts = await service.facts_of(vehicle_id, on=TODAY)

    assert facts is not None
    assert facts.plate is None
    assert facts.vehicle.plates == ()
    assert await service.facts_of(uuid4(), on=TODAY) is None


async def test_a_second_badge_for_the_same_days_is_refused_and_nothing_breaks(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId
) -> None:
    vehicle_id = await new_vehicle("CHASSIS1")
    first = await service.issue_badge(new_badge(vehicle_id, owner_id), now=NOW)

    with pytest.raises(BadgeConflictError) as refused:
        await service.issue_badge(
            new_badge(vehicle_id, owner_id, number="PH-2", valid_from=date(2028, 2, 29)), now=NOW
        )
    next_one = await service.issue_badge(
        new_badge(
            vehicle_id,
            owner_id,
            number="PH-2",
            valid_from=date(2028, 3, 1),
            valid_until=date(2030, 3, 1),
        ),
        now=NOW,
    )

    assert (refused.value.number, refused.value.valid_until) == (first.number, first.valid_until)
    assert next_one.number == "PH-2"


async def test_a_badge_number_is_given_once(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId
) -> None:
    one, other = await new_vehicle("CHASSIS1"), await new_vehicle("CHASSIS2")
    await service.issue_badge(new_badge(one, owner_id), now=NOW)

    with pytest.raises(BadgeConflictError):
        await service.issue_badge(new_badge(other, owner_id), now=NOW)


async def test_an_unknown_vehicle_gets_no_badge(
    service: RegistryService, owner_id: PartyId
) -> None:
    with pytest.raises(VehicleNotFoundError):
        await service.issue_badge(new_badge(uuid4(), owner_id), now=NOW)


def new_permit(vehicle_id: UUID, party_id: UUID, **changes: Any) -> NewPermit:  # noqa: ANN401  # any field
    values: dict[str, Any] = {
        "number": "LV-0001",
        "kind": "laos_commercial",
        "vehicle_id": VehicleId(vehicle_id),
        "party_id": PartyId(party_id),
        "valid_from": TODAY,
        "valid_until": date(2027, 3, 2),
        "trip_days_max": 30,
        "is_single_trip": False,
        "dossier_code": "H15.50-260302-0001",
        "origin": ORIGIN,
    }
    return NewPermit(**{**values, **changes})


async def test_a_permit_is_kept_with_its_dossier(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId
) -> None:
    vehicle_id = await new_vehicle("20C12345")

    issued = await service.issue_permit(new_permit(vehicle_id, owner_id), now=NOW)

    assert await service.permits_of(vehicle_id) == (issued,)
    assert issued.dossier_code == "H15.50-260302-0001"
    assert (issued.valid_from, issued.valid_until) == (TODAY, date(2027, 3, 2))


async def test_a_second_permit_of_a_kind_for_the_same_days_is_refused_and_nothing_breaks(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId
) -> None:
    vehicle_id = await new_vehicle("20C12345")
    await service.issue_permit(new_permit(vehicle_id, owner_id), now=NOW)

    with pytest.raises(PermitConflictError) as caught:
        await service.issue_permit(
            new_permit(vehicle_id, owner_id, number="LV-0002", valid_from=date(2027, 3, 1)), now=NOW
        )

    assert caught.value.number == "LV-0001"
    follower = new_permit(
        vehicle_id,
        owner_id,
        number="LV-0002",
        valid_from=date(2027, 3, 2),
        valid_until=date(2028, 3, 2),
    )
    other_kind = new_permit(vehicle_id, owner_id, number="LV-0003", kind="gms")
    await service.issue_permit(follower, now=NOW)
    await service.issue_permit(other_kind, now=NOW)
    assert len(await service.permits_of(vehicle_id)) == 3


async def test_a_permit_number_is_given_once(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId
) -> None:
    one, other = await new_vehicle("20C12345"), await new_vehicle("20C12346")
    await service.issue_permit(new_permit(one, owner_id), now=NOW)

    with pytest.raises(PermitConflictError):
        await service.issue_permit(new_permit(other, owner_id), now=NOW)


async def test_an_unknown_vehicle_gets_no_permit(
    service: RegistryService, owner_id: PartyId
) -> None:
    with pytest.raises(VehicleNotFoundError):
        await service.issue_permit(new_permit(uuid4(), owner_id), now=NOW)


async def test_a_revoked_badge_ends_on_that_day_and_makes_room(
    service: RegistryService,
    connection: psycopg.AsyncConnection,
    new_vehicle: Insert,
    owner_id: PartyId,
) -> None:
    vehicle_id = await new_vehicle("CHASSIS1")
    badge = await service.issue_badge(new_badge(vehicle_id, owner_id), now=NOW)
    last_day = date(2026, 6, 1)

    revoked = await service.revoke_badge(
        badge.id, on=last_day, reason="5 lần quá tốc độ", actor=BY_COMMAND, now=NOW
    )
    replacement = await service.issue_badge(
        new_badge(vehicle_id, owner_id, number="PH-2", valid_from=last_day), now=NOW
    )

    assert revoked.holds_on(date(2026, 5, 31))
    assert not revoked.holds_on(last_day)
    assert replacement.holds_on(last_day)
    assert [entry["action"] for entry in await written(connection)] == ["badge_revoked"]


@pytest.mark.parametrize("day", [date(2026, 2, 28), date(2028, 3, 1)])
async def test_a_badge_is_revoked_only_while_it_holds_and_once(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId, day: date
) -> None:
    vehicle_id = await new_vehicle("CHASSIS1")
    badge = await service.issue_badge(new_badge(vehicle_id, owner_id), now=NOW)

    with pytest.raises(BadgeNotRevocableError):
        await service.revoke_badge(badge.id, on=day, reason="x", actor=BY_COMMAND, now=NOW)
    await service.revoke_badge(badge.id, on=TODAY, reason="x", actor=BY_COMMAND, now=NOW)
    with pytest.raises(BadgeNotRevocableError):
        await service.revoke_badge(badge.id, on=TODAY, reason="x", actor=BY_COMMAND, now=NOW)
    with pytest.raises(BadgeNotFoundError):
        await service.revoke_badge(uuid4(), on=TODAY, reason="x", actor=BY_COMMAND, now=NOW)


async def test_a_badge_revoked_on_its_first_day_never_held(
    service: RegistryService, new_vehicle: Insert, owner_id: PartyId
) -> None:
    vehicle_id = await new_vehicle("CHASSIS1")
    badge = await service.issue_badge(new_badge(vehicle_id, owner_id, valid_from=TODAY), now=NOW)
    await service.revoke_badge(badge.id, on=TODAY, reason="x", actor=BY_COMMAND, now=NOW)

    facts = await service.facts_of(vehicle_id, on=TODAY)

    assert facts is not None
    assert (facts.badge, facts.last_badge) == (None, None)


async def test_a_record_shows_everything_and_the_look_is_written_down(
    service: RegistryService,
    connection: psycopg.AsyncConnection,
    new_vehicle: Insert,
    owner_id: PartyId,
) -> None:
    vehicle_id = await new_vehicle(
        "CHASSIS1",
        ("20C12345", "white", date(2020, 1, 1), date(2025, 1, 1)),
        ("20C12345", "yellow", date(2025, 1, 1), None),
    )
    badge = await service.issue_badge(new_badge(vehicle_id, owner_id), now=NOW)

    record = await service.record(vehicle_id, user=CLERK, look=LOOK, now=NOW)

    assert record.owner.id == owner_id
    assert record.badges == (badge,)
    assert record.vehicle.plate_on(date(2024, 12, 31)) == key("20C12345", PlateColour.WHITE)
    assert record.vehicle.plate_on(TODAY) == key("20C12345")
    [entry] = await written(connection)
    assert (entry["action"], entry["subject_id"]) == ("vehicle_looked_up", str(vehicle_id))
    assert (entry["purpose"], entry["case_reference"]) == ("dossier", LOOK.case_reference)


async def test_who_may_not_look_up_sees_nothing(
    service: RegistryService, connection: psycopg.AsyncConnection, new_vehicle: Insert
) -> None:
    vehicle_id = await new_vehicle("CHASSIS1")
    nobody = _without_permission()

    with pytest.raises(PermissionDeniedError):
        await service.record(vehicle_id, user=nobody, look=LOOK, now=NOW)
    with pytest.raises(PermissionDeniedError):
        await service.search("CHASSIS1", user=nobody, look=LOOK, now=NOW)

    assert await written(connection) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20c-123.45", ["CHASSIS1"]),  # as it is written on the plate, which it bore once
        ("20C123?5", ["CHASSIS1", "CHASSIS2"]),
        ("*12355", ["CHASSIS2"]),
        ("chassis*", ["CHASSIS1", "CHASSIS2"]),
        ("CHASSIS2", ["CHASSIS2"]),
        ("99Z99999", []),
    ],
)
async def test_vehicles_are_searched_by_plate_or_chassis_number(
    service: RegistryService,
    connection: psycopg.AsyncConnection,
    new_vehicle: Insert,
    text: str,
    found: list[str],
) -> None:
    await new_vehicle("CHASSIS1", ("20C12345", "white", date(2020, 1, 1), date(2021, 1, 1)))
    await new_vehicle("CHASSIS2", ("20C12355", "yellow", date(2020, 1, 1), None))

    vehicles = await service.search(text, user=CLERK, look=LOOK, now=NOW)

    assert [each.chassis_number for each in vehicles] == found
    [entry] = await written(connection)
    assert entry["action"] == "vehicles_searched"
    assert entry["detail"] == {"found": len(vehicles)}


@pytest.mark.parametrize("text", ["20C", "*", "2?C?*", "*20C*"])
async def test_a_search_for_nearly_everything_is_refused(
    service: RegistryService, text: str
) -> None:
    with pytest.raises(VehicleSearchTooWideError):
        await service.search(text, user=CLERK, look=LOOK, now=NOW)


@pytest.mark.parametrize("text", ["", "20C'--", "A" * (PATTERN_LENGTH_MAX + 1)])
async def test_what_no_plate_can_be_is_refused(service: RegistryService, text: str) -> None:
    with pytest.raises(InvalidPlatePatternError):
        await service.search(text, user=CLERK, look=LOOK, now=NOW)


async def test_parties_are_found_by_number(service: RegistryService, owner_id: PartyId) -> None:
    found = await service.party_by_identity("4600000001")

    assert found is not None
    assert found.id == owner_id
    assert await service.party_by_identity("4600000002") is None
    with pytest.raises(PartyNotFoundError):
        await service.party(uuid4())


async def written(connection: psycopg.AsyncConnection) -> list[dict[str, object]]:
    """The audit entries of this test."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM audit_entry ORDER BY id")
        return await cursor.fetchall()


def _without_permission() -> User:
    """Every role of today may look vehicles up, so a role is bent."""
    return _Nobody(id=2, username="nobody", display_name="Không có quyền", role=Role.REVIEWER)


class _Nobody(User):
    """A user without any permission."""

    def may(self, permission: object) -> bool:
        return permission is None
