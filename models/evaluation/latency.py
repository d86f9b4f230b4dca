# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long one picture takes on one core, by inference library.

Figures of one machine at one time; they are reported with it and never
asserted. Medians, because a shared machine has bad moments.
"""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import psutil
from numpy.random import default_rng

from models.datasets.synth.camera import Severity, photograph
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.evaluation.figures.intervals import Estimate, bootstrap_estimate
from models.runtime.detector import Detector
from models.runtime.images import cropped
from models.runtime.reader import PlateReader
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR
from models.runtime.values import Backend, BgrImage

REPEATS: Final = 60
_WARM_UP: Final = 5
_LARGE_PX: Final = (1920, 1080)
_PICTURES: Final = 6
_SEED: Final = 77
_MILD: Final = Severity(
    viewpoint=0.2, blur=0.2, noise=0.2, light=0.2, weather=0.1, compression=0.2, jitter=0.3
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long one step takes.

    Attributes:
        step: What was timed.
        backend: Inference library.
        repeats: How often.
        median_ms: Median with its 95 % interval.
        p90_ms: What nine of ten runs stay below.
    """

    step: str
    backend: str
    repeats: int
    median_ms: Estimate
    p90_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where figures were measured."""

    processor: str
    cores: int
    memory_gib: float
    load: float
    system: str
    python: str
    libraries: tuple[str, ...]


def this_machine() -> Machine:
    """The machine that runs this, and how busy it is now."""
    names = ("openvino", "onnxruntime", "numpy", "opencv-python-headless")
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        load=round(os.getloadavg()[0], 1),
        system=platform.system(),
        python=platform.python_version(),
        libraries=tuple(f"{name} {importlib.metadata.version(name)}" for name in names),
    )


def measure_latency(
    frames: Sequence[BgrImage],
    *,
    backends: Sequence[Backend] = (Backend.OPENVINO, Backend.ONNXRUNTIME),
    repeats: int = REPEATS,
) -> tuple[Latency, ...]:
    """Time the released models on gate frames, one thread each.

    Args:
        frames: Pictures of one vehicle and its plate, as a gate's camera takes them.
        backends: Libraries to compare.
        repeats: Timed runs per step.

    Returns:
        Both detectors, the reader on one crop, and plate detector plus reader
        from the whole picture to the text, as it is and enlarged to a usual
        camera's size; for every library.
    """
    crops = plate_crops()
    large = [_enlarged(frame) for frame in frames]
    found = []
    for backend in backends:
        plates = Detector.open(PLATE_DETECTOR, backend=backend)
        vehicles = Detector.open(VEHICLE_DETECTOR, backend=backend)
        reader = PlateReader.open(backend=backend)

        def picture_to_text(
            frame: BgrImage, plates: Detector = plates, reader: PlateReader = reader
        ) -> object:
            boxes = [one.box_px for one in plates.detect(frame)]
            return reader.read([cropped(frame, box) for box in boxes])

        def read_one(crop: BgrImage, reader: PlateReader = reader) -> object:
            return reader.read([crop])

        for step, run, pictures in (
            ("plate detector, one frame", plates.detect, frames),
            ("vehicle detector, one frame", vehicles.detect, frames),
            ("plate reader, one crop", read_one, crops),
            ("whole picture to plate text", picture_to_text, frames),
            (f"the same, {_LARGE_PX[0]} x {_LARGE_PX[1]} px", picture_to_text, large),
        ):
            times = times_ms(run, pictures, repeats=repeats)
            found.append(latency_of(step, backend=backend.value, times=times))
    return tuple(found)


def times_ms(
    run: Callable[[BgrImage], object], pictures: Sequence[BgrImage], *, repeats: int
) -> list[float]:
    """Milliseconds of every timed run; the pictures take turns, the first runs are not counted."""
    times = []
    for number in range(-_WARM_UP, repeats):
        picture = pictures[number % len(pictures)]
        start = time.perf_counter()
        run(picture)
        if number >= 0:
            times.append((time.perf_counter() - start) * 1000)
    return times


def latency_of(step: str, *, backend: str, times: Sequence[float]) -> Latency:
    """Median and its interval of some times in milliseconds."""
    values = np.sort(np.array(times, dtype=np.float64))
    return Latency(
        step=step,
        backend=backend,
        repeats=len(times),
        median_ms=bootstrap_estimate(
            lambda counts: float(np.median(np.repeat(values, counts))), units=len(values)
        ),
        p90_ms=float(np.percentile(values, 90)),
    )


def plate_crops() -> tuple[BgrImage, ...]:
    """Rendered crops of mild conditions."""
    rng = default_rng(_SEED)
    return tuple(
        photograph(
            render_plate(random_plate_spec(rng), height_px=120, rng=rng), rng=rng, severity=_MILD
        )
        for _ in range(_PICTURES)
    )


def _enlarged(frame: BgrImage) -> BgrImage:
    return np.asarray(cv2.resize(frame, _LARGE_PX, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
