# SPDX-License-Identifier: AGPL-3.0-or-later
"""``make chaos``: seeded runs one after another, a line of JSON for each, and a summary."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.setup.components import ensure_servers
from deploy.setup.places import PROJECT_FOLDER, is_reachable, server_account
from deploy.setup.progress import SilentReporter
from tests.chaos.breaking.volume import may_mount
from tests.chaos.nursery import Nursery
from tests.chaos.plan import plan_run
from tests.chaos.run import RunResult, run_plan
from tests.chaos.template import Template, make_template

REPORTS: Final = PROJECT_FOLDER / "runs" / "chaos"
RUNS_MAX: Final = 100_000


def main(
    *,
    seed: int = typer.Option(1, min=0, help="Seed of the first run; the next has the next."),
    runs: int = typer.Option(20, min=1, max=RUNS_MAX, help="How many runs."),
) -> None:
    """Break the system in many ways, and see that every event is stored once."""
    console = Console()
    if not may_mount():
        console.print("Not root: no small volume can be mounted; a full disk is left out.")
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-seed-{seed}.jsonl"
    results: list[RunResult] = []
    with work_folder() as folder:
        try:
            _run_all(console, folder, report, results, seeds=range(seed, seed + runs))
        except KeyboardInterrupt:
            console.print("Stopped; what ran is counted.")
    _summarise(console, results, report, wanted=runs)
    if len(results) < runs or not all(result.has_passed for result in results):
        raise typer.Exit(1)


@contextmanager
def work_folder() -> Iterator[Path]:
    """A short folder that the servers' account may enter; thrown away at the end."""
    usual = Path(tempfile.gettempdir())
    place = usual if is_reachable(usual, server_account()) else Path("/tmp")  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="lt-chaos-", dir=place))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_all(
    console: Console, folder: Path, report: Path, results: list[RunResult], *, seeds: range
) -> None:
    """Run every seed; a failed run's folder is moved beside the report."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        Nursery(log_file=folder / "nursery.log") as nursery,
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
    ):
        task = progress.add_task("a database to copy", total=len(seeds))
        servers = ensure_servers(SilentReporter(), now=datetime.now(UTC))
        template = make_template(servers, folder / "template")
        for seed in seeds:
            progress.update(task, description=f"seed {seed}")
            place = folder / f"run-{seed}"
            result = _run_one(seed, template, nursery, place)
            results.append(result)
            with report.open("a", encoding="utf-8") as lines:
                lines.write(result.to_json() + "\n")
            if not result.has_passed:
                _keep(console, result, place, report)
            shutil.rmtree(place, ignore_errors=True)
            progress.advance(task)


def _run_one(seed: int, template: Template, nursery: Nursery, place: Path) -> RunResult:
    """Run a seed; what nobody foresaw is a failed run, too, and the others go on."""
    began_s = time.monotonic()
    plan = plan_run(seed)
    try:
        return run_plan(plan, template, nursery, place)
    except Exception as error:  # noqa: BLE001  # the top of a run: told, counted, kept
        return RunResult(
            seed=seed,
            seconds=time.monotonic() - began_s,
            drained_s=0.0,
            captured=0,
            stored=None,
            failed_commits={},
            happened=(),
            problems=(f"{type(error).__name__}: {error}",),
        )


def _keep(console: Console, result: RunResult, place: Path, report: Path) -> None:
    """Say what is wrong, and keep the run's folder."""
    kept = report.with_suffix("") / f"seed-{result.seed}"
    shutil.copytree(place, kept, ignore=shutil.ignore_patterns("volume", "run"))
    console.print(f"[red]seed {result.seed} failed[/red]; kept in {kept}")
    for problem in result.problems:
        console.print(f"  {problem}")
    console.print(f"  again: make chaos SEED={result.seed} RUNS=1")


def _summarise(console: Console, results: list[RunResult], report: Path, *, wanted: int) -> None:
    """How it went, in a few lines."""
    failed = [result.seed for result in results if not result.has_passed]
    happened = [each for result in results for each in result.happened]
    skipped = sum(bool(each.skipped) for each in happened)
    stored = [result.stored for result in results if result.stored is not None]
    console.print(
        f"{len(results)} of {wanted} runs, {len(results) - len(failed)} passed,"
        f" {len(happened) - skipped} faults ({skipped} skipped),"
        f" {sum(result.captured for result in results)} events captured,"
        f" {sum(each.events for each in stored)} stored,"
        f" {sum(each.quarantined for each in stored)} rightly in quarantine,"
        f" {sum(each.doubled for each in stored)} repeats recognised"
    )
    if results:
        seconds = [result.seconds for result in results]
        console.print(
            f"a run took {statistics.median(seconds):.1f} s (median; most {max(seconds):.1f})"
        )
    if failed:
        console.print(f"failed seeds: {', '.join(map(str, failed))}")
    console.print(f"report: {report}")


if __name__ == "__main__":
    typer.run(main)
