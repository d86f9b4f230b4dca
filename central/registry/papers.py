# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the registry knows, as the rules of the law want it."""

from datetime import date

from central.contracts.passage import PlateColour
from central.domain.badges import BadgeFacts, BadgeHeld
from central.domain.licences import ClassHeld, DrivenVehicle, LicenceFacts, Trailer
from central.domain.papers import Term
from central.domain.permits import PaperHeld, PermitFacts
from central.registry.types import (
    Badge,
    BorderPermit,
    DrivingLicence,
    TransportLicence,
    Vehicle,
    VehicleFacts,
    VehicleRecord,
)


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


def permit_facts(record: VehicleRecord, *, on: date) -> PermitFacts:
    """What the permit rule looks at."""
    vehicle = record.vehicle
    inspection = vehicle.inspection_origin or vehicle.origin
    return PermitFacts(
        badge=badge_facts(facts_of_record(record, on=on)),
        permits=tuple(
            PaperHeld(
                number=permit.number,
                kind=permit.kind,
                term=term_of(permit),
                trip_days_max=permit.trip_days_max,
                source=permit.origin.source,
                as_of=permit.origin.as_of,
            )
            for permit in record.permits
        ),
        transport_licences=tuple(
            PaperHeld(
                number=licence.number,
                term=term_of(licence),
                source=licence.origin.source,
                as_of=licence.origin.as_of,
            )
            for licence in record.transport_licences
        ),
        inspected_until=vehicle.inspected_until,
        inspection_source=inspection.source,
        inspection_as_of=inspection.as_of,
    )


def licence_facts(licence: DrivingLicence) -> LicenceFacts:
    """What the licence rule looks at."""
    return LicenceFacts(
        state=licence.state,
        points=licence.points,
        classes=tuple(
            ClassHeld(
                name=each.name,
                term=Term(valid_from=each.valid_from, valid_until=each.valid_until),
            )
            for each in licence.classes
        ),
        source=licence.origin.source,
        as_of=licence.origin.as_of,
    )


def driven_vehicle(vehicle: Vehicle, *, trailer: Trailer) -> DrivenVehicle:
    """A vehicle as the licence rule looks at it."""
    return DrivenVehicle(
        kind=vehicle.kind,
        seats=vehicle.seats,
        gross_mass_kg=vehicle.gross_mass_kg,
        trailer=trailer,
        source=vehicle.origin.source,
        as_of=vehicle.origin.as_of,
    )


def term_of(paper: BorderPermit | TransportLicence) -> Term:
    """Days on which a paper holds."""
    return Term(
        valid_from=paper.valid_from, valid_until=paper.valid_until, revoked_on=paper.revoked_on
    )
