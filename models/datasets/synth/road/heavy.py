# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lorries and buses of the rendered road, seen from the front or from behind."""

from typing import Final

import numpy as np

from models.datasets.synth.road.cars import flank
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
    upright,
)
from models.datasets.synth.road.space import Face
from models.runtime.values import VehicleClass

PX_PER_M: Final = 220.0
SIDE_PX_PER_M: Final = 90.0

TRUCK_WIDTH_M: Final = 2.3
TRUCK_LENGTH_M: Final = 7.0
CAB_HEIGHT_M: Final = 2.5
CAB_LENGTH_M: Final = 1.7
CARGO_LOW_M: Final = 0.95
CARGO_HIGH_M: Final = 3.1

BUS_WIDTH_M: Final = 2.46
BUS_HEIGHT_M: Final = 3.2
BUS_LENGTH_M: Final = 10.5


def make_truck(*, cab: Colour, cargo: Colour, is_front: bool, side: int) -> VehicleModel:
    """Build a box lorry.

    Args:
        cab: Colour of the cab.
        cargo: Colour of the box.
        is_front: Whether the camera sees its front.
        side: 1 when its side at larger ``x`` is seen, -1 for the other one.
    """
    x_m = TRUCK_WIDTH_M / 2 * side
    cargo_z = CAB_LENGTH_M + 0.15 if is_front else 0.0
    faces = [
        _truck_chassis(side=side, is_front=is_front),
        _cargo_flank(cargo, x_m=x_m, z_m=cargo_z),
        _cargo_end(cargo, z_m=cargo_z, is_front=is_front),
    ]
    if is_front:
        faces += [
            _cab_flank(cab, x_m=x_m * 0.96),
            _cab_front(cab),
            *_heavy_mirrors(1.15, 1.55, z_m=0.1),
        ]
    else:
        faces.append(_under_run())
    lamp_y, colour = (0.72, LAMP_WHITE) if is_front else (0.66, LAMP_RED)
    return VehicleModel(
        vehicle_class=VehicleClass.TRUCK,
        width_m=TRUCK_WIDTH_M,
        height_m=CARGO_HIGH_M,
        length_m=TRUCK_LENGTH_M,
        faces=tuple(faces),
        lamps=_pair(0.88 if is_front else 0.95, lamp_y, colour, is_beam=is_front),
        plate=PlateMount(centre_m=(0.0, 0.5 if is_front else 0.62, -0.03)),
    )


def make_bus(
    *, body: Colour, stripe: Colour, route: str, is_front: bool, side: int
) -> VehicleModel:
    """Build a coach.

    Args:
        body: Colour of its paint.
        stripe: Colour of the band along it.
        route: Words on the sign over the windscreen, capital letters.
        is_front: Whether the camera sees its front.
        side: 1 when its side at larger ``x`` is seen, -1 for the other one.
    """
    end = _bus_front(body, stripe, route) if is_front else _bus_rear(body, stripe, route)
    faces = [_bus_flank(body, stripe, x_m=BUS_WIDTH_M / 2 * side), end]
    if is_front:
        faces += _heavy_mirrors(1.28, 2.2, z_m=-0.2)
    lamp_y, colour = (0.72, LAMP_WHITE) if is_front else (0.95, LAMP_RED)
    return VehicleModel(
        vehicle_class=VehicleClass.BUS,
        width_m=BUS_WIDTH_M,
        height_m=BUS_HEIGHT_M,
        length_m=BUS_LENGTH_M,
        faces=tuple(faces),
        lamps=_pair(0.95, lamp_y, colour, is_beam=is_front),
        plate=PlateMount(centre_m=(0.0, 0.5 if is_front else 0.72, -0.03)),
    )


def _pair(x_m: float, y_m: float, colour: Colour, *, is_beam: bool) -> tuple[Lamp, ...]:
    return tuple(
        Lamp(
            place_m=(s * x_m, y_m, 0.0),
            radius_m=0.17 if is_beam else 0.12,
            colour=colour,
            is_beam=is_beam,
        )
        for s in (-1, 1)
    )


