# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small functions that look at one fact each; which of them stand in the way, a procedure says.

A guard that can't know says so: unknown never refuses (it is shown to the clerk instead).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from central.contracts.passage import PlateColour
from central.domain.badges import badge_kind, badge_kinds, latest_badge_end, years_later
from central.procedures.rulebook.definition import ActionRule, GuardEffect, GuardUse, Requirement
from central.procedures.rulebook.permits import (
    no_overlapping_permit,
    permit_kind_in_force,
    transport_licence_valid,
)
from central.procedures.rulebook.situation import (
    NOTHING_KNOWN,
    Finding,
    Guard,
    Situation,
    holds,
    may_be_renewed,
    of_vehicle,
)
from central.procedures.types import Fact, FactOutcome, RequestValue

KIND_FIELD: Final = "badge_kind"
YEARS_FIELD: Final = "years"
"""Fields that a procedure whose result is a badge must ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgePeriod:
    """The days of a badge that would be granted; ``valid_until`` is the first day after."""

    valid_from: date
    valid_until: date


def look(rule: ActionRule, situation: Situation) -> tuple[Fact, ...]:
    """Everything that an action's guards find, in the order of the procedure."""
    return tuple(_fact(use, situation) for use in rule.guards)


def is_required(requirement: Requirement, situation: Situation) -> bool:
    """Whether a paper is required for this dossier from the start."""
    match requirement:
        case Requirement.ALWAYS:
            return True
        case Requirement.NOT_OWNER:
            vehicle = situation.vehicle
            return vehicle is not None and vehicle.vehicle.owner_id != situation.applicant_id
        case Requirement.ON_REQUEST:
            return False


def badge_period(situation: Situation) -> BadgePeriod:
    """The days for which the badge that is asked for would hold.

    It begins today, or with the end of the badge that the vehicle has when that is near enough to
    be renewed (NĐ 158/2024/NĐ-CP Art. 23.7), and never outlives the vehicle (Art. 23.3).
    """
    begins_on = situation.day
    current = situation.vehicle.badge if situation.vehicle else None
    if (
        current is not None
        and current.revoked_on is None
        and may_be_renewed(current.valid_until, situation)
    ):
        begins_on = current.valid_until
    asked = years_later(begins_on, int(situation.request[YEARS_FIELD]))
    kind = badge_kind(str(situation.request[KIND_FIELD]), on=situation.day, kinds=badge_kinds())
    if kind is None or situation.vehicle is None:
        return BadgePeriod(valid_from=begins_on, valid_until=asked)
    life_ends_on = latest_badge_end(
        kind, begins_on=begins_on, manufactured_in=situation.vehicle.vehicle.manufactured_in
    )
    return BadgePeriod(valid_from=begins_on, valid_until=min(asked, life_ends_on))


def _fact(use: GuardUse, situation: Situation) -> Fact:
    found = GUARDS[use.guard](situation)
    return Fact(
        name=use.guard,
        outcome=found.outcome,
        values=found.values,
        is_obstacle=use.effect is GuardEffect.REFUSE,
        source=found.source,
        as_of=found.as_of,
        legal_basis=use.legal_basis,
    )


def _plate_is_yellow(situation: Situation) -> Finding:
    """Vehicles in transport business bear yellow plates."""
    vehicle = situation.vehicle
    if vehicle is None or vehicle.plate is None:
        return NOTHING_KNOWN
    colour = vehicle.plate.colour
    if colour is PlateColour.UNKNOWN:
        return of_vehicle(vehicle, FactOutcome.UNKNOWN, plate_colour=None)
    return of_vehicle(vehicle, holds(colour is PlateColour.YELLOW), plate_colour=colour.value)


def _kind_fits_vehicle(situation: Situation) -> Finding:
    """The badge asked for is one that such a vehicle may bear."""
    vehicle = situation.vehicle
    kind = badge_kind(str(situation.request[KIND_FIELD]), on=situation.day, kinds=badge_kinds())
    if vehicle is None:
        return NOTHING_KNOWN
    seats = vehicle.vehicle.seats
    told: dict[str, RequestValue | None] = {
        "vehicle_kind": vehicle.vehicle.kind.value,
        "seats": seats,
    }
    if kind is None or not kind.is_issued or vehicle.vehicle.kind not in kind.vehicle_kinds:
        return of_vehicle(vehicle, FactOutcome.FAILS, **told)
    if kind.passengers_min is None and kind.passengers_max is None:
        return of_vehicle(vehicle, FactOutcome.HOLDS, **told)
    if seats is None:
        return of_vehicle(vehicle, FactOutcome.UNKNOWN, **told)
    passengers = seats - 1
    is_enough = kind.passengers_min is None or passengers >= kind.passengers_min
    is_few = kind.passengers_max is None or passengers <= kind.passengers_max
    return of_vehicle(vehicle, holds(is_enough and is_few), **told)


