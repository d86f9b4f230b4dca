# SPDX-License-Identifier: AGPL-3.0-or-later
"""PyAV behind one door: opening, decoding, and its errors as ours."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import av.error
import numpy as np

from edge.errors import SourceEmptyError, SourceUnreadableError
from models.runtime.values import BgrImage

if TYPE_CHECKING:
    from fractions import Fraction

DEFAULT_FRAMES_PER_S: Final = 25.0
MAX_DAMAGED_IN_A_ROW: Final = 500
QUARTER_TURN_DEGREES: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedFrame:
    """One frame before its pixels are converted.

    Attributes:
        index: Number in the source, from 0.
        offset_s: Time since the first frame, in seconds, never falling.
        picture: The library's frame, which has no types.
    """

    index: int
    offset_s: float
    picture: Any

    def to_bgr(self) -> BgrImage:
        """Pixels as ``(height, width, 3)``, turned the way the camera was held."""
        image: BgrImage = self.picture.to_ndarray(format="bgr24")
        turns = round(getattr(self.picture, "rotation", 0) / QUARTER_TURN_DEGREES) % 4
        return image if turns == 0 else np.ascontiguousarray(np.rot90(image, k=turns))


class Decoder:
    """The video of one container, frame by frame, on one thread."""

    def __init__(
        self,
        container: Any,  # noqa: ANN401 - PyAV has no types
        *,
        name: str,
        silence_max_s: float | None = None,
    ) -> None:
        """Take over an open container; it is closed with the decoder.

        Args:
            container: PyAV input container.
            name: What messages call the source; no password in it.
            silence_max_s: Longest wait for a packet; ``None`` for a file, which never waits.

        Raises:
            SourceEmptyError: There is no video in it.
            SourceUnreadableError: The codec is unknown to this build.
        """
        self._container = container
        self._name = name
        self._silence_max_s = silence_max_s
        self.damaged = 0
        if not container.streams.video:
            container.close()
            raise SourceEmptyError(source=name, what="video")
        self._stream = container.streams.video[0]
        if self._stream.codec_context is None:
            container.close()
            raise SourceUnreadableError(source=name, reason="its video codec is unknown")
        # One thread: cameras share few cores, and decoding must not starve analysis.
        self._stream.codec_context.thread_count = 1

    @property
    def frame_count(self) -> int | None:
        """Frames that the container claims to hold; ``None`` when it does not say."""
        count = int(self._stream.frames or 0)
        return count or None

    @property
    def frames_per_s(self) -> float:
        """Average rate; a common one where the container does not say."""
        rate = self._stream.average_rate or self._stream.base_rate
        return float(rate) if rate else DEFAULT_FRAMES_PER_S

    def close(self) -> None:
        """Close the container; a second call does nothing."""
        self._container.close()

    def frames(self) -> Iterator[DecodedFrame]:
        """Decode until the end.

        Raises:
            av.error.FFmpegError: The container can't be read on; what that means is for the
                caller to say.
            SourceUnreadableError: Nothing but damage comes.
            TimeoutError: No packet came for too long.
        """
        index = 0
        offset_s = 0.0
        damaged_in_a_row = 0
        for packet in self._packets():
            try:
                pictures = packet.decode()
            except (av.error.InvalidDataError, av.error.BugError):
                self.damaged += 1
                damaged_in_a_row += 1
                if damaged_in_a_row > MAX_DAMAGED_IN_A_ROW:
                    raise SourceUnreadableError(
                        source=self._name, reason=f"its frames are damaged from {index} on"
                    ) from None
                continue
            for picture in pictures:
                damaged_in_a_row = 0
                offset_s = max(offset_s, self._offset_s(picture.pts, index))
                yield DecodedFrame(index=index, offset_s=offset_s, picture=picture)
                index += 1

    def _packets(self) -> Iterator[Any]:
        """Packets as they come.

        When its own time is over the library first gives out what it had put by, and waits as
        long again for the next packet: such a packet is late, and the source is silent.
        """
        asked_s = time.monotonic()
        for packet in self._container.demux(self._stream):
            waited_s = time.monotonic() - asked_s
            if self._silence_max_s is not None and waited_s >= self._silence_max_s:
                raise TimeoutError
            yield packet
            asked_s = time.monotonic()

    def _offset_s(self, pts: int | None, index: int) -> float:
        time_base: Fraction | None = self._stream.time_base
        if pts is None or time_base is None:
            return index / self.frames_per_s
        return float((pts - (self._stream.start_time or 0)) * time_base)


def reason_of(error: Exception) -> str:
    """What went wrong, in words for the engineer at the camera."""
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror else type(error).__name__


_REASONS: Final = (
    (av.error.InvalidDataError, "it is no recording, or it is damaged"),
    (av.error.DecoderNotFoundError, "its video codec is unknown"),
    (av.error.ProtocolNotFoundError, "this kind of address is unknown"),
    (av.error.HTTPUnauthorizedError, "it wants another user or password"),
    (av.error.HTTPForbiddenError, "it forbids the access"),
    (av.error.HTTPNotFoundError, "it has no such path"),
    (av.error.ExitError, "it does not answer in time"),
    (av.error.EOFError, "it stopped sending"),
    (PermissionError, "the access is forbidden"),
    (TimeoutError, "it does not answer in time"),
)
