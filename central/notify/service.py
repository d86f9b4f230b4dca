# SPDX-License-Identifier: AGPL-3.0-or-later
"""Telling citizens and firms: on the page of their dossier always, by e-mail where they left one.

Without a mail server (``NotifySettings.smtp_host``) no e-mail is queued at all: a queue that
nobody empties would send old news on the day a server is set up.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import uuid4

from psycopg import AsyncConnection

from central.db.deferring import MAIL_QUEUE, Job, defer_async
from central.notify.errors import MailNotSentError, MailRefusedError
from central.notify.mail import Mail, send_mail
from central.notify.repository import NoticeRepository
from central.notify.types import NewNotice, Notice, NoticeChannel, NoticeId, NoticeState
from central.settings import NotifySettings

TASK_SEND: Final = "send_notice"
NOTICES_LISTED_MAX: Final = 50
ATTEMPTS_MAX: Final = 6
"""Attempts at an e-mail before it is given up; the job's own tries are as many."""


class Sending(StrEnum):
    """What became of an attempt."""

    SENT = "sent"
    NOTHING_TO_DO = "nothing_to_do"
    FAILED = "failed"
    TRY_AGAIN = "try_again"


class NoticeService:
    """What can be done with notices, in the caller's transaction.

    Args:
        settings: How e-mails leave the house.
    """

    def __init__(self, connection: AsyncConnection, *, settings: NotifySettings) -> None:
        self._connection = connection
        self._rows = NoticeRepository(connection)
        self._settings = settings

    async def post(self, new: NewNotice, *, now: datetime) -> None:
        """Put a notice on the page, and queue its e-mail where there is an address and a server."""
        await self._rows.add(NoticeId(uuid4()), new, channel=NoticeChannel.PAGE, now=now)
        if new.email is None or self._settings.smtp_host is None:
            return
        mail_id = NoticeId(uuid4())
        await self._rows.add(mail_id, new, channel=NoticeChannel.EMAIL, now=now)
        await defer_async(
            self._connection,
            Job(task=TASK_SEND, queue=MAIL_QUEUE, arguments={"notice_id": str(mail_id)}),
        )

    async def on_page(self, *, subject_kind: str, subject_id: str) -> tuple[Notice, ...]:
        """Notices on the page of a subject, newest first, at most ``NOTICES_LISTED_MAX``."""
        return await self._rows.of_subject(
            subject_kind=subject_kind,
            subject_id=subject_id,
            channel=NoticeChannel.PAGE,
            limit=NOTICES_LISTED_MAX,
        )

    async def send(self, notice_id: NoticeId, *, now: datetime) -> Sending:
        """Hand one e-mail to the mail server and note what became of it.

        A crash between the server's answer and the commit sends it twice, with the same
        Message-ID: better twice than never.
        """
        notice = await self._rows.lock(notice_id)
        if notice is None or notice.state != NoticeState.QUEUED or notice.address is None:
            return Sending.NOTHING_TO_DO
        mail = Mail(
            message_id=f"<{notice.id}@{self._settings.sender.partition('@')[2]}>",
            to=notice.address,
            title=notice.title,
            body=notice.body,
        )
        if self._settings.smtp_host is None:
            await self._rows.note_failure(
                notice_id, state=NoticeState.FAILED, failure="no_mail_server"
            )
            return Sending.FAILED
        try:
            await send_mail(mail, self._settings)
        except MailNotSentError as error:
            return await self._note_failure(notice, error)
        await self._rows.note_sent(notice_id, now=now)
        return Sending.SENT

    async def _note_failure(self, notice: Notice, error: MailNotSentError) -> Sending:
        is_last = isinstance(error, MailRefusedError) or notice.attempts + 1 >= ATTEMPTS_MAX
        await self._rows.note_failure(
            notice.id,
            state=NoticeState.FAILED if is_last else NoticeState.QUEUED,
            failure=error.reason,
        )
        return Sending.FAILED if is_last else Sending.TRY_AGAIN
