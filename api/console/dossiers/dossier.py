# SPDX-License-Identifier: AGPL-3.0-or-later
"""One dossier: everything about it, what can be done with it, and its papers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.console.dossiers.desk import Desk, DeskDep
from api.console.dossiers.form import PAPER_PREFIX, form_values, handed_in
from api.console.dossiers.labels import field_problems
from api.console.dossiers.query import DOSSIERS_PATH
from api.console.dossiers.views import (
    DocumentsView,
    clock_view,
    documents_view,
    dossier_view,
    newest_of_each,
)
from central.audit.service import AuditService
from central.audit.types import AuditEntry
from central.documents.errors import UnprintableTextError
from central.documents.layout import DocumentTemplate
from central.documents.types import Document, Subject, SubjectKind
from central.errors import StaleVersionError
from central.identity.permissions import Permission
from central.procedures.errors import (
    ActionNotAllowedError,
    DossierNotFoundError,
    GuardRefusedError,
    InvalidRequestError,
    PapersMissingError,
)
from central.procedures.granted import granted
from central.procedures.types import (
    CODE_PATTERN,
    NOTE_LENGTH_MAX,
    ActionName,
    SupplementRequest,
)
from central.registry.errors import BadgeConflictError, PermitConflictError

DOSSIER_PATH: Final = f"{DOSSIERS_PATH}/{{code}}"
VERSION_DIGITS: Final = re.compile(r"[0-9]{1,9}")
PAPER_CHOICE: Final = "paper."
OPENED_ACTION: Final = "document_opened"
_CODE: Final = re.compile(CODE_PATTERN)
_RESULTS: Final = frozenset({DocumentTemplate.BADGE, DocumentTemplate.PERMIT})

router = APIRouter(include_in_schema=False)

FormValues = Annotated[Mapping[str, str], Depends(form_values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why an act was refused.

    Attributes:
        action: The act whose form comes back as it was filled in.
        problem: What is wrong with the form, in words.
        guards: Guards that refuse, by name.
        missing: Papers that are missing, by name.
        is_stale: Whether somebody else acted meanwhile.
        is_paper_taken: Whether the vehicle got another such badge or permit meanwhile.
    """

    action: str
    problem: str | None = None
    guards: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    is_stale: bool = False
    is_paper_taken: bool = False

    @property
    def status(self) -> int:
        """Status of the answer."""
        return 409 if self.is_stale or self.guards or self.is_paper_taken else 422


@dataclass(frozen=True, slots=True, kw_only=True)
class ActForm:
    """An act's form as it was filled in."""

    action: str = ""
    reason: str = ""
    papers: Mapping[str, str] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()

    @classmethod
    def read(cls, action: ActionName, values: Mapping[str, str]) -> "ActForm":
        """Read what a browser sent."""
        return cls(
            action=action,
            reason=values.get("reason", ""),
            papers={
                name.removeprefix(PAPER_PREFIX): form
                for name, form in values.items()
                if name.startswith(PAPER_PREFIX) and form
            },
            chosen=frozenset(
                name.removeprefix(PAPER_CHOICE) for name in values if name.startswith(PAPER_CHOICE)
            ),
        )


@router.get(DOSSIER_PATH)
async def dossier_page(code: str, desk: DeskDep) -> Response:
    """One dossier; that it was opened is written down."""
    return await _page(desk, code)


@router.post(f"{DOSSIER_PATH}/{{action}}")
async def act(code: str, action: ActionName, desk: DeskDep, values: FormValues) -> Response:
    """Do something with a dossier; what is refused comes back with the reason, in words."""
    form = ActForm.read(action, values)
    version = values.get("version", "")
    try:
        # A savepoint: whatever a refused act wrote before it was refused is taken back.
        async with desk.connection.transaction():
            await _do(
                desk,
                code,
                form,
                version=int(version) if VERSION_DIGITS.fullmatch(version) else 0,
            )
    except (
        StaleVersionError,
        ActionNotAllowedError,
        GuardRefusedError,
        BadgeConflictError,
        PermitConflictError,
        PapersMissingError,
        InvalidRequestError,
        UnprintableTextError,
    ) as error:
        return await _page(desk, code, form=form, trouble=_trouble(error, action, desk))
    return RedirectResponse(f"{DOSSIERS_PATH}/{code}", status_code=303)


@router.get(f"{DOSSIER_PATH}/papers")
async def papers(code: str, request: Request, desk: DeskDep) -> Response:
    """Papers that were given out; a piece of the page, asked for while one is being made."""
    desk.user.require(Permission.SEE_DOSSIERS)
    if "hx-request" not in request.headers:
        return RedirectResponse(f"{DOSSIERS_PATH}/{_checked(code)}", status_code=303)
    found = await desk.documents.of_subject(_subject(code))
    is_awaiting = not _has_result(found)
    view = await _given_out(desk, code, found, is_awaiting=is_awaiting)
    return desk.piece("dossiers/papers.html", documents=view)


