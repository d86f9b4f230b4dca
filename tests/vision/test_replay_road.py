# SPDX-License-Identifier: AGPL-3.0-or-later
"""Real roads: every vehicle once, and nothing that a road can show ends the replay."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.errors import EXIT_OK

pytestmark = [pytest.mark.vision, pytest.mark.timeout(180)]


def replayed(source: Path, events: Path, *options: str) -> list[dict[str, Any]]:
    """Passages of a replay as the events file has them; values are JSON's."""
    if not source.is_file():
        pytest.skip(f"the recording is not here: ../shared/data/videos/{source.name}")
    arguments = ["replay", str(source), "--mode", "road", "--offline", "--events", str(events)]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert result.exit_code == EXIT_OK, result.output
    return [json.loads(line) for line in events.read_text().splitlines()]


def test_four_cars_seen_from_above_are_four_passages(shared_data: Path, tmp_path: Path) -> None:
    video = shared_data / "videos" / "intel_car-detection.mp4"

    passages = replayed(video, tmp_path / "events.jsonl", "--every", "2")

    assert Counter(passage["direction"] for passage in passages) == {"up": 2, "down": 2}


@pytest.mark.parametrize(
    ("name", "every", "most"),
    [
        ("otvision_Cars-Truck.mp4", 2, 15),
        ("otvision_Cars-Cyclist.mp4", 2, 15),
        ("idtoll_km39_night_5fps.mp4", 3, 150),
        ("opendatacam_640x360.mp4", 6, 150),
    ],
)
def test_roads_of_other_countries_and_the_night_give_believable_passages(
    shared_data: Path, tmp_path: Path, name: str, every: int, most: int
) -> None:
    video = shared_data / "videos" / name

    passages = replayed(video, tmp_path / "events.jsonl", "--every", str(every))

    assert len(passages) <= most
    for passage in passages:
        assert passage["first_seen"] <= passage["time"] <= passage["last_seen"]
        assert passage["class"] in {"car", "motorcycle", "bus", "truck"}
        x_min, y_min, x_max, y_max = passage["box"]
        assert 0 <= x_min < x_max
        assert 0 <= y_min < y_max
