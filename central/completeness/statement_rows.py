# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of statements about days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.completeness.repository import QUERIES
from central.completeness.statement import Statement, sha256_of
from central.documents.types import Document, DocumentId

DAYS_MAX: Final = 366
REVISION_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStatement:
    """A statement without its files.

    Attributes:
        content_sha256: Hash (hex) of the signed file.
        signed_by: Name in the signer's certificate; ``None`` when the centre had no key.
        document_id: Its paper.
    """

    day: date
    revision: int
    made_at: datetime
    made_by: str
    content_sha256: str
    signed_by: str | None
    document_id: DocumentId
    due_count: int
    stored_count: int
    gap_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementCursor:
    """A place in the list of statements, which goes back in time."""

    day: date
    revision: int


class StatementRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, day: date) -> None:
        """Make others who state something about the day wait until the commit."""
        await self._connection.execute(QUERIES["lock_statements"], {"day": day.isoformat()})

    async def add(
        self, statement: Statement, content: bytes, *, signed_by: str | None, paper: Document
    ) -> KeptStatement:
        """Keep a statement; the day has to be locked."""
        async with self._connection.cursor(row_factory=class_row(KeptStatement)) as cursor:
            await cursor.execute(
                QUERIES["insert_statement"],
                {
                    "day": statement.day,
                    "revision": statement.revision,
                    "made_at": statement.made_at,
                    "made_by": statement.made_by,
                    "content": content,
                    "content_sha256": sha256_of(content),
                    "signed_by": signed_by,
                    "document_id": paper.id,
                    "due_count": statement.figures.due,
                    "stored_count": statement.figures.stored,
                    "gap_count": statement.figures.gaps,
                },
            )
            row = await cursor.fetchone()
        if row is None:
            raise AssertionError("an insert returns its row")
        return row

    async def list(
        self, *, day: date | None, before: StatementCursor | None, limit: int
    ) -> Sequence[KeptStatement]:
        """Statements, newest day and revision first."""
        place = before or StatementCursor(day=date.max, revision=REVISION_MAX)
        async with self._connection.cursor(row_factory=class_row(KeptStatement)) as cursor:
            await cursor.execute(
                QUERIES["select_statements"],
                {
                    "day": day,
                    "before_day": place.day,
                    "before_revision": place.revision,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()

    async def content(self, kept: KeptStatement) -> bytes:
        """The signed file."""
        async with self._connection.cursor(row_factory=scalar_row, binary=True) as cursor:
            await cursor.execute(
                QUERIES["select_statement_content"], {"day": kept.day, "revision": kept.revision}
            )
            return bytes(await cursor.fetchone() or b"")

    async def days_with_events(self, *, first_day: date, today: date) -> Sequence[date]:
        """Days before today on which anything came, ascending."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["select_days_to_state"],
                {"first_day": first_day, "today": today, "rows_max": DAYS_MAX},
            )
            return await cursor.fetchall()
