# SPDX-License-Identifier: AGPL-3.0-or-later
"""A batch on a real database: what is stored, doubled, quarantined and acknowledged."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from central.contracts.event import ClockSource
from central.contracts.passage import PassageV1
from central.contracts.topics import Stream
from central.db.pool import connection_info
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.release import release_quarantined
from central.ingest.store import store_batch
from central.ingest.types import BatchOutcome, Delivery, Reason
from central.settings import IngestSettings

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

Store = Callable[..., BatchOutcome]
Counter = Callable[[str], int]
LIMITS = IngestSettings().time_limits


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Store passages in one committed batch, as ingest does."""
    database = IngestDatabase(connection_info(database_url))

    def store_passages(device: "FakeDevice", *passages: PassageV1 | bytes) -> BatchOutcome:
        messages = [
            parse(
                Delivery(
                    topic=device.topic(),
                    payload=each if isinstance(each, bytes) else each.to_json(),
                )
            )
            for each in passages
        ]
        with database.transaction() as connection:
            return store_batch(connection, messages, limits=LIMITS, now=datetime.now(UTC))

    yield store_passages
    database.close()


def acked(outcome: BatchOutcome) -> list[int]:
    return [ack.up_to_seq for ack in outcome.acks]


def test_the_same_event_under_another_time_is_stored_once(
    store: Store, device: "FakeDevice", count: Counter
) -> None:
    first = device.passage(seq=1)
    moved = timedelta(days=30)
    other_time = first.model_copy(
        update={
            "captured_at": first.captured_at - moved,
            "first_seen_at": first.first_seen_at - moved,
            "last_seen_at": first.last_seen_at - moved,
        }
    )

    outcomes = store(device, first), store(device, other_time)

    assert [(each.stored, each.doubled) for each in outcomes] == [(1, 0), (0, 1)]
    assert count("passage") == 1


def test_the_same_event_twice_in_one_batch_is_stored_once(
    store: Store, device: "FakeDevice", count: Counter
) -> None:
    passage = device.passage(seq=1)

    outcome = store(device, passage, passage, passage)

    assert (outcome.stored, outcome.doubled, acked(outcome)) == (1, 2, [1])
    assert count("passage_evidence") == 2


def test_another_event_under_a_number_in_use_is_kept_in_quarantine(
    store: Store, device: "FakeDevice", count: Counter
) -> None:
    # The outbox of a device that was put back to an old state numbers new events again.
    first, second = device.passage(seq=1), device.passage(seq=1)

    outcomes = store(device, first), store(device, second), store(device, second)

    assert outcomes[1].quarantined == (Reason.SEQ_REUSED,)
    assert (outcomes[2].stored, outcomes[2].doubled) == (0, 1)
    assert count("passage") == 1
    assert count("quarantine WHERE reason = 'seq_reused'") == 1


@pytest.mark.parametrize("together", [True, False])
def test_another_event_under_an_id_in_use_is_kept_in_quarantine(
    store: Store, device: "FakeDevice", count: Counter, *, together: bool
) -> None:
    first = device.passage(seq=1)
    second = device.passage(seq=2, id=first.id)

    outcomes = (
        [store(device, first, second)]
        if together
        else [store(device, first), store(device, second)]
    )

    assert outcomes[-1].quarantined == (Reason.ID_REUSED,)
    assert acked(outcomes[-1]) == [2]
    assert count("passage") == 1
    assert count("passage_identity") == 1


def test_a_new_outbox_of_a_device_is_a_stream_of_its_own(
    store: Store,
    device: "FakeDevice",
    rows: psycopg.Connection,
    new_device: "Callable[[], FakeDevice]",
) -> None:
    reborn = new_device()
    reborn.device_id = device.device_id

    outcome = store(device, device.passage(seq=1), device.passage(seq=2), reborn.passage(seq=1))

    assert {ack.stream.outbox_id: ack.up_to_seq for ack in outcome.acks} == {
        device.outbox_id: 2,
        reborn.outbox_id: 1,
    }
    held = rows.execute("SELECT stored_count FROM device_stream ORDER BY stored_count").fetchall()
    assert held == [(1,), (2,)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE device SET enabled = false", Reason.DEVICE_DISABLED),
        ("UPDATE site SET province = 'lam-dong'", Reason.SITE_MISMATCH),
        ("DELETE FROM camera", Reason.UNKNOWN_CAMERA),
    ],
)
def test_what_does_not_fit_the_registered_device_is_kept_until_it_does(
    store: Store, device: "FakeDevice", rows: psycopg.Connection, change: str, reason: Reason
) -> None:
    rows.execute(change)
    passage = device.passage(seq=1)

    outcome = store(device, passage)

    assert outcome.quarantined == (reason,)
    assert acked(outcome) == [1]
    kept = rows.execute("SELECT payload FROM quarantine").fetchall()
    assert kept == [(passage.to_json(),)]


