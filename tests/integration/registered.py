# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vehicles, badges and listed plates put straight into a database, for tests of what follows."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import psycopg

from central.contracts.passage import PlateColour
from central.registry.types import VehicleKind

SOURCE: Final = "test register"
OWNER: Final = "Công ty TNHH Vận tải A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A vehicle as a test wants it; everything has a plain default.

    Attributes:
        badge_days: Days from today on which a badge begins and ends; ``None`` for no badge.
    """

    plate: str
    colour: PlateColour = PlateColour.WHITE
    kind: VehicleKind = VehicleKind.CAR
    inspected_until: date | None = None
    badge_days: tuple[int, int] | None = None
    as_of: date = date(2026, 1, 5)


def register_vehicle(connection: psycopg.Connection, wanted: Registered) -> UUID:
    """Enter a vehicle with its plate, and perhaps a badge."""
    vehicle_id, now = uuid4(), datetime.now(UTC)
    owner_id = _owner(connection, now=now)
    connection.execute(
        "INSERT INTO vehicle (id, chassis_number, kind, owner_id, inspected_until, source, as_of,"
        " created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            vehicle_id,
            vehicle_id.hex[:17].upper(),
            wanted.kind,
            owner_id,
            wanted.inspected_until,
            SOURCE,
            wanted.as_of,
            now,
            now,
        ],
    )
    connection.execute(
        "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
        " VALUES (%s, %s, %s, '2020-01-01')",
        [vehicle_id, wanted.plate, wanted.colour],
    )
    if wanted.badge_days is not None:
        give_badge(connection, vehicle_id, days=wanted.badge_days)
    return vehicle_id


def give_badge(
    connection: psycopg.Connection, vehicle_id: UUID, *, days: tuple[int, int] = (0, 365)
) -> None:
    """Enter a badge of a vehicle; it begins and ends so many days from today."""
    today = datetime.now(UTC).date()
    row = connection.execute("SELECT owner_id FROM vehicle WHERE id = %s", [vehicle_id]).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO badge (id, number, kind, vehicle_id, party_id, valid_from, valid_until,"
        " source, as_of, created_at)"
        " VALUES (%s, %s, 'truck', %s, %s, %s, %s, %s, '2026-01-05', now())",
        [
            uuid4(),
            f"PH-{uuid4().hex[:8]}",
            vehicle_id,
            row[0],
            today + timedelta(days=days[0]),
            today + timedelta(days=days[1]),
            SOURCE,
        ],
    )


def list_plate(
    connection: psycopg.Connection,
    plate: str,
    *,
    colour: PlateColour | None = None,
    listed_at: datetime | None = None,
    valid_until: datetime | None = None,
) -> UUID:
    """Put a plate on the watchlist, since an hour ago unless said otherwise."""
    entry_id = uuid4()
    connection.execute(
        "INSERT INTO watchlist_entry (id, plate_text, plate_colour, reason, legal_basis,"
        " listed_by, listed_at, valid_until) VALUES (%s, %s, %s, 'stolen', %s, %s, %s, %s)",
        [
            entry_id,
            plate,
            colour,
            "Công văn 12/CV-PC08",
            "reviewer",
            listed_at or datetime.now(UTC) - timedelta(hours=1),
            valid_until,
        ],
    )
    return entry_id


def _owner(connection: psycopg.Connection, *, now: datetime) -> UUID:
    """The firm that owns every vehicle of the tests."""
    row = connection.execute(
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at,"
        " updated_at) VALUES (%s, 'organisation', %s, '4600000001', %s, '2026-01-05', %s, %s)"
        " ON CONFLICT (identity_number) DO UPDATE SET updated_at = excluded.updated_at"
        " RETURNING id",
        [uuid4(), OWNER, SOURCE, now, now],
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))
