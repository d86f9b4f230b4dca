# SPDX-License-Identifier: AGPL-3.0-or-later
"""Frame → Detected: looks for plates (gate) or vehicles (road) in the watched part of a frame."""

from dataclasses import dataclass, replace

from edge.pipeline.geometry import crop, shifted
from edge.pipeline.ports import ObjectDetector
from edge.stages import Detected, Frame
from models.runtime.values import BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Part of the picture that is looked at, in shares of its width and height."""

    x_min: float = 0.0
    y_min: float = 0.0
    x_max: float = 1.0
    y_max: float = 1.0

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return (self.x_min, self.y_min, self.x_max, self.y_max) == (0.0, 0.0, 1.0, 1.0)

    def in_pixels(self, *, width_px: int, height_px: int) -> BoxPx:
        """The region in a picture of this size."""
        return BoxPx(
            x_min=self.x_min * width_px,
            y_min=self.y_min * height_px,
            x_max=self.x_max * width_px,
            y_max=self.y_max * height_px,
        )


class Detection:
    """Looks at one camera's frames with one detector."""

    def __init__(self, detector: ObjectDetector, *, region: Region) -> None:
        self._detector = detector
        self._region = region

    def detect(self, frame: Frame) -> Detected:
        """Everything in the watched region; boxes are in pixels of the whole frame."""
        if self._region.is_everything:
            return Detected(frame=frame, detections=tuple(self._detector.detect(frame.image)))
        height_px, width_px = frame.image.shape[:2]
        view, place = crop(
            frame.image, self._region.in_pixels(width_px=width_px, height_px=height_px), padding=0.0
        )
        detections = tuple(
            replace(found, box_px=shifted(found.box_px, x_px=place.x_min, y_px=place.y_min))
            for found in self._detector.detect(view)
        )
        return Detected(frame=frame, detections=detections)
