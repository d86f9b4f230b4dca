# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers to changes, kept with the change: a program that repeats a request changes nothing.

A program that lost the answer can't know whether its request was carried out. It repeats it with
the same ``Idempotency-Key``, and is given the answer of the first time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile
from central.machines.errors import AnswerKeyReusedError, AnswerPendingError

QUERIES: Final = QueryFile.beside(__file__)
LOCK_CLASS: Final = 7_311
"""Class of the advisory locks under which requests with a key run."""

KEPT_FOR: Final = timedelta(hours=24)
"""How long a repeated request is given the first answer. Higher: more rows are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer as it was given; it holds ids and states, never a plate."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnswerRow:
    request_digest: bytes
    status: int
    headers: dict[str, str]
    body: str


class AnswerService:
    """What was answered to one caller's key, in the caller's transaction.

    Args:
        caller: Who asks; the same key of another caller is another key.
        key: What the caller wrote into ``Idempotency-Key``.
    """

    def __init__(self, connection: AsyncConnection, *, caller: str, key: str) -> None:
        self._connection = connection
        self._name = {"caller": caller, "idempotency_key": key}

    async def earlier(self, request_digest: bytes) -> KeptAnswer | None:
        """The answer of the first time; ``None`` when this is it.

        Others with the same key are turned away until the transaction ends.

        Raises:
            AnswerPendingError: The first one is still being worked on.
            AnswerKeyReusedError: The key was used for another request.
        """
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["try_lock_answer"], self._name | {"class": LOCK_CLASS})
            if not await cursor.fetchone():
                raise AnswerPendingError
        async with self._connection.cursor(row_factory=class_row(_AnswerRow)) as rows:
            await rows.execute(QUERIES["select_answer"], self._name)
            row = await rows.fetchone()
        if row is None:
            return None
        if row.request_digest != request_digest:
            raise AnswerKeyReusedError
        return KeptAnswer(status=row.status, headers=row.headers, body=row.body)

    async def keep(self, answer: KeptAnswer, request_digest: bytes, *, now: datetime) -> None:
        """Keep the answer with the change that it is about."""
        await self._connection.execute(
            QUERIES["insert_answer"],
            self._name
            | {
                "request_digest": request_digest,
                "status": answer.status,
                "headers": Jsonb(answer.headers),
                "body": answer.body,
                "now": now,
            },
        )


async def forget_answers(connection: AsyncConnection, *, now: datetime, limit: int) -> int:
    """Delete at most ``limit`` answers that nobody asks for any more; returns how many went."""
    cursor = await connection.execute(
        QUERIES["delete_old_answers"], {"before": now - KEPT_FOR, "rows_max": limit}
    )
    return cursor.rowcount
