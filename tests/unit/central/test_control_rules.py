# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a passage means, case by case: each row of the tables was worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import pytest

from api.console.alerts.labels import words
from central.contracts.passage import Direction, PlateColour, PlateLayout, VehicleClass
from central.control.rules import CONFIDENCE_MIN, Known, findings, is_sure
from central.control.types import ClosingReason, FactName, WatchlistEntryId
from central.control.watchlist_types import WatchlistEntry, WatchReason
from central.domain.control_law import (
    LAW_FILE,
    ControlLaw,
    Ending,
    RuleName,
    Severity,
    control_law,
    parse_control_law,
)
from central.passages.types import PassageSummary
from central.registry.types import (
    Badge,
    Origin,
    PartyId,
    PlateKey,
    Vehicle,
    VehicleFacts,
    VehicleId,
    VehicleKind,
)

NOW: Final = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # 10:00 in Vietnam
TODAY: Final = date(2026, 11, 22)
LAW: Final = control_law()
ORIGIN: Final = Origin(source="register", as_of=date(2026, 11, 19))


def passage(**changes: object) -> PassageSummary:
    plain = PassageSummary(
        id=UUID(int=1),
        captured_at=NOW,
        stored_at=NOW,
        site_id="cau",
        site_name="Cầu",
        camera_id="cam-1",
        camera_name="Camera 1",
        lane=1,
        direction=Direction.DOWN,
        vehicle_class=VehicleClass.TRUCK,
        vehicle_confidence=0.9,
        plate_text="20C12345",
        plate_raw_text="20C12345",
        plate_confidence=0.97,
        plate_is_legal=True,
        plate_layout=PlateLayout.ONE_LINE,
        plate_colour=PlateColour.YELLOW,
        speed_kmh=None,
        is_late=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # any field


def badge(valid_from: date, valid_until: date, *, revoked_on: date | None = None) -> Badge:
    return Badge(
        id=uuid4(),
        number="PH-1",
        kind="truck",
        vehicle_id=VehicleId(UUID(int=2)),
        party_id=PartyId(UUID(int=3)),
        valid_from=valid_from,
        valid_until=valid_until,
        revoked_on=revoked_on,
        revocation_reason="x" if revoked_on else None,
        dossier_code=None,
        origin=ORIGIN,
    )


def vehicle(
    *,
    kind: VehicleKind = VehicleKind.TRUCK,
    colour: PlateColour = PlateColour.YELLOW,
    last_badge: Badge | None = None,
    inspected_until: date | None = None,
) -> VehicleFacts:
    return VehicleFacts(
        vehicle=Vehicle(
            id=VehicleId(UUID(int=2)),
            chassis_number="CHASSIS1",
            engine_number=None,
            kind=kind,
            brand=None,
            manufactured_in=None,
            seats=None,
            payload_kg=None,
            gross_mass_kg=None,
            container_ft=None,
            is_public_bus=False,
            owner_id=PartyId(UUID(int=3)),
            inspected_until=inspected_until,
            inspection_origin=None,
            origin=ORIGIN,
        ),
        plate=PlateKey(text="20C12345", colour=colour),
        badge=last_badge if last_badge is not None and last_badge.holds_on(TODAY) else None,
        last_badge=last_badge,
    )


def known(*vehicles: VehicleFacts, entries: tuple[WatchlistEntry, ...] = ()) -> Known:
    return Known(vehicles=vehicles, entries=entries, read_at=NOW)


def entry(**changes: object) -> WatchlistEntry:
    plain = WatchlistEntry(
        id=WatchlistEntryId(UUID(int=9)),
        plate_text="20C12345",
        plate_colour=None,
        reason=WatchReason.STOLEN,
        note="",
        legal_basis="Công văn 12",
        listed_by="reviewer",
        listed_at=NOW - timedelta(days=1),
        valid_until=None,
        removed_by=None,
        removed_at=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # any field


CURRENT = badge(date(2026, 1, 1), date(2027, 1, 1))
ENDS_TODAY = badge(date(2025, 1, 1), TODAY)  # first day without it
ENDS_TOMORROW = badge(date(2025, 1, 1), TODAY + timedelta(days=1))
REVOKED = badge(date(2026, 1, 1), date(2027, 1, 1), revoked_on=TODAY - timedelta(days=1))
YELLOW, WHITE = PlateColour.YELLOW, PlateColour.WHITE


@pytest.mark.parametrize(
    ("colour", "facts", "rules"),
    [
        (YELLOW, vehicle(), ["yellow_without_badge"]),
        (YELLOW, vehicle(last_badge=CURRENT), []),
        (YELLOW, vehicle(last_badge=ENDS_TODAY), ["badge_expired"]),
        (YELLOW, vehicle(last_badge=ENDS_TOMORROW), []),
        (YELLOW, vehicle(last_badge=REVOKED), ["badge_expired"]),
        # A trailer goes on its tractor's badge; motorcycles and machines have none.
        (YELLOW, vehicle(kind=VehicleKind.TRAILER), []),
        (YELLOW, vehicle(kind=VehicleKind.MOTORCYCLE), []),
        (YELLOW, vehicle(kind=VehicleKind.SPECIAL_MACHINE), []),
        (YELLOW, vehicle(kind=VehicleKind.BUS), ["yellow_without_badge"]),
        (WHITE, vehicle(colour=WHITE), []),
        (WHITE, vehicle(colour=WHITE, last_badge=CURRENT), ["white_with_badge"]),
        (WHITE, vehicle(colour=WHITE, last_badge=ENDS_TODAY), []),
        # The last day of the inspection still counts; a date that is not known is no finding.
        (WHITE, vehicle(colour=WHITE, inspected_until=TODAY), []),
        (
            WHITE,
            vehicle(colour=WHITE, inspected_until=TODAY - timedelta(days=1)),
            ["inspection_expired"],
        ),
        (
            YELLOW,
            vehicle(inspected_until=date(2026, 1, 1)),
            ["yellow_without_badge", "inspection_expired"],
        ),
        # Nobody knows the colour: nothing about papers.
        (PlateColour.UNKNOWN, vehicle(inspected_until=date(2026, 1, 1)), []),
    ],
)
def test_papers_are_judged_as_the_law_says(
    colour: PlateColour, facts: VehicleFacts, rules: list[str]
) -> None:
    found = findings(passage(plate_colour=colour), known(facts), LAW)

    assert [each.rule.value for each in found] == rules


@pytest.mark.parametrize(
    ("reading", "is_enough"),
    [
        ({}, True),
        ({"plate_confidence": CONFIDENCE_MIN}, True),
        ({"plate_confidence": CONFIDENCE_MIN - 0.001}, False),
        ({"plate_confidence": None}, False),
        ({"plate_is_legal": False}, False),
        ({"plate_is_legal": None}, False),
        ({"plate_text": ""}, False),
    ],
)
def test_a_poor_reading_is_held_against_nobody(
    reading: dict[str, object],
    is_enough: bool,  # noqa: FBT001 - a column of the table
) -> None:
    seen = passage(**reading)

    found = findings(seen, known(vehicle(), entries=(entry(),)), LAW)

    assert is_sure(seen) is is_enough
    assert bool(found) is is_enough


def test_an_unknown_yellow_plate_is_unknown_and_not_invalid() -> None:
    assert findings(passage(), known(), LAW) == ()


def test_an_unknown_plate_can_be_looked_for() -> None:
    (found,) = findings(passage(), known(entries=(entry(),)), LAW)

    assert (found.rule, found.vehicle_id, found.legal_basis) == (
        RuleName.WATCHLISTED,
        None,
        "Công văn 12",
    )


def test_two_vehicles_that_fit_are_not_mixed_up() -> None:
    both = known(vehicle(inspected_until=date(2026, 1, 1)), vehicle(inspected_until=TODAY))

    assert findings(passage(), both, LAW) == ()


def test_a_finding_keeps_what_it_rests_on_with_source_and_day() -> None:
    (found,) = findings(passage(), known(vehicle(last_badge=REVOKED)), LAW)

    told = {fact.name: fact for fact in found.facts}
    assert told[FactName.BADGE_NUMBER].value == "PH-1"
    assert told[FactName.BADGE_REVOKED_ON].value == "2026-11-21"
    assert told[FactName.BADGE_NUMBER].source == "register"
    assert told[FactName.READING_CONFIDENCE].source == "cau/cam-1"
    assert told[FactName.BADGE_NUMBER].age_at(NOW, today=TODAY) == timedelta(days=3)


@pytest.mark.parametrize(
    ("changes", "moment", "holds"),
    [
        ({}, NOW, True),
        ({"listed_at": NOW}, NOW, True),
        ({"listed_at": NOW + timedelta(seconds=1)}, NOW, False),
        ({"valid_until": NOW}, NOW, False),  # the end is excluded
        ({"valid_until": NOW + timedelta(seconds=1)}, NOW, True),
        ({"removed_by": "x", "removed_at": NOW}, NOW, False),
    ],
)
def test_an_entry_holds_from_its_listing_to_its_end(
    changes: dict[str, object],
    moment: datetime,
    holds: bool,  # noqa: FBT001 - a column
) -> None:
    assert entry(**changes).holds_at(moment) is holds


@pytest.mark.parametrize(
    ("wanted", "seen", "fits"),
    [
        (None, YELLOW, True),
        (YELLOW, YELLOW, True),
        (YELLOW, WHITE, False),
        (YELLOW, PlateColour.UNKNOWN, True),
    ],
)
def test_an_entry_means_one_colour_or_any(
    wanted: PlateColour | None,
    seen: PlateColour,
    fits: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert entry(plate_colour=wanted).fits(seen) is fits


def test_before_the_law_there_was_no_finding() -> None:
    long_ago = passage(captured_at=datetime(2024, 6, 1, tzinfo=UTC))

    assert findings(long_ago, known(vehicle()), LAW) == ()


def test_every_rule_and_reason_has_words() -> None:
    told = words(lambda text: text)

    assert set(told["alert_rules"]) == set(RuleName)
    assert set(told["alert_severities"]) == set(Severity)
    assert set(told["closing_reasons"]) == set(ClosingReason)
    assert set(told["fact_names"]) == set(FactName)
    assert set(told["watch_reasons"]) == set(WatchReason)
    assert set(told["fact_kinds"]) == set(VehicleKind)


def test_a_granted_badge_ends_what_the_law_file_says() -> None:
    assert set(LAW.ended_by(Ending.BADGE_GRANTED)) == {
        RuleName.YELLOW_WITHOUT_BADGE,
        RuleName.BADGE_EXPIRED,
    }


def test_every_basis_names_its_source() -> None:
    law: ControlLaw = LAW

    assert all(
        basis.source and basis.reference and basis.says and basis.says_en
        for rule in law.rules.values()
        for basis in rule.bases
    )


def test_a_law_file_without_one_of_the_rules_is_refused() -> None:
    text = LAW_FILE.read_text(encoding="utf-8").replace("white_with_badge", "badge_expired")

    with pytest.raises(ValueError, match="exactly once"):
        parse_control_law(text)


def test_two_bases_of_a_rule_on_one_day_are_refused() -> None:
    text = LAW_FILE.read_text(encoding="utf-8")
    start = text.index("      - reference", text.index("name: inspection_expired"))
    basis = text[start : text.index("  - name: white_with_badge")]

    with pytest.raises(ValueError, match="inspection_expired"):
        parse_control_law(text.replace(basis, basis + basis))
