# SPDX-License-Identifier: AGPL-3.0-or-later
"""How does my dossier stand? Asked by code, answered without login and without personal data.

The code stands in the address, so that a QR code on the receipt can lead here; it names no person
and no vehicle.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from api.deps.acting import OriginDep, client_of
from api.deps.request import Connection, Now, ProcessDep
from api.errors import TooManyRequestsError
from api.pages.i18n import Language, Speech
from api.pages.rendering import language_of
from api.public.codes import CODE_LENGTH_MAX, code_in
from api.public.parts import LOOK_UPS, PUBLIC_PREFIX, Public
from central.identity.rates.service import GuardedAction
from central.procedures.errors import DossierNotFoundError
from central.procedures.service import DossierService
from central.procedures.types import Term
from central.procedures.views import PublicStatus

LOOKUP_PATH: Final = f"{PUBLIC_PREFIX}/dossiers"
_OPEN_STATES: Final = frozenset({"received", "supplement_requested"})
_DONE_STATES: Final = frozenset({"approved", "returned"})

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice as the page shows it."""

    time: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """A dossier's state as the page shows it.

    Attributes:
        tone: ``ok``, ``warn``, ``bad`` or ``plain``; words say the same.
        due: Appointment; ``None`` when there is none at present.
    """

    code: str
    procedure: str
    state: str
    state_text: str
    tone: str
    received: str
    due: str | None
    ended: str | None
    is_open: bool
    missing: tuple[str, ...]
    notices: tuple[NoticeView, ...]


async def within_rate(origin: OriginDep, process: ProcessDep, now: Now) -> None:
    """Let nobody try out codes.

    Raises:
        TooManyRequestsError: This address asked too often.
    """
    use = await process.rates.use_after(
        GuardedAction.LOOK_UP_DOSSIER, client_of(origin), limit=LOOK_UPS, now=now
    )
    if use.is_over:
        raise TooManyRequestsError(wait_s=use.wait_s)


@router.get(PUBLIC_PREFIX)
@router.get(f"{PUBLIC_PREFIX}/")
async def home() -> RedirectResponse:
    """Citizens come to ask for their dossier."""
    return RedirectResponse(LOOKUP_PATH, status_code=303)


@router.get(LOOKUP_PATH)
async def lookup_page(request: Request, public: Public) -> Response:
    """The question."""
    return public.renderer.page(request, "lookup.html", code="", is_wrong=False)


@router.post(LOOKUP_PATH)
async def look_up(
    request: Request,
    public: Public,
    code: Annotated[str, Form()] = "",
) -> Response:
    """Turn what was typed into the dossier's address."""
    wanted = code_in(code)
    if wanted is None:
        shown = code[:CODE_LENGTH_MAX]
        return public.renderer.page(request, "lookup.html", status=422, code=shown, is_wrong=True)
    return RedirectResponse(f"{LOOKUP_PATH}/{wanted}", status_code=303)


@router.get(f"{LOOKUP_PATH}/{{code}}", dependencies=[Depends(within_rate)])
async def status_page(
    request: Request,
    code: str,
    *,
    public: Public,
    process: ProcessDep,
    connection: Connection,
    now: Now,
) -> Response:
    """The dossier's state; a code that was copied badly leads to the right address."""
    wanted = code_in(code)
    if wanted is None:
        raise DossierNotFoundError(code)
    if wanted != code:
        return RedirectResponse(f"{LOOKUP_PATH}/{wanted}", status_code=303)
    service = DossierService(
        connection, office=process.settings.office, notify=process.settings.notify
    )
    status = await service.public_status(code, now=now)
    speech = public.renderer.speeches[language_of(request)]
    return public.renderer.page(request, "status.html", dossier=status_view(status, speech))


def status_view(status: PublicStatus, speech: Speech) -> StatusView:
    """A state in the reader's language and in Vietnam's time."""
    return StatusView(
        code=status.code,
        procedure=_word(status.procedure_name, speech),
        state=status.state,
        state_text=_word(status.state_name, speech),
        tone=_tone(status),
        received=speech.minute_and_date(status.received_at),
        due=speech.minute_and_date(status.due_at) if status.due_at is not None else None,
        ended=speech.minute_and_date(status.ended_at) if status.ended_at is not None else None,
        is_open=status.state in _OPEN_STATES,
        missing=tuple(_word(paper, speech) for paper in status.missing),
        notices=tuple(
            NoticeView(time=speech.minute_and_date(each.at), title=each.title, body=each.body)
            for each in status.notices
        ),
    )


def _tone(status: PublicStatus) -> str:
    if status.state in _DONE_STATES:
        return "ok"
    return {"supplement_requested": "warn", "rejected": "bad"}.get(status.state, "plain")


def _word(term: Term, speech: Speech) -> str:
    return term.vi if speech.language is Language.VI else term.en
