# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes a rendered clip as a video file with its truth beside it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np

from models.datasets.synth.road.plan import Heading, PlateSight, ScenePlan, VehicleTruth
from models.datasets.synth.scene import render_clip, scene_truth
from models.runtime.values import BoxPx, PlateColour, PlateLayout, VehicleClass

QUALITY: Final = "25"
"""Constant rate factor of H.264; higher is smaller and blurs plates."""

KEY_FRAME_EVERY_S: Final = 2


def write_clip(
    plan: ScenePlan, video: Path, *, on_frame: Callable[[int], None] = lambda _index: None
) -> tuple[VehicleTruth, ...]:
    """Render a plan into an MP4 file and its truth into a JSON file of the same name.

    Both appear under their names only when they are whole. The memory used does not depend on
    the length of the clip.

    Args:
        plan: What to render; the same plan gives the same pictures.
        video: File to write, ``.mp4``; an existing one is replaced.
        on_frame: Called with each frame's index once it is encoded.

    Returns:
        The truth.
    """
    unfinished = video.with_suffix(".part")
    with av.open(str(unfinished), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(plan.frames_per_s))
        stream.width, stream.height = plan.lens.width_px, plan.lens.height_px
        stream.pix_fmt = "yuv420p"
        stream.gop_size = plan.frames_per_s * KEY_FRAME_EVERY_S
        stream.thread_count = 1
        stream.options = {"preset": "ultrafast", "crf": QUALITY}
        rng = np.random.default_rng(plan.seed + 1)
        for index, image in enumerate(render_clip(plan, rng=rng)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            on_frame(index)
        container.mux(stream.encode())
    truth = scene_truth(plan)
    write_truth(truth, truth_path(video))
    unfinished.replace(video)
    return truth


def truth_path(video: Path) -> Path:
    """Where the truth about a video lies."""
    return video.with_suffix(".truth.json")


def write_truth(truth: tuple[VehicleTruth, ...], path: Path) -> None:
    """Write what is known about a clip."""
    rows = [asdict(vehicle) for vehicle in truth]
    path.write_text(json.dumps({"vehicles": rows}) + "\n", encoding="utf-8")


def read_truth(path: Path) -> tuple[VehicleTruth, ...]:
    """Read what ``write_truth`` wrote.

    Raises:
        OSError: The file can't be read.
        ValueError: It is not such a file.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))["vehicles"]
    return tuple(
        VehicleTruth(
            number=row["number"],
            vehicle_class=VehicleClass(row["vehicle_class"]),
            heading=Heading(row["heading"]),
            plate_text=row["plate_text"],
            plate_layout=PlateLayout(row["plate_layout"]),
            plate_colour=PlateColour(row["plate_colour"]),
            first_frame=row["first_frame"],
            line_frame=row["line_frame"],
            last_frame=row["last_frame"],
            readable_frames=row["readable_frames"],
            sights=tuple(
                PlateSight(frame=sight["frame"], box_px=BoxPx(**sight["box_px"]))
                for sight in row["sights"]
            ),
        )
        for row in rows
    )
