# SPDX-License-Identifier: AGPL-3.0-or-later
"""Questions that other programs ask: which vehicle is this, may it cross, may this driver drive it.

What the registry does not have makes an answer unknown, and never a no.
"""

from collections.abc import Mapping
from datetime import date, datetime

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import (
    SEALED,
    AuditEntry,
    JsonValue,
    Look,
    Personal,
    about_licence,
    about_plate,
    about_vehicle,
)
from central.contracts.passage import PlateColour
from central.domain.badges import badge_kinds
from central.domain.legal import Answer, FactUsed, Reason, Verdict, verdict_of
from central.domain.licence_law import licence_law
from central.domain.licences import Trailer, may_drive
from central.domain.local_time import local_date
from central.domain.permits import Crossing, PermitLaw, may_cross, permit_kinds, permit_rules
from central.identity.permissions import Permission
from central.identity.types import User
from central.registry.errors import VehicleAmbiguousError
from central.registry.papers import driven_vehicle, licence_facts, permit_facts
from central.registry.repository import RegistryRepository
from central.registry.service import RegistryService
from central.registry.types import PlateKey, Vehicle, VehicleIdentifier, VehicleRecord

VEHICLE_UNKNOWN = "vehicle_unknown"
LICENCE_UNKNOWN = "licence_unknown"
_SEARCH = "vehicle_search"


class CheckingService:
    """Answers by the law, in the caller's transaction; each question is written down."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = RegistryRepository(connection)
        self._registry = RegistryService(connection)
        self._audit = AuditService(connection)

    async def look_up(
        self, named: VehicleIdentifier, *, user: User, look: Look, now: datetime
    ) -> VehicleRecord | None:
        """Everything about the vehicle that is named; the look is written down, an empty one too.

        Returns:
            ``None`` when the registry knows no such vehicle.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
            VehicleAmbiguousError: Several bear this text, and the colour was not stated.
        """
        user.require(Permission.LOOK_UP_VEHICLES)
        vehicle = await self._named(named, on=local_date(now))
        if vehicle is None:
            subject = (_SEARCH, SEALED)
            await self._write_down(
                "vehicles_searched",
                subject,
                look=look,
                now=now,
                detail={"found": 0},
                personal=_searched(named),
            )
            return None
        return await self._registry.record(vehicle.id, user=user, look=look, now=now)

    async def check_permit(
        self,
        named: VehicleIdentifier,
        crossing: Crossing,
        *,
        user: User,
        look: Look,
        now: datetime,
    ) -> Verdict:
        """Whether a vehicle may cross a border on a day.

        Raises:
            PermissionDeniedError: The user may not check papers.
            VehicleAmbiguousError: Several bear this text, and the colour was not stated.
        """
        user.require(Permission.CHECK_PAPERS)
        vehicle = await self._named(named, on=crossing.on)
        if vehicle is None:
            verdict = verdict_of([_unknown(VEHICLE_UNKNOWN, "vehicle")])
            subject = (_SEARCH, SEALED)
            personal = _searched(named)
        else:
            record = await self._registry.read_record(vehicle)
            law = PermitLaw(kinds=permit_kinds(), rules=permit_rules(), badge_kinds=badge_kinds())
            verdict = may_cross(permit_facts(record, on=crossing.on), crossing, law=law)
            subject = ("vehicle", str(vehicle.id))
            personal = Personal(about=about_vehicle(vehicle.id))
        await self._write_down(
            "permit_checked",
            subject,
            look=look,
            now=now,
            detail={"country": crossing.country, "answer": verdict.answer},
            personal=personal,
        )
        return verdict

    async def check_licence(
        self,
        licence_number: str,
        named: VehicleIdentifier,
        *,
        trailer: Trailer,
        on: date,
        user: User,
        look: Look,
        now: datetime,
    ) -> Verdict:
        """Whether a driver may drive a vehicle on a day.

        Raises:
            PermissionDeniedError: The user may not check papers.
            VehicleAmbiguousError: Several bear this text, and the colour was not stated.
        """
        user.require(Permission.CHECK_PAPERS)
        licence = await self._rows.driving_licence(licence_number)
        vehicle = await self._named(named, on=on)
        if licence is None or vehicle is None:
            missing = []
            if licence is None:
                missing.append(_unknown(LICENCE_UNKNOWN, "driving_licence"))
            if vehicle is None:
                missing.append(_unknown(VEHICLE_UNKNOWN, "vehicle"))
            verdict = verdict_of(missing)
        else:
            verdict = may_drive(
                licence_facts(licence),
                driven_vehicle(vehicle, trailer=trailer),
                on=on,
                law=licence_law(),
            )
        await self._write_down(
            "licence_checked",
            ("driving_licence", SEALED),
            look=look,
            now=now,
            detail={"answer": verdict.answer},
            personal=Personal(
                about=about_licence(licence_number),
                facts={
                    "licence_number": licence_number,
                    "vehicle_id": str(vehicle.id) if vehicle is not None else None,
                },
            ),
        )
        return verdict

    async def _named(self, named: VehicleIdentifier, *, on: date) -> Vehicle | None:
        """The vehicle that is named, by its chassis number or by the plate that it bears."""
        if named.plate is not None:
            return await self._bearing(named.plate, on=on)
        vehicle_id = await self._rows.vehicle_id(named.chassis_number or "")
        return await self._rows.vehicle(vehicle_id) if vehicle_id is not None else None

    async def _bearing(self, plate: PlateKey, *, on: date) -> Vehicle | None:
        """The vehicle that bears a plate on a day.

        Raises:
            VehicleAmbiguousError: Several do, in different colours.
        """
        facts = (await self._registry.facts_for_plates([plate], on=on))[plate]
        if len(facts) > 1 and plate.colour is PlateColour.UNKNOWN:
            raise VehicleAmbiguousError
        return facts[0].vehicle if facts else None

    async def _write_down(
        self,
        action: str,
        subject: tuple[str, str],
        *,
        look: Look,
        now: datetime,
        detail: Mapping[str, JsonValue],
        personal: Personal,
    ) -> None:
        """Write a question and its answer down."""
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
                detail=detail,
                personal=personal,
            )
        )


def _searched(named: VehicleIdentifier) -> Personal:
    """What was asked about when the registry has no such vehicle."""
    return Personal(about=about_plate(named.text), facts={"searched": named.text})


def _unknown(code: str, fact: str) -> Reason:
    """The registry has nothing: a ground for unknown."""
    return Reason(
        code=code,
        answer=Answer.UNKNOWN,
        basis=None,
        facts=(FactUsed(name=fact, value=None),),
    )
