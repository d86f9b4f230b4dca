# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may drive what: tables by hand from Law 36/2024/QH15 Art. 57, and what is unknown."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.legal import Answer, Verdict
from central.domain.licence_law import licence_law
from central.domain.licences import (
    ClassHeld,
    DrivenVehicle,
    LicenceFacts,
    Trailer,
    may_drive,
)
from central.domain.papers import Term
from central.domain.vehicles import LicenceState, VehicleKind

TODAY = date(2026, 3, 2)
YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def held(
    name: str, *, valid_from: date = date(2025, 5, 1), valid_until: date | None = date(2030, 5, 1)
) -> ClassHeld:
    return ClassHeld(name=name, term=Term(valid_from=valid_from, valid_until=valid_until))


def licence(
    *classes: ClassHeld, state: LicenceState = LicenceState.VALID, points: int | None = 12
) -> LicenceFacts:
    return LicenceFacts(
        state=state,
        points=points,
        classes=classes,
        source="licence register",
        as_of=date(2026, 3, 1),
    )


def vehicle(
    kind: VehicleKind,
    *,
    seats: int | None = None,
    mass_kg: int | None = None,
    trailer: Trailer = Trailer.NONE,
) -> DrivenVehicle:
    return DrivenVehicle(
        kind=kind,
        seats=seats,
        gross_mass_kg=mass_kg,
        trailer=trailer,
        source="vehicle register",
        as_of=date(2026, 2, 1),
    )


def asked(facts: LicenceFacts, driven: DrivenVehicle, *, on: date = TODAY) -> Verdict:
    return may_drive(facts, driven, on=on, law=licence_law())


@pytest.mark.parametrize(
    ("name", "driven", "answer"),
    [
        ("B", vehicle(VehicleKind.CAR, seats=9), YES),  # 8 without the driver
        ("B", vehicle(VehicleKind.CAR, seats=10), NO),
        ("D1", vehicle(VehicleKind.BUS, seats=10), YES),
        ("D1", vehicle(VehicleKind.BUS, seats=17), YES),
        ("D1", vehicle(VehicleKind.BUS, seats=18), NO),
        ("D2", vehicle(VehicleKind.BUS, seats=30), YES),
        ("D2", vehicle(VehicleKind.BUS, seats=31), NO),
        ("D", vehicle(VehicleKind.BUS, seats=46), YES),
        ("D", vehicle(VehicleKind.CAR, seats=5), YES),  # D covers B
        ("B", vehicle(VehicleKind.TRUCK, mass_kg=3500), YES),
        ("B", vehicle(VehicleKind.TRUCK, mass_kg=3501), NO),
        ("C1", vehicle(VehicleKind.TRUCK, mass_kg=7500), YES),
        ("C1", vehicle(VehicleKind.TRUCK, mass_kg=7501), NO),
        ("C", vehicle(VehicleKind.TRUCK, mass_kg=15000), YES),
        ("C", vehicle(VehicleKind.TRUCK, mass_kg=2000), YES),  # C covers B
        ("C", vehicle(VehicleKind.TRUCK, mass_kg=15000, trailer=Trailer.LIGHT), YES),
        ("C", vehicle(VehicleKind.TRUCK, mass_kg=15000, trailer=Trailer.HEAVY), NO),
        ("CE", vehicle(VehicleKind.TRUCK, mass_kg=15000, trailer=Trailer.HEAVY), YES),
        ("CE", vehicle(VehicleKind.TRACTOR, mass_kg=24000, trailer=Trailer.SEMI_TRAILER), YES),
        ("C", vehicle(VehicleKind.TRACTOR, mass_kg=24000, trailer=Trailer.SEMI_TRAILER), NO),
        ("C", vehicle(VehicleKind.TRACTOR, mass_kg=24000, trailer=Trailer.UNKNOWN), UNKNOWN),
        ("A", vehicle(VehicleKind.MOTORCYCLE), YES),
        ("A1", vehicle(VehicleKind.MOTORCYCLE), UNKNOWN),  # the engine is not known
        ("B", vehicle(VehicleKind.MOTORCYCLE), NO),
        ("A", vehicle(VehicleKind.CAR, seats=5), NO),
        ("B", vehicle(VehicleKind.CAR), UNKNOWN),  # seats are not known
        ("B", vehicle(VehicleKind.TRUCK), UNKNOWN),
        ("B", vehicle(VehicleKind.TRAILER), NO),
        ("B", vehicle(VehicleKind.FOUR_WHEELER), UNKNOWN),
    ],
)
def test_a_class_covers_what_the_law_says(name: str, driven: DrivenVehicle, answer: Answer) -> None:
    assert asked(licence(held(name)), driven).answer is answer


