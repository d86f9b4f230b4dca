# SPDX-License-Identifier: AGPL-3.0-or-later
"""The writer of ingest on a real database, for messages that are at hand."""

import queue
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from central.db.pool import connection_info
from central.ingest.database import IngestDatabase
from central.ingest.metrics import IngestMetrics
from central.ingest.parsing import parse
from central.ingest.types import Delivery, ParsedMessage, StreamAck
from central.ingest.writer import BatchLimits, IngestWriter
from central.settings import IngestSettings

WAIT_S: Final = 60.0


class Written:
    """The writer until everything that it was given is acknowledged."""

    def __init__(self, database_url: str, deliveries: Sequence[Delivery]) -> None:
        self._left = len(deliveries)
        self._stop = threading.Event()
        messages = queue.Queue[ParsedMessage]()
        for each in deliveries:
            messages.put(parse(each))
        self._writer = IngestWriter(
            messages=messages,
            database=IngestDatabase(connection_info(database_url)),
            acknowledger=self,
            metrics=IngestMetrics(),
            batch_limits=BatchLimits(messages_max=50, wait=timedelta(0)),
            time_limits=IngestSettings().time_limits,
            clock=lambda: datetime.now(UTC),
            stop=self._stop,
        )
        self.acks = list[StreamAck]()

    def acknowledge(self, deliveries: Sequence[Delivery], acks: Sequence[StreamAck]) -> None:
        """Stop when the last one is acknowledged."""
        self._left -= len(deliveries)
        self.acks.extend(acks)
        if self._left == 0:
            self._stop.set()

    def run(self) -> "Written":
        """Write everything; stops by itself after a while if something never is."""
        guard = threading.Timer(WAIT_S, self._stop.set)
        guard.start()
        self._writer.run()
        guard.cancel()
        assert self._left == 0, "something is never acknowledged"
        return self
