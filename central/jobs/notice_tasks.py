# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job that sends a notice by e-mail."""

from uuid import UUID

import structlog

from central.jobs.context import JobContext
from central.notify.errors import MailNotSentError
from central.notify.service import NoticeService, Sending
from central.notify.types import NoticeId

log = structlog.get_logger()


async def send_notice(context: JobContext, *, notice_id: str) -> None:
    """Hand one e-mail to the mail server.

    Raises:
        MailNotSentError: Not now; the job is tried again.
    """
    async with context.transaction() as connection:
        service = NoticeService(connection, settings=context.settings.notify)
        outcome = await service.send(NoticeId(UUID(notice_id)), now=context.now())
    log.info("notice_handled", notice_id=notice_id, outcome=outcome.value)
    if outcome is Sending.TRY_AGAIN:  # after the commit, so that the attempt is counted
        raise MailNotSentError("try_again")
