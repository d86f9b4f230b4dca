# SPDX-License-Identifier: AGPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelFormatError
from models.runtime.believing import CONFIDENCE_MAX, Belief

PLAIN = Belief(temperature=1.0, doubt=0.0, slope=1.0, offset=0.0, answer_from=0.9)
SURE = 20.0
"""Logit at which a flag is as good as certain."""


def test_a_belief_that_changes_nothing_gives_the_posterior_back() -> None:
    assert PLAIN.confidence(0.8, genuine=SURE) == pytest.approx(0.8, abs=1e-6)


def test_slope_and_offset_work_on_the_log_odds() -> None:
    # Odds 4 to 1 at slope 0.5 are 2 to 1; an offset of -ln 2 makes them even.
    softer = replace(PLAIN, slope=0.5)
    lower = replace(PLAIN, slope=0.5, offset=-float(np.log(2)))

    assert softer.confidence(0.8, genuine=SURE) == pytest.approx(2 / 3, abs=1e-6)
    assert lower.confidence(0.8, genuine=SURE) == pytest.approx(1 / 2, abs=1e-6)


def test_what_is_no_vietnamese_plate_is_never_believed() -> None:
    assert PLAIN.confidence(0.999, genuine=-SURE) < 1e-6
    assert PLAIN.confidence(0.999, genuine=0.0) == pytest.approx(0.4995, abs=1e-4)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(-80, 80))
def test_confidence_rises_with_the_posterior_and_is_a_probability(
    one: float, other: float, genuine: float
) -> None:
    belief = Belief(temperature=1.3, doubt=0.001, slope=0.8, offset=-0.4, answer_from=0.9)
    low, high = sorted((one, other))

    stated = belief.confidence(low, genuine=genuine), belief.confidence(high, genuine=genuine)

    assert 0.0 <= stated[0] <= stated[1] <= CONFIDENCE_MAX


def test_an_illegible_crop_has_flat_slots() -> None:
    logits = np.zeros((10, 37), np.float32)
    logits[:, 3] = 12.0

    clear = PLAIN.slot_probabilities(logits, legible=SURE)
    blurred = PLAIN.slot_probabilities(logits, legible=-SURE)

    assert clear[:, 3].min() > 0.99
    assert blurred.max() < 0.03
    assert np.allclose(blurred.sum(axis=1), 1.0, atol=1e-5)


def test_doubt_bounds_how_sure_a_slot_may_be() -> None:
    logits = np.zeros((10, 37), np.float32)
    logits[:, 3] = 100.0

    slots = replace(PLAIN, doubt=0.037).slot_probabilities(logits, legible=SURE)

    assert slots[0, 3] == pytest.approx(0.964, abs=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": 0.0}, {"slope": -1.0}, {"doubt": 1.0}, {"answer_from": 1.0}],
)
def test_numbers_without_a_meaning_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ModelFormatError):
        replace(PLAIN, **wrong)
