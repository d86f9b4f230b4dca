# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who learns from what: a split never goes through a plate or a recording.

Two pictures of one vehicle are nearly one picture, so a split by picture
measures memory. Plates are split by their text, with texts that differ in one
character kept together (one of them may be a slip of the labeller's pen); road
pictures by recording. One whole source is held out to see how plates are
found by a camera that training never saw.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from models.datasets.pool import PlateCrop, PlateScene, VehiclePicture

VALIDATION_PERCENT: Final = 20
HELD_OUT_SCENE_SOURCE: Final = "cam"
GATE_SOURCES: Final = frozenset({"gpm", "gpc"})
VALIDATION_RECORDING: Final = "idtoll_aditganteng_mp4"
FIXED_CAMERA_LAST_TRAIN_FRAME: Final = 1080
FIXED_CAMERA_FIRST_VALIDATION_FRAME: Final = 1101
_FIXED_CAMERA_FRAME: Final = re.compile(r"vn_cam_01_(?P<frame>\d+)$")
_RECORDING: Final = re.compile(r"(?P<recording>idtoll_.*_mp4)_\d+$")
_DAY_OF_PHOTOS: Final = re.compile(
    r"idhw_(?:\d{3}_|img_|p_)(?P<day>\d{2}_\d{2}_\d{4}|\d{8})", re.IGNORECASE
)


class Split(StrEnum):
    """What a picture may be used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    HOLD_OUT = "hold_out"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Use of one picture.

    Attributes:
        file: Path relative to the pool.
        group: What must not be divided: a plate, a recording, a source. It
            is a number or a recording's name, never a plate's text.
        split: Use of the whole group.
    """

    file: str
    group: str
    split: Split


def plate_groups(texts: Iterable[str]) -> dict[str, str]:
    """Put texts together that may be one plate.

    Args:
        texts: Plate texts, upper case, no separators; doubles are allowed.

    Returns:
        For every text the alphabetically first text of its group. Texts of
        one group are linked by steps of one changed character.
    """
    unique = sorted(set(texts))
    parent = {text: text for text in unique}

    def root(text: str) -> str:
        while parent[text] != text:
            parent[text] = parent[parent[text]]
            text = parent[text]
        return text

    first_with_pattern: dict[str, str] = {}
    for text in unique:
        for position in range(len(text)):
            pattern = f"{text[:position]}?{text[position + 1 :]}"
            other = first_with_pattern.setdefault(pattern, text)
            low, high = sorted((root(text), root(other)))
            parent[high] = low
    return {text: root(text) for text in unique}


def split_of_key(key: str) -> Split:
    """Train or validation by the digest of a key, the same on every machine."""
    digest = hashlib.sha256(key.encode()).digest()
    share = int.from_bytes(digest[:4], "big") % 100
    return Split.VALIDATION if share < VALIDATION_PERCENT else Split.TRAIN


def plate_splits(texts: Iterable[str]) -> dict[str, Split]:
    """Split of every plate text; a group of near-alike texts stays together."""
    return {text: split_of_key(group) for text, group in plate_groups(texts).items()}


def assign_plate_crops(crops: Iterable[PlateCrop]) -> tuple[Assignment, ...]:
    """Use of every crop, by its plate."""
    crops = tuple(crops)
    groups = plate_groups(crop.text for crop in crops)
    names = _group_names(groups)
    return tuple(
        Assignment(
            file=crop.file,
            group=names[groups[crop.text]],
            split=split_of_key(groups[crop.text]),
        )
        for crop in crops
    )


def assign_plate_scenes(
    scenes: Iterable[PlateScene], *, crops: Iterable[PlateCrop]
) -> tuple[Assignment, ...]:
    """Use of every scene, by its plate or its source.

    A gate scene whose plate nobody wrote down is not used at all: it may show
    a vehicle of the other split.

    Args:
        scenes: All scenes of the pool.
        crops: All crops of the pool, so that scenes and crops of one plate
            are used alike by both models.
    """
    groups = plate_groups(crop.text for crop in crops)
    names = _group_names(groups)
    return tuple(_assign_scene(scene, groups=groups, names=names) for scene in scenes)


def assign_vehicle_pictures(pictures: Iterable[VehiclePicture]) -> tuple[Assignment, ...]:
    """Use of every road picture, by recording.

    The one fixed camera is cut in time, with unused frames between.
    """
    return tuple(_assign_road(picture.file) for picture in pictures)


def _assign_scene(
    scene: PlateScene, *, groups: Mapping[str, str], names: Mapping[str, str]
) -> Assignment:
    if scene.source == HELD_OUT_SCENE_SOURCE:
        return Assignment(file=scene.file, group=scene.source, split=Split.HOLD_OUT)
    if scene.source not in GATE_SOURCES:
        return Assignment(file=scene.file, group=scene.source, split=Split.TRAIN)
    roots = {groups[text] for text in scene.plate_texts}
    if len(roots) != 1 or len(scene.boxes) != 1:
        return Assignment(file=scene.file, group="unknown-plate", split=Split.UNUSED)
    group = roots.pop()
    return Assignment(file=scene.file, group=names[group], split=split_of_key(group))


def _assign_road(file: str) -> Assignment:
    stem = PurePosixPath(file).stem
    fixed = _FIXED_CAMERA_FRAME.match(stem)
    if fixed is not None:
        frame = int(fixed["frame"])
        if frame <= FIXED_CAMERA_LAST_TRAIN_FRAME:
            return Assignment(file=file, group="vn_cam_01-early", split=Split.TRAIN)
        if frame < FIXED_CAMERA_FIRST_VALIDATION_FRAME:
            return Assignment(file=file, group="vn_cam_01-between", split=Split.UNUSED)
        return Assignment(file=file, group="vn_cam_01-late", split=Split.VALIDATION)
    recording = _RECORDING.match(stem)
    if recording is not None:
        group = recording["recording"]
        split = Split.VALIDATION if group == VALIDATION_RECORDING else Split.TRAIN
        return Assignment(file=file, group=group, split=split)
    day = _DAY_OF_PHOTOS.match(stem)
    group = f"idhw-{day['day']}" if day is not None else stem
    return Assignment(file=file, group=group, split=split_of_key(group))


def _group_names(groups: Mapping[str, str]) -> dict[str, str]:
    roots = sorted(set(groups.values()))
    return {root: f"plate-{number:04d}" for number, root in enumerate(roots)}
