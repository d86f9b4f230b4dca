# SPDX-License-Identifier: AGPL-3.0-or-later
"""A table before it becomes a file: headings, rows, and what kind of value each cell holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

ROWS_MAX: Final = 10_000
"""Most rows of one file. Higher: longer requests, more memory, and more personal data at once."""

COLUMNS_MAX: Final = 60
NAME_LENGTH_MAX: Final = 60

Cell = str | int | float | datetime | None
"""What stands in a cell; times are aware and become Vietnam time; ``None`` is an empty cell."""


class FileKind(StrEnum):
    """Kinds of file to choose from."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table to write.

    Attributes:
        name: Plain name of the file without its ending: small letters, digits and hyphens.
        title: Heading of the table, for people.
        headings: One per column.
        rows: Cells by row, as many as there are headings.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]

    def __post_init__(self) -> None:
        if not self.name.replace("-", "").isalnum() or not self.name.isascii():
            raise ValueError("a file's name has letters, digits and hyphens")
        if len(self.name) > NAME_LENGTH_MAX or not 1 <= len(self.headings) <= COLUMNS_MAX:
            raise ValueError("the name is too long, or the number of columns is out of range")
        if len(self.rows) > ROWS_MAX:
            raise ValueError(f"at most {ROWS_MAX} rows go into a file")
        if any(len(row) != len(self.headings) for row in self.rows):
            raise ValueError("every row needs one cell per heading")
