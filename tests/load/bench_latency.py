# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long it takes from a passage's capture until its row can be seen: the whole way, really run.

Made passages get their capture stamp and go through the edge's outbox and publisher, the broker and
two ingest processes into a durable database, all on this machine and with its one clock. The end is
when a listener hears of the commit and has read it. ``make bench-latency``.
"""

import os
import statistics
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

import psycopg
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from central.passages.service import FEED_CHANNEL
from deploy.setup.components import require_servers
from tests.chaos.command import work_folder
from tests.chaos.device import USUAL_ACK_TIMEOUT, Traffic
from tests.chaos.nursery import Nursery
from tests.chaos.system import System, wait_until
from tests.chaos.template import Template, make_template

RATES: Final = (50, 200, 1000)
DEVICES: Final = tuple(f"edge-{number}" for number in range(1, 11))
WARM_UP_S: Final = 2.0
DRAIN_LIMIT_S: Final = 300.0
LISTEN_S: Final = 0.5
SHARES: Final = (0.5, 0.99, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round at one rate.

    Attributes:
        rate: Rows per second that really became visible.
        latencies_ms: At the shares of ``SHARES``, in their order.
    """

    rate: float
    latencies_ms: tuple[float, ...]


class Listener:
    """Notes for every passage how old it was when its row could be seen."""

    def __init__(self, database_url: str) -> None:
        self._ear = psycopg.connect(database_url, autocommit=True)
        self._eye = psycopg.connect(database_url, autocommit=True)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="latency-listener")
        self.seen: list[tuple[datetime, float]] = []
        """Capture stamp, and milliseconds from it until the row was seen."""

    def __enter__(self) -> Self:
        self._ear.execute(f"LISTEN {FEED_CHANNEL}")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(DRAIN_LIMIT_S)
        self._ear.close()
        self._eye.close()

    def _listen(self) -> None:
        while not self._stop.is_set():
            for notice in self._ear.notifies(timeout=LISTEN_S):
                row = self._eye.execute(
                    "SELECT captured_ats FROM passage_feed WHERE position = %s", [notice.payload]
                ).fetchone()
                now = datetime.now(UTC)
                assert row is not None
                self.seen += [(at, (now - at).total_seconds() * 1000) for at in row[0]]


def main(
    *,
    seconds: float = typer.Option(10.0, min=2.0, max=600.0, help="Measured time of a round."),
    rounds: int = typer.Option(3, min=1, max=50, help="Rounds of each rate; the median counts."),
) -> None:
    """Print latencies at every rate."""
    console = Console()
    results: dict[int, list[Round]] = {rate: [] for rate in RATES}
    with (
        work_folder() as folder,
        Nursery(log_file=folder / "nursery.log") as nursery,
        Progress(console=console) as progress,
    ):
        task = progress.add_task("rounds", total=rounds * len(RATES))
        template = make_template(require_servers(), folder / "template", devices=DEVICES)
        for number in range(rounds):
            for rate in RATES:
                place = folder / f"{number}-{rate}"
                results[rate].append(_round(template, nursery, place, rate=rate, seconds=seconds))
                progress.advance(task)
    _show(console, results, rounds=rounds, seconds=seconds)


def _round(
    template: Template, nursery: Nursery, folder: Path, *, rate: int, seconds: float
) -> Round:
    """One round on fresh servers: warm up, measure, and let everything arrive."""
    folder.mkdir()
    folder.chmod(0o755)
    system = System(template=template, nursery=nursery, folder=folder, is_on_disk=True)
    with system, Listener(system.database_url) as listener:
        traffic = Traffic(
            rate=rate / len(DEVICES),
            lasts_s=WARM_UP_S + seconds + 1.0,
            seed=folder.name,
            tag_share=0.0,
            ack_timeout=USUAL_ACK_TIMEOUT,
        )
        for name in DEVICES:
            system.start_edge(name, traffic)
        begins_at = datetime.now(UTC) + timedelta(seconds=WARM_UP_S)
        ends_at = begins_at + timedelta(seconds=seconds)
        time.sleep(WARM_UP_S + seconds)
        wait_until(system.is_drained, what="everything arrives", limit_s=DRAIN_LIMIT_S)
        time.sleep(2 * LISTEN_S)
        measured = [ms for at, ms in listener.seen if begins_at <= at < ends_at]
    ordered = sorted(measured)
    return Round(
        rate=len(ordered) / seconds,
        latencies_ms=tuple(ordered[int(share * (len(ordered) - 1))] for share in SHARES),
    )


def _show(
    console: Console, results: dict[int, list[Round]], *, rounds: int, seconds: float
) -> None:
    table = Table(
        title=f"capture stamp to visible row, {len(DEVICES)} devices, 2 ingests,"
        f" {rounds} rounds of {seconds:.0f} s, median (least to most)"
    )
    for heading in ("events/s asked", "events/s", "p50 ms", "p99 ms", "p99.9 ms"):
        table.add_column(heading, justify="right")
    for rate, done in results.items():
        table.add_row(
            str(rate),
            f"{statistics.median(each.rate for each in done):.0f}",
            *(_spread([each.latencies_ms[place] for each in done]) for place in range(len(SHARES))),
        )
    console.print(table)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


if __name__ == "__main__":
    typer.run(main)
