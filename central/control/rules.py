# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a passage means: pure functions from a reading and facts to findings.

Alerts that prove wrong teach operators to ignore all of them, so that a rule speaks only on firm
ground. A reading that is poor, breaks the plate grammar or has no colour says nothing about
papers. A plate that the registry does not know is no finding either: its badge may have been
issued by another province (a yellow plate that is unknown here is unknown, not invalid). When
several registered vehicles fit what was read, only what is true of all of them is held against it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from central.contracts.passage import PlateColour
from central.control.types import Fact, FactName, Finding
from central.control.watchlist_types import WatchlistEntry
from central.domain.badges import BadgeMismatch, badge_kinds, judge_badge
from central.domain.control_law import ControlLaw, RuleName
from central.domain.local_time import local_date
from central.domain.papers import PaperState, inspection_state
from central.passages.types import PassageSummary
from central.registry.papers import badge_facts
from central.registry.types import Badge, VehicleFacts

CONFIDENCE_MIN: Final = 0.9
"""Probability that the plate was read right, from which on a finding is made. Higher: fewer false
alerts, and more vehicles that drive by unnoticed; lower: more of both kinds of trouble reversed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about the plate of one passage.

    Attributes:
        vehicles: Registered vehicles that bore such a plate on the day of the passage.
        entries: Entries of the watchlist that hold for it, the oldest first.
        read_at: When all this was read.
    """

    vehicles: tuple[VehicleFacts, ...]
    entries: tuple[WatchlistEntry, ...]
    read_at: datetime


def is_sure(passage: PassageSummary) -> bool:
    """Whether a reading is good enough to be held against anybody."""
    return (
        bool(passage.plate_text)
        and passage.plate_is_legal is True
        and passage.plate_confidence is not None
        and passage.plate_confidence >= CONFIDENCE_MIN
    )


def findings(passage: PassageSummary, known: Known, law: ControlLaw) -> tuple[Finding, ...]:
    """Every rule that a passage fits, in the order of the law; none for a poor reading."""
    if not is_sure(passage):
        return ()
    return (*_watchlisted(passage, known, law), *_about_papers(passage, known, law))


def _watchlisted(passage: PassageSummary, known: Known, law: ControlLaw) -> Iterator[Finding]:
    """One finding however many entries hold: the oldest gives the basis, all are facts."""
    if not known.entries:
        return
    entry = known.entries[0]
    rule = law.rules[RuleName.WATCHLISTED]
    vehicle = known.vehicles[0] if len(known.vehicles) == 1 else None
    yield Finding(
        rule=rule.name,
        severity=rule.severity,
        passage=passage,
        plate_colour=entry.plate_colour or _colour(passage),
        vehicle_id=vehicle.vehicle.id if vehicle is not None else None,
        watchlist_entry_id=entry.id,
        legal_basis=entry.legal_basis,
        facts=(*_reading_facts(passage, known), *_entry_facts(known)),
    )


def _about_papers(passage: PassageSummary, known: Known, law: ControlLaw) -> Iterator[Finding]:
    """Findings about the one vehicle that fits the reading."""
    colour = _colour(passage)
    if len(known.vehicles) != 1 or colour is PlateColour.UNKNOWN:
        return
    (facts,) = known.vehicles
    day = local_date(passage.captured_at)
    for name in _rules_about(facts, day):
        rule = law.rules[name]
        basis = rule.basis_on(day)
        if basis is None:
            continue
        yield Finding(
            rule=name,
            severity=rule.severity,
            passage=passage,
            plate_colour=colour,
            vehicle_id=facts.vehicle.id,
            watchlist_entry_id=None,
            legal_basis=f"{basis.reference}: {basis.says}",
            facts=(
                *_reading_facts(passage, known),
                *_vehicle_facts(facts, known),
                *(_inspection_facts if name is RuleName.INSPECTION_EXPIRED else _badge_facts)(
                    facts, known
                ),
            ),
        )


