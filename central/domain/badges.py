# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which vehicles need which badge (phù hiệu), and whether plate and badge agree.

Law 36/2024/QH15 Art. 36.2: a yellow plate means transport business. NĐ 158/2024/NĐ-CP Art. 23:
a vehicle in transport business bears a badge of one kind. The kinds are dated data in
``law/badge_kinds.csv``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from central.contracts.passage import PlateColour
from central.domain.law.reading import (
    LawLine,
    OptionalInt,
    WordList,
    law_text,
    parse_lines,
    refuse_overlap,
)
from central.domain.legal import FactUsed, Founded, in_force
from central.domain.papers import Term
from central.domain.vehicles import VehicleKind

LAW_FILE: Final = "badge_kinds.csv"


class BadgeMismatch(StrEnum):
    """How plate and badge contradict each other."""

    YELLOW_WITHOUT_BADGE = "yellow_without_badge"
    BADGE_EXPIRED = "badge_expired"
    """Run out, or revoked."""
    WHITE_WITH_BADGE = "white_with_badge"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeKind(Founded):
    """A kind of badge, as one version of the law has it.

    Attributes:
        kind: Word of the registry, such as ``goods``.
        name: Words on the badge, such as ``XE TẢI``.
        vehicle_kinds: Vehicles that may bear it.
        is_issued: Whether new ones are given; old kinds hold until they run out.
        years_min: Shortest term that may be asked for; ``None`` for old kinds.
        years_max: Longest term; ``None`` for old kinds.
        passengers_min: Seats without the driver's that the vehicle needs at least.
        passengers_max: Seats without the driver's that it may have at most.
        lifetime_years: Years from manufacture until the end of which the vehicle may serve;
            ``None`` where other law or no law sets it.
        form: Form of the badge; empty for old kinds.
        basis: The law; its dates are those of the version.
    """

    kind: str
    name: str
    name_en: str
    vehicle_kinds: frozenset[VehicleKind]
    is_issued: bool
    years_min: int | None
    years_max: int | None
    passengers_min: int | None
    passengers_max: int | None
    lifetime_years: int | None
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeHeld:
    """A badge of a vehicle: the one that began last."""

    kind: str
    number: str
    term: Term
    source: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeFacts:
    """What the badge rule looks at.

    Attributes:
        plate_colour: Of the plate that the vehicle bears.
        badge: The badge that began last; ``None`` when the registry knows none.
        source: Who says what kind the vehicle is and which plate it bears.
        as_of: Day on which that was true.
    """

    plate_colour: PlateColour
    vehicle_kind: VehicleKind
    badge: BadgeHeld | None
    source: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeFinding:
    """Plate and badge of a vehicle contradict each other.

    Attributes:
        needed: Kinds of badge of which the vehicle needs one, with their legal bases; empty when
            it has one that it should not have.
        facts: What this rests on.
    """

    mismatch: BadgeMismatch
    needed: tuple[BadgeKind, ...]
    facts: tuple[FactUsed, ...]


def kinds_needed(
    vehicle_kind: VehicleKind, *, on: date, kinds: Sequence[BadgeKind]
) -> tuple[BadgeKind, ...]:
    """Kinds of badge of which a vehicle in transport business needs one; empty: it needs none.

    A trailer goes on the badge of its tractor (Art. 8.6); motorcycles and machines have none.
    """
    return tuple(
        kind
        for kind in in_force(kinds, on=on)
        if kind.is_issued and vehicle_kind in kind.vehicle_kinds
    )


def judge_badge(facts: BadgeFacts, *, on: date, kinds: Sequence[BadgeKind]) -> BadgeFinding | None:
    """Whether plate and badge of a vehicle contradict each other on a day.

    A colour that is not known, and a day for which no law is known, give no finding.
    """
    holds = facts.badge is not None and facts.badge.term.holds_on(on)
    needed = kinds_needed(facts.vehicle_kind, on=on, kinds=kinds)
    if facts.plate_colour is PlateColour.WHITE and holds:
        return _finding(BadgeMismatch.WHITE_WITH_BADGE, (), facts)
    if facts.plate_colour is not PlateColour.YELLOW or not needed or holds:
        return None
    if facts.badge is not None and facts.badge.term.valid_from <= on:
        return _finding(BadgeMismatch.BADGE_EXPIRED, needed, facts)
    return _finding(BadgeMismatch.YELLOW_WITHOUT_BADGE, needed, facts)


