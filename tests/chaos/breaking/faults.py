# SPDX-License-Identifier: AGPL-3.0-or-later
"""Breaks a running system as a plan says, and mends it again."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import psutil

from deploy.local.names import SERVICE_USER
from tests.chaos.breaking.clocks import WrongClock
from tests.chaos.plan import BROKER, POSTGRES, Fault, FaultKind, RunPlan
from tests.chaos.system import System

KILL_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A fault as it really went: at which second it began and was mended; or why it did not."""

    fault: Fault
    began_s: float
    ended_s: float
    skipped: str = ""


@dataclass(kw_only=True)
class Breaker:
    """Runs the faults of a plan against a system; everything happens in the caller's thread."""

    system: System
    plan: RunPlan
    happened: list[Happened] = field(default_factory=list)

    def run(self) -> None:
        """Break and mend in the order of the times; ends when everything is mended."""
        began_s = time.monotonic()
        steps = [(fault.begins_s, 0, fault) for fault in self.plan.faults]
        steps += [(fault.ends_s, 1, fault) for fault in self.plan.faults]
        begins = dict[Fault, tuple[float, str]]()
        for due_s, is_end, fault in sorted(steps, key=lambda step: step[:2]):
            time.sleep(max(0.0, began_s + due_s - time.monotonic()))
            now_s = round(time.monotonic() - began_s, 2)
            if not is_end:
                begins[fault] = (now_s, self._begin(fault))
            else:
                at_s, skipped = begins[fault]
                if not skipped:
                    self._end(fault)
                ended_s = round(time.monotonic() - began_s, 2)
                self.happened.append(
                    Happened(fault=fault, began_s=at_s, ended_s=ended_s, skipped=skipped)
                )

    def _begin(self, fault: Fault) -> str:
        """Break something; says why when it can't be done here."""
        match fault.kind:
            case FaultKind.KILL:
                self._kill(fault.target)
            case FaultKind.KILL_SESSION:
                return self._kill_session()
            case FaultKind.FREEZE:
                self._signal_all(fault.target, psutil.Process.suspend)
            case FaultKind.CLOCK_JUMP:
                self._clock(fault.target).jump_to(offset_s=fault.amount)
            case FaultKind.DISK_FULL:
                if not self.system.volume.is_small:
                    return "only root may mount a small volume"
                self.system.volume.fill()
            case _:
                self._break_link(fault)
        return ""

    def _break_link(self, fault: Fault) -> None:
        network = self.system.network
        match fault.kind:
            case FaultKind.CUT:
                network.cut(fault.target)
            case FaultKind.STALL:
                network.stall(fault.target)
            case FaultKind.DELAY:
                network.delay(fault.target, delay_s=fault.amount)
            case FaultKind.DOUBLE_AND_SHUFFLE:
                rng = random.Random(f"{self.plan.seed} {fault.begins_s}")  # noqa: S311
                network.disturb(fault.target, share=fault.amount, rng=rng)
            case _:
                raise ValueError(fault.kind)

    def _end(self, fault: Fault) -> None:
        """Mend it again."""
        match fault.kind:
            case FaultKind.KILL:
                self._start(fault.target)
            case FaultKind.KILL_SESSION:
                return  # the server has begun to recover by itself
            case FaultKind.FREEZE:
                self._signal_all(fault.target, psutil.Process.resume)
            case FaultKind.CLOCK_JUMP:
                self._clock(fault.target).jump_to(offset_s=0.0)
            case FaultKind.DISK_FULL:
                self.system.volume.free()
                self._start_again_when_ended()
            case _:
                self.system.network.mend(fault.target)

    def _kill(self, target: str) -> None:
        """Kill -9; PostgreSQL's children notice by themselves that their parent is gone."""
        process = self.system.started(target)
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(KILL_TIMEOUT_S)

    def _kill_session(self) -> str:
        """Kill -9 one of the server's processes that work for ingest: it recovers by itself.

        Which of them is a matter of chance; the server ends the others, too.
        """
        for process in self.system.process_tree(POSTGRES)[1:]:
            with suppress(psutil.NoSuchProcess):
                if SERVICE_USER in " ".join(process.cmdline()):
                    process.kill()
                    return ""
        return "ingest had no session at that moment"

    def _start(self, target: str) -> None:
        system = self.system
        if target == POSTGRES:
            system.cluster.launch()
        elif target == BROKER:
            system.broker.launch()
        elif target in system.workers:
            system.workers[target].start()
        else:
            system.edges[target].start()

    def _start_again_when_ended(self) -> None:
        """A database that gave up on a full disk is started again, as its supervisor would."""
        process = self.system.cluster.process
        if process is not None and process.poll() is not None:
            self.system.cluster.launch()

    def _signal_all(self, target: str, act: Callable[[psutil.Process], None]) -> None:
        for process in self.system.process_tree(target):
            with suppress(psutil.NoSuchProcess):
                act(process)

    def _clock(self, target: str) -> WrongClock:
        return WrongClock(self.system.edges[target.removeprefix("clock of ")].work.clock_file)
