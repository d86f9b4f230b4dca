# SPDX-License-Identifier: AGPL-3.0-or-later
"""``read``: the plates of anybody's own pictures, as a table."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import cv2
import typer
from rich.console import Console

from models.commands.check import ModelsOption
from models.commands.options import BackendOption, ThreadsOption
from models.commands.terminal import EXIT_INTERRUPTED, progress_bar, say, stop_on_signals
from models.errors import PictureSourceError, PictureUnreadableError
from models.reading.answers import (
    CROP_COLUMNS,
    SCENE_COLUMNS,
    STANDARD_OUTPUT,
    AnswerTable,
    opened_table,
)
from models.reading.picture_files import read_picture
from models.reading.picture_paths import PictureList, find_pictures
from models.reading.plates import PictureReader
from models.runtime.values import Backend

EXIT_NOTHING_READ: Final = 1
_STANDARD_ERROR: Final = 2
_SHORTEST_S: Final = 1e-6


@dataclass(slots=True)
class Tally:
    """What became of the pictures so far."""

    read: int = 0
    bad: int = 0
    plates: int = 0
    answered: int = 0
    without_plate: int = 0
    cut: int = 0
    was_interrupted: bool = False


def read(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Pictures or folders.")],
    csv: Annotated[
        Path, typer.Option("--csv", help="Table to write; - is the standard output.")
    ] = STANDARD_OUTPUT,
    backend: BackendOption = Backend.AUTO,
    threads: ThreadsOption = 1,
    models: ModelsOption = None,
    *,
    crops: Annotated[
        bool, typer.Option("--crops", help="Every picture is one plate, cut out already.")
    ] = False,
) -> None:
    """Read the plates of pictures: one line per plate, boxes in pixels as displayed.

    With --crops one line per picture. answered is 0 where the text is only the
    best guess. Exit code 1 when no picture could be read, 130 when interrupted.
    """
    listed = find_pictures(paths)
    if not listed.pictures and not listed.unusable:
        raise PictureSourceError(f"no picture in {', '.join(map(str, paths))}")
    reader = PictureReader.open(backend=backend, threads=threads, folder=models)
    columns = CROP_COLUMNS if crops else SCENE_COLUMNS
    with _library_messages_dropped() as console, opened_table(csv, columns=columns) as table:
        work = _Work(reader=reader, table=table, console=console)
        started_s = time.monotonic()
        tally = work.run(listed, are_crops=crops)
        elapsed_s = time.monotonic() - started_s
        for line in _summary(tally, listed=listed, elapsed_s=elapsed_s):
            say(console, line)
    if tally.was_interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if tally.read == 0:
        raise typer.Exit(EXIT_NOTHING_READ)


class _Work:
    """Goes through the pictures, and stops between two of them when told to."""

    def __init__(self, *, reader: PictureReader, table: AnswerTable, console: Console) -> None:
        self._reader = reader
        self._table = table
        self._console = console

    def run(self, listed: PictureList, *, are_crops: bool) -> Tally:
        """Read every picture; what can't be read is told and passed over."""
        take = self._take_crop if are_crops else self._take_scene
        tally = Tally()
        with (
            stop_on_signals() as stop,
            progress_bar(self._console, total=len(listed.pictures)) as bar,
        ):
            task = bar.add_task("reading", total=len(listed.pictures))
            for unusable in listed.unusable:
                self._tell_bad(unusable.path, unusable.reason, tally)
            for path in listed.pictures:
                if stop.is_set():
                    tally.was_interrupted = True
                    break
                try:
                    take(path, tally)
                except PictureUnreadableError as error:
                    self._tell_bad(path, error.reason, tally)
                bar.advance(task)
        return tally

    def _take_scene(self, path: Path, tally: Tally) -> None:
        found = self._reader.plates(read_picture(path))
        plates = tuple(plate for plate in found if plate.is_of_use)
        tally.cut += len(found) - len(plates)
        self._table.add_plates(path, plates)
        tally.read += 1
        tally.without_plate += not plates
        tally.plates += len(plates)
        tally.answered += sum(each.plate.is_answered for each in plates)

    def _take_crop(self, path: Path, tally: Tally) -> None:
        (plate,) = self._reader.read([read_picture(path).image])
        self._table.add_crop(path, plate)
        tally.read += 1
        tally.plates += 1
        tally.answered += plate.is_answered

    def _tell_bad(self, path: Path, reason: str, tally: Tally) -> None:
        tally.bad += 1
        say(self._console, f"{path}: {reason}")


def _summary(tally: Tally, *, listed: PictureList, elapsed_s: float) -> list[str]:
    per_second = tally.read / max(elapsed_s, _SHORTEST_S)
    counts = f"{tally.plates} plates, {tally.answered} answered; {per_second:.1f} pictures/s"
    lines = [f"{tally.read} of {len(listed.pictures)} pictures read, {counts}"]
    notes = (
        ("could not be read", tally.bad),
        ("without a plate", tally.without_plate),
        ("unreadable plates cut by the picture's edge, left out", tally.cut),
        ("other files in the folders, left alone", listed.other_files),
    )
    lines += [f"{what}: {count}" for what, count in notes if count]
    if tally.was_interrupted:
        lines.append("interrupted; what was read before is kept")
    elif tally.read and not tally.plates:
        lines.append("if these are pictures of single plates, cut out already, use --crops")
    return lines


@contextmanager
def _library_messages_dropped() -> Iterator[Console]:
    """A console on the standard error, from which the decoders' own lines are kept away.

    libjpeg and libpng print about every damaged file straight to the
    descriptor, through a progress bar; our own line about the file says it.
    """
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    sys.stderr.flush()
    kept = os.dup(_STANDARD_ERROR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STANDARD_ERROR)
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8", errors="replace") as file:
            yield Console(file=file)
    finally:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
        os.close(nowhere)
        cv2.utils.logging.setLogLevel(level)
