# SPDX-License-Identifier: AGPL-3.0-or-later
from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from models.evaluation import picture_qualities as qualities
from models.evaluation.pages.gallery import Cause, guess_cause
from models.evaluation.picture_qualities import RULES, crop_facets, sharpness, tilt_deg
from models.evaluation.reading import ReadCase, edit_distance, province_of, reading_scores
from models.evaluation.sequences import (
    TrackKind,
    judged_tracks,
    majority_text,
    read_tracks,
    render_track,
    sequence_score,
)
from models.runtime.fusion import fuse_readings
from models.runtime.grammar import CLASSES
from models.runtime.plate_formats import MAX_PLATE_LENGTH
from models.runtime.reader import PlateReader
from models.runtime.values import BgrImage, FloatArray, PlateColour, PlateLayout, PlateReading

EVEN_SLOTS: FloatArray = np.full((MAX_PLATE_LENGTH, CLASSES), 1 / CLASSES, np.float32)


def reading(
    text: str, confidence: float, *, raw: str | None = None, is_legal: bool = True
) -> PlateReading:
    return PlateReading(
        raw_text=text if raw is None else raw,
        text=text,
        char_confidences=(confidence,) * len(text),
        confidence=confidence,
        alternatives=(),
        layout=PlateLayout.ONE_LINE,
        colour=PlateColour.WHITE,
        is_legal=is_legal,
        slot_probabilities=EVEN_SLOTS,
    )


def case(
    text: str,
    read: PlateReading,
    *,
    group: str = "a",
    facets: Mapping[str, str] | None = None,
) -> ReadCase:
    return ReadCase(
        image=np.zeros((4, 8, 3), np.uint8),
        text=text,
        group=group,
        facets=facets or {},
        reading=read,
    )


def striped(*, contrast: int = 200) -> BgrImage:
    picture = np.full((64, 160, 3), 20, np.uint8)
    picture[:, ::8] = 20 + contrast
    return picture


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [("51F12345", "51F12345", 0), ("51F12345", "51E1234", 2), ("", "ABC", 3), ("AB", "BA", 2)],
)
def test_edits_from_one_text_to_the_other(left: str, right: str, expected: int) -> None:
    assert edit_distance(left, right) == edit_distance(right, left) == expected


def test_scores_count_texts_characters_and_answers() -> None:
    cases = [
        case("51F12345", reading("51F12345", 0.95), group="a"),
        case("51F12345", reading("51F12346", 0.92), group="a"),
        case("30A54321", reading("30A54321", 0.5, raw="30A5432I"), group="b"),
        case("30A54321", reading("30A5432", 0.1), group="b"),
    ]

    (score,) = reading_scores(cases, answer_from=0.9)

    assert (score.pictures, score.plates) == (4, 2)
    assert score.exact.successes == 2
    assert score.exact_raw.successes == 1
    assert score.answered.successes == 2
    assert (score.answered_wrong.successes, score.answered_wrong.trials) == (1, 2)
    assert score.estimates["character_error_rate"].value == pytest.approx(2 / 32)


def test_slices_follow_the_facets_and_small_ones_are_left_out() -> None:
    right = reading("51F12345", 0.95)
    cases = [case("51F12345", right, facets={"light": "day", "tilt": "0"}) for _ in range(3)]
    cases.append(case("51F12345", right, facets={"light": "night"}))

    scores = reading_scores(cases, answer_from=0.9, least_crops=2)

    assert [(one.slice_name, one.pictures) for one in scores] == [
        ("all", 4),
        ("light day", 3),
        ("tilt 0", 3),
    ]
    assert reading_scores([], answer_from=0.9) == ()


def test_the_province_is_the_code_in_front() -> None:
    assert province_of("51F12345") == "51"
    assert province_of("NG41512345"[:9]) == "none"


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ([[0, 0], [100, 0], [100, 50], [0, 50]], 0),
        ([[0, 0], [100, 100], [50, 150], [-50, 50]], 45),  # turned as a whole
        ([[0, 0], [100, 0], [110, 10], [10, 10]], 45),  # sheared: only the sides lean
    ],
)
def test_tilt_is_the_largest_angle_of_an_edge(corners: list[list[int]], expected: float) -> None:
    assert tilt_deg(np.array(corners, np.float32)) == pytest.approx(expected, abs=1e-3)


