# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cars of the rendered road: saloons and tall cars, seen from the front or from behind."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.datasets.synth.road.model import Lamp, PlateMount, VehicleModel
from models.datasets.synth.road.paint import (
    GLASS_LOW,
    GLASS_TOP,
    LAMP_AMBER,
    LAMP_RED,
    LAMP_WHITE,
    RUBBER,
    STEEL,
    Colour,
    Sheet,
    lit,
    slanted,
    upright,
)
from models.datasets.synth.road.space import Face, PointsM
from models.runtime.values import VehicleClass

PX_PER_M: Final = 300.0
SIDE_PX_PER_M: Final = 150.0
OVERLAP_M: Final = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class CarShape:
    """Measures of a car body, in metres; depths count from the end that the camera sees.

    Attributes:
        nose_m: Height of the upper edge of the end face.
        waist_m: Height of the lower edge of the glass.
        glass_z_m: Depth of the lower edge of the glass.
        roof_z_m: Depth of the near edge of the roof.
        roof_end_z_m: Depth of the far edge of the roof.
        far_glass_z_m: Depth of the lower edge of the far glass.
    """

    width_m: float
    length_m: float
    nose_m: float
    waist_m: float
    roof_m: float
    glass_z_m: float
    roof_z_m: float
    roof_end_z_m: float
    far_glass_z_m: float


SALOON_FRONT: Final = CarShape(
    width_m=1.76, length_m=4.5, nose_m=0.78, waist_m=0.98, roof_m=1.46,
    glass_z_m=1.15, roof_z_m=1.95, roof_end_z_m=3.2, far_glass_z_m=3.95,
)  # fmt: skip
SALOON_REAR: Final = CarShape(
    width_m=1.76, length_m=4.5, nose_m=0.98, waist_m=1.03, roof_m=1.46,
    glass_z_m=0.55, roof_z_m=1.25, roof_end_z_m=2.5, far_glass_z_m=3.35,
)  # fmt: skip
TALL_FRONT: Final = CarShape(
    width_m=1.86, length_m=4.7, nose_m=0.98, waist_m=1.12, roof_m=1.74,
    glass_z_m=1.1, roof_z_m=1.75, roof_end_z_m=4.1, far_glass_z_m=4.55,
)  # fmt: skip
TALL_REAR: Final = CarShape(
    width_m=1.86, length_m=4.7, nose_m=1.08, waist_m=1.08, roof_m=1.74,
    glass_z_m=0.06, roof_z_m=0.5, roof_end_z_m=2.9, far_glass_z_m=3.6,
)  # fmt: skip


def make_car(
    *, body: Colour, is_tall: bool, is_front: bool, is_taxi: bool, side: int
) -> VehicleModel:
    """Build a car.

    Args:
        body: Colour of its paint.
        is_tall: A sport utility or family car instead of a saloon.
        is_front: Whether the camera sees its front.
        is_taxi: Whether a lit taxi sign stands on the roof.
        side: 1 when its side at larger ``x`` is seen, -1 for the other one.
    """
    tall, saloon = (TALL_FRONT, SALOON_FRONT) if is_front else (TALL_REAR, SALOON_REAR)
    shape = tall if is_tall else saloon
    # From behind, the mirrors are the farthest part of the car.
    faces = [] if is_front else _mirrors(shape, body, is_front=False)
    faces += [
        _side(shape, body, side=side, is_front=is_front),
        _greenhouse(shape, body, side=side),
        _roof(shape, body),
    ]
    if is_taxi:
        faces.append(_taxi_sign(shape))
    faces.append(_glass(shape, body, is_front=is_front))
    if shape.glass_z_m > 0.1:  # noqa: PLR2004 - a tall car's rear has no deck
        faces.append(_deck(shape, body))
    faces.append(_front(shape, body) if is_front else _rear(shape, body))
    if is_front:
        faces += _mirrors(shape, body, is_front=True)
    lamp_y = shape.nose_m - (0.16 if is_front else 0.14)
    colour, radius = (LAMP_WHITE, 0.16) if is_front else (LAMP_RED, 0.11)
    lamps = tuple(
        Lamp(
            place_m=(s * shape.width_m * 0.4, lamp_y, 0.0),
            radius_m=radius,
            colour=colour,
            is_beam=is_front,
        )
        for s in (-1, 1)
    )
    plate_y = 0.36 if is_front else (0.74 if not is_tall else 0.62)
    return VehicleModel(
        vehicle_class=VehicleClass.CAR,
        width_m=shape.width_m,
        height_m=shape.roof_m,
        length_m=shape.length_m,
        faces=tuple(faces),
        lamps=lamps,
        plate=PlateMount(centre_m=(0.0, plate_y, -0.02)),
    )


