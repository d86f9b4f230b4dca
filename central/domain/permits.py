# SPDX-License-Identifier: AGPL-3.0-or-later
"""May this vehicle cross a border on a day: yes, no or unknown, with every ground.

NĐ 158/2024/NĐ-CP Chapter III. Kinds of permits and the rules are dated data in
``law/permit_kinds.csv`` and ``law/permit_rules.csv``. A permit that the registry does not have may
have been issued by another authority: that is unknown, never a no.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final

from pydantic import Field

from central.contracts.passage import PlateColour
from central.domain.badges import BadgeFacts, BadgeKind, badge_facts_used, kinds_needed
from central.domain.law.reading import (
    LawLine,
    OptionalInt,
    WordList,
    law_text,
    parse_lines,
    parse_rules,
    refuse_overlap,
)
from central.domain.legal import (
    Answer,
    FactUsed,
    Founded,
    LegalBasis,
    Reason,
    Verdict,
    ground,
    in_force,
    verdict_of,
)
from central.domain.papers import PaperState, Term, inspection_state

KINDS_FILE: Final = "permit_kinds.csv"
RULES_FILE: Final = "permit_rules.csv"

TRIP_DAYS_MAX: Final = 366
"""Longest trip that can be asked about."""


class Country(StrEnum):
    """Where a vehicle wants to go by road."""

    LAOS = "laos"
    CAMBODIA = "cambodia"
    CHINA = "china"
    THAILAND = "thailand"
    MYANMAR = "myanmar"


class PermitRule(StrEnum):
    """What is asked, in this order; the rules' file has a line for each."""

    BORDER_PERMIT = "border_permit"
    TRIP_DAYS = "trip_days"
    INSPECTION = "inspection"
    BADGE = "badge"
    TRANSPORT_LICENCE = "transport_licence"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitKind(Founded):
    """A kind of permit, as one version of the law has it.

    Attributes:
        countries: Where it leads.
        is_commercial: Whether it is for transport business.
        months_max: Longest term.
        trip_days_max: Longest trip; ``None`` where the law sets none.
    """

    kind: str
    name: str
    name_en: str
    countries: frozenset[Country]
    is_commercial: bool
    issuer: str
    months_max: int
    trip_days_max: int | None
    is_single_trip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperHeld:
    """A permit or licence, with where that is known from.

    Attributes:
        kind: Of a permit; ``None`` for papers of one kind.
        trip_days_max: As the paper says; ``None`` where it says nothing.
    """

    number: str
    term: Term
    source: str
    as_of: date
    kind: str | None = None
    trip_days_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitFacts:
    """What the rule looks at.

    Attributes:
        badge: Plate, kind of vehicle and badge.
        permits: Every permit of the vehicle.
        transport_licences: Every licence of its owner to do transport business.
        inspected_until: Last day of the inspection certificate; ``None`` means not known.
        inspection_source: Where that is known from.
        inspection_as_of: Day on which it was true.
    """

    badge: BadgeFacts
    permits: tuple[PaperHeld, ...]
    transport_licences: tuple[PaperHeld, ...]
    inspected_until: date | None
    inspection_source: str
    inspection_as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What is asked.

    Attributes:
        on: Day of the crossing in Vietnam.
        trip_days: Length of the trip with the first day; ``None`` when the asker didn't say.
    """

    country: Country
    on: date
    trip_days: int | None = None

    def __post_init__(self) -> None:
        if self.trip_days is not None and not 1 <= self.trip_days <= TRIP_DAYS_MAX:
            raise ValueError(f"a trip has 1 to {TRIP_DAYS_MAX} days")
        if (date.max - self.on).days < TRIP_DAYS_MAX:
            raise ValueError("a trip ends before the calendar does")

    @property
    def back_on(self) -> date:
        """Last day of the trip; that of the crossing when the length is not known."""
        return self.on + timedelta(days=(self.trip_days or 1) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitLaw:
    """Everything that the rule needs of the law."""

    kinds: Sequence[PermitKind]
    rules: Mapping[str, Sequence[LegalBasis]]
    badge_kinds: Sequence[BadgeKind]

    def basis(self, rule: PermitRule, on: date) -> LegalBasis | None:
        """The law behind a rule on a day."""
        return next(iter(in_force(self.rules[rule], on=on)), None)


def may_cross(facts: PermitFacts, crossing: Crossing, *, law: PermitLaw) -> Verdict:
    """Whether a vehicle may cross a border on a day."""
    permit, permit_reason = _border_permit(facts, crossing, law)
    reasons = [permit_reason]
    if permit is not None:
        reasons.append(_trip_days(permit, crossing, law))
    reasons.append(_inspection(facts, crossing.on, law))
    reasons.extend(_business(facts, permit, crossing.on, law))
    return verdict_of(reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Permit:
    """A permit that holds, with its kind by the law."""

    paper: PaperHeld
    kind: PermitKind


def _border_permit(
    facts: PermitFacts, crossing: Crossing, law: PermitLaw
) -> tuple[_Permit | None, Reason]:
    """The best permit for the country, and what it says."""
    kinds = {each.kind: each for each in in_force(law.kinds, on=crossing.on)}
    leading = [
        _Permit(paper=paper, kind=kinds[paper.kind])
        for paper in facts.permits
        if paper.kind in kinds and crossing.country in kinds[paper.kind].countries
    ]
    good = [each for each in leading if each.paper.term.holds_on(crossing.on)]
    best = max(good, key=_ends, default=None)
    shown = best or max(leading, key=_ends, default=None)
    missing = Answer.NO if leading else Answer.UNKNOWN
    answer = missing if best is None else Answer.YES
    used = (
        _paper_facts("permit", shown.paper, crossing.on)
        if shown is not None
        else (FactUsed(name="permit_number", value=None),)
    )
    return best, ground(
        PermitRule.BORDER_PERMIT,
        answer,
        basis=law.basis(PermitRule.BORDER_PERMIT, crossing.on),
        facts=used,
    )


def _ends(permit: _Permit) -> date:
    return permit.paper.term.valid_until or date.max


def _trip_days(permit: _Permit, crossing: Crossing, law: PermitLaw) -> Reason:
    """Whether the trip fits the permit; a trip of unknown length is judged by its first day."""
    days = crossing.trip_days or 1
    asked = None if crossing.trip_days is None else str(crossing.trip_days)
    limits = [
        each for each in (permit.paper.trip_days_max, permit.kind.trip_days_max) if each is not None
    ]
    fits = all(days <= limit for limit in limits) and permit.paper.term.holds_on(crossing.back_on)
    answer = Answer.YES if fits else Answer.NO
    paper = permit.paper
    return ground(
        PermitRule.TRIP_DAYS,
        answer,
        basis=law.basis(PermitRule.TRIP_DAYS, crossing.on),
        facts=(
            FactUsed(name="trip_days", value=asked),
            FactUsed(
                name="trip_days_max",
                value=str(min(limits)) if limits else None,
                source=paper.source,
                as_of=paper.as_of,
            ),
        ),
    )


def _inspection(facts: PermitFacts, on: date, law: PermitLaw) -> Reason:
    """Whether the inspection certificate holds; a date that is not known is unknown."""
    state = inspection_state(facts.inspected_until, on=on)
    answers = {PaperState.UNKNOWN: Answer.UNKNOWN, PaperState.EXPIRED: Answer.NO}
    answer = answers.get(state, Answer.YES)
    until = facts.inspected_until
    return ground(
        PermitRule.INSPECTION,
        answer,
        basis=law.basis(PermitRule.INSPECTION, on),
        facts=(
            FactUsed(
                name="inspected_until",
                value=until.isoformat() if until is not None else None,
                source=facts.inspection_source,
                as_of=facts.inspection_as_of,
            ),
        ),
    )


def _business(
    facts: PermitFacts, permit: _Permit | None, on: date, law: PermitLaw
) -> tuple[Reason, ...]:
    """Badge and licence of a vehicle in transport business; nothing for other vehicles."""
    is_yellow = facts.badge.plate_colour is PlateColour.YELLOW
    if not is_yellow and not (permit is not None and permit.kind.is_commercial):
        return ()
    reasons = []
    if kinds_needed(facts.badge.vehicle_kind, on=on, kinds=law.badge_kinds):
        held = facts.badge.badge
        has_badge = held is not None and held.term.holds_on(on)
        badge_answer = Answer.YES if has_badge else Answer.NO
        reasons.append(
            ground(
                PermitRule.BADGE,
                badge_answer,
                basis=law.basis(PermitRule.BADGE, on),
                facts=badge_facts_used(facts.badge),
            )
        )
    return (*reasons, _transport_licence(facts.transport_licences, on, law))


def _transport_licence(licences: Sequence[PaperHeld], on: date, law: PermitLaw) -> Reason:
    """Whether the owner holds a transport licence; one that is not recorded is unknown."""
    best = max(
        licences,
        key=lambda each: (each.term.holds_on(on), each.term.valid_until or date.max),
        default=None,
    )
    has_one = best is not None and best.term.holds_on(on)
    missing = Answer.NO if licences else Answer.UNKNOWN
    answer = Answer.YES if has_one else missing
    used = (
        _paper_facts("transport_licence", best, on)
        if best is not None
        else (FactUsed(name="transport_licence_number", value=None),)
    )
    return ground(
        PermitRule.TRANSPORT_LICENCE,
        answer,
        basis=law.basis(PermitRule.TRANSPORT_LICENCE, on),
        facts=used,
    )


def _paper_facts(name: str, paper: PaperHeld, on: date) -> tuple[FactUsed, ...]:
    """Number, end and state of a paper."""
    until = paper.term.valid_until
    told = (
        ("number", paper.number),
        ("valid_until", until.isoformat() if until is not None else None),
        ("state", paper.term.state_on(on).value),
    )
    return tuple(
        FactUsed(name=f"{name}_{part}", value=value, source=paper.source, as_of=paper.as_of)
        for part, value in told
    )


class _KindLine(LawLine):
    """A line of the table of kinds."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]
    name: str
    name_en: str
    countries: WordList
    is_commercial: bool
    issuer: str
    months_max: int
    trip_days_max: OptionalInt
    is_single_trip: bool


