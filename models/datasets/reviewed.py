# SPDX-License-Identifier: AGPL-3.0-or-later
"""Crops of production that a person has read: the way back into training, and out of it.

A crop is personal data and belongs to its passage: when the passage is
erased, the crop leaves the training data too. So every line says from which
day on its crop may not be used, such a line is never handed out, and
:func:`purge_reviewed` deletes its picture. The folder's format is described
in ``deploy/docs/training-data.md``.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

from models.errors import DatasetError
from models.runtime.grammar import is_legal_plate
from models.runtime.values import PlateColour, PlateLayout

LABELS_FILE: Final = "labels.csv"
CROPS_FOLDER: Final = "crops"
REQUIRED_COLUMNS: Final = ("file", "text", "lines", "source", "reviewed_on", "expires_on")
OPTIONAL_COLUMNS: Final = ("colour", "passage_id")
MAX_ROWS: Final = 1_000_000
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LAYOUTS: Final = {"1": PlateLayout.ONE_LINE, "2": PlateLayout.TWO_LINE}

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedCrop:
    """A crop that a person has read.

    Attributes:
        path: The picture.
        text: Legal plate text, upper case without separators, top line first.
        layout: Number of lines.
        colour: Background; ``None`` when nobody said.
        source: Camera or site; whole sources can be held out.
        reviewed_on: Day on which a person read it.
        passage_id: Passage that it was cut from; ``None`` for pictures that a
            department gave.
        expires_on: First day on which it may not be used any more: the day on
            which its passage's pictures are erased.
    """

    path: Path
    text: str
    layout: PlateLayout
    colour: PlateColour | None
    source: str
    reviewed_on: date
    passage_id: UUID | None
    expires_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedFolder:
    """A folder of reviewed crops as it stands on one day.

    Attributes:
        crops: What may be used, in the order of the lines.
        expired: Lines whose day has passed; they are passed over.
        problems: Lines and pictures that are not as the format says, a
            sentence each; they are passed over too. No sentence holds a plate's text.
    """

    crops: tuple[ReviewedCrop, ...]
    expired: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What a purge did.

    Attributes:
        lines: Lines taken out of the table.
        pictures: Pictures deleted.
        unreadable: Lines that state no day and so were left.
    """

    lines: int
    pictures: int
    unreadable: int


def read_reviewed(folder: Path, *, today: date) -> ReviewedFolder:
    """Read a folder of reviewed crops; what has expired is not handed out.

    Args:
        folder: Holds ``labels.csv`` and ``crops``.
        today: Day by which crops are judged.

    Raises:
        DatasetError: The folder has no table, or the table lacks columns.
    """
    crops: list[ReviewedCrop] = []
    problems: list[str] = []
    expired = 0
    named: set[str] = set()
    for number, row in _read_rows(folder):
        name = row["file"] or ""
        if name in named:
            problems.append(f"line {number}: its file stands in an earlier line too")
            continue
        named.add(name)
        try:
            crop = _crop_of(row, folder=folder, today=today)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if crop is None:
            expired += 1
        elif crop.path.is_file():
            crops.append(crop)
        else:
            problems.append(f"line {number}: its picture is missing")
    problems += _unnamed(folder, named)
    return ReviewedFolder(crops=tuple(crops), expired=expired, problems=tuple(problems))


