# SPDX-License-Identifier: AGPL-3.0-or-later
"""The road itself: sky, hills, toll canopy, lanes; painted once per clip, dry and wet."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.road.paint import Colour
from models.datasets.synth.road.space import Lens
from models.runtime.values import BgrImage

LANE_INNER_M: Final = 0.45
LANE_OUTER_M: Final = 3.4
ISLAND_OUTER_M: Final = 4.6
ROAD_EDGE_M: Final = 9.2
CANOPY_Z_M: Final = 36.0
CANOPY_LOW_M: Final = 5.3
CANOPY_HIGH_M: Final = 6.7
CANOPY_HALF_M: Final = 12.5
LINE_Z_M: Final = 7.6
"""Depth of the line across the lanes at which a vehicle counts as passed."""

FAR_M: Final = 400.0
MARKED_M: Final = 60.0
"""Farther away islands and kerbs would only flicker."""

OVERSAMPLE: Final = 2

Plane = NDArray[np.float32]
"""One number per pixel, shape ``(height, width)``."""

Picture = NDArray[np.float32]
"""A picture being computed, shape ``(height, width, 3)``; or one factor for it, ``(h, w, 1)``."""

DRY_HAZE: Final[Colour] = (196, 192, 184)
WET_HAZE: Final[Colour] = (176, 172, 168)
DRY_SKY: Final = np.array([[214, 166, 112], [236, 224, 206]])
WET_SKY: Final = np.array([[150, 142, 134], [190, 186, 182]])
"""Colour at the top of the picture and at the horizon."""

HILLS: Final = ((64, (178, 160, 132), 0.3), (38, (136, 132, 96), 1.7), (16, (82, 104, 76), 4.1))
"""Height in pixels, colour and phase of each range, the farthest first."""

HILL_WAVES: Final = ((1.3, 0.5), (3.1, 0.3), (7.7, 0.13), (19.0, 0.06))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """The empty road in three weathers.

    Attributes:
        dry: By day.
        wet: In rain.
        lamps: Light that fixed lamps and lit signs add in the dark.
        night: How much of the daylight's colour is left at night, 0 to 255 per channel.
    """

    dry: BgrImage
    wet: BgrImage
    lamps: BgrImage
    night: BgrImage


def paint_backdrop(lens: Lens, *, rng: Generator) -> Backdrop:
    """Paint the empty road for a camera; takes about half a second."""
    x_m, z_m = _ground(lens)
    road = _road(x_m, z_m, rng)
    haze = np.asarray(np.clip(z_m / 160, 0, 1)[..., None] ** 0.8, np.float32)
    clouds = _noise(rng, size=256, blur=9.0)
    dry = _with_ground(_sky(lens, clouds, is_wet=False), _hazy(road, haze, DRY_HAZE), lens)
    wet_road = _wetted(road, x_m, z_m)
    wet = _with_ground(_sky(lens, clouds, is_wet=True), _hazy(wet_road, haze, WET_HAZE), lens)
    for image, tone in ((dry, 1.0), (wet, 0.86)):
        _paint_plaza(image, lens, tone=tone)
    return Backdrop(dry=dry, wet=wet, lamps=_lamps(lens), night=_night(lens))


def _ground(lens: Lens) -> tuple[Plane, Plane]:
    """Road coordinates of the oversampled pixels from the horizon's row down."""
    first = int(lens.horizon_px)
    rows = np.arange(first * OVERSAMPLE, lens.height_px * OVERSAMPLE, dtype=np.float32)
    columns = np.arange(lens.width_px * OVERSAMPLE, dtype=np.float32)
    below_px = (rows + 0.5) / OVERSAMPLE - lens.horizon_px
    right_px = (columns + 0.5) / OVERSAMPLE - lens.width_px / 2
    depth = lens.focal_px * lens.height_m / np.maximum(below_px, 1e-3)
    z_m = np.minimum(depth, FAR_M).astype(np.float32)[:, None] * np.ones_like(right_px)
    return (right_px * z_m / lens.focal_px).astype(np.float32), z_m.astype(np.float32)