def _tyres(sheet: Sheet, half: float) -> None:
    for s in (-1, 1):
        inner, outer = sorted((s * (half - 0.08), s * (half - 0.42)))
        sheet.rectangle((inner, 0.0), (outer, 0.62), lit(RUBBER, 0.5), RUBBER)
    sheet.rectangle((-half + 0.4, 0.25), (half - 0.4, 0.62), (12, 12, 12))


def _cab_front(cab: Colour) -> Face:
    """Flat cab: windscreen, grille, bumper, head lamps."""
    width, top = TRUCK_WIDTH_M * 0.96, CAB_HEIGHT_M
    half = width / 2
    sheet = Sheet(width_m=width, height_m=top, px_per_m=PX_PER_M)
    _tyres(sheet, half)
    outline = [
        (half * 0.86, top),
        (half * 0.94, top - 0.08),
        (half, 1.5),
        (half, 0.42),
        (half * 0.97, 0.34),
    ]
    outline += [(-x, y) for x, y in reversed(outline)]
    sheet.shaded(outline, lit(cab, 1.1), lit(cab, 0.72))
    pane = [
        (half * 0.82, top - 0.24),
        (half * 0.9, 1.42),
        (-half * 0.9, 1.42),
        (-half * 0.82, top - 0.24),
    ]
    sheet.shaded(pane, GLASS_TOP, GLASS_LOW)
    sheet.ellipse((0.45, 1.78), width_m=0.2, height_m=0.28, colour=(40, 42, 50))
    sheet.rectangle((0.25, 1.43), (0.66, 1.66), (46, 44, 44))
    sheet.ellipse((0.45, 1.47), width_m=0.4, height_m=0.12, colour=(20, 20, 20))
    sheet.sky_streak([(-0.7, top - 0.24), (-0.3, top - 0.24), (-0.5, 1.42), (-0.95, 1.42)], 0.16)
    for x in (-0.6, 0.1):
        sheet.line((x, 1.44), (x + 0.5, 1.5), (20, 20, 20), width_m=0.02)
    sheet.rectangle((-0.7, 0.86), (0.7, 1.26), (40, 38, 36), (58, 55, 52))
    for y in (0.93, 1.02, 1.11, 1.2):
        sheet.line((-0.68, y), (0.68, y), STEEL, width_m=0.025)
    sheet.ellipse((0.0, 1.34), width_m=0.24, height_m=0.09, colour=(206, 202, 198))
    sheet.rectangle((-half, 0.36), (half, 0.82), (88, 84, 80), (60, 58, 56))
    for s in (-1, 1):
        left, right = sorted((s * 0.72, s * (half - 0.06)))
        sheet.rectangle((left, 0.62), (right, 0.82), (70, 66, 62))
        sheet.ellipse((s * 0.88, 0.72), width_m=0.22, height_m=0.16, colour=(238, 234, 226))
        left, right = sorted((s * (half - 0.08), s * (half - 0.01)))
        sheet.rectangle((left, 1.0), (right, 1.14), LAMP_AMBER)
    sheet.rectangle((-0.5, top - 0.2), (0.5, top - 0.06), lit(cab, 0.8))
    return sheet.face(upright(width_m=width, low_m=0.0, high_m=top))


def _cab_flank(cab: Colour, *, x_m: float) -> Face:
    sheet = Sheet(width_m=CAB_LENGTH_M, height_m=CAB_HEIGHT_M - 0.4, px_per_m=SIDE_PX_PER_M)
    half, high = CAB_LENGTH_M / 2, CAB_HEIGHT_M - 0.4
    sheet.shaded(
        [(-half + 0.06, high), (half, high), (half, 0.0), (-half, 0.0)],
        lit(cab, 0.86),
        lit(cab, 0.5),
    )
    sheet.rectangle((-half + 0.12, 1.06), (0.35, 1.8), GLASS_TOP, GLASS_LOW)
    sheet.line((0.42, 0.1), (0.42, high - 0.15), lit(cab, 0.4), width_m=0.02)
    sheet.ellipse((-0.1, 0.02), width_m=1.0, height_m=0.9, colour=RUBBER)
    return sheet.face(flank(x_m, low_m=0.4, high_m=CAB_HEIGHT_M, length_m=CAB_LENGTH_M))


