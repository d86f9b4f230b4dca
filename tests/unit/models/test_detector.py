# SPDX-License-Identifier: AGPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.datasets.synth.scene import RoadPicture, training_scene
from models.errors import InvalidImageError, ModelFormatError, ModelsError
from models.runtime.detector import Detector, DetectorConfig
from models.runtime.images import cropped, letterboxed, network_input
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR, load_model
from models.runtime.sessions import open_session
from models.runtime.values import Backend, BgrImage, BoxPx, Detection, overlap

MAX_SCENES = 20
READABLE_WIDTH_PX = 45


@pytest.fixture(scope="module")
def road() -> RoadPicture:
    """The first scene with a plate that is large enough to be found for certain."""
    scenes = (training_scene(np.random.default_rng([5, seed])) for seed in range(MAX_SCENES))
    return next(scene for scene in scenes if readable_plates(scene))


@pytest.fixture(scope="module")
def plate_detector() -> Detector:
    return Detector.open(PLATE_DETECTOR)


def readable_plates(scene: RoadPicture) -> list[BoxPx]:
    return [box for box in scene.plate_boxes_px if box.width >= READABLE_WIDTH_PX]


def has_plate(detections: list[Detection], box_px: BoxPx) -> bool:
    """Found, with the margin that boxes have in the pool but not in the rendered truth."""
    return any(overlap(one.box_px, box_px.padded(0.08)) >= 0.5 for one in detections)


def has_box(detections: list[Detection], box_px: BoxPx) -> bool:
    return any(overlap(one.box_px, box_px) >= 0.5 for one in detections)


def test_the_plates_of_a_rendered_road_are_found(
    plate_detector: Detector, road: RoadPicture
) -> None:
    detections = plate_detector.detect(road.image)

    assert all(has_plate(detections, box) for box in readable_plates(road))
    assert {one.label for one in detections} == {"plate"}


def test_the_vehicles_of_a_rendered_road_are_found(road: RoadPicture) -> None:
    detections = Detector.open(VEHICLE_DETECTOR).detect(road.image)

    assert any(has_box(detections, one.box_px) for one in road.vehicles)
    assert {one.label for one in detections} <= {"car", "motorcycle", "bus", "truck"}


@pytest.mark.parametrize("name", [PLATE_DETECTOR, VEHICLE_DETECTOR])
def test_both_libraries_find_the_same_boxes(name: str, road: RoadPicture) -> None:
    openvino, onnxruntime = (
        Detector.open(name, backend=backend).detect(road.image)
        for backend in (Backend.OPENVINO, Backend.ONNXRUNTIME)
    )

    assert len(openvino) == len(onnxruntime) > 0
    for left, right in zip(openvino, onnxruntime, strict=True):
        assert left.label == right.label
        assert left.confidence == pytest.approx(right.confidence, abs=0.005)
        assert overlap(left.box_px, right.box_px) > 0.98


def test_detections_come_surest_first_and_inside_the_picture(road: RoadPicture) -> None:
    detector = Detector.open(VEHICLE_DETECTOR, min_confidence=0.01)

    detections = detector.detect(road.image)

    height, width = road.image.shape[:2]
    confidences = [one.confidence for one in detections]
    assert confidences == sorted(confidences, reverse=True)
    assert len(detections) > 1
    assert all(one.box_px.clipped(width=width, height=height) == one.box_px for one in detections)
    assert all(one.box_px.width > 0 and one.box_px.height > 0 for one in detections)


def test_a_higher_threshold_only_takes_away(plate_detector: Detector, road: RoadPicture) -> None:
    strict = Detector.open(PLATE_DETECTOR, min_confidence=0.6)

    few, many = strict.detect(road.image), plate_detector.detect(road.image)

    assert few == [one for one in many if one.confidence >= 0.6]


def test_a_detector_carries_the_digest_of_its_weights(plate_detector: Detector) -> None:
    assert plate_detector.digest == load_model(PLATE_DETECTOR).sha256
    assert plate_detector.labels == ("plate",)
    assert plate_detector.backend in {Backend.OPENVINO, Backend.ONNXRUNTIME}


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 60), dtype=np.uint8),  # grey
        np.zeros((40, 60, 1), dtype=np.uint8),
        np.zeros((40, 60, 4), dtype=np.uint8),  # with transparency
        np.zeros((0, 60, 3), dtype=np.uint8),
        np.zeros((40, 0, 3), dtype=np.uint8),
        np.zeros((40, 60, 3), dtype=np.float32),
        np.zeros((2, 20_000, 3), dtype=np.uint8),
    ],
    ids=["grey", "one-channel", "four-channels", "no-rows", "no-columns", "floats", "too-wide"],
)
def test_an_array_that_is_no_picture_is_refused(plate_detector: Detector, image: BgrImage) -> None:
    with pytest.raises(InvalidImageError):
        plate_detector.detect(image)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (900, 1, 3), (33, 31, 3)])
