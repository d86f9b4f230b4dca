# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table that ``luuthong-models read`` writes: one line per plate, at once.

Lines are written as they come and never held back: whoever ends the work
early keeps all that was read.
"""

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from models.errors import PictureSourceError
from models.reading.picture_files import PICTURE_SUFFIXES
from models.reading.plates import FoundPlate, ReadPlate

SCENE_COLUMNS: Final = ("file", "x1", "y1", "x2", "y2", "text", "conf", "answered")
CROP_COLUMNS: Final = ("file", "text", "conf", "answered")
STANDARD_OUTPUT: Final = Path("-")
_CONFIDENCE_DECIMALS: Final = 4


class AnswerTable:
    """Writes lines of a CSV; a text that holds a comma or a quote is quoted."""

    def __init__(self, file: IO[str], *, columns: tuple[str, ...]) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")
        self._write(columns)

    def add_plates(self, picture: Path, plates: tuple[FoundPlate, ...]) -> None:
        """One line for every plate of a picture; boxes in whole pixels."""
        for found in plates:
            box = found.box_px
            corners = (round(value) for value in (box.x_min, box.y_min, box.x_max, box.y_max))
            self._write((str(picture), *corners, *_answer(found.plate)))
        self._file.flush()

    def add_crop(self, picture: Path, plate: ReadPlate) -> None:
        """One line for a picture of one plate."""
        self._write((str(picture), *_answer(plate)))
        self._file.flush()

    def _write(self, values: tuple[object, ...]) -> None:
        self._writer.writerow(values)


@contextmanager
def opened_table(path: Path, *, columns: tuple[str, ...]) -> Iterator[AnswerTable]:
    """Open a table for writing; what the file held before is gone.

    Names of files that are no UTF-8 keep their bytes.

    Args:
        path: File, or ``STANDARD_OUTPUT``.
        columns: First line.

    Raises:
        PictureSourceError: The file may not be written, or would replace a
            picture; or, later, that the disk is full.
    """
    if path == STANDARD_OUTPUT:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")
        yield AnswerTable(sys.stdout, columns=columns)
        return
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise PictureSourceError(f"{path} would replace a picture; name a file that ends in .csv")
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield AnswerTable(file, columns=columns)
    except OSError as error:
        reason = error.strerror or "no access"
        raise PictureSourceError(f"{path} can not be written: {reason.lower()}") from error


def _answer(plate: ReadPlate) -> tuple[str, str, int]:
    reading = plate.reading
    confidence = f"{reading.confidence:.{_CONFIDENCE_DECIMALS}f}"
    return reading.text, confidence, int(plate.is_answered)
