# SPDX-License-Identifier: AGPL-3.0-or-later
"""The periodic work of a province that hands its figures up."""

from central.jobs.context import JobContext
from central.national.pushing.sending import national_link
from central.national.pushing.service import may_try, push_due


async def push_national(context: JobContext) -> int:
    """Hand up what has changed; returns how many sheets were dealt with.

    Raises:
        SettingsError: The key or the certificates can't be read.
    """
    settings = context.settings.national
    if settings.url is None:
        return 0
    async with context.transaction() as connection:
        if not await may_try(connection, now=context.now()):
            return 0
    async with national_link(settings) as link:
        report = await push_due(context.transaction, link, clock=context.clock)
    return report.sheets