def _end_outline(shape: CarShape, *, low_m: float) -> list[tuple[float, float]]:
    """Rounded outline of an end face; its sheet begins at the road."""
    half, top = shape.width_m / 2, shape.nose_m
    right = [
        (half * 0.86, top),
        (half * 0.96, top - 0.05),
        (half, top - 0.17),
        (half, low_m + 0.16),
        (half * 0.95, low_m + 0.03),
        (half * 0.84, low_m),
    ]
    return right + [(-x, y) for x, y in reversed(right)]


def _wheels(sheet: Sheet, shape: CarShape) -> None:
    """The two tyres under an end face."""
    half = shape.width_m / 2
    sheet.mirrored(
        [(half - 0.04, 0.42), (half - 0.25, 0.42), (half - 0.25, 0.01), (half - 0.04, 0.01)],
        lit(RUBBER, 0.5),
        RUBBER,
    )
    sheet.rectangle((-half + 0.2, 0.14), (half - 0.2, 0.4), (14, 14, 14))


def _front(shape: CarShape, body: Colour) -> Face:
    """Bumper, grille and head lamps."""
    sheet = Sheet(width_m=shape.width_m, height_m=shape.nose_m + 0.02, px_per_m=PX_PER_M)
    half, top = shape.width_m / 2, shape.nose_m
    _wheels(sheet, shape)
    sheet.shaded(_end_outline(shape, low_m=0.2), lit(body, 1.12), lit(body, 0.6))
    sheet.sky_streak([(-half, top), (half, top), (half, top - 0.06), (-half, top - 0.06)], 0.25)
    grille = [(0.44, top - 0.09), (0.38, top - 0.3), (-0.38, top - 0.3), (-0.44, top - 0.09)]
    sheet.shaded(grille, (24, 23, 22), (40, 38, 36))
    for y in np.arange(top - 0.27, top - 0.1, 0.05):
        sheet.line((-0.41, float(y)), (0.41, float(y)), (120, 116, 112), width_m=0.012)
    sheet.ellipse((0.0, top - 0.17), width_m=0.14, height_m=0.1, colour=(214, 210, 206))
    sheet.ellipse((0.0, top - 0.17), width_m=0.1, height_m=0.065, colour=(90, 80, 76))
    lamp = [
        (half * 0.94, top - 0.08),
        (half * 0.97, top - 0.2),
        (half * 0.62, top - 0.26),
        (0.47, top - 0.2),
        (0.5, top - 0.13),
    ]
    sheet.mirrored(lamp, (60, 56, 52), (86, 80, 74))
    for s in (-1, 1):
        sheet.ellipse(
            (s * half * 0.8, top - 0.16), width_m=0.2, height_m=0.11, colour=(236, 232, 224)
        )
        sheet.ellipse(
            (s * half * 0.66, top - 0.18), width_m=0.11, height_m=0.08, colour=(216, 212, 204)
        )
        sheet.ellipse((s * half * 0.82, 0.37), width_m=0.14, height_m=0.09, colour=(30, 30, 30))
        sheet.ellipse((s * half * 0.82, 0.37), width_m=0.08, height_m=0.06, colour=(208, 212, 214))
    intake = [(0.62, 0.46), (0.55, 0.25), (-0.55, 0.25), (-0.62, 0.46)]
    sheet.shaded(intake, (26, 25, 24), (46, 44, 42))
    sheet.line((-half * 0.9, 0.235), (half * 0.9, 0.235), lit(body, 0.45), width_m=0.02)
    return sheet.face(upright(width_m=shape.width_m, low_m=0.0, high_m=shape.nose_m + 0.02))


