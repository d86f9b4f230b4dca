# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the registry knows, as the rules of the law want it."""

from central.contracts.passage import PlateColour
from central.domain.badges import BadgeFacts, BadgeHeld
from central.domain.papers import Term
from central.registry.types import Badge, VehicleFacts


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
