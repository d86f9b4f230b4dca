# SPDX-License-Identifier: AGPL-3.0-or-later
"""Events go out in order and leave the outbox only when the centre has committed them."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Self
from uuid import uuid4

import pytest

from central.contracts.commit_ack import CommitAckV1
from central.contracts.event import ClockSource
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.topics import Stream, Topic
from deploy.local.ports import free_port
from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits
from edge.publish.events import EventPublisher, PublishRules
from edge.publish.link import BrokerAccess
from tests.conftest import BrokerForTests
from tests.integration.edge.centre import Centre, wait_until
from tests.unit.edge.makers import BOOT_ID, DEVICE_ID, NOW, message, tag_message

RULES = PublishRules(
    province="dak-lak",
    site_id="site-01",
    device_id=DEVICE_ID,
    boot_id=BOOT_ID,
    window=10,
    ack_timeout=timedelta(seconds=0.5),
    late_after=timedelta(minutes=5),
    heartbeat_interval=timedelta(seconds=1),
)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=1_000_000)) as opened:
        yield opened


@pytest.fixture
def centre(broker: BrokerForTests) -> Iterator[Centre]:
    made = Centre(host=broker.host, port=broker.port, password=broker.password("ingest"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def access(broker: BrokerForTests) -> BrokerAccess:
    return BrokerAccess(
        host=broker.host,
        port=broker.port,
        username=DEVICE_ID,
        secret=broker.add_device(DEVICE_ID),
        use_tls=False,
    )


class Running:
    """A publisher in its thread."""

    def __init__(self, outbox: Outbox, access: BrokerAccess, rules: PublishRules = RULES) -> None:
        self._outbox = outbox
        self.publisher = EventPublisher(
            outbox,
            access=access,
            rules=rules,
            heartbeat=self._heartbeat,
            clock=lambda: NOW,
            rng=random.Random(3),  # noqa: S311 - jitter
        )
        self._stop = Event()
        self._thread = Thread(target=self.publisher.run, args=(self._stop,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.publisher.wake()
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()

    def _heartbeat(self) -> HeartbeatV1:
        state = self._outbox.state()
        return HeartbeatV1(
            id=uuid4(),
            device_id=DEVICE_ID,
            outbox_id=state.outbox_id,
            boot_id=BOOT_ID,
            site_id="site-01",
            sent_at=NOW,
            uptime_s=1,
            software_version="1",
            clock_source=ClockSource.NTP,
            clock_error_ms=1,
            outbox_last_seq=state.last_seq,
            outbox_events=state.events,
            outbox_pictures=0,
            outbox_bytes=0,
            pictures_dropped=0,
            disk_free_bytes=1,
            resident_bytes=1,
        )


def put(outbox: Outbox, count: int) -> None:
    for _ in range(count):
        outbox.put(message, (), now=NOW)


def ack_topic() -> Topic:
    return Topic(province="dak-lak", site_id="site-01", device_id=DEVICE_ID, stream=Stream.ACK)


def test_waiting_events_go_out_in_order_and_leave_when_they_are_committed(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    put(outbox, 35)

    with Running(outbox, access):
        wait_until(lambda: outbox.state().events == 0)

    assert centre.seqs(outbox.outbox_id) == list(range(1, 36))
    assert {passage.is_late for passage in centre.passages(outbox.outbox_id)} == {False}


def test_tag_reads_go_out_on_their_own_topic_in_the_same_row_of_numbers(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    for make in (message, tag_message, message, tag_message):
        outbox.put(make, (), now=NOW)

    with Running(outbox, access):
        wait_until(lambda: outbox.state().events == 0)

    assert centre.seqs(outbox.outbox_id) == [1, 3]
    tag_reads = centre.tag_reads(outbox.outbox_id)
    assert [(tag_read.seq, tag_read.is_late) for tag_read in tag_reads] == [(2, False), (4, False)]


def test_a_tag_read_of_an_earlier_life_is_late(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    outbox.put(lambda slot: tag_message(slot, boot_id=uuid4()), (), now=NOW)

    with Running(outbox, access):
        wait_until(lambda: outbox.state().events == 0)

    assert [tag_read.is_late for tag_read in centre.tag_reads(outbox.outbox_id)] == [True]


def test_a_new_event_goes_out_at_once(outbox: Outbox, centre: Centre, access: BrokerAccess) -> None:
    with Running(outbox, access) as running:
        wait_until(lambda: running.publisher.status().is_connected)
        put(outbox, 1)
        running.publisher.wake()

        wait_until(lambda: outbox.state().events == 0, limit_s=3)

    assert centre.seqs(outbox.outbox_id) == [1]


def test_events_that_nobody_commits_stay_and_are_sent_again(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    centre.is_acknowledging = False
    put(outbox, 3)

    with Running(outbox, access):
        wait_until(lambda: centre.seqs(outbox.outbox_id)[:6] == [1, 2, 3, 1, 2, 3])
        assert outbox.state().events == 3

        centre.is_acknowledging = True
        wait_until(lambda: outbox.state().events == 0)


def test_no_more_events_are_in_flight_than_the_window_allows(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    centre.is_acknowledging = False
    put(outbox, 30)
    patient = replace(RULES, ack_timeout=timedelta(seconds=60))

    with Running(outbox, access, patient) as running:
        wait_until(lambda: len(centre.seqs(outbox.outbox_id)) == 5)
        put(outbox, 8)
        running.publisher.wake()
        wait_until(lambda: len(centre.heartbeats) >= 2)
        seen = centre.seqs(outbox.outbox_id)

    assert seen == [1, 2, 3, 4, 5, *range(31, 36)]


def test_what_is_captured_now_goes_before_a_backlog(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    centre.is_acknowledging = False
    put(outbox, 300)

    with Running(outbox, access) as running:
        wait_until(lambda: len(centre.seqs(outbox.outbox_id)) >= 5)
        centre.is_acknowledging = True
        put(outbox, 1)
        running.publisher.wake()
        wait_until(lambda: outbox.state().events == 0)

    seqs = centre.seqs(outbox.outbox_id)
    assert seqs.index(301) < seqs.index(30)
    assert set(seqs) == set(range(1, 302))


def test_a_lost_acknowledgement_is_answered_by_sending_again_after_reconnecting(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    centre.is_acknowledging = False
    put(outbox, 3)
    patient = replace(RULES, ack_timeout=timedelta(seconds=60))
    with Running(outbox, access, patient):
        wait_until(lambda: centre.seqs(outbox.outbox_id) == [1, 2, 3])

    centre.is_acknowledging = True
    with Running(outbox, access, patient):
        wait_until(lambda: outbox.state().events == 0)

    assert centre.seqs(outbox.outbox_id) == [1, 2, 3, 1, 2, 3]


def test_acknowledgements_of_another_outbox_and_nonsense_are_ignored_and_counted(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    centre.is_acknowledging = False
    put(outbox, 2)

    with Running(outbox, access) as running:
        wait_until(lambda: len(centre.seqs(outbox.outbox_id)) >= 2)
        foreign = CommitAckV1(device_id=DEVICE_ID, outbox_id=uuid4(), up_to_seq=2)
        centre.send(ack_topic(), foreign.to_json())
        centre.send(ack_topic(), b"no json")
        wait_until(lambda: running.publisher.status().acks_ignored == 2)

    assert outbox.state().events == 2


def test_an_acknowledgement_of_numbers_never_given_forgets_nothing(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    centre.is_acknowledging = False
    put(outbox, 2)

    with Running(outbox, access) as running:
        wait_until(lambda: len(centre.seqs(outbox.outbox_id)) >= 2)
        ahead = CommitAckV1(device_id=DEVICE_ID, outbox_id=outbox.outbox_id, up_to_seq=9)
        centre.send(ack_topic(), ahead.to_json())
        wait_until(lambda: running.publisher.status().acks_ignored == 1)
        put(outbox, 1)
        running.publisher.wake()

        wait_until(lambda: 3 in centre.seqs(outbox.outbox_id))

    assert outbox.state().events == 3


def test_events_of_an_earlier_life_are_late(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    outbox.put(lambda slot: message(slot, boot_id=uuid4()), (), now=NOW)
    put(outbox, 1)

    with Running(outbox, access):
        wait_until(lambda: outbox.state().events == 0)

    assert [passage.is_late for passage in centre.passages(outbox.outbox_id)] == [True, False]


def test_events_that_waited_too_long_are_late(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    outbox.put(message, (), now=NOW - timedelta(minutes=6))
    put(outbox, 1)

    with Running(outbox, access):
        wait_until(lambda: outbox.state().events == 0)

    assert [passage.is_late for passage in centre.passages(outbox.outbox_id)] == [True, False]


def test_heartbeats_come_again_and_again(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    put(outbox, 1)

    with Running(outbox, access):
        wait_until(lambda: len(centre.heartbeats) >= 2)

    assert centre.heartbeats[0].device_id == DEVICE_ID
    assert centre.heartbeats[-1].outbox_last_seq == 1


def test_a_wrong_password_is_said_plainly_and_events_wait(
    outbox: Outbox, access: BrokerAccess
) -> None:
    put(outbox, 1)

    with Running(outbox, replace(access, secret="wrong")) as running:
        wait_until(lambda: "refuses this device" in (running.publisher.status().problem or ""))

    assert outbox.state().events == 1
    assert "wrong" not in (running.publisher.status().problem or "")


def test_a_broker_that_is_not_there_is_said_plainly_and_events_wait(
    outbox: Outbox, access: BrokerAccess
) -> None:
    put(outbox, 1)

    with Running(outbox, replace(access, port=free_port())) as running:
        wait_until(lambda: "can't be reached" in (running.publisher.status().problem or ""))

    assert outbox.state().events == 1


def test_the_next_node_is_tried_where_one_is_away(
    outbox: Outbox, centre: Centre, access: BrokerAccess
) -> None:
    here = (access.host, access.port)
    put(outbox, 1)

    with Running(outbox, replace(access, port=free_port(), others=(here,))):
        wait_until(lambda: outbox.state().events == 0)

    assert centre.seqs(outbox.outbox_id) == [1]


def test_a_broker_that_never_answers_does_not_keep_the_device_from_stopping(
    outbox: Outbox, access: BrokerAccess
) -> None:
    put(outbox, 1)
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as stack:
        port = silent.getsockname()[1]

        # Leaving the block asserts that the thread ends within ten seconds.
        with Running(outbox, replace(access, port=port)):
            connection, _ = silent.accept()
            stack.enter_context(connection)

    assert outbox.state().events == 1
