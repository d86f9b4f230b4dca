# SPDX-License-Identifier: AGPL-3.0-or-later
"""Columns of the toll's files, read with the registry's cells and words for faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from central.registry.importing import cells
from central.registry.importing.cells import CellError, plain_word
from central.registry.importing.columns import IDENTITY, Column
from central.registry.importing.errors import MissingColumnsError, UnknownColumnsError
from central.registry.importing.reading import RawRow, RawTable
from central.registry.importing.types import Cell, ParsedRow, RowProblem
from central.registry.importing.words import Fault, problem
from central.tolling.setup.types import SetupKind

PRICE_DONG_MAX: Final = 100_000_000
_SLUG: Final = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
_ACCOUNT: Final = r"[A-Z0-9-]{4,40}"
_PROVIDER: Final = r"[a-z0-9-]{2,40}"
_EPC: Final = r"(?:[0-9A-F]{2}){4,32}"
_CHASSIS: Final = r"[A-Z0-9]{5,25}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSetup:
    """Good rows and the problems of the others."""

    rows: Sequence[ParsedRow]
    problems: Sequence[RowProblem]


def known_names(kind: SetupKind) -> frozenset[str]:
    """Plain names that a header of a kind may have."""
    return frozenset(name for each in COLUMNS[kind] for name in (each.name, *each.aliases))


def parse_setup(table: RawTable, kind: SetupKind) -> ParsedSetup:
    """Check every row by itself.

    Raises:
        MissingColumnsError: The header lacks columns.
        UnknownColumnsError: The header has columns that nobody knows, or one twice.
    """
    columns = _heading(table.header, COLUMNS[kind])
    rows: list[ParsedRow] = []
    problems: list[RowProblem] = []
    for raw in table.rows:
        row, found = _row(raw, columns, table.header)
        problems.extend(found)
        if not found:
            rows.append(row)
    return ParsedSetup(rows=rows, problems=problems)


def _heading(header: Sequence[str], columns: Sequence[Column]) -> list[Column]:
    """The column in each place of a header."""
    by_name = {name: each for each in columns for name in (each.name, *each.aliases)}
    found = [by_name.get(plain_word(name)) for name in header]
    missing = tuple(each.name for each in columns if each.is_required and each not in found)
    if missing:
        raise MissingColumnsError(missing)
    known = [each for each in found if each is not None]
    if len(known) < len(header) or len({each.name for each in known}) < len(known):
        raise UnknownColumnsError(
            tuple(
                name
                for place, name in enumerate(header)
                if found[place] is None or found[place] in found[:place]
            )
        )
    return known


def _row(
    raw: RawRow, columns: Sequence[Column], header: Sequence[str]
) -> tuple[ParsedRow, list[RowProblem]]:
    """Values of a row, and what is wrong with its cells."""
    values: dict[str, Cell] = {each.name: None for each in columns}
    if len(raw.cells) != len(columns):
        counts = f"{len(raw.cells)} / {len(columns)}"
        fault = problem(Fault.CELL_COUNT, line=raw.line, detail=counts)
        return ParsedRow(line=raw.line, cells=values), [fault]
    problems: list[RowProblem] = []
    for column, name, cell in zip(columns, header, raw.cells, strict=True):
        text = cell.strip()
        try:
            if text:
                values[column.name] = column.parse(text)
            elif column.is_required:
                raise CellError(Fault.EMPTY)  # noqa: TRY301  # told like any other fault
        except CellError as error:
            problems.append(problem(error.fault, line=raw.line, column=name, detail=error.detail))
    starts, ends = values.get("valid_from"), values.get("valid_until")
    if starts is not None and ends is not None and str(ends) <= str(starts):
        problems.append(problem(Fault.ENDS_BEFORE_START, line=raw.line, column="valid_until"))
    return ParsedRow(line=raw.line, cells=values), problems


def _slug(name: str, *aliases: str) -> Column:
    return Column(
        name=name, aliases=aliases, parse=cells.shaped(_SLUG, "tram-km12"), is_required=True
    )


def _account_number() -> Column:
    return Column(
        name="account_number",
        aliases=("so_tai_khoan", "number"),
        parse=cells.shaped(_ACCOUNT, "4-40 A-Z 0-9 -", clean=cells.compact),
        is_required=True,
    )


def _choice(name: str, alias: str, *values: str) -> Column:
    return Column(
        name=name,
        aliases=(alias,),
        parse=cells.choice({value: value for value in values}),
        is_required=True,
    )


def _day(name: str, *aliases: str, is_required: bool) -> Column:
    return Column(name=name, aliases=aliases, parse=cells.day, is_required=is_required)


def _number(name: str, alias: str, *, least: int, most: int) -> Column:
    return Column(
        name=name,
        aliases=(alias,),
        parse=cells.whole_number(least=least, most=most),
        is_required=True,
    )


COLUMNS: Final[Mapping[SetupKind, tuple[Column, ...]]] = MappingProxyType(
    {
        SetupKind.STATIONS: (
            _slug("station", "tram", "id"),
            Column(
                name="name", aliases=("ten",), parse=cells.text(length_max=200), is_required=True
            ),
            _slug("site", "dia_diem"),
            _choice("kind", "loai", "open", "closed"),
            Column(name="is_expressway", aliases=("cao_toc",), parse=cells.yes_or_no),
        ),
        SetupKind.LANES: (
            _slug("station", "tram"),
            _number("number", "so_lan", least=1, most=64),
            _choice("kind", "loai", "open", "entry", "exit"),
            _slug("camera", "may_quay"),
            _slug("reader", "dau_doc"),
        ),
        SetupKind.TARIFFS: (
            _slug("station", "tram"),
            _number("vehicle_group", "nhom", least=1, most=5),
            _number("price_dong", "gia", least=0, most=PRICE_DONG_MAX),
            _day("valid_from", "tu_ngay", is_required=True),
            _day("valid_until", "het_hieu_luc_tu", is_required=False),
            Column(
                name="legal_reference",
                aliases=("can_cu",),
                parse=cells.text(length_max=300),
                is_required=True,
            ),
            _choice("confidence", "do_tin_cay", "high", "medium", "low", "example"),
        ),
        SetupKind.ACCOUNTS: (
            _account_number(),
            Column(
                name="provider",
                aliases=("nha_cung_cap",),
                parse=cells.shaped(_PROVIDER, "vetc, epass"),
                is_required=True,
            ),
            Column(
                name="holder",
                aliases=("chu_tai_khoan", "so_dinh_danh"),
                parse=cells.shaped(IDENTITY, "10, 10-3, 12"),
                is_required=True,
            ),
            _choice("state", "trang_thai", "open", "locked", "closed"),
            Column(name="is_priority", aliases=("uu_tien",), parse=cells.yes_or_no),
            _day("opened_on", "ngay_mo", is_required=True),
        ),
        SetupKind.TAGS: (
            Column(
                name="epc",
                aliases=("the", "ma_the"),
                parse=cells.shaped(_EPC, "8-64 0-9 A-F", clean=cells.compact),
                is_required=True,
            ),
            _account_number(),
            Column(
                name="chassis_number",
                aliases=("so_khung",),
                parse=cells.shaped(_CHASSIS, "5-25 A-Z 0-9", clean=cells.compact),
                is_required=True,
            ),
            _day("valid_from", "tu_ngay", "ngay_dan", is_required=True),
            _day("valid_until", "het_hieu_luc_tu", is_required=False),
        ),
    }
)
