# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the corner network and the reader learn from; rendered plates stand for real ones."""

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.datasets.synth.camera import NO_DEGRADATION, photographed, random_severity
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.errors import DatasetError
from models.runtime.corners import PlateCorners, flattened, frame_corners
from models.runtime.values import BgrImage
from models.training.plates.corner_data import stream_corner_batches
from models.training.plates.plate_views import PlateScenePicture, reprojected
from models.training.plates.reader_data import Pictures, sampling_weights, stream_batches
from models.training.plates.reader_samples import (
    BLANK,
    IGNORED,
    RealPlate,
    RenderedPlates,
    encode_text,
    illegible_sample,
    not_plate_sample,
    real_sample,
)
from models.training.plates.real_crops import load_reviewed_crops


@pytest.fixture(scope="module")
def plates() -> tuple[RealPlate, ...]:
    """Photographed plates with their corners."""
    rng = np.random.default_rng(8)
    result = []
    for number in range(6):
        spec = random_plate_spec(rng)
        sheet = render_plate(spec, height_px=90, rng=rng)
        shot = photographed(sheet, rng=rng, severity=random_severity(rng))
        result.append(
            RealPlate(
                image=shot.image,
                corners_px=shot.corners_px,
                text=spec.text,
                layout=spec.layout,
                group=f"plate-{number:04d}",
            )
        )
    return tuple(result)


@pytest.fixture(scope="module")
def grounds() -> tuple[BgrImage, ...]:
    rng = np.random.default_rng(9)
    return tuple(rng.integers(0, 256, (60, 90, 3)).astype(np.uint8) for _ in range(3))


def test_a_text_is_filled_up_with_blanks() -> None:
    assert encode_text("51F1").tolist() == [5, 1, 15, 1, *[BLANK] * 6]


@pytest.mark.parametrize("text", ["ABCDEFGHIJK", "51F-123", "51f123"])
def test_a_text_that_no_plate_can_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ten characters"):
        encode_text(text)


def test_a_plate_seen_from_elsewhere_still_lies_between_its_corners() -> None:
    rng = np.random.default_rng(3)
    sheet = render_plate(random_plate_spec(rng), height_px=120)
    view = reprojected(sheet, frame_corners(sheet), rng=rng, severity=NO_DEGRADATION)

    flat = flattened(view.image, view.corners_px, height_px=64, width_px=192)
    expected = flattened(sheet, frame_corners(sheet), height_px=64, width_px=192)

    # The margin shows what lies around; inside, both show the same plate.
    inside = (slice(8, 56), slice(12, 180))
    assert np.abs(flat[inside].astype(int) - expected[inside]).mean() < 15


def test_a_rendered_plate_is_photographed_twice_before_the_next_is_drawn(
    grounds: tuple[BgrImage, ...],
) -> None:
    rng = np.random.default_rng(4)
    rendered = RenderedPlates()

    texts = [tuple(rendered.sample(rng, grounds).characters) for _ in range(6)]

    assert texts[0::2] == texts[1::2]
    assert len(set(texts)) == 3


def test_a_real_plate_keeps_its_text_and_has_no_known_colour(
    plates: tuple[RealPlate, ...], grounds: tuple[BgrImage, ...]
) -> None:
    sample = real_sample(plates[0], np.random.default_rng(5), grounds)

    assert sample.characters.tolist() == encode_text(plates[0].text).tolist()
    assert sample.colour == IGNORED
    assert sample.is_legible
    assert sample.is_genuine


def test_what_is_no_plate_teaches_no_text(grounds: tuple[BgrImage, ...]) -> None:
    rng = np.random.default_rng(6)

    nothing, blurred = not_plate_sample(rng, grounds), illegible_sample(rng, grounds)

    assert set(nothing.characters.tolist()) == set(blurred.characters.tolist()) == {IGNORED}
    assert (nothing.is_genuine, nothing.is_legible) == (False, None)
    assert (blurred.is_genuine, blurred.is_legible) == (None, False)


def test_a_run_that_goes_on_sees_the_batches_it_would_have_seen(
    plates: tuple[RealPlate, ...], grounds: tuple[BgrImage, ...]
) -> None:
    weights = np.full(len(plates), 1 / len(plates))
    pictures = Pictures(plates=plates, weights=weights, grounds=grounds)
    finder = PlateCorners.open()

    def batches(first_step: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        stream = stream_batches(
            pictures, finder=finder, seed=7, first_step=first_step, batch_size=12, real_share=0.5
        )
        return [batch.pictures for batch in itertools.islice(stream, 2)]

    whole, resumed = batches(0), batches(1)

    assert whole[0].shape == (12, 64, 192, 3)
    assert np.array_equal(whole[1], resumed[0])
    assert not np.array_equal(whole[0], whole[1])


def test_corner_batches_name_corners_as_shares_of_the_crop(
    plates: tuple[RealPlate, ...], grounds: tuple[BgrImage, ...]
) -> None:
    scenes = [PlateScenePicture(image=one.image, corners_px=one.corners_px) for one in plates]

    batch = next(
        stream_corner_batches(scenes, grounds, seed=2, first_step=0, batch_size=16, real_share=0.5)
    )

    assert batch.pictures.shape == (16, 48, 96, 3)
    assert batch.corners.shape == (16, 8)
    assert np.abs(batch.corners - 0.5).max() < 1.0
    assert set(np.round(batch.weights.astype(float), 3)) <= {0.4, 1.0}


def test_hard_plates_are_drawn_more_often_and_repeated_ones_less(
    plates: tuple[RealPlate, ...],
) -> None:
    # Four pictures of one plate count half each; a weight of 3 makes one of them 1.5 again.
    same = [replace(plate, group="plate-0001") for plate in plates[:4]]

    weights = sampling_weights([*same, plates[5]], boosts=[3.0, 1.0, 1.0, 1.0, 1.0])

    assert weights / weights[4] == pytest.approx([1.5, 0.5, 0.5, 0.5, 1.0])
    assert weights.sum() == pytest.approx(1.0)


def test_reviewed_crops_join_the_training_until_they_expire(tmp_path: Path) -> None:
    (tmp_path / "crops").mkdir()
    cv2.imwrite(str(tmp_path / "crops" / "a.png"), np.full((30, 60, 3), 200, np.uint8))
    (tmp_path / "labels.csv").write_text(
        "file,text,lines,source,reviewed_on,expires_on\n"
        "a.png,30A12345,2,gate-3,2026-03-01,2026-03-11\n",
        encoding="utf-8",
    )

    today = load_reviewed_crops(tmp_path, today=date(2026, 3, 10))
    later = load_reviewed_crops(tmp_path, today=date(2026, 3, 11))

    assert [(crop.text, crop.source, crop.image.shape) for crop in today] == [
        ("30A12345", "gate-3", (30, 60, 3))
    ]
    assert "30A12345" not in today[0].group
    assert later == ()


def test_a_reviewed_folder_with_a_wrong_line_trains_nothing(tmp_path: Path) -> None:
    (tmp_path / "crops").mkdir()
    (tmp_path / "labels.csv").write_text(
        "file,text,lines,source,reviewed_on,expires_on\na.png,30A12345,2,gate-3,today,never\n",
        encoding="utf-8",
    )

    with pytest.raises(DatasetError, match="reviewed check"):
        load_reviewed_crops(tmp_path, today=date(2026, 3, 10))
