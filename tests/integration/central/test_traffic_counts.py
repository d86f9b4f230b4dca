# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts of minutes, hours and days follow the passages, however late and in whatever order."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

import psycopg
import pytest

from central.contracts.passage import PassageV1, VehicleClass
from central.db.pool import connection_info
from central.domain.local_time import start_of_local_day
from central.domain.scope import SiteScope
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.settings import IngestSettings
from central.traffic.counting.service import count_touched, touch_span
from central.traffic.repository import TrafficRepository
from central.traffic.types import DAY, HOUR, FlowSlot, Span

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

Connection = psycopg.AsyncConnection
Store = Callable[..., None]
EVERYTHING = SiteScope.everything()
NOTHING = SiteScope(site_ids=frozenset())
LIMITS = IngestSettings().time_limits
THE_DAY = date(2026, 3, 1)
MIDNIGHT = start_of_local_day(THE_DAY)
NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
QUARTERS = Span(since=MIDNIGHT, until=MIDNIGHT + DAY, slot=timedelta(minutes=15))
HOURS = Span(since=MIDNIGHT, until=MIDNIGHT + DAY, slot=HOUR)
DAYS = Span(since=MIDNIGHT - DAY, until=MIDNIGHT + 2 * DAY, slot=DAY)


@pytest.fixture
def store(database_url: str, device: "FakeDevice") -> Store:
    """Store passages in one committed batch, as ingest does."""

    def store_passages(passages: Sequence[PassageV1]) -> None:
        database = IngestDatabase(connection_info(database_url))
        messages = [
            parse(Delivery(topic=device.topic(), payload=each.to_json())) for each in passages
        ]
        with database.transaction() as connection:
            outcome = store_batch(connection, messages, limits=LIMITS, now=NOW)
        database.close()
        assert outcome.quarantined == ()

    return store_passages


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with await Connection.connect(connection_info(database_url), autocommit=True) as opened:
        yield opened


async def count(connection: Connection, *, limit: int = 1000) -> int:
    async with connection.transaction():
        return await count_touched(connection, limit=limit)


async def flow(
    connection: Connection, span: Span, scope: SiteScope = EVERYTHING
) -> Sequence[FlowSlot]:
    return await TrafficRepository(connection).flow(span, scope)


def random_day(device: "FakeDevice", *, passages: int, seed: int) -> list[PassageV1]:
    """Passages of a day in any order; some without speed, class or plate, some late."""
    rng = random.Random(seed)  # noqa: S311  # made traffic
    made = []
    for seq in range(1, passages + 1):
        has_speed = rng.random() < 0.8
        passage = device.passage(
            seq=seq,
            captured_at=MIDNIGHT + timedelta(seconds=rng.uniform(0, 86_399)),
            vehicle_class=rng.choice(list(VehicleClass)),
            speed_kmh=rng.uniform(5, 120) if has_speed else None,
            speed_uncertainty_kmh=2.0 if has_speed else None,
            is_late=rng.random() < 0.3,
        )
        if passage.plate is not None and rng.random() < 0.2:
            changes = {"text": "", "raw_text": "", "char_confidences": (), "alternatives": ()}
            passage = passage.model_copy(update={"plate": passage.plate.model_copy(update=changes)})
        made.append(passage)
    return made


