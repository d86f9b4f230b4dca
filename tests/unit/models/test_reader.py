# SPDX-License-Identifier: AGPL-3.0-or-later
import re
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from models.datasets.synth.camera import Severity, photograph
from models.datasets.synth.plates import PlateSpec, random_plate_spec, render_plate
from models.errors import InvalidImageError, ModelFormatError
from models.runtime.corners import PlateCorners
from models.runtime.reader import PlateReader
from models.runtime.registry import PLATE_READER, ModelConfig, load_model
from models.runtime.sessions import open_session
from models.runtime.values import Backend, BgrImage, PlateColour, PlateLayout

PLATES: Final = 120
MILD: Final = Severity(
    viewpoint=0.3, blur=0.1, noise=0.15, light=0.2, weather=0.05, compression=0.0, jitter=0.3
)


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader.open()


@pytest.fixture(scope="module")
def plates() -> list[tuple[PlateSpec, BgrImage]]:
    rng = np.random.default_rng(41)
    specs = [random_plate_spec(rng) for _ in range(PLATES)]
    return [
        (spec, photograph(render_plate(spec, height_px=120, rng=rng), rng=rng, severity=MILD))
        for spec in specs
    ]


def test_clear_plates_of_every_format_are_read_exactly(
    reader: PlateReader, plates: list[tuple[PlateSpec, BgrImage]]
) -> None:
    readings = reader.read([image for _, image in plates])

    right = [spec.text == reading.text for (spec, _), reading in zip(plates, readings, strict=True)]
    layouts = [spec.layout is r.layout for (spec, _), r in zip(plates, readings, strict=True)]
    colours = [
        r.colour in {spec.colour, PlateColour.UNKNOWN}
        for (spec, _), r in zip(plates, readings, strict=True)
    ]

    assert sum(right) >= 0.95 * PLATES
    assert sum(layouts) >= 0.97 * PLATES
    assert sum(colours) >= 0.95 * PLATES


def test_stated_probabilities_tell_right_from_wrong(
    reader: PlateReader, plates: list[tuple[PlateSpec, BgrImage]]
) -> None:
    readings = reader.read([image for _, image in plates])

    sure = [
        spec.text == r.text
        for (spec, _), r in zip(plates, readings, strict=True)
        if r.confidence >= 0.9
    ]

    assert len(sure) >= 0.6 * PLATES
    assert sum(sure) >= 0.97 * len(sure)


def test_both_backends_give_the_same_readings(plates: list[tuple[PlateSpec, BgrImage]]) -> None:
    crops = [image for _, image in plates[:40]]

    first = PlateReader.open(backend=Backend.OPENVINO).read(crops)
    second = PlateReader.open(backend=Backend.ONNXRUNTIME).read(crops)

    assert [a.text for a in first] == [b.text for b in second]
    for a, b in zip(first, second, strict=True):
        assert np.abs(a.slot_probabilities - b.slot_probabilities).max() < 1e-3


def test_a_crop_is_read_the_same_alone_and_among_others(
    reader: PlateReader, plates: list[tuple[PlateSpec, BgrImage]]
) -> None:
    crops = [image for _, image in plates[:7]]

    together, alone = reader.read(crops), [reader.read([crop])[0] for crop in crops]

    assert [a.text for a in together] == [b.text for b in alone]


def test_no_crops_give_no_readings(reader: PlateReader) -> None:
    assert reader.read([]) == []


def test_more_crops_than_one_batch_are_read_in_order(reader: PlateReader) -> None:
    rng = np.random.default_rng(2)
    spec = random_plate_spec(rng, format_id="car_private_5")
    plate = render_plate(spec, height_px=64)
    blank = np.full((20, 40, 3), 128, np.uint8)

    readings = reader.read([blank] * 256 + [plate])

    assert len(readings) == 257
    assert readings[-1].text == spec.text


@pytest.mark.parametrize(
    "crop",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((40, 90, 3), np.uint8),
        np.full((40, 90, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (60, 120, 3)).astype(np.uint8),
        np.zeros((1, 500, 3), np.uint8),
    ],
    ids=["one pixel", "black", "white", "noise", "a line"],
)
def test_what_is_no_plate_is_never_read_with_confidence(
    reader: PlateReader, crop: BgrImage
) -> None:
    reading = reader.read([crop])[0]

    assert reading.confidence < 0.5


@pytest.mark.parametrize(
    "crop",
    [
        np.zeros((40, 90), np.uint8),
        np.zeros((40, 90, 1), np.uint8),
        np.zeros((40, 90, 4), np.uint8),
        np.zeros((0, 90, 3), np.uint8),
        np.zeros((40, 0, 3), np.uint8),
        np.zeros((40, 90, 3), np.float32),
    ],
    ids=["grey", "one channel", "four channels", "no rows", "no columns", "floats"],
)
def test_what_is_no_colour_picture_is_refused_with_the_reason(
    reader: PlateReader, crop: BgrImage
) -> None:
    with pytest.raises(InvalidImageError, match="picture"):
        reader.read([crop])


def test_the_two_letter_motorbike_series_is_read(reader: PlateReader) -> None:
    spec = PlateSpec(
        text="47AD15155",
        layout=PlateLayout.TWO_LINE,
        colour=PlateColour.WHITE,
        format_id="moto_private_new",
    )

    reading = reader.read([render_plate(spec, height_px=120)])[0]

    assert (reading.text, reading.layout) == ("47AD15155", PlateLayout.TWO_LINE)
    assert reading.is_legal


def test_digest_is_that_of_the_registry(reader: PlateReader) -> None:
    assert reader.digest == load_model(PLATE_READER).sha256
    assert re.fullmatch(r"[0-9a-f]{64}", reader.digest)


@pytest.mark.parametrize(
    "changed",
    [
        {"alphabet": "0123456789"},
        {"colour_order": "rgb"},
        {"slots": 9},
        {"temperature": 0.0},
        {"doubt": 1.0},
        {"slope": 0.0},
        {"answer_from": 1.5},
        {"layouts": []},
    ],
)
def test_a_config_that_does_not_fit_the_weights_is_refused(changed: dict[str, object]) -> None:
    model = load_model(PLATE_READER)
    names = ("alphabet", "colour_order")
    values: dict[str, object] = {name: model.config.text(name) for name in names}
    values |= {
        name: model.config.whole_number(name)
        for name in ("slots", "input_height_px", "input_width_px")
    }
    belief = ("temperature", "doubt", "slope", "offset", "answer_from")
    values |= {name: model.config.number(name) for name in belief}
    values |= {name: list(model.config.texts(name)) for name in ("layouts", "colours")}
    config = ModelConfig(name=PLATE_READER, values=values | changed)

    with pytest.raises(ModelFormatError):
        PlateReader(
            replace(model, config=config), open_session(model.path), corners=PlateCorners.open()
        )
