# SPDX-License-Identifier: AGPL-3.0-or-later
"""The AMQP adapter of ingest: what it holds, gives back, shares and repeats."""

import functools
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from structlog.testing import capture_logs

from central.contracts.topics import Stream, parse_topic
from central.devices.rabbitmq.names import INGEST_QUEUE, VHOST, mqtt_topic, routing_key
from central.ingest.broker.amqp_nodes import Nodes
from central.ingest.types import ParsedMessage
from central.settings import CentralSettings
from deploy.local.ports import LOOPBACK, free_port
from deploy.rabbitmq.cluster import RabbitCluster
from tests.cluster.conftest import forget_queue
from tests.cluster.readers import IN_FLIGHT_MAX, Reader
from tests.integration.central.conftest import DeviceLink, FakeDevice, wait_until


@pytest.fixture
def reader(ingest_settings: CentralSettings) -> Reader:
    return Reader(ingest_settings)


@pytest.fixture
def cut() -> Callable[[Reader], None]:
    """Break a reader's connection as a network does, and wait for the next one."""

    def break_it(reader: Reader) -> None:
        link = reader.link._link
        channel = reader.link._channel
        assert channel is not None
        channel.connection._impl._transport._sock.shutdown(socket.SHUT_RDWR)
        wait_until(
            lambda: reader.link._link > link and reader.is_connected, what="the next connection"
        )

    return break_it


@pytest.fixture
def sender(
    ingest_settings: CentralSettings,
    linked: Callable[[FakeDevice], DeviceLink],
    new_device: Callable[[], FakeDevice],
) -> DeviceLink:
    """A connected device; the queue is there before it sends."""
    with Reader(ingest_settings).reading():
        return linked(new_device())


def test_what_is_acknowledged_is_gone_and_the_rest_comes_again(
    reader: Reader, sender: DeviceLink, ingest_settings: CentralSettings
) -> None:
    sender.send(*(sender.device.passage(seq=seq) for seq in range(1, 6)))
    with reader.reading():
        first = reader.take(5)
        reader.acknowledge(first[:3])
    again = Reader(ingest_settings)

    with again.reading():
        repeated = again.take(2)
        again.acknowledge(repeated)

    assert _payloads(repeated) == _payloads(first[3:])


def test_acknowledgements_out_of_order_keep_what_lies_between(
    reader: Reader, sender: DeviceLink, ingest_settings: CentralSettings
) -> None:
    sender.send(*(sender.device.passage(seq=seq) for seq in range(1, 6)))
    with reader.reading():
        first = reader.take(5)
        reader.acknowledge([first[4], first[1]])
    again = Reader(ingest_settings)

    with again.reading():
        repeated = again.take(3)
        again.acknowledge(repeated)

    assert _payloads(repeated) == _payloads([first[0], first[2], first[3]])


def test_a_delivery_of_an_earlier_connection_is_never_acknowledged_on_a_new_one(
    reader: Reader, sender: DeviceLink, cut: Callable[[Reader], None]
) -> None:
    sender.send(*(sender.device.passage(seq=seq) for seq in (1, 2)))
    with reader.reading():
        earlier = reader.take(1)
        cut(reader)
        reader.acknowledge(earlier)  # the same number would mean another delivery now
        repeated = reader.take(2)
        cut(reader)
        again = reader.take(2)
        reader.acknowledge(again)

    assert _payloads(again) == _payloads(repeated)
    assert {each.delivery.link for each in repeated}.isdisjoint({earlier[0].delivery.link})


def test_no_more_is_in_hand_than_was_agreed(reader: Reader, sender: DeviceLink) -> None:
    sender.send(*(sender.device.passage(seq=seq) for seq in range(1, 31)))

    with reader.reading():
        held = reader.take(IN_FLIGHT_MAX)
        Event().wait(0.3)
        more = reader.messages.qsize()
        reader.acknowledge(held)
        rest = reader.take(IN_FLIGHT_MAX)

    assert more == 0
    assert not set(_payloads(held)) & set(_payloads(rest))


