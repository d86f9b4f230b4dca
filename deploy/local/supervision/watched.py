# SPDX-License-Identifier: AGPL-3.0-or-later
"""One supervised process: started again with growing pauses, and stopped tidily."""

import random
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final

import structlog

from deploy.local.state import ServicePhase, ServiceState
from deploy.local.supervision.services import Service

# The pause before a restart doubles from the first to the last.
BACKOFF_FIRST_S: Final = 0.25
BACKOFF_LAST_S: Final = 30.0
# Having run this long, a process counts as healthy and its next restart is quick again.
# Up: a slowly failing process pauses longer. Down: it is restarted in a faster loop.
STABLE_AFTER_S: Final = 60.0
_JITTER: Final = 0.2
_DOUBLINGS_MAX: Final = 10

log = structlog.get_logger()


@dataclass(kw_only=True)
class Watched:
    """A service and its process of the moment.

    Attributes:
        service: What is run.
        clock: Time of day, for the state that people see.
    """

    service: Service
    clock: Callable[[], datetime]
    restarts: int = 0
    process: subprocess.Popen[bytes] | None = None
    has_been_ready: bool = False
    _failures_in_a_row: int = 0
    _launched_s: float = 0.0
    _next_launch_s: float = 0.0
    _phase: ServicePhase = ServicePhase.STOPPED
    _since: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def launch(self) -> None:
        """Start the process."""
        self.process = self.service.launch()
        self._launched_s = monotonic()
        self._enter(ServicePhase.STARTING)
        log.info("service_started", service=self.service.name, pid=self.process.pid)

    def look_after(self) -> bool:
        """See how the process is, and start it again when its pause is over.

        Returns:
            Whether anything changed that people should see.
        """
        if self.process is None:
            return self._relaunch_when_due()
        if (code := self.process.poll()) is not None:
            self._note_end(code)
            return True
        if self._phase is ServicePhase.STARTING and self.service.is_ready():
            self.has_been_ready = True
            self._enter(ServicePhase.RUNNING)
            return True
        return False

    @property
    def is_ready(self) -> bool:
        """Whether the process does its work."""
        return self._phase is ServicePhase.RUNNING

    @property
    def failures_in_a_row(self) -> int:
        """How often it has ended without having run for long."""
        return self._failures_in_a_row

    def state(self) -> ServiceState:
        """What people see of it."""
        return ServiceState(
            name=self.service.name,
            phase=self._phase,
            pid=None if self.process is None else self.process.pid,
            restarts=self.restarts,
            since=self._since,
            where=self.service.where,
        )

    def mark_stopped(self) -> None:
        """Note that it was stopped on purpose."""
        self.process = None
        self._enter(ServicePhase.STOPPED)

    def _relaunch_when_due(self) -> bool:
        if monotonic() < self._next_launch_s:
            return False
        self.restarts += 1
        self.launch()
        return True

    def _note_end(self, code: int) -> None:
        ran_s = monotonic() - self._launched_s
        self._failures_in_a_row = 1 if ran_s > STABLE_AFTER_S else self._failures_in_a_row + 1
        pause_s = backoff_s(self._failures_in_a_row, spread=random.random())  # noqa: S311 - jitter
        self._next_launch_s = monotonic() + pause_s
        self.process = None
        self._enter(ServicePhase.WAITING)
        log.warning(
            "service_ended",
            service=self.service.name,
            code=code,
            ran_s=round(ran_s, 1),
            restart_in_s=round(pause_s, 2),
        )

    def _enter(self, phase: ServicePhase) -> None:
        self._phase = phase
        self._since = self.clock()


def backoff_s(failures: int, *, spread: float) -> float:
    """Pause before the next start.

    Args:
        failures: Ends in a row, at least 1.
        spread: In [0, 1]; moves the pause by up to a fifth, so that processes that fell together
            do not start together.
    """
    doubled = BACKOFF_FIRST_S * 2.0 ** min(failures - 1, _DOUBLINGS_MAX)
    return min(doubled, BACKOFF_LAST_S) * (1 + _JITTER * (spread - 0.5))


def stop_together(group: Sequence[Watched]) -> None:
    """Ask several processes to end at once, and kill those that do not in time."""
    started_s = monotonic()
    for watched in group:
        if watched.process is not None and watched.process.poll() is None:
            watched.process.send_signal(watched.service.stop_signal)
    for watched in group:
        if watched.process is not None:
            left_s = started_s + watched.service.stop_timeout_s - monotonic()
            _wait_or_kill(watched.process, watched.service.name, timeout_s=max(0.0, left_s))
        watched.mark_stopped()


def _wait_or_kill(process: subprocess.Popen[bytes], name: str, *, timeout_s: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=timeout_s)
        return
    log.warning("service_killed", service=name, after_s=round(timeout_s, 1))
    # Quit first: PostgreSQL's own children leave with it, which a kill would not tell them.
    process.send_signal(signal.SIGQUIT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
        return
    process.kill()
    process.wait()