def _hazy(ground: Picture, haze: Picture, colour: Colour) -> Picture:
    """Ground that fades into the haze of the distance."""
    return ground * (1 - haze) + np.array(colour, np.float32) * haze


def _with_ground(sky: BgrImage, ground: Picture, lens: Lens) -> BgrImage:
    """Average oversampled ground down and lay it over the lower part of a sky."""
    clipped = np.clip(ground, 0, 255).astype(np.uint8)
    first = int(lens.horizon_px)
    size = (lens.width_px, lens.height_px - first)
    sky[first:] = cv2.resize(clipped, size, interpolation=cv2.INTER_AREA)
    return sky


def _noise(rng: Generator, *, size: int, blur: float) -> Plane:
    """Square of smooth noise with mean 0 and deviation 1."""
    noise = rng.standard_normal((size, size)).astype(np.float32)
    if blur > 0:
        margin = round(3 * blur)
        wrapped = np.pad(noise, margin, mode="wrap")
        wrapped = np.asarray(cv2.GaussianBlur(wrapped, (0, 0), blur), np.float32)
        noise = wrapped[margin : margin + size, margin : margin + size]
    return np.asarray(noise / noise.std(), np.float32)


def _sampled(noise: Plane, x_m: Plane, z_m: Plane, *, px_per_m: float) -> Plane:
    """Noise laid out over the road like a carpet."""
    size = noise.shape[0]
    return np.asarray(
        cv2.remap(
            noise,
            np.mod(x_m * px_per_m, size).astype(np.float32),
            np.mod(z_m * px_per_m, size).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        ),
        np.float32,
    )


def _road(x_m: Plane, z_m: Plane, rng: Generator) -> Picture:
    """Colour of the dry ground, shape ``(h, w, 3)``."""
    side = np.abs(x_m)
    grain = _sampled(_noise(rng, size=512, blur=0.6), x_m, z_m, px_per_m=45.0)
    patches = _sampled(_noise(rng, size=512, blur=24.0), x_m, z_m, px_per_m=22.0)
    fade = np.clip(14 / z_m, 0.05, 1.0)
    tone = 104 + grain * 7 * fade + patches * 4
    middle = (LANE_INNER_M + LANE_OUTER_M) / 2
    for track in (middle - 0.78, middle + 0.78):
        tone = tone - 13 * np.exp(-(((side - track) / 0.24) ** 2))
    tone = tone - 9 * np.exp(-(((side - middle) / 0.3) ** 2))
    colour = tone[..., None] * np.array([1.02, 1.0, 0.98], np.float32)
    _mark_lanes(colour, side, x_m, z_m, grain)
    grass = np.array([66.0, 112.0, 98.0], np.float32) + (grain * 9 * fade + patches * 6)[..., None]
    return np.asarray(np.where((side > ROAD_EDGE_M)[..., None], grass, colour), np.float32)


def _mark_lanes(colour: Picture, side: Plane, x_m: Plane, z_m: Plane, grain: Plane) -> None:
    """Paint islands, kerbs, edge lines, the counting line and its loops onto the asphalt."""
    paint = (214 + grain * 8)[..., None] * np.ones(3, np.float32)
    concrete = (158 + grain * 6)[..., None] * np.array([0.97, 1.0, 1.02], np.float32)
    is_island = (side < LANE_INNER_M - 0.1) | (
        (side > LANE_OUTER_M + 0.1) & (side < ISLAND_OUTER_M)
    )
    kerb = ((side >= LANE_INNER_M - 0.1) & (side < LANE_INNER_M)) | (
        (side > LANE_OUTER_M) & (side <= LANE_OUTER_M + 0.1)
    )
    stripes = np.where(
        (np.floor(z_m / 0.6) % 2 == 0)[..., None],
        np.array([40.0, 190.0, 226.0], np.float32),
        np.array([38.0] * 3, np.float32),
    )
    _put(colour, is_island & (z_m < MARKED_M), concrete)
    _put(colour, kerb & (z_m < MARKED_M), stripes)
    edge = _within(side - LANE_INNER_M - 0.16, 0.06) | _within(side - LANE_OUTER_M + 0.16, 0.06)
    edge |= _within(side - ROAD_EDGE_M + 0.3, 0.07)
    _put(colour, edge, paint)
    in_lane = (side > LANE_INNER_M + 0.3) & (side < LANE_OUTER_M - 0.3)
    _put(colour, in_lane & _within(z_m - LINE_Z_M, 0.14), paint)
    for depth in (10.2, 12.6):
        loop_x = np.abs(side - (LANE_INNER_M + LANE_OUTER_M) / 2)
        loop_z = np.abs(z_m - depth)
        outline = (np.maximum(loop_x / 1.1, loop_z / 0.7) < 1) & (
            np.maximum(loop_x / 1.06, loop_z / 0.64) > 1
        )
        _put(colour, outline, np.full(3, 58.0, np.float32))
    _mark_arrows(colour, x_m, z_m, paint)


