# SPDX-License-Identifier: AGPL-3.0-or-later
"""The quarantine's pages: messages that could not be stored, and what people do with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query, Request
from psycopg import AsyncConnection
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console, ConsoleParts
from api.deps.acting import Acting, ActingDep, LookForm, LookFormDep
from api.deps.request import Connection, Now
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.contracts.identifiers import SLUG_PATTERN
from central.contracts.message import MAX_MESSAGE_BYTES
from central.errors import MendRefusedError
from central.ingest.inspection import DeviceCount, QuarantineEntry
from central.ingest.quarantine import (
    NOTE_LENGTH_MAX,
    QuarantinedContent,
    QuarantineService,
)

LIST_PATH: Final = "/console/quarantine"
PAGE_SIZE: Final = 50
ID_MAX: Final = 2**63 - 1

router = APIRouter(include_in_schema=False)

EntryId = Annotated[int, Path(ge=1, le=ID_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """A message in quarantine, without its content."""

    id: int
    url: str
    reason: str
    detail: str
    topic: str
    device_id: str | None
    number: str | None
    size: str
    times_seen: str
    received: str
    iso: str
    last_received: str
    may_pass: bool
    may_be_mended: bool
    mended: str | None
    mend_note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCountView:
    """How many open messages of a device there are."""

    device_id: str
    messages: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """The form with which a message is mended.

    Attributes:
        problem: Why what was typed can't take its place, for engineers; ``None`` for nothing yet.
    """

    text: str
    note: str = ""
    problem: str | None = None
    is_note_missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What to show of a message beside itself."""

    status: int = 200
    reason: LookForm = field(default_factory=LookForm)
    is_purpose_missing: bool = False
    is_note_missing: bool = False
    content: QuarantinedContent | None = None
    mending: Mending | None = None


@router.get(LIST_PATH)
async def list_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    reason: Annotated[str, Query(pattern=r"^([a-z][a-z_]{2,39})?$")] = "",
    before: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
    device: Annotated[str, Query(pattern=rf"{SLUG_PATTERN}|^$")] = "",
    done: Annotated[str, Query(pattern=r"^(retried|dropped|mended)?$")] = "",
) -> Response:
    """Open messages, newest first."""
    service = QuarantineService.of_user(connection, user=acting.user, actor=acting.actor)
    page = await service.entries(
        reason=reason or None, device_id=device or None, before_id=before, size=PAGE_SIZE
    )
    counts = await service.counts()
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "devices/quarantine.html",
        user=acting.user,
        entries=tuple(_entry_view(each, speech) for each in page.entries),
        counts=_count_views(counts, speech),
        chosen_reason=reason,
        chosen_device=device,
        done=done,
        newest_url=_url(reason=reason, device=device) if before else None,
        older_url=(
            _url(reason=reason, device=device, before=page.next_before)
            if page.next_before
            else None
        ),
    )


@router.get(f"{LIST_PATH}/{{message_id}}")
async def message_page(
    request: Request,
    message_id: EntryId,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
) -> Response:
    """One message; what it says is shown for a purpose only."""
    return await _Maker(request, console, acting, connection).message(message_id, _Wish())


