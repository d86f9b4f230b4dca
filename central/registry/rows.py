# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the registry as the database returns them, and how they become values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from central.contracts.passage import PlateColour
from central.registry.types import (
    Badge,
    BorderPermit,
    DrivingLicence,
    LicenceClass,
    LicenceState,
    Origin,
    Party,
    PartyId,
    PartyKind,
    PlateKey,
    PlatePeriod,
    TransportLicence,
    Vehicle,
    VehicleFacts,
    VehicleId,
    VehicleKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRow:
    """A row of ``party``."""

    id: UUID
    kind: str
    name: str
    identity_number: str
    address: str | None
    phone: str | None
    email: str | None
    source: str
    as_of: date

    def value(self) -> Party:
        """The value."""
        return Party(
            id=PartyId(self.id),
            kind=PartyKind(self.kind),
            name=self.name,
            identity_number=self.identity_number,
            address=self.address,
            phone=self.phone,
            email=self.email,
            origin=Origin(source=self.source, as_of=self.as_of),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleRow:
    """A row of ``vehicle_with_plates``; the arrays are ``None`` where it has no plate."""

    id: UUID
    chassis_number: str
    engine_number: str | None
    kind: str
    brand: str | None
    manufactured_in: int | None
    seats: int | None
    payload_kg: int | None
    gross_mass_kg: int | None
    container_ft: int | None
    is_public_bus: bool
    owner_id: UUID
    inspected_until: date | None
    inspection_source: str | None
    inspection_as_of: date | None
    source: str
    as_of: date
    plate_texts: Sequence[str] | None = field(repr=False)
    plate_colours: Sequence[str] | None
    plate_valid_froms: Sequence[date] | None
    plate_valid_untils: Sequence[date | None] | None

    def value(self) -> Vehicle:
        """The value."""
        return Vehicle(
            id=VehicleId(self.id),
            chassis_number=self.chassis_number,
            engine_number=self.engine_number,
            kind=VehicleKind(self.kind),
            brand=self.brand,
            manufactured_in=self.manufactured_in,
            seats=self.seats,
            payload_kg=self.payload_kg,
            gross_mass_kg=self.gross_mass_kg,
            container_ft=self.container_ft,
            is_public_bus=self.is_public_bus,
            owner_id=PartyId(self.owner_id),
            inspected_until=self.inspected_until,
            inspection_origin=(
                Origin(source=self.inspection_source, as_of=self.inspection_as_of)
                if self.inspection_source is not None and self.inspection_as_of is not None
                else None
            ),
            origin=Origin(source=self.source, as_of=self.as_of),
            plates=tuple(
                PlatePeriod(
                    plate=PlateKey(text=text, colour=PlateColour(colour)),
                    valid_from=valid_from,
                    valid_until=valid_until,
                )
                for text, colour, valid_from, valid_until in zip(
                    self.plate_texts or (),
                    self.plate_colours or (),
                    self.plate_valid_froms or (),
                    self.plate_valid_untils or (),
                    strict=True,
                )
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsRow(VehicleRow):
    """A vehicle with the plate that it bears and the badge that began last."""

    borne_text: str | None = field(repr=False)
    borne_colour: str | None
    badge_id: UUID | None
    badge_number: str | None
    badge_kind: str | None
    badge_party_id: UUID | None
    badge_valid_from: date | None
    badge_valid_until: date | None
    badge_revoked_on: date | None
    badge_revocation_reason: str | None
    badge_dossier_code: str | None
    badge_source: str | None
    badge_as_of: date | None

    def value_on(self, day: date) -> VehicleFacts:
        """The value, for the day that the row was read for."""
        last_badge = self._last_badge()
        return VehicleFacts(
            # By its class: slots of a dataclass that is derived know no plain super().
            vehicle=VehicleRow.value(self),
            plate=self._plate(),
            badge=last_badge if last_badge is not None and last_badge.holds_on(day) else None,
            last_badge=last_badge,
        )

    def _plate(self) -> PlateKey | None:
        if self.borne_text is None or self.borne_colour is None:
            return None
        return PlateKey(text=self.borne_text, colour=PlateColour(self.borne_colour))

    def _last_badge(self) -> Badge | None:
        """The badge, whose columns the database fills all together or not at all."""
        if (
            self.badge_id is None
            or self.badge_number is None
            or self.badge_kind is None
            or self.badge_party_id is None
            or self.badge_valid_from is None
            or self.badge_valid_until is None
            or self.badge_source is None
            or self.badge_as_of is None
        ):
            return None
        return BadgeRow(
            id=self.badge_id,
            number=self.badge_number,
            kind=self.badge_kind,
            vehicle_id=self.id,
            party_id=self.badge_party_id,
            valid_from=self.badge_valid_from,
            valid_until=self.badge_valid_until,
            revoked_on=self.badge_revoked_on,
            revocation_reason=self.badge_revocation_reason,
            dossier_code=self.badge_dossier_code,
            source=self.badge_source,
            as_of=self.badge_as_of,
        ).value()


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeRow:
    """A row of ``badge``."""

    id: UUID
    number: str
    kind: str
    vehicle_id: UUID
    party_id: UUID
    valid_from: date
    valid_until: date
    revoked_on: date | None
    revocation_reason: str | None
    dossier_code: str | None
    source: str
    as_of: date

    def value(self) -> Badge:
        """The value."""
        return Badge(
            id=self.id,
            number=self.number,
            kind=self.kind,
            vehicle_id=VehicleId(self.vehicle_id),
            party_id=PartyId(self.party_id),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            revoked_on=self.revoked_on,
            revocation_reason=self.revocation_reason,
            dossier_code=self.dossier_code,
            origin=Origin(source=self.source, as_of=self.as_of),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRow:
    """A row of ``border_permit``."""

    id: UUID
    number: str
    kind: str
    vehicle_id: UUID
    party_id: UUID | None
    valid_from: date
    valid_until: date
    trip_days_max: int | None
    is_single_trip: bool
    revoked_on: date | None
    dossier_code: str | None
    source: str
    as_of: date

    def value(self) -> BorderPermit:
        """The value."""
        return BorderPermit(
            id=self.id,
            number=self.number,
            kind=self.kind,
            vehicle_id=VehicleId(self.vehicle_id),
            party_id=PartyId(self.party_id) if self.party_id else None,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            trip_days_max=self.trip_days_max,
            is_single_trip=self.is_single_trip,
            revoked_on=self.revoked_on,
            dossier_code=self.dossier_code,
            origin=Origin(source=self.source, as_of=self.as_of),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLicenceRow:
    """A row of ``transport_licence``."""

    id: UUID
    number: str
    party_id: UUID
    valid_from: date
    valid_until: date | None
    revoked_on: date | None
    source: str
    as_of: date

    def value(self) -> TransportLicence:
        """The value."""
        return TransportLicence(
            id=self.id,
            number=self.number,
            party_id=PartyId(self.party_id),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            revoked_on=self.revoked_on,
            origin=Origin(source=self.source, as_of=self.as_of),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivingLicenceRow:
    """A driving licence with its classes; the arrays are ``None`` where it has no class."""

    number: str = field(repr=False)
    holder_name: str = field(repr=False)
    born_on: date = field(repr=False)
    points: int | None
    state: str
    source: str
    as_of: date
    updated_at: datetime
    class_names: Sequence[str] | None
    class_valid_froms: Sequence[date] | None
    class_valid_untils: Sequence[date | None] | None

    def value(self) -> DrivingLicence:
        """The value."""
        return DrivingLicence(
            number=self.number,
            holder_name=self.holder_name,
            born_on=self.born_on,
            points=self.points,
            state=LicenceState(self.state),
            classes=tuple(
                LicenceClass(name=name, valid_from=valid_from, valid_until=valid_until)
                for name, valid_from, valid_until in zip(
                    self.class_names or (),
                    self.class_valid_froms or (),
                    self.class_valid_untils or (),
                    strict=True,
                )
            ),
            origin=Origin(source=self.source, as_of=self.as_of),
            updated_at=self.updated_at,
        )
