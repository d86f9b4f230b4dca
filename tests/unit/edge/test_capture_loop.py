# SPDX-License-Identifier: AGPL-3.0-or-later
"""Frames wait in bounded places; live cameras lose old frames, recordings none."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

from central.contracts.heartbeat import CameraState
from edge.capture.loop import CaptureLoop, LoopRules, Pace
from edge.capture.mailbox import WAITING_FRAMES_MAX, CameraEnded, Mailbox
from edge.capture.opening import open_source
from edge.capture.types import FrameSource, SourceEnd, SourceKind, SourceRules
from edge.errors import StreamLostError
from edge.stages import Frame
from tests.unit.edge.makers import NOW, image, write_video


def frame(index: int, camera_id: str = "cam-01") -> Frame:
    return Frame(
        camera_id=camera_id,
        index=index,
        captured_at=NOW + timedelta(seconds=index),
        image=image(),
    )


def taken_index(mailbox: Mailbox) -> int:
    taken = mailbox.take(timeout_s=5)
    assert isinstance(taken, Frame)
    return taken.index


class FlakyCamera:
    """A live source that gives a few frames and is lost, again and again."""

    def __init__(self, frames_per_life: int) -> None:
        self._frames_per_life = frames_per_life

    @property
    def kind(self) -> SourceKind:
        return SourceKind.STREAM

    @property
    def frame_count(self) -> int | None:
        return None

    @property
    def unreadable(self) -> int:
        return 0

    def frames(self) -> Iterator[Frame]:
        yield from (frame(index) for index in range(self._frames_per_life))
        raise StreamLostError(address="rtsp://user:hush@camera/1", reason="it stopped sending")

    def close(self) -> None:
        pass


def loop(
    opener: Callable[[], FrameSource], mailbox: Mailbox, *, attempts_max: int | None = None
) -> CaptureLoop:
    return CaptureLoop(
        opener,
        mailbox=mailbox,
        rules=LoopRules(camera_id="cam-01", pace=Pace.FAST, attempts_max=attempts_max),
        rng=random.Random(1),  # noqa: S311 - jitter
    )


def test_the_newest_frame_of_a_live_camera_replaces_the_waiting_one() -> None:
    mailbox = Mailbox()
    mailbox.add_camera("cam-01")

    replaced = [mailbox.put_newest(frame(index)) for index in range(3)]

    assert replaced == [0, 1, 1]
    assert taken_index(mailbox) == 2
    assert mailbox.take(timeout_s=0) is None


def test_a_camera_that_is_back_before_its_pause_was_noticed_was_away_all_the_same() -> None:
    mailbox = Mailbox()
    mailbox.add_camera("cam-01")
    paused = CameraEnded(camera_id="cam-01", end=SourceEnd.PAUSED)
    mailbox.put_newest(frame(1))
    mailbox.end(paused)

    replaced = mailbox.put_newest(frame(2))

    assert replaced == 1
    assert mailbox.take(timeout_s=0) == paused
    assert taken_index(mailbox) == 2


def test_a_recording_waits_for_its_place() -> None:
    mailbox, stop = Mailbox(), Event()
    mailbox.add_camera("cam-01")
    for index in range(WAITING_FRAMES_MAX):
        assert mailbox.put_when_free(frame(index), stop=stop)
    putter = Thread(target=mailbox.put_when_free, args=(frame(99),), kwargs={"stop": stop})
    putter.start()

    first = taken_index(mailbox)
    putter.join(timeout=5)

    assert first == 0
    assert not putter.is_alive()
    assert [taken_index(mailbox) for _ in range(WAITING_FRAMES_MAX)][-1] == 99


def test_a_recording_that_waits_ends_when_told_to_stop() -> None:
    mailbox, stop = Mailbox(), Event()
    mailbox.add_camera("cam-01")
    for index in range(WAITING_FRAMES_MAX):
        mailbox.put_when_free(frame(index), stop=stop)
    stop.set()

    assert not mailbox.put_when_free(frame(99), stop=stop)


def test_cameras_are_taken_in_turn() -> None:
    mailbox, stop = Mailbox(), Event()
    for camera_id in ("cam-01", "cam-02"):
        mailbox.add_camera(camera_id)
        for index in range(2):
            mailbox.put_when_free(frame(index, camera_id), stop=stop)

    order = []
    for _ in range(4):
        taken = mailbox.take(timeout_s=1)
        assert isinstance(taken, Frame)
        order.append(taken.camera_id)

    assert order == ["cam-01", "cam-02", "cam-01", "cam-02"]


def test_a_recording_is_played_to_its_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=12)
    rules = SourceRules(camera_id="cam-01", started_at=NOW)
    mailbox = Mailbox()
    capture = loop(lambda: open_source(str(path), rules=rules, clock=lambda: NOW), mailbox)
    runner = Thread(target=capture.run, args=(Event(),))
    runner.start()

    indices = [taken_index(mailbox) for _ in range(12)]
    end = mailbox.take(timeout_s=5)
    runner.join(timeout=5)

    assert indices == list(range(12))
    assert end == CameraEnded(camera_id="cam-01", end=SourceEnd.COMPLETE)
    assert capture.status().state is CameraState.FINISHED
    assert capture.status().captured == 12


def test_a_lost_camera_is_connected_again_and_given_up_after_its_attempts() -> None:
    mailbox = Mailbox()
    opened: list[FlakyCamera] = []

    def open_camera() -> FlakyCamera:
        if len(opened) >= 2:
            raise StreamLostError(address="rtsp://user:hush@camera/1", reason="no answer")
        opened.append(FlakyCamera(3))
        return opened[-1]

    capture = loop(open_camera, mailbox, attempts_max=3)
    capture.run(Event())

    status = capture.status()
    assert len(opened) == 2
    assert status.captured == 6
    assert status.state is CameraState.FAILED
    assert status.problem == "camera rtsp://camera/1: no answer"


def test_a_camera_that_pauses_tells_so_that_vehicles_in_view_are_settled() -> None:
    mailbox, stop = Mailbox(), Event()
    runner = Thread(target=loop(lambda: FlakyCamera(1), mailbox).run, args=(stop,))
    runner.start()

    taken = [mailbox.take(timeout_s=5) for _ in range(2)]
    stop.set()
    runner.join(timeout=5)

    assert isinstance(taken[0], Frame)
    assert taken[1] == CameraEnded(camera_id="cam-01", end=SourceEnd.PAUSED)


def test_a_source_that_can_not_be_opened_ends_as_broken(tmp_path: Path) -> None:
    rules = SourceRules(camera_id="cam-01", started_at=NOW)
    mailbox = Mailbox()
    capture = loop(
        lambda: open_source(str(tmp_path / "no.mp4"), rules=rules, clock=lambda: NOW), mailbox
    )

    capture.run(Event())

    assert mailbox.take(timeout_s=1) == CameraEnded(camera_id="cam-01", end=SourceEnd.BROKEN)
    assert capture.status().problem == (f"there is no file or folder {tmp_path / 'no.mp4'}")
