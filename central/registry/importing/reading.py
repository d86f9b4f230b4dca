# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes a file apart: encoding, separator, header, rows with the line on which they begin."""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from central.registry.importing.cells import plain_word
from central.registry.importing.errors import FileTooLargeError, WrongEncodingError

FILE_BYTES_MAX: Final = 256 * 1024 * 1024
SEPARATORS: Final = (",", ";", "\t")

_UTF8_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_EXCEL_HINT: Final = "sep="
_PROBE_BYTES: Final = 4096
_UNREADABLE: Final = "?"
"""Stands for a row that the reader gives up on, so that it is counted and named as bad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """A row as it stands in the file."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A file taken apart.

    Attributes:
        header: Names as they stand in the file.
        rows: Without empty ones.
    """

    header: Sequence[str]
    rows: Sequence[RawRow]
    sha256: bytes


def read_table(path: Path, *, known_columns: frozenset[str], rows_max: int) -> RawTable:
    """Read a file.

    Args:
        path: The file.
        known_columns: Plain names that a header may have; decides which separator it uses.
        rows_max: Most rows that are taken.

    Raises:
        OSError: The file can't be read.
        FileTooLargeError: It has too many bytes or rows.
        WrongEncodingError: It is not UTF-8.
    """
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)  # what is no plain file does not tell its size
    if len(content) > FILE_BYTES_MAX:
        raise FileTooLargeError(limit=FILE_BYTES_MAX, unit="bytes")
    text = decode(content)
    if text.lower().startswith(_EXCEL_HINT):
        text = "\n" + text.split("\n", 1)[-1]  # keeps the line numbers
    rows = _rows(text, separator=_separator(text, known_columns))
    header = next(rows, None)
    found: list[RawRow] = []
    for row in rows:
        if len(found) >= rows_max:
            raise FileTooLargeError(limit=rows_max, unit="rows")
        found.append(row)
    return RawTable(
        header=[] if header is None else [cell.strip() for cell in header.cells],
        rows=found,
        sha256=hashlib.sha256(content).digest(),
    )


def decode(content: bytes) -> str:
    """The text of a file.

    Raises:
        WrongEncodingError: It is not UTF-8; says what it probably is.
    """
    if content.startswith(_UTF16_BOMS) or b"\x00" in content[:_PROBE_BYTES]:
        raise WrongEncodingError(guess="UTF-16", line=None)
    try:
        text = content.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongEncodingError(guess="Latin-1, Windows-1252/1258", line=line) from error
    return text.replace("\x00", "")


def _separator(text: str, known_columns: frozenset[str]) -> str:
    """The separator by which the first line has most columns that are known."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def known(separator: str) -> int:
        cells = next(csv.reader([first], delimiter=separator), [])
        return sum(plain_word(cell) in known_columns for cell in cells)

    return max(SEPARATORS, key=known)


def _rows(text: str, *, separator: str) -> Iterator[RawRow]:
    """Rows that are not empty; a cell may hold line ends, so a row knows where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = [_UNREADABLE]
        if any(cell.strip() for cell in cells):
            yield RawRow(line=line, cells=cells)
        line = reader.line_num + 1
