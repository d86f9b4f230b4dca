# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renders one moment of the road: shadows, vehicles, plates, lamps, weather, lens and sensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.synth.road.backdrop import Backdrop, paint_backdrop
from models.datasets.synth.road.fleet import Actor
from models.datasets.synth.road.light import (
    Film,
    Weather,
    add_glow,
    developed,
    empty_road,
    light_map,
    make_film,
)
from models.datasets.synth.road.model import Lamp
from models.datasets.synth.road.plan import FAR_Z_M
from models.datasets.synth.road.space import (
    NEAR_M,
    Face,
    Layer,
    Lens,
    Mask,
    box_of,
    moved,
    paint_face,
)
from models.runtime.values import BgrImage, BoxPx, FloatArray

MIN_BLUR_PX: Final = 1.2
FADE_M: Final = 6.0
MAX_BLUR_PX: Final = 9.0
BEHIND_Z_M: Final = -12.0
SOFTNESS_PX: Final = 0.62
DAY_EXPOSURE: Final = 0.03
RAIN_EXPOSURE: Final = 0.1
NIGHT_EXPOSURE: Final = 0.2
"""Shares of a frame's time during which the shutter is open: what is blurred, and how much."""

RAIN_LAMPS: Final = 0.55
WET_MIRROR: Final = 0.3
BEAM_GLARE: Final = 4.6
TAIL_GLARE: Final = 6.0
RETRO_LIGHT: Final = (205, 210, 214)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What stays the same from frame to frame."""

    lens: Lens
    backdrop: Backdrop
    film: Film


@dataclass(frozen=True, slots=True, kw_only=True)
class Dark:
    """Light of one picture that is being painted, where daylight does not suffice.

    Attributes:
        daylight: What falls on everything, 0 to 255 per channel.
        light: The same with what vehicles light up; painted over, far vehicles first.
        glare: What lamps add; painted over likewise.
    """

    daylight: BgrImage
    light: BgrImage
    glare: BgrImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    """Where a vehicle was painted: its coverage and the corner of it."""

    mask: Mask
    left_px: int
    top_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A vehicle at one moment.

    Attributes:
        z_m: Depth of its near end.
        step_m: How far it moves in one frame.
    """

    actor: Actor
    z_m: float
    step_m: float


def make_stage(lens: Lens, *, rng: Generator) -> Stage:
    """Paint what all frames of a camera share; about a second of work."""
    return Stage(lens=lens, backdrop=paint_backdrop(lens, rng=rng), film=make_film(lens, rng=rng))


def is_on_stage(z_m: float) -> bool:
    """Whether any part of a vehicle with this near end may be in the picture."""
    return BEHIND_Z_M < z_m < FAR_Z_M


def plate_box(actor: Actor, lens: Lens, *, z_m: float) -> BoxPx | None:
    """Upright box around a vehicle's plate, not clipped; ``None`` behind the camera."""
    corners = moved(actor.plate_face.corners_m, x_m=actor.planned.x_m, z_m=z_m)
    if corners[:, 2].min() < NEAR_M:
        return None
    return box_of(lens.project(corners))


def vehicle_box(one: Placed, lens: Lens) -> BoxPx | None:
    """Upright box around a vehicle's visible end, clipped to the picture; ``None`` outside it."""
    model, x_m = one.actor.model, one.actor.planned.x_m
    near, far = max(one.z_m, NEAR_M), one.z_m + model.length_m
    if one.z_m < NEAR_M:
        return None
    inner = x_m - np.sign(x_m) * model.width_m / 2
    corners = [
        [x_m + s * model.width_m / 2, y, near] for s in (-1, 1) for y in (0.0, model.height_m)
    ]
    corners += [[inner, y, far] for y in (0.0, model.height_m)]
    box = box_of(lens.project(np.array(corners)))
    box = box.clipped(width=lens.width_px, height=lens.height_px)
    return box if box.width > 1 and box.height > 1 else None


def hides(one: Placed, box: BoxPx, lens: Lens) -> bool:
    """Whether a vehicle covers the middle of a box that lies behind it."""
    model, x_m = one.actor.model, one.actor.planned.x_m
    near, far = max(one.z_m, NEAR_M), one.z_m + model.length_m
    if far <= NEAR_M:
        return False
    corners = [
        [x_m + side * model.width_m / 2, y_m, z_m]
        for side in (-1, 1)
        for y_m in (0.0, model.height_m)
        for z_m in (near, far)
    ]
    hull = cv2.convexHull(lens.project(np.array(corners)).astype(np.float32))
    return cv2.pointPolygonTest(hull, box.centre, measureDist=False) >= 0


def is_whole(box: BoxPx, lens: Lens) -> bool:
    """Whether a box lies within the picture."""
    is_inside = box.x_min >= 0 and box.y_min >= 0
    return is_inside and box.x_max <= lens.width_px and box.y_max <= lens.height_px


