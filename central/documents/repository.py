# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of papers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.documents.types import Document, DocumentId, Subject

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A paper to be kept."""

    id: DocumentId
    kind: str
    subject: Subject
    content: bytes
    content_sha256: str
    values_sha256: str
    signed_by: str | None
    signed_at: datetime | None
    made_at: datetime


class DocumentRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, subject: Subject) -> None:
        """Make others who give out papers of the subject wait until the commit."""
        await self._connection.execute(QUERIES["lock_document_subject"], _parameters(subject))

    async def add(self, new: NewDocument) -> Document:
        """Keep a paper as the next revision; the subject has to be locked."""
        async with self._connection.cursor(row_factory=class_row(Document)) as cursor:
            await cursor.execute(
                QUERIES["insert_document"],
                {
                    "id": new.id,
                    "kind": new.kind,
                    **_parameters(new.subject),
                    "content": new.content,
                    "content_sha256": new.content_sha256,
                    "values_sha256": new.values_sha256,
                    "template": new.kind,
                    "signed_by": new.signed_by,
                    "signed_at": new.signed_at,
                    "made_at": new.made_at,
                },
            )
            row = await cursor.fetchone()
        if row is None:
            raise AssertionError("an insert returns its row")
        return row

    async def newest(self, subject: Subject, kind: str) -> Document | None:
        """Newest revision of a paper."""
        async with self._connection.cursor(row_factory=class_row(Document)) as cursor:
            await cursor.execute(
                QUERIES["select_newest_document"], {**_parameters(subject), "kind": kind}
            )
            return await cursor.fetchone()

    async def of_subject(self, subject: Subject, *, limit: int) -> tuple[Document, ...]:
        """Papers of a subject, newest first."""
        async with self._connection.cursor(row_factory=class_row(Document)) as cursor:
            await cursor.execute(
                QUERIES["select_documents"], {**_parameters(subject), "rows_max": limit}
            )
            return tuple(await cursor.fetchall())

    async def content(self, document_id: DocumentId) -> bytes | None:
        """The PDF of a paper."""
        async with self._connection.cursor(row_factory=scalar_row, binary=True) as cursor:
            await cursor.execute(QUERIES["select_document_content"], {"id": document_id})
            content = await cursor.fetchone()
        return None if content is None else bytes(content)


def _parameters(subject: Subject) -> dict[str, object]:
    return {"subject_kind": subject.kind.value, "subject_id": subject.id}
