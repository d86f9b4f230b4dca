# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ingest needs of a broker, whichever protocol it reads it by."""

import queue
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from central.contracts.commit_ack import CommitAckV1
from central.contracts.topics import Stream, Topic
from central.ingest.types import Delivery, ParsedMessage, StreamAck

RECONNECT_FIRST_S: Final = 1
RECONNECT_MAX_S: Final = 30
CONNECT_TIMEOUT_S: Final = 5.0


class BrokerLink(Protocol):
    """A link that comes back by itself and delivers at least once.

    Deliveries are put into a queue that has room for whatever may be unacknowledged. A delivery
    that is not acknowledged on the connection it came over is delivered again on the next one.
    """

    def connected(self) -> AbstractContextManager[None]:
        """Keep the link up, reconnecting as needed, for the length of the block."""

    def acknowledge(self, deliveries: Sequence[Delivery], acks: Sequence[StreamAck]) -> None:
        """Acknowledge deliveries to the broker, then send the commit acknowledgements.

        Deliveries of an earlier connection are left out: the broker repeats them on this one.
        """


def answer_to(ack: StreamAck) -> tuple[str, bytes]:
    """Topic and message that tell a device up to where its events are committed."""
    topic = Topic(
        province=ack.topic.province,
        site_id=ack.topic.site_id,
        device_id=ack.topic.device_id,
        stream=Stream.ACK,
    )
    message = CommitAckV1(
        device_id=ack.stream.device_id,
        outbox_id=ack.stream.outbox_id,
        up_to_seq=ack.up_to_seq,
    )
    return str(topic), message.to_json()


def forget_waiting(messages: queue.Queue[ParsedMessage]) -> None:
    """Drop what still waits from an earlier connection: the broker repeats it on this one.

    Without this the queue could fill up with repeats while the database is down. What the broker
    does not repeat (QoS 0) stays.
    """
    for _ in range(messages.qsize()):
        try:
            waiting = messages.get_nowait()
            if not waiting.delivery.qos:
                messages.put_nowait(waiting)
        except (queue.Empty, queue.Full):
            return
