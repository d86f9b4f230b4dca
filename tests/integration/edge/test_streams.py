# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cameras on the network that never answer, refuse, or stop: each is said plainly and in time."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from edge.capture.stream import OPEN_TIMEOUT_S, READ_TIMEOUT_S, CameraStream
from edge.capture.types import SourceRules
from edge.errors import SourceEmptyError, StreamLostError
from tests.unit.edge.makers import NOW, write_video

RULES = SourceRules(camera_id="cam-01", started_at=NOW, max_fps=60)
PATIENCE_S = 3.0


@contextmanager
def camera(content: bytes, *, hangs: bool) -> Iterator[str]:
    """A loopback camera that sends bytes over HTTP and then hangs, or hangs up."""
    released = Event()

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            if content:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + content)
            if hangs:
                released.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve, args=(server,))
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}/ch1"
        released.set()
        thread.join(timeout=5)


def connected(address: str) -> CameraStream:
    return CameraStream(address, rules=RULES, clock=lambda: datetime.now(UTC))


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_never_answers_is_given_up_in_time(scheme: str) -> None:
    with camera(b"", hangs=True) as place:
        started_s = time.monotonic()
        with pytest.raises(StreamLostError, match="does not answer in time") as caught:
            connected(f"{scheme}://user:hush@{place}")

        assert time.monotonic() - started_s < OPEN_TIMEOUT_S + PATIENCE_S
    assert "hush" not in str(caught.value)


def test_a_camera_that_is_not_there_is_said_plainly() -> None:
    with pytest.raises(StreamLostError, match="Connection refused"):
        connected("rtsp://127.0.0.1:9/ch1")


@pytest.mark.parametrize("hangs", [True, False])
def test_a_camera_that_stops_mid_way_gives_its_frames_and_is_lost(
    tmp_path: Path, *, hangs: bool
) -> None:
    content = write_video(tmp_path / "clip.ts", frames=60, rate=30, codec="mpeg2video").read_bytes()
    with camera(content, hangs=hangs) as place, ExitStack() as stack:
        stream = connected(f"http://{place}")
        stack.callback(stream.close)
        started_s = time.monotonic()
        given: list[int] = []

        with pytest.raises(StreamLostError, match=r"not answer in time|stopped|broke"):
            given.extend(frame.index for frame in stream.frames())

        assert given
        assert time.monotonic() - started_s < READ_TIMEOUT_S + PATIENCE_S


def test_an_answer_that_is_no_video_is_said_plainly() -> None:
    with (
        camera(b"this is no video " * 1_000, hangs=False) as place,
        pytest.raises((StreamLostError, SourceEmptyError)),
    ):
        connected(f"http://{place}")