def test_tiny_and_narrow_pictures_give_an_answer(
    plate_detector: Detector, shape: tuple[int, int, int]
) -> None:
    detections = plate_detector.detect(np.full(shape, 127, dtype=np.uint8))

    assert all(one.box_px.x_max <= shape[1] for one in detections)


def test_a_smaller_input_may_be_asked_for_but_only_in_whole_strides() -> None:
    quick = Detector.open(PLATE_DETECTOR, input_px=320)

    assert quick.detect(np.zeros((90, 160, 3), dtype=np.uint8)) == []
    for side_px in (0, 100, 4096):
        with pytest.raises(ModelsError):
            Detector.open(PLATE_DETECTOR, input_px=side_px)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_a_senseless_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(ModelFormatError, match="threshold"):
        Detector.open(PLATE_DETECTOR, min_confidence=threshold)


def test_weights_with_other_classes_than_the_registry_says_are_refused() -> None:
    config = DetectorConfig(
        labels=("plate", "lorry"), input_px=64, stride_px=32, min_confidence=0.3, max_overlap=0.5
    )
    session = open_session(load_model(PLATE_DETECTOR).path)
    detector = Detector(session, config=config, digest="")

    with pytest.raises(ModelFormatError, match=r"a detector gives \(1, 6, n\)"):
        detector.detect(np.zeros((64, 64, 3), dtype=np.uint8))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    corner=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_box_comes_back_from_the_letterbox_where_it_was(
    width: int, height: int, corner: tuple[float, float]
) -> None:
    image = np.zeros((height, width, 3), dtype=np.uint8)

    fitted, letterbox = letterboxed(image, longest_side_px=320, stride_px=32)
    x, y = corner[0] * width, corner[1] * height
    inside = np.array(
        [
            x * letterbox.scale + letterbox.left_px,
            y * letterbox.scale + letterbox.top_px,
            width * letterbox.scale + letterbox.left_px,
            height * letterbox.scale + letterbox.top_px,
        ],
        dtype=np.float32,
    )
    back = letterbox.to_picture(inside)

    assert fitted.shape[0] % 32 == fitted.shape[1] % 32 == 0
    assert max(fitted.shape) == 320
    assert back.x_min == pytest.approx(x, abs=0.01 * max(width, height))
    assert back.y_max == pytest.approx(height, abs=0.01 * max(width, height))


def test_the_network_sees_red_first_and_numbers_from_0_to_1() -> None:
    image = np.zeros((2, 2, 3), dtype=np.uint8)
    image[:, :] = (0, 51, 255)  # blue, green, red

    batch = network_input(image)

    assert batch.shape == (1, 3, 2, 2)
    assert batch[0, :, 0, 0].tolist() == pytest.approx([1.0, 0.2, 0.0])


def test_a_crop_is_a_copy_clipped_to_the_picture_and_never_empty() -> None:
    image = np.arange(10 * 20 * 3, dtype=np.uint8).reshape(10, 20, 3)

    inside = cropped(image, BoxPx(x_min=2.5, y_min=1.2, x_max=5.5, y_max=3.0))
    outside = cropped(image, BoxPx(x_min=100.0, y_min=100.0, x_max=120.0, y_max=130.0))
    inside[:] = 0

    assert inside.shape == (2, 4, 3)  # rows 1 to 3, columns 2 to 6
    assert outside.shape == (1, 1, 3)
    assert image[1:3, 2:6].any()


@pytest.mark.parametrize(
    ("width_px", "side_px"),
    [(400, 512), (512, 512), (513, 640), (1920, 640)],
)
def test_a_picture_no_longer_than_the_small_input_is_not_enlarged_further(
    width_px: int, side_px: int
) -> None:
    config = DetectorConfig(
        labels=("plate",),
        input_px=640,
        small_input_px=512,
        stride_px=32,
        min_confidence=0.3,
        max_overlap=0.5,
    )

    assert config.side_px(np.zeros((300, width_px, 3), np.uint8)) == side_px


@pytest.mark.parametrize("small_px", [500, 672, 0])
def test_a_small_input_that_does_not_fit_is_refused(small_px: int) -> None:
    with pytest.raises(ModelFormatError, match="small_input_px"):
        DetectorConfig(
            labels=("plate",),
            input_px=640,
            small_input_px=small_px,
            stride_px=32,
            min_confidence=0.3,
            max_overlap=0.5,
        )
