# SPDX-License-Identifier: AGPL-3.0-or-later
"""How fast ingest stores passages, against a raw binary COPY of the same rows.

Each worker is a process of its own, arranged as in production: one thread reads messages into a
queue, the writer's thread stores them batch by batch. It starts from the bytes of the messages; the
broker is not in it. The raw copy has as many processes and starts from finished rows: once as
psycopg writes them, once packed beforehand, so that only the database works. All write to the same
table of the same durable cluster, one commit per batch, in turns, so that a busy machine slows all.
``make bench-ingest``.
"""

import json
import multiprocessing
import os
import queue
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

import psycopg
import typer
from psycopg import sql
from psycopg.types.json import Jsonb
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from uuid_utils import uuid7

from central.contracts.passage import BoxV1, PassageV1
from central.contracts.topics import Stream, Topic
from central.db.copying import copy_rows, microseconds
from central.db.migrate import apply_migrations
from central.domain.times import TimeLimits
from central.ingest.app import tune_interpreter
from central.ingest.columns import PASSAGE_COLUMNS, passage_body, row_start
from central.ingest.database import IngestDatabase
from central.ingest.metrics import IngestMetrics
from central.ingest.parsing import parse
from central.ingest.types import Delivery, ParsedMessage, StreamAck
from central.ingest.wire import read_passage
from central.ingest.writer import BatchLimits, IngestWriter
from central.sites.service import register_device
from central.sites.types import Registration
from deploy.local.ports import free_port
from deploy.local.postgres import PrivateCluster
from deploy.setup.components import require_servers
from deploy.setup.places import server_account

SAMPLE: Final = Path(__file__).resolve().parents[1] / "contract" / "samples" / "passage-1.json"
BATCH: Final = 1000
WORKERS: Final = (1, 2, 4)
DEVICES: Final = 20
WAIT_S: Final = 300
LIMITS: Final = TimeLimits(
    skew_max=timedelta(minutes=5), age_max=timedelta(days=60), recording_age_max=timedelta(days=365)
)


class Way(StrEnum):
    """A way to write the rows."""

    INGEST = "ingest, from bytes"
    SHARED = "ingest, every worker has events of every device"
    PSYCOPG = "raw binary COPY, finished rows by psycopg"
    PACKED = "raw binary COPY, rows packed beforehand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one worker does in one round: every so-manieth event, or every so-manieth device."""

    dsn: str
    way: Way
    events: int
    number: int
    workers: int
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one way did in one round, all workers together."""

    rate: float
    cpu_us: float


@dataclass(kw_only=True)
class Figures:
    """Results of all rounds by way and number of workers; grows while measuring."""

    results: dict[tuple[Way, int], list[Result]] = field(default_factory=dict)

    def add(self, way: Way, workers: int, result: Result) -> None:
        """Keep one more round."""
        self.results.setdefault((way, workers), []).append(result)

    def rates(self, way: Way, workers: int) -> list[float]:
        """Rows per second of every round."""
        return [each.rate for each in self.results[way, workers]]

    def ratios(self, way: Way, workers: int) -> list[float]:
        """Ingest against another way, round by round."""
        pairs = zip(self.rates(Way.INGEST, workers), self.rates(way, workers), strict=True)
        return [mine / other for mine, other in pairs]


def main(
    *,
    events: int = typer.Option(20_000, min=BATCH, help="Passages of one round."),
    rounds: int = typer.Option(5, min=1, max=50, help="Rounds; the median counts."),
) -> None:
    """Print events per second of every way and number of workers, and their ratios."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = PrivateCluster(
            data_folder=Path(folder) / "pg",
            binaries=require_servers().postgres_bin,
            socket_folder=Path(folder) / "run",
            port=free_port(),
            account=server_account(),
            log_file=Path(folder) / "postgres.log",
        )
        cluster.init()
        cluster.start()
        try:
            cluster.ensure_database("bench")
            dsn = cluster.socket_dsn("bench")
            _prepare(dsn)
            figures = _measure(console, dsn, events=events, rounds=rounds)
        finally:
            cluster.stop()
    _show(console, figures, rounds=rounds)


def _prepare(dsn: str) -> None:
    apply_migrations(dsn)
    for device in _devices():
        registration = Registration(
            device_id=device,
            site_id="tram-so-1",
            province="thai-nguyen",
            site_name="Trạm số 1",
            camera_ids=("lane-1",),
        )
        register_device(dsn, registration, now=datetime.now(UTC))


def _devices() -> tuple[str, ...]:
    return tuple(f"gate-{number:02d}" for number in range(1, DEVICES + 1))


def _measure(console: Console, dsn: str, *, events: int, rounds: int) -> Figures:
    figures = Figures()
    with Progress(console=console) as progress:
        task = progress.add_task("rounds", total=rounds * len(WORKERS) * len(Way))
        for _ in range(rounds):
            for workers in WORKERS:
                for way in Way:
                    figures.add(way, workers, _round(dsn, way, workers=workers, events=events))
                    progress.advance(task)
    return figures


