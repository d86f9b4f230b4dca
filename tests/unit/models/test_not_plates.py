# SPDX-License-Identifier: AGPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.datasets.synth.decoys.foreign import foreign_text, random_foreign_plate
from models.datasets.synth.decoys.objects import OBJECT_MAKERS
from models.datasets.synth.decoys.writing import line_mask
from models.datasets.synth.not_plates import random_not_plate
from models.runtime.grammar import is_legal_plate, normalise_plate

PATTERNS = ("AAA 9999", "A 9999 AAA", "9AAA999", "AA99 AAA", "hA*99999", "AA-999-AA", "tt 9999")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), pattern=st.sampled_from(PATTERNS))
def test_no_foreign_text_is_a_vietnamese_plate(seed: int, pattern: str) -> None:
    lines = foreign_text((pattern,), np.random.default_rng(seed))

    latin = "".join(lines).translate({ord(sign): None for sign in "htk"})
    assert not is_legal_plate(normalise_plate(latin))


def test_a_pattern_that_gives_vietnamese_plates_only_is_refused() -> None:
    with pytest.raises(ValueError, match="Vietnamese"):
        foreign_text(("AA 9999",), np.random.default_rng(0))  # a military plate


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_thing(seed: int) -> None:
    first, second = (random_not_plate(np.random.default_rng(seed)) for _ in range(2))

    assert np.array_equal(first, second)
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert min(first.shape[:2]) >= 8


def test_every_kind_of_thing_can_be_drawn() -> None:
    assert sum(share for _, share in OBJECT_MAKERS) == pytest.approx(1)
    for make, _ in OBJECT_MAKERS:
        shapes = {make(np.random.default_rng(seed)).shape for seed in range(8)}
        assert len(shapes) > 1
    assert len({random_foreign_plate(np.random.default_rng(seed)).shape for seed in range(30)}) > 5


@pytest.mark.parametrize("text", ["AB 12", "htk-9", "A*9:0.1"])
def test_a_line_is_as_high_as_asked_and_has_ink(text: str) -> None:
    for seed in range(6):
        mask = line_mask(text, np.random.default_rng(seed), height_px=40)

        assert 40 <= mask.shape[0] <= 60  # strokes of a font stand out of its capitals
        assert mask.shape[1] > 40
        assert mask.max() > 200
