# SPDX-License-Identifier: AGPL-3.0-or-later
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.datasets.synth.plates import FORMAT_IDS, random_plate_spec
from models.runtime.grammar import (
    CLASSES,
    decode,
    formats_of,
    is_legal_plate,
    normalise_plate,
    text_probability,
)
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH, PROVINCE_CODES
from models.runtime.values import FloatArray, PlateColour, PlateLayout


def slots_of(text: str, *, sure: float = 0.99) -> FloatArray:
    """Slot probabilities of a network that reads ``text``, as sure as told."""
    table = np.full((MAX_PLATE_LENGTH, CLASSES), (1 - sure) / (CLASSES - 1), np.float32)
    for slot in range(MAX_PLATE_LENGTH):
        table[slot, ALPHABET.index(text[slot]) if slot < len(text) else CLASSES - 1] = sure
    return table


@given(seed=st.integers(0, 2**32 - 1), format_id=st.sampled_from(FORMAT_IDS))
def test_every_drawn_plate_is_legal_in_its_own_format(seed: int, format_id: str) -> None:
    spec = random_plate_spec(np.random.default_rng(seed), format_id=format_id)

    assert format_id in {known.format_id for known in formats_of(spec.text)}


@given(seed=st.integers(0, 2**32 - 1))
def test_normalising_undoes_what_people_write_between_characters(seed: int) -> None:
    text = random_plate_spec(np.random.default_rng(seed)).text
    written = f" {text[:2]}-{text[2:5]} {text[5:]}. ".lower()

    assert normalise_plate(written) == text
    assert normalise_plate(normalise_plate(written)) == text


@given(seed=st.integers(0, 2**32 - 1))
def test_a_clearly_read_legal_plate_is_left_as_it_is(seed: int) -> None:
    text = random_plate_spec(np.random.default_rng(seed)).text

    decoded = decode(slots_of(text))

    assert (decoded.raw_text, decoded.text, decoded.is_legal) == (text, text, True)


@given(table=st.integers(0, 2**32 - 1))
def test_any_table_of_probabilities_gives_a_consistent_reading(table: int) -> None:
    logits = np.random.default_rng(table).normal(0, 4, (MAX_PLATE_LENGTH, CLASSES))
    slots = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)

    decoded = decode(slots)

    stated = [decoded.confidence, *(other.confidence for other in decoded.alternatives)]
    assert all(0.0 <= value <= 1.0 for value in stated)
    assert sum(stated) <= 1.0 + 1e-6
    assert stated[1:] == sorted(stated[1:], reverse=True)
    assert len(decoded.char_confidences) == len(decoded.text)
    assert decoded.text not in {other.text for other in decoded.alternatives}
    assert decoded.is_legal == is_legal_plate(decoded.text)


@pytest.mark.parametrize(
    ("text", "format_id"),
    [
        ("30F25658", "car_private_5"),
        ("20A00123", "car_state_5"),
        ("29A1234", "car_old_4"),
        ("30AB26659", "moto_private_new"),
        ("47AD15155", "moto_private_new"),
        ("29AR12345", "moto_private_new"),
        ("29B112345", "moto_private_old"),
        ("29AA1234", "moped_old"),
        ("20A101234", "moto_state"),
        ("20CD01234", "machine"),
        ("29RM01234", "trailer"),
        ("30HC01234", "limited_area"),
        ("29KT12345", "army_company"),
        ("29LD12345", "legacy_special"),
        ("59MD112345", "legacy_special"),
        ("80441NG02", "foreign_car"),
        ("30121NG001", "foreign_moto"),
        ("T2012345", "temporary"),
        ("AB1234", "military"),
    ],
)
def test_the_examples_of_the_circular_are_legal(text: str, format_id: str) -> None:
    assert format_id in {known.format_id for known in formats_of(text)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "13F25658",  # 13 was never issued
        "96A12345",  # nor 96
        "30I12345",  # I is no series letter
        "30W12345",
        "30R012345",  # R stands alone only in old trailer series of at most 5 digits
        "30F256",  # three digits were never made with a series letter alone
        "29B012345",  # an ordinal is never 0
        "30FG256581",  # six digits are only on temporary plates
        "30f25658",  # not normalised
        "30-F25658",
        "30F25658901",  # longer than any plate
        "Ý0F25658",
    ],
)
def test_what_no_format_knows_is_not_legal(text: str) -> None:
    assert not is_legal_plate(text)


def test_exactly_the_81_codes_of_the_annex_are_known() -> None:
    pattern = re.compile(r"(?:1[124-9]|2\d|3\d|4[013789]|5\d|6\d|7\d|8[0-689]|9[02345789])")

    fitting = {f"{code}" for code in range(100) if pattern.fullmatch(f"{code}")}

    assert set(PROVINCE_CODES) == fitting
    assert len(PROVINCE_CODES) == 81


@pytest.mark.parametrize(
    ("seen", "legal"),
    [
        ("51621670", "51G21670"),  # 6 for G in the series
        ("5IF21670", "51F21670"),  # I for 1 in the code
        ("51F2I67O", "51F21670"),  # letters among the digits
        ("29BI12345", "29B112345"),  # I for the ordinal 1: I is no second letter
        ("13F21670", "18F21670"),  # a code that does not exist: 3 and 8 look alike
    ],
)
def test_a_look_alike_in_the_wrong_place_is_corrected_and_the_raw_text_kept(
    seen: str, legal: str
) -> None:
    decoded = decode(slots_of(seen, sure=0.9))

    assert decoded.raw_text == seen
    assert decoded.text == legal
    assert decoded.is_legal
    assert decoded.confidence < 0.95


def test_a_text_far_from_any_format_is_not_forced_into_one() -> None:
    decoded = decode(slots_of("QSXXWWJJOO", sure=0.999))

    assert decoded.text == decoded.raw_text == "QSXXWWJJOO"
    assert not decoded.is_legal


def test_the_background_decides_between_two_equally_seen_texts() -> None:
    slots = slots_of("AB1234", sure=0.999)

    red = decode(slots, colours={PlateColour.RED: 1.0})
    white = decode(slots, colours={PlateColour.WHITE: 1.0})

    assert red.text == white.text == "AB1234"
    assert red.confidence > white.confidence


def test_two_lines_speak_for_a_motorbike_series_and_one_line_for_a_car() -> None:
    slots = slots_of("51F12345", sure=0.99)  # car F 123.45, or motorbike F1 2345
    slots[2, ALPHABET.index("E")] = slots[2, ALPHABET.index("F")] = 0.49

    one = decode(slots, layouts={PlateLayout.ONE_LINE: 1.0})
    two = decode(slots, layouts={PlateLayout.TWO_LINE: 1.0})

    assert one.text[3:] == two.text[3:] == "12345"
    assert {one.text, one.alternatives[0].text} == {"51E12345", "51F12345"}


def test_probability_of_a_text_is_the_product_of_its_slots() -> None:
    slots = slots_of("30F12345", sure=0.9)

    assert text_probability("30F12345", slots) == pytest.approx(0.9**10)
    assert text_probability("30F123451", slots) == pytest.approx(0.9**9 * 0.1 / 36)
    assert text_probability("3" * 11, slots) == 0.0


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="slots"):
        decode(np.zeros((9, CLASSES), np.float32))
