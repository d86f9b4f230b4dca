# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of a file become values, or problems with line, column and reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from central.contracts.passage import PlateColour
from central.domain.plate_grammar import is_plate
from central.registry.importing.cells import CellError, plain_word
from central.registry.importing.columns import KIND_RULES, Column, KindRules, columns_of
from central.registry.importing.errors import MissingColumnsError, UnknownColumnsError
from central.registry.importing.reading import RawRow, RawTable
from central.registry.importing.types import Cell, FileOrigin, ImportKind, ParsedRow, RowProblem
from central.registry.importing.words import Fault, problem

_SAME_WITHIN_LICENCE: Final = ("holder_name", "born_on", "state", "points")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """Good rows and the problems of the others."""

    rows: Sequence[ParsedRow]
    problems: Sequence[RowProblem]


def known_columns(kind: ImportKind) -> frozenset[str]:
    """Plain names that a header of a kind may have."""
    return frozenset(name for column in columns_of(kind) for name in (column.name, *column.aliases))


def parse_table(
    table: RawTable, kind: ImportKind, *, origin: FileOrigin | None, today: date
) -> ParsedFile:
    """Check every row by itself and against the others of the file.

    Args:
        table: The file taken apart.
        kind: What it holds.
        origin: Source and day for rows that don't state them; ``None`` when only the file can.
        today: Nothing is known of days after it.

    Raises:
        MissingColumnsError: The header lacks columns.
        UnknownColumnsError: The header has columns that nobody knows, or one twice.
    """
    heading = _Heading.read(table.header, kind)
    rules = KIND_RULES[kind]
    rows: list[ParsedRow] = []
    problems: list[RowProblem] = []
    for raw in table.rows:
        cells, found = heading.cells_of(raw)
        if not found:
            found = list(_finish(cells, raw.line, rules, origin=origin, today=today))
        problems.extend(found)
        if not found:
            rows.append(ParsedRow(line=raw.line, cells=cells))
    doubled = [*_doubled(rows, rules.key), *_contradicting(rows, kind)]
    bad_lines = {each.line for each in doubled}
    return ParsedFile(
        rows=[row for row in rows if row.line not in bad_lines], problems=[*problems, *doubled]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading:
    """The header: which column stands in which place."""

    columns: Sequence[Column]
    names: Sequence[str]

    @classmethod
    def read(cls, header: Sequence[str], kind: ImportKind) -> "_Heading":
        """Find the columns of a header."""
        columns = columns_of(kind)
        by_name = {name: each for each in columns for name in (each.name, *each.aliases)}
        found = [by_name.get(plain_word(name)) for name in header]
        strange = [
            name
            for place, (name, column) in enumerate(zip(header, found, strict=True))
            if column is None or column in found[:place]
        ]
        missing = tuple(each.name for each in columns if each.is_required and each not in found)
        if missing:
            raise MissingColumnsError(missing)
        if strange:
            raise UnknownColumnsError(tuple(strange))
        return cls(columns=[each for each in found if each is not None], names=header)

    def cells_of(self, raw: RawRow) -> tuple[dict[str, Cell], list[RowProblem]]:
        """Values of a row by the columns' English names, and what is wrong with its cells."""
        if len(raw.cells) != len(self.columns):
            counts = f"{len(raw.cells)} / {len(self.columns)}"
            return {}, [problem(Fault.CELL_COUNT, line=raw.line, detail=counts)]
        cells: dict[str, Cell] = {}
        problems: list[RowProblem] = []
        for column, name, cell in zip(self.columns, self.names, raw.cells, strict=True):
            try:
                cells[column.name] = _value(column, cell.strip())
            except CellError as error:
                problems.append(
                    problem(error.fault, line=raw.line, column=name, detail=error.detail)
                )
        return cells, problems


def _value(column: Column, cell: str) -> Cell:
    """Value of a cell; an empty one has none."""
    if cell:
        return column.parse(cell)
    if column.is_required:
        raise CellError(Fault.EMPTY)
    return None


def _finish(
    cells: dict[str, Cell],
    line: int,
    rules: KindRules,
    *,
    origin: FileOrigin | None,
    today: date,
) -> Iterator[RowProblem]:
    """Fill in what follows from other cells, and check what several cells say together."""
    if rules.needs_as_of:
        cells["source"] = cells.get("source") or (origin.source if origin else None)
        cells["as_of"] = cells.get("as_of") or (origin.as_of.isoformat() if origin else None)
        if cells["as_of"] is None or cells["source"] is None:
            yield problem(Fault.NO_AS_OF, line=line, column="as_of")
        elif str(cells["as_of"]) > today.isoformat():
            yield problem(Fault.IN_FUTURE, line=line, column="as_of")
    if "valid_from" in cells:
        yield from _finish_term(cells, line, rules)
    if "plate" in cells and not is_plate(
        str(cells["plate"]), colour=PlateColour(str(cells["colour"]))
    ):
        yield problem(Fault.NOT_A_PLATE, line=line, column="plate")
    has_day = cells.get("revoked_on") is not None
    has_reason = cells.get("revocation_reason") is not None
    if rules.needs_reason and has_day != has_reason:
        yield problem(Fault.REASON_MISSING, line=line, column="revocation_reason")


def _finish_term(cells: dict[str, Cell], line: int, rules: KindRules) -> Iterator[RowProblem]:
    """Bring both ways to state an end together."""
    valid_from, last_day = str(cells["valid_from"]), cells.pop("last_day", None)
    if last_day is not None:
        if cells.get("valid_until") is not None:
            yield problem(Fault.BOTH_ENDS, line=line, column="last_day")
        end = date.fromisoformat(str(last_day)) + timedelta(days=1)
        cells["valid_until"] = end.isoformat()
    until = cells.get("valid_until")
    cells["valid_until"] = until
    if until is None and rules.needs_end:
        yield problem(Fault.NO_END, line=line, column="valid_until")
    if until is not None and str(until) <= valid_from:
        yield problem(Fault.ENDS_BEFORE_START, line=line, column="valid_until")
    revoked_on = cells.get("revoked_on")
    if revoked_on is not None and str(revoked_on) < valid_from:
        yield problem(Fault.REVOKED_BEFORE_START, line=line, column="revoked_on")


def _doubled(rows: Sequence[ParsedRow], key: Sequence[str]) -> Iterator[RowProblem]:
    """Rows whose key an earlier row has."""
    first_lines: dict[tuple[Cell, ...], int] = {}
    for row in rows:
        first = first_lines.setdefault(tuple(row.cells[name] for name in key), row.line)
        if first != row.line:
            yield problem(Fault.DOUBLED, line=row.line, column=key[0], detail=str(first))


def _contradicting(rows: Sequence[ParsedRow], kind: ImportKind) -> Iterator[RowProblem]:
    """Rows that tell something else about a driving licence than an earlier row of it."""
    if kind is not ImportKind.DRIVING_LICENCES:
        return
    first_rows: dict[Cell, ParsedRow] = {}
    for row in rows:
        first = first_rows.setdefault(row.cells["number"], row)
        for name in _SAME_WITHIN_LICENCE:
            if _cell(row.cells, name) != _cell(first.cells, name):
                yield problem(
                    Fault.DIFFERS_WITHIN_FILE, line=row.line, column=name, detail=str(first.line)
                )


def _cell(cells: Mapping[str, Cell], name: str) -> Cell:
    return cells.get(name)
