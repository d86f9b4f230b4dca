# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vehicles and their papers as templates need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from api.console.plates import plate_lines
from api.console.views import PlateView
from api.pages.i18n import MISSING, Language, Speech
from central.contracts.passage import PlateColour, PlateLayout, VehicleClass
from central.domain.badges import badge_kind, badge_kinds, judge_badge, kinds_needed
from central.domain.papers import PaperState, Term, inspection_state
from central.domain.permits import permit_kind, permit_kinds
from central.domain.vehicles import VehicleKind
from central.registry.papers import badge_facts, facts_of_record
from central.registry.types import (
    Badge,
    BorderPermit,
    Origin,
    Party,
    PlateKey,
    TransportLicence,
    Vehicle,
    VehicleRecord,
)

LIST_PATH: Final = "/console/vehicles"

_TONES: Final[Mapping[PaperState, tuple[str, str]]] = MappingProxyType(
    {
        PaperState.VALID: ("ok", "sure"),
        PaperState.EXPIRES_SOON: ("warn", "clock"),
        PaperState.NOT_YET_VALID: ("warn", "clock"),
        PaperState.EXPIRED: ("bad", "warning"),
        PaperState.REVOKED: ("bad", "close"),
        PaperState.MISSING: ("bad", "warning"),
        PaperState.UNKNOWN: ("", "unknown"),
        PaperState.NOT_NEEDED: ("", "sure"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """Where a paper stands: its word's code, a tone and an icon."""

    state: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """One paper as a card.

    Attributes:
        title: Code of what it is.
        name: Its kind in words; empty where there is only one kind.
        term: From when to when; empty where nothing is known.
        left: How long it still holds, or since when it doesn't.
        origin: Where that is known from, and how old that is.
        older: Earlier papers of this kind, newest first.
    """

    title: str
    state: StateView
    name: str = ""
    number: str = ""
    term: str = ""
    left: str = ""
    note: str = ""
    origin: str = ""
    older: tuple["PaperView", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateRowView:
    """A plate that the vehicle bore."""

    plate: PlateView
    valid_from: str
    last_day: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """Plate and badge contradict each other."""

    mismatch: str
    needed: str
    basis: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundView:
    """A vehicle among others that a search found."""

    url: str
    plate: PlateView | None
    kind: str
    brand: str
    chassis_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleView:
    """Everything about a vehicle but what other parts know.

    Attributes:
        facts: Labels' codes are in the template; pairs of code and value.
    """

    id: str
    plate: PlateView | None
    kind: str
    brand: str
    chassis_number: str
    facts: tuple[tuple[str, str], ...]
    origin: str
    owner: Party
    owner_origin: str
    plates: tuple[PlateRowView, ...]
    papers: tuple[PaperView, ...]
    finding: FindingView | None


def found_view(vehicle: Vehicle, *, today: date) -> FoundView:
    """A vehicle that a search found."""
    return FoundView(
        url=f"{LIST_PATH}/{vehicle.id}",
        plate=_shown_plate(vehicle, today=today),
        kind=vehicle.kind,
        brand=vehicle.brand or "",
        chassis_number=vehicle.chassis_number,
    )


def vehicle_view(record: VehicleRecord, speech: Speech, *, today: date) -> VehicleView:
    """A vehicle's record as a page shows it."""
    vehicle = record.vehicle
    return VehicleView(
        id=str(vehicle.id),
        plate=_shown_plate(vehicle, today=today),
        kind=vehicle.kind,
        brand=vehicle.brand or "",
        chassis_number=vehicle.chassis_number,
        facts=_facts(vehicle, speech),
        origin=_origin(vehicle.origin, speech, today=today),
        owner=record.owner,
        owner_origin=_origin(record.owner.origin, speech, today=today),
        plates=tuple(
            PlateRowView(
                plate=_plate_view(period.plate, vehicle.kind),
                valid_from=speech.day(period.valid_from),
                last_day=_last_day(period.valid_until, speech),
                is_current=period.holds_on(today),
            )
            for period in reversed(vehicle.plates)
        ),
        papers=(
            _inspection(vehicle, speech, today=today),
            _badges(record, speech, today=today),
            _transport_licences(record, speech, today=today),
            _permits(record.permits, speech, today=today),
        ),
        finding=_finding(record, speech, today=today),
    )


def _facts(vehicle: Vehicle, speech: Speech) -> tuple[tuple[str, str], ...]:
    """Plain facts; a dash where the registry does not know."""

    def number(value: int | None, unit: str = "") -> str:
        return MISSING if value is None else f"{speech.number(value)}{unit}"

    return (
        ("chassis_number", vehicle.chassis_number),
        ("engine_number", vehicle.engine_number or MISSING),
        ("manufactured_in", str(vehicle.manufactured_in or MISSING)),
        ("seats", number(vehicle.seats)),
        ("payload", number(vehicle.payload_kg, " kg")),
        ("gross_mass", number(vehicle.gross_mass_kg, " kg")),
        *([("container", f"{vehicle.container_ft} ft")] if vehicle.container_ft else []),
    )


def _shown_plate(vehicle: Vehicle, *, today: date) -> PlateView | None:
    """The plate that it bears today, else the last one."""
    key = vehicle.plate_on(today) or (vehicle.plates[-1].plate if vehicle.plates else None)
    return _plate_view(key, vehicle.kind) if key is not None else None


def _plate_view(key: PlateKey, kind: VehicleKind) -> PlateView:
    """A plate as it is drawn: on one line, motorcycles' on two."""
    is_motorcycle = kind is VehicleKind.MOTORCYCLE
    lines = plate_lines(
        key.text,
        layout=PlateLayout.TWO_LINE if is_motorcycle else PlateLayout.ONE_LINE,
        vehicle_class=VehicleClass.MOTORCYCLE if is_motorcycle else None,
        colour=key.colour,
    )
    return PlateView(lines=lines, colour=key.colour)


def _inspection(vehicle: Vehicle, speech: Speech, *, today: date) -> PaperView:
    """The inspection certificate."""
    _ = speech.text
    until = vehicle.inspected_until
    state = inspection_state(until, on=today)
    origin = vehicle.inspection_origin or vehicle.origin
    ends = until + timedelta(days=1) if until is not None else None
    return PaperView(
        title="inspection",
        state=_state(state),
        term=_("until %(day)s") % {"day": speech.day(until)} if until else "",
        left=_left(state, ends, speech, today=today),
        origin=_origin(origin, speech, today=today),
    )


def _badges(record: VehicleRecord, speech: Speech, *, today: date) -> PaperView:
    """The badge that counts, with the earlier ones behind it."""
    views = [_badge(badge, speech, today=today) for badge in record.badges]
    if views:
        return _with_older(views)
    facts = facts_of_record(record, on=today)
    is_business = facts.plate is not None and facts.plate.colour is PlateColour.YELLOW
    needs = is_business and kinds_needed(record.vehicle.kind, on=today, kinds=badge_kinds())
    if facts.plate is None:
        return PaperView(title="badge", state=_state(PaperState.UNKNOWN))
    return PaperView(
        title="badge", state=_state(PaperState.MISSING if needs else PaperState.NOT_NEEDED)
    )


def _badge(badge: Badge, speech: Speech, *, today: date) -> PaperView:
    """One badge."""
    kind = badge_kind(badge.kind, on=today, kinds=badge_kinds())
    return _paper(
        "badge",
        badge,
        Term(
            valid_from=badge.valid_from,
            valid_until=badge.valid_until,
            revoked_on=badge.revoked_on,
        ),
        speech,
        today=today,
        name=kind.name if kind is not None else badge.kind,
        note=badge.revocation_reason or "",
    )


def _transport_licences(record: VehicleRecord, speech: Speech, *, today: date) -> PaperView:
    """The owner's licence that counts."""
    views = [
        _paper("transport_licence", licence, _term(licence), speech, today=today)
        for licence in record.transport_licences
    ]
    if views:
        return _with_older(views)
    return PaperView(title="transport_licence", state=_state(PaperState.UNKNOWN))


def _permits(permits: Sequence[BorderPermit], speech: Speech, *, today: date) -> PaperView:
    """The permit that counts."""
    views = []
    for permit in permits:
        kind = permit_kind(permit.kind, on=today, kinds=permit_kinds())
        is_vietnamese = speech.language is Language.VI
        name = permit.kind if kind is None else kind.name if is_vietnamese else kind.name_en
        views.append(_paper("permit", permit, _term(permit), speech, today=today, name=name))
    if views:
        return _with_older(views)
    return PaperView(title="permit", state=_state(PaperState.UNKNOWN))


def _term(paper: TransportLicence | BorderPermit) -> Term:
    return Term(
        valid_from=paper.valid_from, valid_until=paper.valid_until, revoked_on=paper.revoked_on
    )


def _paper(
    title: str,
    paper: Badge | TransportLicence | BorderPermit,
    term: Term,
    speech: Speech,
    *,
    today: date,
    name: str = "",
    note: str = "",
) -> PaperView:
    """A paper with a number and a term."""
    state = term.state_on(today)
    ends = term.revoked_on if state is PaperState.REVOKED else term.valid_until
    begins = term.valid_from if state is PaperState.NOT_YET_VALID else None
    return PaperView(
        title=title,
        state=_state(state),
        name=name,
        number=paper.number,
        term=f"{speech.day(term.valid_from)} – {_last_day(term.valid_until, speech)}",  # noqa: RUF001
        left=_left(state, begins or ends, speech, today=today),
        note=note,
        origin=_origin(paper.origin, speech, today=today),
    )


def _with_older(views: Sequence[PaperView]) -> PaperView:
    """The first paper that holds, else the newest, with the others behind it."""
    good = [each for each in views if each.state.state in {"valid", "expires_soon"}]
    first = good[0] if good else views[0]
    return PaperView(
        title=first.title,
        state=first.state,
        name=first.name,
        number=first.number,
        term=first.term,
        left=first.left,
        note=first.note,
        origin=first.origin,
        older=tuple(each for each in views if each is not first),
    )


def _finding(record: VehicleRecord, speech: Speech, *, today: date) -> FindingView | None:
    """Whether plate and badge contradict each other, with the law."""
    facts = badge_facts(facts_of_record(record, on=today))
    finding = judge_badge(facts, on=today, kinds=badge_kinds())
    if finding is None:
        return None
    basis = finding.needed[0].basis if len(finding.needed) == 1 else None
    is_vietnamese = speech.language is Language.VI
    return FindingView(
        mismatch=finding.mismatch,
        needed=", ".join(kind.name for kind in finding.needed),
        basis="" if basis is None else basis.says if is_vietnamese else basis.says_en,
        reference="; ".join(kind.basis.reference for kind in finding.needed),
    )


def _state(state: PaperState) -> StateView:
    tone, icon = _TONES[state]
    return StateView(state=state, tone=tone, icon=icon)


def _left(state: PaperState, ends: date | None, speech: Speech, *, today: date) -> str:
    """How far away the end, or the beginning, is."""
    if ends is None or state in {PaperState.UNKNOWN, PaperState.NOT_NEEDED}:
        return ""
    _ = speech.text
    days = (ends - today).days
    if state in {PaperState.VALID, PaperState.EXPIRES_SOON}:
        return _("%(days)s days left") % {"days": speech.number(days)}
    if state is PaperState.NOT_YET_VALID:
        return _("begins in %(days)s days") % {"days": speech.number(days)}
    return _("for %(days)s days") % {"days": speech.number(max(0, -days) + 1)}


def _last_day(valid_until: date | None, speech: Speech) -> str:
    """The last day on which something holds; empty while there is no end."""
    return speech.day(valid_until - timedelta(days=1)) if valid_until is not None else "…"


def _origin(origin: Origin, speech: Speech, *, today: date) -> str:
    """Where a fact comes from, and how old it is."""
    age = speech.ago(timedelta(days=max(0, (today - origin.as_of).days)))
    day = speech.day(origin.as_of)
    return f"{origin.source} · {day}" + (f" ({age})" if origin.as_of < today else "")
