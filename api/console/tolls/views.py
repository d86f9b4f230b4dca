# SPDX-License-Identifier: AGPL-3.0-or-later
"""Crossings as templates need them: words and numbers already in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from api.console.plates import plate_lines
from api.console.tolls.labels import words
from api.console.views import PlateView
from api.pages.i18n import MISSING, Speech
from central.ledger.types import Entry, EntryKind
from central.tolling.rating import ACTOR
from central.tolling.service import DECIDABLE
from central.tolling.types import (
    Crossing,
    CrossingDetail,
    CrossingEvent,
    CrossingState,
    Fact,
    RefundReason,
    StationDay,
)

STATE_TONES: Final[Mapping[CrossingState, str]] = {
    CrossingState.CHARGED: "ok",
    CrossingState.EXEMPT: "accent",
    CrossingState.WAIVED: "accent",
    CrossingState.REFUSED: "bad",
    CrossingState.REVIEW: "warn",
    CrossingState.WAITING: "plain",
}
STATE_ICONS: Final[Mapping[CrossingState, str]] = {
    CrossingState.CHARGED: "sure",
    CrossingState.EXEMPT: "shield",
    CrossingState.WAIVED: "sure",
    CrossingState.REFUSED: "close",
    CrossingState.REVIEW: "warning",
    CrossingState.WAITING: "clock",
}
_DATE_LENGTH: Final = len("2026-01-01")
_MONEY_FACTS: Final = frozenset({"price_dong", "balance_dong"})
_SHARE_FACTS: Final = frozenset({"plate_confidence", "class_confidence"})
_COLOURS: Final = {
    "white": "white plate",
    "yellow": "yellow plate",
    "blue": "blue plate",
    "red": "red plate",
    "unknown": "plate of unknown colour",
}
"""Texts that the console's own labels translate."""

