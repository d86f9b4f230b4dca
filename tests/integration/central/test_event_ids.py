# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ids of events end, and yet nothing is stored twice."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from central.contracts.event import ClockSource, Event
from central.contracts.streams import stream_of
from central.db.pool import connection_info, open_pool
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.release import release_quarantined
from central.ingest.store import store_batch
from central.ingest.types import BatchOutcome, Delivery, Reason
from central.jobs.context import JobContext
from central.jobs.protection_tasks import erase_by_date, forget_event_ids
from central.protection.keeping.event_ids import EventIds
from central.settings import CentralSettings, IngestSettings
from tests.integration.central.conftest import CAMERA, NOW, READER, SITE
from tests.integration.central.test_records import notice
from tests.integration.central.tolls import STATION, add_station

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

Store = Callable[..., BatchOutcome]
Counter = Callable[[str], int]
INGEST: Final = IngestSettings(
    event_age_max=timedelta(days=60), recording_age_max=timedelta(days=90)
)
OVER: Final = NOW + INGEST.event_age_max + timedelta(days=2)
"""Live events of ``NOW`` are too old to come by then; recordings are not."""
RECORDINGS_OVER: Final = NOW + INGEST.recording_age_max + timedelta(days=2)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Store events in one committed batch, as ingest does."""
    database = IngestDatabase(connection_info(database_url))

    def store_events(
        device: "FakeDevice", *events: Event, now: datetime, ingest: IngestSettings = INGEST
    ) -> BatchOutcome:
        messages = [
            parse(Delivery(topic=device.topic(stream_of(each)), payload=each.to_json()))
            for each in events
        ]
        with database.transaction() as connection:
            return store_batch(connection, messages, limits=ingest.time_limits, now=now)

    yield store_events
    database.close()


async def pass_nights(database_url: str, now: datetime, *, ingest: IngestSettings = INGEST) -> int:
    """Do a night's work; returns how many ids were looked up and went."""
    settings = CentralSettings(database_url=database_url, ingest=ingest)
    async with open_pool(connection_info(database_url)) as pool:
        context = JobContext(pool=pool, settings=settings, clock=lambda: now)
        await erase_by_date(context)
        return await forget_event_ids(context)


async def test_an_id_goes_when_its_event_is_too_old_to_come_and_its_row_is_gone(
    database_url: str, device: "FakeDevice", store: Store, rows: psycopg.Connection
) -> None:
    plain, read = device.passage(1, captured_at=NOW), device.tag_read(2, captured_at=NOW)
    lost = notice(device, 3, captured_at=NOW)
    recorded = device.passage(4, captured_at=NOW, clock_source=ClockSource.FILE)
    tolled = device.passage(5, captured_at=NOW)
    fresh = device.passage(6, captured_at=OVER - timedelta(days=1))
    store(device, plain, read, lost, recorded, tolled, now=NOW)
    store(device, fresh, now=OVER)
    keep_for_toll(rows, tolled)

    early = await pass_nights(database_url, NOW + INGEST.event_age_max)
    went = await pass_nights(database_url, OVER)
    assert (early, went) == (0, 3)
    assert ids(rows) == {recorded.id, tolled.id, fresh.id}

    await pass_nights(database_url, RECORDINGS_OVER)
    assert ids(rows) == {tolled.id, fresh.id}

    await pass_nights(database_url, NOW + timedelta(days=1900))
    assert ids(rows) == set()


async def test_what_comes_again_after_its_id_went_is_not_stored_twice(
    database_url: str, device: "FakeDevice", store: Store, count: Counter
) -> None:
    first = device.passage(1, captured_at=NOW)
    store(device, first, now=NOW)
    repeated = store(device, first, now=OVER)
    await pass_nights(database_url, OVER)
    moved = first.model_copy(
        update=dict.fromkeys(("captured_at", "first_seen_at", "last_seen_at"), OVER)
    )

    again = store(device, first, now=OVER)
    same = store(device, first, now=OVER)
    later = store(device, moved, now=OVER)
    admitted = store(device, first, now=OVER, ingest=IngestSettings())
    released = release_quarantined(
        connection_info(database_url), limits=IngestSettings().time_limits, now=OVER
    )

    assert (repeated.doubled, repeated.quarantined) == (1, ())
    assert again.quarantined == (Reason.SEQ_REUSED,)
    assert (same.doubled, same.quarantined) == (1, ())
    assert (later.stored, admitted.stored, released) == (0, 0, 0)
    assert (count("passage"), count("quarantine")) == (0, 1)
    assert [ack.up_to_seq for ack in later.acks] == [1]


