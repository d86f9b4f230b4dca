# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ingest and the completeness ledger on one real database, at any time that a test wants."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from central.completeness.repository import CompletenessRepository
from central.completeness.service import read_ledger
from central.completeness.types import Account, LedgerRow
from central.completeness.watching import Followed, follow_gaps
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.passage import PassageV1
from central.contracts.topics import Stream
from central.domain.scope import SiteScope
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.settings import IngestSettings

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

LIMITS = IngestSettings().time_limits
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
EVERYTHING = SiteScope.everything()


@dataclass(frozen=True, kw_only=True)
class Centre:
    """Ingest and the ledger on one database, at any time."""

    url: str
    database: IngestDatabase

    def store(
        self, device: "FakeDevice", *messages: PassageV1 | HeartbeatV1, now: datetime = NOW
    ) -> None:
        """Take messages in as ingest does."""
        self._store(
            [
                Delivery(
                    topic=device.topic(
                        Stream.HEARTBEAT if isinstance(each, HeartbeatV1) else Stream.PASSAGE
                    ),
                    payload=each.to_json(),
                )
                for each in messages
            ],
            now=now,
        )

    def store_raw(self, device: "FakeDevice", *payloads: bytes, now: datetime = NOW) -> None:
        """Take in whatever came on the topic of passages."""
        self._store([Delivery(topic=device.topic(), payload=each) for each in payloads], now=now)

    def _store(self, deliveries: Sequence[Delivery], *, now: datetime) -> None:
        parsed = [parse(each) for each in deliveries]
        with self.database.transaction() as connection:
            store_batch(connection, parsed, limits=LIMITS, now=now)

    def ledger(
        self,
        *,
        day: date = TODAY,
        now: datetime = NOW + SECOND,
        scope: SiteScope = EVERYTHING,
        size: int = 50,
    ) -> list[LedgerRow]:
        """Every page of a day, read one after another."""

        async def read() -> list[LedgerRow]:
            rows, place = list[LedgerRow](), None
            async with await psycopg.AsyncConnection.connect(self.url) as connection:
                while True:
                    page = await read_ledger(
                        CompletenessRepository(connection),
                        scope,
                        day,
                        after=place,
                        size=size,
                        now=now,
                    )
                    rows.extend(page.rows)
                    if page.next is None:
                        return rows
                    place = page.next

        return asyncio.run(read())

    def account(self, device: "FakeDevice", **question: Any) -> Account:  # noqa: ANN401  # as above
        """The one account of a device on a day."""
        [row] = [each for each in self.ledger(**question) if each.device_id == device.device_id]
        assert row.account is not None
        return row.account

    def follow(self, *, now: datetime, outbox_age_max: timedelta = WEEK) -> Followed:
        """Look after gaps as the job does."""

        async def follow() -> Followed:
            async with await psycopg.AsyncConnection.connect(self.url) as connection:
                return await follow_gaps(connection, outbox_age_max=outbox_age_max, now=now)

        return asyncio.run(follow())


def passages(device: "FakeDevice", *seqs: int, **changes: Any) -> list[PassageV1]:  # noqa: ANN401  # any field
    return [device.passage(seq, captured_at=NOW - 2 * DAY, **changes) for seq in seqs]