def _mark_arrows(colour: Picture, x_m: Plane, z_m: Plane, paint: Picture) -> None:
    """An arrow in each lane, towards the camera on the left, away from it on the right."""
    middle = (LANE_INNER_M + LANE_OUTER_M) / 2
    for side in (-1, 1):
        along = (z_m - 19.0) * side
        shaft = _within(x_m - side * middle, 0.09) & _within(along + 0.8, 1.4)
        head = _within(along - 1.3, 0.7) & _within(x_m - side * middle, (2.0 - along) * 0.3)
        _put(colour, shaft | head, paint)


def _within(offset_m: Plane, half_m: float | Plane) -> NDArray[np.bool_]:
    """Where an offset is less than ``half_m`` to either side."""
    return np.asarray(np.abs(offset_m) < half_m, np.bool_)


def _put(colour: Picture, where: NDArray[np.bool_], what: Picture) -> None:
    """Write ``what``, a colour or a picture of colours, where a mask says so."""
    np.copyto(colour, np.broadcast_to(what, colour.shape), where=where[..., None])


def _wetted(ground: Picture, x_m: Plane, z_m: Plane) -> Picture:
    """Wet ground: darker, with the sky's sheen growing with distance."""
    sheen = np.clip(z_m / 34, 0, 1)[..., None] * 0.55
    puddles = np.exp(-(((np.abs(x_m) - 1.5) / 0.35) ** 2))[..., None] * 0.12
    mirror = np.clip(sheen + puddles, 0, 0.8).astype(np.float32)
    sky = np.array([168.0, 162.0, 154.0], np.float32)
    return np.asarray(ground * np.float32(0.62) * (1 - mirror) + sky * mirror, np.float32)


def _sky(lens: Lens, clouds: Plane, *, is_wet: bool) -> BgrImage:
    """Sky and far hills, filling the whole picture."""
    rows = np.arange(lens.height_px, dtype=np.float32)
    share = np.clip(rows / max(lens.horizon_px, 1.0), 0, 1)[:, None, None]
    top, low = (WET_SKY if is_wet else DRY_SKY).astype(np.float32)
    size = (lens.width_px, lens.height_px)
    veil = np.clip(cv2.resize(clouds, size, interpolation=cv2.INTER_CUBIC) * 0.35 + 0.1, 0, 0.75)
    veil = np.asarray(veil, np.float32)[..., None]
    sky = (top * (1 - share) + low * share) * (1 - veil) + (168 if is_wet else 246) * veil
    across = np.arange(lens.width_px, dtype=np.float32) / lens.width_px
    for height, tone, phase in HILLS:
        waves = [np.sin(across * f * 6.3 + phase * f) * a for f, a in HILL_WAVES]
        crest = lens.horizon_px - height * (1.0 + 0.55 * np.sum(waves, axis=0))
        cover = np.clip(rows[:, None] - crest[None, :] + 0.5, 0, 1).astype(np.float32)[..., None]
        colour = np.array(tone, np.float32) * (0.86 if is_wet else 1.0) + (22 if is_wet else 0)
        sky = sky * (1 - cover) + colour * cover
    return np.asarray(np.clip(sky, 0, 255).astype(np.uint8))