@router.post(f"{LIST_PATH}/{{message_id}}/look")
async def look_at_message(
    request: Request,
    message_id: EntryId,
    reason: LookFormDep,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Show what a message says, once a purpose was given."""
    maker = _Maker(request, console, acting, connection)
    look = reason.look(acting.actor)
    if look is None:
        return await maker.message(
            message_id, _Wish(status=422, reason=reason, is_purpose_missing=reason.purpose is None)
        )
    content = await maker.service.look(message_id, look, now=now)
    text = content.proposal or content.text
    mending = None if content.is_cut else Mending(text=text)
    return await maker.message(message_id, _Wish(reason=reason, content=content, mending=mending))


@router.post(f"{LIST_PATH}/{{message_id}}/mend")
async def mend(
    request: Request,
    message_id: EntryId,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    text: Annotated[str, Form(max_length=MAX_MESSAGE_BYTES)] = "",
    note: Annotated[str, Form(max_length=NOTE_LENGTH_MAX)] = "",
) -> Response:
    """Keep what shall be stored in a message's place and try it; else the form comes back."""
    maker = _Maker(request, console, acting, connection)
    typed = Mending(text=text, note=note, is_note_missing=not note.strip())
    if typed.is_note_missing:
        return await maker.message(message_id, _Wish(status=422, mending=typed))
    try:
        await maker.service.mend(message_id, text.encode(), note=note, now=now)
    except MendRefusedError as error:
        refused = Mending(text=text, note=note, problem=error.problem)
        return await maker.message(message_id, _Wish(status=422, mending=refused))
    await maker.service.retry(message_id, now=now)
    return RedirectResponse(f"{LIST_PATH}?done=mended", status_code=303)


@router.post(f"{LIST_PATH}/{{message_id}}/retry")
async def retry(
    message_id: EntryId, *, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """Try to store a message again."""
    service = QuarantineService.of_user(connection, user=acting.user, actor=acting.actor)
    await service.retry(message_id, now=now)
    return RedirectResponse(f"{LIST_PATH}?done=retried", status_code=303)


@router.post(f"{LIST_PATH}/{{message_id}}/drop")
async def drop(
    request: Request,
    message_id: EntryId,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    note: Annotated[str, Form(max_length=NOTE_LENGTH_MAX)] = "",
) -> Response:
    """Close a message for good; the form comes back without a reason."""
    maker = _Maker(request, console, acting, connection)
    if not note.strip():
        return await maker.message(message_id, _Wish(status=422, is_note_missing=True))
    await maker.service.drop(message_id, note=note, now=now)
    return RedirectResponse(f"{LIST_PATH}?done=dropped", status_code=303)


class _Maker:
    """Makes the page of one message."""

    def __init__(
        self,
        request: Request,
        console: ConsoleParts,
        acting: Acting,
        connection: AsyncConnection,
    ) -> None:
        self.service = QuarantineService.of_user(connection, user=acting.user, actor=acting.actor)
        self._request = request
        self._console = console
        self._acting = acting
        self._speech = console.renderer.speeches[language_of(request)]

    async def message(self, entry_id: int, wish: _Wish) -> Response:
        """The page."""
        entry = await self.service.entry(entry_id)
        return self._console.renderer.page(
            self._request,
            "devices/message.html",
            user=self._acting.user,
            status=wish.status,
            entry=_entry_view(entry, self._speech),
            reason=wish.reason,
            is_purpose_missing=wish.is_purpose_missing,
            is_reference_too_long=wish.reason.is_reference_too_long,
            content=wish.content,
            mending=wish.mending,
            mend_length_max=MAX_MESSAGE_BYTES,
            is_note_missing=wish.is_note_missing,
            note_max=NOTE_LENGTH_MAX,
        )


def _entry_view(entry: QuarantineEntry, speech: Speech) -> EntryView:
    return EntryView(
        id=entry.id,
        url=f"{LIST_PATH}/{entry.id}",
        reason=entry.reason,
        detail=entry.detail,
        topic=entry.topic,
        device_id=entry.device_id,
        number=speech.number(entry.seq) if entry.seq is not None else None,
        size=speech.number(entry.payload_size_bytes),
        times_seen=speech.number(entry.times_seen),
        received=speech.time_and_date(entry.received_at),
        iso=entry.received_at.isoformat(),
        last_received=speech.time_and_date(entry.last_received_at),
        may_pass=entry.may_pass,
        may_be_mended=entry.may_be_mended,
        mended=speech.time_and_date(entry.mended_at) if entry.mended_at is not None else None,
        mend_note=entry.mend_note,
    )


def _count_views(counts: Sequence[DeviceCount], speech: Speech) -> tuple[DeviceCountView, ...]:
    return tuple(
        DeviceCountView(
            device_id=each.device_id,
            messages=speech.number(each.messages),
            url=_url(device=each.device_id),
        )
        for each in counts
        if each.device_id is not None
    )


def _url(*, reason: str = "", device: str = "", before: int | None = None) -> str:
    values = {"reason": reason, "device": device, "before": before}
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{LIST_PATH}?{query}" if query else LIST_PATH
