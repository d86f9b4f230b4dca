# SPDX-License-Identifier: AGPL-3.0-or-later
"""A worker process with tasks of the tests, which write down that they ran, fail, or hang, and
with those that tell webhooks and send e-mails."""

import asyncio
from typing import Final

from central.jobs.context import JobContext, WorkTask
from central.jobs.notice_tasks import send_notice
from central.jobs.webhook_tasks import send_webhooks
from central.jobs.worker import run_jobs
from central.logging import configure_logging
from central.notify import service as notices
from central.settings import read_settings
from central.webhooks import outbox

SECRET: Final = "20C-12345"
FOREVER_S: Final = 3600.0


async def write_down(context: JobContext, *, name: str) -> None:
    """Write down that it ran."""
    async with context.transaction() as connection:
        await connection.execute("INSERT INTO ran (name) VALUES (%s)", [name])


async def fail_at_first(context: JobContext, *, name: str) -> None:
    """Fail in the first run, with personal data in the error."""
    await write_down(context, name=name)
    async with context.transaction() as connection:
        cursor = await connection.execute("SELECT count(*) FROM ran WHERE name = %s", [name])
        row = await cursor.fetchone()
    if row == (1,):
        raise ValueError(SECRET)


async def hang_at_first(context: JobContext, *, name: str) -> None:
    """Never end in the first run."""
    async with context.transaction() as connection:
        cursor = await connection.execute("SELECT count(*) FROM ran WHERE name = %s", [name])
        is_first = await cursor.fetchone() == (0,)
    await write_down(context, name=name)
    if is_first:
        await asyncio.sleep(FOREVER_S)


TASKS: Final[dict[str, WorkTask]] = {
    "write_down": write_down,
    "fail_at_first": fail_at_first,
    "hang_at_first": hang_at_first,
    notices.TASK_SEND: send_notice,
    outbox.TASK_SEND: send_webhooks,
}


def main() -> None:
    """Work until SIGTERM."""
    settings = read_settings()
    configure_logging(settings.log_level)
    run_jobs(settings, tasks=TASKS, periodic=())


if __name__ == "__main__":
    main()
