# SPDX-License-Identifier: AGPL-3.0-or-later
"""Captured = stored, for a day: each device, each gap with its explanation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.console.devices.views import CAPTURED_PATH, COMPLETENESS_PATH, numbers_text
from api.console.parts import Console
from api.deps.request import Connection, Now, SignedIn
from api.deps.statements import PDF, STATEMENT_MEDIA_TYPE, Revision, statement_response
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.completeness.service import CompletenessService
from central.completeness.stating import StatementDesk, StatementPage
from central.completeness.types import (
    FIRST_DAY,
    Account,
    Explanation,
    Gap,
    LedgerCursor,
    LedgerPage,
    LedgerRow,
)
from central.contracts.identifiers import SLUG_PATTERN
from central.domain.local_time import local_date

PAGE_SIZE: Final = 50
GAPS_MAX: Final = 50
"""Gaps of one outbox that are listed one by one; further ones are counted."""

STREAM_MAX: Final = 2**63 - 1
DAY_LENGTH_MAX: Final = 20
STATEMENTS_MAX: Final = 20
TONES: Final = {
    Explanation.IN_OUTBOX: ("warn", "clock"),
    Explanation.OFFLINE: ("warn", "offline"),
    Explanation.QUARANTINED: ("warn", "pause"),
    Explanation.DISCARDED: ("warn", "close"),
    Explanation.LOST: ("bad", "warning"),
}
"""Tone and icon by explanation."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    """Numbers that are no rows, and why."""

    numbers: str
    count: str
    explanation: str
    tone: str
    icon: str
    loss: str | None
    since: str | None
    reason: str | None
    quarantine_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A device and one of its outboxes on the day.

    Attributes:
        due: Range of numbers; ``None`` when none became due.
        gaps: The first ones.
        more_gaps: How many further ones there are; ``None`` for none.
    """

    device_id: str
    url: str
    site_name: str
    outbox: str | None
    silent: str | None
    is_whole: bool
    tone: str
    due: str | None
    counts: "Counts"
    arrived: str
    late: str
    doubled: str
    unnumbered: str | None
    gaps: tuple[GapView, ...]
    more_gaps: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """A statement about the day."""

    revision: str
    made: str
    gaps: str
    is_signed: bool
    file_url: str
    paper_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Both sides of captured = stored + what is not stored."""

    due: str
    stored: str
    waiting: str
    held_back: str
    lost: str

    @classmethod
    def of(cls, accounts: Sequence[Account], speech: Speech) -> "Counts":
        """Add accounts up."""

        def sum_of(*explanations: Explanation) -> str:
            return speech.number(sum(each.count(*explanations) for each in accounts))

        return cls(
            due=speech.number(sum(each.due_count for each in accounts)),
            stored=speech.number(sum(each.stored_count for each in accounts)),
            waiting=sum_of(Explanation.IN_OUTBOX, Explanation.OFFLINE),
            held_back=sum_of(Explanation.QUARANTINED, Explanation.DISCARDED),
            lost=sum_of(Explanation.LOST),
        )


@router.get(CAPTURED_PATH)
async def captured_page(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    now: Now,
    day: Annotated[str, Query(max_length=DAY_LENGTH_MAX)] = "",
    after: Annotated[str, Query(pattern=rf"{SLUG_PATTERN}|^$")] = "",
    stream: Annotated[int, Query(ge=0, le=STREAM_MAX)] = 0,
) -> Response:
    """The ledger of a day; today's when none is chosen."""
    chosen = _chosen(day, now=now)
    page, stated = None, None
    desk = StatementDesk(connection, user=user)
    if chosen is not None:
        place = LedgerCursor(device_id=after, stream_id=stream) if after else None
        page = await CompletenessService(connection, user=user).day(
            chosen, after=place, size=PAGE_SIZE, now=now
        )
        if desk.may_read:
            stated = await desk.page(day=chosen, before=None, size=STATEMENTS_MAX)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "devices/captured.html",
        user=user,
        status=200 if page is not None else 422,
        typed_day=day or local_date(now).isoformat(),
        first_day=FIRST_DAY.isoformat(),
        last_day=local_date(now).isoformat(),
        day=speech.day(chosen) if chosen is not None else None,
        as_of=speech.time_and_date(now),
        total=Counts.of(_accounts(page), speech),
        rows=tuple(_row_view(each, speech) for each in page.rows) if page is not None else (),
        statements=_statement_views(stated, speech) if stated is not None else None,
        is_part=page is not None and (bool(after) or page.next is not None),
        newest_url=_url(chosen) if after and chosen else None,
        older_url=_url(chosen, page.next) if page is not None and chosen and page.next else None,
        earlier_url=_url(chosen - timedelta(days=1)) if chosen and chosen > FIRST_DAY else None,
    )


