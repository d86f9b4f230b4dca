# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ingest between a real broker and a real database."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from central.contracts.event import ClockSource
from central.contracts.topics import Stream
from central.ingest.broker.port import BrokerLink

if TYPE_CHECKING:
    from tests.integration.central.conftest import DeviceLink, FakeDevice, IngestRunner

Counter = Callable[[str], int]
WaitUntil = Callable[..., None]


def test_a_passage_becomes_a_row_and_is_acknowledged(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
) -> None:
    link = linked(device)
    passage = device.passage(seq=1)

    with ingest.running():
        link.send(passage)
        link.wait_for_ack(1)

    stored = rows.execute(
        "SELECT id, device_id, seq, plate_text, plate_colour, lane FROM passage"
    ).fetchall()
    assert stored == [(passage.id, device.device_id, 1, "47AD15155", "white", 1)]
    named = rows.execute("SELECT kind FROM passage_evidence ORDER BY kind").fetchall()
    assert named == [("plate",), ("scene",)]


def test_the_same_passage_twice_is_stored_once(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
    wait_until: WaitUntil,
) -> None:
    link = linked(device)
    first = device.passage(seq=1)
    again = first.model_copy(update={"is_late": True})

    with ingest.running():
        link.send(first, again, first)
        wait_until(lambda: ingest.counted("doubled") == 2, what="two doubled messages")

    assert count("passage") == 1
    assert count("quarantine") == 0


def test_a_gap_holds_the_acknowledgement_back_until_it_is_filled(
    ingest: "IngestRunner", device: "FakeDevice", linked: "Callable[[FakeDevice], DeviceLink]"
) -> None:
    link = linked(device)

    with ingest.running():
        link.send(device.passage(seq=1), device.passage(seq=3), device.passage(seq=4))
        link.wait_for_ack(1)
        acked_with_gap = link.acked_up_to
        link.send(device.passage(seq=2))
        link.wait_for_ack(4)

    assert acked_with_gap == 1
    assert link.acked_up_to == 4


def test_a_repeat_after_a_crash_between_commit_and_acknowledgement_is_stored_once(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
    link_kind: type[BrokerLink],
) -> None:
    link = linked(device)
    committed = threading.Event()

    with monkeypatch.context() as patch:
        # What a crash does: the commit is there, the acknowledgements are not.
        patch.setattr(link_kind, "acknowledge", lambda *_: committed.set())
        with ingest.running():
            link.send(device.passage(seq=1), device.passage(seq=2))
            wait_until(lambda: count("passage") == 2, what="two rows")
            assert committed.wait(5)
    with ingest.running():
        link.wait_for_ack(2)

    assert count("passage") == 2
    assert ingest.counted("doubled") == 2


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"this is no JSON", "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        (b"", "not_json"),
        (b"{}", "contract_broken"),
        (b'{"kind": "passage/2", "seq": "many"}', "contract_broken"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "too_big"),
    ],
)
def test_a_message_that_is_no_passage_is_kept_whole_in_quarantine(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
    wait_until: WaitUntil,
    payload: bytes,
    reason: str,
) -> None:
    link = linked(device)

    with ingest.running():
        link.send_raw(payload)
        wait_until(lambda: ingest.counted("quarantined") == 1, what="a message in quarantine")

    kept = rows.execute("SELECT reason, payload, device_id FROM quarantine").fetchall()
    assert kept == [(reason, payload, device.device_id)]


def test_a_passage_from_the_year_2099_goes_to_quarantine_and_its_number_counts(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
    count: Counter,
) -> None:
    link = linked(device)
    year_2099 = datetime(2099, 1, 1, tzinfo=UTC)

    with ingest.running():
        link.send(device.passage(seq=1, captured_at=year_2099), device.passage(seq=2))
        link.wait_for_ack(2)

    assert count("passage") == 1
    assert rows.execute("SELECT reason, seq FROM quarantine").fetchall() == [("time_in_future", 1)]


def test_a_broken_passage_with_a_readable_number_does_not_block_the_acknowledgement(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
) -> None:
    link = linked(device)
    broken = device.passage(seq=1).to_json().replace(b'"direction":"down"', b'"direction":"zzz"')

    with ingest.running():
        link.send_raw(broken)
        link.send(device.passage(seq=2))
        link.wait_for_ack(2)

    assert count("quarantine WHERE reason = 'contract_broken' AND seq = 1") == 1


def test_a_device_that_names_another_in_its_message_can_not_speak_for_it(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    new_device: "Callable[[], FakeDevice]",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
    wait_until: WaitUntil,
) -> None:
    link = linked(device)
    other = new_device()

    with ingest.running():
        link.send(other.passage(seq=1))
        wait_until(lambda: ingest.counted("quarantined") == 1, what="a message in quarantine")

    assert count("quarantine WHERE reason = 'topic_mismatch'") == 1
    assert count("device_stream") == 0


