# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plots as SVG inside the page: no library, no other host, and they follow the page's colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 460
HEIGHT: Final = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 12, 44
_TICKS: Final = 5
_ROW_PX: Final = 22
_LABEL_PX: Final = 290
_BAR_WIDTH: Final = 780
_VALUE_PX: Final = 190


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisker:
    """One line of a plot of intervals: a share with both ends of its interval, 0 to 1."""

    label: str
    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """From values to pixels; both axes begin at their low end."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (min(value, self.y_high) - self.y_low) / (self.y_high - self.y_low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def calibration_chart(points: Sequence[Mapping[str, float]], *, title: str) -> str:
    """Stated probability against the share that was right, with intervals; the line is honesty."""
    axes = _Axes(x_low=0, x_high=1, y_low=0, y_high=1)
    parts = [_frame(axes, x_name="stated probability", y_name="share right")]
    parts.append(_line([(axes.x(0), axes.y(0)), (axes.x(1), axes.y(1))], kind="aid"))
    for one in points:
        x = axes.x(one["stated"])
        whisker = [(x, axes.y(one["low_95"])), (x, axes.y(one["high_95"]))]
        hint = f"{one['stated']:.1%} stated, {one['observed']:.1%} right of {one['trials']:.0f}"
        parts.append(_line(whisker, kind="whisker"))
        parts.append(_dot(x, axes.y(one["observed"]), hint=hint))
    return _svg(parts, width=WIDTH, height=HEIGHT, title=title)


def risk_chart(points: Sequence[Mapping[str, float]], *, answer_from: float, title: str) -> str:
    """Share answered against share wrong, with the band of its interval."""
    highest = max((one["wrong"] for one in points), default=0.0)
    axes = _Axes(x_low=0, x_high=1, y_low=0, y_high=min(1.0, max(0.01, 1.25 * highest)))
    parts = [_frame(axes, x_name="share answered", y_name="share wrong of these")]
    upper = [(axes.x(one["answered"]), axes.y(one["high_95"])) for one in points]
    lower = [(axes.x(one["answered"]), axes.y(one["low_95"])) for one in points]
    parts.append(f'<polygon class="band" points="{_points([*upper, *reversed(lower)])}"/>')
    curve = [(axes.x(one["answered"]), axes.y(one["wrong"])) for one in points]
    parts.append(_line(curve, kind="curve"))
    answered = [one for one in points if one["threshold"] >= answer_from]
    if answered:
        last = answered[-1]
        hint = f"{last['answered']:.1%} answered, {last['wrong']:.2%} wrong from {answer_from}"
        parts.append(_dot(axes.x(last["answered"]), axes.y(last["wrong"]), hint=hint))
    return _svg(parts, width=WIDTH, height=HEIGHT, title=title)


def whisker_chart(rows: Sequence[Whisker], *, title: str) -> str:
    """Shares of several slices below each other, each with its interval."""
    lowest = min((row.low for row in rows), default=0.0)
    start = max(0.0, min(0.9, lowest) - 0.02)
    height = _ROW_PX * len(rows) + 30
    plot_px = _BAR_WIDTH - _LABEL_PX - _VALUE_PX

    def x(value: float) -> float:
        return _LABEL_PX + max(0.0, value - start) / (1.0 - start) * plot_px

    parts = []
    for tick in range(_TICKS + 1):
        value = start + (1.0 - start) * tick / _TICKS
        parts.append(_line([(x(value), 4.0), (x(value), height - 24.0)], kind="grid"))
        parts.append(_text(x(value), height - 8, f"{value:.0%}", anchor="middle"))
    for number, row in enumerate(rows):
        y = _ROW_PX * (number + 0.5) + 4
        parts.append(_text(_LABEL_PX - 10, y + 4, row.label, anchor="end"))
        parts.append(_line([(x(row.low), y), (x(row.high), y)], kind="whisker"))
        parts.append(_dot(x(row.value), y, hint=row.text))
        parts.append(_text(_BAR_WIDTH - _VALUE_PX + 14, y + 4, row.text, anchor="start"))
    return _svg(parts, width=_BAR_WIDTH, height=height, title=title)


def _frame(axes: _Axes, *, x_name: str, y_name: str) -> str:
    parts = []
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        x_value = axes.x_low + share * (axes.x_high - axes.x_low)
        y_value = axes.y_low + share * (axes.y_high - axes.y_low)
        x, y = axes.x(x_value), axes.y(y_value)
        parts.append(_line([(x, axes.y(axes.y_low)), (x, axes.y(axes.y_high))], kind="grid"))
        parts.append(_line([(axes.x(axes.x_low), y), (axes.x(axes.x_high), y)], kind="grid"))
        parts.append(_text(x, HEIGHT - _BOTTOM + 16, f"{x_value:.0%}", anchor="middle"))
        parts.append(_text(_LEFT - 6, y + 4, _percent(y_value, axes.y_high), anchor="end"))
    middle_x, middle_y = (_LEFT + WIDTH - _RIGHT) / 2, (_TOP + HEIGHT - _BOTTOM) / 2
    parts.append(_text(middle_x, HEIGHT - 8, x_name, anchor="middle"))
    parts.append(
        f'<text class="name" text-anchor="middle" transform="translate(14 {middle_y:.0f})'
        f' rotate(-90)">{escape(y_name)}</text>'
    )
    return "".join(parts)


def _percent(value: float, highest: float) -> str:
    digits = 0 if highest > 0.2 else 1 if highest > 0.02 else 2  # noqa: PLR2004 -- as many as differ
    return f"{value:.{digits}%}"


def _svg(parts: Sequence[str], *, width: int, height: int, title: str) -> str:
    name = escape(title)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{name}">'
        f"<title>{name}</title>{''.join(parts)}</svg>"
    )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(points: Sequence[tuple[float, float]], *, kind: str) -> str:
    return f'<polyline class="{kind}" points="{_points(points)}"/>'


def _dot(x: float, y: float, *, hint: str) -> str:
    title = f"<title>{escape(hint)}</title>"
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4">{title}</circle>'


def _text(x: float, y: float, text: str, *, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
