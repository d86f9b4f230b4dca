# SPDX-License-Identifier: AGPL-3.0-or-later
"""Figures of a day as charts: flow beside last week's, and what other pages show of traffic."""

from collections.abc import Mapping
from datetime import datetime

from api.console.charts.chart import Chart, Series, SeriesStyle
from api.console.charts.traffic import latency_chart, share_chart, speed_chart
from api.console.figures import Figures
from api.console.wording import Translate


def day_charts(figures: Figures, *, now: datetime, _: Translate) -> Mapping[str, Chart]:
    """The overview's charts by key, in the order in which they are shown."""
    charts = (
        _flow(figures, now=now, _=_),
        share_chart(figures.today, _),
        speed_chart(figures.today, _),
        latency_chart(figures.today, _),
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