def test_a_poisonous_row_does_not_block_the_others_of_its_batch(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
    count: Counter,
) -> None:
    # A rule that the contract does not know: the database refuses one row of the batch.
    rows.execute("ALTER TABLE passage ADD CONSTRAINT poison CHECK (frame_index <> 666)")
    link = linked(device)
    passages = [device.passage(seq=seq) for seq in range(1, 21)]
    passages[6] = device.passage(seq=7, frame_index=666)

    link.send(*passages)
    with ingest.running():
        link.send(*passages)
        link.wait_for_ack(20)

    assert count("passage") == 19
    kept = rows.execute("SELECT reason, detail, seq FROM quarantine").fetchall()
    assert kept == [("refused_by_database", "SQLSTATE 23514 poison", 7)]


def test_a_heartbeat_updates_the_device_and_announces_its_last_number(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
    wait_until: WaitUntil,
) -> None:
    link = linked(device)
    heartbeat = device.heartbeat(outbox_last_seq=17, outbox_events=3)

    with ingest.running():
        link.send_raw(heartbeat.to_json(), topic=device.topic(Stream.HEARTBEAT))
        wait_until(lambda: ingest.counted("heartbeat") == 1, what="the heartbeat")

    status = rows.execute("SELECT heartbeat_id, outbox_events, is_silent FROM device_status")
    assert status.fetchall() == [(heartbeat.id, 3, False)]
    announced = rows.execute("SELECT announced_seq FROM device_stream").fetchall()
    assert announced == [(17,)]


def test_nothing_is_lost_while_the_database_refuses_connections(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
    database_outage: Callable[[], AbstractContextManager[None]],
    count: Counter,
    wait_until: WaitUntil,
) -> None:
    link = linked(device)

    with ingest.running():
        link.send(device.passage(seq=1))
        link.wait_for_ack(1)
        with database_outage():
            link.send(*(device.passage(seq=seq) for seq in range(2, 52)))
            wait_until(
                lambda: ingest.count("luuthong_ingest_commit_failures_total") >= 2,
                what="failed commits",
            )
            stored_meanwhile = count("passage")
        link.wait_for_ack(51)

    assert stored_meanwhile == 1
    assert count("passage") == 51
    assert rows.execute("SELECT doubled_count FROM device_stream").fetchall() == [(0,)]


def test_events_of_a_device_that_nobody_knows_are_kept_and_stored_once_it_is_registered(
    *,
    ingest: "IngestRunner",
    database_url: str,
    new_device: "Callable[[], FakeDevice]",
    register: Callable[..., None],
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
) -> None:
    stranger = new_device()
    link = linked(stranger)
    passages = [stranger.passage(seq=seq) for seq in (1, 2, 3)]

    with ingest.running():
        link.send(*passages)
        link.wait_for_ack(3)
        in_quarantine = count("quarantine WHERE reason = 'unknown_device'")
        register(database_url, stranger)
        link.send(passages[0], stranger.passage(seq=4))
        link.wait_for_ack(4)

    assert in_quarantine == 3
    assert count("passage") == 2
    assert count("quarantine WHERE resolved_at IS NULL") == 2


def test_an_old_event_from_a_long_outage_is_stored_as_late(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
) -> None:
    link = linked(device)
    days_ago = datetime.now(UTC) - timedelta(days=40)

    with ingest.running():
        link.send(device.passage(seq=1, captured_at=days_ago, is_late=True))
        link.wait_for_ack(1)

    assert rows.execute("SELECT stored_count, late_count FROM device_stream").fetchall() == [(1, 1)]


def test_an_event_that_waited_on_its_way_counts_as_late_but_a_recording_does_not(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    rows: psycopg.Connection,
) -> None:
    link = linked(device)
    old = datetime.now(UTC) - timedelta(minutes=6)

    with ingest.running():
        link.send(
            device.passage(seq=1, captured_at=old),
            device.passage(seq=2),
            device.passage(seq=3, captured_at=old, clock_source=ClockSource.FILE),
            device.tag_read(seq=4, captured_at=old),
        )
        link.wait_for_ack(4)

    passages = rows.execute("SELECT seq, is_late FROM passage ORDER BY seq").fetchall()
    assert passages == [(1, True), (2, False), (3, False)]
    assert rows.execute("SELECT is_late FROM tag_read").fetchall() == [(True,)]
    assert rows.execute("SELECT late_count FROM device_stream").fetchall() == [(2,)]


def test_an_ingest_that_was_away_gets_what_was_sent_meanwhile(
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Counter,
) -> None:
    link = linked(device)
    with ingest.running():
        link.send(device.passage(seq=1))
        link.wait_for_ack(1)

    link.send(*(device.passage(seq=seq) for seq in range(2, 302)))
    with ingest.running():
        link.wait_for_ack(301)

    assert count("passage") == 301
