# SPDX-License-Identifier: AGPL-3.0-or-later
"""One camera's way from frame to passages, and the models that it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from central.contracts.passage import ModelDigestV1
from edge.app.plans import CameraPlan
from edge.capture.types import SourceKind
from edge.evidence.pictures import make_evidence
from edge.pipeline.assembly import AssemblyCounts, PassageAssembly
from edge.pipeline.detection import Detection
from edge.pipeline.quiet import Look, QuietSceneDetection
from edge.pipeline.reading import GateReading, Reading, RoadReading
from edge.pipeline.rules import (
    GATE_PASSAGES,
    PLATE_TRACKING,
    ROAD_PASSAGES,
    STILL_GATE_PASSAGES,
    STILL_ROAD_PASSAGES,
    VEHICLE_TRACKING,
    PassageRules,
    RoadReadingRules,
)
from edge.pipeline.tracking import MotionTracking, StillTracking, Tracking
from edge.settings import CameraMode
from edge.stages import Frame, Passage
from models.runtime.detector import Detector
from models.runtime.fusion import fuse_readings
from models.runtime.reader import PlateReader
from models.runtime.registry import PLATE_CORNERS, PLATE_DETECTOR, PLATE_READER, VEHICLE_DETECTOR
from models.runtime.values import Backend, BgrImage
from models.runtime.values import Detection as DetectedThing

if TYPE_CHECKING:
    from edge.pipeline.ports import ObjectDetector

CROP_INPUT_PX: Final = 320
"""Input for plates on a vehicle's crop: larger is slower and finds no more there."""
THREADS_PER_MODEL: Final = 1
FAINT_CONFIDENCE: Final = 0.1
"""Plates and vehicles below the detector's own threshold only continue tracks, or are believed
when a legal plate was read on them. Higher breaks the tracks of objects that are seen badly for a
moment, lower costs time and joins what is none."""


class SharedDetector:
    """A detector that several analysing threads use in turn: it is asked once per passage only."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._lock = Lock()
        self.digest = detector.digest

    def detect(self, image: BgrImage) -> list[DetectedThing]:
        """As the detector itself."""
        with self._lock:
            return self._detector.detect(image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Loaded models of one analysing thread; not to be shared between threads.

    Attributes:
        plates: Finds plates on whole frames.
        plates_on_crops: Finds plates on crops of vehicles; ``None`` without a road camera.
        vehicles: Finds vehicles.
        reader: Reads plates.
    """

    plates: Detector
    plates_on_crops: Detector | None
    vehicles: Detector | SharedDetector
    reader: PlateReader

    @property
    def digests(self) -> tuple[ModelDigestV1, ...]:
        """Which weights these are, as every passage says."""
        return (
            ModelDigestV1(name=VEHICLE_DETECTOR, sha256=self.vehicles.digest),
            ModelDigestV1(name=PLATE_DETECTOR, sha256=self.plates.digest),
            ModelDigestV1(name=PLATE_CORNERS, sha256=self.reader.corners_digest),
            ModelDigestV1(name=PLATE_READER, sha256=self.reader.digest),
        )


def open_models(
    *, backend: Backend, folder: Path | None, modes: Sequence[CameraMode], workers: int = 1
) -> list[Models]:
    """Load what these camera modes need, once per analysing thread.

    Args:
        backend: Inference library.
        folder: Folder with registry and weights; ``None`` is the installed one.
        modes: What the cameras look at.
        workers: Analysing threads, at least 1.

    Returns:
        ``workers`` sets of models. Gates share one vehicle detector, which saves memory; roads
        ask it in every frame, so there each thread has its own.

    Raises:
        ModelsError: A model is missing or changed, or no library runs it.
    """
    shared = None
    if CameraMode.ROAD not in modes:
        shared = SharedDetector(_open_vehicles(backend, folder))
    return [
        Models(
            plates=Detector.open(
                PLATE_DETECTOR,
                backend=backend,
                threads=THREADS_PER_MODEL,
                min_confidence=FAINT_CONFIDENCE,
                folder=folder,
            ),
            plates_on_crops=_open_crop_plates(backend, folder) if shared is None else None,
            vehicles=shared or _open_vehicles(backend, folder),
            reader=PlateReader.open(backend=backend, threads=THREADS_PER_MODEL, folder=folder),
        )
        for _ in range(workers)
    ]


def _open_vehicles(backend: Backend, folder: Path | None) -> Detector:
    return Detector.open(
        VEHICLE_DETECTOR,
        backend=backend,
        threads=THREADS_PER_MODEL,
        min_confidence=FAINT_CONFIDENCE,
        folder=folder,
    )


def _open_crop_plates(backend: Backend, folder: Path | None) -> Detector:
    return Detector.open(
        PLATE_DETECTOR,
        backend=backend,
        threads=THREADS_PER_MODEL,
        input_px=CROP_INPUT_PX,
        folder=folder,
    )


class CameraPipeline:
    """Frame → Detected → Tracked → Read → Passage, for one camera."""

    def __init__(
        self,
        *,
        detection: Look,
        tracking: Tracking,
        reading: Reading,
        assembly: PassageAssembly,
    ) -> None:
        self._detection = detection
        self._tracking = tracking
        self._reading = reading
        self._assembly = assembly

    @property
    def counts(self) -> AssemblyCounts:
        """What became of the tracks so far."""
        return self._assembly.counts

    def process(self, frame: Frame) -> list[Passage]:
        """Passages that are certain with this frame."""
        detected = self._detection.detect(frame)
        tracked = self._tracking.track(detected)
        return self._assembly.take(self._reading.read(tracked))

    def finish(self) -> list[Passage]:
        """Passages of vehicles that were still in view; the pipeline may go on afterwards."""
        return self._assembly.finish(self._tracking.finish())


def make_pipeline(plan: CameraPlan, models: Models) -> CameraPipeline:
    """The pipeline that a camera's mode and source ask for."""
    is_still = plan.kind is SourceKind.PICTURES
    rules = PLATE_TRACKING if plan.mode is CameraMode.GATE else VEHICLE_TRACKING
    tracking: Tracking = StillTracking(rules) if is_still else MotionTracking(rules)
    finder: ObjectDetector
    if plan.mode is CameraMode.GATE:
        finder = models.plates
        reading: Reading = GateReading(models.reader)
        vehicles: ObjectDetector | None = models.vehicles
    else:
        finder = models.vehicles
        reading = RoadReading(
            models.plates_on_crops or models.plates, models.reader, rules=RoadReadingRules()
        )
        vehicles = None
    look: Look = Detection(finder, region=plan.region)
    if plan.mode is CameraMode.GATE and not is_still:
        look = QuietSceneDetection(look)
    return CameraPipeline(
        detection=look,
        tracking=tracking,
        reading=reading,
        assembly=PassageAssembly(
            _passage_rules(plan.mode, is_still=is_still),
            fuse=fuse_readings,
            evidence=make_evidence,
            vehicles=vehicles,
        ),
    )


def _passage_rules(mode: CameraMode, *, is_still: bool) -> PassageRules:
    if mode is CameraMode.GATE:
        return STILL_GATE_PASSAGES if is_still else GATE_PASSAGES
    return STILL_ROAD_PASSAGES if is_still else ROAD_PASSAGES
