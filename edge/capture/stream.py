# SPDX-License-Identifier: AGPL-3.0-or-later
"""A camera on the network as a source: RTSP or HTTP, newest frame wins.

One object is one connection. It ends with an error when the camera is silent for too long;
connecting again is for the capture loop.
"""

import errno
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import av
import av.error

from edge.capture.decoding import Decoder, reason_of
from edge.capture.types import SourceKind, SourceRules
from edge.errors import CaptureError, StreamLostError, without_password
from edge.stages import Frame

OPEN_TIMEOUT_S: Final = 6.0
READ_TIMEOUT_S: Final = 6.0
"""Silence after which a camera counts as lost. Lower finds a dead camera sooner and gives up on
slow links; both stay below the ten seconds in which a device must stop."""
STREAM_SCHEMES: Final = frozenset({"rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp"})
_OPTIONS: Final = {"rtsp_transport": "tcp", "fflags": "nobuffer", "max_delay": "500000"}


class CameraStream:
    """Frames of one connection to a camera."""

    def __init__(self, address: str, *, rules: SourceRules, clock: Callable[[], datetime]) -> None:
        """Connect.

        Args:
            address: RTSP or HTTP address, may hold user and password.
            rules: How to read.
            clock: Gives aware UTC time; a frame gets the time at which it arrives.

        Raises:
            StreamLostError: The camera does not answer, or refuses.
            SourceEmptyError: There is no video.
        """
        self._address = address
        self._rules = rules
        self._clock = clock
        name = f"camera {without_password(address)}"
        self._decoder = Decoder(_connected(address), name=name, silence_max_s=READ_TIMEOUT_S)

    @property
    def kind(self) -> SourceKind:
        """A stream."""
        return SourceKind.STREAM

    @property
    def frame_count(self) -> int | None:
        """Nobody knows."""
        return None

    @property
    def unreadable(self) -> int:
        """Packets that could not be decoded so far."""
        return self._decoder.damaged

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, at most ``max_fps`` of them a second.

        Raises:
            StreamLostError: The camera stopped, or the connection broke.
        """
        try:
            yield from self._paced_frames()
        except (av.error.FFmpegError, TimeoutError) as error:
            reason = _reason(error, waited_s=0.0)
        except CaptureError:
            reason = "only damage comes"
        else:
            reason = "it stopped sending"
        # Outside the handler: the library's error names the address with its password.
        raise StreamLostError(address=self._address, reason=reason)

    def close(self) -> None:
        """Hang up."""
        self._decoder.close()

    def _paced_frames(self) -> Iterator[Frame]:
        shortest_gap_s = 1.0 / self._rules.max_fps
        due_s = 0.0
        for decoded in self._decoder.frames():
            now_s = time.monotonic()
            if decoded.index % self._rules.every or now_s < due_s:
                continue
            # Counting on from the due time keeps the rate; after a pause it starts anew.
            due_s = max(due_s + shortest_gap_s, now_s)
            yield Frame(
                camera_id=self._rules.camera_id,
                index=decoded.index,
                captured_at=self._clock(),
                image=decoded.to_bgr(),
            )


def is_stream(source: str) -> bool:
    """Whether a source is an address of a camera, and no file or folder."""
    scheme, separator, _ = source.partition("://")
    return bool(separator) and scheme.lower() in STREAM_SCHEMES


def _connected(address: str) -> Any:  # noqa: ANN401 - PyAV has no types
    """An open container; raises ``StreamLostError``."""
    scheme, separator, rest = address.partition("://")
    scheme = scheme.lower()  # the library knows "rtsp" only, a person may write "RTSP"
    options = _OPTIONS if scheme.startswith("rtsp") else {}
    started_s = time.monotonic()
    try:
        return av.open(
            f"{scheme}{separator}{rest}",
            options=options,
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = _reason(error, waited_s=time.monotonic() - started_s)
    # Outside the handler: the library's error names the address with its password, and would
    # be shown with ours as its cause.
    raise StreamLostError(address=address, reason=reason)


def _reason(error: Exception, *, waited_s: float) -> str:
    """What went wrong; the library calls some silences and some losses damage."""
    if waited_s >= OPEN_TIMEOUT_S:
        return "it does not answer in time"
    if getattr(error, "errno", None) == errno.EIO:
        return "the connection broke"
    return reason_of(error)
