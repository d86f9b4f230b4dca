# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tag reads on their way into the database: once, gap-free with the passages, with a job each."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from uuid_utils.compat import uuid7

from central.contracts.event import ClockSource
from central.contracts.passage import PassageV1
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream
from central.db.pool import connection_info
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.release import release_quarantined
from central.ingest.store import store_batch
from central.ingest.types import BatchOutcome, Delivery, Reason
from central.settings import IngestSettings
from deploy.demo.tag_reader import TagReaderEmulator
from edge.app.device import Device, ModelChoice
from edge.app.uplink import Surroundings
from edge.outbox.store import look_into
from edge.settings import load_settings
from models.runtime.values import Backend

if TYPE_CHECKING:
    from tests.integration.central.conftest import Broker, DeviceLink, FakeDevice, IngestRunner

Store = Callable[..., BatchOutcome]
Counter = Callable[[str], int]
WaitUntil = Callable[..., None]
LIMITS = IngestSettings().time_limits
JOBS = "procrastinate_jobs WHERE task_name = 'match_tag_read'"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Store events in one committed batch, as ingest does; bytes count as tag reads."""
    database = IngestDatabase(connection_info(database_url))

    def store_events(device: "FakeDevice", *events: PassageV1 | TagReadV1 | bytes) -> BatchOutcome:
        messages = [
            parse(
                Delivery(
                    topic=device.topic(
                        Stream.PASSAGE if isinstance(each, PassageV1) else Stream.TAG_READ
                    ),
                    payload=each if isinstance(each, bytes) else each.to_json(),
                )
            )
            for each in events
        ]
        with database.transaction() as connection:
            return store_batch(connection, messages, limits=LIMITS, now=datetime.now(UTC))

    yield store_events
    database.close()


def acked(outcome: BatchOutcome) -> list[int]:
    return [ack.up_to_seq for ack in outcome.acks]


def test_a_tag_read_becomes_a_row_with_everything_the_reader_told(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    tag_read = device.tag_read(seq=1, tid="E280116020006B5D", antenna=2, is_late=True)

    outcome = store(device, tag_read)

    assert (outcome.stored, outcome.late, acked(outcome)) == (1, 1, [1])
    stored = rows.execute(
        "SELECT id, captured_at, device_id, seq, boot_id, site_id, reader_id, lane, epc, tid,"
        " antenna, rssi_dbm, reads, first_seen_at, last_seen_at, clock_source, clock_error_ms,"
        " is_late FROM tag_read"
    ).fetchall()
    assert stored == [
        (
            tag_read.id,
            tag_read.captured_at,
            device.device_id,
            1,
            device.boot_id,
            tag_read.site_id,
            "reader-1",
            1,
            "E2801160600002054E1A2B3C",
            "E280116020006B5D",
            2,
            -52.5,
            14,
            tag_read.first_seen_at,
            tag_read.last_seen_at,
            "ntp",
            5,
            True,
        )
    ]


def test_every_stored_tag_read_leaves_one_job_and_a_repeat_leaves_none(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    tag_reads = [device.tag_read(seq=seq) for seq in (1, 2, 3)]

    store(device, *tag_reads[:2], tag_reads[0])
    store(device, *tag_reads)

    jobs = rows.execute(
        "SELECT args->>'tag_read_id', queue_name, priority FROM procrastinate_jobs"
        " WHERE task_name = 'match_tag_read' ORDER BY id"
    ).fetchall()
    assert jobs == [(str(each.id), "work", 100) for each in tag_reads]


def test_passages_and_tag_reads_of_one_outbox_are_proved_complete_together(
    store: Store, device: "FakeDevice", rows: psycopg.Connection, count: Counter
) -> None:
    events = [
        device.passage(seq=seq) if seq % 3 else device.tag_read(seq=seq) for seq in range(1, 13)
    ]

    with_gap = store(device, *events[:4], *events[6:])
    filled = store(device, *events[3:7])

    assert (acked(with_gap), acked(filled)) == ([4], [12])
    assert (with_gap.stored, filled.stored, filled.doubled) == (10, 2, 2)
    assert (count("passage"), count("tag_read"), count(JOBS)) == (8, 4, 4)
    assert rows.execute("SELECT held::text, stored_count FROM device_stream").fetchall() == [
        ("{[1,13)}", 12)
    ]


def test_only_passages_go_into_the_live_feed(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    passage = device.passage(seq=1)

    store(device, passage, device.tag_read(seq=2))
    store(device, device.tag_read(seq=3))

    feed = rows.execute("SELECT passage_ids FROM passage_feed").fetchall()
    assert feed == [([passage.id],)]


@pytest.mark.parametrize("tag_read_first", [True, False])
def test_a_tag_read_and_a_passage_can_not_share_an_id(
    store: Store, device: "FakeDevice", count: Counter, *, tag_read_first: bool
) -> None:
    tag_read = device.tag_read(seq=1)
    passage = device.passage(seq=2, id=tag_read.id)
    events = [tag_read, passage] if tag_read_first else [passage, tag_read]

    outcomes = [store(device, event) for event in events]

    assert outcomes[1].quarantined == (Reason.ID_REUSED,)
    assert count("passage_identity") == 1


def test_a_broken_tag_read_is_kept_and_its_number_counts(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    broken = device.tag_read(seq=1).to_json().replace(b'"antenna":1', b'"antenna":999')

    outcome = store(device, broken, device.tag_read(seq=2))

    assert (outcome.quarantined, acked(outcome)) == ((Reason.CONTRACT_BROKEN,), [2])
    kept = rows.execute("SELECT payload, seq, detail FROM quarantine").fetchall()
    assert kept == [(broken, 1, "antenna: less_than_equal")]


@pytest.mark.parametrize(
    ("epc", "problem"),
    [
        ("e2801160600002054e1a2b3c", "lower case"),
        ("E28011", "three bytes"),
        ("E2801160600002054E1A2B3", "half a byte"),
        ("E2" * 33, "33 bytes"),
        ("", "nothing"),
    ],
)
def test_a_tag_code_that_is_no_bank_in_upper_case_hex_is_refused(
    store: Store, device: "FakeDevice", count: Counter, epc: str, problem: str
) -> None:
    whole = device.tag_read(seq=1)
    payload = whole.to_json().replace(whole.epc.encode(), epc.encode())

    outcome = store(device, payload)

    assert outcome.quarantined == (Reason.CONTRACT_BROKEN,), problem
    assert (count("tag_read"), count(JOBS)) == (0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE device SET enabled = false", Reason.DEVICE_DISABLED),
        ("UPDATE site SET province = 'lam-dong'", Reason.SITE_MISMATCH),
    ],
)
def test_a_tag_read_from_a_device_that_is_out_of_place_waits_in_quarantine(
    store: Store, device: "FakeDevice", rows: psycopg.Connection, change: str, reason: Reason
) -> None:
    rows.execute(change)

    outcome = store(device, device.tag_read(seq=1))

    assert (outcome.quarantined, acked(outcome)) == ((reason,), [1])


def test_a_reader_needs_no_registered_camera(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    rows.execute("DELETE FROM camera")

    outcome = store(device, device.tag_read(seq=1))

    assert (outcome.stored, outcome.quarantined) == (1, ())


def test_the_time_of_a_tag_read_is_believed_like_that_of_a_passage(
    store: Store, device: "FakeDevice"
) -> None:
    now = datetime.now(UTC)
    years_ago = now - timedelta(days=3 * 365)
    events = [
        device.tag_read(seq=1, captured_at=now + timedelta(days=1)),
        device.tag_read(seq=2, captured_at=years_ago),
        device.tag_read(seq=3, captured_at=years_ago, clock_source=ClockSource.FILE),
    ]

    outcome = store(device, *events)

    assert outcome.quarantined == (Reason.TIME_IN_FUTURE, Reason.TIME_TOO_OLD)
    assert (outcome.stored, acked(outcome)) == (1, [3])


def test_a_registered_device_gets_its_kept_tag_reads_back(
    *,
    store: Store,
    database_url: str,
    new_device: "Callable[[], FakeDevice]",
    register: Callable[..., None],
    count: Counter,
) -> None:
    stranger = new_device()
    store(stranger, stranger.tag_read(seq=1), stranger.passage(seq=2), stranger.tag_read(seq=3))
    info = connection_info(database_url)
    jobs_before = count(JOBS)

    register(database_url, stranger)
    released = release_quarantined(info, limits=LIMITS, now=datetime.now(UTC))

    assert (jobs_before, released) == (0, 3)
    assert (count("passage"), count("tag_read"), count(JOBS)) == (1, 2, 2)
    assert count("quarantine WHERE resolved_at IS NULL") == 0


def test_a_tag_read_comes_over_the_broker_and_is_stored_once_though_sent_twice(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
    wait_until: WaitUntil,
) -> None:
    link = linked(device)
    tag_read = device.tag_read(seq=2)
    late = tag_read.model_copy(update={"is_late": True})

    with ingest.running():
        link.send(device.passage(seq=1), tag_read, late)
        wait_until(lambda: ingest.counted("doubled") == 1, what="one doubled message")
        link.wait_for_ack(2)

    assert (count("passage"), count("tag_read"), count(JOBS)) == (1, 1, 1)
    assert count("quarantine") == 0


def test_a_device_can_not_speak_for_another_ones_reader(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    new_device: "Callable[[], FakeDevice]",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
    wait_until: WaitUntil,
) -> None:
    thief = linked(device)
    other = new_device()

    with ingest.running():
        # The broker does not let the first through, whether or not it ends the connection for it.
        thief.client.publish(other.topic(Stream.TAG_READ), other.tag_read(seq=1).to_json(), qos=1)
        thief.client.disconnect()
        link = linked(device)
        link.send_raw(other.tag_read(seq=1).to_json(), topic=device.topic(Stream.TAG_READ))
        wait_until(lambda: ingest.counted("quarantined") == 1, what="a message in quarantine")

    # Ingest did not believe the second.
    assert count("quarantine WHERE reason = 'topic_mismatch'") == 1
    assert (count("tag_read"), count("device_stream")) == (0, 0)


SITE = """
[device]
id = "{device_id}"
site_id = "km12"
province = "dak-lak"
secret_file = "secret"
[broker]
host = "{host}"
port = {port}
use_tls = false
ack_timeout = 1
[[readers]]
id = "reader-1"
host = "127.0.0.1"
port = {reader_port}
antennas = [{{ number = 1, lane = 2 }}]
gap = 0.3
"""


def device_with_a_reader(site_file: Path) -> Device:
    """The edge's own device, as its command makes it."""
    settings = load_settings(site_file)
    return Device(
        [],
        choice=ModelChoice(backend=Backend.AUTO, folder=None, workers=1),
        settings=settings,
        around=Surroundings(
            clock=lambda: datetime.now(UTC),
            rng=random.Random(5),  # noqa: S311 - jitter
            new_id=uuid7,
        ),
        boot_id=uuid4(),
        readers=settings.readers,
    )


