# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of notices."""

from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.db.queries import QueryFile
from central.notify.types import NewNotice, Notice, NoticeChannel, NoticeId, NoticeState

QUERIES: Final = QueryFile.beside(__file__)


class NoticeRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self, notice_id: NoticeId, new: NewNotice, *, channel: NoticeChannel, now: datetime
    ) -> None:
        """Keep a notice for one channel."""
        is_mail = channel is NoticeChannel.EMAIL
        await self._connection.execute(
            QUERIES["insert_notice"],
            {
                "id": notice_id,
                "subject_kind": new.subject_kind,
                "subject_id": new.subject_id,
                "template": new.template,
                "channel": channel.value,
                "address": new.email if is_mail else None,
                "title": new.title,
                "body": new.body,
                "state": (NoticeState.QUEUED if is_mail else NoticeState.SENT).value,
                "now": now,
                "sent_at": None if is_mail else now,
            },
        )

    async def of_subject(
        self, *, subject_kind: str, subject_id: str, channel: NoticeChannel, limit: int
    ) -> tuple[Notice, ...]:
        """Notices of a subject in a channel, newest first."""
        async with self._connection.cursor(row_factory=class_row(Notice)) as cursor:
            await cursor.execute(
                QUERIES["select_notices"],
                {
                    "subject_kind": subject_kind,
                    "subject_id": subject_id,
                    "channel": channel.value,
                    "rows_max": limit,
                },
            )
            return tuple(await cursor.fetchall())

    async def lock(self, notice_id: NoticeId) -> Notice | None:
        """One notice, locked until the commit."""
        async with self._connection.cursor(row_factory=class_row(Notice)) as cursor:
            await cursor.execute(QUERIES["lock_notice"], {"id": notice_id})
            return await cursor.fetchone()

    async def note_sent(self, notice_id: NoticeId, *, now: datetime) -> None:
        """The mail server has taken it."""
        await self._connection.execute(QUERIES["update_notice_sent"], {"id": notice_id, "now": now})

    async def note_failure(self, notice_id: NoticeId, *, state: NoticeState, failure: str) -> None:
        """An attempt failed."""
        await self._connection.execute(
            QUERIES["update_notice_failed"],
            {"id": notice_id, "state": state.value, "failure": failure},
        )
