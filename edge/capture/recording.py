# SPDX-License-Identifier: AGPL-3.0-or-later
"""A video file as a source: every frame in order, timed from the start of the recording."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import av
import av.error

from edge.capture.decoding import Decoder, reason_of
from edge.capture.types import SourceKind, SourceRules
from edge.errors import SourceEmptyError, SourceMissingError, SourceUnreadableError
from edge.stages import Frame

TOLERATED_MISSING_FRAMES: Final = 5
"""Containers often claim a few frames too many; higher hides recordings that were cut off."""


class Recording:
    """Frames of a video file."""

    def __init__(self, path: Path, *, rules: SourceRules) -> None:
        """Open the file.

        Raises:
            SourceMissingError: There is no such file.
            SourceUnreadableError: It is no recording, damaged, forbidden, or its codec unknown.
            SourceEmptyError: There is no video in it.
        """
        if not path.exists():
            raise SourceMissingError(path)
        self._path = path
        self._rules = rules
        if path.stat().st_size == 0:
            raise SourceUnreadableError(source=path.name, reason="the file is empty")
        try:
            container = av.open(str(path))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceUnreadableError(source=path.name, reason=reason_of(error)) from error
        self._decoder = Decoder(container, name=path.name)

    @property
    def kind(self) -> SourceKind:
        """A recording."""
        return SourceKind.RECORDING

    @property
    def frame_count(self) -> int | None:
        """What the container claims."""
        return self._decoder.frame_count

    @property
    def frames_per_s(self) -> float:
        """Average rate of the recording."""
        return self._decoder.frames_per_s

    @property
    def unreadable(self) -> int:
        """Packets that could not be decoded so far."""
        return self._decoder.damaged

    def frames(self) -> Iterator[Frame]:
        """Every n-th frame.

        Raises:
            SourceUnreadableError: The recording breaks off; frames given before are good.
            SourceEmptyError: Not one frame could be decoded.
        """
        decoded_count = 0
        try:
            for decoded in self._decoder.frames():
                decoded_count = decoded.index + 1
                if decoded.index % self._rules.every:
                    continue
                yield Frame(
                    camera_id=self._rules.camera_id,
                    index=decoded.index,
                    captured_at=self._rules.started_at + timedelta(seconds=decoded.offset_s),
                    image=decoded.to_bgr(),
                )
        except av.error.FFmpegError as error:
            raise SourceUnreadableError(
                source=self._path.name,
                reason=f"it breaks off after frame {decoded_count} ({reason_of(error)})",
            ) from error
        self._require_all(decoded_count)

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()

    def _require_all(self, decoded_count: int) -> None:
        if decoded_count == 0:
            raise SourceEmptyError(source=self._path.name, what="frame that can be decoded")
        claimed = self.frame_count
        if claimed is not None and decoded_count + TOLERATED_MISSING_FRAMES < claimed:
            raise SourceUnreadableError(
                source=self._path.name,
                reason=f"it breaks off after frame {decoded_count} of {claimed}",
            )