def _rear(shape: CarShape, body: Colour) -> Face:
    """Boot lid or tail gate, bumper and tail lamps."""
    sheet = Sheet(width_m=shape.width_m, height_m=shape.nose_m + 0.02, px_per_m=PX_PER_M)
    half, top = shape.width_m / 2, shape.nose_m
    _wheels(sheet, shape)
    sheet.shaded(_end_outline(shape, low_m=0.24), lit(body, 1.08), lit(body, 0.62))
    sheet.sky_streak([(-half, top), (half, top), (half, top - 0.05), (-half, top - 0.05)], 0.22)
    lamp = [(half * 0.97, top - 0.07), (half, top - 0.24), (0.5, top - 0.23), (0.52, top - 0.09)]
    sheet.mirrored(lamp, lit(LAMP_RED, 0.95), lit(LAMP_RED, 0.55))
    sheet.mirrored(
        [
            (half * 0.96, top - 0.17),
            (half * 0.98, top - 0.23),
            (0.6, top - 0.22),
            (0.6, top - 0.17),
        ],
        (206, 204, 210),
        (150, 148, 170),
    )
    sheet.line((-0.46, top - 0.1), (0.46, top - 0.1), (190, 186, 182), width_m=0.025)
    recess = [(0.36, top - 0.13), (0.33, 0.5), (-0.33, 0.5), (-0.36, top - 0.13)]
    sheet.shaded(recess, lit(body, 0.6), lit(body, 0.85))
    sheet.line((-half * 0.97, 0.5), (half * 0.97, 0.5), lit(body, 0.4), width_m=0.015)
    sheet.shaded(
        [(half * 0.9, 0.36), (half * 0.8, 0.24), (-half * 0.8, 0.24), (-half * 0.9, 0.36)],
        (44, 42, 40),
        (26, 25, 24),
    )
    for s in (-1, 1):
        sheet.rectangle(
            (s * half * 0.86 - 0.09, 0.4), (s * half * 0.86 + 0.09, 0.44), (40, 34, 150)
        )
    sheet.ellipse((-0.55, 0.245), width_m=0.12, height_m=0.06, colour=STEEL)
    sheet.ellipse((-0.55, 0.245), width_m=0.085, height_m=0.04, colour=(18, 18, 18))
    return sheet.face(upright(width_m=shape.width_m, low_m=0.0, high_m=shape.nose_m + 0.02))


def _deck(shape: CarShape, body: Colour) -> Face:
    """Bonnet or boot lid."""
    length = shape.glass_z_m + OVERLAP_M
    sheet = Sheet(width_m=shape.width_m, height_m=length, px_per_m=PX_PER_M / 2)
    half = shape.width_m / 2
    outline = [(-half * 0.9, length), (half * 0.9, length), (half * 0.92, 0.0), (-half * 0.92, 0.0)]
    sheet.shaded(outline, lit(body, 0.95), lit(body, 1.25))
    sheet.sky_streak([(-0.5, length), (-0.1, length), (-0.2, 0.0), (-0.6, 0.0)], 0.16)
    sheet.line((-0.5, length), (-0.62, 0.0), lit(body, 0.8), width_m=0.015)
    sheet.line((0.5, length), (0.62, 0.0), lit(body, 0.8), width_m=0.015)
    return sheet.face(
        slanted(
            low_width_m=shape.width_m,
            high_width_m=shape.width_m,
            low=(0.0, shape.nose_m - 0.01),
            high=(length, shape.waist_m),
        )
    )


