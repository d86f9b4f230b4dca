# SPDX-License-Identifier: AGPL-3.0-or-later
"""Permits to cross a border: which one would be granted, and what stands in its way."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from central.domain.papers import months_later
from central.domain.permits import PermitKind, permit_kind, permit_kinds
from central.procedures.rulebook.definition import PermitTerm
from central.procedures.rulebook.situation import (
    NOTHING_KNOWN,
    Finding,
    Situation,
    holds,
    may_be_renewed,
    of_vehicle,
)
from central.procedures.types import FactOutcome
from central.registry.papers import term_of

USE_FIELD: Final = "use"
TRIP_FIELD: Final = "trip_days"
"""Fields that a procedure whose result is a permit must ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitTerms:
    """The permit that would be granted; ``valid_until`` is the first day after.

    Attributes:
        trip_days_max: Longest trip, as it is asked for and the law allows.
    """

    kind: PermitKind
    valid_from: date
    valid_until: date
    trip_days_max: int


def permit_terms(situation: Situation) -> PermitTerms | None:
    """The permit that is asked for: kind, days and longest trip.

    Commercial vehicles get the whole term that the law allows, contract and tourist cars the
    length of their trip (NĐ 158/2024/NĐ-CP Art. 29.2). It begins today, or with the end of a
    permit of the same kind that is near enough to be renewed.

    Returns:
        ``None`` when the law has no such kind on that day.
    """
    asked = situation.request[USE_FIELD]
    choice = next((each for each in situation.procedure.result.permits if each.use == asked), None)
    if choice is None:
        return None
    kind = permit_kind(choice.permit_kind, on=situation.day, kinds=permit_kinds())
    if kind is None:
        return None
    begins_on = _permit_begins_on(kind, situation)
    trip_days = int(situation.request[TRIP_FIELD])
    if kind.trip_days_max is not None:
        trip_days = min(trip_days, kind.trip_days_max)
    longest = months_later(begins_on, kind.months_max)
    ends_on = begins_on + timedelta(days=trip_days)
    return PermitTerms(
        kind=kind,
        valid_from=begins_on,
        valid_until=longest if choice.term is PermitTerm.LONGEST else min(ends_on, longest),
        trip_days_max=trip_days,
    )


def _permit_begins_on(kind: PermitKind, situation: Situation) -> date:
    held = next(
        (
            each
            for each in situation.permits
            if each.kind == kind.kind
            and each.revoked_on is None
            and term_of(each).holds_on(situation.day)
        ),
        None,
    )
    if held is not None and may_be_renewed(held.valid_until, situation):
        return held.valid_until
    return situation.day


def permit_kind_in_force(situation: Situation) -> Finding:
    """The law has a permit for the use that is asked for."""
    terms = permit_terms(situation)
    if terms is None:
        return Finding(outcome=FactOutcome.FAILS, values={"permit_kind": None})
    return Finding(
        outcome=FactOutcome.HOLDS,
        values={
            "permit_kind": terms.kind.kind,
            "valid_from": terms.valid_from.isoformat(),
            "valid_until": terms.valid_until.isoformat(),
            "trip_days_max": terms.trip_days_max,
        },
    )


def no_overlapping_permit(situation: Situation) -> Finding:
    """No other permit of the kind holds on the days asked for."""
    vehicle, terms = situation.vehicle, permit_terms(situation)
    if vehicle is None or terms is None:
        return NOTHING_KNOWN
    for permit in situation.permits:
        ends_on = min(permit.valid_until, permit.revoked_on or permit.valid_until)
        is_same_time = permit.valid_from < terms.valid_until and terms.valid_from < ends_on
        if permit.kind == terms.kind.kind and is_same_time:
            return Finding(
                outcome=FactOutcome.FAILS,
                values={"permit_number": permit.number, "permit_valid_until": ends_on.isoformat()},
                source=permit.origin.source,
                as_of=permit.origin.as_of,
            )
    return of_vehicle(vehicle, FactOutcome.HOLDS, permit_number=None)


def transport_licence_valid(situation: Situation) -> Finding:
    """The applicant holds a licence to do transport business; none on record proves nothing."""
    if not situation.transport_licences:
        return Finding(outcome=FactOutcome.UNKNOWN, values={"transport_licence_number": None})
    licence = max(
        situation.transport_licences,
        key=lambda each: (term_of(each).holds_on(situation.day), each.valid_until or date.max),
    )
    until = licence.valid_until
    if licence.revoked_on is not None:
        until = min(licence.revoked_on, until or date.max)
    return Finding(
        outcome=holds(term_of(licence).holds_on(situation.day)),
        values={
            "transport_licence_number": licence.number,
            "transport_licence_valid_until": until.isoformat() if until else None,
        },
        source=licence.origin.source,
        as_of=licence.origin.as_of,
    )
