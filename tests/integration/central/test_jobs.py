# SPDX-License-Identifier: AGPL-3.0-or-later
"""Jobs that a feature defers in its own transaction, run by a real worker process."""

import os
import signal
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest
from procrastinate.jobs import Job as QueuedJob
from typer.testing import CliRunner

from central.audit.types import Actor
from central.db.deferring import Job, defer, defer_async
from central.identity.permissions import Role
from central.identity.types import User
from central.jobs.commands import job_commands
from central.jobs.queue import GrowingWaits, put_back_stalled
from central.jobs.worker import MAILS_AT_A_TIME
from central.notify.service import NoticeService
from central.notify.types import NewNotice
from central.settings import NotifySettings
from central.webhook_settings import WebhookSettings
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.service import WebhookAdministration
from central.webhooks.types import EventType, Happening, NewWebhook
from deploy.local.ports import LOOPBACK
from deploy.setup.places import PROJECT_FOLDER
from tests.fixtures.webhook_receiver import receiving
from tests.integration.central.conftest import WAIT_S
from tests.integration.central.job_worker import SECRET

PICKED_UP_WITHIN_S: Final = 0.1
SAMPLES: Final = 30
HANGING: Final = 5
"""More than the jobs that a worker does at a time."""

STOP_WITHIN_S: Final = 10
NOTICE: Final = NewNotice(
    subject_kind="dossier",
    subject_id="H15.50-260302-0001",
    template="dossier_received",
    title="Đã tiếp nhận hồ sơ",
    body="Hồ sơ đã được tiếp nhận.",
    email="lienhe@vantai-a.example",
)

WaitUntil = Callable[..., None]
StartWorker = Callable[..., AbstractContextManager["Worker"]]


class Worker:
    """A worker process and what it logs."""

    def __init__(
        self, *, database_url: str, log_path: Path, key_file: Path, mail_port: int
    ) -> None:
        self._log_path = log_path
        with log_path.open("wb") as log_file:
            self.process = subprocess.Popen(
                (sys.executable, "-m", "tests.integration.central.job_worker"),
                env={
                    "PATH": os.environ["PATH"],
                    "LUUTHONG_CENTRAL_DATABASE_URL": database_url,
                    "LUUTHONG_CENTRAL_WEBHOOKS__KEY_FILE": str(key_file),
                    "LUUTHONG_CENTRAL_WEBHOOKS__PLAIN_HTTP_TO_LOOPBACK": "true",
                    "LUUTHONG_CENTRAL_NOTIFY__SMTP_HOST": LOOPBACK,
                    "LUUTHONG_CENTRAL_NOTIFY__SMTP_PORT": str(mail_port),
                    "LUUTHONG_CENTRAL_NOTIFY__SMTP_PROTECTION": "none",
                },
                cwd=PROJECT_FOLDER,
                stderr=log_file,
            )

    @property
    def log(self) -> str:
        return self._log_path.read_text("utf-8")


@pytest.fixture
def webhook_settings(tmp_path: Path) -> WebhookSettings:
    """Where webhooks may go, for the worker and for those who register them."""
    key_file = tmp_path / "webhook-key"
    key_file.write_text("key of the test\n", encoding="utf-8")
    return WebhookSettings(key_file=key_file, plain_http_to_loopback=True)


