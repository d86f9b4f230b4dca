# SPDX-License-Identifier: AGPL-3.0-or-later
import numpy as np
import pytest

from models.datasets.synth.plates import PlateSpec, render_plate
from models.datasets.synth.scene import training_scene
from models.reading.finding import PlateFinder
from models.reading.picture_files import Picture
from models.reading.plates import PictureReader, is_cut
from models.runtime.detector import Detector
from models.runtime.images import MAX_SIDE_PX
from models.runtime.registry import PLATE_DETECTOR
from models.runtime.values import BgrImage, BoxPx, PlateColour, PlateLayout, overlap

CLEAR_PLATE_PX = 90.0


@pytest.fixture(scope="module")
def finder() -> PlateFinder:
    return PlateFinder.open()


@pytest.fixture(scope="module")
def road() -> tuple[BgrImage, BoxPx]:
    """A rendered road with a plate that a detector finds in it."""
    detector = Detector.open(PLATE_DETECTOR)
    for seed in range(30):
        picture = training_scene(np.random.default_rng(seed))
        for box in picture.plate_boxes_px:
            is_found = any(
                overlap(box, item.box_px) > 0.5 for item in detector.detect(picture.image)
            )
            if box.width > CLEAR_PLATE_PX and is_found:
                return picture.image, box
    raise AssertionError("no rendered road shows a clear plate")


def placed(road: BgrImage, *, width_px: int, height_px: int, x_px: int, y_px: int) -> BgrImage:
    """The road as a small part of a large grey picture."""
    large = np.full((height_px, width_px, 3), 120, np.uint8)
    large[y_px : y_px + road.shape[0], x_px : x_px + road.shape[1]] = road
    return large


def moved(box: BoxPx, *, x_px: int, y_px: int) -> BoxPx:
    return BoxPx(
        x_min=box.x_min + x_px, y_min=box.y_min + y_px,
        x_max=box.x_max + x_px, y_max=box.y_max + y_px,
    )  # fmt: skip


def test_a_small_plate_of_a_twelve_megapixel_picture_is_found(
    finder: PlateFinder, road: tuple[BgrImage, BoxPx]
) -> None:
    image, box = road
    large = placed(image, width_px=4000, height_px=3000, x_px=2200, y_px=1300)
    wanted = moved(box, x_px=2200, y_px=1300)
    assert wanted.width / 4000 * 640 < 25

    found = finder.find(large)

    assert any(overlap(wanted, plate.box_px) >= 0.5 for plate in found)


def test_further_looks_find_nothing_where_there_is_nothing(finder: PlateFinder) -> None:
    rng = np.random.default_rng(5)
    for texture in (
        np.full((3000, 4000, 3), 120, np.uint8),
        rng.integers(0, 256, (1500, 2000, 3), np.uint8),
    ):
        assert finder.find(texture) == ()


def test_every_plate_comes_once_and_the_surest_first(
    finder: PlateFinder, road: tuple[BgrImage, BoxPx]
) -> None:
    image, _ = road
    found = finder.find(placed(image, width_px=2400, height_px=1800, x_px=0, y_px=0))

    assert [item.confidence for item in found] == sorted(
        (item.confidence for item in found), reverse=True
    )
    for index, item in enumerate(found):
        assert all(overlap(item.box_px, other.box_px) < 0.5 for other in found[:index])


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, MAX_SIDE_PX)])
def test_the_oddest_shapes_are_looked_at(finder: PlateFinder, shape: tuple[int, int]) -> None:
    assert finder.find(np.full((*shape, 3), 200, np.uint8)) == ()


def test_boxes_of_a_shrunk_picture_are_told_in_pixels_of_the_file(
    road: tuple[BgrImage, BoxPx],
) -> None:
    image, box = road
    height, width = image.shape[:2]
    reader = PictureReader.open()
    picture = Picture(image=image, width_px=width * 4, height_px=height * 4, shrunk_by=4)

    found = reader.plates(picture)

    quarter = [
        BoxPx(
            x_min=plate.box_px.x_min / 4, y_min=plate.box_px.y_min / 4,
            x_max=plate.box_px.x_max / 4, y_max=plate.box_px.y_max / 4,
        )
        for plate in found
    ]  # fmt: skip
    assert any(overlap(box, item) > 0.5 for item in quarter)


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ((100, 100, 200, 150), False),
        ((0, 100, 100, 150), True),
        ((100, 2, 200, 50), True),
        ((540, 300, 640, 350), True),
        ((100, 430, 200, 480), True),
        # 0.004 of 640 is 2.56 pixels.
        ((3, 100, 100, 150), False),
        # The plate is what the picture was taken of.
        ((0, 100, 400, 200), False),
    ],
)
def test_a_plate_at_the_edge_is_cut_unless_it_is_most_of_the_picture(
    corners: tuple[float, float, float, float], *, expected: bool
) -> None:
    x_min, y_min, x_max, y_max = corners
    box = BoxPx(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)

    assert is_cut(box, np.zeros((480, 640, 3), np.uint8)) is expected


def test_overlap_is_intersection_over_union() -> None:
    def square(x: float, size: float) -> BoxPx:
        return BoxPx(x_min=x, y_min=0, x_max=x + size, y_max=size)

    # Two squares of 4, shared 2: 2 / (4 + 4 - 2).
    assert overlap(square(0, 2), square(1, 2)) == pytest.approx(1 / 3)
    assert overlap(square(0, 2), square(5, 2)) == 0
    assert overlap(square(0, 0), square(0, 0)) == 0


def test_a_plate_that_fills_a_small_part_of_its_crop_is_read() -> None:
    reader = PictureReader.open()
    spec = PlateSpec(
        text="47AD15155",
        layout=PlateLayout.TWO_LINE,
        colour=PlateColour.WHITE,
        format_id="moto_private_new",
    )
    plate = render_plate(spec, height_px=90)
    crop = placed(plate, width_px=420, height_px=380, x_px=90, y_px=240)

    (read,) = reader.read([crop])

    assert read.reading.text == spec.text
    assert read.is_answered
