# SPDX-License-Identifier: AGPL-3.0-or-later
"""Traffic minutes, incidents and evidence notices: stored once, numbered with the passages."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from uuid_utils.compat import uuid7

from central.contracts.event import Event
from central.contracts.evidence_notice import EvidenceFate, EvidenceNoticeV1
from central.contracts.incident import IncidentKind, IncidentPhase, IncidentV1
from central.contracts.passage import BoxV1, Direction, EvidenceKind, EvidenceRefV1, VehicleClass
from central.contracts.topics import Stream
from central.contracts.traffic_minute import TrafficMinuteV1, VehicleCountV1
from central.db.pool import connection_info
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import BatchOutcome, Delivery, Reason
from central.settings import IngestSettings

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

Store = Callable[..., BatchOutcome]
LIMITS = IngestSettings().time_limits
CAMERA = "cam-1"
STREAMS = {
    TrafficMinuteV1: Stream.TRAFFIC_MINUTE,
    IncidentV1: Stream.INCIDENT,
    EvidenceNoticeV1: Stream.EVIDENCE_NOTICE,
}
TABLES = ("traffic_minute", "incident_report", "evidence_notice")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Store events in one committed batch, as ingest does."""
    database = IngestDatabase(connection_info(database_url))

    def store_events(device: "FakeDevice", *events: Event) -> BatchOutcome:
        messages = [
            parse(
                Delivery(
                    topic=device.topic(STREAMS.get(type(each), Stream.PASSAGE)),
                    payload=each.to_json(),
                )
            )
            for each in events
        ]
        with database.transaction() as connection:
            return store_batch(connection, messages, limits=LIMITS, now=datetime.now(UTC))

    yield store_events
    database.close()


def envelope(device: "FakeDevice", seq: int) -> dict[str, Any]:
    """What every event of the device has."""
    like = device.passage(seq=seq)
    names = ("device_id", "outbox_id", "boot_id", "seq", "site_id", "captured_at", "clock_source")
    return {"id": uuid7(), "clock_error_ms": 5, **{name: getattr(like, name) for name in names}}


def minute(device: "FakeDevice", seq: int = 1, **changes: object) -> TrafficMinuteV1:
    common = envelope(device, seq)
    begins_at = common["captured_at"].replace(second=0, microsecond=0) - timedelta(minutes=1)
    counted = VehicleCountV1(
        direction=Direction.DOWN,
        vehicle_class=VehicleClass.MOTORCYCLE,
        vehicles=31,
        plates_read=29,
    )
    values = {
        "camera_id": CAMERA,
        "lane": 1,
        "minute_at": begins_at,
        "frames_analysed": 720,
        "frames_dropped": 3,
        "counts": (counted,),
    }
    return TrafficMinuteV1(**{**common, **values, **changes})


def incident(device: "FakeDevice", seq: int = 2, **changes: object) -> IncidentV1:
    common = envelope(device, seq)
    values = {
        "incident_id": uuid7(),
        "incident_kind": IncidentKind.STOPPED_VEHICLE,
        "phase": IncidentPhase.BEGUN,
        "began_at": common["captured_at"] - timedelta(seconds=9),
        "camera_id": CAMERA,
        "confidence": 0.75,
        "box": BoxV1(x_min=1, y_min=2, x_max=3, y_max=4),
        "evidence": (EvidenceRefV1(kind=EvidenceKind.SCENE, sha256="ab" * 32, size_bytes=1000),),
    }
    return IncidentV1(**{**common, **values, **changes})


def notice(device: "FakeDevice", seq: int = 3, **changes: object) -> EvidenceNoticeV1:
    values = {"event_id": uuid7(), "sha256": "cd" * 32, "fate": EvidenceFate.DROPPED_FOR_ROOM}
    return EvidenceNoticeV1(**{**envelope(device, seq), **values, **changes})


