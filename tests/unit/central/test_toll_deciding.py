# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table of decisions: every row is one thing that differs from a plain charge."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from central.contracts.passage import PlateColour, VehicleClass
from central.domain.toll_groups import toll_group_rules
from central.registry.types import (
    Origin,
    PartyId,
    PlateKey,
    Vehicle,
    VehicleFacts,
    VehicleId,
    VehicleKind,
)
from central.tolling.deciding import (
    HalfScene,
    PlateVerdict,
    Scene,
    compare_plate,
    decide,
    decide_half,
    is_one_off,
)
from central.tolling.types import (
    AccountState,
    CrossingState,
    LaneKey,
    LanePassage,
    LaneTagRead,
    Reason,
    TagBinding,
    Tariff,
)

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NOW = AT + timedelta(seconds=1)
TODAY = date(2026, 11, 22)
LANE = LaneKey(station_id="tram-1", number=1)
VEHICLE_ID = VehicleId(UUID(int=7))
PLATE = PlateKey(text="20C12345", colour=PlateColour.YELLOW)

PASSAGE = LanePassage(
    id=UUID(int=1),
    captured_at=AT,
    lane=LANE,
    plate_text="20C12345",
    plate_colour=PlateColour.YELLOW,
    plate_confidence=0.97,
    other_readings=("20C12845",),
    vehicle_class=VehicleClass.TRUCK,
    vehicle_confidence=0.9,
    is_late=False,
)
TAG_READ = LaneTagRead(
    id=UUID(int=2),
    captured_at=AT,
    lane=LANE,
    epc="E280116060000205",
    tid=None,
    reads=9,
    rssi_dbm=-50.0,
    is_late=False,
)
TRUCK = Vehicle(
    id=VEHICLE_ID,
    chassis_number="CHASSIS1",
    engine_number=None,
    kind=VehicleKind.TRUCK,
    brand=None,
    manufactured_in=None,
    seats=3,
    payload_kg=8000,
    gross_mass_kg=15_000,
    container_ft=None,
    is_public_bus=False,
    owner_id=PartyId(UUID(int=9)),
    inspected_until=None,
    inspection_origin=None,
    origin=Origin(source="registry of the province", as_of=date(2026, 11, 1)),
)
FACTS = VehicleFacts(vehicle=TRUCK, plate=PLATE, badge=None, last_badge=None)
BINDING = TagBinding(
    account_number="TK-0001",
    account_state=AccountState.OPEN,
    is_priority=False,
    provider="provider-a",
    vehicle_id=VEHICLE_ID,
    valid_from=AT - timedelta(days=100),
)
TARIFF = Tariff(
    id=UUID(int=3),
    vehicle_group=3,
    price_dong=75_000,
    valid_from=date(2026, 1, 1),
    valid_until=None,
    legal_reference="example",
    confidence="example",
)
PLAIN = Scene(
    passage=PASSAGE,
    tag_read=TAG_READ,
    bindings=(BINDING,),
    vehicle=FACTS,
    tariffs={3: TARIFF},
    rules=toll_group_rules(),
    day=TODAY,
    now=NOW,
)


def with_passage(**changes: object) -> Scene:
    return replace(PLAIN, passage=replace(PASSAGE, **changes))  # type: ignore[arg-type]  # any field


def with_vehicle(**changes: object) -> Scene:
    vehicle = replace(TRUCK, **changes)  # type: ignore[arg-type]  # any field
    return replace(PLAIN, vehicle=replace(FACTS, vehicle=vehicle))


def with_binding(**changes: object) -> Scene:
    return replace(PLAIN, bindings=(replace(BINDING, **changes),))  # type: ignore[arg-type]  # any


CHARGED, EXEMPT = CrossingState.CHARGED, CrossingState.EXEMPT
REFUSED, REVIEW = CrossingState.REFUSED, CrossingState.REVIEW