@pytest.fixture
def worker(
    database_url: str,
    rows: psycopg.Connection,
    tmp_path: Path,
    webhook_settings: WebhookSettings,
    wait_until: WaitUntil,
) -> StartWorker:
    """Start a worker, and make sure that it is gone afterwards."""
    rows.execute(
        "CREATE TABLE ran (name text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )

    @contextmanager
    def started(*, mail_port: int = 25) -> Iterator[Worker]:
        worker = Worker(
            database_url=database_url,
            log_path=tmp_path / f"{uuid4().hex}.log",
            key_file=webhook_settings.key_file or tmp_path,
            mail_port=mail_port,
        )
        try:
            wait_until(lambda: "jobs_started" in worker.log, what="the worker starts")
            yield worker
        finally:
            worker.process.kill()
            worker.process.wait()

    return started


@pytest.fixture
def ran(rows: psycopg.Connection) -> Callable[[], list[str]]:
    """What ran, in order."""

    def names() -> list[str]:
        return [name for (name,) in rows.execute("SELECT name FROM ran ORDER BY at").fetchall()]

    return names


@pytest.fixture
def queued(rows: psycopg.Connection) -> Callable[[], list[tuple[str, str]]]:
    """What is in the queue of deferred work: task and state, in order."""

    def jobs() -> list[tuple[str, str]]:
        return rows.execute(
            "SELECT task_name, status::text FROM procrastinate_jobs"
            " WHERE queue_name = 'work' ORDER BY id"
        ).fetchall()

    return jobs


def test_a_job_runs_once_if_its_transaction_commits_and_never_if_it_rolls_back(
    worker: StartWorker,
    database_url: str,
    ran: Callable[[], list[str]],
    queued: Callable[[], list[tuple[str, str]]],
    wait_until: WaitUntil,
) -> None:
    with psycopg.connect(database_url) as connection, worker():
        defer(connection, job("write_down", "rolled back"))
        connection.rollback()
        defer(connection, job("write_down", "first"))
        connection.commit()
        wait_until(lambda: queued() == [] and ran() != [], what="the first job")
        defer(connection, job("write_down", "second"))
        connection.commit()
        wait_until(lambda: queued() == [] and "second" in ran(), what="the second job")

    assert ran() == ["first", "second"]


async def test_a_job_deferred_by_an_async_feature_keeps_to_its_transaction(
    database_url: str, queued: Callable[[], list[tuple[str, str]]]
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await defer_async(connection, job("write_down", "rolled back"))
        await connection.rollback()
        await defer_async(connection, job("write_down", "kept"))

    assert queued() == [("write_down", "todo")]


def test_a_job_is_picked_up_within_a_tenth_of_a_second(
    worker: StartWorker,
    database_url: str,
    rows: psycopg.Connection,
    ran: Callable[[], list[str]],
    wait_until: WaitUntil,
) -> None:
    waits_s: list[float] = []
    with psycopg.connect(database_url) as connection, worker():
        for number in range(SAMPLES):
            name = f"sample {number}"
            defer(connection, job("write_down", name))
            connection.commit()
            committed = rows.execute("SELECT clock_timestamp()").fetchone()
            wait_until(lambda name=name: name in ran(), what=name)
            started = rows.execute("SELECT at FROM ran WHERE name = %s", [name]).fetchone()
            assert started is not None
            assert committed is not None
            waits_s.append((started[0] - committed[0]).total_seconds())

    print(f"picked up after {statistics.median(waits_s) * 1000:.1f} ms (median)")  # noqa: T201
    assert statistics.median(waits_s) < PICKED_UP_WITHIN_S


async def test_receivers_that_hang_delay_neither_other_receivers_nor_other_jobs(
    worker: StartWorker,
    database_url: str,
    webhook_settings: WebhookSettings,
    ran: Callable[[], list[str]],
    wait_until: WaitUntil,
) -> None:
    with receiving(None) as hanging, receiving(None) as good, worker():
        hanging.is_silent = True
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            hooks = WebhookAdministration(
                connection,
                settings=webhook_settings,
                actor=Actor.command("test"),
                user=User(id=1, username="admin", display_name="Q", role=Role.ADMINISTRATOR),
            )
            for number in range(HANGING):
                silent = _hook(f"hangs-{number}", hanging.port, EventType.DEVICE_SILENT)
                await hooks.add(silent, now=datetime.now(UTC))
            heard = _hook("answers", good.port, EventType.DEVICE_HEARD_AGAIN)
            await hooks.add(heard, now=datetime.now(UTC))
            outbox = WebhookOutbox(connection)
            await outbox.put([_about(EventType.DEVICE_SILENT)], now=datetime.now(UTC))
            await connection.commit()
            wait_until(lambda: len(hanging.told) == HANGING, what="all that hang are waited for")
            await outbox.put([_about(EventType.DEVICE_HEARD_AGAIN)], now=datetime.now(UTC))
            await defer_async(connection, job("write_down", "meanwhile"))
            await connection.commit()

            wait_until(lambda: len(good.told) == 1, what="the receiver that answers is told")
            wait_until(lambda: ran() == ["meanwhile"], what="the other job runs")
            ended = await connection.execute(
                "SELECT count(*) FROM webhook_delivery WHERE attempts > 0 AND failure IS NOT NULL"
            )

            assert await ended.fetchone() == (0,)  # nobody stopped waiting for those that hang


def test_a_failed_job_is_tried_again_and_its_log_holds_no_personal_data(
    worker: StartWorker,
    database_url: str,
    ran: Callable[[], list[str]],
    queued: Callable[[], list[tuple[str, str]]],
    wait_until: WaitUntil,
) -> None:
    with psycopg.connect(database_url) as connection, worker() as running:
        defer(connection, job("fail_at_first", "x"))
        connection.commit()
        wait_until(lambda: queued() == [] and len(ran()) > 1, what="the second attempt")
        log = running.log

    assert ran() == ["x", "x"]
    assert "job_attempt_failed" in log
    assert "ValueError" in log
    assert SECRET not in log


def test_a_job_that_always_fails_is_given_up_after_five_more_attempts_and_kept() -> None:
    decisions = [
        GrowingWaits().get_retry_decision(
            exception=ValueError(),
            job=QueuedJob(
                id=1, queue="work", lock=None, queueing_lock=None, task_name="x", attempts=attempts
            ),
        )
        for attempts in range(7)
    ]

    assert [decision is not None for decision in decisions] == [True] * 5 + [False] * 2
    now = datetime.now(UTC)
    waits_s = [
        (each.retry_at - now).total_seconds() for each in decisions if each and each.retry_at
    ]
    assert waits_s == sorted(waits_s)
    assert 0.5 < waits_s[0] < 1.5  # the first wait is short: somebody may sit in front of a page
    assert 250 < waits_s[-1] < 330


def test_a_job_of_an_unknown_name_is_kept_as_failed(
    worker: StartWorker,
    database_url: str,
    queued: Callable[[], list[tuple[str, str]]],
    wait_until: WaitUntil,
) -> None:
    with psycopg.connect(database_url) as connection, worker() as running:
        defer(connection, job("nobody_knows", "x"))
        connection.commit()
        wait_until(lambda: queued() == [("nobody_knows", "failed")], what="the refusal")
        log = running.log

    assert "Task was not found" in log


def test_a_job_that_was_given_up_is_shown_and_queued_again_by_a_command(
    database_url: str, rows: psycopg.Connection, queued: Callable[[], list[tuple[str, str]]]
) -> None:
    with psycopg.connect(database_url) as connection:
        defer(connection, job("write_down", "x"))
    rows.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    rows.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    runner = CliRunner()
    app = job_commands(lambda: database_url)

    shown = runner.invoke(app, ["failed"], env={"COLUMNS": "200"})
    again = runner.invoke(app, ["retry", "1"])
    twice = runner.invoke(app, ["retry", "1"])

    assert "name=x" in shown.stdout
    assert again.stdout == "write_down is queued again\n"
    assert twice.exit_code == 1
    assert queued() == [("write_down", "todo")]


def test_a_job_whose_worker_was_killed_runs_again(
    *,
    worker: StartWorker,
    database_url: str,
    rows: psycopg.Connection,
    ran: Callable[[], list[str]],
    queued: Callable[[], list[tuple[str, str]]],
    wait_until: WaitUntil,
) -> None:
    with psycopg.connect(database_url) as connection, worker() as first:
        defer(connection, job("hang_at_first", "x", lock="one at a time"))
        connection.commit()
        wait_until(lambda: ran() == ["x"], what="the first run")
        defer(connection, job("write_down", "after", lock="one at a time"))
        connection.commit()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    left_behind = queued()
    rows.execute("DELETE FROM procrastinate_workers")  # no heartbeat on its way makes it live again
    with worker():
        wait_until(lambda: queued() == [], what="both jobs")

    assert left_behind == [("hang_at_first", "doing"), ("write_down", "todo")]
    assert ran() == ["x", "x", "after"]


async def test_a_job_of_a_dead_worker_is_put_back_by_one_of_two_processes_and_by_none_while_it_runs(
    database_url: str, rows: psycopg.Connection, queued: Callable[[], list[tuple[str, str]]]
) -> None:
    with psycopg.connect(database_url) as connection:
        for name in ("of the dead one", "of the living one"):
            defer(connection, job("write_down", name))
    rows.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES ('2026-03-01'), (now())"
    )
    rows.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = id")

    async with (
        await psycopg.AsyncConnection.connect(database_url) as one,
        await psycopg.AsyncConnection.connect(database_url) as other,
    ):
        first = await put_back_stalled(one)
        meanwhile = await put_back_stalled(other)
        await one.commit()
        put_back = queued()
        rows.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = 2")
        afterwards = await put_back_stalled(other)

    assert (first, meanwhile, afterwards) == (1, 0, 0)
    assert put_back == [("write_down", "todo"), ("write_down", "doing")]


async def test_a_periodic_job_of_a_dead_worker_gives_way_to_the_next_and_keeps_no_other_back(
    database_url: str, queued: Callable[[], list[tuple[str, str]]]
) -> None:
    with psycopg.connect(database_url) as connection:
        for name in ("periodic", "deferred"):
            defer(connection, job(name, "x", lock=name))
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing', queueing_lock = lock")
        defer(connection, job("periodic", "next", lock="periodic"))
        connection.execute("UPDATE procrastinate_jobs SET queueing_lock = lock")

    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await put_back_stalled(connection)

    assert queued() == [("deferred", "todo"), ("periodic", "todo")]


async def test_a_mail_server_that_hangs_delays_no_other_job_and_not_the_end_of_the_worker(
    worker: StartWorker,
    database_url: str,
    ran: Callable[[], list[str]],
    wait_until: WaitUntil,
) -> None:
    with (
        socket.create_server((LOOPBACK, 0)) as hanging,  # it takes connections, and says nothing
        worker(mail_port=hanging.getsockname()[1]) as running,
    ):
        hanging.settimeout(WAIT_S)
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            notices = NoticeService(connection, settings=NotifySettings(smtp_host=LOOPBACK))
            for _ in range(HANGING):
                await notices.post(NOTICE, now=datetime.now(UTC))
            await connection.commit()
            held = [hanging.accept()[0] for _ in range(MAILS_AT_A_TIME)]
            await defer_async(connection, job("write_down", "meanwhile"))
            await connection.commit()

            wait_until(lambda: ran() == ["meanwhile"], what="the other job runs")
            running.process.terminate()
            running.process.wait(STOP_WITHIN_S)
            attempts = await connection.execute("SELECT sum(attempts) FROM notice")

            assert await attempts.fetchone() == (0,)  # nobody stopped waiting before
        for each in held:
            each.close()


def job(task: str, name: str, *, lock: str | None = None) -> Job:
    """A job of this file's worker."""
    return Job(task=task, arguments={"name": name}, lock=lock)


def _hook(name: str, port: int, event: EventType) -> NewWebhook:
    return NewWebhook(name=name, url=f"http://{LOOPBACK}:{port}/", events=frozenset({event}))


def _about(event: EventType) -> Happening:
    return Happening(type=event, subject="device", subject_id="gate-01", site_id="km12")
