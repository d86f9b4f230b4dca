# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the registry."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.contracts.passage import PlateColour
from central.db.queries import QueryFile
from central.registry.rows import (
    BadgeRow,
    DrivingLicenceRow,
    FactsRow,
    PartyRow,
    PermitRow,
    TransportLicenceRow,
    VehicleRow,
)
from central.registry.types import (
    Badge,
    BorderPermit,
    DrivingLicence,
    NewBadge,
    NewPermit,
    Party,
    PlateKey,
    TransportLicence,
    Vehicle,
    VehicleFacts,
)

QUERIES: Final = QueryFile.beside(__file__)

PAPERS_MAX: Final = 100
"""Papers of one kind that a page shows; nobody has as many."""

_COLOURS: Final = len(PlateColour)
"""A text can be borne once in each colour."""


class RegistryRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def facts_for_plates(
        self, keys: Collection[PlateKey], *, day: date
    ) -> Mapping[PlateKey, tuple[VehicleFacts, ...]]:
        """Facts of the vehicles that bear plates on a day; every key is there."""
        if not keys:
            return {}
        texts = sorted({key.text for key in keys})
        async with self._connection.cursor(row_factory=class_row(FactsRow)) as cursor:
            await cursor.execute(
                QUERIES["select_facts_for_plates"],
                {"plate_texts": texts, "day": day, "rows_max": len(texts) * _COLOURS},
            )
            facts = [row.value_on(day) for row in await cursor.fetchall()]
        by_text: dict[str, list[VehicleFacts]] = {}
        for each in facts:
            if each.plate is not None:
                by_text.setdefault(each.plate.text, []).append(each)
        return {
            key: tuple(
                each
                for each in by_text.get(key.text, ())
                if each.plate is not None and each.plate.fits(key)
            )
            for key in keys
        }

    async def facts_of(self, vehicle_id: UUID, *, day: date) -> VehicleFacts | None:
        """Facts of one vehicle on a day."""
        async with self._connection.cursor(row_factory=class_row(FactsRow)) as cursor:
            await cursor.execute(
                QUERIES["select_facts_of_vehicle"], {"vehicle_id": vehicle_id, "day": day}
            )
            row = await cursor.fetchone()
        return row.value_on(day) if row else None

    async def vehicle(self, vehicle_id: UUID) -> Vehicle | None:
        """One vehicle."""
        async with self._connection.cursor(row_factory=class_row(VehicleRow)) as cursor:
            await cursor.execute(QUERIES["select_vehicle"], {"vehicle_id": vehicle_id})
            row = await cursor.fetchone()
        return row.value() if row else None

    async def vehicle_id(self, chassis_number: str) -> UUID | None:
        """The vehicle of a chassis number."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_vehicle_id"], {"chassis_number": chassis_number})
            found: UUID | None = await cursor.fetchone()
        return found

    async def search(self, *, pattern: str, limit: int) -> Sequence[Vehicle]:
        """Vehicles whose chassis number or plate fits a LIKE pattern, by chassis number."""
        async with self._connection.cursor(row_factory=class_row(VehicleRow)) as cursor:
            await cursor.execute(
                QUERIES["search_vehicles"], {"pattern": pattern, "rows_max": limit}
            )
            return [row.value() for row in await cursor.fetchall()]

    async def party(self, party_id: UUID) -> Party | None:
        """One person or organisation."""
        return await self._party(party_id=party_id, identity_number=None)

    async def party_by_identity(self, identity_number: str) -> Party | None:
        """One person or organisation by personal number or tax code."""
        return await self._party(party_id=None, identity_number=identity_number)

    async def badges_of(self, vehicle_id: UUID) -> Sequence[Badge]:
        """Badges of a vehicle, newest first."""
        async with self._connection.cursor(row_factory=class_row(BadgeRow)) as cursor:
            await cursor.execute(
                QUERIES["select_badges_of_vehicle"],
                {"vehicle_id": vehicle_id, "rows_max": PAPERS_MAX},
            )
            return [row.value() for row in await cursor.fetchall()]

    async def badge(self, badge_id: UUID) -> Badge | None:
        """One badge."""
        return await self._one_badge("select_badge", {"badge_id": badge_id})

    async def conflicting_badge(self, new: NewBadge) -> Badge | None:
        """The badge that keeps a new one out."""
        return await self._one_badge(
            "select_conflicting_badge",
            {
                "number": new.number,
                "vehicle_id": new.vehicle_id,
                "valid_from": new.valid_from,
                "valid_until": new.valid_until,
            },
        )

    async def lock_vehicle(self, vehicle_id: UUID) -> bool:
        """Keep others from giving this vehicle a paper; whether there is such a vehicle."""
        cursor = await self._connection.execute(QUERIES["lock_vehicle"], {"vehicle_id": vehicle_id})
        return await cursor.fetchone() is not None

    async def add_badge(self, new: NewBadge, *, now: datetime) -> Badge | None:
        """Enter a badge; ``None`` when its number was taken by somebody else at this moment."""
        return await self._one_badge(
            "insert_badge",
            {
                "number": new.number,
                "kind": new.kind,
                "vehicle_id": new.vehicle_id,
                "party_id": new.party_id,
                "valid_from": new.valid_from,
                "valid_until": new.valid_until,
                "dossier_code": new.dossier_code,
                "source": new.origin.source,
                "as_of": new.origin.as_of,
                "now": now,
            },
        )

    async def revoke_badge(self, badge_id: UUID, *, revoked_on: date, reason: str) -> Badge | None:
        """End a badge before its time; ``None`` when it can't be ended on that day."""
        return await self._one_badge(
            "revoke_badge", {"badge_id": badge_id, "revoked_on": revoked_on, "reason": reason}
        )

    async def permits_of(self, vehicle_id: UUID) -> Sequence[BorderPermit]:
        """Permits of a vehicle to cross borders, newest first."""
        async with self._connection.cursor(row_factory=class_row(PermitRow)) as cursor:
            await cursor.execute(
                QUERIES["select_permits_of_vehicle"],
                {"vehicle_id": vehicle_id, "rows_max": PAPERS_MAX},
            )
            return [row.value() for row in await cursor.fetchall()]

    async def conflicting_permit(self, new: NewPermit) -> BorderPermit | None:
        """The permit that keeps a new one out."""
        return await self._one_permit(
            "select_conflicting_permit",
            {
                "number": new.number,
                "kind": new.kind,
                "vehicle_id": new.vehicle_id,
                "valid_from": new.valid_from,
                "valid_until": new.valid_until,
            },
        )

    async def add_permit(self, new: NewPermit, *, now: datetime) -> BorderPermit | None:
        """Enter a permit; ``None`` when its number was taken by somebody else at this moment."""
        return await self._one_permit(
            "insert_permit",
            {
                "number": new.number,
                "kind": new.kind,
                "vehicle_id": new.vehicle_id,
                "party_id": new.party_id,
                "valid_from": new.valid_from,
                "valid_until": new.valid_until,
                "trip_days_max": new.trip_days_max,
                "is_single_trip": new.is_single_trip,
                "dossier_code": new.dossier_code,
                "source": new.origin.source,
                "as_of": new.origin.as_of,
                "now": now,
            },
        )

    async def transport_licences_of(self, party_id: UUID) -> Sequence[TransportLicence]:
        """Licences of a firm to do transport business, newest first."""
        async with self._connection.cursor(row_factory=class_row(TransportLicenceRow)) as cursor:
            await cursor.execute(
                QUERIES["select_transport_licences_of_party"],
                {"party_id": party_id, "rows_max": PAPERS_MAX},
            )
            return [row.value() for row in await cursor.fetchall()]

    async def driving_licence(self, number: str) -> DrivingLicence | None:
        """One driving licence."""
        async with self._connection.cursor(row_factory=class_row(DrivingLicenceRow)) as cursor:
            await cursor.execute(QUERIES["select_driving_licence"], {"number": number})
            row = await cursor.fetchone()
        return row.value() if row else None

    async def _party(self, *, party_id: UUID | None, identity_number: str | None) -> Party | None:
        async with self._connection.cursor(row_factory=class_row(PartyRow)) as cursor:
            await cursor.execute(
                QUERIES["select_party"],
                {"party_id": party_id, "identity_number": identity_number},
            )
            row = await cursor.fetchone()
        return row.value() if row else None

    async def _one_badge(self, query: str, parameters: Mapping[str, object]) -> Badge | None:
        async with self._connection.cursor(row_factory=class_row(BadgeRow)) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            row = await cursor.fetchone()
        return row.value() if row else None

    async def _one_permit(
        self, query: str, parameters: Mapping[str, object]
    ) -> BorderPermit | None:
        async with self._connection.cursor(row_factory=class_row(PermitRow)) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            row = await cursor.fetchone()
        return row.value() if row else None
