# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charts of traffic that more than one page shows: share of read plates, speed, latency."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from api.console.charts.chart import Chart, Series, SeriesStyle
from api.console.wording import Translate
from central.traffic.types import FlowSlot

PERCENT: Final = 100

Slots = Sequence[FlowSlot]


def share_chart(slots: Slots, _: Translate) -> Chart:
    """Share of passages whose plate was read."""
    return Chart(
        key="read-rate",
        title=_("Plates read"),
        unit="%",
        decimals=1,
        maximum=PERCENT,
        times=times_of(slots),
        series=(series_of(slots, _("Share of passages"), SeriesStyle.AREA, _share_read),),
    )


def speed_chart(slots: Slots, _: Translate) -> Chart:
    """What half of the vehicles, and what 85 of 100 keep to."""
    return Chart(
        key="speed",
        title=_("Speed"),
        unit="km/h",
        times=times_of(slots),
        series=(
            series_of(slots, _("Median"), SeriesStyle.LINE, lambda slot: slot.speed_kmh_median),
            series_of(
                slots,
                _("85 of 100 are not faster"),
                SeriesStyle.DASHED,
                lambda slot: slot.speed_kmh_85,
            ),
        ),
    )


def latency_chart(slots: Slots, _: Translate) -> Chart:
    """How long passages take from the camera's line to the commit."""
    return Chart(
        key="latency",
        title=_("From the camera to the centre"),
        unit="s",
        decimals=2,
        times=times_of(slots),
        series=(
            series_of(slots, _("Median"), SeriesStyle.LINE, lambda slot: slot.latency_s_median),
            series_of(
                slots,
                _("99 of 100 are not slower"),
                SeriesStyle.DASHED,
                lambda slot: slot.latency_s_99,
            ),
        ),
    )


def times_of(slots: Slots) -> tuple[datetime, ...]:
    """When every slot begins."""
    return tuple(slot.starts_at for slot in slots)


def series_of(
    slots: Slots, label: str, style: SeriesStyle, value_of: Callable[[FlowSlot], float | None]
) -> Series:
    """One value per slot."""
    return Series(label=label, style=style, values=tuple(map(value_of, slots)))


def _share_read(slot: FlowSlot) -> float | None:
    return PERCENT * slot.plates_read / slot.passages if slot.passages else None
