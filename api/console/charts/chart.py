# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values over time with what a reader must know of them; the same for picture, table and file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final

POINTS_MAX: Final = 1500
"""Most points of a series. Higher: old machines draw slowly, and the table gets long."""

SERIES_MAX: Final = 4
"""Most series in one picture: there are as many styles that can be told apart without colour."""

DECIMALS_MAX: Final = 3


class SeriesStyle(StrEnum):
    """How a series is drawn. Styles differ in shape, so that colour alone says nothing."""

    AREA = "area"
    LINE = "line"
    DASHED = "dashed"
    DOTTED = "dotted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a chart.

    Attributes:
        values: One per time; ``None`` where nothing is known, which leaves a gap.
    """

    label: str
    style: SeriesStyle
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Some series over the same times.

    Attributes:
        key: Name of the chart on its page and of its file: small letters, digits, hyphens.
        title: What is shown, for people.
        unit: Unit of every value, such as ``km/h``; empty for plain numbers.
        times: Aware, rising.
        decimals: Digits after the point.
        maximum: Upper end of the axis, such as 100 for percent; ``None`` follows the values.
    """

    key: str
    title: str
    unit: str
    times: tuple[datetime, ...]
    series: tuple[Series, ...]
    decimals: int = 0
    maximum: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.series) <= SERIES_MAX or len(self.times) > POINTS_MAX:
            raise ValueError("too many or too few series, or too many points")
        if any(len(each.values) != len(self.times) for each in self.series):
            raise ValueError("every series needs one value per time")
        if not _rises(self.times):
            raise ValueError("times must be aware and rise")
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise ValueError("the number of decimals is out of range")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known at any time."""
        return all(value is None for each in self.series for value in each.values)


def _rises(times: Sequence[datetime]) -> bool:
    return all(time.tzinfo is not None for time in times) and all(
        before < after for before, after in pairwise(times)
    )
