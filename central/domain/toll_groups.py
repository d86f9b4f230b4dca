# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which of the toll groups 1 to 5 a vehicle belongs to, and whether a camera saw something else.

The groups are dated data in ``law/toll_groups.csv``. What the registry does not know is never
guessed: a wrong group is money taken wrongly, so a person decides instead.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from central.contracts.passage import VehicleClass

TOLL_GROUPS: Final = range(1, 6)
LAW_FILE: Final = "toll_groups.csv"
SMALL_BUS_SEATS_BELOW: Final = 31
"""Buses with fewer seats may look like a car to a camera. Higher: fewer crossings are stopped for
a class that does not fit, and more vehicles pass under a smaller one's tag."""

SMALL_TRUCK_PAYLOAD_KG_BELOW: Final = 2000
"""The same for light trucks and pick-ups."""

CLASS_SURE_FROM: Final = 0.8
"""From this confidence on, a class that does not fit stops the charge. Higher: fewer crossings
for people to look at, and more tags moved to a larger vehicle go unseen."""


class TollMeasure(StrEnum):
    """What decides a vehicle's group."""

    PUBLIC_BUS = "public_bus"
    SEATS = "seats"
    PAYLOAD_KG = "payload_kg"
    CONTAINER_FT = "container_ft"


class GroupGap(StrEnum):
    """Why a vehicle's group can't be told."""

    SEATS_NOT_KNOWN = "seats_not_known"
    PAYLOAD_NOT_KNOWN = "payload_not_known"
    KIND_HAS_NO_GROUP = "kind_has_no_group"
    NO_RULE_IN_FORCE = "no_rule_in_force"


class ClassVerdict(StrEnum):
    """How what a camera saw compares with the registered vehicle."""

    FITS = "fits"
    NOT_SEEN = "not_seen"
    DIFFERS_UNSURELY = "differs_unsurely"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class TollVehicle:
    """What the registry says of a vehicle, as far as a toll depends on it.

    Attributes:
        kind: Registered kind, such as ``truck``.
        seats: With the driver's; ``None`` means not known.
        payload_kg: Load it may carry; ``None`` means not known.
        container_ft: 20 or 40 for a vehicle that carries containers.
        is_public_bus: Whether it serves public bus routes.
    """

    kind: str
    seats: int | None
    payload_kg: int | None
    container_ft: int | None
    is_public_bus: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TollGroupRule:
    """One line of the law's table.

    Attributes:
        at_least: Smallest value that belongs; ``None`` for no lower end.
        below: First value that no longer belongs; ``None`` for no upper end.
        valid_from: ``None`` where the source does not tell.
        valid_until: First day on which it no longer holds; ``None`` while it is in force.
        source: Where the rule was read.
        confidence: How sure the source is: ``high``, ``medium`` or ``low``.
    """

    group: int
    measure: TollMeasure
    at_least: int | None
    below: int | None
    valid_from: date | None
    valid_until: date | None
    legal_basis: str
    source: str
    confidence: str

    def __post_init__(self) -> None:
        if self.group not in TOLL_GROUPS:
            raise ValueError(f"toll group {self.group} does not exist")

    def holds_on(self, day: date) -> bool:
        """Whether the rule is in force on a day."""
        has_begun = self.valid_from is None or self.valid_from <= day
        return has_begun and (self.valid_until is None or day < self.valid_until)

    def covers(self, value: int) -> bool:
        """Whether a value lies within the rule's bounds."""
        is_enough = self.at_least is None or value >= self.at_least
        return is_enough and (self.below is None or value < self.below)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFound:
    """A vehicle's group with the rule and the value that decided it."""

    group: int
    rule: TollGroupRule
    value: int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUnknown:
    """A person has to decide: what is missing."""

    gap: GroupGap


GroupFinding = GroupFound | GroupUnknown

_DECIDED_BY_SEATS: Final = frozenset({"car", "bus"})
_DECIDED_BY_LOAD: Final = frozenset({"truck", "tractor"})
_GAPS: Final[Mapping[str, GroupGap]] = MappingProxyType(
    {
        **dict.fromkeys(_DECIDED_BY_SEATS, GroupGap.SEATS_NOT_KNOWN),
        **dict.fromkeys(_DECIDED_BY_LOAD, GroupGap.PAYLOAD_NOT_KNOWN),
    }
)
_PLAIN_CLASSES: Final[Mapping[str, frozenset[VehicleClass]]] = MappingProxyType(
    {
        "car": frozenset({VehicleClass.CAR}),
        "bus": frozenset({VehicleClass.BUS}),
        "truck": frozenset({VehicleClass.TRUCK}),
        "tractor": frozenset({VehicleClass.TRUCK}),
        "motorcycle": frozenset({VehicleClass.MOTORCYCLE}),
    }
)


