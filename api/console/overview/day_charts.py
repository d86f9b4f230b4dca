# SPDX-License-Identifier: AGPL-3.0-or-later
"""Figures of a day as charts: flow beside last week's, speed, share of read plates, latency."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from api.console.charts.chart import Chart, Series, SeriesStyle
from api.console.figures import Figures
from api.console.wording import Translate
from central.traffic.types import FlowSlot

PERCENT: Final = 100


def day_charts(figures: Figures, *, now: datetime, _: Translate) -> Mapping[str, Chart]:
    """The overview's charts by key, in the order in which they are shown."""
    charts = (
        _flow(figures, now=now, _=_),
        _share(figures, _=_),
        _speed(figures, _=_),
        _latency(figures, _=_),
    )
    return {chart.key: chart for chart in charts}


def _flow(figures: Figures, *, now: datetime, _: Translate) -> Chart:
    """Passages per slot. A slot without any is zero as long as it has begun."""
    times = figures.span.starts
    counted = {slot.starts_at: slot.passages for slot in figures.today}
    has_past = any(figures.week_before.values())
    return Chart(
        key="flow",
        title=_("Passages per 15 minutes"),
        unit="",
        times=times,
        series=(
            Series(
                label=_("Today"),
                style=SeriesStyle.AREA,
                values=tuple(counted.get(at, 0) if at <= now else None for at in times),
            ),
            Series(
                label=_("Same day last week"),
                style=SeriesStyle.DASHED,
                values=tuple(figures.week_before.get(at, 0) if has_past else None for at in times),
            ),
        ),
    )


def _share(figures: Figures, *, _: Translate) -> Chart:
    """Share of passages whose plate was read."""
    return Chart(
        key="read-rate",
        title=_("Plates read"),
        unit="%",
        decimals=1,
        maximum=PERCENT,
        times=figures.span.starts,
        series=(
            _series(
                figures,
                _("Share of passages"),
                SeriesStyle.AREA,
                _share_read,
            ),
        ),
    )


def _share_read(slot: FlowSlot) -> float | None:
    return PERCENT * slot.plates_read / slot.passages if slot.passages else None


def _speed(figures: Figures, *, _: Translate) -> Chart:
    return Chart(
        key="speed",
        title=_("Speed"),
        unit="km/h",
        times=figures.span.starts,
        series=(
            _series(figures, _("Median"), SeriesStyle.LINE, lambda slot: slot.speed_kmh_median),
            _series(
                figures,
                _("85 of 100 are not faster"),
                SeriesStyle.DASHED,
                lambda slot: slot.speed_kmh_85,
            ),
        ),
    )


def _latency(figures: Figures, *, _: Translate) -> Chart:
    return Chart(
        key="latency",
        title=_("From the camera to the centre"),
        unit="s",
        decimals=2,
        times=figures.span.starts,
        series=(
            _series(figures, _("Median"), SeriesStyle.LINE, lambda slot: slot.latency_s_median),
            _series(
                figures,
                _("99 of 100 are not slower"),
                SeriesStyle.DASHED,
                lambda slot: slot.latency_s_99,
            ),
        ),
    )


def _series(
    figures: Figures,
    label: str,
    style: SeriesStyle,
    value_of: Callable[[FlowSlot], float | None],
) -> Series:
    """One value per slot; a slot in which nothing passed has none."""
    slots = {slot.starts_at: slot for slot in figures.today}
    return Series(
        label=label,
        style=style,
        values=tuple(value_of(slots[at]) if at in slots else None for at in figures.span.starts),
    )
