# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``/v1`` takes in and answers about vehicles, permits and licences.

Identifiers stand in bodies and never in URLs; every question needs a purpose.
"""

from datetime import date
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from api.deps.acting import LookFields
from api.v1.schemas import StrictBody
from central.contracts.passage import PlateColour
from central.domain.legal import Answer, Confidence, FactUsed, LegalBasis, Reason, Verdict
from central.domain.licences import Trailer
from central.domain.permits import TRIP_DAYS_MAX, Country
from central.domain.plates import normalise_plate_text
from central.domain.vehicles import VehicleKind
from central.registry.types import (
    Badge,
    BorderPermit,
    Origin,
    PartyKind,
    PlateKey,
    PlatePeriod,
    TransportLicence,
    VehicleIdentifier,
    VehicleRecord,
)

DAY_MIN: Final = date(2000, 1, 1)
DAY_MAX: Final = date(2099, 12, 31)
"""Days that can be asked about: those of which the registry may know something."""

_EXAMPLE_LOOK = {"purpose": "traffic_control"}
_EXAMPLE_PLATE = {"plate": "20C-123.45", "plate_colour": "yellow"}

ChassisNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z0-9]{5,25}$")
]
Plate = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=20)]
LicenceNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\d{12}$")]


class VehicleNamedBody(LookFields):
    """A vehicle named by chassis number or plate, and why it is asked for."""

    chassis_number: ChassisNumber | None = None
    plate: Plate | None = None
    plate_colour: Annotated[
        PlateColour,
        Field(description="White and yellow plates may bear the same text."),
    ] = PlateColour.UNKNOWN

    @model_validator(mode="after")
    def _has_one_name(self) -> Self:
        if (self.chassis_number is None) == (self.plate is None):
            raise ValueError("give chassis_number or plate, one of them")
        return self

    def identifier(self) -> VehicleIdentifier:
        """The name as services want it."""
        if self.plate is None:
            return VehicleIdentifier(chassis_number=self.chassis_number)
        key = PlateKey(text=normalise_plate_text(self.plate), colour=self.plate_colour)
        return VehicleIdentifier(plate=key)


class VehicleLookupBody(VehicleNamedBody):
    """Which vehicle."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE_PLATE, **_EXAMPLE_LOOK}]})


class PermitCheckBody(VehicleNamedBody):
    """Which vehicle wants to cross where and when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_EXAMPLE_PLATE, **_EXAMPLE_LOOK, "country": "laos", "trip_days": 10}]
        }
    )

    country: Country = Country.LAOS
    on: Annotated[
        date | None,
        Field(ge=DAY_MIN, le=DAY_MAX, description="Day of the crossing; today if absent."),
    ] = None
    trip_days: Annotated[
        int | None, Field(ge=1, le=TRIP_DAYS_MAX, description="Days of the trip, if known.")
    ] = None


class LicenceCheckBody(VehicleNamedBody):
    """Which driver wants to drive which vehicle when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_EXAMPLE_PLATE, **_EXAMPLE_LOOK, "licence_number": "010203040506"}]
        }
    )

    licence_number: LicenceNumber
    trailer: Trailer = Trailer.UNKNOWN
    on: Annotated[
        date | None,
        Field(ge=DAY_MIN, le=DAY_MAX, description="Day of the drive; today if absent."),
    ] = None


class LegalBasisBody(StrictBody):
    """A piece of law; ``valid_until`` is the first day on which it no longer holds."""

    reference: str
    says: str
    says_en: str
    valid_from: date
    valid_until: date | None
    source: str
    confidence: Confidence

    @classmethod
    def of(cls, basis: LegalBasis) -> Self:
        """Describe a basis."""
        return cls(
            reference=basis.reference,
            says=basis.says,
            says_en=basis.says_en,
            valid_from=basis.valid_from,
            valid_until=basis.valid_until,
            source=basis.source,
            confidence=basis.confidence,
        )


class FactBody(StrictBody):
    """A fact that an answer rests on; a value of ``null`` is not known."""

    name: str
    value: str | None
    source: str | None
    as_of: date | None
    age_days: int | None

    @classmethod
    def of(cls, fact: FactUsed, *, on: date) -> Self:
        """Describe a fact."""
        return cls(
            name=fact.name,
            value=fact.value,
            source=fact.source,
            as_of=fact.as_of,
            age_days=fact.age_days(on=on),
        )


