# SPDX-License-Identifier: AGPL-3.0-or-later
"""Devices, cameras and days as templates need them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from api.console.health import LOOKS
from api.pages.i18n import Speech
from central.completeness.explaining import SILENT_AFTER
from central.devices.types import DayPage, DeviceDay, DeviceHealth, HealthSpan
from central.domain.sequences import SeqRange
from central.sites.types import Completeness

CAMERAS_PATH: Final = "/console/cameras"
COMPLETENESS_PATH: Final = "/console/completeness"
CAPTURED_PATH: Final = "/console/captured"
HOLES_MAX: Final = 100
"""Holes of one outbox that are listed one by one; further ones are counted."""

CLOCK_ERROR_WARN_MS: Final = 500
"""A clock that may be wrong by more is marked. Lower: more marks."""

TEMPERATURE_WARN_CELSIUS: Final = 75.0
"""A device that is hotter is marked. Lower: more marks on hot days."""

READ_RATE_WARN_BELOW: Final = 0.8
"""A smaller share of read plates is marked. Higher: more marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureView:
    """A figure that may call for somebody; ``text`` is ``None`` where nothing was told."""

    text: str | None
    is_bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraView:
    """A camera or tag reader of a device."""

    id: str
    name: str
    state: str
    tone: str
    icon: str
    figures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """A device as a row, and as the head of its page."""

    id: str
    url: str
    gaps_url: str
    passages_url: str
    place: str
    state: str
    tone: str
    icon: str
    seen: str | None
    lost: str | None
    frames: FigureView
    read_rate: FigureView
    queue: FigureView
    clock_error: FigureView
    temperature: FigureView
    cameras: tuple[CameraView, ...]
    readers: tuple[CameraView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanView:
    """Half an hour of a device's history."""

    iso: str
    time: str
    heard: str
    frames: str | None
    queue: str | None
    clock_error: str | None
    temperature: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """What came from an outbox on a day."""

    day: str
    captured_url: str
    device_id: str
    url: str
    site_name: str
    outbox: str
    first: str | None
    last: str | None
    stored: str
    missing: str
    doubled: str
    late: str
    quarantined: str
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxView:
    """The proof for one life of a device's outbox.

    Attributes:
        holes: Missing numbers as ranges, the first ones.
        more_holes: How many further ranges there are; ``None`` for none.
    """

    outbox: str
    first: str
    last: str
    announced: str
    stored: str
    quarantined: str
    doubled: str
    late: str
    missing: str
    is_whole: bool
    holes: tuple[str, ...]
    more_holes: str | None
    first_received: str
    last_received: str


def device_view(
    device: DeviceHealth, names: Mapping[tuple[str, str], str], speech: Speech, *, now: datetime
) -> DeviceView:
    """A device as its row."""
    state = _state(device, now=now)
    tone, icon = LOOKS[state]
    place = device.site_id
    return DeviceView(
        id=device.id,
        url=f"{CAMERAS_PATH}/{device.id}",
        gaps_url=f"{COMPLETENESS_PATH}/{device.id}",
        passages_url=f"/console/passages?{urlencode({'place': place})}",
        place=device.site_name,
        state=state,
        tone=tone,
        icon=icon,
        seen=speech.ago(now - device.heard_at) if device.heard_at is not None else None,
        lost=speech.number(device.lost_numbers) if device.lost_numbers else None,
        read_rate=_read_rate(device, speech),
        cameras=tuple(_cameras(device, names, speech, is_alive=state == "alive")),
        readers=tuple(_readers(device, speech, is_alive=state == "alive")),
        **_figures(device, speech),
    )


def span_view(span: HealthSpan, speech: Speech) -> SpanView:
    """A span of history as a row."""
    return SpanView(
        iso=span.began_at.isoformat(),
        time=speech.minute_and_date(span.began_at),
        heard=speech.number(span.minutes_heard),
        frames=_rounded(span.analysed_fps, speech),
        queue=_counted(span.outbox_events, speech),
        clock_error=_milliseconds(span.clock_error_ms, speech),
        temperature=_degrees(span.temperature_celsius, speech),
    )


def day_view(day: DeviceDay, speech: Speech) -> DayView:
    """A day as a row."""
    return DayView(
        day=speech.day(day.day),
        captured_url=f"{CAPTURED_PATH}?day={day.day.isoformat()}",
        device_id=day.device_id,
        url=f"{COMPLETENESS_PATH}/{day.device_id}",
        site_name=day.site_name,
        outbox=str(day.outbox_id)[:8],
        first=_counted(day.first_seq, speech),
        last=_counted(day.last_seq, speech),
        stored=speech.number(day.stored_count),
        missing=speech.number(day.missing_count),
        doubled=speech.number(day.doubled_count),
        late=speech.number(day.late_count),
        quarantined=speech.number(day.quarantined_count),
        is_whole=not day.missing_count,
    )


def outbox_view(proof: Completeness, speech: Speech) -> OutboxView:
    """The proof for one outbox."""
    holes = proof.missing
    further = len(holes) - HOLES_MAX
    return OutboxView(
        outbox=str(proof.outbox_id),
        first=speech.number(proof.first_seq),
        last=speech.number(proof.last_seq),
        announced=speech.number(proof.announced_seq),
        stored=speech.number(proof.stored_count),
        quarantined=speech.number(proof.quarantined_count),
        doubled=speech.number(proof.doubled_count),
        late=speech.number(proof.late_count),
        missing=speech.number(proof.missing_count),
        is_whole=not holes,
        holes=tuple(numbers_text(each, speech) for each in holes[:HOLES_MAX]),
        more_holes=speech.number(further) if further > 0 else None,
        first_received=speech.time_and_date(proof.first_received_at),
        last_received=speech.time_and_date(proof.last_received_at),
    )


def older_days_url(page: DayPage, path: str) -> str | None:
    """Where the list of days goes on."""
    if page.next is None:
        return None
    place = {"day": page.next.day.isoformat(), "stream": page.next.stream_id}
    return f"{path}?{urlencode(place)}"


def numbers_text(numbers: SeqRange, speech: Speech) -> str:
    """Numbers as a person reads them."""
    if numbers.first == numbers.last:
        return speech.number(numbers.first)
    return f"{speech.number(numbers.first)}…{speech.number(numbers.last)}"


def _state(device: DeviceHealth, *, now: datetime) -> str:
    """One of ``disabled``, ``never``, ``silent`` and ``alive``."""
    if not device.enabled:
        return "disabled"
    if device.heard_at is None:
        return "never"
    if device.is_silent or now - device.heard_at > SILENT_AFTER:
        return "silent"
    return "alive"


def _read_rate(device: DeviceHealth, speech: Speech) -> FigureView:
    rate = device.read_rate
    if rate is None:
        return FigureView(text=None)
    return FigureView(text=speech.percent(rate), is_bad=rate < READ_RATE_WARN_BELOW)


def _figures(device: DeviceHealth, speech: Speech) -> dict[str, FigureView]:
    """What the newest heartbeat says."""
    heartbeat = device.heartbeat
    if heartbeat is None:
        nothing = FigureView(text=None)
        return dict.fromkeys(("frames", "queue", "clock_error", "temperature"), nothing)
    heat = heartbeat.temperature_celsius
    fps = sum(camera.analysed_fps for camera in heartbeat.cameras)
    return {
        "frames": FigureView(text=_rounded(fps, speech) if heartbeat.cameras else None),
        "queue": FigureView(
            text=speech.number(heartbeat.outbox_events), is_bad=heartbeat.outbox_events > 0
        ),
        "clock_error": FigureView(
            text=_milliseconds(heartbeat.clock_error_ms, speech),
            is_bad=heartbeat.clock_error_ms > CLOCK_ERROR_WARN_MS,
        ),
        "temperature": FigureView(
            text=_degrees(heat, speech), is_bad=heat is not None and heat > TEMPERATURE_WARN_CELSIUS
        ),
    }


def _cameras(
    device: DeviceHealth,
    names: Mapping[tuple[str, str], str],
    speech: Speech,
    *,
    is_alive: bool,
) -> Iterator[CameraView]:
    for camera in device.heartbeat.cameras if device.heartbeat else ():
        tone, icon = LOOKS[camera.state.value] if is_alive else ("warn", "unknown")
        captured, analysed = (
            _rounded(rate, speech) for rate in (camera.captured_fps, camera.analysed_fps)
        )
        yield CameraView(
            id=camera.camera_id,
            name=names.get((device.site_id, camera.camera_id), camera.camera_id),
            state=camera.state.value,
            tone=tone,
            icon=icon,
            figures=f"{analysed} / {captured}",
        )


def _readers(device: DeviceHealth, speech: Speech, *, is_alive: bool) -> Iterator[CameraView]:
    for reader in device.heartbeat.readers if device.heartbeat else ():
        is_running = is_alive and reader.state.value == "running"
        yield CameraView(
            id=reader.reader_id,
            name=reader.reader_id,
            state=reader.state.value,
            tone="ok" if is_running else "warn",
            icon="device" if is_running else "warning",
            figures=speech.number(reader.tag_reads),
        )


def _counted(value: int | None, speech: Speech) -> str | None:
    return None if value is None else speech.number(value)


def _rounded(value: float | None, speech: Speech) -> str | None:
    return None if value is None else speech.number(round(value, 1))


def _milliseconds(value: int | None, speech: Speech) -> str | None:
    return None if value is None else f"{speech.number(value)} ms"


def _degrees(value: float | None, speech: Speech) -> str | None:
    return None if value is None else f"{speech.number(round(value, 1))} °C"
