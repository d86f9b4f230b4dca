# SPDX-License-Identifier: AGPL-3.0-or-later
"""A toll station with its accounts, tags and prices, for tests of everything that charges."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

import psycopg

from central.domain.local_time import local_date
from central.ledger.service import LedgerService
from central.ledger.types import AccountKey, AccountKind, EntryKind, NewEntry, Posting

STATION: Final = "tram-km12"
PROVIDER: Final = "provider-a"
PRICES: Final = {1: 35_000, 2: 50_000, 3: 75_000, 4: 120_000, 5: 180_000}
LIVE_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
SETTLED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NAMESPACE: Final = UUID(int=2**100 + 12)


def made_id(name: str) -> UUID:
    """An id that a test can say again."""
    return uuid5(_NAMESPACE, name)


def add_station(rows: psycopg.Connection, *, site: str, camera: str, reader: str) -> None:
    """An open station of one lane with prices for every group."""
    rows.execute(
        "INSERT INTO toll_station (id, name, site_id, kind, created_at)"
        " VALUES (%s, 'Trạm Km 12', %s, 'open', %s)",
        [STATION, site, SETTLED_AT],
    )
    rows.execute(
        "INSERT INTO toll_lane (station_id, number, kind, site_id, camera_id, reader_id)"
        " VALUES (%s, 1, 'open', %s, %s, %s)",
        [STATION, site, camera, reader],
    )
    for group, price_dong in PRICES.items():
        rows.execute(
            "INSERT INTO toll_tariff (id, station_id, vehicle_group, price_dong, valid_from,"
            " legal_reference, confidence) VALUES (%s, %s, %s, %s, '2020-01-01',"
            " 'Giá minh họa', 'example')",
            [made_id(f"tariff {group}"), STATION, group, price_dong],
        )
    rows.execute(
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at,"
        " updated_at) VALUES (%s, 'organisation', 'Công ty TNHH Vận tải A', '4600000001', 'test',"
        " '2026-01-01', %s, %s)",
        [made_id("firm"), SETTLED_AT, SETTLED_AT],
    )


def add_vehicle(
    rows: psycopg.Connection,
    plate: str,
    *,
    colour: str = "yellow",
    kind: str = "truck",
    seats: int | None = 3,
    payload_kg: int | None = 8000,
) -> UUID:
    """A vehicle of the firm that bears a plate."""
    vehicle_id = made_id(f"vehicle {plate} {colour}")
    rows.execute(
        "INSERT INTO vehicle (id, chassis_number, kind, seats, payload_kg, owner_id, source, as_of,"
        " created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, 'test', '2026-01-01', %s, %s)",
        [
            vehicle_id,
            f"RN{plate}{colour[0].upper()}",
            kind,
            seats,
            payload_kg,
            made_id("firm"),
            SETTLED_AT,
            SETTLED_AT,
        ],
    )
    rows.execute(
        "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
        " VALUES (%s, %s, %s, '2020-01-01')",
        [vehicle_id, plate, colour],
    )
    return vehicle_id


def add_account(
    rows: psycopg.Connection, number: str, *, state: str = "open", is_priority: bool = False
) -> None:
    """A traffic account of the firm, without money."""
    rows.execute(
        "INSERT INTO toll_account (number, provider, holder_id, state, is_priority, opened_on,"
        " created_at) VALUES (%s, %s, %s, %s, %s, '2020-01-01', %s)",
        [number, PROVIDER, made_id("firm"), state, is_priority, SETTLED_AT],
    )


def add_tag(
    rows: psycopg.Connection,
    epc: str,
    *,
    account: str,
    vehicle_id: UUID,
    valid_until: datetime | None = None,
) -> None:
    """A tag that pays from an account for a vehicle."""
    rows.execute(
        "INSERT INTO toll_tag (id, epc, account_number, vehicle_id, valid_from, valid_until)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [made_id(f"tag {epc} {account}"), epc, account, vehicle_id, LIVE_FROM, valid_until],
    )


async def top_up(url: str, number: str, amount_dong: int, *, now: datetime) -> None:
    """Put money on a traffic account."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await LedgerService(connection).book(
            NewEntry(
                idempotency_key=f"test:top-up:{number}:{amount_dong}",
                kind=EntryKind.TOP_UP,
                occurred_at=now,
                booked_on=local_date(now),
                postings=(
                    Posting(account=traffic_account(number), amount_dong=amount_dong),
                    Posting(
                        account=AccountKey(kind=AccountKind.PROVIDER_CLEARING, reference=PROVIDER),
                        amount_dong=-amount_dong,
                    ),
                ),
            ),
            now=now,
        )


async def balance(url: str, number: str) -> int:
    """What is on a traffic account, in đồng."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await LedgerService(connection).balance(traffic_account(number))


def traffic_account(number: str) -> AccountKey:
    """Key of a traffic account."""
    return AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference=number)
