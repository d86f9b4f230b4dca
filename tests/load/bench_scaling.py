# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a replica and a national centre bring and cost. ``make bench-scaling``.

Made traffic in a durable cluster, and a streaming standby of it on the same machine. Readers ask
heavy questions without a pause, once at the primary and once at the standby, while batches of rows
are committed at a steady pace: how long do commits take, and how far is the standby behind? Then
sheets of provinces are taken one after another, and the page of provinces is asked for.
"""

import asyncio
import random
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import typer
from psycopg import AsyncConnection
from rich.console import Console
from rich.table import Table

from central.audit.types import Actor
from central.db.migrate import apply_migrations
from central.db.pool import open_pool
from central.db.replica import Answerer, OnPrimary, OnReplica, Replica
from central.domain.local_time import local_date, start_of_local_day
from central.identity.permissions import PERMISSIONS, Permission, Role
from central.machines.service import KeyAdministration, KeyService
from central.machines.types import NewClient
from central.national.service import NationalService, add_province
from central.national.types import HOUR, Sheet, SheetKind, SiteTraffic
from deploy.local.ports import free_port
from deploy.local.postgres import PrivateCluster
from deploy.setup.components import require_servers
from deploy.setup.places import server_account
from tests.load.bench_search import _history, _register, _wildcard, load_day
from tests.load.traffic_rows import FIRST_DAY

READERS: Final = 2
BATCH_ROWS: Final = 100
BATCHES_PER_S: Final = 10
PATIENCE: Final = timedelta(hours=1)
SITES: Final = 200


@dataclass(kw_only=True)
class Figures:
    """What was measured, in seconds."""

    copying_s: float = 0.0
    commits_s: dict[str, list[float]] = field(default_factory=dict)
    questions_s: dict[str, list[float]] = field(default_factory=dict)
    lags_s: list[float] = field(default_factory=list)
    noted: list[Answerer] = field(default_factory=list)
    sheets_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)


def main(
    *,
    days: int = typer.Option(3, min=1, max=60, help="Days of 100,000 passages each."),
    seconds: int = typer.Option(20, min=5, max=600, help="Length of each part."),
    provinces: int = typer.Option(34, min=1, max=100, help="Provinces of the national centre."),
) -> None:
    """Print commits, questions and lag with and without the standby, and sheets per second."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as place:
        Path(place).chmod(0o755)
        primary = _cluster(Path(place), "pg", follows=None)
        standby = _cluster(Path(place), "standby", follows=primary)
        primary.init()
        primary.start()
        try:
            primary.ensure_database("bench")
            dsn = primary.socket_dsn("bench")
            apply_migrations(dsn)
            _register(dsn)
            for day in range(days):
                load_day(dsn, day)
            began_s = time.monotonic()
            standby.init()
            standby.start()
            figures.copying_s = time.monotonic() - began_s
            asyncio.run(
                _measure(dsn, standby.socket_dsn("bench"), figures, days=days, seconds=seconds)
            )
            asyncio.run(_national(dsn, figures, provinces=provinces, seconds=seconds))
        finally:
            standby.stop()
            primary.stop()
    _show(Console(), figures)


def _cluster(place: Path, name: str, *, follows: PrivateCluster | None) -> PrivateCluster:
    return PrivateCluster(
        data_folder=place / name,
        binaries=require_servers().postgres_bin,
        socket_folder=place / f"{name}-run",
        port=free_port(),
        account=server_account(),
        log_file=place / f"{name}.log",
        follows=follows,
    )


async def _measure(
    primary_url: str, standby_url: str, figures: Figures, *, days: int, seconds: int
) -> None:
    """Commits alone, beside readers at the primary, and beside readers at the standby."""
    async with open_pool(standby_url) as pool:
        replica = Replica(
            pool,
            lag_max=PATIENCE,
            search_time=timedelta(minutes=1),
            note=figures.noted.append,
        )
        for way, readers in (("nobody", 0), ("the primary", READERS), ("the standby", READERS)):
            async with AsyncExitStack() as stack:
                connections = [
                    await stack.enter_async_context(await AsyncConnection.connect(primary_url))
                    for _ in range(readers)
                ]
                until_s = time.monotonic() + seconds
                await asyncio.gather(
                    _commit(primary_url, figures.commits_s.setdefault(way, []), until_s=until_s),
                    *(
                        _read(
                            OnReplica(replica, each) if way == "the standby" else OnPrimary(each),
                            figures.questions_s.setdefault(way, []),
                            days=days,
                            until_s=until_s,
                        )
                        for each in connections
                    ),
                    _follow(replica, figures.lags_s, until_s=until_s)
                    if way == "the standby"
                    else asyncio.sleep(0),
                )


