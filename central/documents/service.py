# SPDX-License-Identifier: AGPL-3.0-or-later
"""Giving out papers and finding them again."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import uuid4

from psycopg import AsyncConnection

from central.documents.errors import DocumentNotFoundError
from central.documents.layout import (
    DocumentTemplate,
    DocumentValues,
    template_of,
    values_digest,
)
from central.documents.repository import DocumentRepository, NewDocument
from central.documents.signing import sign_pdf
from central.documents.types import Document, DocumentId, Made, SigningKey, Subject
from central.documents.typesetting import typeset

DOCUMENTS_LISTED_MAX: Final = 100


class DocumentService:
    """What can be done with papers, in the caller's transaction.

    No permission is asked here: a paper belongs to its subject, and whoever may see or decide
    that is the business of the subject's own feature, which calls this one.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = DocumentRepository(connection)

    async def give_out(
        self,
        subject: Subject,
        values: DocumentValues,
        *,
        now: datetime,
        key: SigningKey | None = None,
    ) -> Made:
        """Typeset, sign and keep a paper, unless its newest revision says the same.

        Args:
            subject: What it is about.
            values: What stands on it; decides the template.
            now: Aware time at which it is made.
            key: Signs it; ``None`` for papers that need no signature.

        Raises:
            TypesettingError: It can't be typeset.
            SigningKeyError: The key is missing or unfit.
        """
        kind = template_of(values)
        digest = values_digest(values)
        await self._rows.lock(subject)
        newest = await self._rows.newest(subject, kind)
        if newest is not None and _says_the_same(newest, digest, key=key):
            return Made(document=newest, is_new=False)
        content = await typeset(values)
        signed = None if key is None else await sign_pdf(content, key)
        if signed is not None:
            content = signed.content
        document = await self._rows.add(
            NewDocument(
                id=DocumentId(uuid4()),
                kind=kind,
                subject=subject,
                content=content,
                content_sha256=hashlib.sha256(content).hexdigest(),
                values_sha256=digest,
                signed_by=None if signed is None else signed.signer,
                signed_at=None if signed is None else signed.signed_at,
                made_at=now,
            )
        )
        return Made(document=document, is_new=True)

    async def sign(
        self, subject: Subject, kind: DocumentTemplate, *, key: SigningKey, now: datetime
    ) -> Made:
        """Sign the newest revision of a paper, which makes one that says the same, unless it is.

        Raises:
            DocumentNotFoundError: None was given out.
            SigningKeyError: The key is missing or unfit.
        """
        await self._rows.lock(subject)
        newest, content = await self.newest_content(subject, kind)
        if newest.signed_by is not None:
            return Made(document=newest, is_new=False)
        signed = await sign_pdf(content, key)
        document = await self._rows.add(
            NewDocument(
                id=DocumentId(uuid4()),
                kind=kind,
                subject=subject,
                content=signed.content,
                content_sha256=hashlib.sha256(signed.content).hexdigest(),
                values_sha256=newest.values_sha256,
                signed_by=signed.signer,
                signed_at=signed.signed_at,
                made_at=now,
            )
        )
        return Made(document=document, is_new=True)

    async def newest(self, subject: Subject, kind: DocumentTemplate) -> Document | None:
        """Newest revision of a paper; ``None`` when none was given out."""
        return await self._rows.newest(subject, kind)

    async def newest_content(
        self, subject: Subject, kind: DocumentTemplate
    ) -> tuple[Document, bytes]:
        """Newest revision of a paper with its PDF.

        Raises:
            DocumentNotFoundError: None was given out.
        """
        document = await self._rows.newest(subject, kind)
        content = None if document is None else await self._rows.content(document.id)
        if document is None or content is None:
            raise DocumentNotFoundError(subject_kind=subject.kind, kind=kind)
        return document, content

    async def content(self, document: DocumentId) -> bytes:
        """The PDF of a paper that is known to be there."""
        return await self._rows.content(document) or b""

    async def of_subject(self, subject: Subject) -> tuple[Document, ...]:
        """Papers of a subject, newest first, at most ``DOCUMENTS_LISTED_MAX``."""
        return await self._rows.of_subject(subject, limit=DOCUMENTS_LISTED_MAX)


def _says_the_same(newest: Document, digest: str, *, key: SigningKey | None) -> bool:
    """Whether another revision would say nothing new; a signature that was missing is new."""
    return newest.values_sha256 == digest and (key is None or newest.signed_by is not None)
