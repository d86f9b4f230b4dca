# SPDX-License-Identifier: AGPL-3.0-or-later
"""Motorcycles with their riders; the plate is at the back, so most are seen from behind."""

from typing import Final

from models.datasets.synth.road.model import Lamp, PlateMount, VehicleModel
from models.datasets.synth.road.paint import (
    LAMP_AMBER,
    LAMP_RED,
    LAMP_WHITE,
    RUBBER,
    STEEL,
    Colour,
    Sheet,
    lit,
    upright,
)
from models.runtime.values import VehicleClass

PX_PER_M: Final = 380.0
WIDTH_M: Final = 0.86
HEIGHT_M: Final = 1.72
LENGTH_M: Final = 1.9
REAR_PLATE_M: Final = (0.0, 0.6, -0.01)
FRONT_PLATE_M: Final = (0.0, -10.0, 0.0)
SKIN: Final[Colour] = (110, 140, 190)
JEANS: Final[Colour] = (96, 72, 52)


def make_motorcycle(
    *, paint: Colour, jacket: Colour, helmet: Colour, is_front: bool, has_poncho: bool
) -> VehicleModel:
    """Build a scooter with its rider.

    Args:
        paint: Colour of the scooter.
        jacket: Colour of the rider's jacket, or of the poncho.
        helmet: Colour of the helmet.
        is_front: Whether the camera sees its front; then there is no plate to be seen.
        has_poncho: Whether the rider wears a rain poncho.
    """
    sheet = Sheet(width_m=WIDTH_M, height_m=HEIGHT_M, px_per_m=PX_PER_M)
    if is_front:
        _rider(sheet, jacket, helmet, has_poncho=has_poncho, is_front=True)
        _front(sheet, paint)
    else:
        _rear_wheel(sheet)
        _rider(sheet, jacket, helmet, has_poncho=has_poncho, is_front=False)
        _rear_body(sheet, paint)
    face = sheet.face(upright(width_m=WIDTH_M, low_m=0.0, high_m=HEIGHT_M))
    place, colour = ((0.0, 0.92, 0.0), LAMP_WHITE) if is_front else ((0.0, 0.8, 0.0), LAMP_RED)
    return VehicleModel(
        vehicle_class=VehicleClass.MOTORCYCLE,
        width_m=WIDTH_M,
        height_m=HEIGHT_M,
        length_m=LENGTH_M,
        faces=(face,),
        lamps=(
            Lamp(
                place_m=place, radius_m=0.12 if is_front else 0.08, colour=colour, is_beam=is_front
            ),
        ),
        plate=PlateMount(centre_m=FRONT_PLATE_M if is_front else REAR_PLATE_M),
    )


def _rear_wheel(sheet: Sheet) -> None:
    sheet.ellipse((0.0, 0.28), width_m=0.14, height_m=0.56, colour=RUBBER)
    sheet.ellipse((0.0, 0.28), width_m=0.06, height_m=0.5, colour=(52, 50, 48))
    sheet.shaded(
        [(0.1, 0.42), (0.2, 0.4), (0.19, 0.24), (0.11, 0.24)], (120, 118, 116), (60, 58, 56)
    )
    sheet.ellipse((0.15, 0.31), width_m=0.07, height_m=0.07, colour=(18, 18, 18))
    sheet.line((-0.06, 0.36), (-0.14, 0.52), (70, 68, 66), width_m=0.035)
    sheet.line((0.06, 0.36), (0.14, 0.52), (70, 68, 66), width_m=0.035)


def _rear_body(sheet: Sheet, paint: Colour) -> None:
    """Tail, lamp and mudguard, in front of the rider's back."""
    sheet.shaded(
        [(-0.19, 0.84), (0.19, 0.84), (0.15, 0.66), (-0.15, 0.66)],
        lit(paint, 1.15),
        lit(paint, 0.7),
    )
    sheet.shaded(
        [(-0.12, 0.82), (0.12, 0.82), (0.09, 0.75), (-0.09, 0.75)], LAMP_RED, lit(LAMP_RED, 0.6)
    )
    for s in (-1, 1):
        sheet.ellipse((s * 0.17, 0.78), width_m=0.07, height_m=0.06, colour=LAMP_AMBER)
    sheet.shaded(
        [(-0.09, 0.68), (0.09, 0.68), (0.08, 0.5), (-0.08, 0.5)], (36, 35, 34), (24, 23, 22)
    )
    sheet.line((-0.17, 0.86), (0.17, 0.86), (40, 40, 42), width_m=0.03)


