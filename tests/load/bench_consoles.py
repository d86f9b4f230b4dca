# SPDX-License-Identifier: AGPL-3.0-or-later
"""What open consoles cost the api, and how soon a commit reaches them.

The api runs as a process of its own on a durable cluster. So many consoles follow both live lists,
as the overview does, while passages are committed every second and every second commit holds a
plate of the watchlist, whose alert is judged at once. Counted is the CPU time of the api's process
alone; times run from before the commit is begun to the event's first line at each console, on the
same machine, so they hold too much rather than too little. ``make bench-consoles``.
"""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import psycopg
import typer
from rich.console import Console
from rich.table import Table

from central.audit.types import Actor, ActorKind
from central.control.judging import JudgingService
from central.control.watchlist import WatchlistService
from central.control.watchlist_types import NewWatchlistEntry, WatchReason
from central.db.migrate import apply_migrations
from central.identity.permissions import Role
from central.identity.types import User
from deploy.local.ports import free_port
from deploy.local.postgres import LoopbackAccess, PrivateCluster
from deploy.setup.components import require_servers
from deploy.setup.places import server_account
from tests.integration.api.world import Seen, World

PASSAGES_PER_COMMIT: Final = 5
COMMIT_EVERY_S: Final = 1.0
ALERT_EVERY: Final = 2
START_WAIT_S: Final = 30.0
EVENT_WAIT_S: Final = 10.0
WATCHED_PLATE: Final = "20C99999"
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
STREAMS: Final = ("/console/passages/stream", "/console/alerts/stream")
_USER: Final = User(id=1, username="bench", display_name="Bench", role=Role.REVIEWER)
_ACTOR: Final = Actor(kind=ActorKind.COMMAND, name="bench", role=None, request_id=None)


@dataclass(kw_only=True)
class Figures:
    """What was measured; times in seconds."""

    cores: list[float] = field(default_factory=list)
    passage_s: list[float] = field(default_factory=list)
    alert_s: list[float] = field(default_factory=list)
    missed: int = 0


@dataclass(kw_only=True)
class Follower:
    """One open stream: when its newest event came."""

    name: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter  # a forgotten one closes its connection
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    at_s: float = 0.0

    async def run(self) -> None:
        """Note every event until the stream ends."""
        mark = b"event: " + self.name
        while line := await self.reader.readline():
            if line.startswith(mark):
                self.at_s = time.perf_counter()
                self.arrived.set()


def main(
    *,
    consoles: int = typer.Option(200, min=1, max=1000, help="Consoles that are open."),
    seconds: int = typer.Option(20, min=2, help="Length of one round."),
    rounds: int = typer.Option(3, min=1, max=20, help="Rounds; the median counts."),
) -> None:
    """Print the api's share of a core and the time from commit to event."""
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as folder:
        Path(folder).chmod(0o755)
        with _stack(Path(folder), consoles=consoles) as (world, pid):
            figures = asyncio.run(
                _measure(world, pid, consoles=consoles, seconds=seconds, rounds=rounds)
            )
    _show(Console(), figures, consoles=consoles)