def render_frame(
    stage: Stage, placed: Sequence[Placed], weather: Weather, *, rng: Generator
) -> BgrImage:
    """Render one moment.

    Args:
        stage: Road and film of the camera.
        placed: Vehicles in any order.
        weather: Rain and night.
        rng: Grain and rain.

    Returns:
        A new picture of the lens's size.
    """
    picture = empty_road(stage.backdrop, weather)
    daylight = light_map(stage.backdrop, weather)
    dark = (
        Dark(
            daylight=daylight,
            light=daylight.copy(),
            glare=np.asarray(
                cv2.convertScaleAbs(stage.backdrop.lamps, alpha=weather.night), np.uint8
            ),
        )
        if daylight is not None
        else None
    )
    for one in sorted(placed, key=lambda one: -one.z_m):
        _paint_shadow(picture, one, stage.lens, weather)
        painted = _paint_vehicle(picture, one, stage.lens, weather)
        if dark is not None:
            if painted is not None:
                _hide_lights(dark, painted)
            _light_road(dark.light, one, stage, weather)
            _light_lamps(dark.glare, one, stage, weather)
    if dark is not None:
        picture = np.asarray(cv2.multiply(picture, dark.light, scale=1 / 255), np.uint8)
        picture = np.asarray(cv2.add(picture, dark.glare), np.uint8)
    return developed(picture, stage.film, weather, rng=rng, softness_px=SOFTNESS_PX)


def _extent(one: Placed, lens: Lens) -> tuple[int, int, int, int] | None:
    """Columns and rows ``x0, y0, x1, y1`` of the picture that a vehicle may touch."""
    model, x_m = one.actor.model, one.actor.planned.x_m
    near, far = max(one.z_m - 0.25, NEAR_M), one.z_m + model.length_m
    if far <= NEAR_M:
        return None
    half = model.width_m / 2 + 0.3
    corners = np.array(
        [
            [x_m + s * half, y, z]
            for s in (-1, 1)
            for y in (0.0, model.height_m + 0.25)
            for z in (near, far)
        ]
    )
    box = box_of(lens.project(corners)).clipped(width=lens.width_px, height=lens.height_px)
    if box.width < 1 or box.height < 1:
        return None
    return int(box.x_min), int(box.y_min), int(np.ceil(box.x_max)), int(np.ceil(box.y_max))


def _exposure(weather: Weather) -> float:
    """Share of a frame's time during which the shutter is open."""
    day = DAY_EXPOSURE + (RAIN_EXPOSURE - DAY_EXPOSURE) * weather.rain
    return day + (NIGHT_EXPOSURE - day) * weather.night


def _paint_vehicle(picture: BgrImage, one: Placed, lens: Lens, weather: Weather) -> Painted | None:
    """Paint a vehicle with its plate, blurred by its own motion."""
    extent = _extent(one, lens)
    if extent is None:
        return None
    x0, y0, x1, y1 = extent
    part = picture[y0:y1, x0:x1]
    layer = Layer(image=part.copy(), mask=np.zeros(part.shape[:2], np.uint8), left_px=x0, top_px=y0)
    faces: list[Face] = [*one.actor.model.faces, one.actor.plate_face]
    for face in faces:
        paint_face(layer, face, lens, x_m=one.actor.planned.x_m, z_m=one.z_m)
    kernel = _blur_kernel(one, lens, weather)
    image, mask = layer.image, layer.mask
    if kernel is not None:
        edge = cv2.BORDER_REPLICATE
        image = np.asarray(cv2.filter2D(image, -1, kernel, borderType=edge), np.uint8)
        mask = np.asarray(cv2.filter2D(mask, -1, kernel, borderType=edge), np.uint8)
    fade = float(np.clip((FAR_Z_M - one.z_m) / FADE_M, 0.0, 1.0))
    weight = mask.astype(np.float32) * np.float32(fade / 255)
    picture[y0:y1, x0:x1] = cv2.blendLinear(image, part, weight, 1 - weight)
    return Painted(mask=mask, left_px=x0, top_px=y0)


def _hide_lights(dark: Dark, painted: Painted) -> None:
    """Put out what farther vehicles lit where a nearer one now stands."""
    rows, columns = painted.mask.shape
    part = np.s_[
        painted.top_px : painted.top_px + rows, painted.left_px : painted.left_px + columns
    ]
    dark.light[part] = cv2.copyTo(dark.daylight[part], painted.mask, dark.light[part])
    black = np.zeros((rows, columns, 3), np.uint8)
    dark.glare[part] = cv2.copyTo(black, painted.mask, dark.glare[part])