def _glass(shape: CarShape, body: Colour, *, is_front: bool) -> Face:
    """Windscreen or rear window, with its frame and what is seen behind it."""
    height = float(np.hypot(shape.roof_z_m - shape.glass_z_m, shape.roof_m - shape.waist_m))
    sheet = Sheet(width_m=1.0, height_m=height, px_per_m=PX_PER_M)
    sheet.rectangle((-0.5, 0.0), (0.5, height), lit(body, 1.05), lit(body, 0.85))
    pane = [(-0.43, height * 0.94), (0.43, height * 0.94), (0.455, 0.02), (-0.455, 0.02)]
    sheet.shaded(pane, GLASS_TOP, GLASS_LOW)
    for x, tone in ((-0.2, 30), (0.2, 34)):
        sheet.ellipse(
            (x, height * 0.5), width_m=0.13, height_m=height * 0.34, colour=(tone, tone, tone + 4)
        )
        sheet.rectangle((x - 0.12, 0.03), (x + 0.12, height * 0.36), (tone, tone, tone))
    if is_front:
        sheet.ellipse((0.2, height * 0.2), width_m=0.2, height_m=height * 0.22, colour=(18, 18, 18))
        sheet.rectangle((-0.05, height * 0.86), (0.05, height * 0.94), (24, 24, 24))
        sheet.rectangle((0.32, height * 0.1), (0.4, height * 0.24), (80, 150, 70), (70, 190, 210))
    streak = [(-0.34, height), (-0.12, height), (-0.24, 0.0), (-0.45, 0.0)]
    sheet.sky_streak(streak, 0.16)
    sheet.sky_streak([(0.1, height), (0.16, height), (0.05, 0.0), (-0.02, 0.0)], 0.1)
    return sheet.face(
        slanted(
            low_width_m=shape.width_m * 0.94,
            high_width_m=shape.width_m * 0.74,
            low=(shape.glass_z_m, shape.waist_m - 0.01),
            high=(shape.roof_z_m, shape.roof_m + 0.01),
        )
    )


def _roof(shape: CarShape, body: Colour) -> Face:
    """The roof, a thin bright strip from the height of the camera."""
    sheet = Sheet(width_m=1.0, height_m=1.0, px_per_m=60)
    sheet.rectangle((-0.5, 0.0), (0.5, 1.0), lit(body, 1.2), lit(body, 1.3))
    return sheet.face(
        slanted(
            low_width_m=shape.width_m * 0.74,
            high_width_m=shape.width_m * 0.7,
            low=(shape.roof_z_m - OVERLAP_M, shape.roof_m - 0.01),
            high=(shape.roof_end_z_m, shape.roof_m + 0.03),
        )
    )


def _side(shape: CarShape, body: Colour, *, side: int, is_front: bool) -> Face:
    """The lower half of a flank, with wheels and doors."""
    length, top = shape.length_m, shape.waist_m
    sheet = Sheet(width_m=length, height_m=top, px_per_m=SIDE_PX_PER_M)
    start, end = -length / 2, length / 2
    outline = [
        (start, shape.nose_m - 0.04),
        (start + shape.glass_z_m, top),
        (start + shape.far_glass_z_m, top),
        (end, top * 0.84),
        (end, 0.3),
        (end - 0.2, 0.2),
        (start + 0.2, 0.2),
        (start, 0.32),
    ]
    sheet.shaded(outline, lit(body, 0.92), lit(body, 0.5))
    sheet.sky_streak(
        [(start, top * 0.78), (end, top * 0.8), (end, top * 0.74), (start, top * 0.72)], 0.2
    )
    first, second = (0.85, length - 1.0) if is_front else (1.0, length - 0.85)
    for depth in (first, second):
        x = start + depth
        sheet.ellipse((x, 0.36), width_m=0.8, height_m=0.78, colour=(16, 16, 16))
        sheet.ellipse((x, 0.325), width_m=0.65, height_m=0.64, colour=RUBBER)
        sheet.ellipse((x, 0.325), width_m=0.44, height_m=0.44, colour=STEEL)
        sheet.ellipse((x, 0.325), width_m=0.14, height_m=0.14, colour=(90, 88, 86))
    for depth in (shape.glass_z_m + 0.35, (shape.glass_z_m + shape.far_glass_z_m) / 2 + 0.1):
        x = start + depth
        sheet.line((x, 0.26), (x, top), lit(body, 0.4), width_m=0.015)
        sheet.rectangle((x + 0.8, top - 0.14), (x + 0.95, top - 0.11), lit(body, 0.5))
    return sheet.face(flank(shape.width_m / 2 * side, low_m=0.0, high_m=top, length_m=length))


