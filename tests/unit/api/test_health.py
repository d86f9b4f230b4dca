# SPDX-License-Identifier: AGPL-3.0-or-later
"""The overview shows what needs somebody first, and never calls a dead device alive."""

from datetime import UTC, datetime, timedelta

import pytest

from api.console.health import device_state, overview_view
from api.console.parts import CATALOGUE_FOLDER
from api.pages.i18n import Language, load_speeches
from central.completeness.explaining import SILENT_AFTER
from central.contracts.heartbeat import CameraState
from central.passages.types import PassageCount
from central.sites.types import Camera, CameraStatus, DeviceOverview

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SPEECH = load_speeches(CATALOGUE_FOLDER)[Language.VI]


def _device(
    device_id: str = "gate-01",
    *,
    enabled: bool = True,
    heard_ago: timedelta | None = timedelta(seconds=4),
    is_silent: bool | None = False,
    waiting: int | None = 0,
    cameras: tuple[CameraStatus, ...] = (),
) -> DeviceOverview:
    return DeviceOverview(
        id=device_id,
        site_id="cau-gia-bay",
        site_name="Cầu Gia Bẩy",
        province="thai-nguyen",
        enabled=enabled,
        last_heartbeat_at=NOW - heard_ago if heard_ago is not None else None,
        is_silent=is_silent if heard_ago is not None else None,
        outbox_events=waiting,
        clock_error_ms=5,
        cameras=cameras,
    )


def _camera(camera_id: str, state: CameraState) -> CameraStatus:
    return CameraStatus(camera_id=camera_id, state=state, analysed_fps=12.0, last_frame_age_s=0.1)


@pytest.mark.parametrize(
    ("device", "state"),
    [
        (_device(), "alive"),
        (_device(is_silent=True), "silent"),
        (_device(heard_ago=SILENT_AFTER), "alive"),
        # Nobody marked it, perhaps because the jobs are dead: still it is silent.
        (_device(heard_ago=SILENT_AFTER + timedelta(seconds=1)), "silent"),
        (_device(heard_ago=None), "never"),
        (_device(enabled=False), "disabled"),
    ],
)
def test_a_device_is_alive_only_when_it_was_just_heard(device: DeviceOverview, state: str) -> None:
    assert device_state(device, now=NOW) == state


def test_what_needs_somebody_comes_first_with_its_own_name() -> None:
    cameras = (
        _camera("in", CameraState.RUNNING),
        _camera("out", CameraState.STALLED),
        _camera("side", CameraState.STARTING),
    )

    view = overview_view(
        devices=[_device(cameras=cameras, waiting=1200)],
        cameras=[
            Camera(site_id="cau-gia-bay", id="in", name="Làn vào"),
            Camera(site_id="cau-gia-bay", id="out", name="Làn ra"),
            Camera(site_id="cau-gia-bay", id="side", name="Đường gom"),
        ],
        today=PassageCount(count=10_000, is_at_least=True),
        open_incidents=0,
        speech=SPEECH,
        now=NOW,
    )

    assert [each.name for each in view.health] == [
        "Cầu Gia Bẩy · Làn ra",
        "Cầu Gia Bẩy · Đường gom",
        "Cầu Gia Bẩy · Làn vào",
    ]
    assert [each.tone for each in view.health] == ["bad", "warn", "ok"]
    assert view.health[0].waiting == "1.200"
    assert (view.cameras_running, view.cameras_total) == (1, 3)
    assert view.passages_today == "10.000+"


def test_cameras_of_a_silent_device_are_not_called_running() -> None:
    device = _device(is_silent=True, cameras=(_camera("in", CameraState.RUNNING),))

    view = overview_view(
        devices=[device],
        cameras=[],
        today=PassageCount(count=0, is_at_least=False),
        open_incidents=0,
        speech=SPEECH,
        now=NOW,
    )

    assert view.health[0].state == "silent"
    assert (view.devices_alive, view.devices_total) == (0, 1)
    assert (view.cameras_running, view.cameras_total) == (0, 1)


def test_a_device_without_cameras_is_shown_itself() -> None:
    view = overview_view(
        devices=[_device("gate-02", heard_ago=None)],
        cameras=[],
        today=PassageCount(count=0, is_at_least=False),
        open_incidents=0,
        speech=SPEECH,
        now=NOW,
    )

    assert view.health[0].name == "Cầu Gia Bẩy · gate-02"
    assert view.health[0].seen is None