def _rider(
    sheet: Sheet, jacket: Colour, helmet: Colour, *, has_poncho: bool, is_front: bool
) -> None:
    """Legs, trunk, arms, head."""
    sheet.mirrored([(0.13, 0.8), (0.27, 0.78), (0.3, 0.42), (0.2, 0.4)], JEANS, lit(JEANS, 0.7))
    sheet.mirrored(
        [(0.18, 0.42), (0.31, 0.42), (0.32, 0.33), (0.18, 0.33)], (40, 40, 44), (28, 28, 30)
    )
    if has_poncho:
        sheet.shaded(
            [(-0.15, 1.42), (0.15, 1.42), (0.36, 1.0), (0.34, 0.6), (-0.34, 0.6), (-0.36, 1.0)],
            lit(jacket, 1.15),
            lit(jacket, 0.7),
        )
        for x in (-0.16, 0.02, 0.18):
            sheet.line((x * 0.5, 1.36), (x * 1.3, 0.66), lit(jacket, 0.82), width_m=0.02)
    else:
        sheet.shaded(
            [(-0.13, 1.42), (0.13, 1.42), (0.23, 1.34), (0.22, 0.84), (-0.22, 0.84), (-0.23, 1.34)],
            lit(jacket, 1.12),
            lit(jacket, 0.72),
        )
        sheet.line((0.0, 0.88), (0.0, 1.38), lit(jacket, 0.8), width_m=0.012)
    sheet.mirrored(
        [(0.2, 1.34), (0.27, 1.26), (0.37, 1.02), (0.29, 1.0)], lit(jacket, 1.0), lit(jacket, 0.7)
    )
    for s in (-1, 1):
        sheet.ellipse((s * 0.34, 1.01), width_m=0.09, height_m=0.08, colour=SKIN)
        sheet.line((s * 0.3, 1.0), (s * 0.37, 1.16), (60, 58, 56), width_m=0.015)
        sheet.ellipse((s * 0.385, 1.2), width_m=0.09, height_m=0.11, colour=(48, 47, 46))
        if not is_front:
            sheet.ellipse((s * 0.385, 1.2), width_m=0.065, height_m=0.085, colour=(150, 144, 136))
    sheet.ellipse((0.0, 1.43), width_m=0.13, height_m=0.12, colour=lit(SKIN, 0.8))
    sheet.ellipse((0.0, 1.56), width_m=0.25, height_m=0.28, colour=lit(helmet, 0.8))
    sheet.ellipse((0.01, 1.575), width_m=0.22, height_m=0.24, colour=helmet)
    sheet.ellipse((0.04, 1.63), width_m=0.08, height_m=0.07, colour=lit(helmet, 1.35))
    if is_front:
        sheet.ellipse((0.0, 1.52), width_m=0.18, height_m=0.14, colour=SKIN)
        sheet.rectangle((-0.08, 1.53), (0.08, 1.57), (60, 56, 52))


def _front(sheet: Sheet, paint: Colour) -> None:
    """Front wheel, shield and head lamp."""
    sheet.ellipse((0.0, 0.28), width_m=0.13, height_m=0.56, colour=RUBBER)
    sheet.shaded(
        [(-0.1, 0.56), (0.1, 0.56), (0.06, 0.36), (-0.06, 0.36)], lit(paint, 1.1), lit(paint, 0.7)
    )
    sheet.shaded(
        [(-0.13, 1.0), (0.13, 1.0), (0.24, 0.8), (0.2, 0.44), (-0.2, 0.44), (-0.24, 0.8)],
        lit(paint, 1.15),
        lit(paint, 0.65),
    )
    sheet.ellipse((0.0, 0.92), width_m=0.2, height_m=0.13, colour=(236, 232, 226))
    sheet.line((-0.36, 1.0), (0.36, 1.0), STEEL, width_m=0.03)
    for s in (-1, 1):
        sheet.ellipse((s * 0.16, 0.76), width_m=0.08, height_m=0.06, colour=LAMP_AMBER)
