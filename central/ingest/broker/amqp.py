# SPDX-License-Identifier: AGPL-3.0-or-later
"""The link to a RabbitMQ cluster: a quorum queue is read by AMQP, devices are answered.

Devices speak MQTT to the cluster; the broker confirms to them (PUBACK) what most nodes have. What
ingest has in hand stays in the queue until its commit, whatever ends: ingest, its connection, or
the node it speaks to.
"""

import functools
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import structlog
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.spec import Basic, BasicProperties

from central.broker_settings import BrokerSettings, RabbitSettings
from central.contracts.topics import EVENT_STREAMS, Stream, subscription_for
from central.devices.rabbitmq.names import EXCHANGE, INGEST_QUEUE, mqtt_topic, routing_key
from central.ingest.broker.amqp_answers import Answers
from central.ingest.broker.amqp_nodes import LinkErrors, Nodes, reason_of
from central.ingest.broker.port import forget_waiting
from central.ingest.metrics import IngestMetrics
from central.ingest.parsing import parse
from central.ingest.types import Delivery, ParsedMessage, StreamAck

QUEUE_ARGUMENTS: Final = {"x-queue-type": "quorum", "x-delivery-limit": -1}
"""Every node agrees on what is in the queue. The usual limit of twenty deliveries would drop what
a database that is away for long keeps us from acknowledging."""

POLL_S: Final = 1.0
STOP_TIMEOUT_S: Final = 2.0
"""A connection that is just being made to a silent node is left behind: it ends with us."""

log = structlog.get_logger()


class AmqpLink:
    """One consumer of the queue that all ingest processes read.

    A thread of its own speaks to the broker; ``acknowledge`` is called from the writer's thread
    and handed over to it. Commit acknowledgements go over a second connection, see ``Answers``.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        rabbitmq: RabbitSettings,
        *,
        messages: queue.Queue[ParsedMessage],
        in_flight_max: int,
        metrics: IngestMetrics,
    ) -> None:
        self._messages = messages
        self._in_flight_max = in_flight_max
        self._metrics = metrics
        self._nodes = Nodes(settings=settings, rabbitmq=rabbitmq, name="events")
        self._answers = Answers(Nodes(settings=settings, rabbitmq=rabbitmq, name="answers"))
        self._stop = threading.Event()
        self._link = 0
        self._acked_tag = 0
        self._connection: BlockingConnection | None = None
        self._channel: BlockingChannel | None = None

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Keep the link up, reconnecting as needed, for the length of the block."""
        thread = threading.Thread(target=self._run, name="ingest-amqp", daemon=True)
        with self._answers.running():
            thread.start()
            try:
                yield
            finally:
                self._stop.set()
                self._call(lambda: None)
                thread.join(STOP_TIMEOUT_S)

    def acknowledge(self, deliveries: Sequence[Delivery], acks: Sequence[StreamAck]) -> None:
        """Acknowledge deliveries to the broker, then send the commit acknowledgements.

        Deliveries of an earlier connection are left out: the broker repeats them on this one.
        """
        self._call(functools.partial(self._acknowledge, deliveries))
        self._answers.send(acks)

    def _call(self, act: Callable[[], None]) -> None:
        """Let the broker's thread do something; nothing where the link is down."""
        connection = self._connection
        if connection is not None:
            with suppress(*LinkErrors):
                connection.add_callback_threadsafe(act)

    def _run(self) -> None:
        """One connection after the other, until told to stop."""
        while not self._stop.is_set():
            try:
                with self._nodes.connect() as connection:
                    self._consume(connection)
            except LinkErrors as error:
                if not self._stop.is_set():
                    reason = reason_of(error)
                    log.warning("broker_disconnected", node=self._nodes.tried, reason=reason)
            except Exception:
                # The library fails now and then where a connection breaks; another one mends it.
                log.exception("broker_link_failed", node=self._nodes.tried)
            finally:
                self._connection = self._channel = None
                self._metrics.is_connected.set(0)
            if not self._stop.is_set():
                self._nodes.wait_after_failure(self._stop)

    def _consume(self, connection: BlockingConnection) -> None:
        """Read the queue until the connection breaks, the queue goes, or we are told to stop."""
        channel = connection.channel()
        declare_queue(channel)
        channel.basic_qos(prefetch_count=self._in_flight_max)
        self._begin_link(connection, channel)
        channel.basic_consume(INGEST_QUEUE, self._received)
        self._nodes.has_worked()
        self._metrics.is_connected.set(1)
        log.info("broker_subscribed", node=self._nodes.tried)
        while not self._stop.is_set() and channel.is_open and channel.consumer_tags:
            connection.process_data_events(time_limit=POLL_S)
        if self._stop.is_set():
            connection.process_data_events(time_limit=0)  # what was acknowledged last
        else:
            log.warning("broker_cancelled_subscription")

    def _begin_link(self, connection: BlockingConnection, channel: BlockingChannel) -> None:
        """From here on only what comes over this connection is acknowledged."""
        self._link += 1
        self._acked_tag = 0
        forget_waiting(self._messages)
        self._channel = channel
        self._connection = connection

    def _received(
        self,
        _channel: BlockingChannel,
        method: Basic.Deliver,
        _properties: BasicProperties,
        body: bytes,
    ) -> None:
        """Read a message and hand it to the writer, who meanwhile waits for the database."""
        delivery = Delivery(
            topic=mqtt_topic(method.routing_key),
            payload=body,
            message_id=method.delivery_tag,
            link=self._link,
        )
        self._messages.put_nowait(parse(delivery))

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge what came over this connection; in the broker's thread.

        Tags are numbers without gaps: those that follow on what is acknowledged already are
        acknowledged by one message.
        """
        channel = self._channel
        tags = sorted(each.message_id for each in deliveries if each.link == self._link)
        if channel is None or not channel.is_open or not tags:
            return
        is_next = tags[0] == self._acked_tag + 1 and tags[-1] - tags[0] + 1 == len(tags)
        if is_next:
            channel.basic_ack(tags[-1], multiple=True)
            self._acked_tag = tags[-1]
            return
        for tag in tags:
            channel.basic_ack(tag)


def declare_queue(channel: BlockingChannel) -> None:
    """Make the queue and what leads into it; both are there already but for the first time."""
    channel.queue_declare(INGEST_QUEUE, durable=True, arguments=QUEUE_ARGUMENTS)
    for stream in (*EVENT_STREAMS, Stream.HEARTBEAT):
        channel.queue_bind(INGEST_QUEUE, EXCHANGE, routing_key(subscription_for(stream)))
