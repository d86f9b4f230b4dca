# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is broken in one run, when and for how long: all of it comes from the run's seed."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

EDGES: Final = ("edge-1", "edge-2")
WORKERS: Final = ("ingest-1", "ingest-2")
BROKER: Final = "broker"
POSTGRES: Final = "postgres"
VOLUME: Final = "database volume"
EDGE_LINKS: Final = tuple(f"{edge} to broker" for edge in EDGES)
WORKER_LINKS: Final = tuple(f"{worker} to broker" for worker in WORKERS)
DATABASE_LINKS: Final = tuple(f"{worker} to postgres" for worker in WORKERS)
LINKS: Final = EDGE_LINKS + WORKER_LINKS + DATABASE_LINKS
PROCESSES: Final = (*EDGES, *WORKERS, BROKER, POSTGRES)

TRAFFIC_S: Final = 4.0
FIRST_FAULT_S: Final = 0.2
LAST_FAULT_S: Final = TRAFFIC_S - 0.4
FAULTS_MIN: Final = 3
FAULTS_MAX: Final = 6
REST_S: Final = 0.3
"""A target is left alone for so long after a fault before the next one."""
RATE_MIN: Final = 15.0
RATE_MAX: Final = 60.0
CLOCK_JUMPS_S: Final = (-86_400.0, -3600.0, -45.0, 45.0, 200.0, 3600.0)
"""The largest lies beyond what the centre believes: those events belong into quarantine."""
ATTEMPTS_MAX: Final = 50


class FaultKind(StrEnum):
    """A way to break something."""

    KILL = "kill"
    KILL_SESSION = "kill_session"
    FREEZE = "freeze"
    CUT = "cut"
    STALL = "stall"
    DELAY = "delay"
    DOUBLE_AND_SHUFFLE = "double_and_shuffle"
    CLOCK_JUMP = "clock_jump"
    DISK_FULL = "disk_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is broken for a while.

    Attributes:
        begins_s: Seconds after the traffic began.
        lasts_s: A killed process is started again after this time.
        amount: Seconds of a delay or of a jump of the clock, share of doubled messages; else 0.
    """

    kind: FaultKind
    target: str
    begins_s: float
    lasts_s: float
    amount: float = 0.0

    @property
    def ends_s(self) -> float:
        return self.begins_s + self.lasts_s

    def touches(self, other: "Fault") -> bool:
        """Whether both break the same thing at the same time."""
        return (
            self.target == other.target
            and self.begins_s < other.ends_s + REST_S
            and other.begins_s < self.ends_s + REST_S
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a kind of fault is drawn."""

    weight: int
    targets: tuple[str, ...]
    lasts_s: tuple[float, float]
    amounts: tuple[float, ...] = (0.0,)


RECIPES: Final = {
    FaultKind.KILL: Recipe(weight=8, targets=PROCESSES, lasts_s=(0.1, 1.0)),
    FaultKind.KILL_SESSION: Recipe(weight=1, targets=(POSTGRES,), lasts_s=(0.1, 0.1)),
    FaultKind.FREEZE: Recipe(weight=6, targets=PROCESSES, lasts_s=(0.2, 2.0)),
    FaultKind.CUT: Recipe(weight=4, targets=LINKS, lasts_s=(0.05, 1.0)),
    FaultKind.STALL: Recipe(weight=2, targets=LINKS, lasts_s=(0.2, 1.5)),
    FaultKind.DELAY: Recipe(weight=2, targets=LINKS, lasts_s=(0.5, 2.0), amounts=(0.02, 0.1, 0.3)),
    FaultKind.DOUBLE_AND_SHUFFLE: Recipe(
        weight=3, targets=EDGE_LINKS, lasts_s=(0.5, 3.0), amounts=(0.1, 0.3, 0.6)
    ),
    FaultKind.CLOCK_JUMP: Recipe(
        weight=3,
        targets=tuple(f"clock of {edge}" for edge in EDGES),
        lasts_s=(0.3, 2.0),
        amounts=CLOCK_JUMPS_S,
    ),
    FaultKind.DISK_FULL: Recipe(weight=2, targets=(VOLUME,), lasts_s=(0.5, 1.5)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """One run: its traffic and its faults in the order of their beginnings."""

    seed: int
    rates: dict[str, float]
    faults: tuple[Fault, ...]


def plan_run(seed: int) -> RunPlan:
    """The plan of a seed; the same for ever, on every machine."""
    rng = random.Random(seed)  # noqa: S311  # replayable on purpose
    rates = {edge: round(rng.uniform(RATE_MIN, RATE_MAX), 1) for edge in EDGES}
    wanted = rng.randint(FAULTS_MIN, FAULTS_MAX)
    faults: list[Fault] = []
    for _ in range(ATTEMPTS_MAX):
        fault = _draw(rng)
        if not any(fault.touches(other) for other in faults):
            faults.append(fault)
        if len(faults) == wanted:
            break
    return RunPlan(
        seed=seed, rates=rates, faults=tuple(sorted(faults, key=lambda fault: fault.begins_s))
    )


def _draw(rng: random.Random) -> Fault:
    kinds = list(RECIPES)
    (kind,) = rng.choices(kinds, weights=[RECIPES[each].weight for each in kinds])
    recipe = RECIPES[kind]
    return Fault(
        kind=kind,
        target=rng.choice(recipe.targets),
        begins_s=round(rng.uniform(FIRST_FAULT_S, LAST_FAULT_S), 2),
        lasts_s=round(rng.uniform(*recipe.lasts_s), 2),
        amount=rng.choice(recipe.amounts),
    )
