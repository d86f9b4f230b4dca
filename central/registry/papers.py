# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the registry knows, as the rules of the law want it."""

from datetime import date

from central.contracts.passage import PlateColour
from central.domain.badges import BadgeFacts, BadgeHeld
from central.domain.papers import Term
from central.registry.types import Badge, VehicleFacts, VehicleRecord


def badge_facts(facts: VehicleFacts) -> BadgeFacts:
    """What the badge rule looks at; a vehicle without plate has an unknown colour."""
    vehicle = facts.vehicle
    return BadgeFacts(
        plate_colour=facts.plate.colour if facts.plate is not None else PlateColour.UNKNOWN,
        vehicle_kind=vehicle.kind,
        badge=badge_held(facts.last_badge) if facts.last_badge is not None else None,
        source=vehicle.origin.source,
        as_of=vehicle.origin.as_of,
    )


def facts_of_record(record: VehicleRecord, *, on: date) -> VehicleFacts:
    """What a record says about one day."""
    begun = [
        badge
        for badge in record.badges
        if badge.valid_from <= on and badge.revoked_on != badge.valid_from
    ]
    last_badge = max(begun, key=lambda badge: badge.valid_from, default=None)
    return VehicleFacts(
        vehicle=record.vehicle,
        plate=record.vehicle.plate_on(on),
        badge=last_badge if last_badge is not None and last_badge.holds_on(on) else None,
        last_badge=last_badge,
    )


def badge_held(badge: Badge) -> BadgeHeld:
    """A badge, as the rules want it."""
    return BadgeHeld(
        kind=badge.kind,
        number=badge.number,
        term=Term(
            valid_from=badge.valid_from,
            valid_until=badge.valid_until,
            revoked_on=badge.revoked_on,
        ),
        source=badge.origin.source,
        as_of=badge.origin.as_of,
    )
