# SPDX-License-Identifier: AGPL-3.0-or-later
"""A folder of pictures as a source, in the natural order of their names."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from edge.capture.types import SourceKind, SourceRules
from edge.errors import SourceEmptyError, SourceMissingError, SourceUnreadableError
from edge.stages import Frame
from models.errors import PictureUnreadableError
from models.reading.picture_files import PICTURE_SUFFIXES, read_picture
from models.reading.picture_paths import natural_order

MAX_PICTURES: Final = 1_000_000
SECONDS_BETWEEN_SINGLE_PICTURES: Final = 1.0

log = structlog.get_logger(__name__)


class PictureFolder:
    """Pictures of one folder; one that can't be read is counted and passed over."""

    def __init__(self, folder: Path, *, rules: SourceRules) -> None:
        """List the folder.

        Raises:
            SourceMissingError: There is no such folder.
            SourceUnreadableError: It may not be read, or holds too many pictures.
            SourceEmptyError: It holds no picture.
        """
        if not folder.is_dir():
            raise SourceMissingError(folder)
        try:
            self._paths = _pictures_in(folder)
        except OSError as error:
            raise SourceUnreadableError(
                source=folder.name, reason=error.strerror or "no access"
            ) from error
        if not self._paths:
            raise SourceEmptyError(source=folder.name, what="picture")
        if len(self._paths) > MAX_PICTURES:
            raise SourceUnreadableError(
                source=folder.name, reason=f"it holds more than {MAX_PICTURES} pictures"
            )
        self._rules = rules
        self._folder = folder
        self._unreadable = 0

    @property
    def kind(self) -> SourceKind:
        """Single pictures, or a recording when their rate is known."""
        return SourceKind.RECORDING if self._rules.pictures_per_s else SourceKind.PICTURES

    @property
    def frame_count(self) -> int | None:
        """Pictures in the folder, readable or not."""
        return len(self._paths)

    @property
    def unreadable(self) -> int:
        """Pictures passed over so far."""
        return self._unreadable

    def frames(self) -> Iterator[Frame]:
        """Every n-th picture.

        Raises:
            SourceEmptyError: Not one of them could be read.
        """
        step_s = SECONDS_BETWEEN_SINGLE_PICTURES
        if self._rules.pictures_per_s:
            step_s = 1.0 / self._rules.pictures_per_s
        given = 0
        for index in range(0, len(self._paths), self._rules.every):
            try:
                picture = read_picture(self._paths[index])
            except PictureUnreadableError as error:
                self._unreadable += 1
                # The name of a picture often is a plate: its place must do.
                log.warning("picture_unreadable", picture_index=index, reason=error.reason)
                continue
            given += 1
            yield Frame(
                camera_id=self._rules.camera_id,
                index=index,
                captured_at=self._rules.started_at + timedelta(seconds=index * step_s),
                image=picture.image,
            )
        if given == 0:
            raise SourceEmptyError(source=self._folder.name, what="picture that can be read")

    def close(self) -> None:
        """Nothing is held."""


def _pictures_in(folder: Path) -> list[Path]:
    pictures = (
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()
    )
    return sorted(pictures, key=lambda path: natural_order(path.name))
