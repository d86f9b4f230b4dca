# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closed toll days as templates need them: words and numbers already in one language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from api.console.tolls.day_labels import words
from api.console.tolls.query import TOLLS_PATH
from api.pages.i18n import MISSING, Speech
from central.tolling.day.errors import FileFault
from central.tolling.day.types import DayCursor, DayDetail, Difference, TollDay

DAYS_PATH: Final = f"{TOLLS_PATH}/days"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """A closed day as a row."""

    id: str
    url: str
    day: str
    station_name: str
    revision: int
    closed_at: str
    closed_by: str
    crossings: str
    charged: str
    charged_sum: str
    ledger_sum: str
    differences: str
    has_differences: bool
    is_balanced: bool
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """A difference as a row. ``url`` is ``None`` for a crossing that we may not have."""

    kind: str
    provider: str
    crossing_id: str
    url: str | None
    ours: str
    theirs: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderView:
    """What one provider's accounts paid, and what its file says."""

    name: str
    charged: str
    charged_sum: str
    file_name: str | None
    file_rows: str
    file_sum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """One fault of a file. ``line`` is ``None`` when it concerns the whole file."""

    line: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadView:
    """Why a file was not taken. ``more`` says how many faults are not shown."""

    faults: tuple[FaultView, ...]
    more: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPageView:
    """One closed day with everything that belongs to it.

    Attributes:
        states: State, number.
        reasons: Reason, number.
        groups: Group, number, sum.
        more_differences: How many are not shown.
        corrected: Sum of corrections and refunds; ``None`` without any.
        kept: What the ledger moved altogether.
    """

    row: DayView
    states: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str, str], ...]
    providers: tuple[ProviderView, ...]
    differences: tuple[DifferenceView, ...]
    more_differences: str | None
    corrected: str | None
    kept: str
    mismatches: str | None
    open_reviews: str
    waiting: str
    chain: str
    revisions: tuple[DayView, ...]


def day_url(day: TollDay) -> str:
    """Address of a closed day."""
    return f"{DAYS_PATH}/{day.id}"


def older_url(cursor: DayCursor) -> str:
    """Address of the page of days after one."""
    return f"{DAYS_PATH}?{urlencode({'before': cursor.day, 'station': cursor.station_id})}"


def day_view(day: TollDay, speech: Speech) -> DayView:
    """A closed day in one language."""
    figures = day.figures
    return DayView(
        id=str(day.id),
        url=day_url(day),
        day=speech.day(day.key.day),
        station_name=day.station_name,
        revision=day.revision,
        closed_at=speech.time_and_date(day.closed_at),
        closed_by=day.closed_by,
        crossings=speech.number(figures.crossings),
        charged=speech.number(figures.charged),
        charged_sum=speech.money(figures.charged_dong),
        ledger_sum=speech.money(figures.ledger.charged_dong),
        differences=speech.number(day.differences),
        has_differences=day.differences > 0,
        is_balanced=figures.is_balanced,
        is_over=day.is_over,
    )


def day_page_view(detail: DayDetail, speech: Speech) -> DayPageView:
    """One closed day in one language."""
    day = detail.day
    figures = day.figures
    hidden = day.differences - len(detail.differences)
    ledger = figures.ledger
    return DayPageView(
        row=day_view(day, speech),
        states=tuple((state, speech.number(n)) for state, n in sorted(figures.by_state.items())),
        reasons=tuple((why, speech.number(n)) for why, n in sorted(figures.by_reason.items())),
        groups=tuple(
            (str(each.vehicle_group), speech.number(each.charged), speech.money(each.charged_dong))
            for each in figures.by_group
        ),
        providers=tuple(
            ProviderView(
                name=each.provider,
                charged=speech.number(each.charged),
                charged_sum=speech.money(each.charged_dong),
                file_name=each.file_name,
                file_rows=MISSING if each.file_rows is None else speech.number(each.file_rows),
                file_sum=MISSING if each.file_dong is None else speech.money(each.file_dong),
            )
            for each in figures.by_provider
        ),
        differences=tuple(_difference_view(each, speech) for each in detail.differences),
        more_differences=speech.number(hidden) if hidden else None,
        corrected=speech.money(ledger.corrected_dong) if ledger.corrected_dong else None,
        kept=speech.money(ledger.charged_dong + ledger.corrected_dong),
        mismatches=speech.number(ledger.mismatches) if ledger.mismatches else None,
        open_reviews=speech.number(figures.open_reviews),
        waiting=speech.number(figures.waiting),
        chain=f"{day.chain.position}:{day.chain.hash}",
        revisions=tuple(day_view(each, speech) for each in detail.revisions),
    )


def upload_view(
    faults: Sequence[tuple[int | None, FileFault]], *, count: int, speech: Speech
) -> UploadView:
    """Faults of a file in one language."""
    texts = words(speech.text)["file_faults"]
    hidden = count - len(faults)
    return UploadView(
        faults=tuple(FaultView(line=line, text=texts[fault]) for line, fault in faults),
        more=speech.number(hidden) if hidden > 0 else None,
    )


def _difference_view(each: Difference, speech: Speech) -> DifferenceView:
    """A difference in one language."""
    return DifferenceView(
        kind=each.kind.value,
        provider=each.provider,
        crossing_id=str(each.crossing_id),
        url=None if each.our_amount_dong is None else f"{TOLLS_PATH}/{each.crossing_id}",
        ours=MISSING if each.our_amount_dong is None else speech.money(each.our_amount_dong),
        theirs=MISSING if each.their_amount_dong is None else speech.money(each.their_amount_dong),
        line=MISSING if each.provider_line is None else str(each.provider_line),
    )