async def test_another_time_under_a_number_whose_id_went_is_kept_in_quarantine(
    database_url: str, device: "FakeDevice", store: Store, count: Counter
) -> None:
    store(device, device.passage(1, captured_at=NOW), now=NOW)
    await pass_nights(database_url, OVER)

    outcome = store(device, device.passage(1, captured_at=OVER), now=OVER)

    assert (outcome.stored, outcome.quarantined) == (0, (Reason.SEQ_REUSED,))
    assert count("passage") == 0


async def test_what_was_let_out_of_quarantine_is_not_let_out_again_when_id_and_entry_are_gone(
    database_url: str, device: "FakeDevice", store: Store, count: Counter
) -> None:
    early = device.passage(1, captured_at=NOW + timedelta(days=1))
    store(device, early, now=NOW)
    limits = INGEST.time_limits
    info = connection_info(database_url)
    released = release_quarantined(info, limits=limits, now=NOW + timedelta(days=1))
    await pass_nights(database_url, OVER + timedelta(days=1))
    raised = IngestSettings()

    outcome = store(device, early, now=OVER, ingest=raised)
    again = release_quarantined(info, limits=raised.time_limits, now=OVER)

    assert (released, again) == (1, 0)
    assert count("passage_identity") == 0
    assert (outcome.stored, outcome.quarantined) == (0, (Reason.SEQ_REUSED,))


async def test_old_events_that_a_raised_limit_lets_in_are_walked_too(
    database_url: str, device: "FakeDevice", store: Store, rows: psycopg.Connection
) -> None:
    raised = IngestSettings(event_age_max=timedelta(days=80))
    store(device, device.passage(1, captured_at=NOW), now=NOW)
    await pass_nights(database_url, OVER)
    late = device.passage(2, captured_at=NOW - timedelta(days=3))

    stored = store(device, late, now=OVER, ingest=raised)
    await pass_nights(database_url, OVER, ingest=raised)
    kept = ids(rows)
    await pass_nights(database_url, OVER + timedelta(days=40), ingest=raised)

    assert (stored.stored, kept) == (1, {late.id})
    assert ids(rows) == set()


async def test_a_step_looks_at_so_many_ids_and_at_all_of_one_instant(
    database_url: str, device: "FakeDevice", store: Store, count: Counter
) -> None:
    times = [NOW, NOW, NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)]
    store(
        device,
        *(notice(device, seq, captured_at=at) for seq, at in enumerate(times, start=1)),
        now=NOW + timedelta(minutes=1),
    )
    went = list[int | None]()

    async with open_pool(connection_info(database_url)) as pool:
        while not went or went[-1] is not None:
            async with pool.connection() as connection:
                walk = EventIds(connection, limits=INGEST.time_limits)
                went.append(await walk.forget_some(is_recording=False, now=OVER, ids_max=1))

    assert went == [3, 1, 1, None]
    assert count("passage_identity") == 0


def keep_for_toll(rows: psycopg.Connection, passage: Event) -> None:
    """Have a toll crossing keep a passage."""
    add_station(rows, site=SITE, camera=CAMERA, reader=READER)
    rows.execute(
        "INSERT INTO toll_crossing (id, station_id, lane_number, crossed_at, booked_on, passage_id,"
        " state, reason, is_late, created_at) VALUES (gen_random_uuid(), %s, 1, %s, '2026-03-01',"
        " %s, 'waived', 'a_reason', FALSE, %s)",
        [STATION, NOW, passage.id, NOW],
    )


def ids(rows: psycopg.Connection) -> set[object]:
    """The ids that are claimed."""
    return {row[0] for row in rows.execute("SELECT id FROM passage_identity").fetchall()}
