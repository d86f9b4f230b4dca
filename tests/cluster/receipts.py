# SPDX-License-Identifier: AGPL-3.0-or-later
"""A sender that sends each message once, and remembers what the broker said it has."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self
from uuid import UUID

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from uuid_utils import uuid7

from central.contracts.topics import Stream, Topic
from central.devices.broker_rights import INGEST_USERNAME
from central.devices.rabbitmq.names import INGEST_QUEUE
from deploy.local.ports import LOOPBACK
from deploy.rabbitmq.cluster import RabbitCluster
from tests.cluster.conftest import speaking_amqp

PAUSE_S = 0.002
WAIT_S = 2.0
IN_FLIGHT_MAX = 50
SUCCESS = 0
"""What the broker answers when a queue has the message; 0x10 would mean that none wanted it."""


def bare(event_id: UUID, _number: int) -> bytes:
    """A message that is nothing but its id."""
    return event_id.bytes


class Sender:
    """Sends from a thread of its own until the block is left; goes to the next node at a loss.

    Args:
        make: The message of an id and of a number that counts from 1.
    """

    def __init__(
        self,
        device_id: str,
        secret: str,
        ports: Sequence[int],
        *,
        make: Callable[[UUID, int], bytes] = bare,
    ) -> None:
        self.confirmed: set[UUID] = set()
        self.sent = 0
        self._make = make
        self._device_id = device_id
        self._secret = secret
        self._ports = ports
        self._topic = str(
            Topic(province="dak-lak", site_id="km12", device_id=device_id, stream=Stream.PASSAGE)
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        turn = 0
        while not self._stop.is_set():
            with suppress(OSError):
                self._send_over(self._ports[turn % len(self._ports)])
            turn += 1

    def _send_over(self, port: int) -> None:
        """One connection; what is not confirmed on it is never sent again."""
        unconfirmed: dict[int, UUID] = {}
        ready, lost = threading.Event(), threading.Event()

        def on_publish(
            _client: mqtt.Client,
            _userdata: object,
            mid: int,
            reason: ReasonCode,
            _properties: object,
        ) -> None:
            event_id = unconfirmed.pop(mid)
            if reason.value == SUCCESS:
                self.confirmed.add(event_id)

        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._device_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self._device_id, self._secret)
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        client.on_connect = lambda *_: ready.set()
        client.on_disconnect = lambda *_: lost.set()
        client.on_publish = on_publish
        client.connect(LOOPBACK, port)
        try:
            client.loop_start()
            if ready.wait(WAIT_S):
                self._send_until(client, unconfirmed, lost)
        finally:
            client.disconnect()
            client.loop_stop()

    def _send_until(
        self, client: mqtt.Client, unconfirmed: dict[int, UUID], lost: threading.Event
    ) -> None:
        while not lost.wait(PAUSE_S) and not self._stop.is_set():
            if len(unconfirmed) >= IN_FLIGHT_MAX:
                continue
            event_id = UUID(str(uuid7()))
            self.sent += 1
            # The number is known before the receipt can come: paho counts from 1.
            unconfirmed[client._last_mid + 1] = event_id
            sent = client.publish(self._topic, self._make(event_id, self.sent), qos=1)
            assert sent.mid in unconfirmed
            if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
        lost.wait(WAIT_S)


def waiting_ids(rabbitmq: RabbitCluster) -> set[UUID]:
    """Everything in the queue, which is empty afterwards."""
    found = set[UUID]()
    with speaking_amqp(rabbitmq, INGEST_USERNAME, rabbitmq.ingest_secret) as connection:
        channel = connection.channel()
        while True:
            method, _properties, body = channel.basic_get(INGEST_QUEUE, auto_ack=True)
            if method is None:
                return found
            assert UUID(bytes=body) not in found, "a message is in the queue twice"
            found.add(UUID(bytes=body))