def _within_lifetime(situation: Situation) -> Finding:
    """The vehicle may still serve; a term that is too long is shortened, not refused."""
    vehicle = situation.vehicle
    kind = badge_kind(str(situation.request[KIND_FIELD]), on=situation.day, kinds=badge_kinds())
    if vehicle is None or kind is None:
        return NOTHING_KNOWN
    made_in = vehicle.vehicle.manufactured_in
    told: dict[str, RequestValue | None] = {"manufactured_in": made_in}
    if kind.lifetime_years is None:
        return of_vehicle(vehicle, FactOutcome.HOLDS, **told, lifetime_years=None)
    told["lifetime_years"] = kind.lifetime_years
    if made_in is None:
        return of_vehicle(vehicle, FactOutcome.UNKNOWN, **told)
    period = badge_period(situation)
    told["valid_until"] = period.valid_until.isoformat()
    return of_vehicle(vehicle, holds(period.valid_from < period.valid_until), **told)


def _no_overlapping_badge(situation: Situation) -> Finding:
    """No other badge holds on the days asked for, or the one that does is near its end."""
    vehicle = situation.vehicle
    if vehicle is None:
        return NOTHING_KNOWN
    period = badge_period(situation)
    for badge in (vehicle.badge, vehicle.last_badge):
        if badge is None:
            continue
        ends_on = min(badge.valid_until, badge.revoked_on or badge.valid_until)
        if badge.valid_from < period.valid_until and period.valid_from < ends_on:
            return Finding(
                outcome=FactOutcome.FAILS,
                values={"badge_number": badge.number, "badge_valid_until": ends_on.isoformat()},
                source=badge.origin.source,
                as_of=badge.origin.as_of,
            )
    return of_vehicle(vehicle, FactOutcome.HOLDS, badge_number=None)


def _badge_held(situation: Situation) -> Finding:
    """The vehicle has a badge today."""
    vehicle = situation.vehicle
    if vehicle is None:
        return NOTHING_KNOWN
    badge = vehicle.badge
    if badge is None:
        return of_vehicle(vehicle, FactOutcome.UNKNOWN, badge_number=None)
    return Finding(
        outcome=FactOutcome.HOLDS,
        values={
            "badge_number": badge.number,
            "badge_kind": badge.kind,
            "badge_valid_until": badge.valid_until.isoformat(),
        },
        source=badge.origin.source,
        as_of=badge.origin.as_of,
    )


def _inspection_valid(situation: Situation) -> Finding:
    """The inspection certificate holds today; a date that is not known proves nothing."""
    vehicle = situation.vehicle
    if vehicle is None:
        return NOTHING_KNOWN
    until = vehicle.vehicle.inspected_until
    if until is None:
        return of_vehicle(vehicle, FactOutcome.UNKNOWN, inspected_until=None)
    return of_vehicle(vehicle, holds(situation.day <= until), inspected_until=until.isoformat())


def _decided_by_another(situation: Situation) -> Finding:
    """Who decides is not who took the dossier in (four eyes)."""
    is_same = situation.taken_in_by == situation.acting
    return Finding(
        outcome=holds(not is_same),
        values={"taken_in_by": situation.taken_in_by, "decided_by": situation.acting},
    )


GUARDS: Final[Mapping[str, Guard]] = MappingProxyType(
    {
        "plate_is_yellow": _plate_is_yellow,
        "kind_fits_vehicle": _kind_fits_vehicle,
        "within_lifetime": _within_lifetime,
        "no_overlapping_badge": _no_overlapping_badge,
        "badge_held": _badge_held,
        "inspection_valid": _inspection_valid,
        "permit_kind_in_force": permit_kind_in_force,
        "no_overlapping_permit": no_overlapping_permit,
        "transport_licence_valid": transport_licence_valid,
        "decided_by_another": _decided_by_another,
    }
)