async def _commit(url: str, taken_s: list[float], *, until_s: float) -> None:
    """Commit batches at a steady pace."""
    async with await AsyncConnection.connect(url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS batch (at timestamptz, place text)")
        await connection.commit()
        while time.monotonic() < until_s:
            began_s = time.monotonic()
            await connection.execute(
                "INSERT INTO batch SELECT clock_timestamp(), repeat('x', 900)"
                " FROM generate_series(1, %s)",
                [BATCH_ROWS],
            )
            await connection.commit()
            taken_s.append(time.monotonic() - began_s)
            await asyncio.sleep(max(0.0, 1 / BATCHES_PER_S - taken_s[-1]))


async def _read(
    reads: OnPrimary | OnReplica, taken_s: list[float], *, days: int, until_s: float
) -> None:
    """Ask without a pause."""
    rng = random.Random(1)  # noqa: S311 - made questions
    while time.monotonic() < until_s:
        ask = rng.choice((_history, _wildcard))
        began_s = time.monotonic()
        await reads.ask(partial(ask, rng=rng, days=days))
        taken_s.append(time.monotonic() - began_s)


async def _follow(replica: Replica, lags_s: list[float], *, until_s: float) -> None:
    """Write down how far the standby was behind."""
    while time.monotonic() < until_s:
        await asyncio.sleep(0.2)
        if replica.lag is not None:
            lags_s.append(replica.lag.total_seconds())


async def _national(dsn: str, figures: Figures, *, provinces: int, seconds: int) -> None:
    """Take sheets of full hours, province by province, and ask for the page."""
    day = local_date(FIRST_DAY)
    now = datetime.now(UTC)
    async with await AsyncConnection.connect(dsn) as connection:
        services = [await _program(connection, f"p-{number}") for number in range(provinces)]
        rows = tuple(
            SiteTraffic(
                site_id=f"site-{site}",
                passages=500,
                plates_read=490,
                late=1,
                motorcycles=300,
                cars=150,
                buses=10,
                trucks=40,
            )
            for site in range(SITES)
        )
        until_s = time.monotonic() + seconds
        for hour in range(24):
            for number, service in enumerate(services):
                sheet = Sheet(
                    kind=SheetKind.TRAFFIC_HOUR,
                    starts_at=start_of_local_day(day) + hour * HOUR,
                    revised_at=now,
                    rows=rows,
                )
                began_s = time.monotonic()
                await service.accept(f"p-{number}", sheet, now=now)
                await connection.commit()
                figures.sheets_s.append(time.monotonic() - began_s)
            if time.monotonic() > until_s:
                break
        for _ in range(20):
            began_s = time.monotonic()
            await services[0].provinces(day, size=50)
            figures.pages_s.append(time.monotonic() - began_s)


async def _program(connection: AsyncConnection, code: str) -> NationalService:
    """A province with its program, as a request has it."""
    now = datetime.now(UTC)
    keys = KeyAdministration(connection, actor=Actor.command("bench"))
    permissions = PERMISSIONS[Role.API_CLIENT] & {
        Permission.PUSH_NATIONAL,
        Permission.SEE_NATIONAL,
    }
    made = await keys.add(
        NewClient(name=code, purpose="bench", permissions=permissions),
        lifetime=timedelta(days=1),
        now=now,
    )
    await add_province(
        connection, code, name=code, program=code, actor=Actor.command("bench"), now=now
    )
    user = await KeyService(connection).program_of(made.key, now=now)
    return NationalService(connection, user=user)


def _show(console: Console, figures: Figures) -> None:
    table = Table("readers at", "commit p50, p99, ms", "question p50, p99, ms", "questions")
    for way, commits in figures.commits_s.items():
        questions = figures.questions_s.get(way, [])
        table.add_row(way, _pair(commits), _pair(questions), str(len(questions)))
    console.print(table)
    console.print(f"standby made in {figures.copying_s:.1f} s; behind, ms: {_pair(figures.lags_s)}")
    told = {each.value: figures.noted.count(each) for each in Answerer}
    console.print(f"who answered: {told}")
    rate = len(figures.sheets_s) / sum(figures.sheets_s) if figures.sheets_s else 0.0
    console.print(
        f"{len(figures.sheets_s)} sheets of {SITES} sites: {rate:.0f} a second, ms: "
        f"{_pair(figures.sheets_s)}; page of provinces, ms: {_pair(figures.pages_s)}"
    )


def _pair(seconds: list[float]) -> str:
    """p50 and p99 in milliseconds."""
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    return (
        f"{statistics.median(ordered) * 1000:.1f}, {ordered[int(len(ordered) * 0.99)] * 1000:.1f}"
    )


if __name__ == "__main__":
    typer.run(main)
