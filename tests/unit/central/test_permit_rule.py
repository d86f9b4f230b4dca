# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which vehicle may cross to Laos: tables by hand, the borders of every term, what is unknown."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contracts.passage import PlateColour
from central.domain.badges import BadgeFacts, BadgeHeld, badge_kinds
from central.domain.legal import Answer, Verdict
from central.domain.papers import Term
from central.domain.permits import (
    TRIP_DAYS_MAX,
    Country,
    Crossing,
    PaperHeld,
    PermitFacts,
    PermitLaw,
    may_cross,
    parse_permit_kinds,
    permit_kinds,
    permit_rules,
)
from central.domain.vehicles import VehicleKind

TODAY = date(2026, 3, 2)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
BEGUN = date(2025, 6, 1)
LATER = date(2026, 6, 1)
AS_OF = date(2026, 2, 20)
YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
LAW = PermitLaw(kinds=permit_kinds(), rules=permit_rules(), badge_kinds=badge_kinds())


def term(
    valid_from: date = BEGUN, valid_until: date | None = LATER, revoked_on: date | None = None
) -> Term:
    return Term(valid_from=valid_from, valid_until=valid_until, revoked_on=revoked_on)


def permit(
    holds: Term | None = None, *, kind: str = "laos_commercial", trip_days_max: int | None = None
) -> PaperHeld:
    return PaperHeld(
        number="LV-1",
        kind=kind,
        term=holds or term(),
        trip_days_max=trip_days_max,
        source="permit register",
        as_of=AS_OF,
    )


def licence(holds: Term | None = None) -> PaperHeld:
    return PaperHeld(number="KDVT-1", term=holds or term(), source="licences", as_of=AS_OF)


def badge(holds: Term | None = None) -> BadgeHeld:
    return BadgeHeld(
        kind="goods", number="PH-1", term=holds or term(), source="badges", as_of=AS_OF
    )


def bearing(
    held: BadgeHeld | None,
    *,
    colour: PlateColour = PlateColour.YELLOW,
    kind: VehicleKind = VehicleKind.TRUCK,
) -> BadgeFacts:
    return BadgeFacts(
        plate_colour=colour, vehicle_kind=kind, badge=held, source="vehicles", as_of=AS_OF
    )


GOOD = PermitFacts(
    badge=bearing(badge()),
    permits=(permit(),),
    transport_licences=(licence(),),
    inspected_until=TODAY,
    inspection_source="inspections",
    inspection_as_of=AS_OF,
)


def asked(
    facts: PermitFacts,
    *,
    on: date = TODAY,
    country: Country = Country.LAOS,
    trip_days: int | None = None,
) -> Verdict:
    return may_cross(facts, Crossing(country=country, on=on, trip_days=trip_days), law=LAW)


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def test_a_truck_with_everything_may_cross_and_every_ground_names_its_law() -> None:
    verdict = asked(GOOD)

    assert verdict.answer is YES
    assert codes(verdict) == [
        "border_permit_yes",
        "trip_days_yes",
        "inspection_yes",
        "badge_yes",
        "transport_licence_yes",
    ]
    assert all(reason.basis is not None for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("permits", "code"),
    [
        ((), "border_permit_unknown"),  # another authority may have issued one
        ((permit(term(valid_from=TODAY)),), "border_permit_yes"),  # its first day
        ((permit(term(valid_from=TOMORROW)),), "border_permit_no"),
        ((permit(term(valid_until=TODAY)),), "border_permit_no"),  # the first day without
        ((permit(term(valid_until=TOMORROW)),), "border_permit_yes"),  # its last day
        ((permit(term(revoked_on=TODAY)),), "border_permit_no"),
        ((permit(term(revoked_on=TOMORROW)),), "border_permit_yes"),
        ((permit(kind="cambodia_type_one"),), "border_permit_unknown"),  # leads elsewhere
        ((permit(kind="no_such_kind"),), "border_permit_unknown"),
        ((permit(kind="gms"),), "border_permit_yes"),  # leads to Laos, too
        ((permit(term(valid_until=TODAY)), permit(kind="asean")), "border_permit_yes"),
    ],
)
def test_a_permit_counts_from_its_first_to_its_last_day(
    permits: tuple[PaperHeld, ...], code: str
) -> None:
    verdict = asked(replace(GOOD, permits=permits))

    answer = Answer(code.rsplit("_", 1)[1])
    assert (codes(verdict)[0], verdict.answer) == (code, answer)


