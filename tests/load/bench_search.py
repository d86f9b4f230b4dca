# SPDX-License-Identifier: AGPL-3.0-or-later
"""How fast questions about passages are answered as the table grows. ``make bench-search``.

Made traffic (``traffic_rows``) is copied straight into the table of a durable cluster of its own,
day by day, and the services that the console and ``/v1`` use are asked: what one vehicle did, what
passed a site in an hour, what fits a pattern, what may be a misread plate, who drove with whom, and
from where to where. More passages are more days, as in life. Each question is asked many times for
other vehicles, sites and hours, with the cache as the load left it. Ctrl-C ends it and shows what
was measured.
"""

import asyncio
import multiprocessing
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table

from central.audit.types import Actor, ActorKind, Look, Purpose
from central.db.copying import copy_rows
from central.db.migrate import apply_migrations
from central.db.pool import connection_info
from central.domain.plates import PlatePattern
from central.errors import SearchTooWideError
from central.identity.permissions import Role
from central.identity.types import User
from central.ingest.columns import PASSAGE_COLUMNS
from central.passages.alike import AlikePlateService, AlikeQuestion
from central.passages.convoys import SPAN_MAX as CONVOY_SPAN_MAX
from central.passages.convoys import ConvoyQuestion, ConvoyService
from central.passages.service import PassageService
from central.passages.types import PageRequest, PassageFilter
from central.sites.service import register_device
from central.sites.types import Registration
from central.traffic.journeys import JourneyService, JourneySpan
from deploy.local.ports import free_port
from deploy.local.postgres import PrivateCluster
from deploy.setup.components import require_servers
from deploy.setup.places import server_account
from tests.load.traffic_rows import (
    CAMERAS,
    FIRST_DAY,
    IDENTITY_ROW_COLUMNS,
    PASSAGES_PER_DAY,
    SITES,
    day_of,
    packed_rows,
    plates,
    site_id,
)

MILLION: Final = 1_000_000
LOADERS: Final = 2
JOURNEYS_ASKED_MAX: Final = 10
"""A day's journeys read a whole day: asked less often."""

WEEK: Final = timedelta(weeks=1)

GROWTH_TARGET: Final = 2.0
SEARCH_TARGET_S: Final = 2.0
PATIENCE: Final = timedelta(minutes=1)
"""Slow answers are measured, not cut off."""

