# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why a file as a whole can't be taken in; a bad row is no error but a line of the report.

::

    RegistryError
    └── ImportFileError
        ├── FileTooLargeError        more bytes or rows than are taken at once
        ├── WrongEncodingError       not UTF-8
        ├── MissingColumnsError      the header lacks columns, or there is no header
        └── UnknownColumnsError      the header has columns that nobody knows, or one twice
"""

from typing import Final

from central.registry.errors import RegistryError

NAMES_SHOWN_MAX: Final = 10
NAME_LENGTH_MAX: Final = 40
"""Columns are named by the file: not all of it, and nothing that a terminal would obey."""


class ImportFileError(RegistryError):
    """The file can't be read as a table of its kind."""


class FileTooLargeError(ImportFileError):
    """More bytes or rows than are taken at once."""

    def __init__(self, *, limit: int, unit: str) -> None:
        super().__init__(f"tệp quá lớn / the file has more than {limit} {unit}")
        self.limit = limit
        self.unit = unit


class WrongEncodingError(ImportFileError):
    """Not UTF-8."""

    def __init__(self, *, guess: str, line: int | None) -> None:
        where = "" if line is None else f", dòng / line {line}"
        super().__init__(
            f"tệp không phải UTF-8 ({guess}{where}); trong Excel hãy lưu dạng 'CSV UTF-8'"
            f" / the file is not UTF-8 ({guess}{where}); save it as 'CSV UTF-8'"
        )
        self.guess = guess
        self.line = line


class MissingColumnsError(ImportFileError):
    """The header lacks columns, or there is no header."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        names = ", ".join(columns)
        super().__init__(f"thiếu cột / missing columns: {names}")
        self.columns = columns


class UnknownColumnsError(ImportFileError):
    """The header has columns that nobody knows, or one twice."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        names = ", ".join(map(_shown, columns[:NAMES_SHOWN_MAX]))
        names += ", …" if len(columns) > NAMES_SHOWN_MAX else ""
        super().__init__(f"cột không hiểu hoặc bị lặp / unknown or doubled columns: {names}")
        self.columns = columns


def _shown(name: str) -> str:
    """A column's name as a terminal may show it."""
    return "".join(each if each.isprintable() else "?" for each in name[:NAME_LENGTH_MAX])
