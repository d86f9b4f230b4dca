# SPDX-License-Identifier: AGPL-3.0-or-later
"""The link to the MQTT broker: deliveries come in, acknowledgements go out."""

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from central.broker_settings import BrokerSettings
from central.contracts.topics import EVENT_STREAMS, Stream, subscription_for
from central.ingest.broker.port import (
    CONNECT_TIMEOUT_S,
    RECONNECT_FIRST_S,
    RECONNECT_MAX_S,
    answer_to,
    forget_waiting,
)
from central.ingest.metrics import IngestMetrics
from central.ingest.parsing import parse
from central.ingest.types import Delivery, ParsedMessage, StreamAck
from central.settings import read_secret

SHARE: Final = "$share/ingest"
"""Several ingests share the messages: each goes to one of them."""

QOS_AT_LEAST_ONCE: Final = 1
ACKS_IN_FLIGHT_MAX: Final = 1000
ACKS_WAITING_MAX: Final = 100_000
"""Commit acknowledgements kept while the link is down; a lost one is sent again on a repeat."""

log = structlog.get_logger()


class MqttLink:
    """One MQTT 5 connection with a session that the broker keeps while ingest is away.

    The network thread reads messages and puts them into the queue. It is as large as what the
    broker may send unacknowledged, so it never blocks that thread and never loses a message of
    QoS 1. ``acknowledge`` is called from the writer's thread.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        messages: queue.Queue[ParsedMessage],
        in_flight_max: int,
        metrics: IngestMetrics,
    ) -> None:
        self._settings = settings
        self._messages = messages
        self._in_flight_max = in_flight_max
        self._metrics = metrics
        self._link = 0
        self._client = self._new_client()

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Keep the link up, reconnecting as needed, for the length of the block."""
        self._client.connect_async(
            self._settings.host,
            self._settings.port,
            keepalive=int(self._settings.keepalive.total_seconds()),
            clean_start=False,
            properties=self._connect_properties(),
        )
        self._client.loop_start()
        try:
            yield
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def acknowledge(self, deliveries: Sequence[Delivery], acks: Sequence[StreamAck]) -> None:
        """Acknowledge deliveries to the broker, then send the commit acknowledgements.

        Deliveries of an earlier connection are left out: the broker repeats them on this one.
        """
        for delivery in deliveries:
            if delivery.qos and delivery.link == self._link:
                self._client.ack(delivery.message_id, delivery.qos)
        for ack in acks:
            self._send(ack)

    def _send(self, ack: StreamAck) -> None:
        """Tell a device up to where its events are committed."""
        topic, message = answer_to(ack)
        sent = self._client.publish(topic, message, qos=QOS_AT_LEAST_ONCE)
        if sent.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN}:
            log.warning("commit_ack_not_sent", device_id=ack.stream.device_id, code=int(sent.rc))

    def _new_client(self) -> mqtt.Client:
        """A client that leaves acknowledging to us."""
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.username_pw_set(self._settings.username, read_secret(self._settings.password_file))
        if self._settings.ca_file is not None:
            client.tls_set(ca_certs=str(self._settings.ca_file))
        client.reconnect_delay_set(RECONNECT_FIRST_S, RECONNECT_MAX_S)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(ACKS_IN_FLIGHT_MAX)
        client.max_queued_messages_set(ACKS_WAITING_MAX)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _connect_properties(self) -> Properties:
        """What we ask of the broker when connecting."""
        # paho publishes no type for this constructor.
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = int(self._settings.session_expiry.total_seconds())
        properties.ReceiveMaximum = self._in_flight_max
        return properties

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        """Subscribe; a session that the broker has kept goes on where it was."""
        if reason.is_failure:
            log.error("broker_refused_login", reason=str(reason))
            return
        self._link += 1
        forget_waiting(self._messages)
        options = SubscribeOptions(qos=QOS_AT_LEAST_ONCE)
        client.subscribe(
            [
                (f"{SHARE}/{subscription_for(stream)}", options)
                for stream in (*EVENT_STREAMS, Stream.HEARTBEAT)
            ]
        )
        log.info("broker_connected", session_kept=flags.session_present)

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _message_id: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        """From here on the broker keeps messages for us, even while we are away."""
        if any(reason.is_failure for reason in reasons):
            log.error("broker_refused_subscription", reasons=[str(each) for each in reasons])
            return
        self._metrics.is_connected.set(1)
        log.info("broker_subscribed")

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        """Note that the link is down; the client reconnects by itself."""
        self._metrics.is_connected.set(0)
        log.info("broker_disconnected", reason=str(reason))

    def _on_message(
        self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage
    ) -> None:
        """Read a message and hand it to the writer, who meanwhile waits for the database."""
        delivery = Delivery(
            topic=message.topic,
            payload=bytes(message.payload),
            message_id=message.mid,
            qos=message.qos,
            link=self._link,
        )
        try:
            self._messages.put_nowait(parse(delivery))
        except queue.Full:
            # Only QoS 0 gets here: unacknowledged messages of QoS 1 fit into the queue.
            self._metrics.overflowed()
            log.warning("queue_full", qos=message.qos)
