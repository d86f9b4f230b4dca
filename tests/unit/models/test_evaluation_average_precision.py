# SPDX-License-Identifier: AGPL-3.0-or-later
import numpy as np
import pytest

from models.evaluation.figures.average_precision import (
    OVERLAPS,
    PictureMatches,
    average_precision,
    match_picture,
    overlaps_of,
    precision_estimates,
)
from models.evaluation.figures.intervals import bootstrap_estimate


def picture(
    confidences: list[float], overlaps: list[list[float]], *, truths: int = 1
) -> PictureMatches:
    return match_picture(
        confidences=np.array(confidences),
        overlaps=np.array(overlaps, dtype=np.float64).reshape(len(confidences), truths),
        is_truth_counted=np.ones(truths, dtype=np.bool_),
        is_detection_counted=np.ones(len(confidences), dtype=np.bool_),
    )


def ap50(*pictures: PictureMatches) -> float | None:
    return average_precision(pictures, counts=np.ones(len(pictures), np.intp), levels=(0,))


def test_overlaps_are_intersection_over_union() -> None:
    boxes = np.array([[0.0, 0.0, 10.0, 10.0]])
    others = np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 15.0, 10.0], [20.0, 0.0, 30.0, 10.0]])

    assert overlaps_of(boxes, others)[0] == pytest.approx([1.0, 50 / 150, 0.0])


@pytest.mark.parametrize(
    ("confidences", "overlaps", "truths", "expected"),
    [
        ([0.9], [[1.0]], 1, 1.0),
        ([0.9], [[0.4]], 1, 0.0),  # covers too little
        ([0.9, 0.8], [[0.0], [1.0]], 1, 0.5),  # right one is second: precision 1/2 at every recall
        ([0.9, 0.8], [[1.0], [1.0]], 1, 1.0),  # the double comes after recall 1
        # right, wrong, right of two truths: precision 1 up to recall 0.5 (51 levels),
        # then 2/3 (50 levels)
        ([0.9, 0.8, 0.7], [[1, 0], [0, 0], [0, 1]], 2, (51 + 50 * 2 / 3) / 101),
        # one of two truths found: recall levels 0.00 to 0.50 have precision 1
        ([0.9], [[1, 0]], 2, 51 / 101),
    ],
)
def test_average_precision_of_toy_pictures(
    confidences: list[float], overlaps: list[list[float]], truths: int, expected: float
) -> None:
    assert ap50(picture(confidences, overlaps, truths=truths)) == pytest.approx(expected)


def test_pictures_are_ranked_together() -> None:
    # Surest first: wrong (0.9), right (0.8), right (0.5): precision 1/2 to recall 1/2, then 2/3;
    # read off from the right it is 2/3 everywhere.
    pictures = [picture([0.9, 0.5], [[0.0], [0.9]]), picture([0.8], [[0.9]])]

    assert ap50(*pictures) == pytest.approx(2 / 3)


def test_the_mean_over_overlaps_counts_how_tight_a_box_is() -> None:
    tight_to_point_seven = picture([0.9], [[0.72]])

    everywhere = average_precision(
        [tight_to_point_seven], counts=np.ones(1, np.intp), levels=range(len(OVERLAPS))
    )

    assert everywhere == pytest.approx(0.5)  # right at 0.50, 0.55, 0.60, 0.65 and 0.70


def test_what_is_left_out_is_neither_right_nor_wrong() -> None:
    matches = match_picture(
        confidences=np.array([0.9, 0.8, 0.7]),
        overlaps=np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]),
        is_truth_counted=np.array([True, False]),
        is_detection_counted=np.array([True, False, True]),
    )

    assert matches.truths == 1
    assert matches.is_counted[0].tolist() == [False, False, True]
    assert ap50(matches) == pytest.approx(1.0)


def test_without_truths_there_is_no_average_precision() -> None:
    nothing = picture([0.9], [[]], truths=0)

    assert ap50(nothing) is None
    assert precision_estimates([nothing])[0].value is None
    assert precision_estimates([])[0].value is None


def test_the_interval_comes_from_drawing_pictures_and_is_the_same_each_time() -> None:
    pictures = [picture([0.9], [[1.0 if number % 4 else 0.0]]) for number in range(40)]

    first, again = precision_estimates(pictures)[0], precision_estimates(pictures)[0]

    assert first == again
    assert first.value is not None
    assert first.low_95 is not None
    assert first.high_95 is not None
    assert first.low_95 < first.value < first.high_95
    assert first.trials == 40


def test_a_figure_of_equal_units_has_no_spread() -> None:
    estimate = bootstrap_estimate(lambda counts: float(counts.sum()), units=5)

    assert (estimate.value, estimate.low_95, estimate.high_95) == (5.0, 5.0, 5.0)
