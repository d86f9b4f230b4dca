# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several ingests with events of the same outboxes: nothing doubled, nothing lost, no waiting."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from central.contracts.passage import PassageV1
from central.db.pool import connection_info
from central.ingest.accounts import StreamOvertakenError
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.repository import FEED_LOCK_ID
from central.ingest.store import store_batch
from central.ingest.types import BatchOutcome, Delivery
from central.settings import IngestSettings
from tests.integration.central.written import Written

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

WAIT_S: Final = 30.0
LIMITS: Final = IngestSettings().time_limits
INGESTS: Final = 4
EVENTS: Final = 300
Begin = Callable[..., BatchOutcome]


class SecondIngest:
    """Stores while the test holds another batch that is not committed."""

    def __init__(self, database_url: str) -> None:
        self._database = IngestDatabase(connection_info(database_url))
        self._thread = ThreadPoolExecutor(1)

    def store(self, delivery: Delivery, *, is_alone: bool = False) -> "Future[BatchOutcome]":
        return self._thread.submit(self._store, delivery, is_alone)

    def _store(self, delivery: Delivery, is_alone: bool) -> BatchOutcome:  # noqa: FBT001  # by submit
        with self._database.transaction() as connection:
            return stored(connection, delivery, is_alone=is_alone)

    def close(self) -> None:
        self._thread.submit(self._database.close).result(WAIT_S)
        self._thread.shutdown()


def wait_until_held_up(connection: psycopg.Connection) -> None:
    """Another ingest has got as far as the locks of this one's transaction."""
    for _ in range(round(WAIT_S / 0.02)):
        if connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def stored(
    connection: psycopg.Connection, *deliveries: Delivery, is_alone: bool = False
) -> BatchOutcome:
    messages = [parse(each) for each in deliveries]
    now = datetime.now(UTC)
    return store_batch(connection, messages, limits=LIMITS, now=now, is_alone=is_alone)


def sent(device: "FakeDevice", passage: PassageV1) -> Delivery:
    return Delivery(topic=device.topic(), payload=passage.to_json())


@pytest.fixture
def second(database_url: str) -> Iterator[SecondIngest]:
    ingest = SecondIngest(database_url)
    yield ingest
    ingest.close()


@pytest.fixture
def first(database_url: str, device: "FakeDevice") -> Iterator[IngestDatabase]:
    """An ingest for which the outbox is not new."""
    database = IngestDatabase(connection_info(database_url))
    with database.transaction() as connection:
        stored(connection, sent(device, device.passage(seq=1)))
    yield database
    database.close()


def test_the_second_commit_acknowledges_what_the_first_one_stored(
    first: IngestDatabase, second: SecondIngest, device: "FakeDevice"
) -> None:
    with first.transaction() as connection:
        mine = stored(connection, sent(device, device.passage(seq=3)))
        theirs = second.store(sent(device, device.passage(seq=2)))
        wait_until_held_up(connection)

    assert [ack.up_to_seq for ack in mine.acks] == [1]
    assert [ack.up_to_seq for ack in theirs.result(WAIT_S).acks] == [3]


def test_one_event_in_two_ingests_at_once_is_stored_once(
    first: IngestDatabase, second: SecondIngest, device: "FakeDevice", count: Callable[[str], int]
) -> None:
    delivery = sent(device, device.passage(seq=2))

    with first.transaction() as connection:
        mine = stored(connection, delivery)
        theirs = second.store(delivery)
        wait_until_held_up(connection)
    with pytest.raises(StreamOvertakenError):
        theirs.result(WAIT_S)
    again = second.store(delivery, is_alone=True).result(WAIT_S)

    assert (mine.stored, again.stored, again.doubled) == (1, 0, 1)
    assert [ack.up_to_seq for ack in again.acks] == [2]
    assert (count("passage"), count("quarantine")) == (2, 0)


def test_of_two_events_under_one_number_the_later_commit_is_kept_in_quarantine(
    first: IngestDatabase, second: SecondIngest, device: "FakeDevice", count: Callable[[str], int]
) -> None:
    with first.transaction() as connection:
        stored(connection, sent(device, device.passage(seq=2)))
        other = sent(device, device.passage(seq=2))
        theirs = second.store(other)
        wait_until_held_up(connection)
    with pytest.raises(StreamOvertakenError):
        theirs.result(WAIT_S)
    again = second.store(other, is_alone=True).result(WAIT_S)

    assert again.quarantined == ("seq_reused",)
    assert (count("passage"), count("quarantine")) == (2, 1)


def test_one_that_stores_alone_locks_in_the_order_of_those_beside_it(
    first: IngestDatabase, second: SecondIngest, device: "FakeDevice", count: Callable[[str], int]
) -> None:
    with first.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [FEED_LOCK_ID])  # has announced
        alone = second.store(sent(device, device.passage(seq=3)), is_alone=True)
        wait_until_held_up(connection)
        stored(connection, sent(device, device.passage(seq=2)))  # needs the account, too

    assert alone.result(WAIT_S).stored == 1
    assert count("passage") == 3


def test_writers_that_share_outboxes_and_repeats_store_each_event_once(
    database_url: str, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    rng = random.Random(7)  # noqa: S311  # made traffic, no secret
    shares: list[list[Delivery]] = [[] for _ in range(INGESTS)]
    for seq in range(1, EVENTS + 1):
        delivery = sent(device, device.passage(seq=seq))
        for share in rng.sample(shares, k=rng.choice((1, 1, 2, 3))):
            share.append(delivery)
        if not seq % 50:
            rng.choice(shares).append(sent(device, device.passage(seq=seq)))  # another event

    with ThreadPoolExecutor(INGESTS) as pool:
        writers = [Written(database_url, share) for share in shares]
        done = list(pool.map(Written.run, writers))

    held = rows.execute(
        "SELECT held, stored_count, quarantined_count, doubled_count FROM device_stream"
    ).fetchall()
    numbers = rows.execute("SELECT array_agg(seq ORDER BY seq) FROM passage").fetchone()
    acks = {ack.up_to_seq for each in done for ack in each.acks}
    others = EVENTS // 50
    assert numbers == (list(range(1, EVENTS + 1)),)
    assert str(held[0][0]) == f"{{[1, {EVENTS + 1})}}"
    assert held[0][1:] == (EVENTS, others, sum(map(len, shares)) - EVENTS - others)
    assert max(acks) == EVENTS
