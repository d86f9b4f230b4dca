# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which picture files are meant by the files and folders that somebody names."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import PictureSourceError
from models.reading.picture_files import PICTURE_SUFFIXES

MAX_PICTURES: Final = 1_000_000
MAX_FOLDERS: Final = 200_000
_NUMBER: Final = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableFile:
    """A file or folder that was named or found, and why it can't be used."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureList:
    """Pictures to read.

    Attributes:
        pictures: Every file once, in the order of the names given; inside a
            folder by natural order. A path is the name that was given, joined
            with the names below it.
        unusable: What was named or found and can't be looked into.
        other_files: Files in the folders that have no picture's ending.
    """

    pictures: tuple[Path, ...]
    unusable: tuple[UnusableFile, ...]
    other_files: int


def find_pictures(named: Iterable[Path]) -> PictureList:
    """List pictures, folders with everything below them.

    A file that is named is taken whatever its ending; in a folder the ending
    decides. Hidden files and folders (a leading dot) are left out, and so is
    what is reached a second time by another name or through a link.

    Args:
        named: Files and folders.

    Raises:
        PictureSourceError: There are more than ``MAX_PICTURES`` pictures.
    """
    return _Listing().of(named)


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorting key that puts ``frame_2`` before ``frame_10``."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part.lower())
        for part in _NUMBER.split(name)
        if part
    )


class _Listing:
    """The work of one listing."""

    def __init__(self) -> None:
        self._pictures: list[Path] = []
        self._unusable: list[UnusableFile] = []
        self._other_files = 0
        self._seen: set[str] = set()

    def of(self, named: Iterable[Path]) -> PictureList:
        for path in named:
            if path.is_dir():
                self._take_folder(path)
            elif path.exists():
                self._take_picture(path)
            else:
                self._unusable.append(UnusableFile(path=path, reason="no such file or folder"))
        return PictureList(
            pictures=tuple(self._pictures),
            unusable=tuple(self._unusable),
            other_files=self._other_files,
        )

    def _take_folder(self, folder: Path) -> None:
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            if not self._is_new(current):
                continue
            if len(self._seen) > MAX_PICTURES + MAX_FOLDERS:
                raise PictureSourceError(f"more than {MAX_FOLDERS} folders; name fewer at once")
            folders = []
            for entry in self._entries(current):
                if entry.is_dir():
                    folders.append(entry)
                elif entry.suffix.lower() in PICTURE_SUFFIXES:
                    self._take_picture(entry)
                else:
                    self._other_files += 1
            waiting += reversed(folders)

    def _entries(self, folder: Path) -> Iterator[Path]:
        try:
            entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        except OSError as error:
            reason = error.strerror or "can not be opened"
            self._unusable.append(UnusableFile(path=folder, reason=reason.lower()))
            return
        yield from sorted(entries, key=lambda entry: natural_order(entry.name))

    def _take_picture(self, path: Path) -> None:
        if self._is_new(path):
            if len(self._pictures) >= MAX_PICTURES:
                raise PictureSourceError(f"more than {MAX_PICTURES} pictures; name fewer at once")
            self._pictures.append(path)

    def _is_new(self, path: Path) -> bool:
        """Whether no other name led here; links are followed to what they mean."""
        real = os.path.realpath(path)
        if real in self._seen:
            return False
        self._seen.add(real)
        return True
