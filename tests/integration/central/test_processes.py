# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command and its processes as an administrator and a supervisor see them."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.settings import CentralSettings, IngestSettings
from deploy.local.ports import free_port

if TYPE_CHECKING:
    from tests.integration.central.conftest import DeviceLink, FakeDevice

COMMAND = (str(Path(sys.executable).with_name("luuthong-central")),)
STOP_LIMIT_S = 10

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager["subprocess.Popen[bytes]"]]
WaitUntil = Callable[..., None]


@pytest.fixture
def environment(ingest_settings: CentralSettings, tmp_path: Path) -> dict[str, str]:
    broker = ingest_settings.required_broker()
    return {
        "PATH": os.environ["PATH"],
        "LUUTHONG_CENTRAL_DATABASE_URL": ingest_settings.database_url,
        "LUUTHONG_CENTRAL_EVIDENCE_FOLDER": str(tmp_path / "evidence"),
        "LUUTHONG_CENTRAL_BROKER__HOST": broker.host,
        "LUUTHONG_CENTRAL_BROKER__PORT": str(broker.port),
        "LUUTHONG_CENTRAL_BROKER__PASSWORD_FILE": str(broker.password_file),
        "LUUTHONG_CENTRAL_BROKER__CLIENT_ID": broker.client_id,
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Run a command to its end."""

    def run_command(*arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            (*COMMAND, *arguments),
            env={**environment, **changes},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run_command


@pytest.fixture
def started(environment: dict[str, str], tmp_path: Path, wait_until: WaitUntil) -> Start:
    """Start a process and make sure that it is gone afterwards."""

    @contextmanager
    def start(*arguments: str, **changes: str) -> Iterator["subprocess.Popen[bytes]"]:
        log_path = tmp_path / f"{arguments[0]}-{uuid4().hex}.log"
        with log_path.open("wb") as log_file:
            process = subprocess.Popen(
                (*COMMAND, *arguments), env={**environment, **changes}, stderr=log_file
            )
        ready = {"ingest": "broker_subscribed", "jobs": "jobs_started"}[arguments[0]]
        try:
            wait_until(lambda: ready in log_path.read_text("utf-8"), what=ready)
            yield process
        finally:
            process.kill()
            process.wait()

    return start


def test_a_device_is_registered_once_and_its_secret_is_printed(
    run: Run, rows: psycopg.Connection
) -> None:
    arguments = ("devices", "add", "gate-1", "--site", "km12", "--province", "dak-lak")

    first = run(*arguments, "--camera", "cam-1", "--camera", "cam-2", "--site-name", "Km 12")
    second = run(*arguments)

    assert first.returncode == 0
    assert len(first.stdout.strip()) == 43
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == "luuthong-central: device gate-1 is already registered\n"
    assert rows.execute("SELECT id FROM camera ORDER BY id").fetchall() == [("cam-1",), ("cam-2",)]
    assert "gate-1" in run("devices", "list").stdout


def test_the_first_administrator_gets_a_password_once(run: Run) -> None:
    first, second = run("admin", "create"), run("admin", "create")
    renewed = run("admin", "reset-password", "admin")

    assert first.stdout.startswith("admin ")
    assert (second.returncode, second.stdout) == (1, "")
    assert renewed.stdout.startswith("admin ")
    assert renewed.stdout != first.stdout


def test_a_device_that_was_switched_off_gets_its_events_stored_when_it_is_back(
    run: Run, device: "FakeDevice", rows: psycopg.Connection, count: Callable[[str], int]
) -> None:
    disabled = run("devices", "disable", device.device_id)
    passage = parse(Delivery(topic=device.topic(), payload=device.passage(seq=1).to_json()))
    with closing(IngestDatabase(rows.info.dsn)) as database, database.transaction() as connection:
        limits = IngestSettings().time_limits
        store_batch(connection, [passage], limits=limits, now=datetime.now(UTC))
    early = run("quarantine", "release")
    enabled = run("devices", "enable", device.device_id)
    late = run("quarantine", "release")
    unknown = run("devices", "enable", "nobody")

    assert (disabled.returncode, enabled.returncode) == (0, 0)
    assert (early.stdout, late.stdout) == ("0\n", "1\n")
    assert count("passage") == 1
    assert unknown.stderr == "luuthong-central: device nobody not found\n"


def test_a_missing_setting_is_named_in_one_line(run: Run) -> None:
    failed = run("migrate", LUUTHONG_CENTRAL_DATABASE_URL="nonsense")

    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "LUUTHONG_CENTRAL_DATABASE_URL" in failed.stderr


def test_a_database_that_is_down_is_told_in_one_line(run: Run) -> None:
    failed = run("migrate", LUUTHONG_CENTRAL_DATABASE_URL="postgresql://luuthong@127.0.0.1:1/x")

    assert failed.returncode == 1
    assert failed.stderr == "luuthong-central: the database can't be reached\n"


def test_completeness_and_quarantine_are_shown(
    run: Run, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    rows.execute(
        "INSERT INTO device_stream (device_id, outbox_id, held, announced_seq, stored_count,"
        " doubled_count, first_received_at, last_received_at)"
        " VALUES (%s, %s, '{[1,5),[7,9)}', 10, 6, 3, now(), now())",
        [device.device_id, device.outbox_id],
    )
    rows.execute(
        "INSERT INTO quarantine (fingerprint, reason, topic, payload, payload_size_bytes,"
        " received_at, last_received_at)"
        " VALUES (sha256('x'), 'not_json', 'lt/1/a/b/c/passage', 'secret words', 12, now(), now())"
    )

    proof = run("completeness", "device", device.device_id, COLUMNS="200").stdout
    quarantine = run("quarantine", "list", COLUMNS="200").stdout

    row = next(line for line in proof.splitlines() if str(device.outbox_id) in line)
    # In the order of the columns; missing are the numbers 5, 6, 9 and 10.
    assert [cell.strip() for cell in row.split("│")[2:-1]] == ["1", "10", "6", "0", "4", "3", "0"]
    assert "not_json" in quarantine
    assert "secret words" not in quarantine


def test_ingest_serves_its_metrics_and_stops_tidily(
    started: Start,
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
) -> None:
    port = free_port()
    link = linked(device)

    with started("ingest", LUUTHONG_CENTRAL_INGEST__METRICS_PORT=str(port)) as process:
        link.send(device.passage(seq=1))
        link.wait_for_ack(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            metrics = answer.read().decode()
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_LIMIT_S)

    assert code == 0
    assert 'luuthong_ingest_messages_total{result="stored"} 1.0' in metrics
    assert "47AD15155" not in metrics


def test_nothing_is_lost_or_doubled_when_ingest_is_killed_again_and_again(
    started: Start,
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    count: Callable[[str], int],
    wait_until: WaitUntil,
) -> None:
    link = linked(device)
    passages = [device.passage(seq=seq) for seq in range(1, 601)]

    for round_number in range(3):
        with started("ingest", LUUTHONG_CENTRAL_INGEST__BATCH_EVENTS_MAX="25") as process:
            link.send(*passages[round_number * 200 : (round_number + 1) * 200])
            least = round_number * 200 + 50
            wait_until(lambda least=least: count("passage") >= least, what=f"{least} passages")
            process.kill()
    with started("ingest"):
        link.wait_for_ack(600)

    assert count("passage") == 600
    assert count("quarantine") == 0


def test_the_jobs_stop_tidily(
    started: Start,
    rows: psycopg.Connection,
    wait_until: WaitUntil,
) -> None:
    def is_working() -> bool:
        jobs = rows.execute("SELECT count(*) FROM procrastinate_periodic_defers").fetchone()
        return jobs is not None and jobs[0] > 0

    with started("jobs") as process:
        wait_until(is_working, what="the first periodic job")
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_LIMIT_S)

    assert code == 0
