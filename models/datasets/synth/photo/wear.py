# SPDX-License-Identifier: AGPL-3.0-or-later
"""What years on the road do to a plate's sheet: fading, flaking, rust, mud, bolts, stickers.

Works on any frontal picture of a plate, in the plate's own plane, so that the marks tilt with
the plate.
"""

from statistics import NormalDist
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.runtime.values import BgrImage

_Field = NDArray[np.float32]
_Bgr = tuple[float, float, float]

_FADED_SHARE: Final = 0.45
_DUSTY_SHARE: Final = 0.5
_FLAKED_SHARE: Final = 0.35
_SCRATCHED_SHARE: Final = 0.4
_RUSTY_SHARE: Final = 0.25
_MUDDY_SHARE: Final = 0.3
_STICKER_SHARE: Final = 0.3
_BOLTED_SHARE: Final = 0.6
_MAX_FADING: Final = 0.68
_MAX_FLAKED: Final = 0.09
_MAX_MUD_DEPTH: Final = 0.34
_LONG_ASPECT: Final = 2.6
_EVEN_ODDS: Final = 0.5


def soft_field(shape: tuple[int, int], rng: Generator, *, cells: tuple[int, int]) -> _Field:
    """Smooth random field in [0, 1], shape ``(height, width)``."""
    coarse = rng.random(cells, dtype=np.float32)
    field = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(field, dtype=np.float32)


def covered(image: BgrImage, colour: NDArray[np.float32], cover: _Field) -> BgrImage:
    """Mix one colour over a picture; ``cover`` is 0 to 1 per pixel."""
    plain = np.empty_like(image)
    plain[:] = np.clip(colour, 0, 255).astype(np.uint8)
    weight = cover.astype(np.float32, copy=False)
    return np.asarray(cv2.blendLinear(image, plain, 1 - weight, weight), dtype=np.uint8)


def worn(plate: BgrImage, rng: Generator, *, strength: float) -> BgrImage:
    """Age a plate.

    Args:
        plate: Frontal plate, filling its picture; it is not changed.
        rng: Source of randomness.
        strength: 0 changes nothing, 1 is a plate after twenty years.

    Returns:
        A picture of the same shape; the plate itself when nothing happened to it.
    """
    if strength == 0:
        return plate
    steps = (
        (_FADED_SHARE, _faded),
        (_FLAKED_SHARE, _flaked),
        (_SCRATCHED_SHARE, _scratched),
        (_STICKER_SHARE, _stuck_over),
        (_BOLTED_SHARE, _bolted),
        (_RUSTY_SHARE, _rusted),
        (_DUSTY_SHARE, _dusted),
        (_MUDDY_SHARE, _splashed),
    )
    result = plate
    for (share, step), draw in zip(steps, rng.random(len(steps)).tolist(), strict=True):
        if draw < share * (0.25 + 0.75 * strength):
            result = step(result, rng, strength)
    return result