def purge_reviewed(folder: Path, *, today: date) -> Purged:
    """Delete what has expired: first the pictures, then the lines.

    Broken off in the middle and called again, it comes to the same end. A
    line that states no valid day is left, and counted.

    Args:
        folder: Holds ``labels.csv`` and ``crops``.
        today: Day by which crops are judged.

    Raises:
        DatasetError: The folder has no table, or may not be changed.
    """
    kept: list[Row] = []
    lines = pictures = unreadable = 0
    rows = [row for _, row in _read_rows(folder)]
    try:
        for row in rows:
            try:
                is_expired = _day(row, "expires_on") <= today
                path = _crop_path(row, folder=folder)
            except ValueError:
                unreadable += 1
                kept.append(row)
                continue
            if not is_expired:
                kept.append(row)
                continue
            lines += 1
            if path.is_file() or path.is_symlink():
                path.unlink()
                pictures += 1
        if lines:
            _write_rows(folder, kept, columns=tuple(rows[0]))
    except OSError as error:
        reason = error.strerror or "no access"
        raise DatasetError(f"{folder.name}/ can not be purged: {reason.lower()}") from error
    return Purged(lines=lines, pictures=pictures, unreadable=unreadable)


def _crop_of(row: Row, *, folder: Path, today: date) -> ReviewedCrop | None:
    """One line as a value; ``None`` when it has expired. Raises ``ValueError``."""
    path = _crop_path(row, folder=folder)
    reviewed_on, expires_on = _day(row, "reviewed_on"), _day(row, "expires_on")
    if expires_on <= today:
        return None
    if not reviewed_on <= today or expires_on <= reviewed_on:
        raise ValueError("reviewed_on must be past, and before expires_on")
    text = row["text"] or ""
    if not is_legal_plate(text):
        raise ValueError("text fits no legal format (upper case, no separators, Đ as D)")
    layout = _LAYOUTS.get(row["lines"] or "")
    if layout is None:
        raise ValueError("lines is 1 or 2")
    source = row["source"] or ""
    if not _SOURCE.fullmatch(source):
        raise ValueError("source needs 1 to 40 of a-z, 0-9 and -")
    return ReviewedCrop(
        path=path,
        text=text,
        layout=layout,
        colour=_colour(row.get("colour")),
        source=source,
        reviewed_on=reviewed_on,
        passage_id=_passage(row.get("passage_id")),
        expires_on=expires_on,
    )


def _crop_path(row: Row, *, folder: Path) -> Path:
    name = row["file"] or ""
    if not _FILE_NAME.fullmatch(name):
        raise ValueError("file is a plain name inside crops/")
    return folder / CROPS_FOLDER / name


def _day(row: Row, column: str) -> date:
    try:
        return date.fromisoformat(row[column] or "")
    except ValueError as error:
        raise ValueError(f"{column} is no day as 2026-01-31") from error


def _colour(value: str | None) -> PlateColour | None:
    if not value:
        return None
    try:
        return PlateColour(value)
    except ValueError as error:
        raise ValueError(f"colour is one of {', '.join(PlateColour)}, or empty") from error


def _passage(value: str | None) -> UUID | None:
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError as error:
        raise ValueError("passage_id is no UUID") from error


def _unnamed(folder: Path, named: set[str]) -> list[str]:
    """Pictures without a line: nobody would ever delete them."""
    crops = folder / CROPS_FOLDER
    if not crops.is_dir():
        return []
    count = sum(entry.name not in named for entry in crops.iterdir())
    return [f"pictures in {CROPS_FOLDER}/ without a line, to be deleted: {count}"] if count else []


def _read_rows(folder: Path) -> Iterator[tuple[int, Row]]:
    path = folder / LABELS_FILE
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = set(REQUIRED_COLUMNS) - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(f"{LABELS_FILE} lacks the columns {', '.join(sorted(missing))}")
            for number, row in enumerate(reader, start=2):
                if number > MAX_ROWS:
                    raise DatasetError(f"{LABELS_FILE} has more than {MAX_ROWS} lines")
                if None in row:
                    raise DatasetError(f"{LABELS_FILE} line {number} has too many fields")
                yield number, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"no {LABELS_FILE} that can be read in {folder.name}/") from error


def _write_rows(folder: Path, rows: Iterable[Row], *, columns: tuple[str, ...]) -> None:
    part = folder / f".{LABELS_FILE}.part"
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    part.replace(folder / LABELS_FILE)
