# SPDX-License-Identifier: AGPL-3.0-or-later
"""The law of driving licences as dated data: classes, what they cover, and what old ones became.

Law 36/2024/QH15 Art. 57 and 89; read from ``law/licence_classes.csv``,
``law/licence_classes_old.csv`` and ``law/licence_rules.csv``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from central.domain.law.reading import (
    LawLine,
    OptionalInt,
    WordList,
    law_text,
    parse_lines,
    parse_rules,
)
from central.domain.legal import Founded, LegalBasis, in_force
from central.domain.vehicles import VehicleKind

CLASSES_FILE: Final = "licence_classes.csv"
OLD_CLASSES_FILE: Final = "licence_classes_old.csv"
RULES_FILE: Final = "licence_rules.csv"

ANY_TRAILER: Final = "any"


class LicenceRule(StrEnum):
    """What is asked, in this order; the rules' file has a line for each."""

    LICENCE_STATE = "licence_state"
    LICENCE_POINTS = "licence_points"
    LICENCE_CLASS = "licence_class"
    LICENCE_TERM = "licence_term"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScope(Founded):
    """What a class covers, as one version of the law has it.

    Attributes:
        vehicle_kinds: Kinds of vehicles.
        passengers_min: Seats without the driver's, at least; ``None`` for no lower end.
        passengers_max: At most; ``None`` for no upper end.
        gross_mass_over_kg: More than this; ``None`` where the mass does not matter.
        gross_mass_up_to_kg: At most; ``None`` for no upper end.
        has_heavy_trailer: Whether trailers of more than 750 kg are covered.
        also_covers: Other classes in it.
    """

    name: str
    vehicle_kinds: frozenset[VehicleKind]
    passengers_min: int | None
    passengers_max: int | None
    gross_mass_over_kg: int | None
    gross_mass_up_to_kg: int | None
    has_heavy_trailer: bool
    also_covers: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldClass:
    """A class of before 2025 and the new one that it corresponds to."""

    name: str
    counts_as: str
    basis: LegalBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceLaw:
    """Everything that the rule needs of the law."""

    scopes: Sequence[ClassScope]
    old_classes: Sequence[OldClass]
    rules: Mapping[str, Sequence[LegalBasis]]

    def basis(self, rule: LicenceRule, on: date) -> LegalBasis | None:
        """The law behind a rule on a day."""
        return next(iter(in_force(self.rules[rule], on=on)), None)


def _trailer_limit(cell: object) -> object:
    """The column holds kilograms, or that any trailer is covered."""
    return cell == ANY_TRAILER


class _ClassLine(LawLine):
    """A line of the table of classes."""

    name: Annotated[str, Field(pattern=r"^[A-F][A-Z0-9]{0,2}$")]
    vehicle_kinds: WordList
    passengers_min: OptionalInt
    passengers_max: OptionalInt
    gross_mass_over_kg: OptionalInt
    gross_mass_up_to_kg: OptionalInt
    trailer_up_to_kg: Annotated[bool, BeforeValidator(_trailer_limit)]
    also_covers: WordList
    years: OptionalInt


class _OldClassLine(LawLine):
    """A line of the table of old classes."""

    name: Annotated[str, Field(pattern=r"^[A-F][A-Z0-9]{0,2}$")]
    counts_as: Annotated[str, Field(pattern=r"^[A-F][A-Z0-9]{0,2}$")]


@lru_cache(maxsize=1)
def licence_law() -> LicenceLaw:
    """The law in the package's files; read once.

    Raises:
        ValueError: A file is broken, or lacks a rule (a bug).
    """
    rules = parse_rules(law_text(RULES_FILE))
    if set(rules) != set(LicenceRule):
        raise ValueError("every rule of licences stands in the law file")
    return LicenceLaw(
        scopes=parse_scopes(law_text(CLASSES_FILE)),
        old_classes=tuple(
            OldClass(name=line.name, counts_as=line.counts_as, basis=line.basis())
            for line in parse_lines(law_text(OLD_CLASSES_FILE), _OldClassLine)
        ),
        rules=rules,
    )


def parse_scopes(text: str) -> tuple[ClassScope, ...]:
    """Read classes from the table's text.

    Raises:
        ValueError: A line is wrong.
    """
    return tuple(
        ClassScope(
            name=line.name,
            vehicle_kinds=frozenset(map(VehicleKind, line.vehicle_kinds)),
            passengers_min=line.passengers_min,
            passengers_max=line.passengers_max,
            gross_mass_over_kg=line.gross_mass_over_kg,
            gross_mass_up_to_kg=line.gross_mass_up_to_kg,
            has_heavy_trailer=line.trailer_up_to_kg,
            also_covers=frozenset(line.also_covers),
            basis=line.basis(),
        )
        for line in parse_lines(text, _ClassLine)
    )