_PLATE_FACTS: Final = frozenset({"plate_read", "plate_registered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingView:
    """A crossing as a row."""

    id: str
    url: str
    crossed_iso: str
    time: str
    date: str
    station_name: str
    lane: int
    plate: PlateView | None
    state: str
    tone: str
    icon: str
    reason: str
    amount: str
    group: int | None
    account: str
    is_late: bool
    is_refunded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StationView:
    """One station's day."""

    id: str
    name: str
    is_expressway: bool
    crossings: str
    charged: str
    charged_sum: str
    exempt: str
    refused: str
    review: str
    waiting: str
    has_review: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """A fact with its source and age."""

    name: str
    value: str
    source: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """A line of a crossing's history."""

    time: str
    title: str
    reason: str
    actor: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffView:
    """The price that applies."""

    price: str
    group: int
    valid: str
    legal_reference: str
    is_example: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """The ledger's entry."""

    number: int
    is_refund: bool
    recorded_at: str
    booked_on: str
    lines: tuple[tuple[str, str], ...]
    """Account and amount of every posting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailView:
    """One crossing in full."""

    row: CrossingView
    version: int
    is_in_review: bool
    is_decidable: bool
    is_refundable: bool
    is_expressway: bool
    reason_code: str
    passage_url: str | None
    vehicle_url: str | None
    tag_epc: str
    tag_reads: str
    tag_time: str
    facts: tuple[FactView, ...]
    events: tuple[EventView, ...]
    tariff: TariffView | None
    entries: tuple[EntryView, ...]
    """The charge, and what gave it back."""


def crossing_view(crossing: Crossing, speech: Speech) -> CrossingView:
    """A crossing as a row."""
    lines = plate_lines(
        crossing.plate_text or "",
        layout=None,
        vehicle_class=crossing.class_seen,
        colour=crossing.plate_colour,
    )
    reasons = words(speech.text)["toll_reasons"]
    return CrossingView(
        id=str(crossing.id),
        url=f"/console/tolls/{crossing.id}",
        crossed_iso=crossing.crossed_at.isoformat(),
        time=speech.time(crossing.crossed_at),
        date=speech.local_date(crossing.crossed_at),
        station_name=crossing.station_name,
        lane=crossing.lane.number,
        plate=PlateView(lines=lines, colour=crossing.plate_colour or "unknown") if lines else None,
        state=crossing.state,
        tone=STATE_TONES[crossing.state],
        icon=STATE_ICONS[crossing.state],
        reason=reasons.get(crossing.reason or "", ""),
        amount=speech.money(crossing.amount_dong) if crossing.amount_dong is not None else MISSING,
        group=crossing.vehicle_group,
        account=crossing.account_number or "",
        is_late=crossing.is_late,
        is_refunded=crossing.refund_entry_id is not None,
    )


def station_view(day: StationDay, speech: Speech) -> StationView:
    """One station's day."""
    return StationView(
        id=day.station.id,
        name=day.station.name,
        is_expressway=day.station.is_expressway,
        crossings=speech.number(day.crossings),
        charged=speech.number(day.charged),
        charged_sum=speech.money(day.charged_dong),
        exempt=speech.number(day.exempt),
        refused=speech.number(day.refused),
        review=speech.number(day.review),
        waiting=speech.number(day.waiting),
        has_review=day.review > 0,
    )


def detail_view(
    detail: CrossingDetail, entries: Sequence[Entry], speech: Speech, *, may_see_vehicle: bool
) -> DetailView:
    """One crossing in full."""
    crossing, tag = detail.crossing, detail.tag_read
    has_vehicle = crossing.vehicle_id is not None and may_see_vehicle
    return DetailView(
        row=crossing_view(crossing, speech),
        version=crossing.version,
        is_in_review=crossing.state is CrossingState.REVIEW,
        is_decidable=crossing.state in DECIDABLE,
        is_refundable=crossing.state is CrossingState.CHARGED and not crossing.refund_entry_id,
        is_expressway=crossing.is_expressway,
        reason_code=crossing.reason or "",
        passage_url=f"/console/passages/{crossing.passage_id}" if crossing.passage_id else None,
        vehicle_url=f"/console/vehicles/{crossing.vehicle_id}" if has_vehicle else None,
        tag_epc=crossing.epc or "",
        tag_reads=speech.number(tag.reads) if tag else "",
        tag_time=speech.exact_time(tag.captured_at) if tag else "",
        facts=tuple(fact_view(each, speech) for each in crossing.facts),
        events=tuple(_event_view(each, speech) for each in detail.events),
        tariff=_tariff_view(detail, speech),
        entries=tuple(_entry_view(each, speech) for each in entries),
    )


def fact_view(fact: Fact, speech: Speech) -> FactView:
    """A fact in words."""
    labels = words(speech.text)
    return FactView(
        name=labels["toll_facts"].get(fact.name, fact.name),
        value=_fact_text(fact, labels, speech),
        source=labels["fact_sources"].get(fact.source, fact.source),
        as_of=_as_of_text(fact.as_of, speech),
    )


def _fact_text(fact: Fact, labels: Mapping[str, Mapping[str, str]], speech: Speech) -> str:
    """A fact's value in words."""
    value = fact.value
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return labels["fact_values"]["yes" if value else "no"]
    if isinstance(value, str):
        if fact.name in _PLATE_FACTS:
            return _plate_text(value, speech)
        return labels["fact_values"].get(value, value)
    if fact.name in _MONEY_FACTS:
        return speech.money(int(value))
    return speech.percent(value) if fact.name in _SHARE_FACTS else speech.number(value)


def _plate_text(value: str, speech: Speech) -> str:
    """A plate and its colour, which are stored as one text."""
    text, _, colour = value.partition(" ")
    return f"{text} · {speech.text(_COLOURS.get(colour, colour))}"


def _as_of_text(as_of: str | None, speech: Speech) -> str:
    """When a fact was true."""
    if as_of is None:
        return MISSING
    if len(as_of) == _DATE_LENGTH:
        return speech.day(date.fromisoformat(as_of))
    return speech.time_and_date(datetime.fromisoformat(as_of))


def _event_view(event: CrossingEvent, speech: Speech) -> EventView:
    labels = words(speech.text)
    is_refund = event.reason in set(RefundReason)
    states, reasons = labels["crossing_states"], labels["toll_reasons"]
    return EventView(
        time=speech.time_and_date(event.occurred_at),
        title=speech.text("Refunded") if is_refund else states[event.state],
        reason=reasons.get(event.reason or "", ""),
        actor=speech.text("Automatic") if event.actor == ACTOR else event.actor,
        note=event.note,
    )


def _tariff_view(detail: CrossingDetail, speech: Speech) -> TariffView | None:
    tariff = detail.tariff
    if tariff is None:
        return None
    until = speech.day(tariff.valid_until) if tariff.valid_until else "…"
    return TariffView(
        price=speech.money(tariff.price_dong),
        group=tariff.vehicle_group,
        valid=f"{speech.day(tariff.valid_from)} → {until}",
        legal_reference=tariff.legal_reference,
        is_example=tariff.confidence == "example",
    )


def _entry_view(entry: Entry, speech: Speech) -> EntryView:
    return EntryView(
        number=entry.id,
        is_refund=entry.kind is EntryKind.REFUND,
        recorded_at=speech.time_and_date(entry.recorded_at),
        booked_on=speech.day(entry.booked_on),
        lines=tuple(
            (each.account.reference, speech.money(each.amount_dong)) for each in entry.postings
        ),
    )
