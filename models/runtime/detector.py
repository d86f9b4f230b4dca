# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding vehicles or plates in a picture.

One class serves both detectors: what differs between them (classes, input
size, thresholds) stands beside the weights in the registry.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelFormatError
from models.runtime.images import Letterbox, letterboxed, network_input, require_bgr_image
from models.runtime.registry import ModelConfig, load_model
from models.runtime.sessions import Session, open_session
from models.runtime.values import Backend, BgrImage, Detection, FloatArray

MAX_DETECTIONS: Final = 300
MAX_CANDIDATES: Final = 3000
MAX_INPUT_PX: Final = 1920
_BOX_VALUES: Final = 4
_OUTPUT_DIMENSIONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorConfig:
    """What belongs to a detector's weights.

    Attributes:
        labels: Names of the classes in the order of the network's outputs.
        input_px: Longer side of the network's input.
        small_input_px: The same for pictures that are no longer than that
            themselves, as a gate camera's; ``None`` has no such rule. Enlarging
            them to ``input_px`` costs half as much again and shows nothing new.
        stride_px: What both sides of the input are multiples of.
        min_confidence: Raising it loses faint vehicles, lowering it finds
            things that are none.
        max_overlap: Intersection over union above which the less sure of two
            boxes is dropped. Raising it doubles vehicles, lowering it loses
            the hindmost of two that stand close.
    """

    labels: tuple[str, ...]
    input_px: int
    stride_px: int
    min_confidence: float
    max_overlap: float
    small_input_px: int | None = None

    def __post_init__(self) -> None:
        """Refuse sizes and thresholds that can not work."""
        if not self.labels:
            raise ModelFormatError("a detector needs at least one label")
        if self.stride_px < 1 or self.input_px % self.stride_px:
            raise ModelFormatError(f"{self.input_px=} must be a multiple of {self.stride_px=}")
        if not self.stride_px <= self.input_px <= MAX_INPUT_PX:
            raise ModelFormatError(f"{self.input_px=} must lie in the stride to {MAX_INPUT_PX}")
        small_px = self.input_px if self.small_input_px is None else self.small_input_px
        if small_px % self.stride_px or not self.stride_px <= small_px <= self.input_px:
            raise ModelFormatError(
                f"{self.small_input_px=} must be whole strides up to {self.input_px=}"
            )
        for threshold in (self.min_confidence, self.max_overlap):
            if not 0 < threshold < 1:
                raise ModelFormatError(f"a threshold lies between 0 and 1, got {threshold}")

    @classmethod
    def from_registry(cls, config: ModelConfig) -> Self:
        """Take a detector's settings from its registry entry."""
        return cls(
            labels=config.texts("labels"),
            input_px=config.whole_number("input_px"),
            stride_px=config.whole_number("stride_px"),
            min_confidence=config.number("min_confidence"),
            max_overlap=config.number("max_overlap"),
            small_input_px=config.whole_number("small_input_px"),
        )

    def side_px(self, image: BgrImage) -> int:
        """Longer side of the input for one picture."""
        small_px = self.small_input_px
        if small_px is not None and max(image.shape[:2]) <= small_px:
            return small_px
        return self.input_px


