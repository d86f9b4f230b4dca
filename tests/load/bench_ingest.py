# SPDX-License-Identifier: AGPL-3.0-or-later
"""How fast ingest stores passages, against a raw binary COPY of the same rows.

Both sides write to the same table of the same durable cluster, in batches of the same size with one
commit each, in turns, so that a busy machine slows both. Ingest starts from the bytes of the
messages; the raw copy starts from finished rows. The broker is not in it. ``make bench-ingest``.
"""

import json
import platform
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psycopg
import typer
from psycopg import sql
from rich.console import Console
from rich.progress import track
from rich.table import Table
from uuid_utils import uuid7

from central.contracts.passage import PassageV1
from central.contracts.topics import Stream, Topic
from central.db.arrays import use_fast_float4_arrays
from central.db.migrate import apply_migrations
from central.domain.times import TimeLimits
from central.ingest.columns import PASSAGE_COLUMNS, passage_row
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.sites.service import register_device
from central.sites.types import Registration
from deploy.local.ports import free_port
from deploy.local.postgres import PrivateCluster
from deploy.setup.components import require_servers
from deploy.setup.places import server_account

SAMPLE: Final = Path(__file__).resolve().parents[1] / "contract" / "samples" / "passage-1.json"
BATCH: Final = 1000
LIMITS: Final = TimeLimits(
    skew_max=timedelta(minutes=5), age_max=timedelta(days=60), recording_age_max=timedelta(days=365)
)
TOPIC: Final = str(
    Topic(province="thai-nguyen", site_id="tram-so-1", device_id="gate-01", stream=Stream.PASSAGE)
)


def main(
    *,
    events: int = typer.Option(20_000, min=BATCH, help="Passages of one round."),
    rounds: int = typer.Option(5, min=1, max=50, help="Rounds; the median counts."),
) -> None:
    """Print events per second of both ways, and their ratio."""
    console = Console()
    now = datetime.now(UTC)
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
            _measure(console, cluster.socket_dsn("bench"), events=events, rounds=rounds, now=now)
        finally:
            cluster.stop()


def _measure(console: Console, dsn: str, *, events: int, rounds: int, now: datetime) -> None:
    apply_migrations(dsn)
    registration = Registration(
        device_id="gate-01",
        site_id="tram-so-1",
        province="thai-nguyen",
        site_name="Trạm số 1",
        camera_ids=("lane-1",),
    )
    register_device(dsn, registration, now=now)
    raw: list[float] = []
    ours: list[float] = []
    cpu: list[float] = []
    database = IngestDatabase(dsn)
    rng = random.Random(20)  # noqa: S311 - rendered traffic, not a secret
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        use_fast_float4_arrays(connection)
        for _ in track(range(rounds), description="rounds", console=console):
            raw.append(_rate(lambda: _copy_raw(connection, _passages(events, rng, now), now)))
            before = resource.getrusage(resource.RUSAGE_SELF)
            ours.append(_rate(lambda: _ingest(database, _passages(events, rng, now), now)))
            after = resource.getrusage(resource.RUSAGE_SELF)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    database.close()
    _show(console, raw=raw, ours=ours, cpu_us=[1e6 * seconds / events for seconds in cpu])


def _rate(work: Callable[[], tuple[int, float]]) -> float:
    count, seconds = work()
    return count / seconds


def _passages(count: int, rng: random.Random, now: datetime) -> list[PassageV1]:
    """Passages of one fresh outbox, spread over the last week."""
    sample = PassageV1.model_validate(json.loads(SAMPLE.read_text("utf-8")))
    outbox_id, boot_id = uuid4(), uuid4()
    passages = []
    for seq in range(1, count + 1):
        at = now - timedelta(seconds=rng.uniform(0, 7 * 86_400))
        text = f"{rng.randint(11, 99)}{rng.choice('ABCDEFGHKLMN')}{rng.randint(0, 99_999):05d}"
        assert sample.plate is not None
        changes = {
            "id": UUID(str(uuid7())),
            "outbox_id": outbox_id,
            "boot_id": boot_id,
            "seq": seq,
            "captured_at": at,
            "first_seen_at": at - timedelta(seconds=1),
            "last_seen_at": at + timedelta(seconds=1),
            "plate": sample.plate.model_copy(update={"text": text, "raw_text": text}),
            "evidence": (),
        }
        passages.append(sample.model_copy(update=changes))
    return passages


def _copy_raw(
    connection: psycopg.Connection, passages: Sequence[PassageV1], now: datetime
) -> tuple[int, float]:
    rows = [passage_row(passage, stream_id=0, now=now) for passage in passages]
    statement = sql.SQL("COPY passage ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.SQL(", ").join(map(sql.Identifier, PASSAGE_COLUMNS))
    )
    started = time.perf_counter()
    for first in range(0, len(rows), BATCH):
        with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            copy.set_types(list(PASSAGE_COLUMNS.values()))
            for row in rows[first : first + BATCH]:
                copy.write_row(row)
    return len(rows), time.perf_counter() - started


def _ingest(
    database: IngestDatabase, passages: Sequence[PassageV1], now: datetime
) -> tuple[int, float]:
    deliveries = [Delivery(topic=TOPIC, payload=passage.to_json()) for passage in passages]
    stored = 0
    started = time.perf_counter()
    for first in range(0, len(deliveries), BATCH):
        messages = [parse(delivery) for delivery in deliveries[first : first + BATCH]]
        with database.transaction() as connection:
            stored += store_batch(connection, messages, limits=LIMITS, now=now).stored
    seconds = time.perf_counter() - started
    if stored != len(passages):
        raise RuntimeError(f"{stored} of {len(passages)} were stored")
    return stored, seconds


def _show(
    console: Console, *, raw: Sequence[float], ours: Sequence[float], cpu_us: Sequence[float]
) -> None:
    ratios = [mine / other for mine, other in zip(ours, raw, strict=True)]
    table = Table(title=f"ingest against raw COPY, {platform.machine()}, {len(raw)} rounds")
    for heading in ("", "median", "least", "most"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, values, form in (
        ("raw binary COPY, rows/s", raw, "{:,.0f}"),
        ("ingest from bytes, events/s", ours, "{:,.0f}"),
        ("ratio", ratios, "{:.0%}"),
        ("ingest's own CPU per event, us", cpu_us, "{:,.0f}"),
    ):
        figures = (statistics.median(values), min(values), max(values))
        table.add_row(name, *(form.format(figure) for figure in figures))
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
