# SPDX-License-Identifier: AGPL-3.0-or-later
"""The story's clips: rendered, and tried on the reader before anybody is told a story with them.

Readers misread some plates, and a story in which the wrong vehicle is charged shows nothing. So a
clip is played offline first; a vehicle whose plate was misread gets another plate, a few times at
most. What was read is kept beside the clip, so that this is done once.

Run as a module, it makes a run's clips at the lowest priority, while the road is played.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.demo.clip import clip_path
from deploy.demo.story.cast import Cast, Member, Part, draw_cast
from deploy.errors import LocalStackError
from models.datasets.synth.road.lane import lane_plan
from models.datasets.synth.road.plan import ScenePlan, VehicleTruth
from models.datasets.synth.scene_video import read_truth, truth_path, write_clip

SEED: Final = 5
TRIES_MAX: Final = 6
TRY_LIMIT_S: Final = 300
SURE_FROM: Final = 0.92
"""Probability from which a reading counts here: alerts need 0.9 (``central.control.rules``)."""

LOWEST_PRIORITY: Final = 19
_ARGUMENTS: Final = 3


class StoryClipError(LocalStackError):
    """No cast was found whose plates are all read right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneClip:
    """A video of the lane and who drives through it."""

    video: Path
    plan: ScenePlan
    truth: tuple[VehicleTruth, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryClips:
    """Both clips of a run.

    Attributes:
        lane: All vehicles.
        again: The truck alone, once it has its badge.
        tries: Clips that were rendered and tried until every plate was read right.
    """

    cast: Cast
    lane: LaneClip
    again: LaneClip
    tries: int


def ready_clips(folder: Path, run: int) -> StoryClips:
    """The clips of a run, rendered and tried unless they lie there.

    Raises:
        StoryClipError: Some plate was misread at every try.
    """
    folder.mkdir(parents=True, exist_ok=True)
    redrawn: dict[Part, int] = {}
    for number in range(1, TRIES_MAX + 1):
        cast = draw_cast(run, redrawn)
        # The truck alone first: it is the shorter clip, and the only vehicle that is new.
        again = _ready(folder, [cast.truck])
        missed = misread(again)
        if not missed:
            lane = _ready(folder, cast.in_lane())
            missed = misread(lane)
            if not missed:
                return StoryClips(cast=cast, lane=lane, again=again, tries=number)
        for part in missed:
            redrawn[part] = redrawn.get(part, 0) + 1
    raise StoryClipError(
        f"no plates were found that the reader reads right in {TRIES_MAX} tries; the models or the"
        " renderer have changed for the worse"
    )


def untried_clips(folder: Path, run: int) -> StoryClips:
    """The clips of a run's first cast, rendered unless they lie there; plates may be misread."""
    folder.mkdir(parents=True, exist_ok=True)
    cast = draw_cast(run, {})
    again, lane = _ready(folder, [cast.truck]), _ready(folder, cast.in_lane())
    return StoryClips(cast=cast, lane=lane, again=again, tries=0)


def misread(clip: LaneClip) -> list[Part]:
    """Whose plate is not read exactly and surely when the clip is played to the device offline."""
    stamp = clip.video.with_suffix(".read.json")
    if not stamp.is_file():
        fresh = stamp.with_suffix(".new")
        _play_offline(clip.video, events=fresh)
        fresh.replace(stamp)
    lines = stamp.read_text(encoding="utf-8").splitlines()
    readings = [json.loads(line) for line in lines]
    sure = [each["plate"] for each in readings if (each["probability"] or 0.0) >= SURE_FROM]
    return [each.part for each in clip.members if sure.count(each.plate) != 1]


def start_rendering(folder: Path, run: int, *, log_file: Path) -> subprocess.Popen[bytes]:
    """Make the clips in a process of its own, at the lowest priority."""
    with log_file.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.demo.story.clips", str(folder), str(run)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _ready(folder: Path, members: Sequence[Member]) -> LaneClip:
    plan = lane_plan([each.shown() for each in members], seed=SEED)
    road = clip_path(folder, plan)
    video = road.with_name(road.name.replace("road-", "lane-"))
    if video.is_file() and truth_path(video).is_file():
        truth = read_truth(truth_path(video))
    else:
        truth = write_clip(plan, video)
    return LaneClip(video=video, plan=plan, truth=truth, members=tuple(members))


def _play_offline(video: Path, *, events: Path) -> None:
    """Have the device look at a clip as fast as it can, and send nothing."""
    command = [
        str(Path(sys.executable).with_name("luuthong-edge")),
        *("replay", str(video), "--mode", "gate", "--offline", "--events", str(events)),
    ]
    tried = subprocess.run(
        command, check=False, capture_output=True, timeout=TRY_LIMIT_S, text=True
    )
    if tried.returncode:
        raise StoryClipError(f"a clip can't be tried: {tried.stderr.strip()[-500:]}")


def _main() -> None:
    """Make a run's clips, slowly and unseen."""
    if len(sys.argv) != _ARGUMENTS:
        raise SystemExit(2)
    os.nice(LOWEST_PRIORITY)
    ready_clips(Path(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    _main()