@pytest.mark.parametrize(
    ("scene", "state", "reason"),
    [
        (PLAIN, CHARGED, None),
        # Whose tag is it?
        (replace(PLAIN, bindings=(), vehicle=None), REVIEW, Reason.TAG_UNKNOWN),
        (
            replace(PLAIN, bindings=(BINDING, replace(BINDING, account_number="TK-0002"))),
            REVIEW,
            Reason.TAG_ON_TWO_ACCOUNTS,
        ),
        (replace(PLAIN, bindings=(BINDING, BINDING)), CHARGED, None),  # twice on one account
        # Is it on its vehicle?
        (with_passage(plate_text="29H99999"), REVIEW, Reason.WRONG_TAG),
        (with_passage(plate_colour=PlateColour.WHITE), REVIEW, Reason.WRONG_TAG),
        (with_passage(plate_colour=PlateColour.UNKNOWN), CHARGED, None),
        (with_passage(plate_confidence=0.3), CHARGED, None),  # tag and text agree all the same
        (with_passage(plate_text="29H99999", plate_confidence=0.79), REVIEW, Reason.PLATE_UNSURE),
        (with_passage(plate_text="29H99999", plate_confidence=0.80), REVIEW, Reason.WRONG_TAG),
        (with_passage(plate_text="20C12346"), REVIEW, Reason.PLATE_UNSURE),  # one character off
        (with_passage(plate_text="20C1234"), REVIEW, Reason.PLATE_UNSURE),  # one missed
        (with_passage(plate_text="", plate_confidence=None), REVIEW, Reason.PLATE_UNSURE),
        (
            with_passage(plate_text="20G12845", other_readings=("20C12345",)),
            REVIEW,
            Reason.PLATE_UNSURE,  # the reader held it possible
        ),
        (replace(PLAIN, vehicle=replace(FACTS, plate=None)), REVIEW, Reason.PLATE_NOT_REGISTERED),
        # May it pass without paying?
        (with_binding(account_state=AccountState.LOCKED), REFUSED, Reason.ACCOUNT_LOCKED),
        (with_binding(account_state=AccountState.CLOSED), REFUSED, Reason.ACCOUNT_LOCKED),
        (with_binding(is_priority=True), EXEMPT, Reason.PRIORITY),
        # What does it owe?
        (with_vehicle(payload_kg=None), REVIEW, Reason.GROUP_UNKNOWN),
        (with_vehicle(kind=VehicleKind.TRAILER), REVIEW, Reason.GROUP_UNKNOWN),
        (with_vehicle(kind=VehicleKind.CAR, seats=5), REVIEW, Reason.CLASS_MISMATCH),
        (
            with_passage(vehicle_class=VehicleClass.CAR, vehicle_confidence=0.79),
            CHARGED,  # the camera is not sure, and tag and plate agree
            None,
        ),
        (with_passage(vehicle_class=None, vehicle_confidence=None), CHARGED, None),
        (replace(PLAIN, tariffs={}), REVIEW, Reason.NO_TARIFF),
        (
            replace(PLAIN, tariffs={3: replace(TARIFF, price_dong=0)}),
            EXEMPT,
            Reason.FREE_OF_CHARGE,
        ),
    ],
)
def test_a_crossing_is_decided_by_the_first_thing_that_is_wrong(
    scene: Scene, state: CrossingState, reason: Reason | None
) -> None:
    verdict = decide(scene)

    assert (verdict.state, verdict.reason) == (state, reason)


def test_a_charge_names_account_vehicle_group_and_price() -> None:
    verdict = decide(PLAIN)

    assert verdict.account_number == "TK-0001"
    assert verdict.vehicle_id == VEHICLE_ID
    assert verdict.vehicle_group == 3
    assert verdict.tariff == TARIFF


def test_a_tag_on_two_accounts_points_at_neither() -> None:
    verdict = decide(replace(PLAIN, bindings=(BINDING, replace(BINDING, account_number="TK-2"))))

    assert (verdict.account_number, verdict.vehicle_id) == (None, None)
    assert [f.value for f in verdict.facts if f.name == "account"] == ["TK-0001", "TK-2"]


def test_every_fact_of_a_decision_names_its_source_and_age() -> None:
    facts = {fact.name: fact for fact in decide(PLAIN).facts}

    assert facts["plate_read"].value == "20C12345 yellow"
    assert facts["plate_read"].source == "camera"
    assert facts["plate_registered"].as_of == "2026-11-01"
    assert facts["payload_kg"].value == 8000
    assert facts["payload_kg"].source == "registry of the province"
    assert facts["price_dong"].value == 75_000
    assert facts["price_dong"].as_of == "2026-01-01"
    assert all(fact.source for fact in facts.values())


@pytest.mark.parametrize(
    ("event", "reason"), [(PASSAGE, Reason.NO_TAG), (TAG_READ, Reason.NO_PASSAGE)]
)
def test_half_a_crossing_goes_to_a_person_with_suggestions(
    event: LanePassage | LaneTagRead, reason: Reason
) -> None:
    scene = HalfScene(
        event=event,
        bindings=(BINDING,),
        vehicle=FACTS,
        rules=toll_group_rules(),
        day=TODAY,
        now=NOW,
    )

    verdict = decide_half(scene)

    assert (verdict.state, verdict.reason) == (CrossingState.REVIEW, reason)
    assert (verdict.account_number, verdict.vehicle_group) == ("TK-0001", 3)


@pytest.mark.parametrize(
    ("read", "registered", "expected"),
    [
        ("20C12345", "20C12346", True),
        ("20C1234", "20C12345", True),
        ("20C123455", "20C12345", True),
        ("20C12345", "20C12345", False),  # not off at all
        ("20C12354", "20C12345", False),  # two characters
        ("", "20C12345", False),
    ],
)
def test_one_character_off_is_a_misreading(read: str, registered: str, *, expected: bool) -> None:
    assert is_one_off(read, registered) is expected


def test_a_plate_that_was_not_read_proves_nothing() -> None:
    unread = replace(PASSAGE, plate_text="", plate_confidence=None, other_readings=())

    assert compare_plate(unread, PLATE) is PlateVerdict.UNSURE