def _quad(  # noqa: PLR0917 - the sides of a rectangle in reading order
    lens: Lens, left_m: float, right_m: float, low_m: float, high_m: float, z_m: float
) -> NDArray[np.int32]:
    """Pixels of an upright rectangle across the road, for OpenCV with 4 fractional bits."""
    corners = np.array(
        [[left_m, high_m, z_m], [right_m, high_m, z_m], [right_m, low_m, z_m], [left_m, low_m, z_m]]
    )
    return np.asarray((lens.project(corners) * 16).round(), np.int32)


def _fill(image: BgrImage, points: NDArray[np.int32], colour: Colour, tone: float = 1.0) -> None:
    blue, green, red = (round(part * tone) for part in colour)
    cv2.fillPoly(image, [points], (blue, green, red), cv2.LINE_AA, 4)


def _paint_plaza(image: BgrImage, lens: Lens, *, tone: float) -> None:
    """Canopy, pillars, booths, signs and lamp posts."""
    for side in (-1, 1):
        for depth in (90.0, 60.0):
            _lamp_post(image, lens, side * 10.2, depth, tone)
    z = CANOPY_Z_M
    _fill(
        image,
        _quad(lens, -CANOPY_HALF_M, CANOPY_HALF_M, CANOPY_LOW_M - 0.25, CANOPY_LOW_M, z + 6),
        (70, 74, 78),
        tone,
    )
    for x in (-9.8, -4.0, 0.0, 4.0, 9.8):
        _fill(image, _quad(lens, x - 0.2, x + 0.2, 0.0, CANOPY_LOW_M, z), (168, 166, 160), tone)
        _fill(image, _quad(lens, x + 0.08, x + 0.2, 0.0, CANOPY_LOW_M, z), (128, 126, 122), tone)
        _fill(image, _quad(lens, x - 0.21, x + 0.21, 0.0, 1.1, z), (36, 168, 214), tone)
    for x in (-4.0, 4.0):
        _booth(image, lens, x, z - 2.2, tone)
    _fill(
        image,
        _quad(lens, -CANOPY_HALF_M, CANOPY_HALF_M, CANOPY_LOW_M, CANOPY_HIGH_M, z - 1),
        (150, 92, 34),
        tone,
    )
    _fill(
        image,
        _quad(lens, -CANOPY_HALF_M, CANOPY_HALF_M, CANOPY_LOW_M, CANOPY_LOW_M + 0.18, z - 1),
        (226, 224, 220),
        tone,
    )
    _fill(
        image,
        _quad(lens, -CANOPY_HALF_M, CANOPY_HALF_M, CANOPY_HIGH_M - 0.1, CANOPY_HIGH_M, z - 1),
        (206, 202, 196),
        tone,
    )
    for x in (-7.2, -2.25, 2.25, 7.2):
        _lane_sign(image, lens, x, tone)
    for side in (-1, 1):
        for depth in (30.0, 22.0, 14.0):
            _lamp_post(image, lens, side * 10.6, depth, tone)
    for depth in np.arange(26.0, 5.0, -3.0):
        _cone(image, lens, float(depth), tone)


def _lane_sign(image: BgrImage, lens: Lens, x: float, tone: float) -> None:
    z = CANOPY_Z_M - 1.2
    _fill(
        image,
        _quad(lens, x - 1.0, x + 1.0, CANOPY_LOW_M + 0.3, CANOPY_HIGH_M - 0.25, z),
        (46, 92, 20),
        tone,
    )
    _write_lane(image, lens, x, (240, 240, 240))


def _write_lane(image: BgrImage, lens: Lens, x: float, colour: Colour) -> None:
    """Electronic toll collection, as the signs over the lanes say."""
    z = CANOPY_Z_M - 1.2
    left, _, _, low = _quad(lens, x - 0.86, x + 1.0, CANOPY_LOW_M + 0.5, CANOPY_HIGH_M, z) // 16
    size = lens.focal_px / z * 0.72 / 22
    place = (int(left[0]), int(low[1]))
    cv2.putText(image, "ETC", place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 2, cv2.LINE_AA)


