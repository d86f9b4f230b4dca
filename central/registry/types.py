# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the registry. Every fact carries its source and the date on which it was true."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from central.contracts.passage import PlateColour
from central.domain.vehicles import LicenceState as LicenceState  # noqa: PLC0414  # known here, too
from central.domain.vehicles import VehicleKind as VehicleKind  # noqa: PLC0414  # known here, too

VehicleId = NewType("VehicleId", UUID)
PartyId = NewType("PartyId", UUID)


class PartyKind(StrEnum):
    """Who owns or runs vehicles."""

    PERSON = "person"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateKey:
    """A plate as it identifies: white and yellow plates may bear the same text.

    Attributes:
        text: Normalised, such as ``20C12345``.
        colour: Background; ``UNKNOWN`` fits every colour.
    """

    text: str
    colour: PlateColour

    def fits(self, other: "PlateKey") -> bool:
        """Whether both may be the same plate: same text, and no two known colours that differ."""
        colours = {self.colour, other.colour} - {PlateColour.UNKNOWN}
        return self.text == other.text and len(colours) <= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleIdentifier:
    """What names a vehicle: its chassis number, or else its plate; exactly one of them.

    Attributes:
        chassis_number: In capitals without spaces.
    """

    chassis_number: str | None = None
    plate: PlateKey | None = None

    def __post_init__(self) -> None:
        if (self.chassis_number is None) == (self.plate is None):
            raise ValueError("a vehicle is named by its chassis number or by its plate")

    @property
    def text(self) -> str:
        """The identifier itself, for the audit log."""
        return self.chassis_number or (self.plate.text if self.plate is not None else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a fact comes from, and the day on which it was true."""

    source: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person or an organisation."""

    id: PartyId
    kind: PartyKind
    name: str
    identity_number: str
    address: str | None
    phone: str | None
    email: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatePeriod:
    """A plate that a vehicle bore; ``valid_until`` is the first day on which it no longer did."""

    plate: PlateKey
    valid_from: date
    valid_until: date | None

    def holds_on(self, day: date) -> bool:
        """Whether the vehicle bore the plate on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One vehicle.

    Attributes:
        seats: With the driver's; ``None`` means not known.
        container_ft: 20 or 40 for vehicles that carry containers.
        inspected_until: Last day of the inspection certificate; ``None`` means not known.
        inspection_origin: Where that day comes from; ``None`` where it came with the rest.
        plates: Oldest first; at most one holds on any day.
    """

    id: VehicleId
    chassis_number: str
    engine_number: str | None
    kind: VehicleKind
    brand: str | None
    manufactured_in: int | None
    seats: int | None
    payload_kg: int | None
    gross_mass_kg: int | None
    container_ft: int | None
    is_public_bus: bool
    owner_id: PartyId
    inspected_until: date | None
    inspection_origin: Origin | None
    origin: Origin
    plates: tuple[PlatePeriod, ...] = ()

    def plate_on(self, day: date) -> PlateKey | None:
        """The plate that the vehicle bore on a day."""
        return next((each.plate for each in self.plates if each.holds_on(day)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A badge (phù hiệu). ``valid_until`` is the first day on which it is no longer valid."""

    id: UUID
    number: str
    kind: str
    vehicle_id: VehicleId
    party_id: PartyId
    valid_from: date
    valid_until: date
    revoked_on: date | None
    revocation_reason: str | None
    dossier_code: str | None
    origin: Origin

    def holds_on(self, day: date) -> bool:
        """Whether it is valid on a day."""
        ends_on = min(self.valid_until, self.revoked_on or self.valid_until)
        return self.valid_from <= day < ends_on


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBadge:
    """A badge to be entered, as the decision about a dossier grants it."""

    number: str
    kind: str
    vehicle_id: VehicleId
    party_id: PartyId
    valid_from: date
    valid_until: date
    dossier_code: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderPermit:
    """A permit to cross a border (giấy phép liên vận).

    Attributes:
        valid_until: First day on which it is no longer valid.
        trip_days_max: Longest trip; ``None`` where the paper says nothing.
    """

    id: UUID
    number: str
    kind: str
    vehicle_id: VehicleId
    party_id: PartyId | None
    valid_from: date
    valid_until: date
    trip_days_max: int | None
    is_single_trip: bool
    revoked_on: date | None
    dossier_code: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPermit:
    """A permit to be entered, as the decision about a dossier grants it."""

    number: str
    kind: str
    vehicle_id: VehicleId
    party_id: PartyId
    valid_from: date
    valid_until: date
    trip_days_max: int | None
    is_single_trip: bool
    dossier_code: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLicence:
    """A firm's licence to do transport business (giấy phép kinh doanh vận tải)."""

    id: UUID
    number: str
    party_id: PartyId
    valid_from: date
    valid_until: date | None
    revoked_on: date | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceClass:
    """A class of a driving licence; ``valid_until`` is ``None`` for classes without a term."""

    name: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivingLicence:
    """A driving licence; ``points`` is ``None`` where not known (12 is full)."""

    number: str
    holder_name: str
    born_on: date
    points: int | None
    state: LicenceState
    classes: tuple[LicenceClass, ...]
    origin: Origin
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleFacts:
    """What control and toll need of a vehicle, read for many plates at once.

    Attributes:
        plate: The plate that it bears on the day asked for; never ``None`` when the vehicle was
            found by its plate.
        badge: The badge that holds on that day.
        last_badge: The badge that began last, whether it still holds or not: a finding can say
            since when there is none.
    """

    vehicle: Vehicle
    plate: PlateKey | None
    badge: Badge | None
    last_badge: Badge | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleRecord:
    """Everything that the registry knows of one vehicle, newest first."""

    vehicle: Vehicle
    owner: Party
    badges: tuple[Badge, ...]
    permits: tuple[BorderPermit, ...]
    transport_licences: tuple[TransportLicence, ...]