def test_ingests_share_what_comes_and_nothing_goes_to_two(
    reader: Reader, sender: DeviceLink, ingest_settings: CentralSettings
) -> None:
    other = Reader(ingest_settings)
    with reader.reading(), other.reading():
        sender.send(*(sender.device.passage(seq=seq) for seq in range(1, 11)))
        wait_until(
            lambda: reader.messages.qsize() + other.messages.qsize() == 10, what="ten messages"
        )
        one, two = (each.take(each.messages.qsize()) for each in (reader, other))

    assert one
    assert two
    assert len(set(_payloads(one + two))) == 10


def test_a_message_outlives_more_deliveries_than_rabbitmq_usually_grants(
    reader: Reader, sender: DeviceLink
) -> None:
    sender.send(sender.device.passage(seq=1))

    with reader.reading():
        held = reader.take(1)
        for _ in range(25):  # the usual limit is 20; after it the message would be dropped
            channel = reader.link._channel
            assert channel is not None
            tag = held[0].delivery.message_id
            channel.connection.add_callback_threadsafe(
                functools.partial(channel.basic_nack, tag, requeue=True)
            )
            repeated = reader.take(1)
            assert _payloads(repeated) == _payloads(held)
            held = repeated


def test_a_queue_that_somebody_removes_is_made_again(
    reader: Reader, sender: DeviceLink, rabbitmq: RabbitCluster
) -> None:
    with reader.reading():
        link = reader.link._link
        forget_queue(rabbitmq)
        wait_until(lambda: reader.link._link > link and reader.is_connected, what="a new queue")
        sender.send(sender.device.passage(seq=1))

        assert len(reader.take(1)) == 1


def test_the_queue_is_on_every_node(reader: Reader, rabbitmq: RabbitCluster) -> None:
    with reader.reading():
        found = rabbitmq.manage("GET", f"queues/{VHOST}/{INGEST_QUEUE}").json()

    assert found["type"] == "quorum"
    assert set(found["members"]) == {node.name for node in rabbitmq.nodes}


def test_a_node_that_is_away_is_passed_over(ingest_settings: CentralSettings) -> None:
    broker = ingest_settings.required_broker()
    assert broker.rabbitmq is not None
    absent = f"{LOOPBACK}:{free_port()}"
    rabbitmq = broker.rabbitmq.model_copy(update={"nodes": (absent, broker.rabbitmq.nodes[0])})
    reader = Reader(
        ingest_settings.model_copy(
            update={"broker": broker.model_copy(update={"rabbitmq": rabbitmq})}
        )
    )

    with reader.reading():
        assert reader.is_connected


def test_a_refused_login_is_said_without_the_password(
    ingest_settings: CentralSettings, tmp_path: Path
) -> None:
    broker = ingest_settings.required_broker()
    assert broker.rabbitmq is not None
    wrong = tmp_path / "wrong"
    wrong.write_text("very-secret")
    nodes = Nodes(
        settings=broker.model_copy(update={"password_file": wrong}),
        rabbitmq=broker.rabbitmq,
        name="events",
    )
    reader = Reader(
        ingest_settings.model_copy(
            update={"broker": broker.model_copy(update={"password_file": wrong})}
        )
    )

    with capture_logs() as lines, reader.link.connected():
        wait_until(lambda: len(lines) >= 2, what="two tries")

    said = [line for line in lines if line["event"] == "broker_disconnected"]
    assert "ACCESS_REFUSED" in said[0]["reason"] or "Authentication" in said[0]["reason"]
    assert said[0]["node"] in broker.rabbitmq.nodes
    assert "very-secret" not in f"{lines} {nodes!r}"


def test_a_dot_in_a_name_can_not_reach_another_level(sender: DeviceLink) -> None:
    name = routing_key("lt/1/dak-lak/km12/gate-1.passage")

    with pytest.raises(ValueError, match="province, site, device and stream"):
        parse_topic(mqtt_topic(name))
    assert parse_topic(sender.device.topic(Stream.PASSAGE)).device_id == sender.device.device_id


def _payloads(messages: list[ParsedMessage]) -> list[bytes]:
    return [each.delivery.payload for each in messages]