@lru_cache(maxsize=1)
def permit_kinds() -> tuple[PermitKind, ...]:
    """Every version of every kind in the package's file; read once.

    Raises:
        ValueError: The file is broken (a bug).
    """
    return parse_permit_kinds(law_text(KINDS_FILE))


@lru_cache(maxsize=1)
def permit_rules() -> Mapping[str, tuple[LegalBasis, ...]]:
    """Legal bases by rule; read once.

    Raises:
        ValueError: The file is broken, or lacks a rule (a bug).
    """
    rules = parse_rules(law_text(RULES_FILE))
    if set(rules) != set(PermitRule):
        raise ValueError("every rule of permits stands in the law file")
    return rules


def permit_kind(kind: str, *, on: date, kinds: Sequence[PermitKind]) -> PermitKind | None:
    """The version of a kind that is in force on a day."""
    return next((each for each in in_force(kinds, on=on) if each.kind == kind), None)


def parse_permit_kinds(text: str) -> tuple[PermitKind, ...]:
    """Read kinds from the table's text.

    Raises:
        ValueError: A line is wrong, or two versions of a kind hold on the same day.
    """
    kinds = tuple(
        PermitKind(
            kind=line.kind,
            name=line.name,
            name_en=line.name_en,
            countries=frozenset(map(Country, line.countries)),
            is_commercial=line.is_commercial,
            issuer=line.issuer,
            months_max=line.months_max,
            trip_days_max=line.trip_days_max,
            is_single_trip=line.is_single_trip,
            basis=line.basis(),
        )
        for line in parse_lines(text, _KindLine)
    )
    for name in {each.kind for each in kinds}:
        refuse_overlap(name, [each for each in kinds if each.kind == name])
    return kinds
