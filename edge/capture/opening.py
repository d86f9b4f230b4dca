# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns what a user calls a source into the source that it is."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge.capture.pictures import PictureFolder
from edge.capture.recording import Recording
from edge.capture.stream import CameraStream, is_stream
from edge.capture.types import FrameSource, SourceRules
from edge.errors import SourceMissingError, SourceUnreadableError


def open_source(source: str, *, rules: SourceRules, clock: Callable[[], datetime]) -> FrameSource:
    """Open a video file, a folder of pictures, or a camera.

    Args:
        source: Path, or address with ``rtsp://``, ``http://`` and the like.
        rules: How to read it.
        clock: Gives aware UTC time to frames of a camera.

    Raises:
        CaptureError: The source is missing, unreadable, empty, or does not answer.
    """
    if is_stream(source):
        return CameraStream(source, rules=rules, clock=clock)
    if "://" in source:
        raise SourceUnreadableError(
            source=source.partition("://")[0] + "://…", reason="this kind of address is unknown"
        )
    path = Path(source)
    if path.is_dir():
        return PictureFolder(path, rules=rules)
    return Recording(path, rules=rules)


def file_time(source: str) -> datetime:
    """When a file or folder was last written, in UTC: the best guess at when it was recorded.

    Raises:
        SourceMissingError: There is no such file or folder.
    """
    path = Path(source)
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    except OSError as error:
        raise SourceMissingError(path) from error
