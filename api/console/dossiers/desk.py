# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages of dossiers need of one request: who acts, in which language, on which data."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from psycopg import AsyncConnection
from starlette.responses import Response

from api.console.dossiers.signatures import SignatureChecks
from api.console.parts import Console
from api.deps.acting import Acting, ActingDep
from api.deps.request import Connection, Now, ProcessDep
from api.pages.i18n import Speech
from api.pages.rendering import Renderer, language_of
from central.documents.service import DocumentService
from central.domain.local_time import local_date
from central.identity.types import User
from central.procedures.preview import DossierPreview
from central.procedures.service import DossierService


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One request about dossiers, in its transaction."""

    request: Request
    renderer: Renderer
    speech: Speech
    acting: Acting
    connection: AsyncConnection
    now: datetime
    service: DossierService
    preview: DossierPreview
    documents: DocumentService
    signatures: SignatureChecks

    @property
    def user(self) -> User:
        """Who is signed in."""
        return self.acting.user

    @property
    def today(self) -> date:
        """Vietnam's date."""
        return local_date(self.now)

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """A page for this user."""
        return self.renderer.page(self.request, template, user=self.user, status=status, **values)

    def piece(self, template: str, **values: object) -> Response:
        """A piece of a page."""
        return self.renderer.piece(self.request, template, status=200, **values)


async def desk_of(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Desk:
    """The desk of a request.

    Raises:
        NotSignedInError: Nobody is signed in.
    """
    settings, actor = process.settings, acting.actor
    documents = DocumentService(connection)
    return Desk(
        request=request,
        renderer=console.renderer,
        speech=console.renderer.speeches[language_of(request)],
        acting=acting,
        connection=connection,
        now=now,
        service=DossierService(
            connection, office=settings.office, notify=settings.notify, actor=actor
        ),
        preview=DossierPreview(
            connection, office=settings.office, notify=settings.notify, actor=actor
        ),
        documents=documents,
        signatures=SignatureChecks(documents, ca_file=settings.documents.ca_file),
    )


DeskDep = Annotated[Desk, Depends(desk_of, scope="function")]
