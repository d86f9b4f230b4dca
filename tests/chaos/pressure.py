# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database is away or slow while traffic goes on: what waits where, and what comes first.

``make chaos-pressure MINUTES=60`` takes the hour; ``make test`` plays the same in seconds.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import psutil
import psycopg
import typer
from rich.console import Console

from deploy.setup.components import require_servers
from tests.chaos.checking import Stored, check
from tests.chaos.command import work_folder
from tests.chaos.device import USUAL_ACK_TIMEOUT, Traffic
from tests.chaos.nursery import Nursery
from tests.chaos.plan import BROKER, DATABASE_LINKS, WORKERS
from tests.chaos.system import System, wait_until
from tests.chaos.template import Template, make_template
from tests.chaos.truth import read_truth

SAMPLE_EVERY_S: Final = 0.2
SLOW_DELAY_S: Final = 1.0
DRAIN_LIMIT_S: Final = 3600.0
MEGABYTE: Final = 1_000_000
DEVICES: Final = tuple(f"edge-{number}" for number in range(1, 11))


class Trouble(StrEnum):
    """What the database suffers from."""

    DOWN = "down"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class PressurePlan:
    """How hard it is pressed.

    Attributes:
        rate: Events per second of all devices together.
        before_s: Traffic before the trouble; its end is what memory is compared with.
        trouble_s: How long the trouble lasts.
        after_s: Traffic after it, which has to go before the backlog.
        late_after: The devices' limit and ingest's.
        worker_settings: Environment of ingest.
    """

    devices: tuple[str, ...]
    rate: float
    trouble: Trouble
    before_s: float
    trouble_s: float
    after_s: float
    late_after: timedelta
    worker_settings: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureResult:
    """What was seen.

    Attributes:
        ingest_before_mb: Most resident memory of an ingest before the trouble.
        ingest_most_mb: The same during the trouble and while the backlog came.
        broker_most_mb: The same of the broker.
        waiting: Events in the outboxes when the trouble ended.
        drained_s: From the end of the trouble until every outbox was empty.
        live_ms_p50: Capture to commit of events captured after the first commit that worked again,
            the middle one.
        live_ms_p99: The same, 99 of 100.
        live_first: Devices whose first such event was stored before the last one of the trouble.
        unmarked: Events that were old when they were stored, and are not marked late.
        wrongly_marked: Events that were fresh when they were stored, and are marked late.
        problems: Anything lost, doubled or miscounted.
    """

    ingest_before_mb: float
    ingest_most_mb: float
    broker_most_mb: float
    waiting: int
    drained_s: float
    live_ms_p50: float
    live_ms_p99: float
    live_first: int
    unmarked: int
    wrongly_marked: int
    stored: Stored
    problems: tuple[str, ...]


_ORDER: Final = """
WITH event AS (
  SELECT device_id, captured_at, stored_at, is_late FROM passage
  UNION ALL
  SELECT device_id, captured_at, stored_at, is_late FROM tag_read
), resumed AS (
  SELECT min(stored_at) AS at
    FROM event
   WHERE stored_at >= %(ended_at)s
), device AS (
  SELECT min(stored_at) FILTER (WHERE captured_at >= resumed.at) AS first_live,
         max(stored_at) FILTER (WHERE captured_at < %(ended_at)s) AS last_old
    FROM event
    CROSS JOIN resumed
   GROUP BY device_id
), live AS (
  SELECT 1000 * extract(epoch FROM stored_at - captured_at) AS ms
    FROM event
    CROSS JOIN resumed
   WHERE captured_at >= resumed.at
)
SELECT (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM live)::float8,
       (SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) FROM live)::float8,
       (SELECT count(*) FROM device WHERE first_live < last_old),
       (SELECT count(*) FROM event WHERE NOT is_late
           AND stored_at - captured_at > %(late_after)s),
       (SELECT count(*) FROM event WHERE is_late AND stored_at - captured_at < %(late_after)s)
"""