def _booth(image: BgrImage, lens: Lens, x: float, z: float, tone: float) -> None:
    _fill(image, _quad(lens, x - 0.55, x + 0.55, 0.0, 2.6, z), (206, 204, 198), tone)
    _fill(image, _quad(lens, x - 0.55, x + 0.55, 0.0, 1.0, z), (160, 104, 42), tone)
    _fill(image, _quad(lens, x - 0.45, x + 0.45, 1.1, 2.2, z), (92, 80, 66), tone)
    _fill(image, _quad(lens, x - 0.4, x - 0.1, 1.1, 2.2, z), (128, 116, 100), tone)
    _fill(image, _quad(lens, x - 0.68, x + 0.68, 2.55, 2.8, z), (120, 76, 34), tone)


def _lamp_post(image: BgrImage, lens: Lens, x: float, z: float, tone: float) -> None:
    _fill(image, _quad(lens, x - 0.07, x + 0.07, 0.0, 8.5, z), (122, 120, 116), tone)
    arm = -1.8 if x > 0 else 1.8
    low, high = sorted((x, x + arm))
    _fill(image, _quad(lens, low, high, 8.38, 8.5, z), (122, 120, 116), tone)


def _cone(image: BgrImage, lens: Lens, z: float, tone: float) -> None:
    """A flexible post on the middle island."""
    _fill(image, _quad(lens, -0.13, 0.13, 0.0, 0.05, z), (40, 40, 42), tone)
    _fill(image, _quad(lens, -0.045, 0.045, 0.03, 0.75, z), (36, 92, 232), tone)
    for low in (0.3, 0.52):
        _fill(image, _quad(lens, -0.046, 0.046, low, low + 0.1, z), (236, 236, 236), tone)


def _lamps(lens: Lens) -> BgrImage:
    """Light of lamps under the canopy, lit signs and street lamps, to be added at night."""
    light = np.zeros((lens.height_px, lens.width_px, 3), np.uint8)
    z = CANOPY_Z_M - 1.1
    for x in np.arange(-10.5, 11.0, 3.0):
        _fill(
            light,
            _quad(lens, x - 0.7, x + 0.7, CANOPY_LOW_M - 0.12, CANOPY_LOW_M + 0.02, z),
            (236, 250, 255),
        )
    for x in (-7.2, -2.25, 2.25, 7.2):
        _fill(
            light,
            _quad(lens, x - 1.0, x + 1.0, CANOPY_LOW_M + 0.3, CANOPY_HIGH_M - 0.25, z),
            (16, 56, 6),
        )
        _write_lane(light, lens, x, (120, 220, 130))
    for x in (-4.0, 4.0):
        _fill(light, _quad(lens, x - 0.45, x + 0.45, 1.1, 2.2, z - 1.1), (120, 170, 190))
    for side in (-1, 1):
        for depth in (90.0, 60.0, 30.0, 22.0):
            _fill(
                light,
                _quad(lens, side * 8.6 - 0.3, side * 8.6 + 0.3, 8.28, 8.42, depth),
                (150, 220, 255),
            )
    glow = cv2.GaussianBlur(light, (0, 0), 14)
    wide = cv2.GaussianBlur(light, (0, 0), 45)
    return np.asarray(cv2.add(cv2.add(light, glow), cv2.convertScaleAbs(wide, alpha=1.6)), np.uint8)


def _night(lens: Lens) -> BgrImage:
    """What the lamps of the plaza and the camera's own lamp leave visible at night."""
    rows = np.arange(lens.height_px)[:, None] / lens.height_px
    columns = np.arange(lens.width_px)[None, :] / lens.width_px
    own_lamp = np.exp(-(((columns - 0.5) / 0.5) ** 2) - (((rows - 0.74) / 0.36) ** 2))
    plaza = np.exp(-(((columns - 0.5) / 0.5) ** 2) - (((rows - 0.34) / 0.15) ** 2))
    horizon = lens.horizon_px / lens.height_px
    ambient = 0.06 + 0.14 / (1 + np.exp(-(rows - horizon + 0.02) / 0.03))
    level = ambient + 0.46 * own_lamp + 0.36 * plaza
    tinted = level[..., None] * np.array([1.0, 0.96, 0.9])
    return np.asarray(np.clip(tinted * 255, 0, 255).astype(np.uint8))
