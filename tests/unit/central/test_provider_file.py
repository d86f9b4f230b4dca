# SPDX-License-Identifier: AGPL-3.0-or-later
"""A provider's file is taken whole or refused with its lines; differences by small tables."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from central.domain.money import dong_text, parse_dong
from central.tolling.day.comparing import compare
from central.tolling.day.errors import ProviderFileError
from central.tolling.day.provider_file import PROBLEMS_MAX, read_provider_file
from central.tolling.day.types import Charge, DayKey, DifferenceKind, ProviderFile, ProviderRow

KEY = DayKey(station_id="tram-km12", day=date(2026, 3, 2))
HEADER = "crossing_id,account_number,debited_at,amount_dong\n"
FIRST, SECOND = UUID(int=1), UUID(int=2)


def line_of(
    crossing_id: UUID | str = FIRST,
    account: str = "TK-0001",
    debited_at: str = "2026-03-02 08:15:00",
    amount: str = "35000",
) -> str:
    return f"{crossing_id},{account},{debited_at},{amount}\n"


def read(text: str | bytes) -> ProviderFile:
    content = text.encode() if isinstance(text, str) else text
    return read_provider_file(content, name="a.csv", provider="provider-a", key=KEY)


def refused(text: str | bytes) -> ProviderFileError:
    with pytest.raises(ProviderFileError) as caught:
        read(text)
    return caught.value


def test_a_file_is_read_with_its_lines_and_local_times() -> None:
    file = read(HEADER + line_of() + "\n" + line_of(SECOND, debited_at="2026-03-02T01:00:00+00:00"))

    assert [row.line for row in file.rows] == [2, 4]
    assert file.rows[0].debited_at == datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
    assert file.rows[1].debited_at == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert file.amount_dong == 70_000
    assert len(file.sha256) == 32


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("crossing_id", " Crossing_ID ").encode(),
    ],
    ids=["byte order mark", "semicolons", "tabs", "Windows line ends", "capitals in the header"],
)
def test_what_spreadsheets_make_of_a_file_is_understood(change: Callable[[str], bytes]) -> None:
    assert len(read(change(HEADER + line_of())).rows) == 1


def test_a_file_with_a_header_only_is_a_day_without_debits() -> None:
    assert read(HEADER).rows == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        ("crossing_id,amount_dong\n", "line 1: the columns"),
        ("Ngày,Số tiền\n", "line 1: the columns"),
        ((HEADER + "Tài khoản\n").encode("cp1258", "replace"), "line 2"),
        (HEADER + line_of().encode("utf-8").decode() + "\xff", "line 3"),
    ],
    ids=["nothing", "white space", "columns missing", "other columns", "one cell", "last row"],
)
def test_a_file_that_is_none_is_refused(content: str | bytes, says: str) -> None:
    assert says in str(refused(content))


def test_a_file_in_another_encoding_is_refused_with_the_line() -> None:
    error = refused((HEADER + line_of() + "Tr\xe0m\n").encode("latin-1"))

    assert error.problems[0].line == 3
    assert "UTF-8" in error.problems[0].what


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (line_of("not-a-uuid"), "crossing_id"),
        (line_of(account="tk 1"), "account_number"),
        (line_of(debited_at="02/03/2026"), "debited_at"),
        (line_of(debited_at="2026-03-03 02:00:01"), "debited_at"),
        (line_of(debited_at="2026-03-01 23:59:59"), "debited_at"),
        (line_of(amount="35.000"), "amount_dong"),
        (line_of(amount="-35000"), "amount_dong"),
        (line_of(amount=""), "amount_dong"),
        ("1,2\n", "cells"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_column(line: str, column: str) -> None:
    error = refused(HEADER + line_of() + line)

    assert [problem.line for problem in error.problems] == [3]
    assert column in error.problems[0].what


def test_many_wrong_rows_are_counted_and_the_first_are_told() -> None:
    error = refused(HEADER + line_of(amount="x") * 100)

    assert error.problems_count == 100
    assert len(error.problems) == PROBLEMS_MAX


def test_a_debit_shortly_after_midnight_belongs_to_the_day() -> None:
    assert len(read(HEADER + line_of(debited_at="2026-03-03 00:10:00")).rows) == 1


def charge(number: int, amount_dong: int = 35_000, account: str = "TK-0001") -> Charge:
    return Charge(crossing_id=UUID(int=number), account_number=account, amount_dong=amount_dong)


def row(line: int, number: int, amount_dong: int = 35_000, account: str = "TK-0001") -> ProviderRow:
    return ProviderRow(
        line=line,
        crossing_id=UUID(int=number),
        account_number=account,
        debited_at=datetime(2026, 3, 2, 1, 15, tzinfo=UTC),
        amount_dong=amount_dong,
    )


@pytest.mark.parametrize(
    ("charges", "rows", "expected"),
    [
        ([], [], []),
        ([charge(1)], [row(2, 1)], []),
        ([charge(1)], [], [(DifferenceKind.MISSING_AT_PROVIDER, 1, None)]),
        ([], [row(2, 1)], [(DifferenceKind.MISSING_HERE, 1, 2)]),
        ([charge(1)], [row(2, 1, 52_000)], [(DifferenceKind.AMOUNT_DIFFERS, 1, 2)]),
        ([charge(1)], [row(2, 1, account="TK-0002")], [(DifferenceKind.ACCOUNT_DIFFERS, 1, 2)]),
        # Both at once are two differences.
        (
            [charge(1)],
            [row(2, 1, 52_000, "TK-0002")],
            [(DifferenceKind.ACCOUNT_DIFFERS, 1, 2), (DifferenceKind.AMOUNT_DIFFERS, 1, 2)],
        ),
        # The first row of a crossing counts, every other is doubled, whatever it says.
        (
            [charge(1)],
            [row(2, 1), row(3, 1), row(4, 1, 1)],
            [(DifferenceKind.DOUBLED, 1, 3), (DifferenceKind.DOUBLED, 1, 4)],
        ),
        # One missing and one extra row, lines first.
        (
            [charge(1), charge(2)],
            [row(2, 2), row(3, 9)],
            [(DifferenceKind.MISSING_HERE, 9, 3), (DifferenceKind.MISSING_AT_PROVIDER, 1, None)],
        ),
    ],
)
def test_differences_by_hand(
    charges: list[Charge],
    rows: list[ProviderRow],
    expected: list[tuple[DifferenceKind, int, int | None]],
) -> None:
    found = compare(charges, rows, provider="provider-a")

    assert [(each.kind, each.crossing_id.int, each.provider_line) for each in found] == expected


@pytest.mark.parametrize(
    ("text", "amount"), [("0", 0), (" 35000 ", 35_000), ("1" * 12, 111111111111)]
)
def test_amounts_are_read_as_whole_dong(text: str, amount: int) -> None:
    assert parse_dong(text) == amount


@pytest.mark.parametrize("text", ["", "35.000", "35,000", "35 000", "-1", "1e3", "٣", "1" * 13])
def test_amounts_with_anything_but_digits_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        parse_dong(text)


def test_amounts_are_written_with_vietnams_separators() -> None:
    assert [dong_text(each) for each in (0, 35_000, -1_234_567)] == [
        "0 ₫",
        "35.000 ₫",
        "-1.234.567 ₫",
    ]