class ReasonBody(StrictBody):
    """One ground of an answer, with its law and its facts."""

    code: str
    answer: Answer
    legal_basis: LegalBasisBody | None
    facts: tuple[FactBody, ...]

    @classmethod
    def of(cls, reason: Reason, *, on: date) -> Self:
        """Describe a ground."""
        return cls(
            code=reason.code,
            answer=reason.answer,
            legal_basis=LegalBasisBody.of(reason.basis) if reason.basis else None,
            facts=tuple(FactBody.of(fact, on=on) for fact in reason.facts),
        )


class VerdictBody(StrictBody):
    """Yes, no or unknown, with every ground. Unknown is not invalid."""

    answer: Answer
    asked_for: date
    reasons: tuple[ReasonBody, ...]

    @classmethod
    def of(cls, verdict: Verdict, *, asked_for: date, today: date) -> Self:
        """Describe an answer; facts are as old as they are today."""
        return cls(
            answer=verdict.answer,
            asked_for=asked_for,
            reasons=tuple(ReasonBody.of(reason, on=today) for reason in verdict.reasons),
        )


class OriginBody(StrictBody):
    """Where a fact comes from, and the day on which it was true."""

    source: str
    as_of: date

    @classmethod
    def of(cls, origin: Origin) -> Self:
        """Describe an origin."""
        return cls(source=origin.source, as_of=origin.as_of)


class PlateBody(StrictBody):
    """A plate that the vehicle bore; ``valid_until`` is the first day on which it no longer did."""

    text: str
    colour: PlateColour
    valid_from: date
    valid_until: date | None

    @classmethod
    def of(cls, period: PlatePeriod) -> Self:
        """Describe a plate."""
        return cls(
            text=period.plate.text,
            colour=period.plate.colour,
            valid_from=period.valid_from,
            valid_until=period.valid_until,
        )


class PaperBody(StrictBody):
    """A badge, permit or licence; ``valid_until`` is the first day on which it no longer holds."""

    number: str
    kind: str | None
    valid_from: date
    valid_until: date | None
    revoked_on: date | None
    origin: OriginBody

    @classmethod
    def of(cls, paper: Badge | BorderPermit | TransportLicence) -> Self:
        """Describe a paper."""
        return cls(
            number=paper.number,
            kind=None if isinstance(paper, TransportLicence) else paper.kind,
            valid_from=paper.valid_from,
            valid_until=paper.valid_until,
            revoked_on=paper.revoked_on,
            origin=OriginBody.of(paper.origin),
        )


class OwnerBody(StrictBody):
    """Who owns the vehicle."""

    kind: PartyKind
    name: str
    identity_number: str


class VehicleBody(StrictBody):
    """Everything that the registry knows of a vehicle; ``null`` is not known.

    ``inspected_until`` is the last day of the inspection certificate.
    """

    id: UUID
    chassis_number: str
    engine_number: str | None
    kind: VehicleKind
    brand: str | None
    manufactured_in: int | None
    seats: int | None
    payload_kg: int | None
    gross_mass_kg: int | None
    inspected_until: date | None
    inspection_origin: OriginBody | None
    origin: OriginBody
    owner: OwnerBody
    plates: tuple[PlateBody, ...]
    badges: tuple[PaperBody, ...]
    permits: tuple[PaperBody, ...]
    transport_licences: tuple[PaperBody, ...]

    @classmethod
    def of(cls, record: VehicleRecord) -> Self:
        """Describe a record."""
        vehicle, owner = record.vehicle, record.owner
        inspection = vehicle.inspection_origin or vehicle.origin
        return cls(
            id=vehicle.id,
            chassis_number=vehicle.chassis_number,
            engine_number=vehicle.engine_number,
            kind=vehicle.kind,
            brand=vehicle.brand,
            manufactured_in=vehicle.manufactured_in,
            seats=vehicle.seats,
            payload_kg=vehicle.payload_kg,
            gross_mass_kg=vehicle.gross_mass_kg,
            inspected_until=vehicle.inspected_until,
            inspection_origin=OriginBody.of(inspection) if vehicle.inspected_until else None,
            origin=OriginBody.of(vehicle.origin),
            owner=OwnerBody(
                kind=owner.kind, name=owner.name, identity_number=owner.identity_number
            ),
            plates=tuple(map(PlateBody.of, vehicle.plates)),
            badges=tuple(map(PaperBody.of, record.badges)),
            permits=tuple(map(PaperBody.of, record.permits)),
            transport_licences=tuple(map(PaperBody.of, record.transport_licences)),
        )
