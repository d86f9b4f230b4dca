# SPDX-License-Identifier: AGPL-3.0-or-later
"""The centre gives and takes accounts at a real broker, which lets a device touch its own only."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from central.contracts.topics import Stream, Topic
from central.devices.broker_accounts import BrokerAccounts, BrokerControlAccess
from central.devices.broker_rights import INGEST_USERNAME, accounts_of_services
from central.devices.broker_sync import DeviceAccounts
from central.errors import BrokerControlError
from deploy.local.ports import free_port
from tests.conftest import BrokerForTests
from tests.integration.central.conftest import Broker

WAIT_S = 10.0
OWN, FOREIGN = "gate-own", "gate-foreign"


def topic(device_id: str, stream: Stream = Stream.PASSAGE) -> str:
    return str(Topic(province="dak-lak", site_id="site-01", device_id=device_id, stream=stream))


@dataclass
class Client:
    """A connected client that remembers what the broker answered and sent."""

    client: mqtt.Client
    answers: "queue.Queue[bool]" = field(default_factory=queue.Queue)
    messages: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)
    gone: threading.Event = field(default_factory=threading.Event)

    def may_publish(self, name: str, payload: bytes = b"{}") -> bool:
        self.client.publish(name, payload, qos=1)
        return self.answers.get(timeout=WAIT_S)

    def may_subscribe(self, name: str) -> bool:
        self.client.subscribe(name, qos=1)
        return self.answers.get(timeout=WAIT_S)


@contextmanager
def connected(broker: Broker, username: str, secret: str) -> Iterator[Client]:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=username,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
    )
    client.username_pw_set(username, secret)
    made = Client(client)
    is_in = threading.Event()

    def on_connect(
        _client: object, _userdata: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        if not reason.is_failure:
            is_in.set()

    client.on_connect = on_connect
    client.on_publish = lambda _c, _u, _m, reason, _p: made.answers.put(not reason.is_failure)
    client.on_subscribe = lambda _c, _u, _m, reasons, _p: made.answers.put(
        not reasons[0].is_failure
    )
    client.on_message = lambda _c, _u, each: made.messages.put((each.topic, bytes(each.payload)))
    client.on_disconnect = lambda *_: made.gone.set()
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        assert is_in.wait(WAIT_S), "the broker let nobody in"
        yield made
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture(scope="module")
def accounts(broker: BrokerForTests) -> Iterator[BrokerAccounts]:
    with BrokerAccounts(broker.control_access) as opened:
        yield opened


@pytest.fixture
def device(broker: BrokerForTests) -> Iterator[Callable[[], Client]]:
    secret = broker.add_device(OWN)
    broker.add_device(FOREIGN)
    with connected(broker, OWN, secret) as made:
        yield lambda: made


def test_a_device_sends_and_hears_under_its_own_name_only(
    broker: BrokerForTests, device: Callable[[], Client]
) -> None:
    with connected(broker, INGEST_USERNAME, broker.password(INGEST_USERNAME)) as centre:
        assert centre.may_subscribe(topic(OWN))
        assert centre.may_subscribe(topic(FOREIGN))

        assert device().may_publish(topic(OWN), b"own")
        assert not device().may_publish(topic(FOREIGN), b"foreign")
        assert not device().may_publish(topic(OWN, Stream.ACK))
        assert not device().may_publish("$CONTROL/dynamic-security/v1")
        assert device().may_subscribe(topic(OWN, Stream.ACK))
        for name in (topic(FOREIGN, Stream.ACK), topic(OWN), "lt/#", "#", "$SYS/#"):
            assert not device().may_subscribe(name), name
        assert device().may_publish(topic(OWN, Stream.HEARTBEAT))

        assert centre.may_publish(topic(OWN, Stream.ACK), b"answer")
        assert device().messages.get(timeout=WAIT_S) == (topic(OWN, Stream.ACK), b"answer")
        assert centre.messages.get(timeout=WAIT_S) == (topic(OWN), b"own")
        assert centre.messages.empty()


def test_a_barred_device_is_disconnected_and_let_in_again_with_its_secret(
    broker: BrokerForTests, accounts: DeviceAccounts
) -> None:
    secret = broker.add_device(OWN)
    with connected(broker, OWN, secret) as device:
        accounts.bar(OWN)

        assert device.gone.wait(WAIT_S)
    assert [each.may_send for each in accounts.accounts() if each.device_id == OWN] == [False]
    with pytest.raises(AssertionError, match="let nobody in"), _quick(broker, OWN, secret):
        pass

    accounts.let_in(OWN, secret=None)

    with connected(broker, OWN, secret) as device:
        assert device.may_publish(topic(OWN))
    assert [each.may_send for each in accounts.accounts() if each.device_id == OWN] == [True]


def test_a_removed_device_is_gone_and_removing_it_again_is_no_error(
    broker: BrokerForTests, accounts: DeviceAccounts
) -> None:
    broker.add_device("gate-removed")

    accounts.remove("gate-removed")
    accounts.remove("gate-removed")
    accounts.bar("gate-removed")

    assert "gate-removed" not in {each.device_id for each in accounts.accounts()}


def test_only_the_account_for_it_gives_accounts(broker: BrokerForTests) -> None:
    for username, secret in (
        (INGEST_USERNAME, broker.password(INGEST_USERNAME)),
        (OWN, broker.add_device(OWN)),
        (broker.control_access.username, "wrong"),
    ):
        access = BrokerControlAccess(
            host=broker.host, port=broker.port, username=username, secret=secret
        )
        with pytest.raises(BrokerControlError), BrokerAccounts(access) as accounts:
            accounts.let_in("gate-by-the-wrong-one", secret="x")


def test_an_absent_broker_is_said_without_its_secret() -> None:
    access = BrokerControlAccess(host="127.0.0.1", port=free_port(), secret="very-secret")

    with pytest.raises(BrokerControlError) as caught, BrokerAccounts(access):
        pass

    assert "very-secret" not in str(caught.value)
    assert "very-secret" not in repr(access)


def test_a_restart_keeps_devices_and_renews_the_secrets_of_the_centre() -> None:
    first = accounts_of_services(None, control_secret="a", ingest_secret="b")
    clients = first["clients"]
    assert isinstance(clients, list)
    clients.append({"username": OWN, "roles": [{"rolename": f"device-{OWN}"}]})

    again = accounts_of_services(first, control_secret="c", ingest_secret="d")

    renewed = again["clients"]
    assert isinstance(renewed, list)
    assert [each["username"] for each in renewed] == [OWN, "centre", "ingest"]
    assert {each.get("password") for each in renewed}.isdisjoint(
        {each.get("password") for each in clients if "password" in each}
    )


@contextmanager
def _quick(broker: BrokerForTests, username: str, secret: str) -> Iterator[None]:
    """A login of which the refusal is awaited, not the limit."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
    )
    client.username_pw_set(username, secret)
    answers: queue.Queue[bool] = queue.Queue()
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.put(not reason.is_failure)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        assert answers.get(timeout=WAIT_S), "the broker let nobody in"
        yield
    finally:
        client.disconnect()
        client.loop_stop()
