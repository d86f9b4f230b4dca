# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole device as a process: it stops in time, and waits rather than drops when it is full."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from central.contracts.event import ClockSource
from central.contracts.heartbeat import CameraState
from central.contracts.passage import Direction
from central.contracts.topics import Stream
from central.contracts.traffic_minute import TrafficMinuteV1
from edge.app.messages import Sender
from edge.app.minutes import MinuteCounter
from edge.app.plans import CameraPlan
from edge.app.uplink import Surroundings, Uplink
from edge.capture.loop import Pace
from edge.capture.types import SourceKind, SourceRules
from edge.errors import OutboxFullError
from edge.health.heartbeat import CameraReading
from edge.pipeline.detection import Region
from edge.settings import CameraMode, load_settings
from edge.stages import Passage
from tests.integration.edge.centre import wait_until
from tests.unit.edge.makers import BOOT_ID, NOW, message, picture, write_video

SITE = """
[device]
id = "gate-01"
site_id = "site-01"
province = "dak-lak"
secret_file = "secret"
[broker]
host = "127.0.0.1"
port = 9
use_tls = false
[outbox]
file_bytes_max = 1000000
[models]
workers = 1
[[cameras]]
id = "cam-01"
mode = "gate"
source = "clip.mp4"
[[cameras]]
id = "cam-02"
mode = "gate"
source = "rtsp://127.0.0.1:9/silent"
"""

PLAN = CameraPlan(
    camera_id="cam-01",
    mode=CameraMode.GATE,
    source="clip.mp4",
    kind=SourceKind.RECORDING,
    lane=None,
    region=Region(),
    rules=SourceRules(camera_id="cam-01", started_at=NOW),
    starts_when_opened=False,
    pace=Pace.FAST,
    attempts_max=None,
    clock_source=ClockSource.FILE,
    clock_error_ms=0,
)


def passage(size_bytes: int) -> Passage:
    return Passage(
        camera_id="cam-01",
        captured_at=NOW,
        first_seen_at=NOW,
        last_seen_at=NOW + timedelta(seconds=1),
        frame_index=3,
        frame_width_px=320,
        frame_height_px=240,
        direction=Direction.DOWN,
        vehicle_class=None,
        vehicle_confidence=None,
        vehicle_box_px=None,
        plate=None,
        plate_box_px=None,
        plate_frames=0,
        evidence=(picture(uuid4().bytes + b"x" * size_bytes),),
    )


def site(folder: Path) -> Path:
    (folder / "secret").write_text("hush")
    write_video(folder / "clip.mp4", frames=600, rate=10)
    path = folder / "site.toml"
    path.write_text(SITE)
    return path


def uplink(folder: Path) -> Uplink:
    return Uplink(
        load_settings(site(folder)),
        secret="hush",
        sender=Sender(device_id="gate-01", site_id="site-01", boot_id=BOOT_ID, models=()),
        around=Surroundings(clock=lambda: NOW, rng=random.Random(1), new_id=uuid4),  # noqa: S311
        cameras=list,
    )


def fill(link: Uplink) -> None:
    """Store events until not even a bare one fits."""
    for _ in range(5_000):
        link.outbox.put(message, (), now=NOW)


def test_the_minutes_of_a_camera_go_into_the_outbox_by_themselves(tmp_path: Path) -> None:
    live = replace(PLAN, clock_source=ClockSource.NTP)
    times = iter([NOW])
    reading = CameraReading(
        camera_id=live.camera_id,
        state=CameraState.RUNNING,
        captured=900,
        analysed=720,
        dropped=0,
        last_frame_s=0.1,
    )
    link = Uplink(
        load_settings(site(tmp_path)),
        secret="hush",
        sender=Sender(device_id="gate-01", site_id="site-01", boot_id=BOOT_ID, models=()),
        around=Surroundings(
            clock=lambda: next(times, NOW + timedelta(minutes=2)),
            rng=random.Random(1),  # noqa: S311
            new_id=uuid4,
        ),
        cameras=lambda: [reading],
        minutes=MinuteCounter([live], now=NOW),
    )

    link.start()
    wait_until(lambda: link.outbox.state().last_seq == 1)
    (told,) = link.outbox.pending(after_seq=0, limit=5)
    link.stop(limit_s=5)

    assert told.stream is Stream.TRAFFIC_MINUTE
    assert TrafficMinuteV1.from_json(told.payload).frames_analysed == 720


def test_a_full_outbox_holds_the_event_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    link = uplink(tmp_path)
    with pytest.raises(OutboxFullError):
        fill(link)
    stored = link.outbox.state().last_seq
    taker = Thread(target=link.take, args=(PLAN, passage(10)))

    taker.start()
    wait_until(taker.is_alive)
    link.outbox.acknowledge(outbox_id=link.outbox.outbox_id, up_to_seq=stored)
    taker.join(timeout=10)

    assert not taker.is_alive()
    assert link.outbox.state().last_seq == stored + 1
    link.stop(limit_s=5)


def test_a_full_outbox_at_the_stop_says_that_an_event_is_lost(tmp_path: Path) -> None:
    link = uplink(tmp_path)
    with pytest.raises(OutboxFullError):
        fill(link)

    link.expect_stop()
    with pytest.raises(OutboxFullError, match="no room for an event"):
        link.take(PLAN, passage(10))

    link.stop(limit_s=5)


@pytest.mark.vision
def test_a_device_whose_broker_and_camera_are_away_stops_within_ten_seconds(
    tmp_path: Path,
) -> None:
    arguments = [sys.executable, "-m", "edge", "run", "--config", str(site(tmp_path))]
    device = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    assert device.stderr is not None
    awaited = ("device_started", "broker_unavailable", "camera_lost")
    lines: list[str] = []
    for line in device.stderr:
        lines.append(line)
        if all(any(event in seen for seen in lines) for event in awaited):
            break

    started_s = time.monotonic()
    os.kill(device.pid, signal.SIGTERM)
    rest = device.communicate(timeout=30)[1]

    assert time.monotonic() - started_s < 10
    assert device.returncode == 0
    assert "device_stopped" in rest
    assert "hush" not in "".join(lines) + rest