def test_each_kind_becomes_a_row_with_everything_the_device_told(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    counted, stopped, given_up = minute(device), incident(device), notice(device, is_late=True)

    outcome = store(device, counted, stopped, given_up)

    assert (outcome.stored, outcome.late, outcome.quarantined) == (3, 1, ())
    assert rows.execute(
        "SELECT id, minute_at, captured_at, site_id, camera_id, lane, frames_analysed,"
        " frames_dropped, counts, seq, clock_source, is_late FROM traffic_minute"
    ).fetchall() == [
        (
            counted.id,
            counted.minute_at,
            counted.captured_at,
            counted.site_id,
            CAMERA,
            1,
            720,
            3,
            [
                {
                    "direction": "down",
                    "vehicle_class": "motorcycle",
                    "vehicles": 31,
                    "plates_read": 29,
                }
            ],
            1,
            "ntp",
            False,
        )
    ]
    assert rows.execute(
        "SELECT id, incident_id, kind, phase, began_at, camera_id, lane, confidence, box,"
        " pictures::bytea[], seq FROM incident_report"
    ).fetchall() == [
        (
            stopped.id,
            stopped.incident_id,
            "stopped_vehicle",
            "begun",
            stopped.began_at,
            CAMERA,
            None,
            0.75,
            {"x_min": 1.0, "y_min": 2.0, "x_max": 3.0, "y_max": 4.0},
            [b"\xab" * 32],
            2,
        )
    ]
    assert rows.execute(
        "SELECT id, event_id, sha256, fate, seq, is_late FROM evidence_notice"
    ).fetchall() == [
        (given_up.id, given_up.event_id, b"\xcd" * 32, "dropped_for_room", 3, True),
    ]


def test_all_kinds_of_one_outbox_are_proved_complete_together(
    store: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    events = [minute(device, 1), incident(device, 2), notice(device, 3), device.passage(seq=4)]

    first = store(device, events[3], events[0], events[2])
    again = store(device, *events)

    assert [ack.up_to_seq for ack in first.acks] == [1]
    assert [ack.up_to_seq for ack in again.acks] == [4]
    assert (first.stored, again.stored, again.doubled) == (3, 1, 3)
    for table in TABLES:
        assert rows.execute(f"SELECT count(*) FROM {table}").fetchall() == [(1,)]  # noqa: S608  # names stand above
    assert rows.execute("SELECT held::text, stored_count FROM device_stream").fetchall() == [
        ("{[1,5)}", 4)
    ]


@pytest.mark.parametrize("make", [minute, incident])
def test_a_record_of_a_camera_that_nobody_knows_waits_in_quarantine(
    store: Store, device: "FakeDevice", make: Callable[..., Event]
) -> None:
    outcome = store(device, make(device, 1, camera_id="no-camera"))

    assert outcome.quarantined == (Reason.UNKNOWN_CAMERA,)
    assert [ack.up_to_seq for ack in outcome.acks] == [1]


def test_fields_of_a_newer_minor_version_do_not_keep_a_record_out(
    device: "FakeDevice", rows: psycopg.Connection, database_url: str
) -> None:
    newer = minute(device).to_json().replace(b'"lane":1', b'"lane":1,"queue_m":{"longest":40}')
    database = IngestDatabase(connection_info(database_url))

    with database.transaction() as connection:
        message = parse(Delivery(topic=device.topic(Stream.TRAFFIC_MINUTE), payload=newer))
        outcome = store_batch(connection, [message], limits=LIMITS, now=datetime.now(UTC))
    database.close()

    assert (outcome.stored, outcome.quarantined) == (1, ())
    assert rows.execute("SELECT lane FROM traffic_minute").fetchall() == [(1,)]


def test_a_record_on_the_topic_of_another_stream_is_refused_and_its_number_counts(
    device: "FakeDevice", store: Store, rows: psycopg.Connection, database_url: str
) -> None:
    database = IngestDatabase(connection_info(database_url))

    with database.transaction() as connection:
        message = parse(
            Delivery(topic=device.topic(Stream.INCIDENT), payload=minute(device).to_json())
        )
        outcome = store_batch(connection, [message], limits=LIMITS, now=datetime.now(UTC))
    database.close()

    assert outcome.quarantined == (Reason.CONTRACT_BROKEN,)
    assert [ack.up_to_seq for ack in store(device, incident(device, 2)).acks] == [2]
    assert rows.execute("SELECT seq, reason FROM quarantine").fetchall() == [(1, "contract_broken")]
