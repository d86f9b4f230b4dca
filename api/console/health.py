# SPDX-License-Identifier: AGPL-3.0-or-later
"""The overview: passages today, and how every device and camera is, the worst first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from api.console.views import count_text
from api.pages.i18n import Speech
from central.completeness.explaining import SILENT_AFTER
from central.contracts.heartbeat import CameraState
from central.passages.types import PassageCount
from central.sites.types import Camera, DeviceOverview

ALIVE: Final = "alive"
LOOKS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "silent": ("bad", "warning"),
        "disabled": ("warn", "pause"),
        "never": ("warn", "unknown"),
        ALIVE: ("ok", "device"),
        CameraState.FAILED.value: ("bad", "warning"),
        CameraState.STALLED.value: ("bad", "warning"),
        CameraState.STARTING.value: ("warn", "clock"),
        CameraState.FINISHED.value: ("warn", "pause"),
        CameraState.RUNNING.value: ("ok", "camera"),
    }
)
"""Tone and icon by state."""

_ORDER: Final = ("bad", "warn", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """A camera in the overview, or a device that has told of no camera.

    Attributes:
        seen: How long ago its device was heard of; ``None`` for never.
        waiting: Events that wait in the device; ``None`` for none.
        lost: Numbers of its device that are lost; ``None`` for none.
    """

    name: str
    url: str
    state: str
    tone: str
    icon: str
    seen: str | None
    waiting: str | None
    lost: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """How the province is at this moment.

    Attributes:
        open_incidents: How many go on; ``None`` for none.
    """

    passages_today: str
    health: tuple[HealthView, ...]
    devices_alive: int
    devices_total: int
    cameras_running: int
    cameras_total: int
    open_incidents: str | None


def overview_view(
    *,
    devices: Sequence[DeviceOverview],
    cameras: Sequence[Camera],
    today: PassageCount,
    open_incidents: int,
    speech: Speech,
    now: datetime,
) -> OverviewView:
    """How the province is; what needs somebody comes first."""
    names = {(camera.site_id, camera.id): camera.name for camera in cameras}
    views = [
        view
        for device in devices
        for view in device_views(device, names=names, speech=speech, now=now)
    ]
    states = [device_state(device, now=now) for device in devices]
    return OverviewView(
        passages_today=count_text(today, speech),
        health=tuple(sorted(views, key=lambda view: (_ORDER.index(view.tone), view.name))),
        devices_alive=states.count(ALIVE),
        devices_total=len(devices),
        cameras_running=sum(view.state == CameraState.RUNNING for view in views),
        cameras_total=max(len(cameras), _told_of(devices)),
        open_incidents=speech.number(open_incidents) if open_incidents else None,
    )


def device_state(device: DeviceOverview, *, now: datetime) -> str:
    """One of ``disabled``, ``never``, ``silent`` and ``alive``."""
    if not device.enabled:
        return "disabled"
    if device.last_heartbeat_at is None:
        return "never"
    if device.is_silent or now - device.last_heartbeat_at > SILENT_AFTER:
        return "silent"
    return ALIVE


def device_views(
    device: DeviceOverview,
    *,
    names: Mapping[tuple[str, str], str],
    speech: Speech,
    now: datetime,
) -> Iterator[HealthView]:
    """One view per camera of a device; the device itself when it told of none."""
    state = device_state(device, now=now)
    heard_at = device.last_heartbeat_at
    seen = speech.ago(now - heard_at) if heard_at is not None else None
    waiting = speech.number(device.outbox_events) if device.outbox_events else None
    lost = speech.number(device.lost_numbers) if device.lost_numbers else None
    shown: Iterable[tuple[str, str, str]] = [
        (
            names.get((device.site_id, camera.camera_id), camera.camera_id),
            f"{device.site_id}/{camera.camera_id}",
            camera.state.value if state == ALIVE else state,
        )
        for camera in device.cameras
    ] or [(device.id, device.site_id, state)]
    for name, place, shown_state in shown:
        tone, icon = LOOKS[shown_state] if lost is None else ("bad", "warning")
        yield HealthView(
            name=f"{device.site_name} · {name}",
            url=f"/console/passages?place={place}",
            state=shown_state,
            tone=tone,
            icon=icon,
            seen=seen,
            waiting=waiting,
            lost=lost,
        )


def _told_of(devices: Iterable[DeviceOverview]) -> int:
    """How many cameras the devices told of."""
    return sum(len(device.cameras) for device in devices)