def _round(dsn: str, way: Way, *, workers: int, events: int) -> Result:
    """One round of one way; the clock runs while the workers write, not while they prepare."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(workers + 1)
    answers: multiprocessing.Queue[tuple[float, float]] = context.Queue()
    now = datetime.now(UTC)
    processes = [
        context.Process(
            target=_work,
            args=(
                Share(
                    dsn=dsn,
                    way=way,
                    events=events // workers,
                    number=number,
                    workers=workers,
                    now=now,
                ),
                barrier,
                answers,
            ),
        )
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    barrier.wait(WAIT_S)
    done = [answers.get(timeout=WAIT_S) for _ in processes]
    for process in processes:
        process.join(WAIT_S)
    stored = events // workers * workers
    return Result(
        rate=stored / max(seconds for seconds, _ in done),
        cpu_us=1e6 * sum(cpu for _, cpu in done) / stored,
    )


def _work(
    share: Share, barrier: Barrier, answers: "multiprocessing.Queue[tuple[float, float]]"
) -> None:
    """One worker: prepare, wait for the others, write, and tell the time it took."""
    tune_interpreter()
    rng = random.Random(os.getpid())  # noqa: S311  # made traffic, no secret
    passages = _passages(share, rng)
    writers: dict[Way, type[_Ingest | _PsycopgCopy | _PackedCopy]] = {
        Way.INGEST: _Ingest,
        Way.SHARED: _Ingest,
        Way.PSYCOPG: _PsycopgCopy,
        Way.PACKED: _PackedCopy,
    }
    writer = writers[share.way](share, passages)
    barrier.wait(WAIT_S)
    began, began_cpu = time.perf_counter(), time.process_time()
    writer.write()
    answers.put((time.perf_counter() - began, time.process_time() - began_cpu))


class _Ingest:
    """Ingest's own parts: a thread that reads, and the writer."""

    def __init__(self, share: Share, passages: Sequence[PassageV1]) -> None:
        self._deliveries = [
            Delivery(topic=_topic(each.device_id), payload=each.to_json()) for each in passages
        ]
        self._messages = queue.Queue[ParsedMessage](maxsize=2 * BATCH)
        self._stored = 0
        self._stop = threading.Event()
        database = IngestDatabase(share.dsn)
        with database.transaction() as connection:
            connection.execute("SELECT 1")
        self._writer = IngestWriter(
            messages=self._messages,
            database=database,
            acknowledger=self,
            metrics=IngestMetrics(),
            batch_limits=BatchLimits(messages_max=BATCH, wait=timedelta(milliseconds=50)),
            time_limits=LIMITS,
            clock=lambda: datetime.now(UTC),
            stop=self._stop,
        )

    def acknowledge(self, deliveries: Sequence[Delivery], acks: Sequence[StreamAck]) -> None:
        """Count what is committed; nobody waits for more."""
        del acks
        self._stored += len(deliveries)
        if self._stored == len(self._deliveries):
            self._stop.set()

    def write(self) -> None:
        """Store everything."""
        reader = threading.Thread(target=self._read, name="reader", daemon=True)
        reader.start()
        self._writer.run()
        reader.join(WAIT_S)

    def _read(self) -> None:
        for delivery in self._deliveries:
            self._messages.put(parse(delivery))


class _PackedCopy:
    """Rows that are packed before the clock runs."""

    def __init__(self, share: Share, passages: Sequence[PassageV1]) -> None:
        self._connection = psycopg.connect(share.dsn, autocommit=True)
        start = row_start(len(PASSAGE_COLUMNS), stream_id=0, stored_us=microseconds(share.now))
        self._rows = [start + passage_body(read_passage(each.to_json())) for each in passages]

    def write(self) -> None:
        """Copy everything, batch by batch."""
        with closing(self._connection) as connection:
            for first in range(0, len(self._rows), BATCH):
                with connection.transaction():
                    rows = self._rows[first : first + BATCH]
                    copy_rows(connection, "passage", PASSAGE_COLUMNS, rows)


class _PsycopgCopy:
    """Finished rows, which psycopg writes value by value."""

    def __init__(self, share: Share, passages: Sequence[PassageV1]) -> None:
        self._connection = psycopg.connect(share.dsn, autocommit=True)
        self._rows = [_values(each, now=share.now) for each in passages]

    def write(self) -> None:
        """Copy everything, batch by batch."""
        types = _column_types(self._connection)
        statement = sql.SQL("COPY passage ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.SQL(", ").join(map(sql.Identifier, PASSAGE_COLUMNS))
        )
        with closing(self._connection) as connection:
            for first in range(0, len(self._rows), BATCH):
                with (
                    connection.transaction(),
                    connection.cursor() as cursor,
                    cursor.copy(statement) as copy,
                ):
                    copy.set_types(types)
                    for row in self._rows[first : first + BATCH]:
                        copy.write_row(row)