def test_blur_lowers_sharpness_and_contrast_does_not() -> None:
    sharp, faint = sharpness(striped()), sharpness(striped(contrast=50))
    blurred = sharpness(np.asarray(cv2.GaussianBlur(striped(), (0, 0), 3), np.uint8))

    assert blurred < 0.5 * sharp
    assert faint == pytest.approx(sharp, rel=0.05)
    assert sharpness(np.zeros((10, 10, 3), np.uint8)) == 0.0


def test_a_crop_has_a_band_of_every_kind() -> None:
    frame = np.array([[0, 0], [160, 0], [160, 64], [0, 64]], np.float32)

    facets = crop_facets(striped(), frame)

    assert facets == {
        "light": "night",
        "blur": "sharp",
        "tilt": "0 to 5 degrees",
        "glyphs": "20 to 32 px",
    }


def test_the_rules_in_words_have_the_numbers_that_are_used() -> None:
    numbers = (
        qualities.NIGHT_BELOW,
        qualities.DARK_CROP_BELOW,
        qualities.BLURRED_BELOW,
        qualities.SHARP_FROM,
        *qualities.SHARPNESS_SIZE_PX,
    )

    assert all(f"{number:g}" in RULES for number in numbers)


@pytest.mark.parametrize(
    ("text", "read", "facets", "cause"),
    [
        ("51F12345", reading("51F12346", 0.97), {}, Cause.LABEL),
        ("51F12345", reading("51F12346", 0.97, is_legal=False), {}, Cause.OTHER),
        ("51F12345", reading("51F12346", 0.5), {"light": "night", "blur": "blurred"}, Cause.DARK),
        ("51F12345", reading("51F12346", 0.5), {"blur": "blurred"}, Cause.BLUR),
        ("51F12345", reading("51F12346", 0.5), {"tilt": "10 to 20 degrees"}, Cause.TILT),
        ("51F12345", reading("51F1234", 0.5), {}, Cause.LENGTH),
        ("51F12345", reading("51E12345", 0.5), {}, Cause.CONFUSABLE),
        ("51F12345", reading("51E12349", 0.5), {}, Cause.OTHER),
    ],
)
def test_the_cause_is_guessed_from_picture_and_texts(
    text: str, read: PlateReading, facets: dict[str, str], cause: Cause
) -> None:
    assert guess_cause(case(text, read, facets=facets)) is cause


def test_a_vote_is_won_by_most_frames_then_by_confidence() -> None:
    frames = [reading("A", 0.9), reading("B", 0.3), reading("B", 0.4), reading("C", 0.99)]

    assert majority_text(frames) == "B"
    assert majority_text([reading("A", 0.2), reading("B", 0.3)]) == "B"


@pytest.mark.parametrize("kind", list(TrackKind))
def test_every_way_gets_the_same_frames(kind: TrackKind) -> None:
    reader = PlateReader.open()
    tracks = [render_track(kind, rng=np.random.default_rng(seed)) for seed in range(2)]

    read = read_tracks(reader, tracks)
    score = sequence_score(kind.value, read, answer_from=0.9)

    frames = reader.read(tracks[0].frames)
    assert read[0].fused == fuse_readings(frames)
    assert read[0].surest in frames
    assert read[0].majority in {one.text for one in frames}
    assert score.tracks == judged_tracks(read).units == 2
    assert score.over_surest.difference.value == pytest.approx(
        (score.fused.successes - score.surest.successes) / 2
    )


def test_repeats_differ_in_noise_only() -> None:
    track = render_track(TrackKind.REPEATS, rng=np.random.default_rng(5))

    first, second = (frame.astype(np.float64) for frame in track.frames[:2])

    assert len(track.frames) > 5
    assert 0 < float(np.abs(first - second).mean()) < 8
