# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commit acknowledgements to devices, over a connection of their own.

RabbitMQ stops reading from whoever publishes while its disk or memory is short. On the consumer's
connection that would stop our acknowledgements as well, and with them the only thing that makes
room. An answer that is not sent is no loss: the device sends again, and is answered then.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.spec import BasicProperties

from central.devices.rabbitmq.names import EXCHANGE, routing_key
from central.ingest.broker.amqp_nodes import LinkErrors, Nodes, reason_of
from central.ingest.broker.port import answer_to
from central.ingest.types import StreamAck

ACKS_WAITING_MAX: Final = 100_000
IDLE_S: Final = 0.2
"""How long a waiting connection is left alone; its heartbeats are answered in between."""

STOP_TIMEOUT_S: Final = 2.0
_AT_LEAST_ONCE: Final = 2  # AMQP's "persistent"; the MQTT plugin makes it QoS 1

log = structlog.get_logger()


class Answers:
    """Sends commit acknowledgements; the newest of an outbox is enough."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._waiting = queue.Queue[StreamAck](maxsize=ACKS_WAITING_MAX)
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send from a thread of its own for the length of the block."""
        thread = threading.Thread(target=self._run, name="ingest-answers", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(STOP_TIMEOUT_S)

    def send(self, acks: Sequence[StreamAck]) -> None:
        """Hand answers over; those that find no room are left to the device's next try."""
        for ack in acks:
            try:
                self._waiting.put_nowait(ack)
            except queue.Full:
                log.warning("commit_ack_not_sent", device_id=ack.stream.device_id)
                return

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._nodes.connect() as connection:
                    self._send_while_it_holds(connection)
            except LinkErrors as error:
                if not self._stop.is_set():
                    reason = reason_of(error)
                    log.info("answers_disconnected", node=self._nodes.tried, reason=reason)
                    self._nodes.wait_after_failure(self._stop)
            except Exception:
                # The library fails now and then where a connection breaks; another one mends it.
                log.exception("answers_link_failed", node=self._nodes.tried)
                self._nodes.wait_after_failure(self._stop)

    def _send_while_it_holds(self, connection: BlockingConnection) -> None:
        channel = connection.channel()
        self._nodes.has_worked()
        while not (self._stop.is_set() and self._waiting.empty()):
            for ack in self._next_acks():
                _publish(channel, ack)
            connection.process_data_events(time_limit=0)

    def _next_acks(self) -> Sequence[StreamAck]:
        """What waits, the newest of every outbox; empty when nothing came for a while."""
        newest = {}
        try:
            ack = self._waiting.get(timeout=IDLE_S)
            while True:
                newest[ack.stream] = ack
                ack = self._waiting.get_nowait()
        except queue.Empty:
            return list(newest.values())


def _publish(channel: BlockingChannel, ack: StreamAck) -> None:
    topic, message = answer_to(ack)
    properties = BasicProperties(delivery_mode=_AT_LEAST_ONCE)
    channel.basic_publish(EXCHANGE, routing_key(topic), message, properties)