@pytest.mark.parametrize(
    ("country", "answer"),
    [
        (Country.LAOS, YES),
        (Country.CAMBODIA, UNKNOWN),
        (Country.CHINA, UNKNOWN),
    ],
)
def test_a_permit_leads_to_its_countries_only(country: Country, answer: Answer) -> None:
    assert asked(GOOD, country=country).answer is answer


@pytest.mark.parametrize(
    ("held", "trip_days", "answer"),
    [
        (permit(), 30, YES),  # the law's limit
        (permit(), 31, NO),
        (permit(trip_days_max=15), 15, YES),  # the permit's own is stricter
        (permit(trip_days_max=15), 16, NO),
        (permit(trip_days_max=60), 31, NO),  # the law's is stricter
        (permit(kind="laos_project"), 31, YES),  # a kind without limit
        (permit(kind="laos_project", trip_days_max=40), 41, NO),
        (permit(term(valid_until=date(2026, 3, 12))), 10, YES),  # back on its last day
        (permit(term(valid_until=date(2026, 3, 12))), 11, NO),
        (permit(term(revoked_on=date(2026, 3, 5))), 4, NO),  # it ends on the way
        (permit(term(valid_until=TOMORROW)), None, YES),  # judged by its first day
    ],
)
def test_a_trip_fits_the_permit_and_ends_within_it(
    held: PaperHeld, trip_days: int | None, answer: Answer
) -> None:
    verdict = asked(replace(GOOD, permits=(held,)), trip_days=trip_days)

    assert f"trip_days_{answer}" in codes(verdict)
    assert verdict.answer is answer


@pytest.mark.parametrize(
    ("inspected_until", "answer"),
    [(TODAY, YES), (YESTERDAY, NO), (TOMORROW, YES), (None, UNKNOWN)],
)
def test_an_inspection_holds_on_the_day_that_it_names(
    inspected_until: date | None, answer: Answer
) -> None:
    verdict = asked(replace(GOOD, inspected_until=inspected_until))

    assert f"inspection_{answer}" in codes(verdict)
    assert verdict.answer is answer


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        (bearing(badge(term(valid_until=TODAY))), NO),
        (bearing(badge(term(valid_until=TOMORROW))), YES),
        (bearing(badge(term(valid_from=TOMORROW))), NO),
        (bearing(badge(term(revoked_on=TODAY))), NO),
        (bearing(None), NO),
        (bearing(None, colour=PlateColour.WHITE), NO),  # the permit is a commercial one
    ],
)
def test_a_vehicle_in_transport_business_needs_a_badge(facts: BadgeFacts, answer: Answer) -> None:
    verdict = asked(replace(GOOD, badge=facts))

    assert f"badge_{answer}" in codes(verdict)
    assert verdict.answer is answer


@pytest.mark.parametrize(
    ("licences", "answer"),
    [
        ((), UNKNOWN),  # not recorded
        ((licence(term(valid_until=None)),), YES),
        ((licence(term(valid_until=TODAY)),), NO),
        ((licence(term(valid_until=TOMORROW)),), YES),
        ((licence(term(valid_until=TODAY)), licence()), YES),
        ((licence(term(valid_until=None, revoked_on=TODAY)), licence()), YES),
    ],
)
def test_a_transport_licence_that_is_not_recorded_is_unknown(
    licences: tuple[PaperHeld, ...], answer: Answer
) -> None:
    verdict = asked(replace(GOOD, transport_licences=licences))

    assert f"transport_licence_{answer}" in codes(verdict)
    assert verdict.answer is answer


