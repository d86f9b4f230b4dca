# SPDX-License-Identifier: AGPL-3.0-or-later
"""The periodic work about programs."""

from typing import Final

from central.jobs.context import JobContext
from central.machines import answers

ROWS_PER_COMMIT: Final = 5000


async def forget_answers(context: JobContext) -> int:
    """Forget answers to requests that nobody repeats any more; returns how many went."""
    async with context.transaction() as connection:
        return await answers.forget_answers(connection, now=context.now(), limit=ROWS_PER_COMMIT)
