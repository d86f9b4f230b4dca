# SPDX-License-Identifier: AGPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.figures.calibration import (
    Judged,
    adaptive_edges,
    calibration_bins,
    calibration_estimates,
    even_edges,
    expected_calibration_error,
    risk_at,
    risk_coverage,
)
from models.evaluation.figures.comparison import fall_p, holm, lower_share_p, mcnemar_p, paired
from models.evaluation.figures.intervals import Share


def judged(pairs: list[tuple[float, bool]]) -> Judged:
    return Judged.of(
        [confidence for confidence, _ in pairs],
        [right for _, right in pairs],
        [str(number) for number in range(len(pairs))],
    )


# Two readings at 0.95, one right: gap 0.45. Two at 0.55, both right: gap 0.45.
BY_HAND = judged([(0.95, True), (0.95, False), (0.55, True), (0.55, True)])


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    assert expected_calibration_error(BY_HAND, even_edges()) == pytest.approx(0.45)


def test_bins_tell_stated_and_observed() -> None:
    low, high = calibration_bins(BY_HAND, even_edges())

    assert low.stated == pytest.approx(0.55)
    assert low.observed == Share(successes=2, trials=2)
    assert high.stated == pytest.approx(0.95)
    assert high.observed == Share(successes=1, trials=2)


def test_brier_and_log_loss_are_those_of_the_textbook() -> None:
    estimates = calibration_estimates(judged([(0.8, True), (0.4, False)]))

    assert estimates["brier"].value == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert estimates["log_loss"].value == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)


def test_adaptive_bins_hold_equally_many() -> None:
    confidences = np.linspace(0.9, 0.999, 100)

    bins = calibration_bins(
        judged([(float(c), True) for c in confidences]), adaptive_edges(confidences)
    )

    assert [one.observed.trials for one in bins] == [10] * 10


def test_probabilities_that_come_true_have_nearly_no_error() -> None:
    rng = np.random.default_rng(3)
    confidences = rng.uniform(0, 1, 20_000)
    honest = judged([(float(c), bool(rng.random() < c)) for c in confidences])

    estimate = calibration_estimates(honest)["ece"]

    assert estimate.value is not None
    assert estimate.value < 0.01


def test_readings_of_one_plate_are_drawn_together() -> None:
    confidences, right = [0.9] * 40, [True] * 20 + [False] * 20
    alone = Judged.of(confidences, right, [str(number) for number in range(40)])
    in_two_plates = Judged.of(confidences, right, ["a"] * 20 + ["b"] * 20)

    narrow, wide = (calibration_estimates(one)["brier"] for one in (alone, in_two_plates))

    assert narrow.value == wide.value
    assert narrow.high_95 is not None
    assert wide.high_95 is not None
    assert wide.high_95 > narrow.high_95


def test_risk_and_coverage_by_hand() -> None:
    first, second = risk_coverage(BY_HAND)

    assert (first.threshold, str(first.answered), str(first.wrong)) == (
        0.95,
        str(Share(successes=2, trials=4)),
        str(Share(successes=1, trials=2)),
    )
    assert second.answered.value == 1.0
    assert second.wrong.value == 0.25
    assert risk_at(BY_HAND, threshold=0.9) == risk_coverage(BY_HAND)[0].__class__(
        threshold=0.9, answered=first.answered, wrong=first.wrong
    )
    assert risk_at(BY_HAND, threshold=0.99).wrong.value is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_a_lower_threshold_never_answers_less(pairs: list[tuple[float, bool]]) -> None:
    points = risk_coverage(judged(pairs))

    answered = [point.answered.successes for point in points]
    assert answered == sorted(set(answered))
    assert answered[-1] == len(pairs)
    assert points[-1].wrong.successes == sum(not right for _, right in pairs)
    assert all(risk_at(judged(pairs), threshold=p.threshold).wrong == p.wrong for p in points)


def test_no_reading_gives_no_figure() -> None:
    nothing = judged([])

    assert risk_coverage(nothing) == ()
    assert calibration_estimates(nothing)["ece"].value is None
    with pytest.raises(ValueError, match="every reading"):
        Judged(
            confidences=np.ones(2),
            is_right=np.ones(1, np.bool_),
            unit=np.zeros(2, np.intp),
            units=1,
        )


@pytest.mark.parametrize(
    ("only_first", "only_second", "expected"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (6, 0, 2 / 64),  # six of six throws on one side, two-sided
        (9, 1, 2 * 11 / 1024),
    ],
)
def test_mcnemar_counts_throws_of_a_fair_coin(
    only_first: int, only_second: int, expected: float
) -> None:
    assert mcnemar_p(only_first=only_first, only_second=only_second) == pytest.approx(expected)
    assert mcnemar_p(only_first=only_second, only_second=only_first) == pytest.approx(expected)


def test_only_losing_more_than_gaining_speaks_of_a_fall() -> None:
    assert fall_p(lost=10, gained=0) == pytest.approx(1 / 1024)
    assert fall_p(lost=0, gained=10) == 1.0
    assert fall_p(lost=0, gained=0) == 1.0
    assert fall_p(lost=5, gained=5) > 0.5


def test_a_lower_share_of_other_pictures_is_fishers_exact_test() -> None:
    # The lady tasting tea: 1 of 4 against 3 of 4 right; (16 + 1) of 70 draws are as low.
    now, before = Share(successes=1, trials=4), Share(successes=3, trials=4)

    assert lower_share_p(now, before) == pytest.approx(17 / 70)
    assert lower_share_p(before, now) == pytest.approx(69 / 70)
    assert lower_share_p(now, Share(successes=0, trials=0)) == 1.0


def test_many_comparisons_are_held_to_a_stricter_limit() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()


def test_two_ways_on_the_same_cases() -> None:
    result = paired([True] * 9 + [False], [True] * 3 + [False] * 7)

    assert result.difference.value == pytest.approx(0.6)
    assert (result.only_first, result.only_second) == (6, 0)
    assert result.p_value == pytest.approx(2 / 64)
    with pytest.raises(ValueError, match="same cases"):
        paired([True], [])
