# SPDX-License-Identifier: AGPL-3.0-or-later
"""May this driver drive this vehicle on a day: yes, no or unknown, with every ground.

Law 36/2024/QH15 Art. 57, 58 and 89. Licences of before 2025 keep their old classes. What the
registry does not know of the vehicle (seats, mass, engine) makes the answer unknown only where a
held class depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from central.domain.legal import (
    Answer,
    FactUsed,
    LegalBasis,
    Reason,
    Verdict,
    ground,
    in_force,
    verdict_of,
)
from central.domain.licence_law import ClassScope, LicenceLaw, LicenceRule
from central.domain.papers import Term
from central.domain.vehicles import LicenceState, VehicleKind

NEW_CLASSES_SINCE: Final = date(2025, 1, 1)
"""Law 36/2024/QH15: a class given before this day is one of the old ones."""


class Trailer(StrEnum):
    """What the vehicle draws."""

    NONE = "none"
    LIGHT = "light"
    """Up to 750 kg."""
    HEAVY = "heavy"
    """More than 750 kg."""
    SEMI_TRAILER = "semi_trailer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassHeld:
    """A class on a licence."""

    name: str
    term: Term


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceFacts:
    """A driver's licence.

    Attributes:
        points: Points left; ``None`` means not known.
        source: Where all this is known from.
        as_of: Day on which it was true.
    """

    state: LicenceState
    points: int | None
    classes: tuple[ClassHeld, ...]
    source: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivenVehicle:
    """The vehicle and what it draws.

    Attributes:
        seats: With the driver's; ``None`` means not known.
        gross_mass_kg: By design; ``None`` means not known.
        source: Where all this is known from.
        as_of: Day on which it was true.
    """

    kind: VehicleKind
    seats: int | None
    gross_mass_kg: int | None
    trailer: Trailer
    source: str
    as_of: date


_NOT_IN_TABLE: Final = frozenset({VehicleKind.FOUR_WHEELER, VehicleKind.SPECIAL_MACHINE})
"""Kinds of which the table of classes says nothing: nobody is stopped over them."""

_BY_MASS: Final = frozenset({VehicleKind.TRUCK, VehicleKind.TRACTOR})
_BY_SEATS: Final = frozenset({VehicleKind.CAR, VehicleKind.BUS})
_SURE_MOTORCYCLES: Final = "A"
"""Covers two-wheel motorcycles of any engine; A1 and B1 depend on what the registry lacks."""


def may_drive(
    licence: LicenceFacts, vehicle: DrivenVehicle, *, on: date, law: LicenceLaw
) -> Verdict:
    """Whether a driver may drive a vehicle on a day."""
    return verdict_of(
        (_state(licence, on, law), _points(licence, on, law), *_classes(licence, vehicle, on, law))
    )


def covers(scope: ClassScope, vehicle: DrivenVehicle) -> Answer:
    """Whether a class covers a vehicle with what it draws."""
    if vehicle.kind in _NOT_IN_TABLE:
        return Answer.UNKNOWN
    if vehicle.kind not in scope.vehicle_kinds:
        return Answer.NO
    return _all(_covers_size(scope, vehicle), _covers_trailer(scope, vehicle))


def _covers_size(scope: ClassScope, vehicle: DrivenVehicle) -> Answer:
    """Whether seats or mass lie within a class."""
    if vehicle.kind is VehicleKind.MOTORCYCLE:
        return Answer.YES if scope.name == _SURE_MOTORCYCLES else Answer.UNKNOWN
    if vehicle.kind in _BY_SEATS:
        passengers = vehicle.seats - 1 if vehicle.seats else None
        return _within(passengers, least=scope.passengers_min, most=scope.passengers_max)
    if vehicle.kind in _BY_MASS:
        over = scope.gross_mass_over_kg
        return _within(
            vehicle.gross_mass_kg or None,
            least=None if not over else over + 1,
            most=scope.gross_mass_up_to_kg,
        )
    return Answer.NO


def _within(value: int | None, *, least: int | None, most: int | None) -> Answer:
    """Whether a value that may not be known lies within bounds."""
    if least is None and most is None:
        return Answer.YES
    if value is None:
        return Answer.UNKNOWN
    is_within = (least is None or value >= least) and (most is None or value <= most)
    return Answer.YES if is_within else Answer.NO


def _covers_trailer(scope: ClassScope, vehicle: DrivenVehicle) -> Answer:
    """Whether a class covers what is drawn. A tractor unit is taken to draw its semi-trailer."""
    if scope.has_heavy_trailer or vehicle.trailer in {Trailer.NONE, Trailer.LIGHT}:
        return Answer.YES
    if vehicle.trailer is Trailer.UNKNOWN:
        return Answer.UNKNOWN if vehicle.kind is VehicleKind.TRACTOR else Answer.YES
    return Answer.NO


def _all(*answers: Answer) -> Answer:
    """No if one is no, else unknown if one is unknown."""
    for answer in (Answer.NO, Answer.UNKNOWN):
        if answer in answers:
            return answer
    return Answer.YES


def _state(licence: LicenceFacts, on: date, law: LicenceLaw) -> Reason:
    """Whether the licence was taken away."""
    answer = Answer.YES if licence.state is LicenceState.VALID else Answer.NO
    return ground(
        LicenceRule.LICENCE_STATE,
        answer,
        basis=law.basis(LicenceRule.LICENCE_STATE, on),
        facts=(_fact(licence, "licence_state", licence.state.value),),
    )


def _points(licence: LicenceFacts, on: date, law: LicenceLaw) -> Reason:
    """Whether points are left."""
    known = Answer.YES if licence.points else Answer.NO
    answer = Answer.UNKNOWN if licence.points is None else known
    value = None if licence.points is None else str(licence.points)
    return ground(
        LicenceRule.LICENCE_POINTS,
        answer,
        basis=law.basis(LicenceRule.LICENCE_POINTS, on),
        facts=(_fact(licence, "licence_points", value),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A class on the licence, whether it covers the vehicle, and whether it is in force."""

    held: ClassHeld
    covers: Answer
    basis: LegalBasis | None
    holds: bool


