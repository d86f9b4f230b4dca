# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole stack: started, hurt, stopped and started again. One start serves most tests."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import psutil
import psycopg
import pytest

from central.errors import DeviceNotFoundError
from central.sites.types import Registration
from deploy.errors import PortInUseError, StackNotRunningError
from deploy.local.broker import may_connect
from deploy.local.devices import add_device, renew_secret
from deploy.local.names import INGEST, SERVICE_NAMES
from deploy.local.ports import LOOPBACK
from deploy.local.stack import LocalStack
from deploy.local.state import ServicePhase, ServiceState, StackPhase
from deploy.setup.components import Servers
from edge.settings import load_settings
from tests.conftest import temporary_place

START_LIMIT_S: Final = 80.0  # on a machine that does much else
STOP_LIMIT_S: Final = 10.0
ORPHANS_LIMIT_S: Final = 25.0  # the worker of jobs waits twice for the database, which is gone
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def wait_until(condition: Callable[[], bool], *, limit_s: float = 40.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def service_of(stack: LocalStack, name: str) -> ServiceState:
    return next(service for service in stack.state.services if service.name == name)


def processes_of(stack: LocalStack) -> list[psutil.Process]:
    supervisor = psutil.Process(stack.state.supervisor_pid)
    return [supervisor, *supervisor.children(recursive=True)]


def still_alive(processes: list[psutil.Process]) -> list[str]:
    """Names of those that still run; one that has ended and was not waited for does not."""
    alive = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(f"{process.name()} {process.pid} {process.status()}")
    return alive


def command_output(stack: LocalStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from deploy.local.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "LUUTHONG_HOME": str(stack.layout.home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def fresh_stack(servers: Servers) -> Iterator[LocalStack]:
    """A stack in a folder of its own, stopped at the end whatever the tests did to it."""
    del servers  # only makes sure that they are installed
    home = Path(tempfile.mkdtemp(prefix="lt stack ", dir=temporary_place()))
    home.chmod(0o755)
    stack = LocalStack(home)
    yield stack
    stack.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def stack(fresh_stack: LocalStack) -> LocalStack:
    """The stack, running."""
    fresh_stack.start()
    return fresh_stack


def test_a_stack_that_was_never_started_says_so(servers: Servers, tmp_path: Path) -> None:
    del servers
    stack = LocalStack(tmp_path)

    result = command_output(stack, "status")

    assert result.returncode == 3
    assert "never started" in result.stdout
    with pytest.raises(StackNotRunningError, match="luuthong up"):
        _ = stack.state
    assert not stack.stop()


def test_every_part_is_ready_after_a_start(stack: LocalStack) -> None:
    state = stack.state

    assert state.phase is StackPhase.READY
    assert {service.name for service in state.services} == set(SERVICE_NAMES)
    assert {service.phase for service in state.services} == {ServicePhase.RUNNING}
    assert httpx.get(f"{state.api_url}/v1/health", timeout=5).status_code == 200


def test_a_caller_can_not_say_where_it_comes_from(stack: LocalStack) -> None:
    elsewhere = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}

    answer = httpx.get(f"{stack.state.api_url}/metrics", headers=elsewhere, timeout=5)

    assert answer.status_code == 200  # metrics are for this machine, from which it still comes
    assert "strict-transport-security" not in answer.headers


def test_a_second_up_says_that_it_runs_and_where(stack: LocalStack) -> None:
    before = stack.state

    result = command_output(stack, "up")

    assert result.returncode == 0
    assert "already running" in result.stdout
    assert before.page_url in result.stdout
    assert stack.state.supervisor_pid == before.supervisor_pid


def test_status_shows_every_process_with_its_pid(stack: LocalStack) -> None:
    result = command_output(stack, "status")

    assert result.returncode == 0
    for service in stack.state.services:
        assert service.name in result.stdout
        assert str(service.pid) in result.stdout


def test_a_killed_ingest_is_started_again(stack: LocalStack) -> None:
    before = service_of(stack, INGEST)
    assert before.pid is not None

    os.kill(before.pid, signal.SIGKILL)

    wait_until(lambda: service_of(stack, INGEST).pid not in (before.pid, None))
    wait_until(lambda: service_of(stack, INGEST).phase is ServicePhase.RUNNING)
    assert service_of(stack, INGEST).restarts == before.restarts + 1


def test_a_killed_database_comes_back_with_everything_committed(stack: LocalStack) -> None:
    with psycopg.connect(stack.state.database_url) as connection:
        connection.execute("CREATE TABLE kept_through_kill AS SELECT 1 AS number")
    before = service_of(stack, "postgres")
    assert before.pid is not None

    os.kill(before.pid, signal.SIGKILL)

    wait_until(lambda: service_of(stack, "postgres").pid not in (before.pid, None))
    wait_until(lambda: service_of(stack, "postgres").phase is ServicePhase.RUNNING)
    with psycopg.connect(stack.state.database_url) as connection:
        assert connection.execute("SELECT number FROM kept_through_kill").fetchone() == (1,)


def test_an_added_device_may_connect_and_its_settings_are_valid(
    stack: LocalStack, tmp_path: Path
) -> None:
    registration = Registration(
        device_id="gate-01",
        site_id="tram-01",
        province="dak-lak",
        site_name="Trạm 1",
        camera_ids=("lane-1",),
    )

    added = add_device(stack, registration, output=tmp_path / "site.toml", now=NOW)

    settings = load_settings(tmp_path / "site.toml")
    assert (settings.device.id, settings.broker.port) == ("gate-01", stack.state.broker_port)
    secret_file = tmp_path / "site.secret"
    assert secret_file.read_text().strip() == added.secret
    assert secret_file.stat().st_mode & 0o077 == 0
    assert may_connect(port=stack.state.broker_port, username="gate-01", secret=added.secret)
    assert not may_connect(port=stack.state.broker_port, username="gate-01", secret="wrong")


def test_a_new_secret_shuts_the_old_one_out(stack: LocalStack) -> None:
    registration = Registration(
        device_id="gate-02", site_id="tram-02", province="dak-lak", site_name="Trạm 2"
    )
    old = add_device(stack, registration, output=None, now=NOW).secret

    new = renew_secret(stack, "gate-02", now=NOW)

    port = stack.state.broker_port
    assert may_connect(port=port, username="gate-02", secret=new)
    assert not may_connect(port=port, username="gate-02", secret=old)
    with pytest.raises(DeviceNotFoundError):
        renew_secret(stack, "gate-unknown", now=NOW)


def test_services_work_as_their_own_account_and_users_are_made_by_command(
    stack: LocalStack,
) -> None:
    def accounts() -> dict[str, str]:
        with psycopg.connect(stack.state.database_url) as connection:
            return dict(
                connection.execute(
                    "SELECT application_name, min(usename::text) FROM pg_stat_activity"
                    " WHERE application_name"
                    " IN ('luuthong-api', 'luuthong-jobs', 'luuthong-ingest')"
                    " GROUP BY 1"
                ).fetchall()
            )

    wait_until(lambda: len(accounts()) == 3)
    services = accounts()
    added = command_output(stack, "user", "add", "clerk", "--role", "clerk")
    listed = command_output(stack, "user", "list")
    proved = command_output(stack, "audit", "verify")
    failed = command_output(stack, "job", "failed")

    assert set(services.values()) == {"luuthong_app"}
    assert added.stdout.startswith("clerk ")
    assert "clerk" in listed.stdout
    assert "nothing was changed" in proved.stdout
    assert failed.returncode == 0


def test_down_is_quick_and_keeps_data_and_ports_for_the_right_postgres_version(
    stack: LocalStack,
) -> None:
    before, processes = stack.state, processes_of(stack)
    with psycopg.connect(before.database_url) as connection:
        connection.execute("CREATE TABLE kept_through_down AS SELECT 2 AS number")
    started_s = time.monotonic()

    has_stopped = stack.stop()

    assert has_stopped
    assert time.monotonic() - started_s < STOP_LIMIT_S
    assert still_alive(processes) == []
    refused = up_with_data_of_another_version(stack)
    assert refused.returncode == 1
    assert "holds data of PostgreSQL 16, and version 17 is installed" in refused.stderr
    after = stack.start()
    assert after.phase is StackPhase.READY
    assert (after.api_port, after.broker_port) == (before.api_port, before.broker_port)
    with psycopg.connect(after.database_url) as connection:
        assert connection.execute("SELECT number FROM kept_through_down").fetchone() == (2,)


def up_with_data_of_another_version(stack: LocalStack) -> subprocess.CompletedProcess[str]:
    """What ``up`` says to data that say of themselves that they are older."""
    version_file = stack.layout.cluster_data / "PG_VERSION"
    kept = version_file.read_bytes()
    version_file.write_bytes(b"16\n")
    result = command_output(stack, "up")
    version_file.write_bytes(kept)
    return result


def test_a_killed_supervisor_takes_everything_along_and_up_in_the_foreground_works_next(
    stack: LocalStack,
) -> None:
    processes = processes_of(stack)

    processes[0].kill()

    wait_until(lambda: not still_alive(processes), limit_s=ORPHANS_LIMIT_S)
    assert not stack.is_running  # though state.json still says that it is ready
    stale = stack.status()
    assert stale is not None
    assert stale.phase is StackPhase.READY
    foreground_becomes_ready_and_stops_tidily_at_a_signal(stack, stale_pid=stale.supervisor_pid)


def foreground_becomes_ready_and_stops_tidily_at_a_signal(
    stack: LocalStack, *, stale_pid: int
) -> None:
    """Be the next up: the foreground's way."""

    def is_ready() -> bool:
        state = stack.status()
        return (
            state is not None
            and state.supervisor_pid != stale_pid
            and state.phase is StackPhase.READY
        )

    code = "from deploy.local.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "up", "--foreground"],
        env={**os.environ, "LUUTHONG_HOME": str(stack.layout.home)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(is_ready, limit_s=START_LIMIT_S)
        processes = processes_of(stack)
        started_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=STOP_LIMIT_S * 2)[0]

    assert process.returncode == 0
    assert time.monotonic() - started_s < STOP_LIMIT_S
    assert "Ready." in output
    assert "Stopped." in output
    assert still_alive(processes) == []


def test_a_port_in_use_is_named_before_anything_starts(servers: Servers, tmp_path: Path) -> None:
    del servers
    tmp_path.chmod(0o755)
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]

        with pytest.raises(PortInUseError, match=str(taken)):
            LocalStack(tmp_path).start(api_port=taken)