def test_a_tag_that_passes_a_reader_is_one_row_at_the_centre(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    broker: "Broker",
    rows: psycopg.Connection,
    count: Counter,
    wait_until: WaitUntil,
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").write_text(broker.add_device(device.device_id))
    site_file = tmp_path / "site.toml"
    codes = [f"E2801160600002054E1A2B{number:02X}" for number in range(5)]

    with TagReaderEmulator() as reader, ingest.running():
        site_file.write_text(
            SITE.format(
                device_id=device.device_id,
                host=broker.host,
                port=broker.port,
                reader_port=reader.port,
            )
        )
        edge = device_with_a_reader(site_file)
        edge.start()
        wait_until(lambda: reader.is_reading, what="the reader takes inventory")
        for code in codes[:4]:
            reader.pass_tag(code, seconds=0.3)
        wait_until(lambda: count("tag_read") == 4, what="four tag reads")
        # The last one is passing when the device is told to stop, and is told by the next life.
        reader.pass_tag(codes[4], seconds=30.0)
        wait_until(lambda: reader.reports > 40, what="answers of the last tag")
        edge.stop()
        waiting = outbox_state(site_file)
        second_life = device_with_a_reader(site_file)
        second_life.start()
        wait_until(lambda: count("tag_read") >= 5, what="the tag read that waited")
        second_life.stop()

    stored = rows.execute(
        "SELECT epc, lane, reads > 3, is_late FROM tag_read ORDER BY seq LIMIT 5"
    ).fetchall()
    assert waiting in {0, 1}
    assert sorted(stored[:4]) == [(code, 2, True, False) for code in codes[:4]]
    assert stored[4][:3] == (codes[4], 2, True)
    assert count(JOBS) == count("tag_read") == count("passage_identity")
    assert count("quarantine") == 0


def outbox_state(site_file: Path) -> int:
    """Events that wait in a device's outbox."""
    return look_into(load_settings(site_file).outbox.path).events