@router.get(f"{DOSSIER_PATH}/papers/{{kind}}.pdf")
async def paper(code: str, kind: DocumentTemplate, desk: DeskDep) -> Response:
    """A paper as it was given out; that it was opened is written down."""
    desk.user.require(Permission.SEE_DOSSIERS)
    subject = _subject(code)
    document, content = await desk.documents.newest_content(subject, kind)
    await AuditService(desk.connection).record(
        AuditEntry(
            occurred_at=desk.now,
            actor=desk.acting.actor,
            action=OPENED_ACTION,
            subject_kind=SubjectKind.DOSSIER,
            subject_id=code,
            detail={"document": document.kind, "revision": document.revision},
        )
    )
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{code}-{kind}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


async def _page(
    desk: Desk, code: str, *, form: ActForm | None = None, trouble: Trouble | None = None
) -> Response:
    """The dossier as it is now, with what was wrong with an act."""
    record = await desk.service.dossier(_checked(code), user=desk.user, now=desk.now)
    procedure = await desk.preview.procedure_of(record.dossier, user=desk.user)
    minutes_left = None
    if record.dossier.is_open and record.dossier.remaining_minutes is None:
        minutes_left = await desk.preview.working_minutes_left(record.dossier.due_at, now=desk.now)
    clock = clock_view(record, desk.speech, minutes_left=minutes_left, now=desk.now)
    found = await desk.documents.of_subject(_subject(code))
    is_awaiting = granted(record.events) is not None and not _has_result(found)
    view = dossier_view(record, procedure, desk.speech, clock=clock, user=desk.user, now=desk.now)
    return desk.page(
        "dossiers/dossier.html",
        status=trouble.status if trouble else 200,
        dossier=view,
        documents=await _given_out(desk, code, found, is_awaiting=is_awaiting),
        form=form or ActForm(),
        trouble=trouble,
        paper_names={each.paper: each.name for each in view.papers},
        note_length_max=NOTE_LENGTH_MAX,
    )


async def _given_out(
    desk: Desk, code: str, found: Sequence[Document], *, is_awaiting: bool
) -> DocumentsView:
    """The papers that count, their signatures checked."""
    newest = newest_of_each(found)
    states = await desk.signatures.states(_subject(code), newest)
    return documents_view(code, newest, desk.speech, signatures=states, is_awaiting=is_awaiting)


def _has_result(found: Sequence[Document]) -> bool:
    return any(each.kind in _RESULTS for each in found)


async def _do(desk: Desk, code: str, form: ActForm, *, version: int) -> None:
    """Do an act with what was filled in."""
    service, user, now = desk.service, desk.user, desk.now
    match ActionName(form.action):
        case ActionName.REQUEST_SUPPLEMENT:
            user.require(Permission.TAKE_IN_DOSSIERS)
            wanted = SupplementRequest(papers=tuple(sorted(form.chosen)), reason=form.reason)
            await service.request_supplement(code, wanted, version=version, user=user, now=now)
        case ActionName.RECEIVE_SUPPLEMENT:
            user.require(Permission.TAKE_IN_DOSSIERS)
            got = handed_in(form.papers)
            await service.receive_supplement(code, got, version=version, user=user, now=now)
        case ActionName.APPROVE:
            await service.approve(code, version=version, user=user, now=now, note=form.reason)
        case ActionName.REJECT:
            user.require(Permission.DECIDE_DOSSIERS)
            await service.reject(code, form.reason, version=version, user=user, now=now)
        case ActionName.WITHDRAW:
            user.require(Permission.TAKE_IN_DOSSIERS)
            await service.withdraw(code, form.reason, version=version, user=user, now=now)
        case ActionName.HAND_OVER:
            await service.hand_over(code, version=version, user=user, now=now)
        case ActionName.TAKE_IN:
            raise ActionNotAllowedError(action=form.action, state="")


def _trouble(error: Exception, action: ActionName, desk: Desk) -> Trouble:
    """An act's refusal as the page tells it."""
    told = field_problems(desk.speech.text)
    if isinstance(error, GuardRefusedError):
        return Trouble(action=action, guards=error.guards)
    if isinstance(error, PapersMissingError):
        return Trouble(action=action, missing=error.papers)
    if isinstance(error, InvalidRequestError):
        problem = told["papers"] if error.field == "papers" else told["reason"]
        return Trouble(action=action, problem=problem)
    if isinstance(error, UnprintableTextError):
        return Trouble(action=action, problem=told["unprintable"])
    is_taken = isinstance(error, BadgeConflictError | PermitConflictError)
    return Trouble(action=action, is_paper_taken=is_taken, is_stale=not is_taken)


def _subject(code: str) -> Subject:
    return Subject(kind=SubjectKind.DOSSIER, id=_checked(code))


def _checked(code: str) -> str:
    """The code, if it can be one.

    Raises:
        DossierNotFoundError: It can't be.
    """
    if _CODE.fullmatch(code) is None:
        raise DossierNotFoundError(code)
    return code
