# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charts say the same as picture, table and file, and no file holds a formula."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook

from api.console.charts.chart import Chart, Series, SeriesStyle
from api.console.charts.views import chart_sheet, chart_view
from api.console.exports.files import csv_bytes, xlsx_bytes
from api.console.exports.sheet import ROWS_MAX, Sheet
from api.console.parts import CATALOGUE_FOLDER
from api.pages.i18n import Language, load_speeches

VIETNAMESE = load_speeches(CATALOGUE_FOLDER)[Language.VI]
AT = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # midnight in Vietnam
QUARTER = timedelta(minutes=15)
DANGEROUS = ("=1+1", "+84 912", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0")


def _chart(*values: float | None) -> Chart:
    return Chart(
        key="flow",
        title="Lượt xe",
        unit="km/h",
        decimals=1,
        times=tuple(AT + number * QUARTER for number in range(len(values))),
        series=(Series(label="Hôm nay", style=SeriesStyle.AREA, values=values),),
    )


def test_a_table_reads_as_people_write_and_draws_as_machines_do() -> None:
    view = chart_view(_chart(1234.56, None), VIETNAMESE)

    first, second = view.moments
    assert (first.text, first.epoch_s) == ("00:00", int(AT.timestamp()))
    assert (first.values[0].text, first.values[0].plain) == ("1.234,6", "1234.56")
    assert (second.values[0].text, second.values[0].plain) == ("—", "")
    assert (view.series[0].newest, view.is_empty) == ("1.234,6", False)
    assert chart_view(_chart(None, None), VIETNAMESE).is_empty


def test_a_charts_file_holds_its_times_and_unit() -> None:
    sheet = chart_sheet(_chart(1.5, None), time_heading="Giờ")

    lines = csv_bytes(sheet).decode("utf-8-sig").splitlines()

    assert lines == ["Giờ,Hôm nay (km/h)", "2026-11-23 00:00:00,1.5", "2026-11-23 00:15:00,"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_text_becomes_a_formula_in_a_file(text: str) -> None:
    sheet = Sheet(name="x", title="[=a]", headings=(text, "b"), rows=[(text, 2)])

    heading, row = csv.reader(io.StringIO(csv_bytes(sheet).decode("utf-8-sig"), newline=""))
    page = load_workbook(io.BytesIO(xlsx_bytes(sheet))).active

    assert heading[0] == row[0] == f"'{text}"
    assert page is not None
    assert page["A2"].data_type == "s"
    assert page["B2"].value == 2


def test_times_in_a_spreadsheet_are_vietnams() -> None:
    content = xlsx_bytes(Sheet(name="x", title="x", headings=("a",), rows=[(AT,)]))

    page = load_workbook(io.BytesIO(content)).active

    assert page is not None
    assert page["A2"].value == datetime(2026, 11, 23)  # noqa: DTZ001 - spreadsheets know no zone


@pytest.mark.parametrize(
    ("headings", "rows"), [(("a",), [("b", "c")]), ((), []), (("a",), [("b",)] * (ROWS_MAX + 1))]
)
def test_a_table_of_the_wrong_shape_or_size_is_no_file(
    headings: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        Sheet(name="x", title="x", headings=headings, rows=rows)


def test_a_chart_needs_rising_times_and_a_value_for_each() -> None:
    with pytest.raises(ValueError, match="rise"):
        Chart(
            key="x",
            title="x",
            unit="",
            times=(AT, AT),
            series=(Series(label="a", style=SeriesStyle.LINE, values=(1, 2)),),
        )
    with pytest.raises(ValueError, match="one value per time"):
        Chart(
            key="x",
            title="x",
            unit="",
            times=(AT,),
            series=(Series(label="a", style=SeriesStyle.LINE, values=()),),
        )