def test_a_registered_device_gets_its_kept_events_back(
    *,
    store: Store,
    database_url: str,
    new_device: "Callable[[], FakeDevice]",
    register: Callable[..., None],
    rows: psycopg.Connection,
    count: Counter,
) -> None:
    stranger = new_device()
    store(stranger, *(stranger.passage(seq=seq) for seq in range(1, 8)))
    info = connection_info(database_url)
    before = release_quarantined(info, limits=LIMITS, now=datetime.now(UTC))

    register(database_url, stranger)
    first = release_quarantined(info, limits=LIMITS, now=datetime.now(UTC))
    again = release_quarantined(info, limits=LIMITS, now=datetime.now(UTC))

    assert (before, first, again) == (0, 7, 0)
    assert count("passage") == 7
    assert count("quarantine WHERE resolved_at IS NULL") == 0
    stream = rows.execute(
        "SELECT stored_count, quarantined_count, doubled_count FROM device_stream"
    ).fetchall()
    assert stream == [(7, 0, 0)]


def test_a_number_in_use_stays_in_quarantine_when_others_are_released(
    store: Store, device: "FakeDevice", database_url: str, count: Counter
) -> None:
    store(device, device.passage(seq=1), device.passage(seq=1))

    released = release_quarantined(
        connection_info(database_url), limits=LIMITS, now=datetime.now(UTC)
    )

    assert released == 0
    assert count("passage") == 1


def test_numbers_in_any_order_leave_a_proof_without_gaps(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    passages = [device.passage(seq=seq) for seq in range(1, 101)]

    store(device, *passages[50:])
    with_gap = rows.execute("SELECT held::text FROM device_stream").fetchall()
    outcome = store(device, *reversed(passages[:60]))

    assert with_gap == [("{[51,101)}",)]
    assert (outcome.stored, outcome.doubled, acked(outcome)) == (50, 10, [100])
    assert rows.execute("SELECT held::text FROM device_stream").fetchall() == [("{[1,101)}",)]


def test_a_device_that_leaves_gaps_everywhere_does_not_fill_the_memory(
    store: Store,
    device: "FakeDevice",
    monkeypatch: pytest.MonkeyPatch,
    count: Counter,
) -> None:
    monkeypatch.setattr("central.ingest.accounts.RANGES_MAX", 10)
    scattered = [device.passage(seq=seq) for seq in range(2, 42, 2)]

    outcome = store(device, *scattered)

    assert outcome.stored == 10
    assert outcome.quarantined == (Reason.TOO_MANY_GAPS,) * 10
    assert count("quarantine") == 10


def test_every_stored_passage_is_announced_once_in_the_order_of_the_commits(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    rows.execute("LISTEN passage_stored")
    passages = [device.passage(seq=seq) for seq in (1, 2, 3)]

    store(device, *passages[:2])
    store(device, *passages)

    feed = rows.execute("SELECT position, passage_ids FROM passage_feed ORDER BY 1").fetchall()
    assert [sorted(ids) for _, ids in feed] == [
        sorted(each.id for each in passages[:2]),
        [passages[2].id],
    ]
    heard = [note.payload for note in rows.notifies(timeout=2, stop_after=2)]
    assert heard == [str(position) for position, _ in feed]


def test_what_was_stored_under_its_id_before_is_not_announced_with_its_batch(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    first = device.passage(seq=1)
    new = device.passage(seq=3)

    store(device, first)
    store(device, device.passage(seq=2, id=first.id), new)

    feed = rows.execute("SELECT passage_ids FROM passage_feed ORDER BY position").fetchall()
    assert feed == [([first.id],), ([new.id],)]


def test_a_message_that_is_no_passage_is_counted_when_it_comes_again(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    store(device, b"no JSON", b"no JSON")
    store(device, b"no JSON")

    assert rows.execute("SELECT times_seen FROM quarantine").fetchall() == [(2,)]


def test_a_message_on_a_foreign_topic_is_kept(
    database_url: str, rows: psycopg.Connection, device: "FakeDevice"
) -> None:
    database = IngestDatabase(connection_info(database_url))
    foreign = [
        parse(Delivery(topic=topic, payload=b"{}"))
        for topic in ("lt/1/a/b/c/d/e", "lt/1/A/b/c/passage", device.topic(Stream.ACK))
    ]

    with database.transaction() as connection:
        outcome = store_batch(connection, foreign, limits=LIMITS, now=datetime.now(UTC))
    database.close()

    assert outcome.quarantined == (Reason.TOPIC_UNKNOWN,) * 3
    assert len(rows.execute("SELECT 1 FROM quarantine").fetchall()) == 3


def test_a_passage_without_plate_vehicle_or_pictures_is_stored(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    bare = device.passage(
        seq=1,
        plate=None,
        vehicle_class=None,
        vehicle_confidence=None,
        vehicle_box=None,
        evidence=(),
        lane=None,
    )

    outcome = store(device, bare)

    assert outcome.stored == 1
    stored = rows.execute("SELECT plate_text, plate_raw_text, vehicle_class FROM passage")
    assert stored.fetchall() == [("", None, None)]


def test_an_old_recording_is_stored_and_an_old_clock_is_not_believed(
    store: Store, device: "FakeDevice"
) -> None:
    years_ago = datetime.now(UTC) - timedelta(days=3 * 365)
    recording = device.passage(seq=1, captured_at=years_ago, clock_source=ClockSource.FILE)
    live = device.passage(seq=2, captured_at=years_ago)

    outcome = store(device, recording, live)

    assert outcome.stored == 1
    assert outcome.quarantined == (Reason.TIME_TOO_OLD,)
    assert acked(outcome) == [2]
