# SPDX-License-Identifier: AGPL-3.0-or-later
from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.datasets.synth.camera import (
    NO_DEGRADATION,
    Severity,
    degrade,
    photograph,
    random_severity,
)
from models.datasets.synth.plates import (
    FORMAT_IDS,
    PlateSpec,
    drawn_lines,
    random_plate_spec,
    render_plate,
    render_plate_of_today,
)
from models.datasets.synth.press.glyphs import (
    CAR_CELL,
    GLYPHS,
    MOTORBIKE_CELL,
    GlyphCell,
    glyph_mask,
)
from models.datasets.synth.press.workshops import LAWFUL, workshops
from models.runtime.grammar import normalise_plate
from models.runtime.plate_formats import PLATE_FORMATS, PROVINCE_CODES, SERIES_LETTERS
from models.runtime.values import BgrImage, PlateColour, PlateLayout


def spec_of(
    text: str,
    *,
    layout: PlateLayout = PlateLayout.TWO_LINE,
    colour: PlateColour = PlateColour.WHITE,
    format_id: str = "moto_private_new",
) -> PlateSpec:
    return PlateSpec(text=text, layout=layout, colour=colour, format_id=format_id)


@pytest.mark.parametrize(
    ("spec", "lines"),
    [
        (spec_of("47AD15155"), ("47-AD", "151.55")),
        (spec_of("29B11234", format_id="moto_private_old"), ("29-B1", "1234")),
        (spec_of("59MD112345", format_id="legacy_special"), ("59-MĐ1", "123.45")),
        (spec_of("51F12345", format_id="car_private_5"), ("51F", "123.45")),
        (
            spec_of("51F12345", layout=PlateLayout.ONE_LINE, format_id="car_private_5"),
            ("51F-123.45",),
        ),
        (
            spec_of("80441NG02", layout=PlateLayout.ONE_LINE, format_id="foreign_car"),
            ("80-441-NG-02",),
        ),
        (spec_of("AB1234", colour=PlateColour.RED, format_id="military"), ("AB", "12-34")),
    ],
)
def test_lines_are_written_as_the_circular_shows_them(
    spec: PlateSpec, lines: tuple[str, ...]
) -> None:
    assert drawn_lines(spec) == lines


@given(seed=st.integers(0, 2**32 - 1), format_id=st.sampled_from(FORMAT_IDS))
def test_what_is_painted_reads_as_the_text(seed: int, format_id: str) -> None:
    rng = np.random.default_rng(seed)
    spec = random_plate_spec(rng, format_id=format_id)

    lines = drawn_lines(spec, rng=rng)

    assert normalise_plate("".join(lines)) == spec.text
    assert len(lines) == (1 if spec.layout is PlateLayout.ONE_LINE else 2)


@pytest.mark.parametrize(
    ("spec", "aspect"),
    [
        (spec_of("47AD15155"), 190 / 140),
        (spec_of("51F12345", format_id="car_private_5"), 330 / 165),
        (
            spec_of("51F12345", layout=PlateLayout.ONE_LINE, format_id="car_private_5"),
            520 / 110,
        ),
    ],
)
def test_a_plate_has_its_legal_proportions(spec: PlateSpec, aspect: float) -> None:
    image = render_plate(spec, height_px=140)

    assert image.shape[0] == 140
    assert image.shape[1] / image.shape[0] == pytest.approx(aspect, abs=0.01)


def test_glyphs_of_a_car_plate_are_63_mm_high_with_strokes_of_10_mm() -> None:
    spec = spec_of("51H11111", layout=PlateLayout.ONE_LINE, format_id="car_private_5")

    dark = cv2.cvtColor(render_plate(spec, height_px=440), cv2.COLOR_BGR2GRAY) < 90
    inner = dark[40:-40, 60:-60]
    rows = np.flatnonzero(inner.any(axis=1))
    row = inner[rows[0] + 20]  # crosses the two posts of the letter H high up
    edges = np.flatnonzero(np.diff(row.astype(np.int8)))

    assert (rows[-1] - rows[0] + 1) / 4 == pytest.approx(63, abs=1)  # 4 px per mm
    assert 40 in {int(round(width, -1)) for width in np.diff(edges)}


@pytest.mark.parametrize("cell", [CAR_CELL, MOTORBIKE_CELL])
def test_no_two_glyphs_look_the_same(cell: GlyphCell) -> None:
    glyphs = sorted(GLYPHS - {"O", "I"})  # O is drawn as 0 and I as the flagless 1

    masks = {glyph: glyph_mask(glyph, cell, 1.0).astype(int) for glyph in glyphs}
    distances = [
        float(np.abs(masks[a] - masks[b]).mean() / 255)
        for i, a in enumerate(glyphs)
        for b in glyphs[i + 1 :]
    ]

    assert min(distances) > 0.015