@contextmanager
def _stack(folder: Path, *, consoles: int) -> Iterator[tuple[World, int]]:
    """A cluster and an api process; yields the world and the process's id."""
    cluster = PrivateCluster(
        data_folder=folder / "pg",
        binaries=require_servers().postgres_bin,
        socket_folder=folder / "run",
        port=free_port(),
        account=server_account(),
        log_file=folder / "postgres.log",
        loopback_access=LoopbackAccess.ANYBODY,
    )
    cluster.init()
    cluster.start()
    cluster.ensure_database("bench")
    apply_migrations(cluster.dsn("bench"))
    dsn = cluster.dsn("bench")
    world = World(database_url=dsn, owner_url=dsn, evidence_folder=folder / "evidence")
    world.settle()
    port = free_port()
    world.api_url = f"http://127.0.0.1:{port}"
    with (folder / "api.log").open("wb") as log:
        api = subprocess.Popen(
            (
                *(sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app"),
                *("--host", "127.0.0.1", "--port", str(port), "--no-access-log"),
            ),
            env={
                **os.environ,
                "LUUTHONG_API_DATABASE_URL": dsn,
                "LUUTHONG_API_EVIDENCE_FOLDER": str(world.evidence_folder),
                "LUUTHONG_API_LIVE_SUBSCRIBERS_MAX": str(consoles + 1),
            },
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(world.api_url)
            yield world, api.pid
        finally:
            api.terminate()
            api.wait()
            cluster.stop()


async def _measure(world: World, pid: int, *, consoles: int, seconds: int, rounds: int) -> Figures:
    """Open the consoles, then commit and listen."""
    followers = await _open(world, consoles=consoles)
    tasks = [asyncio.create_task(each.run()) for each in followers]
    figures = Figures()
    async with await psycopg.AsyncConnection.connect(world.owner_url) as connection:
        await _watch(connection)
        for _ in range(rounds):
            cpu_s, began_s = _cpu_s(pid), time.perf_counter()
            for number in range(round(seconds / COMMIT_EVERY_S)):
                turn_s = time.perf_counter()
                await _commit(world, connection, followers, figures, number=number)
                await asyncio.sleep(max(0.0, turn_s + COMMIT_EVERY_S - time.perf_counter()))
            figures.cores.append((_cpu_s(pid) - cpu_s) / (time.perf_counter() - began_s))
    for task, follower in zip(tasks, followers, strict=True):
        task.cancel()
        follower.writer.close()
    return figures


async def _commit(
    world: World,
    connection: psycopg.AsyncConnection,
    followers: list[Follower],
    figures: Figures,
    *,
    number: int,
) -> None:
    """One commit of passages, and in its turn the alert of a listed plate."""
    is_listed = number % ALERT_EVERY == 0
    plates = [WATCHED_PLATE if is_listed else f"20A{number:05d}"]
    plates += [f"29B{number:03d}{place:02d}" for place in range(PASSAGES_PER_COMMIT - 1)]
    passages = [each for each in followers if each.name == b"passages"]
    began_s = time.perf_counter()
    await asyncio.to_thread(world.store, *(Seen(plate=plate) for plate in plates))
    await _arrivals(passages, began_s, figures.passage_s, figures)
    if not is_listed:
        return
    cursor = await connection.execute("SELECT max(position) FROM passage_feed")
    row = await cursor.fetchone()
    assert row is not None
    alerts = [each for each in followers if each.name == b"alerts"]
    began_s = time.perf_counter()
    await JudgingService(connection).judge_commit(int(row[0]), now=datetime.now(UTC))
    await connection.commit()
    await _arrivals(alerts, began_s, figures.alert_s, figures)


async def _arrivals(
    followers: list[Follower], began_s: float, kept: list[float], figures: Figures
) -> None:
    """Wait until every console has the event, and keep how long it took each."""

    async def one(follower: Follower) -> None:
        try:
            async with asyncio.timeout(EVENT_WAIT_S):
                await follower.arrived.wait()
        except TimeoutError:
            figures.missed += 1
            return
        follower.arrived.clear()
        kept.append(follower.at_s - began_s)

    await asyncio.gather(*(one(each) for each in followers))


async def _open(world: World, *, consoles: int) -> list[Follower]:
    """Both streams of every console, over sockets of their own."""
    with world.signed_in() as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url = httpx.URL(world.api_url)
    followers = []
    for _ in range(consoles):
        for path in STREAMS:
            reader, writer = await asyncio.open_connection(url.host, url.port)
            writer.write(
                f"GET {path}?after=0 HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n"
                f"Accept: text/event-stream\r\nCookie: {cookie}\r\n\r\n".encode()
            )
            await writer.drain()
            status = await reader.readline()
            assert b" 200 " in status, status
            name = b"alerts" if "alerts" in path else b"passages"
            followers.append(Follower(name=name, reader=reader, writer=writer))
    return followers


async def _watch(connection: psycopg.AsyncConnection) -> None:
    entry = NewWatchlistEntry(
        plate_text=WATCHED_PLATE,
        plate_colour=None,
        reason=WatchReason.AGENCY_REQUEST,
        note="bench",
        legal_basis="bench",
        valid_until=None,
    )
    await WatchlistService(connection).add(entry, user=_USER, actor=_ACTOR, now=datetime.now(UTC))
    await connection.commit()


def _wait_for(url: str) -> None:
    deadline_s = time.monotonic() + START_WAIT_S
    while True:
        try:
            httpx.get(f"{url}/console/login", timeout=1.0).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < deadline_s, "the api did not start"
            time.sleep(0.1)
        else:
            return


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _show(console: Console, figures: Figures, *, consoles: int) -> None:
    table = Table("what", "median", "99 of 100", "most")
    table.add_row(
        f"cores of the api with {consoles} consoles",
        f"{statistics.median(figures.cores):.2f}",
        "",
        f"{max(figures.cores):.2f}",
    )
    for name, values in (("passage", figures.passage_s), ("alert", figures.alert_s)):
        ordered = sorted(values)
        table.add_row(
            f"commit of a {name} to its event, ms ({len(ordered)})",
            f"{statistics.median(ordered) * 1000:.0f}",
            f"{ordered[int(len(ordered) * 0.99)] * 1000:.0f}",
            f"{ordered[-1] * 1000:.0f}",
        )
    console.print(table)
    console.print(json.dumps({"missed": figures.missed, "machine": platform.platform()}))


if __name__ == "__main__":
    typer.run(main)