def toll_group_of(
    vehicle: TollVehicle, *, on: date, rules: Sequence[TollGroupRule]
) -> GroupFinding:
    """The group of a vehicle on a day.

    A public bus is one whatever its size. A vehicle that carries containers is judged by the
    container, also when its load is known. Trailers and machines have no group of their own.
    """
    measured = _measured(vehicle)
    if isinstance(measured, GroupUnknown):
        return measured
    measure, value = measured
    for rule in rules:
        if rule.measure is measure and rule.holds_on(on) and rule.covers(value):
            return GroupFound(group=rule.group, rule=rule, value=value)
    return GroupUnknown(gap=GroupGap.NO_RULE_IN_FORCE)


def compare_class(
    vehicle: TollVehicle, *, seen: VehicleClass | None, confidence: float | None
) -> ClassVerdict:
    """Whether a camera saw the kind of vehicle that is registered.

    Only a class of which the camera is sure (``CLASS_SURE_FROM``) stands against the registry; an
    unsure one is kept as a fact and stops nothing, since plate and tag already agree.

    Args:
        vehicle: The registered vehicle.
        seen: Class by the camera; ``None`` when it saw none.
        confidence: In [0, 1]; ``None`` exactly when ``seen`` is.
    """
    if seen is None or confidence is None:
        return ClassVerdict.NOT_SEEN
    fitting = classes_that_fit(vehicle)
    if not fitting or seen in fitting:
        return ClassVerdict.FITS
    is_sure = confidence >= CLASS_SURE_FROM
    return ClassVerdict.DIFFERS if is_sure else ClassVerdict.DIFFERS_UNSURELY


def classes_that_fit(vehicle: TollVehicle) -> frozenset[VehicleClass]:
    """Classes that a camera may call a vehicle; empty for kinds that no class describes."""
    plain = _PLAIN_CLASSES.get(vehicle.kind, frozenset())
    if vehicle.kind == "bus" and (vehicle.seats or SMALL_BUS_SEATS_BELOW) < SMALL_BUS_SEATS_BELOW:
        return plain | {VehicleClass.CAR}
    payload_kg = vehicle.payload_kg or SMALL_TRUCK_PAYLOAD_KG_BELOW
    if vehicle.kind == "truck" and payload_kg < SMALL_TRUCK_PAYLOAD_KG_BELOW:
        return plain | {VehicleClass.CAR}
    return plain


@lru_cache(maxsize=1)
def toll_group_rules() -> tuple[TollGroupRule, ...]:
    """The rules of the law's file, in its order.

    Raises:
        ValueError: The file is broken (a bug).
    """
    file = resources.files("central.domain.law").joinpath(LAW_FILE)
    return parse_toll_group_rules(file.read_text("utf-8"))


def parse_toll_group_rules(text: str) -> tuple[TollGroupRule, ...]:
    """Read rules from CSV; an empty bound or date means none.

    Raises:
        ValueError: A line is wrong.
    """
    return tuple(
        TollGroupRule(
            group=int(row["group"]),
            measure=TollMeasure(row["measure"]),
            at_least=int(row["at_least"]) if row["at_least"] else None,
            below=int(row["below"]) if row["below"] else None,
            valid_from=date.fromisoformat(row["valid_from"]) if row["valid_from"] else None,
            valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
            legal_basis=row["legal_basis"],
            source=row["source"],
            confidence=row["confidence"],
        )
        for row in csv.DictReader(io.StringIO(text))
    )


def _measured(vehicle: TollVehicle) -> tuple[TollMeasure, int] | GroupUnknown:
    """What decides this vehicle's group, and its value."""
    if vehicle.kind == "bus" and vehicle.is_public_bus:
        return TollMeasure.PUBLIC_BUS, 1
    if vehicle.kind in _DECIDED_BY_SEATS and vehicle.seats:
        return TollMeasure.SEATS, vehicle.seats
    if vehicle.kind in _DECIDED_BY_LOAD and vehicle.container_ft is not None:
        return TollMeasure.CONTAINER_FT, vehicle.container_ft
    if vehicle.kind in _DECIDED_BY_LOAD and vehicle.payload_kg:
        return TollMeasure.PAYLOAD_KG, vehicle.payload_kg
    return GroupUnknown(gap=_GAPS.get(vehicle.kind, GroupGap.KIND_HAS_NO_GROUP))
