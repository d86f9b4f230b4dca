# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking vehicles, owners and papers up, and giving and taking badges and permits."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import (
    SEALED,
    Actor,
    AuditEntry,
    JsonValue,
    Look,
    Personal,
    about_plate,
    about_vehicle,
)
from central.domain.plates import ANY_CHARACTERS, ONE_CHARACTER, PlatePattern
from central.identity.permissions import Permission
from central.identity.types import User
from central.registry.errors import (
    BadgeConflictError,
    BadgeNotFoundError,
    BadgeNotRevocableError,
    PartyNotFoundError,
    PermitConflictError,
    VehicleNotFoundError,
    VehicleSearchTooWideError,
)
from central.registry.repository import RegistryRepository
from central.registry.types import (
    Badge,
    BorderPermit,
    NewBadge,
    NewPermit,
    Party,
    PlateKey,
    TransportLicence,
    Vehicle,
    VehicleFacts,
    VehicleRecord,
)

SEARCH_CHARACTERS_MIN: Final = 4
"""Letters and digits that a search must name. Higher hides more people from a curious eye; lower
finds a plate of which a witness saw less."""

SEARCH_ROWS_MAX: Final = 50


class RegistryService:
    """What can be done with the registry, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = RegistryRepository(connection)
        self._audit = AuditService(connection)

    async def facts_for_plates(
        self, keys: Collection[PlateKey], *, on: date
    ) -> Mapping[PlateKey, tuple[VehicleFacts, ...]]:
        """Facts of the vehicles that bear plates on a day, read at once. For rules, not for eyes.

        Returns:
            Every key that was asked for. A key without vehicle has an empty tuple; a key whose
            colour is unknown has a vehicle for every colour that bears its text.
        """
        return await self._rows.facts_for_plates(keys, day=on)

    async def facts_of(self, vehicle_id: UUID, *, on: date) -> VehicleFacts | None:
        """Facts of one vehicle on a day; ``None`` when there is no such vehicle."""
        return await self._rows.facts_of(vehicle_id, day=on)

    async def vehicle(self, vehicle_id: UUID) -> Vehicle:
        """One vehicle with all its plates. For rules, not for eyes.

        Raises:
            VehicleNotFoundError: No vehicle has this id.
        """
        found = await self._rows.vehicle(vehicle_id)
        if found is None:
            raise VehicleNotFoundError(vehicle_id)
        return found

    async def party(self, party_id: UUID) -> Party:
        """One person or organisation. For rules and documents, not for eyes.

        Raises:
            PartyNotFoundError: Nobody has this id.
        """
        found = await self._rows.party(party_id)
        if found is None:
            raise PartyNotFoundError(party_id)
        return found

    async def party_by_identity(self, identity_number: str) -> Party | None:
        """One person or organisation by personal number or tax code."""
        return await self._rows.party_by_identity(identity_number)

    async def permits_of(self, vehicle_id: UUID) -> tuple[BorderPermit, ...]:
        """Permits of a vehicle to cross borders, newest first. For rules, not for eyes."""
        return tuple(await self._rows.permits_of(vehicle_id))

    async def transport_licences_of(self, party_id: UUID) -> tuple[TransportLicence, ...]:
        """Licences of a firm to do transport business, newest first. For rules, not for eyes."""
        return tuple(await self._rows.transport_licences_of(party_id))

    async def record(
        self, vehicle_id: UUID, *, user: User, look: Look, now: datetime
    ) -> VehicleRecord:
        """Everything about one vehicle, for an official's eye; the look is written down.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
            VehicleNotFoundError: No vehicle has this id.
        """
        user.require(Permission.LOOK_UP_VEHICLES)
        vehicle = await self.vehicle(vehicle_id)
        await self._write_look(
            "vehicle_looked_up",
            subject=("vehicle", str(vehicle.id)),
            look=look,
            now=now,
            personal=Personal(about=about_vehicle(vehicle.id)),
        )
        return await self.read_record(vehicle)

    async def read_record(self, vehicle: Vehicle) -> VehicleRecord:
        """Everything about one vehicle. For rules, not for eyes."""
        return VehicleRecord(
            vehicle=vehicle,
            owner=await self.party(vehicle.owner_id),
            badges=tuple(await self._rows.badges_of(vehicle.id)),
            permits=tuple(await self._rows.permits_of(vehicle.id)),
            transport_licences=tuple(await self._rows.transport_licences_of(vehicle.owner_id)),
        )

    async def search(
        self, text: str, *, user: User, look: Look, now: datetime, limit: int = SEARCH_ROWS_MAX
    ) -> tuple[Vehicle, ...]:
        """Vehicles whose chassis number or one of whose plates fits what somebody typed.

        Args:
            text: A plate or chassis number; ``?`` stands for one character, ``*`` for any number.
            user: Who looks.
            look: Why, for the audit log.
            now: Aware time of the look.
            limit: At most so many, and never more than ``SEARCH_ROWS_MAX``.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
            InvalidPlatePatternError: It is empty, too long, or holds a foreign character.
            VehicleSearchTooWideError: Too few letters and digits.
        """
        user.require(Permission.LOOK_UP_VEHICLES)
        pattern = self.pattern_of(text)
        found = tuple(
            await self._rows.search(pattern=pattern.like, limit=min(limit, SEARCH_ROWS_MAX))
        )
        await self._write_look(
            "vehicles_searched",
            subject=("vehicle_search", SEALED),
            look=look,
            now=now,
            detail={"found": len(found)},
            personal=Personal(
                about=about_plate(pattern.text),
                facts={"searched": pattern.text, "vehicle_ids": [str(each.id) for each in found]},
            ),
        )
        return found

    @staticmethod
    def pattern_of(text: str) -> PlatePattern:
        """What somebody typed, as it is searched for.

        Raises:
            InvalidPlatePatternError: It is empty, too long, or holds a foreign character.
            VehicleSearchTooWideError: Too few letters and digits.
        """
        pattern = PlatePattern.parse(text)
        if len(pattern.text.translate(_NO_WILDCARDS)) < SEARCH_CHARACTERS_MIN:
            raise VehicleSearchTooWideError(characters_min=SEARCH_CHARACTERS_MIN)
        return pattern

    async def issue_badge(self, new: NewBadge, *, now: datetime) -> Badge:
        """Enter a badge that a decision grants; the caller audits the decision.

        Raises:
            VehicleNotFoundError: No vehicle has this id.
            BadgeConflictError: Another badge overlaps, or the number is taken. The transaction
                stays usable.
        """
        if not await self._rows.lock_vehicle(new.vehicle_id):
            raise VehicleNotFoundError(new.vehicle_id)
        await self._refuse_conflict(new)
        badge = await self._rows.add_badge(new, now=now)
        if badge is None:
            await self._refuse_conflict(new)
            raise AssertionError("a number that is taken belongs to a badge")
        return badge

    async def revoke_badge(
        self, badge_id: UUID, *, on: date, reason: str, actor: Actor, now: datetime
    ) -> Badge:
        """End a badge before its time, from a day on; written to the audit log.

        Raises:
            BadgeNotFoundError: No badge has this id.
            BadgeNotRevocableError: It was revoked before, or does not hold on that day.
        """
        if await self._rows.badge(badge_id) is None:
            raise BadgeNotFoundError(badge_id)
        badge = await self._rows.revoke_badge(badge_id, revoked_on=on, reason=reason)
        if badge is None:
            raise BadgeNotRevocableError(badge_id)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="badge_revoked",
                subject_kind="badge",
                subject_id=str(badge.id),
                detail={"vehicle_id": str(badge.vehicle_id), "on": on.isoformat()},
            )
        )
        return badge

    async def issue_permit(self, new: NewPermit, *, now: datetime) -> BorderPermit:
        """Enter a permit that a decision grants; the caller audits the decision.

        Raises:
            VehicleNotFoundError: No vehicle has this id.
            PermitConflictError: Another permit of the kind overlaps, or the number is taken. The
                transaction stays usable.
        """
        if not await self._rows.lock_vehicle(new.vehicle_id):
            raise VehicleNotFoundError(new.vehicle_id)
        await self._refuse_permit_conflict(new)
        permit = await self._rows.add_permit(new, now=now)
        if permit is None:
            await self._refuse_permit_conflict(new)
            raise AssertionError("a number that is taken belongs to a permit")
        return permit

    async def _refuse_permit_conflict(self, new: NewPermit) -> None:
        """Stop when a permit keeps a new one out."""
        existing = await self._rows.conflicting_permit(new)
        if existing is not None:
            raise PermitConflictError(
                new.vehicle_id,
                number=existing.number,
                valid_from=existing.valid_from,
                valid_until=existing.valid_until,
            )

    async def _refuse_conflict(self, new: NewBadge) -> None:
        """Stop when a badge keeps a new one out."""
        existing = await self._rows.conflicting_badge(new)
        if existing is not None:
            raise BadgeConflictError(
                new.vehicle_id,
                number=existing.number,
                valid_from=existing.valid_from,
                valid_until=existing.valid_until,
            )

    async def _write_look(
        self,
        action: str,
        *,
        subject: tuple[str, str],
        look: Look,
        now: datetime,
        detail: Mapping[str, JsonValue] | None = None,
        personal: Personal | None = None,
    ) -> None:
        """Write a look at personal data down."""
        subject_kind, subject_id = subject
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=look.actor,
                action=action,
                subject_kind=subject_kind,
                subject_id=subject_id,
                purpose=look.purpose,
                case_reference=look.case_reference,
                detail=detail or {},
                personal=personal,
            )
        )


_NO_WILDCARDS: Final = str.maketrans("", "", ONE_CHARACTER + ANY_CHARACTERS)