def _cargo_end(cargo: Colour, *, z_m: float, is_front: bool) -> Face:
    """The front wall of the box, or its doors."""
    height = CARGO_HIGH_M - CARGO_LOW_M
    half = TRUCK_WIDTH_M / 2
    sheet = Sheet(width_m=TRUCK_WIDTH_M, height_m=height, px_per_m=PX_PER_M)
    sheet.rectangle((-half, 0.0), (half, height), lit(cargo, 1.05), lit(cargo, 0.8))
    for x in np.linspace(-half + 0.12, half - 0.12, 17):
        sheet.line((float(x), 0.05), (float(x), height - 0.05), lit(cargo, 0.86), width_m=0.03)
    if not is_front:
        sheet.line((0.0, 0.0), (0.0, height), lit(cargo, 0.35), width_m=0.025)
        for x in (-0.75, -0.35, 0.35, 0.75):
            sheet.line((x, 0.02), (x, height - 0.02), STEEL, width_m=0.035)
            sheet.rectangle((x - 0.05, height * 0.35), (x + 0.12, height * 0.38), (120, 116, 112))
    for edge in ((-half, 0.03), (-half, height - 0.03)):
        sheet.line(edge, (half, edge[1]), lit(cargo, 0.6), width_m=0.06)
    for x in (-half + 0.03, half - 0.03):
        sheet.line((x, 0.0), (x, height), lit(cargo, 0.6), width_m=0.06)
    return sheet.face(
        upright(width_m=TRUCK_WIDTH_M, low_m=CARGO_LOW_M, high_m=CARGO_HIGH_M, z_m=z_m)
    )


def _cargo_flank(cargo: Colour, *, x_m: float, z_m: float) -> Face:
    length = TRUCK_LENGTH_M - CAB_LENGTH_M
    height = CARGO_HIGH_M - CARGO_LOW_M
    sheet = Sheet(width_m=length, height_m=height, px_per_m=SIDE_PX_PER_M)
    sheet.rectangle((-length / 2, 0.0), (length / 2, height), lit(cargo, 0.82), lit(cargo, 0.58))
    for x in np.arange(-length / 2 + 0.15, length / 2, 0.3):
        sheet.line((float(x), 0.0), (float(x), height), lit(cargo, 0.68), width_m=0.05)
    sheet.rectangle((-length / 2, 0.0), (length / 2, 0.08), lit(cargo, 0.4))
    return sheet.face(flank(x_m, low_m=CARGO_LOW_M, high_m=CARGO_HIGH_M, length_m=length, z_m=z_m))


def _truck_chassis(*, side: int, is_front: bool) -> Face:
    """Wheels, tank and guard under the box."""
    sheet = Sheet(width_m=TRUCK_LENGTH_M, height_m=1.0, px_per_m=SIDE_PX_PER_M)
    start = -TRUCK_LENGTH_M / 2
    sheet.rectangle((start, 0.6), (-start, 0.98), (34, 33, 32))
    axles = (1.1, 5.5) if is_front else (1.5, 5.9)
    for depth in axles:
        x = start + depth
        sheet.ellipse((x, 0.46), width_m=0.94, height_m=0.92, colour=RUBBER)
        sheet.ellipse((x, 0.46), width_m=0.5, height_m=0.5, colour=(120, 118, 116))
        sheet.ellipse((x, 0.46), width_m=0.2, height_m=0.2, colour=(60, 58, 56))
    sheet.rectangle((start + 2.3, 0.35), (start + 4.3, 0.75), (90, 88, 86), (60, 58, 56))
    return sheet.face(
        flank(TRUCK_WIDTH_M / 2 * 0.98 * side, low_m=0.0, high_m=1.0, length_m=TRUCK_LENGTH_M)
    )


