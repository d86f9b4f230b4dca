# SPDX-License-Identifier: AGPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.datasets.synth.plates import random_plate_spec
from models.evaluation.sequences import TrackKind, read_tracks, render_track
from models.runtime.fusion import MAX_READINGS, frame_weights, fuse_readings
from models.runtime.grammar import CLASSES, decode
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH
from models.runtime.reader import PlateReader
from models.runtime.values import FloatArray, PlateColour, PlateLayout, PlateReading

TRACKS_OF_A_KIND = 30


def slots_of(text: str, *, sure: float = 0.9) -> FloatArray:
    table = np.full((MAX_PLATE_LENGTH, CLASSES), (1 - sure) / (CLASSES - 1), np.float32)
    for slot in range(MAX_PLATE_LENGTH):
        table[slot, ALPHABET.index(text[slot]) if slot < len(text) else CLASSES - 1] = sure
    return table


def reading_of(text: str, *, sure: float = 0.9, doubtful_slot: int | None = None) -> PlateReading:
    """What a network would give that reads ``text``, one slot being nearly open."""
    slots = slots_of(text, sure=sure)
    if doubtful_slot is not None:
        slots[doubtful_slot] = slots_of(text, sure=0.3)[doubtful_slot]
    decoded = decode(slots)
    return PlateReading(
        raw_text=decoded.raw_text,
        text=decoded.text,
        char_confidences=decoded.char_confidences,
        confidence=decoded.confidence,
        alternatives=decoded.alternatives,
        layout=PlateLayout.TWO_LINE,
        colour=PlateColour.WHITE,
        is_legal=decoded.is_legal,
        slot_probabilities=slots,
    )


def test_one_frame_is_its_own_reading() -> None:
    only = reading_of("47AD15155")

    assert fuse_readings([only]) is only


def test_frames_that_agree_are_surer_than_each_alone() -> None:
    frames = [reading_of("47AD15155", doubtful_slot=slot) for slot in (0, 4, 8)]

    fused = fuse_readings(frames)

    assert fused.text == "47AD15155"
    assert fused.confidence > max(frame.confidence for frame in frames)


def test_the_same_picture_many_times_is_hardly_surer_than_once() -> None:
    frame = reading_of("47AD15155", sure=0.8, doubtful_slot=3)

    twenty = fuse_readings([frame] * 20)

    assert twenty.text == frame.text
    assert float(frame_weights([frame] * 20).sum()) < 2.0
    assert twenty.confidence < 1 - (1 - frame.confidence) ** 3


def test_a_parked_vehicles_wrong_reading_does_not_outvote_three_different_looks() -> None:
    wrong = reading_of("47AD16155", sure=0.85)
    right = [reading_of("47AD15155", sure=0.85, doubtful_slot=slot) for slot in (1, 6, 8)]

    fused = fuse_readings([*[wrong] * 15, *right])

    assert fused.text == "47AD15155"


def test_a_frame_that_lost_a_character_does_not_shift_the_others() -> None:
    frames = [
        reading_of("47AD15155", doubtful_slot=2),
        reading_of("47D15155", sure=0.95),
        reading_of("47AD15155", doubtful_slot=5),
    ]

    assert fuse_readings(frames).text == "47AD15155"


def test_one_blind_frame_changes_nothing() -> None:
    good = [reading_of("51F12345", doubtful_slot=slot) for slot in (3, 6)]
    blind = reading_of("51F12345", sure=1 / CLASSES)

    assert fuse_readings([*good, blind]).text == fuse_readings(good).text == "51F12345"


def test_an_unknown_colour_gives_way_to_a_known_one() -> None:
    known = replace(reading_of("51F12345"), colour=PlateColour.YELLOW)
    unknown = replace(reading_of("51F12345", doubtful_slot=2), colour=PlateColour.UNKNOWN)

    assert fuse_readings([unknown, known]).colour is PlateColour.YELLOW
    assert fuse_readings([unknown, unknown]).colour is PlateColour.UNKNOWN


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12))
def test_any_frames_give_a_consistent_reading(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [random_plate_spec(rng).text for _ in range(count)]
    frames = [reading_of(text, sure=float(rng.uniform(0.03, 0.999))) for text in texts]

    fused = fuse_readings(frames)

    stated = [fused.confidence, *(other.confidence for other in fused.alternatives)]
    assert all(0.0 <= value <= 1.0 for value in stated)
    assert sum(stated) <= 1.0 + 1e-6 or count == 1
    assert len(fused.char_confidences) == len(fused.text)
    assert fused.slot_probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_no_frame_and_too_many_frames_are_refused() -> None:
    frame = reading_of("51F12345")

    with pytest.raises(ValueError, match="readings"):
        fuse_readings([])
    with pytest.raises(ValueError, match="readings"):
        fuse_readings([frame] * (MAX_READINGS + 1))


def test_fusing_reads_more_plates_than_the_surest_frame_or_a_vote() -> None:
    reader = PlateReader.open()
    rng = np.random.default_rng(12)
    kinds = [TrackKind.HARD, TrackKind.STOPPED]
    tracks = [render_track(kind, rng=rng) for kind in kinds for _ in range(TRACKS_OF_A_KIND)]

    read = read_tracks(reader, tracks)

    right = sum(track.fused.text == track.text for track in read)
    assert right > sum(track.surest.text == track.text for track in read)
    assert right > sum(track.majority == track.text for track in read)
