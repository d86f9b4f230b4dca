# SPDX-License-Identifier: AGPL-3.0-or-later
"""A centre that speaks the contract over the real broker, and misbehaves when a test says so."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any
from uuid import UUID

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from central.contracts.commit_ack import CommitAckV1
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.passage import PassageV1
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream, Topic, parse_topic, subscription_for

LIMIT_S = 15.0


def wait_until(condition: Callable[[], bool], *, limit_s: float = LIMIT_S) -> None:
    """Wait for a condition; fails when it does not come true in time."""
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "the condition did not come true in time"
        time.sleep(0.02)


class Centre:
    """Takes passages and tag reads, and acknowledges the highest number without a gap."""

    def __init__(self, *, host: str, port: int, password: str) -> None:
        self.is_acknowledging = True
        self.heartbeats: list[HeartbeatV1] = []
        self._lock = Lock()
        self._passages: list[PassageV1] = []
        self._tag_reads: list[TagReadV1] = []
        self._committed: dict[UUID, set[int]] = {}
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="centre",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        self._client.username_pw_set("ingest", password)
        self._client.on_message = self._take
        self._client.connect(host, port)
        self._client.subscribe(subscription_for(Stream.PASSAGE), qos=1)
        self._client.subscribe(subscription_for(Stream.TAG_READ), qos=1)
        self._client.subscribe(subscription_for(Stream.HEARTBEAT), qos=1)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def passages(self, outbox_id: UUID) -> list[PassageV1]:
        """Every message of an outbox, repeats included, in order of arrival."""
        with self._lock:
            return [passage for passage in self._passages if passage.outbox_id == outbox_id]

    def tag_reads(self, outbox_id: UUID) -> list[TagReadV1]:
        """As ``passages``."""
        with self._lock:
            return [tag_read for tag_read in self._tag_reads if tag_read.outbox_id == outbox_id]

    def seqs(self, outbox_id: UUID) -> list[int]:
        return [passage.seq for passage in self.passages(outbox_id)]

    def send(self, topic: Topic, payload: bytes) -> None:
        self._client.publish(str(topic), payload, qos=1).wait_for_publish(5)

    def _take(self, _client: Client, _userdata: Any, incoming: MQTTMessage) -> None:  # noqa: ANN401
        topic = parse_topic(incoming.topic)
        if topic.stream is Stream.HEARTBEAT:
            self.heartbeats.append(HeartbeatV1.from_json(incoming.payload))
            return
        with self._lock:
            event: PassageV1 | TagReadV1
            if topic.stream is Stream.TAG_READ:
                event = TagReadV1.from_json(incoming.payload)
                self._tag_reads.append(event)
            else:
                event = PassageV1.from_json(incoming.payload)
                self._passages.append(event)
            committed = self._committed.setdefault(event.outbox_id, set())
            if self.is_acknowledging:
                committed.add(event.seq)
        if self.is_acknowledging:
            self._acknowledge(topic, event.outbox_id, committed)

    def _acknowledge(self, topic: Topic, outbox_id: UUID, committed: set[int]) -> None:
        up_to = 0
        while up_to + 1 in committed:
            up_to += 1
        if up_to == 0:
            return
        ack = CommitAckV1(device_id=topic.device_id, outbox_id=outbox_id, up_to_seq=up_to)
        reply = Topic(
            province=topic.province,
            site_id=topic.site_id,
            device_id=topic.device_id,
            stream=Stream.ACK,
        )
        self._client.publish(str(reply), ack.to_json(), qos=1)
