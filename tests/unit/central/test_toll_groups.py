# SPDX-License-Identifier: AGPL-3.0-or-later
"""Groups by the law's table, and what a camera's class may say against the registry."""

from datetime import date
from itertools import pairwise

import pytest

from central.contracts.passage import VehicleClass
from central.domain.toll_groups import (
    ClassVerdict,
    GroupFound,
    GroupGap,
    GroupUnknown,
    TollMeasure,
    TollVehicle,
    compare_class,
    parse_toll_group_rules,
    toll_group_of,
    toll_group_rules,
)

TODAY = date(2026, 11, 22)


def vehicle(
    kind: str,
    *,
    seats: int | None = None,
    payload_kg: int | None = None,
    container_ft: int | None = None,
    is_public_bus: bool = False,
) -> TollVehicle:
    return TollVehicle(
        kind=kind,
        seats=seats,
        payload_kg=payload_kg,
        container_ft=container_ft,
        is_public_bus=is_public_bus,
    )


@pytest.mark.parametrize(
    ("given", "group"),
    [
        (vehicle("car", seats=5), 1),
        (vehicle("car", seats=11), 1),  # under 12 seats
        (vehicle("bus", seats=12), 2),
        (vehicle("bus", seats=30), 2),
        (vehicle("bus", seats=31), 3),
        (vehicle("bus", seats=80, is_public_bus=True), 1),  # every public bus
        (vehicle("bus", is_public_bus=True), 1),  # seats don't matter then
        (vehicle("truck", payload_kg=1_999), 1),
        (vehicle("truck", payload_kg=2_000), 2),
        (vehicle("truck", payload_kg=3_999), 2),
        (vehicle("truck", payload_kg=4_000), 3),
        (vehicle("truck", payload_kg=9_999), 3),
        (vehicle("truck", payload_kg=10_000), 4),
        (vehicle("truck", payload_kg=17_999), 4),
        (vehicle("truck", payload_kg=18_000), 5),
        (vehicle("tractor", container_ft=20), 4),
        (vehicle("tractor", payload_kg=30_000, container_ft=20), 4),  # the container decides
        (vehicle("tractor", container_ft=40), 5),
    ],
)
def test_a_vehicle_belongs_to_the_group_of_its_seats_load_or_container(
    given: TollVehicle, group: int
) -> None:
    found = toll_group_of(given, on=TODAY, rules=toll_group_rules())

    assert isinstance(found, GroupFound)
    assert found.group == group


@pytest.mark.parametrize(
    ("given", "gap"),
    [
        (vehicle("car"), GroupGap.SEATS_NOT_KNOWN),
        (vehicle("bus", seats=0), GroupGap.SEATS_NOT_KNOWN),
        (vehicle("truck", seats=3), GroupGap.PAYLOAD_NOT_KNOWN),
        (vehicle("tractor"), GroupGap.PAYLOAD_NOT_KNOWN),
        (vehicle("truck", payload_kg=0), GroupGap.PAYLOAD_NOT_KNOWN),
        (vehicle("trailer", payload_kg=20_000), GroupGap.KIND_HAS_NO_GROUP),
        (vehicle("motorcycle", seats=2), GroupGap.KIND_HAS_NO_GROUP),
    ],
)
def test_what_the_registry_does_not_know_is_not_guessed(given: TollVehicle, gap: GroupGap) -> None:
    found = toll_group_of(given, on=TODAY, rules=toll_group_rules())

    assert found == GroupUnknown(gap=gap)


def test_the_rule_of_the_day_decides() -> None:
    rules = parse_toll_group_rules(
        "group,measure,at_least,below,valid_from,valid_until,legal_basis,source,confidence\n"
        "1,seats,1,12,,2027-01-01,old,test,low\n"
        "2,seats,1,12,2027-01-01,,new,test,low\n"
    )
    given = vehicle("car", seats=5)

    before = toll_group_of(given, on=date(2026, 12, 31), rules=rules)
    after = toll_group_of(given, on=date(2027, 1, 1), rules=rules)

    assert isinstance(before, GroupFound)
    assert isinstance(after, GroupFound)
    assert (before.group, after.group) == (1, 2)


def test_no_rule_in_force_leaves_the_group_unknown() -> None:
    found = toll_group_of(vehicle("car", seats=5), on=TODAY, rules=())

    assert found == GroupUnknown(gap=GroupGap.NO_RULE_IN_FORCE)


@pytest.mark.parametrize("measure", [TollMeasure.SEATS, TollMeasure.PAYLOAD_KG])
def test_the_law_leaves_neither_a_hole_nor_an_overlap(measure: TollMeasure) -> None:
    bounds = [(rule.at_least, rule.below) for rule in toll_group_rules() if rule.measure is measure]

    assert bounds[0][0] == 1
    assert bounds[-1][1] is None
    assert all(earlier[1] == later[0] for earlier, later in pairwise(bounds))


def test_every_rule_names_its_source_and_how_sure_it_is() -> None:
    assert all(rule.legal_basis and rule.source for rule in toll_group_rules())
    assert {rule.confidence for rule in toll_group_rules()} <= {"high", "medium", "low"}


@pytest.mark.parametrize(
    ("given", "seen", "confidence", "verdict"),
    [
        (vehicle("car", seats=5), VehicleClass.CAR, 0.5, ClassVerdict.FITS),
        (vehicle("car", seats=5), VehicleClass.TRUCK, 0.80, ClassVerdict.DIFFERS),
        (vehicle("car", seats=5), VehicleClass.TRUCK, 0.79, ClassVerdict.DIFFERS_UNSURELY),
        (vehicle("car", seats=5), None, None, ClassVerdict.NOT_SEEN),
        (vehicle("truck", payload_kg=1_500), VehicleClass.CAR, 0.99, ClassVerdict.FITS),
        (vehicle("truck", payload_kg=2_000), VehicleClass.CAR, 0.99, ClassVerdict.DIFFERS),
        (vehicle("truck"), VehicleClass.CAR, 0.99, ClassVerdict.DIFFERS),
        (vehicle("bus", seats=16), VehicleClass.CAR, 0.99, ClassVerdict.FITS),
        (vehicle("bus", seats=45), VehicleClass.CAR, 0.99, ClassVerdict.DIFFERS),
        (vehicle("tractor", container_ft=40), VehicleClass.TRUCK, 0.9, ClassVerdict.FITS),
        (vehicle("special_machine"), VehicleClass.TRUCK, 0.9, ClassVerdict.FITS),
    ],
)
def test_only_a_class_that_the_camera_is_sure_of_stands_against_the_registry(
    given: TollVehicle, seen: VehicleClass | None, confidence: float | None, verdict: ClassVerdict
) -> None:
    assert compare_class(given, seen=seen, confidence=confidence) is verdict