def _column_types(connection: psycopg.Connection) -> list[str]:
    """The types under the columns' domains, as psycopg wants them."""
    rows = connection.execute(
        """
        SELECT attname, coalesce(nullif(typbasetype, 0), atttypid)::regtype::text
          FROM pg_attribute
          JOIN pg_type ON pg_type.oid = atttypid
         WHERE attrelid = 'passage'::regclass
           AND attnum > 0
        """
    ).fetchall()
    types = {str(name): str(kind) for name, kind in rows}
    return [types[name] for name in PASSAGE_COLUMNS]


def _values(passage: PassageV1, *, now: datetime) -> tuple[object, ...]:
    """A passage's row as plain values, in the order of ``PASSAGE_COLUMNS``."""
    plate = passage.plate
    assert plate is not None
    assert passage.vehicle_box is not None
    assert passage.vehicle_class is not None
    return (
        *(now, 0, passage.captured_at, passage.id, passage.seq, passage.boot_id),
        *(passage.first_seen_at, passage.last_seen_at, passage.clock_error_ms),
        *(passage.frame_index, passage.frame_width_px, passage.frame_height_px, passage.is_late),
        *(passage.device_id, passage.site_id, passage.camera_id),
        *(passage.direction.value, passage.clock_source.value, passage.vehicle_class.value),
        *(passage.lane, passage.vehicle_confidence, _corners(passage.vehicle_box)),
        Jsonb([each.model_dump() for each in passage.models]),
        *(passage.speed_kmh, passage.speed_uncertainty_kmh),
        *(plate.text, plate.raw_text, plate.confidence, list(plate.char_confidences)),
        plate.is_legal,
        Jsonb([each.model_dump() for each in plate.alternatives]),
        *(plate.layout.value, plate.colour.value, plate.frames_read, _corners(plate.box)),
    )


def _corners(box: BoxV1) -> list[float]:
    return [box.x_min, box.y_min, box.x_max, box.y_max]


def _topic(device_id: str) -> str:
    return str(
        Topic(
            province="thai-nguyen", site_id="tram-so-1", device_id=device_id, stream=Stream.PASSAGE
        )
    )


def _passages(share: Share, rng: random.Random) -> list[PassageV1]:
    """Passages of fresh outboxes of several devices in turn, just captured.

    A shared subscription gives the next message to the next worker: then every worker has a part
    of every device's numbers.
    """
    sample = PassageV1.model_validate(json.loads(SAMPLE.read_text("utf-8")))
    is_shared = share.way is Way.SHARED
    devices = _devices() if is_shared else _devices()[share.number :: share.workers]
    first, step = (share.number, share.workers) if is_shared else (0, 1)
    passages = []
    for number in range(share.events):
        turn, place = divmod(number, len(devices))
        device = devices[place]
        outbox_id = uuid5(NAMESPACE_OID, f"{device} {share.now} {share.way}")
        at = share.now - timedelta(seconds=rng.uniform(0, 600))
        text = f"{rng.randint(11, 99)}{rng.choice('ABCDEFGHKLMN')}{rng.randint(0, 99_999):05d}"
        assert sample.plate is not None
        changes = {
            "id": UUID(str(uuid7())),
            "device_id": device,
            "outbox_id": outbox_id,
            "boot_id": outbox_id,
            "seq": turn * step + first + 1,
            "captured_at": at,
            "first_seen_at": at - timedelta(seconds=1),
            "last_seen_at": at + timedelta(seconds=1),
            "plate": sample.plate.model_copy(update={"text": text, "raw_text": text}),
            "evidence": (),
        }
        passages.append(sample.model_copy(update=changes))
    return passages


def _show(console: Console, figures: Figures, *, rounds: int) -> None:
    table = Table(title=f"ingest against raw COPY, batches of {BATCH}, {rounds} rounds, median")
    for heading in ("", *(f"{workers} worker(s)" for workers in WORKERS)):
        table.add_column(heading, justify="right" if heading else "left")
    for way in Way:
        table.add_row(
            f"{way}, rows/s",
            *(f"{statistics.median(figures.rates(way, each)):,.0f}" for each in WORKERS),
        )
    for way in (Way.PSYCOPG, Way.PACKED):
        table.add_row(
            f"ingest against {way}", *(_spread(figures.ratios(way, each)) for each in WORKERS)
        )
    table.add_row(
        "ingest's own CPU per event, us",
        *(
            f"{statistics.median(each.cpu_us for each in figures.results[Way.INGEST, count]):,.0f}"
            for count in WORKERS
        ),
    )
    console.print(table)


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.0%} ({min(ratios):.0%} to {max(ratios):.0%})"


if __name__ == "__main__":
    typer.run(main)