def test_a_private_car_needs_neither_badge_nor_transport_licence() -> None:
    private = replace(
        GOOD,
        badge=bearing(None, colour=PlateColour.WHITE, kind=VehicleKind.CAR),
        permits=(permit(kind="laos_non_commercial"),),
        transport_licences=(),
    )

    verdict = asked(private)

    assert codes(verdict) == ["border_permit_yes", "trip_days_yes", "inspection_yes"]
    assert verdict.answer is YES


def test_a_trailer_goes_on_the_badge_of_its_tractor() -> None:
    verdict = asked(replace(GOOD, badge=bearing(None, kind=VehicleKind.TRAILER)))

    assert not [code for code in codes(verdict) if code.startswith("badge")]


def test_one_no_outweighs_what_is_unknown() -> None:
    verdict = asked(replace(GOOD, permits=(), inspected_until=YESTERDAY))

    assert verdict.answer is NO
    assert {"border_permit_unknown", "inspection_no"} <= set(codes(verdict))


def test_before_the_law_no_kind_is_known_and_nothing_is_held_against_anybody() -> None:
    verdict = asked(replace(GOOD, inspected_until=date(2024, 1, 1)), on=date(2024, 12, 31))

    assert verdict.answer is UNKNOWN
    assert {(reason.answer, reason.basis) for reason in verdict.reasons} == {(UNKNOWN, None)}


@pytest.mark.parametrize("trip_days", [0, -1, TRIP_DAYS_MAX + 1])
def test_a_trip_of_no_length_is_refused(trip_days: int) -> None:
    with pytest.raises(ValueError, match="a trip has 1 to"):
        Crossing(country=Country.LAOS, on=TODAY, trip_days=trip_days)


def test_a_trip_that_leaves_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="before the calendar does"):
        Crossing(country=Country.LAOS, on=date.max, trip_days=2)


def test_two_versions_of_a_kind_on_one_day_are_refused() -> None:
    header = (
        "kind,name,name_en,countries,is_commercial,issuer,months_max,trip_days_max,"
        "is_single_trip,valid_from,valid_until,reference,says,says_en,source,confidence\n"
    )
    line = "laos,Lào,Laos,laos,1,Sở,12,30,0,{},{},Điều 1,Luật nói,law says,law text,high\n"
    after = line.format("2025-01-01", "2026-01-01") + line.format("2026-01-01", "")
    both = line.format("2025-01-01", "2026-01-02") + line.format("2026-01-01", "")

    assert len(parse_permit_kinds(header + after)) == 2
    with pytest.raises(ValueError, match="laos"):
        parse_permit_kinds(header + both)


@given(
    permits=st.lists(
        st.builds(
            permit,
            st.builds(
                lambda begins, days: term(begins, begins + timedelta(days=days)),
                st.dates(date(2025, 1, 1), date(2027, 1, 1)),
                st.integers(1, 500),
            ),
            kind=st.sampled_from([each.kind for each in permit_kinds()]),
        ),
        max_size=3,
    ),
    on=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    country=st.sampled_from(Country),
)
def test_a_further_good_permit_never_makes_an_answer_worse(
    permits: list[PaperHeld], on: date, country: Country
) -> None:
    order = {NO: 0, UNKNOWN: 1, YES: 2}
    some = replace(GOOD, permits=tuple(permits), inspected_until=date.max - timedelta(days=1))
    good = permit(term(date(2025, 1, 1), None), kind="clv_commercial")
    more = replace(some, permits=(*some.permits, good))

    before = asked(some, on=on, country=country).reasons[0]
    after = asked(more, on=on, country=country).reasons[0]

    assert order[after.answer] >= order[before.answer] or country not in {
        Country.LAOS,
        Country.CAMBODIA,
    }