def assert_counts_are(slots: Sequence[FlowSlot], passages: Sequence[PassageV1], span: Span) -> None:
    """Every slot says what the passages say."""
    groups: dict[datetime, list[PassageV1]] = {at: [] for at in span.starts}
    for each in passages:
        groups[span.since + (each.captured_at - span.since) // span.slot * span.slot].append(each)
    assert [slot.starts_at for slot in slots] == list(groups)
    for slot in slots:
        group = groups[slot.starts_at]
        classes = Counter(each.vehicle_class for each in group)
        assert slot.passages == len(group)
        assert slot.plates_read == sum(bool(each.plate and each.plate.text) for each in group)
        assert slot.late == sum(each.is_late for each in group)
        assert slot.motorcycles == classes[VehicleClass.MOTORCYCLE]
        assert slot.cars == classes[VehicleClass.CAR]
        assert slot.buses == classes[VehicleClass.BUS]
        assert slot.trucks == classes[VehicleClass.TRUCK]


async def test_every_level_says_what_the_passages_say_though_they_came_late_and_mixed_up(
    store: Store, device: "FakeDevice", connection: Connection
) -> None:
    passages = random_day(device, passages=400, seed=5)
    for first in range(0, len(passages), 80):
        store(passages[first : first + 80])
        await count(connection)

    assert_counts_are(await flow(connection, QUARTERS), passages, QUARTERS)
    assert_counts_are(await flow(connection, HOURS), passages, HOURS)
    assert_counts_are(await flow(connection, DAYS), passages, DAYS)


async def test_percentiles_of_minutes_are_exact_and_those_of_hours_within_their_class(
    store: Store, device: "FakeDevice", connection: Connection
) -> None:
    speeds = [31.0, 47.5, 52.0, 58.3, 61.0]
    at = MIDNIGHT + timedelta(hours=7, minutes=3)
    store(
        [
            device.passage(
                seq=seq,
                captured_at=at + timedelta(seconds=seq),
                speed_kmh=speed,
                speed_uncertainty_kmh=2.0,
            )
            for seq, speed in enumerate(speeds, start=1)
        ]
    )
    await count(connection)

    exact = (await flow(connection, QUARTERS))[28]
    coarse = [(await flow(connection, HOURS))[7], (await flow(connection, DAYS))[1]]

    assert exact.speed_kmh_median == pytest.approx(median(speeds))
    assert exact.latency_s_median == pytest.approx((NOW - at).total_seconds() - 3)
    for slot in coarse:
        assert slot.speed_kmh_median == pytest.approx(median(speeds), abs=2.0)
        assert slot.latency_s_99 == pytest.approx(1000)  # the last class is open


async def test_a_slot_without_traffic_is_there_and_holds_nothing(connection: Connection) -> None:
    quarters = await flow(connection, QUARTERS)
    days = await flow(connection, DAYS)

    assert (len(quarters), len(days)) == (96, 3)
    assert all(slot.passages == 0 and slot.speed_kmh_median is None for slot in quarters)
    assert all(slot.passages == 0 and slot.latency_s_99 is None for slot in days)


async def test_nothing_of_other_sites_is_counted(
    store: Store, device: "FakeDevice", connection: Connection
) -> None:
    store([device.passage(captured_at=MIDNIGHT + HOUR)])
    await count(connection)

    for span in (QUARTERS, HOURS, DAYS):
        assert sum(each.passages for each in await flow(connection, span)) == 1
        assert sum(each.passages for each in await flow(connection, span, NOTHING)) == 0
    assert await TrafficRepository(connection).by_site(MIDNIGHT, NOTHING) == []


async def test_much_work_is_done_in_bounded_steps_until_nothing_is_left(
    store: Store, device: "FakeDevice", connection: Connection
) -> None:
    passages = random_day(device, passages=50, seed=9)
    store(passages)

    counted = []
    while minutes := await count(connection, limit=20):
        counted.append(minutes)

    assert len(counted) == 3
    assert max(counted) <= 20
    assert_counts_are(await flow(connection, HOURS), passages, HOURS)


async def test_two_who_count_at_once_leave_the_same_as_one(
    store: Store, device: "FakeDevice", database_url: str, connection: Connection
) -> None:
    passages = random_day(device, passages=60, seed=11)
    info = connection_info(database_url)

    async def count_alone() -> None:
        async with await Connection.connect(info, autocommit=True) as own:
            for _ in range(6):
                await count(own, limit=25)

    for first in range(0, 60, 20):
        await asyncio.to_thread(store, passages[first : first + 20])
        await asyncio.gather(count_alone(), count_alone())

    assert await count(connection) == 0
    assert_counts_are(await flow(connection, QUARTERS), passages, QUARTERS)


async def test_a_count_that_went_wrong_is_mended_by_counting_its_span_again(
    store: Store, device: "FakeDevice", connection: Connection
) -> None:
    passages = random_day(device, passages=10, seed=3)
    store(passages)
    await count(connection)
    at = passages[0].captured_at.replace(second=0, microsecond=0)
    await connection.execute("DELETE FROM passage_minute WHERE minute_at = %s", [at])
    await connection.execute("DELETE FROM passage_hour")
    await connection.execute(
        "INSERT INTO passage_minute VALUES (%s, 'km12', 9, 9, 0, 0, 0, 0, 0, '{}', '{}')",
        [MIDNIGHT],
    )

    async with connection.transaction():
        touched = await touch_span(connection, since=MIDNIGHT, until=MIDNIGHT + DAY)
    counted = await count(connection)

    assert (
        touched
        == counted
        == len({each.captured_at.replace(second=0, microsecond=0) for each in passages}) + 1
    )
    assert_counts_are(await flow(connection, QUARTERS), passages, QUARTERS)
    assert_counts_are(await flow(connection, HOURS), passages, HOURS)


@pytest.mark.parametrize("length", [timedelta(0), timedelta(days=-1), timedelta(days=32)])
async def test_a_span_that_is_none_or_too_long_is_not_counted_again(
    connection: Connection, length: timedelta
) -> None:
    with pytest.raises(ValueError, match="at most 31 days"):
        await touch_span(connection, since=MIDNIGHT, until=MIDNIGHT + length)
