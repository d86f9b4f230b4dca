# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cameras that speak RTSP: good ones, ones that die and come back, and ones with a password."""

import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Final

import numpy as np
import pytest

from central.contracts.heartbeat import CameraState
from edge.capture.loop import CaptureLoop, LoopRules
from edge.capture.mailbox import CameraEnded, Mailbox
from edge.capture.opening import open_source
from edge.capture.stream import READ_TIMEOUT_S, CameraStream
from edge.capture.types import SourceEnd, SourceRules
from edge.errors import EXIT_INTERRUPTED, EXIT_SOURCE_BROKE, StreamLostError
from edge.stages import Frame
from models.datasets.synth.road.plan import demo_plan
from models.datasets.synth.scene import render_clip
from models.runtime.values import BgrImage
from tests.fixtures.rtsp_server import AuthScheme, Clip, Login, RtspServer, encode_clip
from tests.integration.edge.centre import wait_until
from tests.unit.edge.makers import NOW

RULES: Final = SourceRules(camera_id="cam-01", started_at=NOW, max_fps=60)
FRAMES_PER_S: Final = 25
STEPS: Final = 50
PATIENCE_S: Final = 3.0
RIGHT: Final = "Admin@123"
WRONG: Final = "hush@hush"
STANDING_PICTURES: Final = 24
"""A client looks at the first second or two of a stream only to learn what it is."""
DRIVING_PICTURES: Final = (16, 56)
ROAD: Final = demo_plan(vehicle_count=1, seed=20)
ROAD_FRAMES_PER_S: Final = 6
"""Slower than the road was drawn for, so that a busy machine sees every picture, too."""


def picture(step: int) -> BgrImage:
    """A bright block that moves to the right, so that a picture tells its own number."""
    image = np.full((240, 320, 3), 40, dtype=np.uint8)
    image[80:160, step * 5 : step * 5 + 40] = 220
    return image


def step_of(image: BgrImage) -> int:
    """The number of a picture."""
    columns = np.flatnonzero(image[120, :, 0] > 130)
    return round(float(columns[0]) / 5)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return encode_clip((picture(step) for step in range(STEPS)), frames_per_s=FRAMES_PER_S)


@pytest.fixture(scope="module")
def road() -> Clip:
    """A car that waits, and then passes a gate."""
    images = list(islice(render_clip(ROAD, rng=np.random.default_rng(1)), *DRIVING_PICTURES))
    return encode_clip([images[0]] * STANDING_PICTURES + images, frames_per_s=ROAD_FRAMES_PER_S)


@contextmanager
def connected(address: str) -> Iterator[CameraStream]:
    stream = CameraStream(address, rules=RULES, clock=lambda: datetime.now(UTC))
    try:
        yield stream
    finally:
        stream.close()


class Capture:
    """The capture loop of one camera in its own thread."""

    def __init__(self, address: str) -> None:
        self.mailbox = Mailbox()
        self.loop = CaptureLoop(
            partial(open_source, address, rules=RULES, clock=lambda: datetime.now(UTC)),
            mailbox=self.mailbox,
            rules=LoopRules(camera_id="cam-01"),
            rng=random.Random(1),  # noqa: S311 - jitter
        )
        self._stop = Event()
        self._thread = Thread(target=self.loop.run, args=(self._stop,))
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=READ_TIMEOUT_S + PATIENCE_S)
        assert not self._thread.is_alive()

    def wait_for(self, state: CameraState, *, captured: int = 0) -> None:
        wait_until(lambda: self._is(state, captured))

    def take_until(self, is_it: Callable[[Frame | CameraEnded | None], bool]) -> None:
        wait_until(lambda: is_it(self.mailbox.take(timeout_s=0.1)))

    def _is(self, state: CameraState, captured: int) -> bool:
        status = self.loop.status()
        return status.state is state and status.captured >= captured


@contextmanager
def capturing(address: str) -> Iterator[Capture]:
    capture = Capture(address)
    try:
        yield capture
    finally:
        capture.close()


def test_a_good_camera_gives_its_pictures_in_order_as_they_happen(clip: Clip) -> None:
    with RtspServer(clip) as camera:
        with connected(camera.address()) as stream:
            started_at = datetime.now(UTC)
            frames = list(islice(stream.frames(), 40))
        wait_until(lambda: camera.methods[-1] == "TEARDOWN")

    assert [frame.index for frame in frames] == list(range(40))
    assert all(frame.captured_at.tzinfo is UTC for frame in frames)
    assert all(earlier.captured_at < later.captured_at for earlier, later in pairwise(frames))
    assert frames[0].captured_at >= started_at
    steps = [step_of(frame.image) for frame in frames]
    assert steps == [(steps[0] + number) % STEPS for number in range(40)]
    assert camera.methods == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]


def test_an_address_may_be_written_in_capitals(clip: Clip) -> None:
    with RtspServer(clip) as camera:
        address = camera.address().replace("rtsp://", "RTSP://")
        with connected(address) as stream:
            first = next(stream.frames())

    assert first.index == 0


