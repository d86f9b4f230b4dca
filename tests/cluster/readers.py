# SPDX-License-Identifier: AGPL-3.0-or-later
"""A link of ingest's to the cluster, alone: no writer and no database."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from central.ingest.broker.amqp import AmqpLink
from central.ingest.metrics import IngestMetrics
from central.ingest.types import ParsedMessage
from central.settings import CentralSettings
from tests.integration.central.conftest import wait_until

IN_FLIGHT_MAX = 10


class Reader:
    """A link of its own, and what came over it."""

    def __init__(self, settings: CentralSettings) -> None:
        broker = settings.required_broker()
        assert broker.rabbitmq is not None
        self.messages: queue.Queue[ParsedMessage] = queue.Queue(maxsize=2 * IN_FLIGHT_MAX)
        self.metrics = IngestMetrics()
        self.link = AmqpLink(
            broker,
            broker.rabbitmq,
            messages=self.messages,
            in_flight_max=IN_FLIGHT_MAX,
            metrics=self.metrics,
        )

    @contextmanager
    def reading(self) -> Iterator[Self]:
        with self.link.connected():
            wait_until(lambda: self.is_connected, what="the link subscribes")
            yield self

    @property
    def is_connected(self) -> bool:
        name = "luuthong_ingest_broker_connected"
        return self.metrics.registry.get_sample_value(name) == 1

    def take(self, number: int) -> list[ParsedMessage]:
        return [self.messages.get(timeout=20) for _ in range(number)]

    def acknowledge(self, messages: list[ParsedMessage]) -> None:
        self.link.acknowledge([each.delivery for each in messages], [])
