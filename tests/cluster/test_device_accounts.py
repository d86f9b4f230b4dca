# SPDX-License-Identifier: AGPL-3.0-or-later
"""The centre gives and takes accounts at a RabbitMQ cluster; a device touches its own topics only.

Two tests are those of mosquitto, once more with another broker.
"""

from collections.abc import Callable, Iterator

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from central.contracts.topics import Stream
from central.devices.broker_rights import INGEST_USERNAME
from central.devices.broker_sync import synchronise
from central.devices.rabbitmq.accounts import ManagementAccess, RabbitAccounts
from central.devices.rabbitmq.names import EXCHANGE, INGEST_QUEUE, VHOST, mqtt_topic, routing_key
from central.errors import BrokerControlError
from central.ingest.broker.amqp import declare_queue
from deploy.local.ports import LOOPBACK, free_port
from deploy.rabbitmq.cluster import RabbitCluster
from tests.cluster.conftest import RabbitForTests, forget_queue, speaking_amqp
from tests.integration.central.test_broker_accounts import (
    FOREIGN,
    OWN,
    WAIT_S,
    Client,
    connected,
    test_a_barred_device_is_disconnected_and_let_in_again_with_its_secret,
    test_a_removed_device_is_gone_and_removing_it_again_is_no_error,
    topic,
)

__all__ = [
    "test_a_barred_device_is_disconnected_and_let_in_again_with_its_secret",
    "test_a_removed_device_is_gone_and_removing_it_again_is_no_error",
]


@pytest.fixture
def ingest_channel(rabbitmq: RabbitCluster) -> Iterator[BlockingChannel]:
    """Ingest's side of the broker, with an empty queue."""
    forget_queue(rabbitmq)
    with speaking_amqp(rabbitmq, INGEST_USERNAME, rabbitmq.ingest_secret) as connection:
        channel = connection.channel()
        declare_queue(channel)
        yield channel


@pytest.fixture
def device(broker: RabbitForTests) -> Iterator[Client]:
    secret = broker.add_device(OWN)
    broker.add_device(FOREIGN)
    with connected(broker, OWN, secret) as made:
        yield made


def test_a_device_sends_and_hears_under_its_own_name_only(
    device: Client, ingest_channel: BlockingChannel
) -> None:
    assert device.may_publish(topic(OWN), b"own")
    assert device.may_publish(topic(OWN, Stream.HEARTBEAT), b"beat")
    assert device.may_subscribe(topic(OWN, Stream.ACK))
    assert device.may_subscribe(topic(OWN, Stream.COMMAND))

    ingest_channel.basic_publish(EXCHANGE, routing_key(topic(OWN, Stream.ACK)), b"answer")

    assert device.messages.get(timeout=WAIT_S) == (topic(OWN, Stream.ACK), b"answer")
    assert _taken(ingest_channel) == [
        (topic(OWN), b"own"),
        (topic(OWN, Stream.HEARTBEAT), b"beat"),
    ]


@pytest.mark.parametrize(
    "name", [topic(FOREIGN), topic(OWN, Stream.ACK), topic(OWN, Stream.COMMAND), "lt/1"]
)
def test_the_broker_hangs_up_on_a_device_that_sends_under_another_name(
    device: Client, ingest_channel: BlockingChannel, name: str
) -> None:
    device.client.publish(name, b"foreign", qos=1)

    assert device.gone.wait(WAIT_S)
    assert _taken(ingest_channel) == []


@pytest.mark.parametrize(
    "name", [topic(FOREIGN, Stream.ACK), topic(OWN), "lt/#", "#", "lt/1/+/+/+/ack"]
)
def test_the_broker_hangs_up_on_a_device_that_listens_to_others(
    device: Client, ingest_channel: BlockingChannel, name: str
) -> None:
    device.client.subscribe(name, qos=1)

    assert device.gone.wait(WAIT_S)
    ingest_channel.basic_publish(EXCHANGE, routing_key(topic(FOREIGN, Stream.ACK)), b"answer")
    assert device.messages.empty()