@pytest.mark.parametrize("glyph", ["", "AB", "?", "ü"])
def test_an_unknown_glyph_is_refused(glyph: str) -> None:
    with pytest.raises(ValueError, match="glyph"):
        glyph_mask(glyph, CAR_CELL, 1.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_picture(seed: int) -> None:
    def picture() -> BgrImage:
        rng = np.random.default_rng(seed)
        plate = render_plate(random_plate_spec(rng), height_px=96, rng=rng)
        return photograph(plate, rng=rng, severity=random_severity(rng))

    first, second = picture(), picture()

    assert np.array_equal(first, second)
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert min(first.shape[:2]) >= 8


def test_degrading_keeps_size_and_leaves_its_input_alone() -> None:
    plate = render_plate(spec_of("47AD15155"), height_px=100)
    before = plate.copy()

    hard = Severity(viewpoint=1, blur=1, noise=1, light=1, weather=1, compression=1, jitter=1)
    result = degrade(plate, rng=np.random.default_rng(1), severity=hard)

    assert result.shape == plate.shape
    assert np.array_equal(plate, before)
    assert not np.array_equal(result, plate)


def test_without_severity_a_picture_is_not_degraded() -> None:
    plate = render_plate(spec_of("47AD15155"), height_px=100)

    result = degrade(plate, rng=np.random.default_rng(1), severity=NO_DEGRADATION)

    assert np.abs(result.astype(int) - plate).max() <= 1


@pytest.mark.parametrize("height_px", [0, 7, 1001])
def test_a_height_out_of_range_is_refused(height_px: int) -> None:
    with pytest.raises(ValueError, match="pixels high"):
        render_plate(spec_of("47AD15155"), height_px=height_px)


def test_a_plate_that_its_format_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no such plate format"):
        spec_of("47AD15155", format_id="spaceship")
    with pytest.raises(ValueError, match="not issued"):
        spec_of("47AD15155", colour=PlateColour.RED)
    with pytest.raises(ValueError, match="characters"):
        spec_of("47AD1515")
    with pytest.raises(ValueError, match="no such plate format"):
        random_plate_spec(np.random.default_rng(0), format_id="spaceship")


MAKES = [
    (one.format_id, layout, colour)
    for one in PLATE_FORMATS
    for layout in sorted(one.layouts)
    for colour in sorted(one.colours)
]


@pytest.mark.parametrize(("format_id", "layout", "colour"), MAKES)
def test_every_format_is_drawn_in_each_of_its_layouts_and_colours(
    format_id: str, layout: PlateLayout, colour: PlateColour
) -> None:
    rng = np.random.default_rng(8)
    text = random_plate_spec(rng, format_id=format_id).text
    spec = spec_of(text, layout=layout, colour=colour, format_id=format_id)
    lawful = render_plate(spec, height_px=110)

    for _ in range(4):
        image = render_plate(spec, height_px=110, rng=rng)

        assert image.shape[0] == 110
        assert (image.shape[1] > 3 * 110) == (
            layout is PlateLayout.ONE_LINE and not spec.is_motorbike
        )
        blue, green, red = np.median(image.reshape(-1, 3), axis=0)
        told = np.median(lawful.reshape(-1, 3), axis=0)
        assert np.argsort([blue, red])[1] == np.argsort(told[[0, 2]])[1] or colour == "white"
        assert (min(blue, green, red) > 150) == (colour is PlateColour.WHITE)


def test_all_provinces_and_series_are_drawn_about_evenly() -> None:
    rng = np.random.default_rng(9)
    texts = [random_plate_spec(rng, format_id="car_private_5").text for _ in range(5000)]

    provinces, series = Counter(text[:2] for text in texts), Counter(text[2] for text in texts)

    assert set(provinces) == set(PROVINCE_CODES)
    assert max(provinces.values()) < 2.2 * len(texts) / len(PROVINCE_CODES)
    assert set(series) == set(SERIES_LETTERS)
    assert min(series.values()) > 0.6 * len(texts) / len(SERIES_LETTERS)


def test_plates_of_look_alikes_and_of_ten_characters_are_not_rare() -> None:
    rng = np.random.default_rng(10)
    texts = [random_plate_spec(rng).text for _ in range(3000)]

    crowded = [text for text in texts if sum(glyph in "8B3" for glyph in text) >= 4]
    by_chance = 0.2**4 * 15  # four of six glyphs from three of ten, roughly
    assert len(crowded) / len(texts) > by_chance / 2
    assert sum(len(text) == 9 and text[2:4] == "MD" for text in texts) > 20
    assert sum(len(text) == 10 for text in texts) > 20


def redness(image: BgrImage) -> int:
    blue, green, red = (image[..., channel].astype(int) for channel in range(3))
    return int(((red - blue > 80) & (red - green > 80)).sum())


def test_an_ambassadors_plate_has_a_red_bar_and_red_letters() -> None:
    def drawn(text: str) -> BgrImage:
        spec = spec_of(text, layout=PlateLayout.ONE_LINE, format_id="foreign_car")
        return render_plate(spec, height_px=110)

    consul, ambassador, guest = (drawn(t) for t in ("80441NG02", "80441NG01", "80441NN01"))

    assert redness(ambassador) > redness(consul) > redness(guest) == 0


def test_a_series_of_n_and_g_is_red_on_foreign_plates_only() -> None:
    assert redness(render_plate(spec_of("29NG12345"), height_px=140)) == 0


def test_workshops_differ_but_the_first_keeps_to_the_law() -> None:
    first, *others = workshops()

    assert first == LAWFUL
    assert first.cell(CAR_CELL) == CAR_CELL
    assert len({(other.style, other.stroke) for other in others}) == len(others)
    assert len({other.style for other in others}) > 10
    for other in others:
        assert 0.5 < other.cell(MOTORBIKE_CELL).stroke_mm / MOTORBIKE_CELL.stroke_mm < 1.3


def test_a_plate_of_today_never_has_an_old_size() -> None:
    rng = np.random.default_rng(11)
    spec = spec_of("51F12345", layout=PlateLayout.TWO_LINE, format_id="car_private_5")

    today = {render_plate_of_today(spec, height_px=100, rng=rng).shape for _ in range(20)}
    any_time = {render_plate(spec, height_px=100, rng=rng).shape for _ in range(20)}

    assert today == {(100, 200, 3)}
    assert (100, 140, 3) in any_time


def test_a_severity_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="blur"):
        Severity(blur=1.5)
