# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a decision granted, as the dossier's history keeps it and as its paper says it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from central.contracts.passage import PlateColour
from central.domain.vehicles import VehicleKind
from central.procedures.types import DossierEvent, Fact, FactOutcome, RequestValue
from central.registry.types import Badge, BorderPermit, PlateKey, VehicleFacts

BADGE_FACT: Final = "badge_granted"
PERMIT_FACT: Final = "permit_granted"
"""Names of the facts under which a decision keeps what it granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedBadge:
    """A badge that a decision granted; ``valid_until`` is the first day after."""

    number: str
    kind: str
    valid_from: date
    valid_until: date
    plate: PlateKey | None
    granted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedPermit:
    """A permit that a decision granted; ``valid_until`` is the first day after.

    Attributes:
        trip_days_max: Longest trip.
        brand: ``None`` where the registry does not know it.
    """

    number: str
    kind: str
    valid_from: date
    valid_until: date
    trip_days_max: int
    is_single_trip: bool
    plate: PlateKey | None
    chassis_number: str
    vehicle_kind: VehicleKind
    brand: str | None
    granted_at: datetime


Granted = GrantedBadge | GrantedPermit
Values = Mapping[str, RequestValue | None]


def granted(events: Sequence[DossierEvent]) -> Granted | None:
    """What the decision in a dossier's history granted, if there is something."""
    for event in events:
        for fact in event.facts:
            if fact.name in _READERS:
                return _READERS[fact.name](fact.values, event.occurred_at)
    return None


def badge_fact(badge: Badge, vehicle: VehicleFacts | None, *, legal_basis: str) -> Fact:
    """A badge that was granted, as the history keeps it."""
    return _fact(
        BADGE_FACT,
        {
            "badge_id": str(badge.id),
            "badge_number": badge.number,
            "badge_kind": badge.kind,
            **_days(badge),
            **_plate_values(vehicle),
        },
        legal_basis=legal_basis,
    )


def permit_fact(permit: BorderPermit, vehicle: VehicleFacts, *, legal_basis: str) -> Fact:
    """A permit that was granted, as the history keeps it, with the vehicle as it was."""
    return _fact(
        PERMIT_FACT,
        {
            "permit_id": str(permit.id),
            "permit_number": permit.number,
            "permit_kind": permit.kind,
            **_days(permit),
            "trip_days_max": permit.trip_days_max,
            "is_single_trip": int(permit.is_single_trip),
            **_plate_values(vehicle),
            "chassis_number": vehicle.vehicle.chassis_number,
            "vehicle_kind": vehicle.vehicle.kind.value,
            "brand": vehicle.vehicle.brand,
        },
        legal_basis=legal_basis,
    )


def _fact(name: str, values: Values, *, legal_basis: str) -> Fact:
    return Fact(
        name=name,
        outcome=FactOutcome.HOLDS,
        values=values,
        is_obstacle=False,
        source=None,
        as_of=None,
        legal_basis=legal_basis,
    )


def _days(paper: Badge | BorderPermit) -> Values:
    return {
        "valid_from": paper.valid_from.isoformat(),
        "valid_until": paper.valid_until.isoformat(),
    }


def _plate_values(vehicle: VehicleFacts | None) -> Values:
    plate = vehicle.plate if vehicle is not None else None
    return {
        "plate_text": plate.text if plate else None,
        "plate_colour": plate.colour.value if plate else None,
    }


def _badge_of(values: Values, at: datetime) -> GrantedBadge:
    return GrantedBadge(
        number=str(values["badge_number"]),
        kind=str(values["badge_kind"]),
        valid_from=_day(values, "valid_from"),
        valid_until=_day(values, "valid_until"),
        plate=_plate_of(values),
        granted_at=at,
    )


def _permit_of(values: Values, at: datetime) -> GrantedPermit:
    brand = values["brand"]
    return GrantedPermit(
        number=str(values["permit_number"]),
        kind=str(values["permit_kind"]),
        valid_from=_day(values, "valid_from"),
        valid_until=_day(values, "valid_until"),
        trip_days_max=int(values["trip_days_max"] or 0),
        is_single_trip=bool(values["is_single_trip"]),
        plate=_plate_of(values),
        chassis_number=str(values["chassis_number"]),
        vehicle_kind=VehicleKind(str(values["vehicle_kind"])),
        brand=None if brand is None else str(brand),
        granted_at=at,
    )


def _day(values: Values, name: str) -> date:
    return date.fromisoformat(str(values[name]))


def _plate_of(values: Values) -> PlateKey | None:
    text, colour = values["plate_text"], values["plate_colour"]
    if text is None or colour is None:
        return None
    return PlateKey(text=str(text), colour=PlateColour(str(colour)))


_READERS: Final[Mapping[str, Callable[[Values, datetime], Granted]]] = MappingProxyType(
    {BADGE_FACT: _badge_of, PERMIT_FACT: _permit_of}
)
