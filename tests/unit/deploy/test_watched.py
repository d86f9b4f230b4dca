# SPDX-License-Identifier: AGPL-3.0-or-later
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.commands.screens import duration_text
from deploy.local.state import ServicePhase
from deploy.local.supervision.services import Service
from deploy.local.supervision.watched import BACKOFF_LAST_S, Watched, backoff_s, stop_together

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def watched_program(code: str, *, stop_timeout_s: float = 5.0) -> Watched:
    return Watched(
        service=Service(
            name="sample",
            where="nowhere",
            launch=lambda: subprocess.Popen([sys.executable, "-c", code]),
            is_ready=lambda: True,
            stop_timeout_s=stop_timeout_s,
        ),
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )


def look_until(watched: Watched, phase: ServicePhase, *, limit_s: float = 10.0) -> None:
    deadline = time.monotonic() + limit_s
    while watched.state().phase is not phase:
        assert time.monotonic() < deadline, watched.state()
        watched.look_after()


@pytest.mark.parametrize(
    ("failures", "expected_s"),
    [
        (1, 0.25),  # the first pause
        (2, 0.5),  # doubled
        (4, 2.0),
        (8, 30.0),  # 32 s, cut to the last pause
        (1000, 30.0),  # does not overflow
    ],
)
def test_the_pause_before_a_restart_doubles_up_to_its_limit(
    failures: int, expected_s: float
) -> None:
    assert backoff_s(failures, spread=0.5) == expected_s


def test_processes_that_fell_together_do_not_start_together() -> None:
    early, late = backoff_s(50, spread=0.0), backoff_s(50, spread=1.0)

    assert early == pytest.approx(BACKOFF_LAST_S * 0.9)
    assert late == pytest.approx(BACKOFF_LAST_S * 1.1)


def test_a_process_that_ends_is_started_again_and_counted() -> None:
    watched = watched_program("pass")
    watched.launch()

    look_until(watched, ServicePhase.WAITING)
    look_until(watched, ServicePhase.STARTING)

    assert watched.restarts == 1
    stop_together([watched])
    assert watched.state().pid is None


def test_a_process_that_ignores_the_request_to_end_is_killed() -> None:
    watched = watched_program(STUBBORN, stop_timeout_s=0.3)
    watched.launch()
    process = watched.process
    assert process is not None
    started_s = time.monotonic()

    stop_together([watched])

    assert process.poll() is not None
    assert time.monotonic() - started_s < 5
    assert watched.state().phase is ServicePhase.STOPPED


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (61, "1 min 1 s"),
        (7500, "2 h 5 min"),
        (200_000, "2 d 7 h"),
        (-5, "0 s"),  # the clock was set back
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text
