# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads a payment provider's file of debits: taken whole, or refused with the lines named.

The file is CSV in UTF-8 with a header: ``crossing_id, account_number, debited_at, amount_dong``.
Excel's byte order mark and the semicolons of Vietnamese Excel are understood.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from central.domain.local_time import LOCAL_ZONE, start_of_local_day
from central.domain.money import parse_dong
from central.tolling.day.errors import FileFault, FileProblem, ProviderFileError
from central.tolling.day.types import DayKey, ProviderFile, ProviderRow

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
ROWS_MAX: Final = 500_000
PROBLEMS_MAX: Final = 20
DEBIT_DELAY_MAX: Final = timedelta(hours=2)
"""A provider may debit so long after the day's end what crossed before it. Higher: a file of the
next day passes more easily; lower: honest late debits are refused."""

COLUMNS: Final = ("crossing_id", "account_number", "debited_at", "amount_dong")
_SEPARATORS: Final = (",", ";", "\t")
_ACCOUNT: Final = re.compile(r"[A-Z0-9-]{4,40}")
_PROVIDER: Final = re.compile(r"[a-z0-9-]{2,40}")


def read_provider_file(content: bytes, *, name: str, provider: str, key: DayKey) -> ProviderFile:
    """Take a file apart.

    Args:
        content: The file's bytes.
        name: Its name, for people.
        provider: Who sent it, as accounts name their provider.
        key: Station and day that it should be about.

    Raises:
        ProviderFileError: It is empty, not UTF-8, too large, has other columns, or a row is wrong.
    """
    if _PROVIDER.fullmatch(provider) is None:
        raise _refused(FileFault.PROVIDER, "a provider's name has 2 to 40 of a-z, 0-9 and hyphens")
    table = _table(_text(content))
    problems: list[FileProblem] = []
    rows: list[ProviderRow] = []
    for line, cells in table:
        found = _row(line, cells, key=key)
        if isinstance(found, FileProblem):
            problems.append(found)
        else:
            rows.append(found)
    if problems:
        raise ProviderFileError(tuple(problems[:PROBLEMS_MAX]), problems_count=len(problems))
    return ProviderFile(
        provider=provider,
        name=name,
        sha256=hashlib.sha256(content).digest(),
        rows=tuple(rows),
    )


def _text(content: bytes) -> str:
    """The file's text without a byte order mark."""
    if len(content) > FILE_BYTES_MAX:
        raise _refused(FileFault.TOO_LARGE, f"it has more than {FILE_BYTES_MAX} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(FileFault.NOT_UTF8, "it is not UTF-8", line=line) from error
    if not text.strip():
        raise _refused(FileFault.EMPTY, "it is empty")
    return text


def _table(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Rows that are not empty, with the line on which each stands."""
    header_line = next(line for line in text.splitlines() if line.strip())
    separator = max(_SEPARATORS, key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header: list[str] | None = None
    rows = 0
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [cell.strip().lower() for cell in cells]
            _check_header(header, line=reader.line_num)
            continue
        rows += 1
        if rows > ROWS_MAX:
            raise _refused(FileFault.TOO_MANY_ROWS, f"it has more than {ROWS_MAX} rows")
        # A row with too few or too many cells lacks columns, and is told so.
        named = zip(header, cells, strict=True) if len(cells) == len(header) else ()
        yield reader.line_num, dict(named)


def _check_header(header: list[str], *, line: int) -> None:
    """Refuse a file with other columns, naming them."""
    missing = [name for name in COLUMNS if name not in header]
    if missing or len(header) != len(set(header)):
        raise _refused(
            FileFault.COLUMNS,
            f"the columns {', '.join(COLUMNS)} are needed once each, missing:"
            f" {', '.join(missing) or 'none'}",
            line=line,
        )


def _row(line: int, cells: Mapping[str, str], *, key: DayKey) -> ProviderRow | FileProblem:
    """One row, or what is wrong with it."""
    if not cells:
        return FileProblem(
            line=line, fault=FileFault.CELLS, what="it has not as many cells as the header"
        )
    found: dict[str, object] = {}
    for name, parse in _PARSERS.items():
        try:
            found[name] = parse(cells[name].strip())
        except ValueError as error:
            return FileProblem(line=line, fault=FileFault(name), what=f"{name}: {error}")
    row = ProviderRow(line=line, **found)  # type: ignore[arg-type]  # the parsers give each its type
    begins_at = start_of_local_day(key.day)
    if not begins_at <= row.debited_at < begins_at + timedelta(days=1) + DEBIT_DELAY_MAX:
        return FileProblem(
            line=line,
            fault=FileFault.OTHER_DAY,
            what=f"debited_at: does not belong to {key.day}",
        )
    return row


def _parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("no UUID") from None


def _parse_account(text: str) -> str:
    if _ACCOUNT.fullmatch(text) is None:
        raise ValueError("an account's number has 4 to 40 of A-Z, 0-9 and hyphens")
    return text


def _parse_time(text: str) -> datetime:
    """ISO 8601; without an offset it is Vietnam's time."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no ISO 8601 time such as 2026-03-02 08:15:00") from None
    return instant.replace(tzinfo=LOCAL_ZONE) if instant.tzinfo is None else instant


_PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    "crossing_id": _parse_id,
    "account_number": _parse_account,
    "debited_at": _parse_time,
    "amount_dong": parse_dong,
}


def _refused(fault: FileFault, what: str, *, line: int | None = None) -> ProviderFileError:
    problem = FileProblem(line=line, fault=fault, what=what)
    return ProviderFileError((problem,), problems_count=1)
