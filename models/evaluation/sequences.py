# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether fusing the frames of a track reads more plates than one frame or a vote does.

The same frames go to all ways, so each track is a pair. A stopped vehicle
gives one picture many times; a way that takes repeats for agreement is sure
and wrong there, which its calibration shows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.synth.camera import Severity, photograph, random_severity
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.evaluation.figures.calibration import Judged, calibration_estimates, risk_at
from models.evaluation.figures.comparison import Paired, paired
from models.evaluation.figures.intervals import Estimate, Share
from models.evaluation.reading import read_all
from models.runtime.fusion import fuse_readings
from models.runtime.reader import PlateReader
from models.runtime.values import BgrImage, PlateReading

HARD: Final = Severity(
    viewpoint=0.8, blur=1, noise=1, light=0.9, weather=0.8, compression=1, jitter=0.8
)
TRACKS: Final = 300
_SEED: Final = 1212
_PLATE_HEIGHT_PX: Final = 150
_NOISE: Final = 2.0
_JPEG_QUALITY: Final = 88
_LOOKS: Final = 5
_REPEATS: Final = 12
_REPEATS_BEFORE: Final = 10
_LATER_LOOKS: Final = 3


class TrackKind(StrEnum):
    """How a rendered track's frames belong together."""

    MIXED = "five looks of mixed conditions"
    HARD = "five hard looks"
    REPEATS = "one hard look twelve times"
    STOPPED = "one hard look ten times, then three others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Crops of one plate in the order of their frames."""

    text: str
    frames: tuple[BgrImage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceScore:
    """Three ways to read the same tracks.

    Attributes:
        kind: What the tracks are.
        tracks: How many.
        fused: Tracks read exactly by fusion.
        surest: The same by the frame of highest confidence.
        majority: The same by the text that most frames have.
        answered: Tracks that fusion answers at the threshold.
        answered_wrong: Of these, the wrong ones.
        over_surest: Fusion against the surest frame, on the same tracks.
        over_majority: Fusion against the vote.
        calibration: Of the fused probability, by name.
    """

    kind: str
    tracks: int
    fused: Share
    surest: Share
    majority: Share
    answered: Share
    answered_wrong: Share
    over_surest: Paired
    over_majority: Paired
    calibration: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTrack:
    """One track as every way reads it."""

    text: str
    fused: PlateReading
    surest: PlateReading
    majority: str


def render_track(kind: TrackKind, *, rng: Generator) -> Track:
    """Draw one plate and photograph it several times."""
    spec = random_plate_spec(rng)
    plate = render_plate(spec, height_px=_PLATE_HEIGHT_PX, rng=rng)

    def look() -> BgrImage:
        return photograph(plate, rng=rng, severity=HARD)

    if kind is TrackKind.MIXED:
        frames = [photograph(plate, rng=rng, severity=random_severity(rng)) for _ in range(_LOOKS)]
    elif kind is TrackKind.HARD:
        frames = [look() for _ in range(_LOOKS)]
    elif kind is TrackKind.REPEATS:
        frames = _repeated(look(), _REPEATS, rng=rng)
    else:
        frames = _repeated(look(), _REPEATS_BEFORE, rng=rng) + [look() for _ in range(_LATER_LOOKS)]
    return Track(text=spec.text, frames=tuple(frames))


def read_tracks(reader: PlateReader, tracks: Sequence[Track]) -> tuple[ReadTrack, ...]:
    """Read every frame of every track once, and combine them in each way."""
    result = []
    for track in tracks:
        readings = read_all(reader, track.frames)
        result.append(
            ReadTrack(
                text=track.text,
                fused=fuse_readings(readings),
                surest=max(readings, key=lambda one: one.confidence),
                majority=majority_text(readings),
            )
        )
    return tuple(result)


def majority_text(readings: Sequence[PlateReading]) -> str:
    """The text that most frames have; of several the one whose confidences sum up highest."""
    votes = Counter(one.text for one in readings)
    sums = dict.fromkeys(votes, 0.0)
    for one in readings:
        sums[one.text] += one.confidence
    return max(votes, key=lambda text: (votes[text], sums[text]))


def evaluate_sequences(
    reader: PlateReader, *, answer_from: float, tracks: int = TRACKS
) -> tuple[tuple[SequenceScore, ...], Judged]:
    """Compare the three ways on rendered tracks of every kind.

    Args:
        reader: The reader.
        answer_from: Confidence from which a track is answered.
        tracks: Tracks of each kind.

    Returns:
        One score per kind, and the fused probabilities of all tracks with
        what came of them.
    """
    scores: list[SequenceScore] = []
    every: list[ReadTrack] = []
    for number, kind in enumerate(TrackKind):
        rng = np.random.default_rng([_SEED, number])
        read = read_tracks(reader, [render_track(kind, rng=rng) for _ in range(tracks)])
        scores.append(sequence_score(kind.value, read, answer_from=answer_from))
        every += read
    return tuple(scores), judged_tracks(every)


def sequence_score(kind: str, read: Sequence[ReadTrack], *, answer_from: float) -> SequenceScore:
    """Figures of some tracks."""
    fused = [one.fused.text == one.text for one in read]
    surest = [one.surest.text == one.text for one in read]
    majority = [one.majority == one.text for one in read]
    judged = judged_tracks(read)
    point = risk_at(judged, threshold=answer_from)
    return SequenceScore(
        kind=kind,
        tracks=len(read),
        fused=Share(successes=sum(fused), trials=len(read)),
        surest=Share(successes=sum(surest), trials=len(read)),
        majority=Share(successes=sum(majority), trials=len(read)),
        answered=point.answered,
        answered_wrong=point.wrong,
        over_surest=paired(fused, surest),
        over_majority=paired(fused, majority),
        calibration=calibration_estimates(judged),
    )


def judged_tracks(read: Sequence[ReadTrack]) -> Judged:
    """Fused probabilities with what came of them."""
    return Judged.of(
        [one.fused.confidence for one in read],
        [one.fused.text == one.text for one in read],
        [str(number) for number in range(len(read))],
    )


def _repeated(image: BgrImage, times: int, *, rng: Generator) -> list[BgrImage]:
    """One picture as a camera gives it again and again: other noise, other compression."""
    frames = []
    for _ in range(times):
        noisy = np.clip(image + rng.normal(0, _NOISE, image.shape), 0, 255).astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        encoded = cv2.imencode(".jpg", noisy, quality)[1]
        frames.append(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8))
    return frames