@pytest.mark.parametrize(
    "act",
    [
        lambda channel: channel.basic_get(INGEST_QUEUE),
        lambda channel: channel.queue_declare("anything"),
        lambda channel: channel.queue_purge(INGEST_QUEUE),
        lambda channel: channel.basic_publish(EXCHANGE, routing_key(topic(FOREIGN)), b"foreign"),
        lambda channel: channel.basic_publish("", INGEST_QUEUE, b"past the topics"),
    ],
    ids=["read all", "make a queue", "empty the queue", "another's topic", "into the queue"],
)
def test_a_device_that_speaks_amqp_has_no_other_rights(
    *,
    act: Callable[[BlockingChannel], object],
    broker: RabbitForTests,
    rabbitmq: RabbitCluster,
    ingest_channel: BlockingChannel,
) -> None:
    with speaking_amqp(rabbitmq, OWN, broker.add_device(OWN)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            act(channel)

    assert _taken(ingest_channel) == []


def test_a_new_secret_ends_the_connection_with_the_old_one(
    rabbitmq: RabbitCluster, broker: RabbitForTests
) -> None:
    old = broker.add_device(OWN)
    with connected(broker, OWN, old) as device:
        broker.add_device(OWN)

        assert device.gone.wait(WAIT_S)
    with pytest.raises(AMQPError):
        speaking_amqp(rabbitmq, OWN, old)


def test_a_synchronisation_gives_takes_and_mends_what_is_not_as_the_centre_has_it(
    rabbitmq: RabbitCluster, accounts: RabbitAccounts
) -> None:
    for account in accounts.accounts():
        accounts.remove(account.device_id)
    for name in ("gate-right", "gate-barred", "gate-stranger", "gate-half"):
        accounts.let_in(name, secret="x")
    rabbitmq.manage("DELETE", f"topic-permissions/{VHOST}/gate-half")
    wanted = {"gate-right": True, "gate-barred": False, "gate-half": True, "gate-new": True}

    done = synchronise(accounts, wanted)
    again = synchronise(accounts, wanted)

    assert (done.let_in, done.barred, done.removed) == (2, 1, 1)
    assert (again.let_in, again.barred, again.removed) == (0, 0, 0)
    assert {each.device_id: each.may_send for each in accounts.accounts()} == wanted


def test_only_the_account_for_it_gives_accounts_and_no_secret_is_told(
    rabbitmq: RabbitCluster, broker: RabbitForTests
) -> None:
    urls = broker.management_access.urls
    nobody_there = ManagementAccess(
        urls=(f"http://{LOOPBACK}:{free_port()}",), secret="very-secret"
    )
    for access in (
        ManagementAccess(urls=urls, username=INGEST_USERNAME, secret=rabbitmq.ingest_secret),
        ManagementAccess(urls=urls, username=OWN, secret=broker.add_device(OWN)),
        ManagementAccess(urls=urls, secret="very-secret"),
        nobody_there,
    ):
        with pytest.raises(BrokerControlError) as caught, RabbitAccounts(access) as accounts:
            accounts.let_in("gate-by-the-wrong-one", secret="x")
        assert "very-secret" not in f"{caught.value} {access!r}"


def test_the_next_node_is_asked_where_one_does_not_answer(broker: RabbitForTests) -> None:
    access = broker.management_access
    absent = f"http://{LOOPBACK}:{free_port()}"
    with RabbitAccounts(
        ManagementAccess(urls=(absent, *access.urls), secret=access.secret)
    ) as accounts:
        accounts.let_in(OWN, secret=None)

        assert OWN in {each.device_id for each in accounts.accounts()}


def _taken(
    channel: BlockingChannel,
) -> list[tuple[str, bytes]]:
    """Everything in ingest's queue, as MQTT knows it."""
    taken: list[tuple[str, bytes]] = []
    while True:
        method, _properties, body = channel.basic_get(INGEST_QUEUE, auto_ack=True)
        if method is None:
            return taken
        taken.append((mqtt_topic(method.routing_key), body))