def _ground_colour(plate: BgrImage) -> NDArray[np.float32]:
    """Colour of the sheet between the glyphs: more than half of its pixels have it."""
    step = max(1, plate.shape[0] // 14)
    return np.asarray(np.median(plate[::step, ::step].reshape(-1, 3), axis=0), dtype=np.float32)


def _faded(plate: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Ink bleached towards the sheet's colour, evenly or in places."""
    depth = float(rng.beta(1.3, 2.0)) * _MAX_FADING * (0.4 + 0.6 * strength)
    if rng.random() < _EVEN_ODDS:
        field = np.full(plate.shape[:2], depth, np.float32)
    else:
        cells = (3, 4) if rng.random() < _EVEN_ODDS else (4, 14)
        field = depth * (0.4 + 0.6 * soft_field(plate.shape[:2], rng, cells=cells))
    return covered(plate, _ground_colour(plate), field)


def _flaked(plate: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Paint that came off: blobs of the sheet's colour, which leave gaps in the glyphs."""
    rows = int(rng.integers(9, 26))
    columns = max(2, round(rows * plate.shape[1] / plate.shape[0]))
    field = soft_field(plate.shape[:2], rng, cells=(rows, columns))
    field += 0.8 * soft_field(plate.shape[:2], rng, cells=(3, 4))
    share = float(rng.uniform(0.02, _MAX_FLAKED)) * (0.3 + 0.7 * strength)
    mean, spread = cv2.meanStdDev(field)
    threshold = float(mean[0, 0]) + float(spread[0, 0]) * NormalDist().inv_cdf(1 - share)
    cover = np.clip((field - threshold) * 12, 0, float(rng.uniform(0.5, 1.0)))
    return covered(plate, _ground_colour(plate) * float(rng.uniform(0.85, 1.05)), cover)


def _scratched(plate: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Thin lines, most of them along one direction; now and then a crease across the sheet."""
    result = plate.copy()
    height, width = plate.shape[:2]
    if rng.random() < 0.2:  # noqa: PLR2004 -- share of creased ones among the scratched
        left, right = ((0.2 + 0.6 * rng.random(2)) * height).astype(int).tolist()
        for shift, shade in ((0, int(rng.integers(30, 120))), (1, int(rng.integers(150, 250)))):
            ends = ((0, left + shift), (width, right + shift))
            cv2.line(result, *ends, (shade,) * 3, max(1, height // 160), cv2.LINE_AA)
    angle = float(rng.uniform(0, np.pi))
    for _ in range(int(rng.integers(1, 3 + int(8 * strength)))):
        turn = angle + float(rng.normal(0, 0.25))
        length = height * float(rng.uniform(0.1, 0.7))
        x, y = float(rng.uniform(0, width)), float(rng.uniform(0, height))
        end = (round(x + length * np.cos(turn)), round(y + length * np.sin(turn)))
        shade = int(rng.integers(60, 225))
        thickness = 1 + int(rng.random() < height / 500)
        cv2.line(result, (round(x), round(y)), end, (shade,) * 3, thickness, cv2.LINE_AA)
    return result


def _rusted(plate: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Brown stains that start at an edge or a bolt and run down."""
    height, width = plate.shape[:2]
    cover = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 2 + int(5 * strength)))):
        x = int(rng.uniform(0, width))
        y = int(height * (rng.random() if rng.random() < _EVEN_ODDS else rng.integers(2)))
        radius = max(1, round(height * float(rng.uniform(0.02, 0.09))))
        cv2.circle(cover, (x, y), radius, 1.0, -1)
        run = round(height * float(rng.uniform(0, 0.3)))
        cv2.line(cover, (x, y), (x, y + run), 0.7, max(1, radius // 2))
    cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.4 + height / 60), dtype=np.float32)
    cover *= float(rng.uniform(0.4, 0.9))
    brown = np.array([25, 60, 115], np.float32) + rng.normal(0, 14, 3).astype(np.float32)
    return covered(plate, brown, cover)


def _dusted(plate: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Dry dirt in uneven patches."""
    field = soft_field(plate.shape[:2], rng, cells=(5, 9))
    cover = np.clip((field - 0.8 + 0.45 * strength) * 2.2, 0, 0.25 + 0.5 * strength)
    mud = rng.uniform(40, 175) + rng.uniform(-14, 14, 3)
    return covered(plate, mud.astype(np.float32), cover)


def _splashed(plate: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Mud thrown up by the wheel: thick below, drops above."""
    height, width = plate.shape[:2]
    depth = float(rng.uniform(0.03, _MAX_MUD_DEPTH)) * (0.3 + 0.7 * strength)
    rise = np.linspace(1 / max(depth, 0.02) * -(1 - depth), 1, height, dtype=np.float32)[:, None]
    cover = rise + (soft_field((height, width), rng, cells=(4, 14)) - 0.5) * 1.6
    cover = np.clip(cover, 0, float(rng.uniform(0.45, 0.85)))
    for _ in range(int(rng.integers(0, 4 + int(14 * strength)))):
        centre = (int(rng.uniform(0, width)), int(height * rng.beta(2, 1.2)))
        radius = max(1, round(height * float(rng.uniform(0.004, 0.03))))
        cv2.circle(cover, centre, radius, float(rng.uniform(0.4, 0.9)), -1)
    brown = rng.uniform(45, 135) * np.array([0.7, 0.85, 1.0]) + rng.normal(0, 5, 3)
    return covered(plate, brown.astype(np.float32), cover)


def _bolted(plate: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Two or four bolts, bright or dark, also in the rows of the glyphs."""
    result = plate.copy()
    height, width = plate.shape[:2]
    is_long = width > _LONG_ASPECT * height
    reach = float(rng.uniform(0.018, 0.05)) * (1.9 if is_long else 1.0)
    radius = max(1, round(height * reach * (0.6 + 0.4 * strength)))
    x = width * float(rng.uniform(0.03, 0.12) if is_long else rng.uniform(0.1, 0.4))
    rows = [float(rng.choice([0.05, 0.25, 0.3, 0.5, 0.7, 0.95]))]
    if rng.random() < 0.3:  # noqa: PLR2004 -- share of plates with four bolts
        rows.append(1 - rows[0])
    shade = int(rng.integers(15, 250))
    for row in rows:
        y = round(height * row)
        for column in (x, width - x + float(rng.normal(0, 0.01 * width))):
            centre = (round(column), y)
            cv2.circle(result, centre, radius, (shade,) * 3, -1, cv2.LINE_AA)
            if radius > 2:  # noqa: PLR2004 -- below that a rim can't be seen
                cv2.circle(result, centre, radius, (shade // 2,) * 3, 1, cv2.LINE_AA)
                glint = (centre[0] - radius // 3, centre[1] - radius // 3)
                cv2.circle(result, glint, max(1, radius // 3), (min(255, shade + 90),) * 3, -1)
    return result


def _stuck_over(plate: BgrImage, rng: Generator, _strength: float) -> BgrImage:
    """A sticker: a flag along the left edge, an inspection or auction mark in a corner."""
    result = plate.copy()
    height, width = plate.shape[:2]
    is_long = width > _LONG_ASPECT * height
    first, second = (tuple(int(v) for v in rng.integers(0, 256, 3)) for _ in range(2))
    if is_long and rng.random() < 0.7:  # noqa: PLR2004 -- most stickers on long plates are strips
        depth = round(width * float(rng.uniform(0.012, 0.05)))
        at_right = rng.random() < 0.25  # noqa: PLR2004 -- share at the other end
        strip = result[:, width - depth :] if at_right else result[:, :depth]
        strip[:] = (40, 30, 200) if rng.random() < _EVEN_ODDS else first
        middle = max(1, depth // 3)
        cv2.circle(strip, (depth // 2, height // 3), middle, (40, 220, 240), -1, cv2.LINE_AA)
        if rng.random() < _EVEN_ODDS:
            strip[height // 2 :] = second
        return result
    size = height * float(rng.uniform(0.06, 0.16)) * (1.6 if is_long else 1.0)
    x = width * float(rng.choice([0.04, 0.5, 0.96]))
    y = height * float(rng.choice([0.05, 0.5, 0.95]) if not is_long else rng.choice([0.1, 0.9]))
    if rng.random() < _EVEN_ODDS:
        cv2.circle(result, (round(x), round(y)), max(1, round(size / 2)), first, -1, cv2.LINE_AA)
        cv2.circle(result, (round(x), round(y)), max(1, round(size / 4)), second, -1, cv2.LINE_AA)
    else:
        low, high = (
            (round(x - size / 2), round(y - size / 3)),
            (round(x + size / 2), round(y + size / 3)),
        )
        cv2.rectangle(result, low, high, first, -1)
        cv2.line(result, (low[0], round(y)), (high[0], round(y)), second, 1)
    return result