def latest_badge_end(kind: BadgeKind, *, begins_on: date, manufactured_in: int | None) -> date:
    """First day on which a new badge can no longer hold: its longest term, or the vehicle's life.

    NĐ 158/2024/NĐ-CP Art. 23.3; a lifetime ends with 31 December of its last year (Law 36/2024/QH15
    Art. 40). A year of manufacture that is not known sets no end.

    Raises:
        ValueError: The kind is not issued any more.
    """
    if kind.years_max is None:
        raise ValueError(f"badges of kind {kind.kind} are not issued")
    longest = years_later(begins_on, kind.years_max)
    if kind.lifetime_years is None or manufactured_in is None:
        return longest
    return min(longest, date(manufactured_in + kind.lifetime_years + 1, 1, 1))


def years_later(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


class _KindLine(LawLine):
    """A line of the table."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]
    name: str
    name_en: str
    vehicle_kinds: WordList
    is_issued: bool
    years_min: OptionalInt
    years_max: OptionalInt
    passengers_min: OptionalInt
    passengers_max: OptionalInt
    lifetime_years: OptionalInt
    form: str


@lru_cache(maxsize=1)
def badge_kinds() -> tuple[BadgeKind, ...]:
    """Every version of every kind in the package's file; read once.

    Raises:
        ValueError: The file is broken (a bug).
    """
    return parse_badge_kinds(law_text(LAW_FILE))


def badge_kind(kind: str, *, on: date, kinds: Sequence[BadgeKind]) -> BadgeKind | None:
    """The version of a kind that is in force on a day."""
    return next((each for each in in_force(kinds, on=on) if each.kind == kind), None)


def parse_badge_kinds(text: str) -> tuple[BadgeKind, ...]:
    """Read kinds from the table's text.

    Raises:
        ValueError: A line is wrong, or two versions of a kind hold on the same day.
    """
    vehicle_kind = TypeAdapter(VehicleKind)
    kinds = tuple(
        BadgeKind(
            kind=line.kind,
            name=line.name,
            name_en=line.name_en,
            vehicle_kinds=frozenset(map(vehicle_kind.validate_python, line.vehicle_kinds)),
            is_issued=line.is_issued,
            years_min=line.years_min,
            years_max=line.years_max,
            passengers_min=line.passengers_min,
            passengers_max=line.passengers_max,
            lifetime_years=line.lifetime_years,
            form=line.form,
            basis=line.basis(),
        )
        for line in parse_lines(text, _KindLine)
    )
    for name in {each.kind for each in kinds}:
        refuse_overlap(name, [each for each in kinds if each.kind == name])
    return kinds


def _finding(
    mismatch: BadgeMismatch, needed: tuple[BadgeKind, ...], facts: BadgeFacts
) -> BadgeFinding:
    """A finding with everything that was looked at."""
    return BadgeFinding(mismatch=mismatch, needed=needed, facts=badge_facts_used(facts))


def badge_facts_used(facts: BadgeFacts) -> tuple[FactUsed, ...]:
    """What the badge rule looked at, with source and age."""
    source, as_of = facts.source, facts.as_of
    used = [
        FactUsed(name="plate_colour", value=facts.plate_colour.value, source=source, as_of=as_of),
        FactUsed(name="vehicle_kind", value=facts.vehicle_kind.value, source=source, as_of=as_of),
    ]
    if facts.badge is None:
        return (*used, FactUsed(name="badge_number", value=None, source=source, as_of=as_of))
    badge = facts.badge
    told: list[tuple[str, str | None]] = [
        ("badge_number", badge.number),
        ("badge_kind", badge.kind),
        ("badge_valid_until", _iso(badge.term.valid_until)),
    ]
    if badge.term.revoked_on is not None:
        told.append(("badge_revoked_on", _iso(badge.term.revoked_on)))
    used += [
        FactUsed(name=name, value=value, source=badge.source, as_of=badge.as_of)
        for name, value in told
    ]
    return tuple(used)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
