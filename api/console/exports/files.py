# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes tables as files, so that no cell can become a formula in whoever's spreadsheet opens them.

A text that begins with a sign that spreadsheets take for a formula gets an apostrophe in front in
CSV; in a spreadsheet file it is written as a text, and nothing is turned into a link.
"""

import asyncio
import csv
import io
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from starlette.responses import Response
from xlsxwriter import Workbook

from api.console.exports.sheet import Cell, FileKind, Sheet
from central.domain.local_time import LOCAL_ZONE

MEDIA_TYPES: Final[Mapping[FileKind, str]] = MappingProxyType(
    {
        FileKind.CSV: "text/csv; charset=utf-8",
        FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it spreadsheets read Vietnamese CSV in the wrong alphabet."""

TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
COLUMN_WIDTH_MIN: Final = 10
COLUMN_WIDTH_MAX: Final = 40
_SHEET_NAME_LENGTH_MAX: Final = 31
_FORBIDDEN_IN_SHEET_NAMES: Final = str.maketrans(dict.fromkeys("[]:*?/\\'"))


async def file_response(sheet: Sheet, kind: FileKind) -> Response:
    """A table as a file to keep; written in a thread, since large ones take a second."""
    write = csv_bytes if kind is FileKind.CSV else xlsx_bytes
    return Response(
        await asyncio.to_thread(write, sheet),
        media_type=MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{sheet.name}.{kind}"'},
    )


def csv_bytes(sheet: Sheet) -> bytes:
    """A table as CSV in UTF-8, with a heading line; numbers are plain, times are Vietnam's."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_harmless(heading) for heading in sheet.headings])
    writer.writerows([_csv_cell(cell) for cell in row] for row in sheet.rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def xlsx_bytes(sheet: Sheet) -> bytes:
    """A table as a spreadsheet with a fixed heading row and filters."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(content, options) as book:
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        name = sheet.title.translate(_FORBIDDEN_IN_SHEET_NAMES)[:_SHEET_NAME_LENGTH_MAX].strip()
        page = book.add_worksheet(name or sheet.name[:_SHEET_NAME_LENGTH_MAX])
        for column, text in enumerate(sheet.headings):
            page.write_string(0, column, text, heading)
            width = min(max(len(text) + 2, COLUMN_WIDTH_MIN), COLUMN_WIDTH_MAX)
            page.set_column(column, column, width)
        for number, row in enumerate(sheet.rows, start=1):
            for column, cell in enumerate(row):
                match cell:
                    case None:
                        continue
                    case str():
                        page.write_string(number, column, cell)
                    case datetime():
                        page.write_datetime(number, column, _local(cell), instant)
                    case _:
                        page.write_number(number, column, cell)
        page.freeze_panes(1, 0)
        page.autofilter(0, 0, max(len(sheet.rows), 1), len(sheet.headings) - 1)
    return content.getvalue()


def _csv_cell(cell: Cell) -> str | int | float:
    match cell:
        case None:
            return ""
        case str():
            return _harmless(cell)
        case datetime():
            return _local(cell).strftime(TIME_FORMAT)
        case _:
            return cell


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, blanks in front of one included."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _local(instant: datetime) -> datetime:
    """Vietnam time without its zone, which spreadsheets don't know."""
    return instant.astimezone(LOCAL_ZONE).replace(tzinfo=None)
