# SPDX-License-Identifier: AGPL-3.0-or-later
"""A film for the assembly of passages, told frame by frame."""

from collections.abc import Sequence
from datetime import timedelta

from edge.evidence.pictures import make_evidence
from edge.pipeline.assembly import PassageAssembly
from edge.pipeline.ports import ObjectDetector
from edge.pipeline.rules import PassageRules
from edge.stages import Frame, Passage, PlateSighting, Read, Tracked, TrackedObject
from models.runtime.values import BgrImage, BoxPx, Detection, PlateReading
from tests.unit.edge.makers import NOW, image

FRAME_S = 0.1


class FirstReading:
    """Agrees on the surest reading: fusion itself is tested with the models."""

    def __call__(self, readings: Sequence[PlateReading]) -> PlateReading:
        return max(readings, key=lambda each: each.confidence)


class CarEverywhere:
    """A vehicle detector that sees one car filling the picture."""

    def detect(self, image: BgrImage) -> list[Detection]:
        height, width = image.shape[:2]
        whole = BoxPx(x_min=0, y_min=0, x_max=width, y_max=height)
        return [Detection(label="car", confidence=0.8, box_px=whole)]


class VehiclesAt:
    """A vehicle detector that sees cars at the same places in every picture."""

    def __init__(self, *places: BoxPx) -> None:
        self._found = [Detection(label="car", confidence=0.8, box_px=box_px) for box_px in places]

    def detect(self, image: BgrImage) -> list[Detection]:
        assert image.size
        return self._found


class Film:
    """Feeds an assembly frame by frame; a frame says what each track shows."""

    def __init__(self, rules: PassageRules, *, vehicles: ObjectDetector | None = None) -> None:
        self.assembly = PassageAssembly(
            rules,
            fuse=FirstReading(),
            evidence=make_evidence,
            vehicles=CarEverywhere() if vehicles is None else vehicles,
        )
        self.index = 0
        self.passages: list[Passage] = []

    def show(
        self,
        *seen: tuple[int, BoxPx, PlateReading | None],
        ended: tuple[int, ...] = (),
        label: str = "plate",
        confidence: float = 0.9,
    ) -> None:
        frame = Frame(
            camera_id="cam-01",
            index=self.index,
            captured_at=NOW + timedelta(seconds=FRAME_S * self.index),
            image=image(),
        )
        self.index += 1
        objects = tuple(
            TrackedObject(
                track_id=track_id,
                detection=Detection(label=label, confidence=confidence, box_px=place),
            )
            for track_id, place, _ in seen
        )
        sightings = tuple(
            PlateSighting(
                track_id=track_id, plate_box_px=place, detection_confidence=0.9, reading=text
            )
            for track_id, place, text in seen
            if text is not None
        )
        tracked = Tracked(frame=frame, objects=objects, ended_track_ids=ended)
        self.passages += self.assembly.take(Read(tracked=tracked, sightings=sightings))

    def nothing(self, seconds: float, *, ended: tuple[int, ...] = ()) -> None:
        self.show(ended=ended)
        for _ in range(round(seconds / FRAME_S)):
            self.show()

    def finish(self, *ended: int) -> list[Passage]:
        self.passages += self.assembly.finish(ended)
        return self.passages

    @property
    def texts(self) -> list[str | None]:
        return [None if passage.plate is None else passage.plate.text for passage in self.passages]
