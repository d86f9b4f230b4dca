# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job that puts what a decision granted on signed paper."""

from uuid import UUID

import structlog

from central.documents.types import SigningKey
from central.jobs.context import JobContext
from central.procedures.service import DossierService
from central.procedures.types import DossierId
from central.settings import DocumentsSettings

log = structlog.get_logger()


async def issue_result_document(context: JobContext, *, dossier_id: str) -> None:
    """Typeset and sign a badge or permit; again, it makes no second one.

    Raises:
        SigningKeyError: There is no key, or it is unfit; the job is tried again.
        TypesettingError: The paper can't be made.
    """
    async with context.transaction() as connection:
        service = DossierService(
            connection, office=context.settings.office, notify=context.settings.notify
        )
        is_new = await service.make_result_document(
            DossierId(UUID(dossier_id)),
            key=_key(context.settings.documents),
            now=context.now(),
        )
    log.info("result_document_made", dossier_id=dossier_id, is_new=is_new)


def _key(settings: DocumentsSettings) -> SigningKey | None:
    """Where the key lies; ``None`` when none is set."""
    key_file, certificate_file = settings.signing_key_file, settings.signing_certificate_file
    if key_file is None or certificate_file is None or settings.ca_file is None:
        return None
    return SigningKey(
        key_file=key_file,
        certificate_file=certificate_file,
        ca_file=settings.ca_file,
        rsa_bits_min=settings.rsa_bits_min,
    )