def _blur_kernel(one: Placed, lens: Lens, weather: Weather) -> FloatArray | None:
    """Line along which the plate moves while the shutter is open; ``None`` when it is short."""
    before = plate_box(one.actor, lens, z_m=one.z_m)
    after = plate_box(one.actor, lens, z_m=one.z_m + one.step_m)
    if before is None or after is None:
        return None
    step = np.array(after.centre) - np.array(before.centre)
    blur = step * _exposure(weather)
    length = float(np.hypot(*blur))
    if length < MIN_BLUR_PX:
        return None
    if length > MAX_BLUR_PX:
        blur, length = blur * (MAX_BLUR_PX / length), MAX_BLUR_PX
    size = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((size, size), np.float32)
    middle = np.array([size // 2, size // 2])
    ends = ((middle + sign * blur / 2) * 16 for sign in (-1, 1))
    start, end = ((round(float(x)), round(float(y))) for x, y in ends)
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _paint_shadow(picture: BgrImage, one: Placed, lens: Lens, weather: Weather) -> None:
    """Darken the road under a vehicle."""
    model, x_m = one.actor.model, one.actor.planned.x_m
    near, far = max(one.z_m + 0.1, NEAR_M), one.z_m + model.length_m
    if far <= near:
        return
    half = model.width_m / 2 + 0.12
    ground = np.array(
        [[x_m - half, 0, far], [x_m + half, 0, far], [x_m + half, 0, near], [x_m - half, 0, near]]
    )
    quad = lens.project(ground)
    box = box_of(quad).padded(0.12).clipped(width=lens.width_px, height=lens.height_px)
    x0, y0, x1, y1 = (
        int(box.x_min),
        int(box.y_min),
        int(np.ceil(box.x_max)),
        int(np.ceil(box.y_max)),
    )
    if x1 - x0 < 2 or y1 - y0 < 2:  # noqa: PLR2004 - pixels
        return
    shade = np.full((y1 - y0, x1 - x0), 255, np.uint8)
    depth = 96 if weather.rain < 0.5 else 140  # noqa: PLR2004 - clouds soften shadows
    cv2.fillConvexPoly(
        shade, ((quad - [x0, y0]) * 16).round().astype(np.int32), depth, cv2.LINE_AA, 4
    )
    blur = max(1.0, lens.focal_px * 0.07 / near)
    shade = np.asarray(cv2.blur(shade, (2 * int(blur) + 1, 2 * int(blur * 0.6) + 1)), np.uint8)
    picture[y0:y1, x0:x1] = cv2.multiply(
        picture[y0:y1, x0:x1], cv2.cvtColor(shade, cv2.COLOR_GRAY2BGR), scale=1 / 255
    )


def _lamp_px(one: Placed, lamp: Lamp, lens: Lens) -> tuple[float, float, float] | None:
    """Column, row and radius of a lamp in the picture."""
    point = np.array([lamp.place_m]) + np.array([one.actor.planned.x_m, 0.0, one.z_m])
    if point[0, 2] < NEAR_M:
        return None
    x, y = lens.project(point)[0]
    return float(x), float(y), lens.focal_px * lamp.radius_m / float(point[0, 2])


def _light_road(light: BgrImage, one: Placed, stage: Stage, weather: Weather) -> None:
    """Let plates shine back and head lamps light the road, where it is dark."""
    if weather.night == 0:
        return
    box = plate_box(one.actor, stage.lens, z_m=one.z_m)
    if box is not None:
        near = float(np.clip(14.0 / max(one.z_m, 1.0), 0.3, 1.0)) * weather.night
        grown = box.padded(0.04).clipped(width=stage.lens.width_px, height=stage.lens.height_px)
        rows = np.s_[
            int(grown.y_min) : int(np.ceil(grown.y_max)),
            int(grown.x_min) : int(np.ceil(grown.x_max)),
        ]
        light[rows] = np.maximum(light[rows], (np.array(RETRO_LIGHT) * near).astype(np.uint8))
    for lamp in one.actor.model.lamps:
        spot = _lamp_px(one, lamp, stage.lens)
        if spot is None or not lamp.is_beam:
            continue
        x, _, radius = spot
        ground = stage.lens.horizon_px + stage.lens.height_m * stage.lens.focal_px / max(
            one.z_m, NEAR_M
        )
        add_glow(
            light,
            stage.film,
            centre_px=(x, ground + radius * 1.5),
            width_px=radius * 16,
            height_px=radius * 9,
            colour=(150, 160, 170),
            strength=0.6 * weather.night,
        )


def _light_lamps(glare: BgrImage, one: Placed, stage: Stage, weather: Weather) -> None:
    """Add the glare of a vehicle's lamps and its reflection on the wet road."""
    strength = max(weather.night, RAIN_LAMPS * weather.rain)
    for lamp in one.actor.model.lamps:
        spot = _lamp_px(one, lamp, stage.lens)
        if spot is None:
            continue
        x, y, radius = spot
        size = radius * (BEAM_GLARE if lamp.is_beam else TAIL_GLARE)
        add_glow(
            glare, stage.film, centre_px=(x, y), width_px=size, height_px=size,
            colour=lamp.colour, strength=strength,
        )  # fmt: skip
        if weather.rain > 0:
            drop = stage.lens.height_m * stage.lens.focal_px / one.z_m
            add_glow(
                glare, stage.film, centre_px=(x, stage.lens.horizon_px + drop + radius * 3),
                width_px=radius * 2.4, height_px=radius * 12, colour=lamp.colour,
                strength=WET_MIRROR * weather.rain,
            )  # fmt: skip
