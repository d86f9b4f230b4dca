# SPDX-License-Identifier: AGPL-3.0-or-later
"""One run: start everything, let traffic flow, break things, wait, and compare with the truth."""

import json
import shutil
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.chaos.breaking.faults import Breaker, Happened
from tests.chaos.checking import Stored, check
from tests.chaos.device import Traffic
from tests.chaos.nursery import Nursery
from tests.chaos.plan import TRAFFIC_S, RunPlan
from tests.chaos.system import NotInTimeError, System, wait_until
from tests.chaos.template import Template
from tests.chaos.truth import read_truth

DRAIN_LIMIT_S: Final = 90.0
"""Longest wait until every outbox is empty; waits between attempts grow while things are broken."""
FAILED_COMMIT: Final = '"event": "commit_failed"'


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What came of a run.

    Attributes:
        problems: Sentences; none when the run passed.
        drained_s: From the end of traffic and faults until every outbox was empty.
        failed_commits: How often a commit of ingest failed, by SQLSTATE; "none" for a lost link.
    """

    seed: int
    seconds: float
    drained_s: float
    captured: int
    stored: Stored | None
    failed_commits: dict[str, int]
    happened: tuple[Happened, ...]
    problems: tuple[str, ...]

    @property
    def has_passed(self) -> bool:
        return not self.problems

    def to_json(self) -> str:
        """The run as one line of the report."""
        return json.dumps(
            {
                "seed": self.seed,
                "result": "passed" if self.has_passed else "failed",
                "seconds": round(self.seconds, 1),
                "drained_s": round(self.drained_s, 1),
                "captured": self.captured,
                **({} if self.stored is None else asdict(self.stored)),
                "failed_commits": self.failed_commits,
                "faults": [
                    {**asdict(each.fault), "began_s": each.began_s, "ended_s": each.ended_s}
                    | ({"skipped": each.skipped} if each.skipped else {})
                    for each in self.happened
                ],
                "problems": self.problems,
                "replay": f"make chaos SEED={self.seed} RUNS=1",
            }
        )


def run_plan(plan: RunPlan, template: Template, nursery: Nursery, folder: Path) -> RunResult:
    """Run a plan in a fresh folder; the folder stays, its database only when the run failed."""
    began_s = time.monotonic()
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    problems: list[str] = []
    stored, drained_s = None, 0.0
    with System(template=template, nursery=nursery, folder=folder) as system:
        breaker = Breaker(system=system, plan=plan)
        try:
            for name, rate in plan.rates.items():
                traffic = Traffic(rate=rate, lasts_s=TRAFFIC_S, seed=str(plan.seed))
                system.start_edge(name, traffic)
            breaker.run()
            mended_s = time.monotonic()
            wait_until(system.have_ended, what="devices end", limit_s=DRAIN_LIMIT_S)
            wait_until(system.is_drained, what="outboxes are empty", limit_s=DRAIN_LIMIT_S)
            drained_s = time.monotonic() - mended_s
        except NotInTimeError as error:
            problems.append(str(error))
        codes = system.stop_workers()
        problems += [f"{name} ended with {code}" for name, code in sorted(codes.items())]
        works = [edge.work for edge in system.edges.values()]
        truth = read_truth(work.truth_file for work in works)
        stored, found = check(system.database_url, truth, [work.outbox_file for work in works])
        problems += found
        if problems:
            system.cluster.stop()
            shutil.copytree(system.cluster.data_folder, folder / "pg")
    return RunResult(
        seed=plan.seed,
        seconds=time.monotonic() - began_s,
        drained_s=drained_s,
        captured=len(truth.kept),
        stored=stored,
        failed_commits=_failed_commits(system),
        happened=tuple(breaker.happened),
        problems=tuple(problems),
    )


def _failed_commits(system: System) -> dict[str, int]:
    """What ingest's logs say."""
    states: Counter[str] = Counter()
    for worker in system.workers.values():
        for line in worker.log_file.read_text("utf-8").splitlines():
            if FAILED_COMMIT in line:
                states[str(json.loads(line)["sqlstate"] or "none")] += 1
    return dict(states)
