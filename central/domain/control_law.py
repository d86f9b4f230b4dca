# SPDX-License-Identifier: AGPL-3.0-or-later
"""What vehicle control looks for: rules with their weight and dated legal bases, kept as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from central.domain.law.reading import refuse_overlap
from central.domain.legal import Confidence, LegalBasis, in_force

LAW_FILE: Final = Path(__file__).with_name("law") / "control_rules.yaml"


class RuleName(StrEnum):
    """A rule of vehicle control; the law file has an entry for each."""

    WATCHLISTED = "watchlisted"
    YELLOW_WITHOUT_BADGE = "yellow_without_badge"
    BADGE_EXPIRED = "badge_expired"
    INSPECTION_EXPIRED = "inspection_expired"
    WHITE_WITH_BADGE = "white_with_badge"


class Severity(StrEnum):
    """How soon somebody should look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Ending(StrEnum):
    """What in another part of the centre puts right what a rule found."""

    BADGE_GRANTED = "badge_granted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRule:
    """One rule.

    Attributes:
        bases: Oldest first; empty for a rule whose basis comes with each entry.
        ended_by: What puts right what it found.
    """

    name: RuleName
    severity: Severity
    bases: tuple[LegalBasis, ...]
    ended_by: frozenset[Ending]

    def basis_on(self, day: date) -> LegalBasis | None:
        """The law on a day; ``None`` when there was none, and then nothing is a finding."""
        return next(iter(in_force(self.bases, on=day)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlLaw:
    """Every rule by name."""

    rules: Mapping[RuleName, ControlRule]

    def ended_by(self, ending: Ending) -> tuple[RuleName, ...]:
        """Rules whose findings an event puts right."""
        return tuple(name for name, rule in self.rules.items() if ending in rule.ended_by)


@lru_cache(maxsize=1)
def control_law() -> ControlLaw:
    """The rules in the package's file; read once.

    Raises:
        ValueError: The file lacks a rule, or names one twice or one that does not exist.
    """
    return parse_control_law(LAW_FILE.read_text(encoding="utf-8"))


def parse_control_law(text: str) -> ControlLaw:
    """Read rules from the text of a law file.

    Raises:
        ValueError: The text lacks a rule, names one twice or one that does not exist, or two
            bases of a rule hold on the same day.
        KeyError: A rule lacks a part.
    """
    rules = [_rule(each) for each in yaml.safe_load(text)["rules"]]
    by_name = {rule.name: rule for rule in rules}
    if len(by_name) != len(rules) or set(by_name) != set(RuleName):
        raise ValueError("every rule of control stands in the law file exactly once")
    return ControlLaw(rules=MappingProxyType(by_name))


def _rule(raw: Mapping[str, Any]) -> ControlRule:
    """One rule from its entry; Any because YAML has no types until the classes check them."""
    bases = tuple(sorted(map(_basis, raw["bases"]), key=lambda each: each.valid_from))
    refuse_overlap(raw["name"], bases)
    return ControlRule(
        name=RuleName(raw["name"]),
        severity=Severity(raw["severity"]),
        bases=bases,
        ended_by=frozenset(map(Ending, raw.get("ended_by", ()))),
    )


def _basis(raw: Mapping[str, Any]) -> LegalBasis:
    """One basis from its entry."""
    return LegalBasis(
        reference=raw["reference"],
        says=raw["says"],
        says_en=raw["says_en"],
        valid_from=raw["valid_from"],
        valid_until=raw.get("valid_until"),
        source=raw["source"],
        confidence=Confidence(raw["confidence"]),
    )
