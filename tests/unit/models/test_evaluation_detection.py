# SPDX-License-Identifier: AGPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.datasets.pool import LabelledBox
from models.evaluation.detection import (
    DetectionScore,
    Matches,
    Outcome,
    Truth,
    detection_scores,
    match,
    picture_truths,
)
from models.evaluation.figures.intervals import Share
from models.runtime.values import BoxPx, Detection, overlap


def box(x_min: float, y_min: float, x_max: float, y_max: float) -> BoxPx:
    return BoxPx(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)


def found(label: str, confidence: float, box_px: BoxPx) -> Detection:
    return Detection(label=label, confidence=confidence, box_px=box_px)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # textbook values of Wilson's interval
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (98, 100, 0.9300, 0.9945),
    ],
)
def test_the_interval_is_wilsons(successes: int, trials: int, low: float, high: float) -> None:
    interval = Share(successes=successes, trials=trials).interval_95

    assert interval == pytest.approx((low, high), abs=5e-5)


def test_without_trials_nothing_is_known() -> None:
    share = Share(successes=0, trials=0)

    assert share.value is None
    assert share.interval_95 == (0.0, 1.0)
    assert str(share) == "no data"


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(pair: tuple[int, int]) -> None:
    share = Share(successes=pair[0], trials=pair[1])

    low, high = share.interval_95

    assert share.value is not None
    assert 0.0 <= low <= share.value <= high <= 1.0


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="must lie in 0 to"):
        Share(successes=3, trials=2)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (box(0, 0, 10, 10), 1.0),
        (box(5, 0, 15, 10), 50 / 150),  # half of each in common
        (box(0, 0, 10, 5), 0.5),
        (box(10, 0, 20, 10), 0.0),  # side by side
        (box(30, 30, 40, 40), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(other: BoxPx, expected: float) -> None:
    assert overlap(box(0, 0, 10, 10), other) == pytest.approx(expected)


def test_a_truth_is_given_away_once_and_to_the_surest() -> None:
    truths = [Truth(label="car", box_px=box(0, 0, 10, 10))]
    detections = [
        found("truck", 0.5, box(0, 0, 10, 10)),
        found("car", 0.9, box(0, 0, 10, 9)),
    ]

    matches = match(truths, detections)

    assert matches == Matches(found_as=("car",), is_right=(False, True))


def test_a_box_far_off_finds_nothing() -> None:
    truths = [Truth(label="car", box_px=box(0, 0, 10, 10))]

    matches = match(truths, [found("car", 0.9, box(6, 0, 16, 10))])

    assert matches == Matches(found_as=(None,), is_right=(False,))
    assert match([], []) == Matches(found_as=(), is_right=())


def test_labels_become_pixels_and_unused_classes_are_left_out() -> None:
    image = np.zeros((100, 200, 3), dtype=np.uint8)
    boxes = [
        LabelledBox(class_id=3, centre_x=0.5, centre_y=0.5, width=0.1, height=0.2),
        LabelledBox(class_id=5, centre_x=0.5, centre_y=0.5, width=0.1, height=0.2),
    ]

    truths = picture_truths(boxes, image=image, labels=("car", "truck"), class_of={0: 0, 3: 1})

    assert [one.label for one in truths] == ["truck"]
    corners = truths[0].box_px
    assert (corners.x_min, corners.y_min) == pytest.approx((90, 40))
    assert (corners.x_max, corners.y_max) == pytest.approx((110, 60))


def outcome(
    truths: list[Truth], detections: list[Detection], *, source: str = "a", is_night: bool = False
) -> Outcome:
    return Outcome(
        file="",
        source=source,
        is_night=is_night,
        truths=tuple(truths),
        detections=tuple(detections),
        width_px=300,
        height_px=300,
    )


def scores_by_slice(
    outcomes: list[Outcome], *, labels: tuple[str, ...] = ("car", "truck")
) -> dict[str, DetectionScore]:
    scores = detection_scores(outcomes, labels=labels, min_confidence=0.5)
    return {score.slice_name: score for score in scores}


def test_boxes_below_the_threshold_count_for_average_precision_only() -> None:
    truth = Truth(label="car", box_px=box(0, 0, 40, 40))

    score = scores_by_slice([outcome([truth], [found("car", 0.2, box(0, 0, 40, 40))])])["all"]

    assert (score.recall.successes, score.recall.trials) == (0, 1)
    assert score.precision.trials == 0
    assert score.ap50.value == pytest.approx(1.0)


def test_a_class_is_judged_by_its_own_boxes_and_all_whatever_the_label() -> None:
    truth = Truth(label="car", box_px=box(0, 0, 40, 40))

    scores = scores_by_slice([outcome([truth], [found("truck", 0.9, box(0, 0, 40, 40))])])

    assert scores["all"].ap50.value == pytest.approx(1.0)
    assert scores["all"].label_accuracy.value == 0.0
    assert scores["class car"].ap50.value == 0.0
    assert scores["class car"].recall.value == 1.0
    assert scores["class truck"].ap50.value is None


def test_a_slice_of_sizes_leaves_the_other_sizes_out() -> None:
    small, large = box(0, 0, 20, 20), box(100, 100, 250, 250)
    truths = [Truth(label="car", box_px=small), Truth(label="car", box_px=large)]

    scores = scores_by_slice([outcome(truths, [found("car", 0.9, large)])])

    assert scores["size small"].ap50.value == 0.0
    assert scores["size small"].precision.trials == 0
    assert scores["size large"].ap50.value == pytest.approx(1.0)
    assert scores["size medium"].ap50.value is None


def test_sources_and_light_have_slices_and_one_class_has_none() -> None:
    truth = Truth(label="plate", box_px=box(0, 0, 40, 40))
    outcomes = [outcome([truth], [], source="b"), outcome([truth], [], is_night=True)]

    scores = scores_by_slice(outcomes, labels=("plate",))

    assert list(scores) == [
        "all",
        "source a",
        "source b",
        "size small",
        "size medium",
        "size large",
        "light day",
        "light night",
    ]
    assert scores["light night"].pictures == scores["source a"].pictures == 1


def test_a_false_box_at_the_edge_counts_in_one_of_two_precisions() -> None:
    truth = Truth(label="car", box_px=box(50, 50, 90, 90))
    cut, inside = box(280, 50, 300, 90), box(120, 120, 160, 160)
    detections = [found("car", 0.9, one) for one in (truth.box_px, cut, inside)]

    score = scores_by_slice([outcome([truth], detections)])["all"]

    assert (score.precision.successes, score.precision.trials) == (1, 3)
    assert (score.precision_off_edge.successes, score.precision_off_edge.trials) == (1, 2)
