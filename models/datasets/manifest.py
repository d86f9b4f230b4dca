# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of every picture that a model was made from, with its digest and use.

Manifests are kept in the project, the pictures are not: whoever has the pool
can prove that it is the same one, and that the splits are the same.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from models.datasets.pool import (
    read_plate_crops,
    read_plate_scenes,
    read_vehicle_pictures,
)
from models.datasets.splits import (
    Assignment,
    Split,
    assign_plate_crops,
    assign_plate_scenes,
    assign_vehicle_pictures,
)
from models.errors import DatasetError
from models.runtime.registry import file_sha256

MANIFEST_FOLDER: Final = Path(__file__).resolve().parent / "manifests"
PLATE_SCENES: Final = "plate-scenes"
PLATE_CROPS: Final = "plate-crops"
VEHICLES: Final = "vehicles"
MANIFEST_NAMES: Final = (PLATE_SCENES, PLATE_CROPS, VEHICLES)
MAX_ROWS: Final = 200_000
DOUBTFUL_LABELS_FILE: Final = "doubtful-labels.csv"
_COLUMNS: Final = ("file", "group", "split", "sha256", "labels_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    """One picture.

    Attributes:
        file: Path relative to the pool, with slashes.
        group: Plate number, recording or source; never a plate's text.
        split: Use of the picture.
        sha256: Digest of the picture.
        labels_sha256: Digest of its box file; empty for crops, whose texts
            stand in one table.
    """

    file: str
    group: str
    split: Split
    sha256: str
    labels_sha256: str


def build_manifests(pool: Path) -> dict[str, tuple[ManifestRow, ...]]:
    """Digests and uses of every picture of a pool, by manifest name."""
    crops = read_plate_crops(pool)
    assignments: Mapping[str, Iterable[Assignment]] = {
        PLATE_SCENES: assign_plate_scenes(read_plate_scenes(pool), crops=crops),
        PLATE_CROPS: assign_plate_crops(crops),
        VEHICLES: assign_vehicle_pictures(read_vehicle_pictures(pool)),
    }
    return {
        name: tuple(_row(pool, assignment) for assignment in listed)
        for name, listed in assignments.items()
    }


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write a manifest, one line a picture, ordered by file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(
            (row.file, row.group, row.split.value, row.sha256, row.labels_sha256)
            for row in sorted(rows, key=lambda row: row.file)
        )


def read_manifest(name: str, *, folder: Path = MANIFEST_FOLDER) -> tuple[ManifestRow, ...]:
    """A kept manifest, ordered by file.

    Raises:
        DatasetError: There is no such manifest, or a line is malformed.
    """
    path = folder / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            if tuple(next(reader, ())) != _COLUMNS:
                raise DatasetError(f"{path.name} has other columns than expected")
            rows = tuple(_parse(fields, path=path) for fields in reader)
    except OSError as error:
        raise DatasetError(f"no manifest {path.name}") from error
    if len(rows) > MAX_ROWS:
        raise DatasetError(f"{path.name} has more than {MAX_ROWS} rows")
    return rows


def read_doubtful_labels(*, folder: Path = MANIFEST_FOLDER) -> frozenset[str]:
    """Digests of crops whose label is wrong to the eye of a person who looked.

    They are listed by digest, since a text of a plate has no place in the project.
    """
    path = folder / DOUBTFUL_LABELS_FILE
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return frozenset(row["sha256"] for row in csv.DictReader(file))
    except (OSError, KeyError) as error:
        raise DatasetError(f"{path.name} can not be read") from error


def verify_pictures(pool: Path, rows: Iterable[ManifestRow]) -> None:
    """Check that a pool holds the very pictures and labels of a manifest.

    Raises:
        DatasetError: A file is absent or differs; the first one is named and
            all are counted.
    """
    wrong = [row.file for row in rows if not _is_as_listed(pool, row)]
    if wrong:
        raise DatasetError(
            f"{len(wrong)} pictures are missing or differ from the manifest; first {wrong[0]}"
        )


def rows_of(rows: Iterable[ManifestRow], split: Split) -> tuple[ManifestRow, ...]:
    """Rows of one use, in their order."""
    return tuple(row for row in rows if row.split is split)


def thinned(rows: Iterable[ManifestRow], *, max_per_source: int) -> tuple[ManifestRow, ...]:
    """At most so many training rows of every source, evenly through it; all other rows.

    Args:
        rows: A manifest's rows, in their order, which is kept.
        max_per_source: Training rows that stay of one source, at least 1.
    """
    rows = tuple(rows)
    if max_per_source < 1:
        raise DatasetError(f"at least one picture of a source is taken, got {max_per_source}")
    sizes = Counter(source_of(row.file) for row in rows_of(rows, Split.TRAIN))
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        source = source_of(row.file)
        if row.split is Split.TRAIN:
            number, size = seen[source], sizes[source]
            seen[source] += 1
            share = min(1.0, max_per_source / size)
            if int((number + 1) * share) == int(number * share):
                continue
        kept.append(row)
    return tuple(kept)


def leave_out(rows: Iterable[ManifestRow], *, source: str) -> tuple[ManifestRow, ...]:
    """All rows but those of one source.

    Raises:
        DatasetError: No row is of that source, or no other is left to learn from.
    """
    rows = tuple(rows)
    sources = {source_of(row.file) for row in rows}
    if source not in sources:
        raise DatasetError(f"no source {source!r}; there are: {', '.join(sorted(sources))}")
    left = tuple(row for row in rows if source_of(row.file) != source)
    if not rows_of(left, Split.TRAIN):
        raise DatasetError(f"without {source} there is nothing to learn from")
    return left


def source_of(file: str) -> str:
    """Source of a picture, the first part of its name, as ``gpm`` or ``idtoll``."""
    return PurePosixPath(file).stem.split("_")[0]


def split_sizes(rows: Iterable[ManifestRow]) -> Mapping[Split, int]:
    """How many pictures each use has; absent uses count 0."""
    return Counter(row.split for row in rows)


def labels_path(pool: Path, file: str) -> Path | None:
    """Box file of a picture; ``None`` for crops, which have none."""
    path = pool / file
    if path.parent.name == "images":
        return path.parent.parent / "labels" / f"{path.stem}.txt"
    return path.with_suffix(".txt") if path.parent.name == "scenes" else None


def _row(pool: Path, assignment: Assignment) -> ManifestRow:
    labels = labels_path(pool, assignment.file)
    return ManifestRow(
        file=assignment.file,
        group=assignment.group,
        split=assignment.split,
        sha256=file_sha256(pool / assignment.file),
        labels_sha256=file_sha256(labels) if labels is not None else "",
    )


def _is_as_listed(pool: Path, row: ManifestRow) -> bool:
    path = pool / row.file
    if not path.is_file() or file_sha256(path) != row.sha256:
        return False
    labels = labels_path(pool, row.file)
    if labels is None:
        return True
    return labels.is_file() and file_sha256(labels) == row.labels_sha256


def _parse(fields: list[str], *, path: Path) -> ManifestRow:
    if len(fields) != len(_COLUMNS):
        raise DatasetError(f"{path.name}: a line has {len(fields)} fields, not {len(_COLUMNS)}")
    file, group, split, sha256, labels_sha256 = fields
    try:
        use = Split(split)
    except ValueError as error:
        raise DatasetError(f"{path.name}: no use is called {split!r}") from error
    return ManifestRow(
        file=file, group=group, split=use, sha256=sha256, labels_sha256=labels_sha256
    )