class Detector:
    """A loaded detector; not to be shared between threads."""

    def __init__(self, session: Session, *, config: DetectorConfig, digest: str) -> None:
        self._session = session
        self._config = config
        self._digest = digest

    @classmethod
    def open(
        cls,
        name: str,
        *,
        backend: Backend = Backend.AUTO,
        threads: int = 1,
        min_confidence: float | None = None,
        input_px: int | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Load a released detector.

        Args:
            name: ``vehicle-detector`` or ``plate-detector``.
            backend: Inference library.
            threads: Threads of one inference.
            min_confidence: Replaces the registry's threshold, 0 to 1 exclusive.
            input_px: Replaces the registry's input size, a multiple of the
                stride. Smaller is quicker and loses small plates; 320 is
                enough for a crop of one vehicle.
            folder: Folder with the registry; ``None`` is the installed one.

        Raises:
            ModelsError: The file is missing or wrong, or no library runs it.
        """
        model = load_model(name, folder=folder)
        released = DetectorConfig.from_registry(model.config)
        config = replace(
            released,
            input_px=released.input_px if input_px is None else input_px,
            small_input_px=released.small_input_px if input_px is None else None,
            min_confidence=(released.min_confidence if min_confidence is None else min_confidence),
        )
        session = open_session(model.path, backend=backend, threads=threads)
        return cls(session, config=config, digest=model.sha256)

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, which every passage carries."""
        return self._digest

    @property
    def backend(self) -> Backend:
        """Library that runs the detector, never ``AUTO``."""
        return self._session.backend

    @property
    def labels(self) -> tuple[str, ...]:
        """What the detector tells apart."""
        return self._config.labels

    def detect(self, image: BgrImage) -> list[Detection]:
        """Find everything in one picture.

        Args:
            image: Picture of any size, shape ``(height, width, 3)``.

        Returns:
            Detections, surest first, at most ``MAX_DETECTIONS``; boxes lie
            inside the picture and are larger than nothing.

        Raises:
            InvalidImageError: The array is no picture.
        """
        require_bgr_image(image)
        fitted, letterbox = letterboxed(
            image, longest_side_px=self._config.side_px(image), stride_px=self._config.stride_px
        )
        output = self._session.run(network_input(fitted))[0]
        height, width = image.shape[:2]
        return _detections(
            output, config=self._config, letterbox=letterbox, width_px=width, height_px=height
        )


def _detections(
    output: FloatArray,
    *,
    config: DetectorConfig,
    letterbox: Letterbox,
    width_px: int,
    height_px: int,
) -> list[Detection]:
    """Turn the network's output, shape ``(1, 4 + labels, n)``, into detections."""
    expected = _BOX_VALUES + len(config.labels)
    if output.ndim != _OUTPUT_DIMENSIONS or output.shape[:2] != (1, expected):
        raise ModelFormatError(f"a detector gives (1, {expected}, n), got {output.shape}")
    scores = output[0, _BOX_VALUES:]
    best = scores.max(axis=0)
    candidates = np.flatnonzero(best >= config.min_confidence)
    candidates = candidates[np.argsort(-best[candidates], kind="stable")][:MAX_CANDIDATES]
    boxes_px = _corner_boxes(output[0, :_BOX_VALUES, candidates])
    kept = _without_doubles(boxes_px, best[candidates], config=config)
    found = []
    for index in kept[:MAX_DETECTIONS]:
        box = letterbox.to_picture(boxes_px[index]).clipped(width=width_px, height=height_px)
        if box.width <= 0 or box.height <= 0:
            continue
        anchor = candidates[index]
        found.append(
            Detection(
                label=config.labels[int(scores[:, anchor].argmax())],
                confidence=min(1.0, float(best[anchor])),
                box_px=box,
            )
        )
    return found


def _corner_boxes(centres_px: FloatArray) -> FloatArray:
    """``(n, 4)`` of centre and size to ``(n, 4)`` of corners."""
    half = centres_px[:, 2:] / 2
    return np.concatenate((centres_px[:, :2] - half, centres_px[:, :2] + half), axis=1)


def _without_doubles(
    boxes_px: FloatArray, confidences: FloatArray, *, config: DetectorConfig
) -> NDArray[np.intp]:
    """Indices of boxes that no surer box covers, surest first.

    Labels are not compared: a van that is a car and a truck at once would
    become two vehicles.
    """
    if len(boxes_px) == 0:
        return np.empty(0, dtype=np.intp)
    corner_and_size = np.concatenate((boxes_px[:, :2], boxes_px[:, 2:] - boxes_px[:, :2]), axis=1)
    kept = cv2.dnn.NMSBoxes(
        corner_and_size.tolist(),
        confidences.tolist(),
        score_threshold=0.0,
        nms_threshold=config.max_overlap,
    )
    return np.asarray(kept, dtype=np.intp).reshape(-1)