def _under_run() -> Face:
    """Bar, lamps and mudguards under the doors."""
    half = TRUCK_WIDTH_M / 2
    sheet = Sheet(width_m=TRUCK_WIDTH_M, height_m=1.0, px_per_m=PX_PER_M)
    for s in (-1, 1):
        left, right = sorted((s * (half - 0.02), s * (half - 0.55)))
        sheet.rectangle((left, 0.0), (right, 0.55), lit(RUBBER, 0.6), RUBBER)
    sheet.rectangle((-half + 0.5, 0.2), (half - 0.5, 0.6), (14, 14, 14))
    sheet.rectangle((-half, 0.78), (half, 0.98), (52, 50, 48))
    sheet.rectangle((-half, 0.5), (half, 0.76), (70, 68, 66), (50, 48, 46))
    for index, x in enumerate(np.arange(-half, half - 0.1, 0.23)):
        colour = (44, 40, 200) if index % 2 else (232, 232, 232)
        sheet.rectangle((float(x), 0.42), (float(x) + 0.23, 0.5), colour)
    for s in (-1, 1):
        left, right = sorted((s * (half - 0.06), s * (half - 0.36)))
        sheet.rectangle((left, 0.58), (right, 0.74), LAMP_RED, lit(LAMP_RED, 0.6))
        left, right = sorted((s * (half - 0.36), s * (half - 0.48)))
        sheet.rectangle((left, 0.58), (right, 0.74), LAMP_AMBER)
    return sheet.face(upright(width_m=TRUCK_WIDTH_M, low_m=0.0, high_m=1.0))


def _heavy_mirrors(x_m: float, low_m: float, *, z_m: float) -> list[Face]:
    faces = []
    for s in (-1, 1):
        sheet = Sheet(width_m=0.24, height_m=0.5, px_per_m=PX_PER_M / 2)
        sheet.rectangle((-0.11, 0.02), (0.11, 0.48), (60, 58, 56), (34, 33, 32))
        faces.append(
            sheet.face(
                upright(width_m=0.24, low_m=low_m, high_m=low_m + 0.5, z_m=z_m, x_m=s * (x_m + 0.1))
            )
        )
    return faces


def _bus_shell(body: Colour, stripe: Colour) -> Sheet:
    half, top = BUS_WIDTH_M / 2, BUS_HEIGHT_M
    sheet = Sheet(width_m=BUS_WIDTH_M, height_m=top, px_per_m=PX_PER_M)
    _tyres(sheet, half)
    outline = [
        (half * 0.84, top), (half * 0.94, top - 0.06), (half * 0.985, top - 0.22),
        (half, 1.3), (half, 0.5), (half * 0.95, 0.32),
    ]  # fmt: skip
    outline += [(-x, y) for x, y in reversed(outline)]
    sheet.shaded(outline, lit(body, 1.08), lit(body, 0.74))
    sheet.shaded(
        [(half, 1.18), (half, 0.92), (-half, 0.92), (-half, 1.18)], stripe, lit(stripe, 0.75)
    )
    return sheet


def _bus_front(body: Colour, stripe: Colour, route: str) -> Face:
    """Windscreen, sign, bumper."""
    sheet = _bus_shell(body, stripe)
    half, top = BUS_WIDTH_M / 2, BUS_HEIGHT_M
    pane = [
        (half * 0.9, top - 0.42),
        (half * 0.93, 1.22),
        (-half * 0.93, 1.22),
        (-half * 0.9, top - 0.42),
    ]
    sheet.shaded(pane, GLASS_TOP, GLASS_LOW)
    for x, y in ((0.55, 1.75), (-0.3, 1.95), (0.0, 1.98), (-0.7, 1.9)):
        sheet.ellipse((x, y + 0.28), width_m=0.2, height_m=0.26, colour=(46, 46, 52))
        sheet.rectangle((x - 0.2, 1.3), (x + 0.2, y + 0.14), (44, 42, 42))
    sheet.ellipse((0.55, 1.36), width_m=0.5, height_m=0.14, colour=(18, 18, 18))
    sheet.sky_streak([(-0.8, top - 0.42), (-0.3, top - 0.42), (-0.6, 1.22), (-1.1, 1.22)], 0.16)
    sheet.sky_streak([(0.3, top - 0.42), (0.42, top - 0.42), (0.1, 1.22), (-0.03, 1.22)], 0.1)
    sheet.line((0.0, 1.22), (0.0, top - 0.42), (30, 30, 30), width_m=0.025)
    sheet.rectangle((-half * 0.8, top - 0.38), (half * 0.8, top - 0.1), (22, 20, 20))
    sheet.text(route, (-half * 0.72, top - 0.32), height_m=0.16, colour=LAMP_AMBER)
    sheet.rectangle((-half * 0.98, 0.36), (half * 0.98, 0.62), lit(body, 0.6), lit(body, 0.5))
    for s in (-1, 1):
        sheet.ellipse((s * 0.95, 0.74), width_m=0.36, height_m=0.2, colour=(64, 60, 58))
        for x in (0.88, 1.03):
            sheet.ellipse((s * x, 0.74), width_m=0.14, height_m=0.14, colour=(238, 234, 226))
    return sheet.face(upright(width_m=BUS_WIDTH_M, low_m=0.0, high_m=top))