@pytest.mark.parametrize(
    ("facts", "code", "answer"),
    [
        (licence(held("B"), state=LicenceState.SUSPENDED), "licence_state_no", NO),
        (licence(held("B"), state=LicenceState.REVOKED), "licence_state_no", NO),
        (licence(held("B"), points=0), "licence_points_no", NO),
        (licence(held("B"), points=None), "licence_points_unknown", UNKNOWN),
        (licence(held("B"), points=1), "licence_points_yes", YES),
        (licence(held("B", valid_until=TODAY)), "licence_term_no", NO),  # first day without
        (licence(held("B", valid_until=date(2026, 3, 3))), "licence_term_yes", YES),
        (licence(held("B", valid_until=None)), "licence_term_yes", YES),
        (licence(held("B", valid_from=date(2026, 3, 3))), "licence_term_no", NO),
        (licence(), "licence_class_no", NO),
        (licence(held("F9")), "licence_class_unknown", UNKNOWN),  # a class that no law names
    ],
)
def test_state_points_and_term_are_grounds(facts: LicenceFacts, code: str, answer: Answer) -> None:
    verdict = asked(facts, vehicle(VehicleKind.CAR, seats=5))

    assert code in {reason.code for reason in verdict.reasons}
    assert verdict.answer is answer


@pytest.mark.parametrize(
    ("name", "driven", "answer"),
    [
        ("B1", vehicle(VehicleKind.CAR, seats=5), YES),  # cars, before 2025
        ("B2", vehicle(VehicleKind.TRUCK, mass_kg=3500), YES),
        ("D", vehicle(VehicleKind.BUS, seats=30), YES),
        ("D", vehicle(VehicleKind.BUS, seats=46), NO),  # old D ended at 30 seats
        ("E", vehicle(VehicleKind.BUS, seats=46), YES),
        ("FC", vehicle(VehicleKind.TRACTOR, mass_kg=24000, trailer=Trailer.SEMI_TRAILER), YES),
        ("A3", vehicle(VehicleKind.CAR, seats=5), NO),
    ],
)
def test_an_old_class_keeps_its_old_meaning(
    name: str, driven: DrivenVehicle, answer: Answer
) -> None:
    facts = licence(held(name, valid_from=date(2022, 5, 1), valid_until=date(2027, 5, 1)))

    assert asked(facts, driven).answer is answer


def test_new_b1_is_for_three_wheels_only() -> None:
    assert asked(licence(held("B1")), vehicle(VehicleKind.CAR, seats=5)).answer is NO


def test_the_best_of_several_classes_counts() -> None:
    facts = licence(held("C", valid_until=TODAY), held("B"), held("A1", valid_until=None))

    assert asked(facts, vehicle(VehicleKind.CAR, seats=5)).answer is YES
    assert asked(facts, vehicle(VehicleKind.TRUCK, mass_kg=15000)).answer is NO


@given(
    name=st.sampled_from([scope.name for scope in licence_law().scopes]),
    kind=st.sampled_from(VehicleKind),
    seats=st.none() | st.integers(1, 60),
    mass_kg=st.none() | st.integers(500, 40_000),
    trailer=st.sampled_from(Trailer),
)
def test_what_is_learned_never_turns_a_yes_into_a_no(
    name: str, kind: VehicleKind, seats: int | None, mass_kg: int | None, trailer: Trailer
) -> None:
    unknown = asked(licence(held(name)), vehicle(kind, trailer=trailer)).answer
    known = asked(
        licence(held(name)), vehicle(kind, seats=seats, mass_kg=mass_kg, trailer=trailer)
    ).answer

    assert unknown is UNKNOWN or known is unknown


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "on", "answer"),
    [
        (TODAY, date(2031, 3, 2), TODAY, YES),  # its first day
        (TODAY, date(2031, 3, 2), date(2026, 3, 1), NO),
        (date(2025, 5, 1), date(2030, 5, 1), date(2030, 4, 30), YES),  # its last day
        (date(2025, 5, 1), date(2030, 5, 1), date(2030, 5, 1), NO),
        (date(2024, 12, 31), date(2029, 12, 31), TODAY, YES),  # the last day of the old classes
    ],
)
def test_a_class_counts_from_its_first_to_its_last_day(
    valid_from: date, valid_until: date, on: date, answer: Answer
) -> None:
    facts = licence(held("C", valid_from=valid_from, valid_until=valid_until))

    assert asked(facts, vehicle(VehicleKind.TRUCK, mass_kg=15000), on=on).answer is answer


@pytest.mark.parametrize(
    ("valid_from", "answer"), [(date(2024, 12, 31), YES), (date(2025, 1, 1), NO)]
)
def test_the_day_of_issue_tells_old_classes_from_new_ones(valid_from: date, answer: Answer) -> None:
    facts = licence(held("B1", valid_from=valid_from))  # cars once, three wheels now

    assert asked(facts, vehicle(VehicleKind.CAR, seats=5)).answer is answer


def test_before_the_law_nothing_is_held_against_anybody() -> None:
    facts = licence(held("A", valid_from=date(2020, 1, 1)), state=LicenceState.REVOKED, points=0)

    verdict = asked(facts, vehicle(VehicleKind.CAR, seats=5), on=date(2024, 12, 31))

    assert {(reason.answer, reason.basis) for reason in verdict.reasons} == {(UNKNOWN, None)}


def test_every_ground_names_its_law_and_the_age_of_its_facts() -> None:
    verdict = asked(licence(held("C")), vehicle(VehicleKind.TRUCK, mass_kg=15000))

    assert all(reason.basis is not None for reason in verdict.reasons)
    ages = {
        fact.age_days(on=TODAY)
        for reason in verdict.reasons
        for fact in reason.facts
        if fact.source is not None
    }
    assert ages == {1, 29}
