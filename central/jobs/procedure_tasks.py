# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job that puts what a decision granted on signed paper."""

from uuid import UUID

import structlog

from central.documents.signing import signing_key
from central.jobs.context import JobContext
from central.procedures.service import DossierService
from central.procedures.types import DossierId

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
            key=signing_key(context.settings.documents),
            now=context.now(),
        )
    log.info("result_document_made", dossier_id=dossier_id, is_new=is_new)
