# SPDX-License-Identifier: AGPL-3.0-or-later
"""When plate and badge contradict each other."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contracts.passage import PlateColour
from central.domain.badges import (
    BadgeFacts,
    BadgeHeld,
    BadgeMismatch,
    badge_kind,
    badge_kinds,
    judge_badge,
    kinds_needed,
    latest_badge_end,
    parse_badge_kinds,
)
from central.domain.law.reading import law_text
from central.domain.papers import Term
from central.domain.vehicles import VehicleKind

TODAY = date(2026, 3, 2)
IN_FORCE_SINCE = date(2025, 1, 1)  # NĐ 158/2024/NĐ-CP
YELLOW, WHITE = PlateColour.YELLOW, PlateColour.WHITE
TRUCK = VehicleKind.TRUCK


def held(valid_from: date, valid_until: date, *, revoked_on: date | None = None) -> BadgeHeld:
    return BadgeHeld(
        kind="goods",
        number="PH-1",
        term=Term(valid_from=valid_from, valid_until=valid_until, revoked_on=revoked_on),
        source="badge register",
        as_of=date(2026, 3, 1),
    )


GOOD = held(date(2025, 3, 1), date(2027, 3, 1))
RUN_OUT = held(date(2024, 3, 2), TODAY)
REVOKED = held(date(2025, 3, 1), date(2027, 3, 1), revoked_on=TODAY)
FUTURE = held(date(2026, 3, 3), date(2027, 3, 1))


def facts(colour: PlateColour, badge: BadgeHeld | None, *, kind: VehicleKind = TRUCK) -> BadgeFacts:
    return BadgeFacts(
        plate_colour=colour,
        vehicle_kind=kind,
        badge=badge,
        source="register of vehicles",
        as_of=date(2026, 1, 15),
    )


@pytest.mark.parametrize(
    ("colour", "badge", "expected"),
    [
        (YELLOW, None, BadgeMismatch.YELLOW_WITHOUT_BADGE),
        (YELLOW, GOOD, None),
        (YELLOW, RUN_OUT, BadgeMismatch.BADGE_EXPIRED),  # the first day after its term
        (YELLOW, REVOKED, BadgeMismatch.BADGE_EXPIRED),
        (YELLOW, FUTURE, BadgeMismatch.YELLOW_WITHOUT_BADGE),
        (WHITE, GOOD, BadgeMismatch.WHITE_WITH_BADGE),
        (WHITE, None, None),
        (WHITE, RUN_OUT, None),
        (PlateColour.BLUE, None, None),
        (PlateColour.UNKNOWN, None, None),  # a colour that nobody knows proves nothing
        (PlateColour.UNKNOWN, GOOD, None),
    ],
)
def test_a_finding_needs_a_plate_and_a_badge_that_contradict_each_other(
    colour: PlateColour, badge: BadgeHeld | None, expected: BadgeMismatch | None
) -> None:
    finding = judge_badge(facts(colour, badge), on=TODAY, kinds=badge_kinds())

    assert (finding.mismatch if finding else None) is expected


def test_a_finding_names_the_badge_that_is_needed_its_law_and_the_age_of_its_facts() -> None:
    finding = judge_badge(facts(YELLOW, RUN_OUT), on=TODAY, kinds=badge_kinds())

    assert finding is not None
    [needed] = finding.needed
    assert (needed.name, needed.basis.reference) == ("XE TẢI", "NĐ 158/2024/NĐ-CP Điều 8.6, 23")
    by_name = {fact.name: fact for fact in finding.facts}
    assert by_name["badge_valid_until"].value == TODAY.isoformat()
    assert by_name["badge_valid_until"].age_days(on=TODAY) == 1
    assert by_name["plate_colour"].age_days(on=TODAY) == 46


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        (VehicleKind.TRUCK, {"XE TẢI"}),
        (VehicleKind.TRACTOR, {"XE TẢI"}),
        (VehicleKind.CAR, {"XE TAXI", "XE HỢP ĐỒNG", "XE TRUNG CHUYỂN"}),
        (
            VehicleKind.BUS,
            {"XE TUYẾN CỐ ĐỊNH", "XE TRUNG CHUYỂN", "XE BUÝT", "XE HỢP ĐỒNG"},
        ),
        (VehicleKind.FOUR_WHEELER, {"XE CHỞ KHÁCH", "XE CHỞ HÀNG"}),
        (VehicleKind.TRAILER, set()),  # goes on the badge of its tractor
        (VehicleKind.MOTORCYCLE, set()),
        (VehicleKind.SPECIAL_MACHINE, set()),
    ],
)
def test_what_badge_a_vehicle_needs_depends_on_its_kind(
    kind: VehicleKind, needed: set[str]
) -> None:
    found = {each.name for each in kinds_needed(kind, on=TODAY, kinds=badge_kinds())}

    assert found == needed


def test_no_law_no_finding() -> None:
    day_before = date(2024, 12, 31)

    assert judge_badge(facts(YELLOW, None), on=day_before, kinds=badge_kinds()) is None
    assert judge_badge(facts(YELLOW, None), on=IN_FORCE_SINCE, kinds=badge_kinds()) is not None


@given(
    colour=st.sampled_from(PlateColour),
    kind=st.sampled_from(VehicleKind),
    day=st.dates(min_value=IN_FORCE_SINCE, max_value=date(2040, 1, 1)),
)
def test_a_badge_that_holds_is_never_missing_and_never_expired(
    colour: PlateColour, kind: VehicleKind, day: date
) -> None:
    badge = held(date(2024, 1, 1), date(2041, 1, 1))

    finding = judge_badge(facts(colour, badge, kind=kind), on=day, kinds=badge_kinds())

    assert finding is None or finding.mismatch is BadgeMismatch.WHITE_WITH_BADGE


@pytest.mark.parametrize(
    ("kind", "manufactured_in", "ends"),
    [
        ("goods", 2020, date(2033, 3, 2)),  # 7 years
        ("taxi", 2016, date(2029, 1, 1)),  # 12 years of life: until the end of 2028
        ("taxi", 2022, date(2033, 3, 2)),
        ("taxi", None, date(2033, 3, 2)),
    ],
)
def test_a_badge_ends_with_its_longest_term_or_the_vehicles_life(
    kind: str, manufactured_in: int | None, ends: date
) -> None:
    found = badge_kind(kind, on=TODAY, kinds=badge_kinds())

    assert found is not None
    assert latest_badge_end(found, begins_on=TODAY, manufactured_in=manufactured_in) == ends


def test_old_kinds_are_known_and_not_issued() -> None:
    old = badge_kind("container", on=TODAY, kinds=badge_kinds())

    assert old is not None
    assert not old.is_issued
    with pytest.raises(ValueError, match="not issued"):
        latest_badge_end(old, begins_on=TODAY, manufactured_in=2020)


def test_two_versions_of_a_kind_on_one_day_are_refused() -> None:
    text = law_text("badge_kinds.csv")
    doubled = text + text.splitlines()[1] + "\n"

    with pytest.raises(ValueError, match="two versions"):
        parse_badge_kinds(doubled)


def test_a_broken_line_is_named() -> None:
    text = law_text("badge_kinds.csv").replace("2025-01-01", "2025-13-01", 1)

    with pytest.raises(ValueError, match="line 2"):
        parse_badge_kinds(text)