def run_pressure(
    plan: PressurePlan, template: Template, nursery: Nursery, folder: Path
) -> PressureResult:
    """Let traffic flow, trouble the database, end the trouble, and wait for everything."""
    folder.mkdir()
    folder.chmod(0o755)
    traffic = Traffic(
        rate=plan.rate / len(plan.devices),
        lasts_s=plan.before_s + plan.trouble_s + plan.after_s,
        seed="pressure",
        late_after=plan.late_after,
        ack_timeout=USUAL_ACK_TIMEOUT,
    )
    with System(
        template=template,
        nursery=nursery,
        folder=folder,
        is_on_disk=True,
        worker_settings=plan.worker_settings,
    ) as system:
        for name in plan.devices:
            system.start_edge(name, traffic)
        before, most = _Memory(system), _Memory(system)
        before.watch(plan.before_s)
        _trouble(system, plan.trouble)
        most.watch(plan.trouble_s)
        for link in DATABASE_LINKS:
            system.network.mend(link)
        ended_at, ended_s = datetime.now(UTC), time.monotonic()
        waiting = system.waiting
        most.watch(plan.after_s)
        wait_until(system.have_ended, what="devices end", limit_s=DRAIN_LIMIT_S)
        while not system.is_drained():
            most.watch(SAMPLE_EVERY_S)
        drained_s = time.monotonic() - ended_s
        system.stop_workers()
        p50, p99, ahead, unmarked, wrongly = _order(system, ended_at, plan.late_after)
        works = [edge.work for edge in system.edges.values()]
        stored, problems = check(
            system.database_url,
            read_truth(work.truth_file for work in works),
            [work.outbox_file for work in works],
        )
    return PressureResult(
        ingest_before_mb=before.ingest_mb,
        ingest_most_mb=most.ingest_mb,
        broker_most_mb=most.broker_mb,
        waiting=waiting,
        drained_s=drained_s,
        live_ms_p50=p50,
        live_ms_p99=p99,
        live_first=ahead,
        unmarked=unmarked,
        wrongly_marked=wrongly,
        stored=stored,
        problems=problems,
    )


class _Memory:
    """The most resident memory that was seen while watching."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.ingest_mb = 0.0
        self.broker_mb = 0.0

    def watch(self, duration_s: float) -> None:
        """Look again and again for so long, at least once."""
        until_s = time.monotonic() + duration_s
        while True:
            for name in WORKERS:
                self.ingest_mb = max(self.ingest_mb, self._resident_mb(name))
            self.broker_mb = max(self.broker_mb, self._resident_mb(BROKER))
            rest_s = until_s - time.monotonic()
            if rest_s <= 0:
                return
            time.sleep(min(SAMPLE_EVERY_S, rest_s))

    def _resident_mb(self, name: str) -> float:
        (process, *_) = self._system.process_tree(name)
        return float(psutil.Process(process.pid).memory_info().rss) / MEGABYTE


def _trouble(system: System, trouble: Trouble) -> None:
    for link in DATABASE_LINKS:
        if trouble is Trouble.DOWN:
            system.network.cut(link)
        else:
            system.network.delay(link, delay_s=SLOW_DELAY_S)


def _order(
    system: System, ended_at: datetime, late_after: timedelta
) -> tuple[float, float, int, int, int]:
    """What ``_ORDER`` says, in its order."""
    with psycopg.connect(system.database_url) as connection:
        row = connection.execute(
            _ORDER, {"ended_at": ended_at, "late_after": late_after}
        ).fetchone()
    assert row is not None
    p50, p99, ahead, unmarked, wrongly = row
    return float(p50 or "nan"), float(p99 or "nan"), int(ahead), int(unmarked), int(wrongly)


def main(
    *,
    minutes: float = typer.Option(60.0, min=0.05, max=1440.0, help="How long the trouble lasts."),
    rate: float = typer.Option(200.0, min=1.0, max=2000.0, help="Events per second."),
    trouble: Annotated[
        Trouble, typer.Option(help="What the database suffers from.")
    ] = Trouble.DOWN,
) -> None:
    """Press once and print what was seen; fails when anything is lost or memory grows."""
    console = Console()
    plan = PressurePlan(
        devices=DEVICES,
        rate=rate,
        trouble=trouble,
        before_s=10.0,
        trouble_s=60.0 * minutes,
        after_s=30.0,
        late_after=timedelta(seconds=30),
        worker_settings={"LUUTHONG_CENTRAL_INGEST__LATE_AFTER": "PT30S"},
    )
    with work_folder() as folder, Nursery(log_file=folder / "nursery.log") as nursery:
        template = make_template(require_servers(), folder / "template", devices=DEVICES)
        with console.status(f"the database is {trouble} for {minutes:g} minutes"):
            result = run_pressure(plan, template, nursery, folder / "run")
    console.print(
        f"{result.stored.events} events stored ({result.stored.late} late,"
        f" {result.stored.doubled} repeats recognised); {result.waiting} waited when the trouble"
        f" ended and came within {result.drained_s:.0f} s"
    )
    console.print(
        f"events captured when commits worked again: p50 {result.live_ms_p50:.0f} ms,"
        f" p99 {result.live_ms_p99:.0f} ms; first in {result.live_first} of"
        f" {len(DEVICES)} devices"
    )
    console.print(
        f"resident memory of an ingest: {result.ingest_before_mb:.0f} MB before, at most"
        f" {result.ingest_most_mb:.0f} MB; broker at most {result.broker_most_mb:.0f} MB"
    )
    wrong = [*result.problems]
    if result.unmarked or result.wrongly_marked:
        wrong.append(f"{result.unmarked} not marked late, {result.wrongly_marked} wrongly")
    for problem in wrong:
        console.print(f"[red]{problem}[/red]")
    if wrong:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
