# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the toll's setup."""

from dataclasses import dataclass
from enum import StrEnum

from central.registry.importing.types import RowProblem


class SetupKind(StrEnum):
    """What a file holds; later kinds name things of earlier ones."""

    STATIONS = "stations"
    LANES = "lanes"
    TARIFFS = "tariffs"
    ACCOUNTS = "accounts"
    TAGS = "tags"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupReport:
    """The outcome of an import or of its trial.

    Attributes:
        created: Rows that are new.
        known: Rows whose thing was there; it has the file's values now.
        problems: By line; nothing is kept when there is one.
    """

    kind: SetupKind
    rows_read: int
    created: int
    known: int
    problems: tuple[RowProblem, ...]
    is_applied: bool


class RowRefusedError(Exception):
    """A row that contradicts what is in the database; never leaves this package.

    Attributes:
        column: Which column is to be put right; empty for the row as a whole.
    """

    def __init__(self, column: str, *, reason: str, reason_en: str) -> None:
        super().__init__(reason_en)
        self.column = column
        self.reason = reason
        self.reason_en = reason_en

    def problem(self, line: int) -> RowProblem:
        """The same as a line of the report."""
        return RowProblem(
            line=line, column=self.column, reason=self.reason, reason_en=self.reason_en
        )