def _classes(
    licence: LicenceFacts, vehicle: DrivenVehicle, on: date, law: LicenceLaw
) -> Iterator[Reason]:
    """The class that fits best, and whether it is in force."""
    judged = [_judge(held, vehicle, on, law) for held in licence.classes]
    best = max(judged, key=_rank, default=None)
    answer = best.covers if best is not None else Answer.NO
    names = ", ".join(each.held.name for each in judged) or None
    yield ground(
        LicenceRule.LICENCE_CLASS,
        answer,
        basis=(best.basis if best is not None else None)
        or law.basis(LicenceRule.LICENCE_CLASS, on),
        facts=(_fact(licence, "licence_classes", names), *_vehicle_facts(vehicle)),
    )
    if best is None or best.covers is Answer.NO:
        return
    until = best.held.term.valid_until
    holds = Answer.YES if best.holds else Answer.NO
    yield ground(
        LicenceRule.LICENCE_TERM,
        holds,
        basis=law.basis(LicenceRule.LICENCE_TERM, on),
        facts=(
            _fact(licence, "licence_class", best.held.name),
            _fact(licence, "class_valid_until", until.isoformat() if until else None),
        ),
    )


def _rank(judged: _Judged) -> tuple[int, int]:
    """Classes that surely cover come first, and among equals those in force.

    A class that may cover and is in force beats one that surely covers and has run out: it can
    still make the answer unknown instead of no.
    """
    strength = {Answer.NO: 0, Answer.UNKNOWN: 1, Answer.YES: 2}[judged.covers]
    is_of_use = judged.holds and judged.covers is not Answer.NO
    return int(is_of_use), strength


def _judge(held: ClassHeld, vehicle: DrivenVehicle, on: date, law: LicenceLaw) -> _Judged:
    """A class with everything that it covers."""
    name = held.name
    if held.term.valid_from < NEW_CLASSES_SINCE:
        name = next((each.counts_as for each in law.old_classes if each.name == name), name)
    scopes = {each.name: each for each in in_force(law.scopes, on=on)}
    reached = [scopes[each] for each in _reach(name, scopes)]
    if not reached:
        return _Judged(held=held, covers=Answer.UNKNOWN, basis=None, holds=held.term.holds_on(on))
    answers = [(covers(each, vehicle), each) for each in reached]
    for answer in (Answer.YES, Answer.UNKNOWN):
        fitting = next((scope for found, scope in answers if found is answer), None)
        if fitting is not None:
            break
    else:
        answer, fitting = Answer.NO, reached[0]
    return _Judged(held=held, covers=answer, basis=fitting.basis, holds=held.term.holds_on(on))


def _reach(name: str, scopes: Mapping[str, ClassScope]) -> Sequence[str]:
    """A class and every class that it covers, itself first; none for an unknown class."""
    reached: list[str] = []
    waiting = [name]
    while waiting:
        each = waiting.pop(0)
        if each in scopes and each not in reached:
            reached.append(each)
            waiting.extend(sorted(scopes[each].also_covers))
    return reached


def _fact(licence: LicenceFacts, name: str, value: str | None) -> FactUsed:
    return FactUsed(name=name, value=value, source=licence.source, as_of=licence.as_of)


def _vehicle_facts(vehicle: DrivenVehicle) -> tuple[FactUsed, ...]:
    """What was looked at of the vehicle."""
    told: list[tuple[str, str | None]] = [("vehicle_kind", vehicle.kind.value)]
    if vehicle.kind in _BY_SEATS:
        told.append(("seats", str(vehicle.seats) if vehicle.seats else None))
    if vehicle.kind in _BY_MASS:
        mass = vehicle.gross_mass_kg
        told.append(("gross_mass_kg", str(mass) if mass else None))
    registered = [
        FactUsed(name=name, value=value, source=vehicle.source, as_of=vehicle.as_of)
        for name, value in told
    ]
    return (*registered, FactUsed(name="trailer", value=vehicle.trailer.value))
