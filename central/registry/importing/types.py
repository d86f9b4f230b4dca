# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of an import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

Cell = str | int | bool | None
"""A cell as it goes to the database; dates are ISO texts."""

Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


class ImportKind(StrEnum):
    """What a file holds; the command writes the words with hyphens."""

    PARTIES = "parties"
    VEHICLES = "vehicles"
    PLATES = "plates"
    BADGES = "badges"
    PERMITS = "permits"
    TRANSPORT_LICENCES = "transport-licences"
    DRIVING_LICENCES = "driving-licences"
    INSPECTIONS = "inspections"

    @property
    def word(self) -> str:
        """As the database writes it."""
        return self.value.replace("-", "_")


class ImportMode(StrEnum):
    """Whether anything is kept."""

    TRY_OUT = "try_out"
    APPLY = "apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Why a row can't be taken in.

    Attributes:
        line: Line of the file on which the row begins, from 1.
        column: Name of the column in the file; empty for the row as a whole.
        reason: In Vietnamese.
        reason_en: In English.
    """

    line: int
    column: str
    reason: str
    reason_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRow:
    """A row whose cells are all good.

    Attributes:
        line: Line of the file on which the row begins, from 1.
        cells: By the column's English name.
    """

    line: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOrigin:
    """Where a file's facts come from, for rows that don't say.

    Attributes:
        as_of: Day on which they were true.
    """

    source: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """What became, or would become, of the good rows."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "RowCounts") -> "RowCounts":
        return RowCounts(
            created=self.created + other.created,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The outcome of an import or of its trial.

    Attributes:
        rows_read: Rows under the header, without empty lines.
        counts: Of the rows without problem.
        problems: By line; empty when all is good.
        is_applied: Whether the rows are in the registry now.
    """

    kind: ImportKind
    file_name: str
    file_sha256: str
    rows_read: int
    counts: RowCounts
    problems: tuple[RowProblem, ...]
    is_applied: bool
