# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demonstration renders its road once, and refuses what can't be played before it starts."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.demo.choices import Ending
from deploy.demo.clip import clip_path, demonstration_plan, ready_clip
from deploy.demo.command import run_demo
from deploy.demo.playing import DemoSourceError
from models.datasets.synth.road.plan import demo_plan


def test_a_source_that_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"

    with pytest.raises(DemoSourceError, match="is not there"):
        run_demo(source=str(tmp_path / "no-video.mp4"), home=home, ending=Ending.STOP)

    assert not home.exists()


def test_a_clip_is_rendered_once_and_an_older_one_is_removed(tmp_path: Path) -> None:
    plan = replace(demo_plan(vehicle_count=1, seed=2), frame_count=40)
    old = tmp_path / "road-000000000000.mp4"
    old.touch()
    rendered: list[int] = []

    first = ready_clip(tmp_path, plan, on_frame=rendered.append)
    second = ready_clip(tmp_path, plan, on_frame=rendered.append)

    assert first == second
    assert rendered == list(range(40))
    assert not old.exists()


def test_another_plan_has_another_file(tmp_path: Path) -> None:
    plan = demonstration_plan()

    assert clip_path(tmp_path, plan) == clip_path(tmp_path, demonstration_plan())
    assert clip_path(tmp_path, plan) != clip_path(tmp_path, replace(plan, seed=plan.seed + 1))
