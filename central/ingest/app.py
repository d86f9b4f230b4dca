# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wires ingest together and runs it until it is told to stop."""

import gc
import queue
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from central.db.pool import connection_info
from central.ingest.broker.choice import broker_link
from central.ingest.database import IngestDatabase
from central.ingest.metrics import IngestMetrics, served
from central.ingest.types import ParsedMessage
from central.ingest.writer import BatchLimits, IngestWriter
from central.settings import CentralSettings

STOP_TIMEOUT_S: Final = 8.0
"""How long the writer may take to finish its batch; the rest is repeated by the broker."""

QUEUE_RESERVE: Final = 2
"""The queue holds this many times what may be unacknowledged, to have room for QoS 0."""

COLLECT_AFTER_OBJECTS: Final = 50_000
COLLECT_OLDER_AFTER: Final = (20, 50)
"""Python looks for cyclic garbage after so many new objects, and for older garbage after so many
such looks. A batch makes tens of thousands of values without cycles: with Python's own 700 a
quarter of ingest's time went into looking. Higher: less of that, and cycles live longer."""

SWITCH_EVERY_S: Final = 0.0005
"""After so long the thread that reads messages lets the writer go on, when an answer of the
database has come. With Python's own 5 ms the writer waited longer for its turn than for most
answers, a dozen times a batch, and the database stood idle meanwhile."""

log = structlog.get_logger()


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def tune_interpreter() -> None:
    """Collect garbage less often and switch threads more often, in a process of ingest alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, *COLLECT_OLDER_AFTER)
    sys.setswitchinterval(SWITCH_EVERY_S)


def run_ingest(
    settings: CentralSettings,
    *,
    stop: threading.Event,
    clock: Callable[[], datetime] = system_clock,
    metrics: IngestMetrics | None = None,
) -> None:
    """Ingest until ``stop`` is set.

    Args:
        settings: The process's settings, with a broker.
        stop: Set by a signal, or by whoever started this.
        clock: Where the centre's time comes from.
        metrics: Counters to use; new ones by default.

    Raises:
        SettingsError: The broker's settings are missing, or its password can't be read.
    """
    counters = metrics or IngestMetrics()
    ingest = settings.ingest
    messages = queue.Queue[ParsedMessage](maxsize=ingest.in_flight_max * QUEUE_RESERVE)
    link = broker_link(
        settings.required_broker(),
        messages=messages,
        in_flight_max=ingest.in_flight_max,
        metrics=counters,
    )
    info = connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-ingest",
    )
    writer = IngestWriter(
        messages=messages,
        database=IngestDatabase(info),
        acknowledger=link,
        metrics=counters,
        batch_limits=BatchLimits(messages_max=ingest.batch_events_max, wait=ingest.batch_wait),
        time_limits=ingest.time_limits,
        clock=clock,
        stop=stop,
    )
    failed = threading.Event()
    thread = threading.Thread(
        target=_run_writer, args=(writer, stop, failed), name="ingest-writer", daemon=True
    )
    with served(counters, port=ingest.metrics_port), link.connected():
        thread.start()
        log.info("ingest_started")
        stop.wait()
        thread.join(STOP_TIMEOUT_S)
    log.info("ingest_stopped", finished=not thread.is_alive())
    if failed.is_set():
        raise SystemExit(1)


def _run_writer(writer: IngestWriter, stop: threading.Event, failed: threading.Event) -> None:
    """Run the writer; a bug in it ends the process, which its supervisor starts again."""
    try:
        writer.run()
    except Exception:
        log.exception("ingest_writer_failed")
        failed.set()
        stop.set()
