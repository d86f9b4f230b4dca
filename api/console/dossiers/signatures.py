# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the signed papers of a dossier are still what was signed, looked at when they are shown.

A paper has to hold when it was signed, by our own record of that time: a badge outlives the
certificate of its signer, and is no worse for it.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

import structlog

from central.documents.errors import DocumentNotFoundError, SigningKeyError, UnreadablePdfError
from central.documents.layout import DocumentTemplate
from central.documents.service import DocumentService
from central.documents.types import Document, DocumentId, Subject
from central.documents.verification import SignatureReport, verify_pdf

CHECKING_TIMEOUT_S: Final = 2.0
"""For all papers of a page together. Longer: a slow check holds the page up; shorter: more papers
are shown as not checked on a busy server. One paper takes about 15 ms."""

log = structlog.get_logger(__name__)


class SignatureState(StrEnum):
    """What the check of a signed paper found."""

    GOOD = "good"
    BROKEN = "broken"
    UNTRUSTED = "untrusted"
    UNCHECKED = "unchecked"


class SignatureChecks:
    """Checks signed papers with the certificate of the authority that is trusted.

    Args:
        service: Gives the papers' content.
        ca_file: Certificate (PEM) of the authority; without it nothing is checked.
    """

    def __init__(self, service: DocumentService, *, ca_file: Path | None) -> None:
        self._service = service
        self._ca_file = ca_file

    async def states(
        self, subject: Subject, documents: Sequence[Document]
    ) -> Mapping[DocumentId, SignatureState]:
        """What is found of every signed one of some papers, the newest revisions of a subject."""
        states = {
            each.id: SignatureState.UNCHECKED for each in documents if each.signed_at is not None
        }
        if self._ca_file is None or not states:
            return MappingProxyType(states)
        try:
            async with asyncio.timeout(CHECKING_TIMEOUT_S):
                for each in documents:
                    if each.signed_at is not None:
                        states[each.id] = await self._state(
                            subject, each, ca_file=self._ca_file, signed_at=each.signed_at
                        )
        except TimeoutError:
            log.warning("signature_check_too_slow", timeout_s=CHECKING_TIMEOUT_S)
        except SigningKeyError:
            log.exception("documents_ca_unreadable")
        return MappingProxyType(states)

    async def _state(
        self, subject: Subject, document: Document, *, ca_file: Path, signed_at: datetime
    ) -> SignatureState:
        try:
            newest, content = await self._service.newest_content(
                subject, DocumentTemplate(document.kind)
            )
            if newest.id != document.id:  # another revision was given out this very moment
                return SignatureState.UNCHECKED
            report = await verify_pdf(content, trusted_ca=ca_file, now=signed_at)
        except (DocumentNotFoundError, UnreadablePdfError):
            return SignatureState.BROKEN
        return _state(report, is_as_given_out=_sha256(content) == document.content_sha256)


def _state(report: SignatureReport, *, is_as_given_out: bool) -> SignatureState:
    is_whole = report.is_intact and report.covers_whole_file and is_as_given_out
    if report.signatures == 0 or not is_whole:
        return SignatureState.BROKEN
    return SignatureState.GOOD if report.is_trusted else SignatureState.UNTRUSTED


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