def _bus_rear(body: Colour, stripe: Colour, route: str) -> Face:
    """Rear window, engine flap, lamps."""
    sheet = _bus_shell(body, stripe)
    half, top = BUS_WIDTH_M / 2, BUS_HEIGHT_M
    pane = [
        (half * 0.82, top - 0.3),
        (half * 0.84, 1.95),
        (-half * 0.84, 1.95),
        (-half * 0.82, top - 0.3),
    ]
    sheet.shaded(pane, lit(GLASS_TOP, 0.8), lit(GLASS_LOW, 0.9))
    sheet.text(route, (-half * 0.6, 1.55), height_m=0.17, colour=lit(stripe, 0.8))
    for y in np.arange(1.24, 1.46, 0.045):
        sheet.line((-0.6, float(y)), (0.6, float(y)), lit(body, 0.5), width_m=0.018)
    sheet.rectangle((-half * 0.98, 0.36), (half * 0.98, 0.56), lit(body, 0.6), lit(body, 0.5))
    sheet.rectangle((-0.4, 0.58), (0.4, 0.87), (52, 50, 48), (38, 37, 36))
    for s in (-1, 1):
        left, right = sorted((s * (half - 0.08), s * (half - 0.24)))
        sheet.rectangle((left, 0.8), (right, 1.32), LAMP_RED, lit(LAMP_RED, 0.6))
        sheet.rectangle((left, 0.92), (right, 1.04), LAMP_AMBER)
        sheet.rectangle((left, top - 0.34), (right, top - 0.26), LAMP_RED)
    return sheet.face(upright(width_m=BUS_WIDTH_M, low_m=0.0, high_m=top))


def _bus_flank(body: Colour, stripe: Colour, *, x_m: float) -> Face:
    length, high = BUS_LENGTH_M, BUS_HEIGHT_M
    sheet = Sheet(width_m=length, height_m=high, px_per_m=SIDE_PX_PER_M)
    start = -length / 2
    sheet.rectangle((start, 0.35), (-start, high - 0.04), lit(body, 0.84), lit(body, 0.52))
    sheet.rectangle((start, 0.92), (-start, 1.18), lit(stripe, 0.75), lit(stripe, 0.55))
    sheet.rectangle((start + 0.3, 1.6), (-start - 0.3, 2.75), GLASS_TOP, GLASS_LOW)
    for x in np.arange(start + 1.6, -start - 0.6, 1.45):
        sheet.rectangle((float(x), 1.6), (float(x) + 0.07, 2.75), lit(GLASS_LOW, 0.7))
    for depth in (2.5, length - 2.8):
        sheet.ellipse((start + depth, 0.5), width_m=1.16, height_m=1.1, colour=(20, 20, 20))
        sheet.ellipse((start + depth, 0.48), width_m=0.96, height_m=0.96, colour=RUBBER)
        sheet.ellipse((start + depth, 0.48), width_m=0.5, height_m=0.5, colour=STEEL)
    return sheet.face(flank(x_m, low_m=0.0, high_m=high, length_m=length))
