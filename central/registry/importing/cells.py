# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a cell may hold: text becomes a value, or a fault with what was expected."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from central.domain.plates import normalise_plate_text
from central.registry.importing.types import Cell
from central.registry.importing.words import Fault

YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2200

_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)
_YES: Final = frozenset({"1", "true", "yes", "co", "x"})
_NO: Final = frozenset({"0", "false", "no", "khong"})


class CellError(Exception):
    """A cell holds something else than its column wants; never leaves this package."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.detail = detail


Parser = Callable[[str], Cell]
"""Reads a cell that is not empty."""


def text(*, length_max: int) -> Parser:
    """Any text up to a length."""

    def parse(cell: str) -> Cell:
        if len(cell) > length_max:
            raise CellError(Fault.TOO_LONG, str(length_max))
        return cell

    return parse


def shaped(pattern: str, words: str, *, clean: Callable[[str], str] = str.strip) -> Parser:
    """Text of a form, after cleaning."""
    compiled = re.compile(pattern, re.ASCII)

    def parse(cell: str) -> Cell:
        value = clean(cell)
        if compiled.fullmatch(value) is None:
            raise CellError(Fault.WRONG_SHAPE, words)
        return value

    return parse


def whole_number(*, least: int, most: int) -> Parser:
    """A whole number within bounds."""

    def parse(cell: str) -> Cell:
        if _NUMBER.fullmatch(cell) is None:
            raise CellError(Fault.NOT_A_NUMBER)
        value = int(cell)
        if not least <= value <= most:
            raise CellError(Fault.OUT_OF_RANGE, f"{least}–{most}")  # noqa: RUF001  # a range
        return value

    return parse


def choice(values: Mapping[str, str]) -> Parser:
    """One of some words, in either language; gives the registry's word."""

    def parse(cell: str) -> Cell:
        found = values.get(plain_word(cell))
        if found is None:
            raise CellError(Fault.NOT_A_CHOICE, ", ".join(dict.fromkeys(values.values())))
        return found

    return parse


def day(cell: str) -> Cell:
    """A date, day first or ISO; gives ISO."""
    return parse_day(cell).isoformat()


def parse_day(cell: str) -> date:
    """A date, day first or ISO.

    Raises:
        CellError: It is none, or lies outside all reason.
    """
    try:
        if match := _DAY_FIRST.fullmatch(cell):
            value = date(int(match[3]), int(match[2]), int(match[1]))
        elif _ISO.fullmatch(cell):
            value = datetime.strptime(cell, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone
        else:
            raise CellError(Fault.NOT_A_DATE)
    except ValueError as error:
        raise CellError(Fault.NOT_A_DATE) from error
    if not YEAR_MIN <= value.year < YEAR_MAX:
        raise CellError(Fault.OUT_OF_RANGE, f"{YEAR_MIN}–{YEAR_MAX - 1}")  # noqa: RUF001  # a range
    return value


def yes_or_no(cell: str) -> Cell:
    """Yes or no, in either language."""
    word = plain_word(cell)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellError(Fault.NOT_A_CHOICE, "có, không, 1, 0")


def compact(cell: str) -> str:
    """Capitals without spaces, as numbers of frames and engines are kept."""
    return "".join(cell.split()).upper()


def plate(cell: str) -> Cell:
    """A plate without separators; which colour it may have is checked with the colour."""
    value = normalise_plate_text(cell)
    if re.fullmatch(r"[A-Z0-9]{4,12}", value) is None:
        raise CellError(Fault.WRONG_SHAPE, "20C-123.45")
    return value


def plain_word(cell: str) -> str:
    """A word without marks and capitals, parts joined by underscores: ``Số khung`` is so_khung."""
    lowered = cell.strip().lower().replace("\u0111", "d")
    stripped = "".join(
        sign for sign in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(sign)
    )
    return re.sub(r"[\s_/()-]+", "_", stripped).strip("_")