def test_analysis_that_is_slow_gets_the_newest_picture_and_the_others_are_counted(
    clip: Clip,
) -> None:
    with RtspServer(clip) as camera, capturing(camera.address()) as capture:
        wait_until(lambda: capture.loop.status().dropped >= 10)
        status = capture.loop.status()
        taken = capture.mailbox.take(timeout_s=1)

        assert isinstance(taken, Frame)
        assert taken.index >= status.captured - 1
        assert status.dropped == status.captured - 1
        assert (datetime.now(UTC) - taken.captured_at).total_seconds() < 1


def test_a_camera_that_dies_is_stalled_and_gives_pictures_again_when_it_is_back(
    clip: Clip,
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(RtspServer(clip))
        capture = stack.enter_context(capturing(first.address()))
        capture.wait_for(CameraState.RUNNING, captured=5)

        first.die()
        capture.wait_for(CameraState.STALLED)
        capture.take_until(
            lambda item: item == CameraEnded(camera_id="cam-01", end=SourceEnd.PAUSED)
        )
        wait_until(lambda: "Connection refused" in (capture.loop.status().problem or ""))
        captured = capture.loop.status().captured
        stack.enter_context(RtspServer(clip, port=first.port))
        capture.wait_for(CameraState.RUNNING, captured=captured + 5)

        capture.take_until(lambda item: isinstance(item, Frame))
        assert capture.loop.status().problem is None


def test_a_camera_that_falls_silent_is_lost_in_time(clip: Clip) -> None:
    with RtspServer(clip) as camera, connected(camera.address()) as stream:
        frames = stream.frames()
        given = list(islice(frames, 5))
        camera.fall_silent()
        started_s = time.monotonic()

        with pytest.raises(StreamLostError, match="does not answer in time"):
            given.extend(frames)

        assert time.monotonic() - started_s < READ_TIMEOUT_S + PATIENCE_S
        assert len(given) >= 5


@pytest.mark.parametrize("scheme", list(AuthScheme))
@pytest.mark.parametrize("written", [RIGHT, "Admin%40123"])
def test_the_right_password_opens_a_camera(clip: Clip, scheme: AuthScheme, written: str) -> None:
    login = Login(user="admin", password=RIGHT, scheme=scheme)

    with (
        RtspServer(clip, login=login) as camera,
        connected(camera.address(f"admin:{written}")) as stream,
    ):
        frame = next(iter(stream.frames()))

    assert frame.image.shape == (240, 320, 3)
    assert camera.methods[:3] == ["OPTIONS", "DESCRIBE", "DESCRIBE"]


@pytest.mark.parametrize("scheme", list(AuthScheme))
def test_a_wrong_password_is_said_plainly_and_never_shown(clip: Clip, scheme: AuthScheme) -> None:
    login = Login(user="admin", password=RIGHT, scheme=scheme)

    with RtspServer(clip, login=login) as camera, pytest.raises(StreamLostError) as caught:
        open_source(camera.address(f"admin:{WRONG}"), rules=RULES, clock=lambda: datetime.now(UTC))

    shown = "".join(traceback.format_exception(caught.value))
    assert "it wants another user or password" in str(caught.value)
    assert WRONG not in shown
    assert caught.value.__context__ is None
    assert "PLAY" not in camera.methods


def test_the_loss_of_a_camera_never_shows_its_password(clip: Clip) -> None:
    login = Login(user="admin", password=RIGHT)

    with (
        RtspServer(clip, login=login) as camera,
        connected(camera.address(f"admin:{RIGHT}")) as stream,
    ):
        frames = stream.frames()
        next(frames)
        camera.die()
        with pytest.raises(StreamLostError) as caught:
            list(frames)

    assert RIGHT not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def replaying(address: str, events: Path) -> subprocess.Popen[str]:
    """The command of a device, as its user would start it."""
    arguments = ("-m", "edge", "replay", address, "--mode", "gate", "--events", str(events))
    return subprocess.Popen(
        (sys.executable, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def lines_of(events: Path) -> list[str]:
    return events.read_text().splitlines() if events.is_file() else []


@pytest.mark.vision
def test_a_car_before_a_camera_that_then_dies_is_a_passage(road: Clip, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    login = Login(user="admin", password=RIGHT)
    with RtspServer(road, login=login, rounds=1) as camera:
        device = replaying(camera.address(f"admin:{RIGHT}"), events)
        output, problems = device.communicate(timeout=40)

    assert device.returncode == EXIT_SOURCE_BROKE
    assert len(lines_of(events)) >= 1
    assert ROAD.vehicles[0].plate.text in events.read_text()
    assert "The source broke off: camera rtsp://127.0.0.1" in output
    assert RIGHT not in output + problems


@pytest.mark.vision
def test_an_interrupted_device_keeps_the_cars_of_its_camera(road: Clip, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    with RtspServer(road) as camera:
        device = replaying(camera.address(), events)
        wait_until(lambda: len(lines_of(events)) >= 1, limit_s=40)
        os.kill(device.pid, signal.SIGINT)
        output, _ = device.communicate(timeout=10)

    assert device.returncode == EXIT_INTERRUPTED
    assert "Interrupted: what was in view counts as passed." in output
