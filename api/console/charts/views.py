# SPDX-License-Identifier: AGPL-3.0-or-later
"""A chart as the template draws it and as it is exported."""

from dataclasses import dataclass

from babel.numbers import format_decimal

from api.console.charts.chart import Chart
from api.console.exports.sheet import Sheet
from api.pages.i18n import MISSING, Speech


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueView:
    """A value in the table; ``plain`` is what the picture is drawn from, empty for unknown."""

    text: str
    plain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentView:
    """A row of the table."""

    epoch_s: int
    text: str
    values: tuple[ValueView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """A column of the table, with what a reader wants to know without reading it all."""

    label: str
    style: str
    newest: str
    highest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """A chart with its table; ``maximum`` is empty when the axis follows the values."""

    key: str
    title: str
    unit: str
    decimals: int
    maximum: str
    series: tuple[SeriesView, ...]
    moments: tuple[MomentView, ...]
    is_empty: bool


def chart_view(chart: Chart, speech: Speech) -> ChartView:
    """A chart in one language."""

    def value_text(value: float | None) -> str:
        return MISSING if value is None else _number(value, chart.decimals, speech)

    has_days = len({speech.local_date(time) for time in chart.times}) > 1
    time_text = speech.minute_and_date if has_days else speech.minute
    series = []
    for each in chart.series:
        known = [value for value in each.values if value is not None]
        series.append(
            SeriesView(
                label=each.label,
                style=each.style,
                newest=value_text(known[-1] if known else None),
                highest=value_text(max(known, default=None)),
            )
        )
    return ChartView(
        key=chart.key,
        title=chart.title,
        unit=chart.unit,
        decimals=chart.decimals,
        maximum="" if chart.maximum is None else f"{chart.maximum:g}",
        series=tuple(series),
        moments=tuple(
            MomentView(
                epoch_s=int(time.timestamp()),
                text=time_text(time),
                values=tuple(
                    ValueView(text=value_text(each.values[place]), plain=_plain(each.values[place]))
                    for each in chart.series
                ),
            )
            for place, time in enumerate(chart.times)
        ),
        is_empty=chart.is_empty,
    )


def chart_sheet(chart: Chart, *, time_heading: str) -> Sheet:
    """A chart's table as a file's content."""
    unit = f" ({chart.unit})" if chart.unit else ""
    return Sheet(
        name=chart.key,
        title=chart.title,
        headings=(time_heading, *(f"{each.label}{unit}" for each in chart.series)),
        rows=[
            (time, *(each.values[place] for each in chart.series))
            for place, time in enumerate(chart.times)
        ],
    )


def _number(value: float, decimals: int, speech: Speech) -> str:
    pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "")
    return format_decimal(value, pattern, locale=speech.locale)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