def _rules_about(facts: VehicleFacts, day: date) -> Iterator[RuleName]:
    """Rules that a vehicle's papers break on a day, in the order of the law."""
    badge = judge_badge(badge_facts(facts), on=day, kinds=badge_kinds())
    if badge is not None:
        yield _BADGE_RULES[badge.mismatch]
    if inspection_state(facts.vehicle.inspected_until, on=day) is PaperState.EXPIRED:
        yield RuleName.INSPECTION_EXPIRED


_BADGE_RULES: Final[Mapping[BadgeMismatch, RuleName]] = MappingProxyType(
    {
        BadgeMismatch.YELLOW_WITHOUT_BADGE: RuleName.YELLOW_WITHOUT_BADGE,
        BadgeMismatch.BADGE_EXPIRED: RuleName.BADGE_EXPIRED,
        BadgeMismatch.WHITE_WITH_BADGE: RuleName.WHITE_WITH_BADGE,
    }
)


def _colour(passage: PassageSummary) -> PlateColour:
    """The colour that the camera saw."""
    return passage.plate_colour or PlateColour.UNKNOWN


def _reading_facts(passage: PassageSummary, known: Known) -> Sequence[Fact]:
    """What the camera told."""
    seen_on = local_date(passage.captured_at)
    source = f"{passage.site_id}/{passage.camera_id}"
    told = (
        (FactName.READING_CONFIDENCE, f"{passage.plate_confidence or 0:.4f}"),
        (FactName.PLATE_COLOUR, _colour(passage).value),
    )
    return [
        Fact(name=name, value=value, source=source, as_of=seen_on, read_at=known.read_at)
        for name, value in told
    ]


def _entry_facts(known: Known) -> Sequence[Fact]:
    """Why the plate is looked for, and who says so."""
    return [
        Fact(
            name=name,
            value=value,
            source="watchlist",
            as_of=local_date(entry.listed_at),
            read_at=known.read_at,
        )
        for entry in known.entries
        for name, value in (
            (FactName.WATCH_REASON, entry.reason.value),
            (FactName.LISTED_BY, entry.listed_by),
        )
    ]


def _vehicle_facts(facts: VehicleFacts, known: Known) -> Sequence[Fact]:
    """What the registry tells of the vehicle itself."""
    origin = facts.vehicle.origin
    return [
        Fact(
            name=FactName.VEHICLE_KIND,
            value=facts.vehicle.kind.value,
            source=origin.source,
            as_of=origin.as_of,
            read_at=known.read_at,
        )
    ]


def _inspection_facts(facts: VehicleFacts, known: Known) -> Sequence[Fact]:
    """Until when the vehicle was inspected."""
    origin = facts.vehicle.inspection_origin or facts.vehicle.origin
    until = facts.vehicle.inspected_until
    return [
        Fact(
            name=FactName.INSPECTED_UNTIL,
            value=until.isoformat() if until is not None else None,
            source=origin.source,
            as_of=origin.as_of,
            read_at=known.read_at,
        )
    ]


def _badge_facts(facts: VehicleFacts, known: Known) -> Sequence[Fact]:
    """The badge that holds, or the last one, or that there has been none."""
    badge: Badge | None = facts.badge or facts.last_badge
    origin = badge.origin if badge is not None else facts.vehicle.origin
    told: list[tuple[FactName, str | None]] = [
        (FactName.BADGE_NUMBER, badge.number if badge is not None else None)
    ]
    if badge is not None:
        told.append((FactName.BADGE_VALID_UNTIL, badge.valid_until.isoformat()))
        if badge.revoked_on is not None:
            told.append((FactName.BADGE_REVOKED_ON, badge.revoked_on.isoformat()))
    return [
        Fact(
            name=name,
            value=value,
            source=origin.source,
            as_of=origin.as_of,
            read_at=known.read_at,
        )
        for name, value in told
    ]
