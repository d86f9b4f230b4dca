# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demonstration's clip: rendered once, and again when the renderer has changed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import models.datasets.synth
from models.datasets.synth.road.plan import ScenePlan, VehicleTruth, demo_plan
from models.datasets.synth.scene_video import read_truth, truth_path, write_clip

VEHICLES: Final = 24
SEED: Final = 7
DIGEST_CHARACTERS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A video and what it shows."""

    video: Path
    truth: tuple[VehicleTruth, ...]
    plan: ScenePlan


def demonstration_plan() -> ScenePlan:
    """What the demonstration shows."""
    return demo_plan(vehicle_count=VEHICLES, seed=SEED)


def clip_path(folder: Path, plan: ScenePlan) -> Path:
    """Where a plan's clip lies; another renderer or another plan has another name."""
    digest = hashlib.sha256(repr(plan).encode())
    renderer = Path(models.datasets.synth.__file__).parent
    for module in sorted(renderer.rglob("*.py")):
        digest.update(module.read_bytes())
    return folder / f"road-{digest.hexdigest()[:DIGEST_CHARACTERS]}.mp4"


def ready_clip(folder: Path, plan: ScenePlan, *, on_frame: Callable[[int], None]) -> Clip:
    """The clip of a plan, rendered unless it lies there already.

    Args:
        folder: Where clips are kept; clips of older renderers are removed from it.
        plan: What to show.
        on_frame: Called with each frame's index while rendering.
    """
    folder.mkdir(parents=True, exist_ok=True)
    video = clip_path(folder, plan)
    if video.is_file() and truth_path(video).is_file():
        return Clip(video=video, truth=read_truth(truth_path(video)), plan=plan)
    for old in folder.glob("road-*"):
        old.unlink()
    return Clip(video=video, truth=write_clip(plan, video, on_frame=on_frame), plan=plan)
