# SPDX-License-Identifier: AGPL-3.0-or-later
"""Law as dated data, and answers that name their law and the facts that they rest on.

An answer is yes, no or unknown. What the registry does not know is unknown and never a no: papers
may have been issued elsewhere, and nobody is stopped because a register has a gap.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar


class Confidence(StrEnum):
    """How well a piece of law is known.

    High: read in the law's own text. Medium: from a second source. Low: from memory.
    """

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Answer(StrEnum):
    """What can be said about a question of law."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Dated(Protocol):
    """Something that holds from a day on, perhaps until a day."""

    @property
    def valid_from(self) -> date:
        """First day on which it holds."""

    @property
    def valid_until(self) -> date | None:
        """First day on which it no longer holds; ``None`` while there is no end."""


_Dated = TypeVar("_Dated", bound=Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasis:
    """A piece of law and when it holds.

    Attributes:
        reference: Documents and articles, as they are cited.
        says: What they say, in Vietnamese.
        says_en: The same in English.
        valid_from: First day on which it holds.
        valid_until: First day on which it no longer holds; ``None`` while it is in force.
        source: Where the text was read.
    """

    reference: str
    says: str
    says_en: str
    valid_from: date
    valid_until: date | None
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """Something that holds as long as the law that it rests on."""

    basis: LegalBasis

    @property
    def valid_from(self) -> date:
        """First day of this version of the law."""
        return self.basis.valid_from

    @property
    def valid_until(self) -> date | None:
        """First day on which this version no longer holds."""
        return self.basis.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class FactUsed:
    """A fact that an answer rests on.

    Attributes:
        name: Snake_case word, such as ``inspected_until``.
        value: As text, dates in ISO; ``None`` means not known.
        source: Who says so; ``None`` for what the asker stated.
        as_of: Day on which it was true; ``None`` for what the asker stated.
    """

    name: str
    value: str | None
    source: str | None = None
    as_of: date | None = None

    def age_days(self, *, on: date) -> int | None:
        """How old the fact is on a day."""
        return None if self.as_of is None else (on - self.as_of).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One ground of an answer.

    Attributes:
        code: Snake_case word that pages translate.
        answer: What this ground alone would answer.
        basis: The law; ``None`` where no law in force was found, which makes an unknown.
        facts: What was looked at.
    """

    code: str
    answer: Answer
    basis: LegalBasis | None
    facts: tuple[FactUsed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An answer with every ground, in the order in which the law is asked."""

    answer: Answer
    reasons: tuple[Reason, ...]


def ground(
    rule: str, answer: Answer, *, basis: LegalBasis | None, facts: tuple[FactUsed, ...]
) -> Reason:
    """A ground of an answer, coded by its rule and what it answers.

    Args:
        rule: Snake_case word of the rule.
        answer: What the facts say under the law.
        basis: The law in force; without any, nothing can be said and the answer is unknown.
        facts: What was looked at.
    """
    founded = answer if basis is not None else Answer.UNKNOWN
    return Reason(code=f"{rule}_{founded.value}", answer=founded, basis=basis, facts=facts)


def verdict_of(reasons: Iterable[Reason]) -> Verdict:
    """Put grounds together: one no makes a no, else one unknown makes an unknown."""
    all_reasons = tuple(reasons)
    answers = {reason.answer for reason in all_reasons}
    if Answer.NO in answers:
        answer = Answer.NO
    elif Answer.UNKNOWN in answers or not all_reasons:
        answer = Answer.UNKNOWN
    else:
        answer = Answer.YES
    return Verdict(answer=answer, reasons=all_reasons)


def holds_on(dated: Dated, day: date) -> bool:
    """Whether something holds on a day."""
    return dated.valid_from <= day and (dated.valid_until is None or day < dated.valid_until)


def in_force(rows: Iterable[_Dated], *, on: date) -> tuple[_Dated, ...]:
    """What holds on a day, in the order given."""
    return tuple(row for row in rows if holds_on(row, on))