USER: Final = User(id=1, username="bench", display_name="bench", role=Role.OPERATOR)
LOOK: Final = Look(
    actor=Actor(kind=ActorKind.USER, name="bench", role=Role.OPERATOR),
    purpose=Purpose.VIOLATION_CASE,
    case_reference=None,
)
Ask = Callable[[psycopg.AsyncConnection, random.Random, int], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Answers to one kind of question at one size."""

    seconds: tuple[float, ...]
    found: float

    @property
    def p50_ms(self) -> float:
        """Half of the answers were faster."""
        return statistics.median(self.seconds) * 1000

    @property
    def p99_ms(self) -> float:
        """All but one of a hundred were faster."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)] * 1000


@dataclass(kw_only=True)
class Figures:
    """What was measured, by number of passages; grows while measuring."""

    timings: dict[int, dict[str, Timing]] = field(default_factory=dict)
    sizes: dict[int, dict[str, int]] = field(default_factory=dict)


def main(
    *,
    millions: str = typer.Option("1,10", help="Passages to measure at, in millions, ascending."),
    asked: int = typer.Option(100, min=5, max=10_000, help="Times that each question is asked."),
) -> None:
    """Print p50 and p99 of every question at every size, their growth, and bytes per passage."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    console = Console()
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as place:
        Path(place).chmod(0o755)
        cluster = PrivateCluster(
            data_folder=Path(place) / "pg",
            binaries=require_servers().postgres_bin,
            socket_folder=Path(place) / "run",
            port=free_port(),
            account=server_account(),
            log_file=Path(place) / "postgres.log",
        )
        cluster.init()
        cluster.start()
        try:
            cluster.ensure_database("bench")
            sizes = [round(float(each) * MILLION) for each in millions.split(",")]
            _run(console, cluster.socket_dsn("bench"), figures, sizes=sizes, asked=asked)
        except KeyboardInterrupt:
            console.print("interrupted: what was measured so far")
        finally:
            cluster.stop()
    _show(console, figures)


def _run(console: Console, dsn: str, figures: Figures, *, sizes: list[int], asked: int) -> None:
    apply_migrations(dsn)
    _register(dsn)
    days = 0
    for size in sizes:
        wanted = max(1, round(size / PASSAGES_PER_DAY))
        _load(console, dsn, range(days, wanted))
        days = wanted
        with psycopg.connect(dsn, autocommit=True) as connection, console.status("VACUUM ANALYZE"):
            connection.execute("VACUUM ANALYZE passage")
        figures.sizes[size] = _sizes(dsn)
        figures.timings[size] = {}
        asyncio.run(_ask_all(console, dsn, figures.timings[size], days=days, asked=asked))


def _register(dsn: str) -> None:
    for number in range(SITES):
        name = site_id(number)
        register_device(
            dsn,
            Registration(
                device_id=f"{name}-1",
                site_id=name,
                province="thai-nguyen",
                site_name=name,
                camera_ids=CAMERAS,
            ),
            now=datetime.now(UTC),
        )


def _load(console: Console, dsn: str, days: range) -> None:
    """Copy days, a few at a time."""
    context = multiprocessing.get_context("spawn")
    columns = (SpinnerColumn(), *Progress.get_default_columns(), MofNCompleteColumn())
    with (
        ProcessPoolExecutor(LOADERS, mp_context=context, initializer=_leave_interrupts) as pool,
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
    ):
        task = progress.add_task("days of traffic", total=len(days))
        waiting = [pool.submit(load_day, dsn, day) for day in days]
        try:
            for done in as_completed(waiting):
                done.result()
                progress.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _leave_interrupts() -> None:
    """Ctrl-C is the parent's: a loader ends with its day."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def load_day(dsn: str, number: int) -> None:
    """Copy one day's passages, and what they are recognised by."""
    with psycopg.connect(dsn) as connection:
        # What is made here names only devices and cameras that exist: the look at each is saved.
        connection.execute("SET session_replication_role = replica")
        rows = list(packed_rows(day_of(number), number=number))
        copy_rows(connection, "passage", PASSAGE_COLUMNS, (row for row, _ in rows))
        copy_rows(
            connection, "passage_identity", IDENTITY_ROW_COLUMNS, (identity for _, identity in rows)
        )


async def _ask_all(
    console: Console, dsn: str, timings: dict[str, Timing], *, days: int, asked: int
) -> None:
    async with await psycopg.AsyncConnection.connect(connection_info(dsn)) as connection:
        with Progress(console=console) as progress:
            for name, ask in QUESTIONS.items():
                times = min(asked, JOURNEYS_ASKED_MAX) if ask is _journeys else asked
                task = progress.add_task(name, total=times)
                rng = random.Random(name)  # noqa: S311  # made questions, no secret
                seconds, found = [], 0
                for _ in range(times):
                    began = time.perf_counter()
                    try:
                        found += await ask(connection, rng, days)
                    except SearchTooWideError:
                        console.print(f"{name}: longer than {PATIENCE}")
                    seconds.append(time.perf_counter() - began)
                    await connection.rollback()
                    progress.advance(task)
                timings[name] = Timing(seconds=tuple(seconds), found=found / times)
                each = timings[name]
                console.print(f"{name}: p50 {each.p50_ms:.1f} ms, p99 {each.p99_ms:.1f} ms")


async def _history(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """One vehicle's newest passages."""
    wanted = PassageFilter(plate=PlatePattern.parse(_some_plate(rng)))
    return await _searched(connection, wanted, days)


async def _site_hour(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """What passed one site in one hour, and how many."""
    begin = _some_hour(rng, days)
    wanted = PassageFilter(
        site_ids=(site_id(rng.randrange(SITES)),),
        captured_from=begin,
        captured_until=begin + timedelta(hours=1),
    )
    return await _searched(connection, wanted, days, is_counted=True)


async def _wildcard(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """The newest passages of a plate of which one digit and the end are not known, at any time."""
    return await _searched(connection, _half_known(rng), days)


async def _middle(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """The newest passages with four signs in the middle of the plate, at any time."""
    plate = PlatePattern.parse(f"*{_some_plate(rng)[3:7]}*")
    return await _searched(connection, PassageFilter(plate=plate), days)


async def _counted(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """How many passages fit such a pattern: all of them are read."""
    del days
    service = PassageService(connection, search_time=PATIENCE)
    return (await service.count(_half_known(rng), scope=USER.scope)).count


async def _alike(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """Plates over all days that are easily read for one."""
    service = AlikePlateService(connection, user=USER, look=LOOK, search_time=PATIENCE)
    question = AlikeQuestion(
        pattern=PlatePattern.parse(_some_plate(rng)),
        since=FIRST_DAY,
        until=FIRST_DAY + timedelta(days=days),
    )
    return len((await service.find(question, now=datetime.now(UTC))).plates)


async def _convoy(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """Who drove with one vehicle in a week, anywhere in the time that is loaded."""
    since = FIRST_DAY + timedelta(days=rng.randrange(days - WEEK.days + 1))
    return await _companions(connection, rng, since=since, until=since + WEEK)


async def _convoy_of_a_quarter(
    connection: psycopg.AsyncConnection, rng: random.Random, days: int
) -> int:
    """Who drove with one vehicle in the newest quarter, or as much of it as is loaded."""
    until = FIRST_DAY + timedelta(days=days)
    since = max(FIRST_DAY, until - CONVOY_SPAN_MAX)
    return await _companions(connection, rng, since=since, until=until)


async def _companions(
    connection: psycopg.AsyncConnection, rng: random.Random, *, since: datetime, until: datetime
) -> int:
    question = ConvoyQuestion(plate_text=_some_plate(rng), since=since, until=until)
    service = ConvoyService(connection, user=USER, look=LOOK, search_time=PATIENCE)
    return len(await service.companions(question, now=datetime.now(UTC)))


async def _journeys(connection: psycopg.AsyncConnection, rng: random.Random, days: int) -> int:
    """From where to where in one day."""
    begin = FIRST_DAY + timedelta(days=rng.randrange(days))
    service = JourneyService(connection, user=USER, search_time=PATIENCE)
    return len(await service.count(JourneySpan(since=begin, until=begin + timedelta(days=1))))


QUESTIONS: Final[dict[str, Ask]] = {
    "plate history": _history,
    "site and hour": _site_hour,
    "wildcards": _wildcard,
    "middle of a plate": _middle,
    "counting wildcards": _counted,
    "look-alike plates": _alike,
    "convoy, a week": _convoy,
    "convoy, newest quarter": _convoy_of_a_quarter,
    "origin-destination, a day": _journeys,
}


async def _searched(
    connection: psycopg.AsyncConnection,
    wanted: PassageFilter,
    days: int,
    *,
    is_counted: bool = False,
) -> int:
    """A page of the list as the console shows it just after the last day that is loaded."""
    now = FIRST_DAY + timedelta(days=days)
    service = PassageService(connection, search_time=PATIENCE)
    page = await service.search(wanted, PageRequest(size=50), scope=USER.scope, now=now)
    if is_counted:
        return (await service.count(wanted, scope=USER.scope)).count
    return len(page.passages)


def _half_known(rng: random.Random) -> PassageFilter:
    plate = _some_plate(rng)
    return PassageFilter(plate=PlatePattern.parse(f"{plate[:4]}?{plate[5:7]}*"))


def _some_plate(rng: random.Random) -> str:
    """A plate, common ones no oftener than rare ones among the first hundred thousand."""
    return plates()[int(100_000 ** rng.random())]


def _some_hour(rng: random.Random, days: int) -> datetime:
    return FIRST_DAY + timedelta(days=rng.randrange(days), hours=rng.randrange(24))


def _sizes(dsn: str) -> dict[str, int]:
    """Passages, and bytes on disk of the table's parts: rows first, then each index."""
    sizes: dict[str, int] = {}
    with psycopg.connect(dsn) as connection:
        (passages, rows, identity) = connection.execute(
            """
            SELECT (SELECT count(*) FROM passage),
                   (SELECT sum(pg_table_size(chunk)) FROM show_chunks('passage') AS chunk)::bigint,
                   pg_total_relation_size('passage_identity')
            """
        ).fetchall()[0]
        indexes = connection.execute(
            """
            SELECT regexp_replace(index.relname, '^.*_(passage_[a-z_]+|pkey)$', '\\1'),
                   sum(pg_relation_size(index.oid))::bigint
              FROM show_chunks('passage') AS chunk
              JOIN pg_index ON pg_index.indrelid = chunk
              JOIN pg_class AS index ON index.oid = pg_index.indexrelid
             GROUP BY 1 ORDER BY 1
            """
        ).fetchall()
    sizes["passages"] = int(passages)
    sizes["rows"] = int(rows)
    sizes.update((str(name), int(size)) for name, size in indexes)
    sizes["passage_identity"] = int(identity)
    return sizes


def _show(console: Console, figures: Figures) -> None:
    sizes = list(figures.timings)
    table = Table(title="Answers, ms")
    table.add_column("question")
    for size in sizes:
        for heading in ("p50", "p99", "found"):
            table.add_column(f"{size / MILLION:g} M {heading}", justify="right")
    table.add_column("growth of p50", justify="right")
    for name in QUESTIONS:
        known = [figures.timings[size].get(name) for size in sizes]
        cells = [
            cell
            for each in known
            for cell in (
                (f"{each.p50_ms:.1f}", f"{each.p99_ms:.1f}", f"{each.found:.0f}")
                if each
                else ("", "", "")
            )
        ]
        first, last = (known[0], known[-1]) if known else (None, None)
        growth = f"{last.p50_ms / first.p50_ms:.2f}" if first and last else ""
        table.add_row(name, *cells, growth)
    console.print(table)
    console.print(f"targets: growth {GROWTH_TARGET:g}, any search below {SEARCH_TARGET_S:g} s")
    for sized in figures.sizes.values():
        rows = sized["passages"]
        parts = {name: round(size / rows) for name, size in sized.items() if name != "passages"}
        console.print(f"{rows:,} passages, bytes per passage: {parts}")


if __name__ == "__main__":
    typer.run(main)