def _greenhouse(shape: CarShape, body: Colour, *, side: int) -> Face:
    """The glass half of a flank, leaning inwards."""
    sheet = Sheet(width_m=2.0, height_m=0.5, px_per_m=SIDE_PX_PER_M)
    sheet.rectangle((-1.0, 0.0), (1.0, 0.5), lit(body, 0.9))
    for left, right in ((-0.93, -0.06), (0.02, 0.88)):
        sheet.rectangle((left, 0.03), (right, 0.45), lit(GLASS_TOP, 0.8), GLASS_LOW)
    sheet.sky_streak([(-0.6, 0.5), (-0.35, 0.5), (-0.6, 0.0), (-0.85, 0.0)], 0.18)
    low_x, high_x = shape.width_m / 2 * side, shape.width_m * 0.37 * side
    corners = np.array(
        [
            [high_x, shape.roof_m, shape.roof_z_m],
            [high_x, shape.roof_m + 0.02, shape.roof_end_z_m],
            [low_x, shape.waist_m - 0.02, shape.far_glass_z_m],
            [low_x, shape.waist_m - 0.02, shape.glass_z_m],
        ]
    )
    return sheet.face(corners)


def _mirrors(shape: CarShape, body: Colour, *, is_front: bool) -> list[Face]:
    """The two door mirrors."""
    z = shape.glass_z_m + 0.45 if is_front else shape.far_glass_z_m - 0.5
    faces = []
    for s in (-1, 1):
        sheet = Sheet(width_m=0.24, height_m=0.17, px_per_m=PX_PER_M / 2)
        sheet.ellipse((0.0, 0.085), width_m=0.23, height_m=0.16, colour=lit(body, 0.95))
        if not is_front:
            sheet.ellipse((0.0, 0.085), width_m=0.18, height_m=0.12, colour=(150, 140, 128))
        x = s * (shape.width_m / 2 + 0.07)
        faces.append(
            sheet.face(
                upright(
                    width_m=0.24, low_m=shape.waist_m, high_m=shape.waist_m + 0.17, z_m=z, x_m=x
                )
            )
        )
    return faces


def _taxi_sign(shape: CarShape) -> Face:
    """A sign in the middle of the roof."""
    sheet = Sheet(width_m=0.6, height_m=0.17, px_per_m=PX_PER_M)
    sheet.shaded(
        [(-0.24, 0.17), (0.24, 0.17), (0.29, 0.0), (-0.29, 0.0)], (246, 246, 246), (206, 208, 210)
    )
    sheet.text("TAXI", (-0.2, 0.035), height_m=0.1, colour=LAMP_AMBER)
    z = (shape.roof_z_m + shape.roof_end_z_m) / 2
    return sheet.face(upright(width_m=0.6, low_m=shape.roof_m, high_m=shape.roof_m + 0.17, z_m=z))


def flank(x_m: float, *, low_m: float, high_m: float, length_m: float, z_m: float = 0.0) -> PointsM:
    """Corners of an upright flank; the texture's left edge is the near one."""
    return np.array(
        [
            [x_m, high_m, z_m],
            [x_m, high_m, z_m + length_m],
            [x_m, low_m, z_m + length_m],
            [x_m, low_m, z_m],
        ]
    )