@router.get(f"{CAPTURED_PATH}/{{day}}/statement.json")
async def statement_file(
    day: date, *, user: SignedIn, connection: Connection, revision: Revision = None
) -> Response:
    """The signed file about a day, byte by byte."""
    kept, content = await StatementDesk(connection, user=user).file(day, revision=revision)
    return statement_response(kept, content, media_type=STATEMENT_MEDIA_TYPE, suffix="json")


@router.get(f"{CAPTURED_PATH}/{{day}}/statement.pdf")
async def statement_paper(
    day: date, *, user: SignedIn, connection: Connection, revision: Revision = None
) -> Response:
    """The signed paper about a day."""
    kept, content = await StatementDesk(connection, user=user).paper(day, revision=revision)
    return statement_response(kept, content, media_type=PDF, suffix="pdf")


def _chosen(typed: str, *, now: datetime) -> date | None:
    """The day that somebody typed; ``None`` for what is none, or has not begun."""
    today = local_date(now)
    if not typed:
        return today
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= today else None


def _statement_views(page: StatementPage, speech: Speech) -> tuple[StatementView, ...]:
    return tuple(
        StatementView(
            revision=speech.number(kept.revision),
            made=speech.time_and_date(kept.made_at),
            gaps=speech.number(kept.gap_count),
            is_signed=kept.signed_by is not None,
            file_url=f"{CAPTURED_PATH}/{kept.day}/statement.json?revision={kept.revision}",
            paper_url=f"{CAPTURED_PATH}/{kept.day}/statement.pdf?revision={kept.revision}",
        )
        for kept in page.statements
    )


def _accounts(page: LedgerPage | None) -> list[Account]:
    if page is None:
        return []
    return [row.account for row in page.rows if row.account is not None]


def _row_view(row: LedgerRow, speech: Speech) -> RowView:
    account = row.account
    gaps = account.gaps if account is not None else ()
    further = len(gaps) - GAPS_MAX
    return RowView(
        device_id=row.device_id,
        url=f"{COMPLETENESS_PATH}/{row.device_id}",
        site_name=row.site_name,
        outbox=str(account.outbox_id)[:8] if account is not None else None,
        silent=speech.time_and_date(row.silent_since) if row.silent_since is not None else None,
        is_whole=not gaps,
        tone="bad" if account is not None and account.count(Explanation.LOST) else "warn",
        due=numbers_text(account.due, speech) if account is not None and account.due else None,
        counts=Counts.of([account] if account is not None else [], speech),
        arrived=speech.number(account.arrived if account is not None else 0),
        late=speech.number(account.late if account is not None else 0),
        doubled=speech.number(account.doubled if account is not None else 0),
        unnumbered=speech.number(row.unnumbered) if row.unnumbered else None,
        gaps=tuple(_gap_views(gaps[:GAPS_MAX], speech)),
        more_gaps=speech.number(further) if further > 0 else None,
    )


def _gap_views(gaps: Sequence[Gap], speech: Speech) -> Iterator[GapView]:
    for gap in gaps:
        tone, icon = TONES[gap.explanation]
        is_open = gap.explanation is Explanation.QUARANTINED
        yield GapView(
            numbers=numbers_text(gap.numbers, speech),
            count=speech.number(len(gap.numbers)),
            explanation=gap.explanation.value,
            tone=tone,
            icon=icon,
            loss=gap.loss.value if gap.loss is not None else None,
            since=speech.time_and_date(gap.since) if gap.since is not None else None,
            reason=gap.reason,
            quarantine_url=f"/console/quarantine/{gap.quarantine_id}" if is_open else None,
        )


def _url(day: date, place: LedgerCursor | None = None) -> str:
    values: dict[str, str | int] = {"day": day.isoformat()}
    if place is not None:
        values |= {"after": place.device_id, "stream": place.stream_id}
    return f"{CAPTURED_PATH}?{urlencode(values)}"
