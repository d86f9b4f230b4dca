# SPDX-License-Identifier: AGPL-3.0-or-later
"""How fast the ledger books charges, against raw inserts of the same rows.

Both sides write one entry with two postings per commit into the same tables of the same durable
cluster, in turns, so that a busy machine slows both. The raw side knows all ids beforehand and
checks nothing; the ledger looks accounts and key up, locks, reads the balance and answers.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from central.db.migrate import apply_migrations
from central.db.pool import connection_info
from central.ledger.fingerprints import fingerprint
from central.ledger.service import LedgerService
from central.ledger.types import AccountKey, AccountKind, EntryKind, NewEntry, Posting
from deploy.local.ports import free_port
from deploy.local.postgres import PrivateCluster
from deploy.setup.components import require_servers
from deploy.setup.places import server_account

ACCOUNTS: Final = 500
CONNECTIONS: Final = (1, 4)
PRICE_DONG: Final = 35_000
NOW: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY: Final = date(2026, 3, 2)
REVENUE: Final = AccountKey(kind=AccountKind.STATION_REVENUE, reference="tram-01")
CLEARING: Final = AccountKey(kind=AccountKind.PROVIDER_CLEARING, reference="provider-a")
INSERT_ENTRY: Final = """
INSERT INTO ledger_entry (idempotency_key, kind, occurred_at, recorded_at, booked_on, fingerprint)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""
INSERT_POSTINGS: Final = """
INSERT INTO ledger_posting (entry_id, line, account_id, amount_dong)
VALUES (%s, 1, %s, %s), (%s, 2, %s, %s)
"""

Book = Callable[[psycopg.AsyncConnection, NewEntry], Awaitable[None]]


@dataclass(kw_only=True)
class Rates:
    """Charges per second of every round."""

    raw: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios."""
        return statistics.median(ours / raw for ours, raw in zip(self.ours, self.raw, strict=True))


def main(
    *,
    charges: int = typer.Option(2000, min=100, help="Charges of one round."),
    rounds: int = typer.Option(5, min=1, max=50, help="Rounds; the median counts."),
) -> None:
    """Print charges per second of both ways, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = PrivateCluster(
            data_folder=Path(folder) / "pg",
            binaries=require_servers().postgres_bin,
            socket_folder=Path(folder) / "run",
            port=free_port(),
            account=server_account(),
            log_file=Path(folder) / "postgres.log",
        )
        cluster.init()
        cluster.start()
        try:
            cluster.ensure_database("bench")
            dsn = cluster.socket_dsn("bench")
            apply_migrations(dsn)
            rates = asyncio.run(_measure(connection_info(dsn), charges=charges, rounds=rounds))
        finally:
            cluster.stop()
    _show(Console(), rates)


async def _measure(info: str, *, charges: int, rounds: int) -> dict[int, Rates]:
    """Both ways in turns, for each number of connections."""
    opened = [await psycopg.AsyncConnection.connect(info) for _ in range(max(CONNECTIONS))]
    ids = await _fill(opened[0], rounds=rounds, charges=charges)

    async def raw(connection: psycopg.AsyncConnection, entry: NewEntry) -> None:
        await _insert_raw(connection, entry, ids)

    rates = {number: Rates() for number in CONNECTIONS}
    serial = 0
    for _ in range(rounds):
        for number in CONNECTIONS:
            for book, kept in ((raw, rates[number].raw), (_book, rates[number].ours)):
                entries = [_charge(serial + place) for place in range(charges)]
                serial += charges
                kept.append(await _rate(opened[:number], entries, book))
    for connection in opened:
        await connection.close()
    return rates


async def _rate(
    connections: Sequence[psycopg.AsyncConnection], entries: Sequence[NewEntry], book: Book
) -> float:
    """Entries per second, shared by the connections."""

    async def share(place: int, connection: psycopg.AsyncConnection) -> None:
        for entry in entries[place :: len(connections)]:
            await book(connection, entry)
            await connection.commit()

    started = time.perf_counter()
    await asyncio.gather(*(share(place, each) for place, each in enumerate(connections)))
    return len(entries) / (time.perf_counter() - started)


async def _book(connection: psycopg.AsyncConnection, entry: NewEntry) -> None:
    await LedgerService(connection).book(entry, now=NOW)


async def _insert_raw(
    connection: psycopg.AsyncConnection, entry: NewEntry, ids: dict[AccountKey, int]
) -> None:
    cursor = await connection.execute(
        INSERT_ENTRY,
        [entry.idempotency_key, entry.kind, NOW, NOW, TODAY, fingerprint(entry)],
    )
    row = await cursor.fetchone()
    entry_id = row[0] if row else None
    first, second = entry.postings
    await connection.execute(
        INSERT_POSTINGS,
        [
            *(entry_id, ids[first.account], first.amount_dong),
            *(entry_id, ids[second.account], second.amount_dong),
        ],
    )


async def _fill(
    connection: psycopg.AsyncConnection, *, rounds: int, charges: int
) -> dict[AccountKey, int]:
    """Put enough money on every account; returns the accounts' ids."""
    enough_dong = PRICE_DONG * 2 * len(CONNECTIONS) * rounds * (charges // ACCOUNTS + 1)
    ledger = LedgerService(connection)
    for number in range(ACCOUNTS):
        await ledger.book(
            _entry(
                f"top-up:{number}",
                EntryKind.TOP_UP,
                source=CLEARING,
                target=_account(number),
                amount_dong=enough_dong,
            ),
            now=NOW,
        )
    await ledger.open_account(REVENUE, now=NOW)
    await connection.commit()
    cursor = await connection.execute("SELECT kind, reference, id FROM ledger_account")
    ids = {
        AccountKey(kind=AccountKind(kind), reference=reference): int(number)
        for kind, reference, number in await cursor.fetchall()
    }
    await connection.commit()
    return ids


def _charge(serial: int) -> NewEntry:
    return _entry(
        f"toll:{serial}",
        EntryKind.TOLL_CHARGE,
        source=_account(serial % ACCOUNTS),
        target=REVENUE,
        amount_dong=PRICE_DONG,
    )


def _entry(
    key: str, kind: EntryKind, *, source: AccountKey, target: AccountKey, amount_dong: int
) -> NewEntry:
    return NewEntry(
        idempotency_key=key,
        kind=kind,
        occurred_at=NOW,
        booked_on=TODAY,
        postings=(
            Posting(account=source, amount_dong=-amount_dong),
            Posting(account=target, amount_dong=amount_dong),
        ),
    )


def _account(number: int) -> AccountKey:
    return AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference=f"TK-{number:05d}")


def _show(console: Console, rates: dict[int, Rates]) -> None:
    table = Table("connections", "raw inserts/s", "charges/s", "ratio")
    for number, each in rates.items():
        table.add_row(
            str(number),
            f"{statistics.median(each.raw):,.0f}",
            f"{statistics.median(each.ours):,.0f}",
            f"{each.ratio:.0%}",
        )
    console.print(table)
    console.print("One commit per charge on a durable cluster; medians of the rounds.")


if __name__ == "__main__":
    typer.run(main)
