# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads the law's tables: every line is checked before a rule sees it."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Final, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from central.domain.legal import Confidence, Dated, LegalBasis

_PACKAGE: Final = "central.domain.law"
_LIST_SIGN: Final = ";"


def _none_if_empty(cell: object) -> object:
    return None if cell == "" else cell


def _split(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    return tuple(part.strip() for part in cell.split(_LIST_SIGN) if part.strip())


OptionalDate = Annotated[date | None, BeforeValidator(_none_if_empty)]
OptionalInt = Annotated[int | None, BeforeValidator(_none_if_empty)]
WordList = Annotated[tuple[str, ...], BeforeValidator(_split)]


class LawLine(BaseModel):
    """What every line of every table has: when it holds, where it stands and how sure it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    valid_from: date
    valid_until: OptionalDate
    reference: Annotated[str, Field(min_length=5)]
    says: Annotated[str, Field(min_length=5)]
    says_en: Annotated[str, Field(min_length=5)]
    source: Annotated[str, Field(min_length=5)]
    confidence: Confidence

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise ValueError("need valid_from < valid_until")
        return self

    def basis(self) -> LegalBasis:
        """The legal basis in the line."""
        return LegalBasis(
            reference=self.reference,
            says=self.says,
            says_en=self.says_en,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            source=self.source,
            confidence=self.confidence,
        )


_Line = TypeVar("_Line", bound=BaseModel)


def law_text(file_name: str) -> str:
    """The text of a file of the law."""
    return resources.files(_PACKAGE).joinpath(file_name).read_text("utf-8")


def parse_lines(text: str, line_type: type[_Line]) -> tuple[_Line, ...]:
    """Lines of a table in their order.

    Raises:
        ValueError: A line is wrong; names its number.
    """
    lines = []
    for number, cells in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            lines.append(line_type.model_validate(cells))
        except ValidationError as error:
            raise ValueError(f"line {number}: {error}") from error
    return tuple(lines)


class RuleLine(LawLine):
    """A line of a table of rules."""

    rule: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]


def parse_rules(text: str) -> Mapping[str, tuple[LegalBasis, ...]]:
    """Legal bases by rule, in the order of the file.

    Raises:
        ValueError: A line is wrong, or two of one rule hold on the same day.
    """
    bases: dict[str, tuple[LegalBasis, ...]] = {}
    for line in parse_lines(text, RuleLine):
        bases[line.rule] = (*bases.get(line.rule, ()), line.basis())
    for rule, versions in bases.items():
        refuse_overlap(rule, versions)
    return MappingProxyType(bases)


def refuse_overlap(name: str, versions: Sequence[Dated]) -> None:
    """Stop when two versions of one thing hold on the same day.

    Raises:
        ValueError: Two versions overlap.
    """
    ordered = sorted(versions, key=lambda each: each.valid_from)
    for earlier, later in pairwise(ordered):
        if earlier.valid_until is None or earlier.valid_until > later.valid_from:
            raise ValueError(f"two versions of {name} hold on the same day")
