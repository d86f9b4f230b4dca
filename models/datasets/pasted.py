# SPDX-License-Identifier: AGPL-3.0-or-later
"""Street pictures that the pool lacks, made of its pictures and of rendered plates.

The pool shows plates frontally at two gates. Here rendered plates take the place
of the real ones, or are screwed to vehicles of road pictures, turned and tilted;
the whole picture is then turned, brought near or far, and taken by day, in the dusk
or with a flash at night. Boxes are drawn tight around the four corners. Lettering
and lamps are put beside the plates, for they are what a detector confuses with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.distractors import add_distractors
from models.datasets.synth.camera import Severity, degrade
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.runtime.values import BgrImage, BoxPx, PlateLayout

_Matrix = NDArray[np.float64]

MIN_PLATE_SIDE_PX: Final = 5.0
MIN_VISIBLE_SHARE: Final = 0.7
ONE_LINE_ASPECT: Final = 2.2
_LONG_ASPECT: Final = 4.3
MAX_PLATES: Final = 6
_LONGEST_SIDE_PX: Final = (480, 800)
_PLATE_HEIGHT_PX: Final = 110
_MAX_TILT_DEGREES: Final = 40.0
_SMALL_ROLL_DEGREES: Final = 4.0
_TRIES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A real picture to put plates into.

    Attributes:
        image: The picture.
        plates: Its real plates; they are replaced, or kept where they stay upright.
        vehicles: Whole vehicles without a plate worth keeping, to screw one to.
        doubtful: What may be a plate and nobody knows: it is smeared away.
    """

    image: BgrImage
    plates: tuple[BoxPx, ...]
    vehicles: tuple[BoxPx, ...]
    doubtful: tuple[BoxPx, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedPicture:
    """A made picture with the tight boxes of its plates."""

    image: BgrImage
    boxes_px: tuple[BoxPx, ...]


def pasted_picture(ground: Ground, *, rng: Generator) -> PastedPicture:
    """Make one picture.

    Args:
        ground: Picture below; it is not changed.
        rng: Decides everything else.

    Returns:
        A picture whose longer side is 480 to 800 pixels.
    """
    image = smeared(ground.image, ground.doubtful)
    roll = float(np.clip(rng.normal(0, 11), -35, 35)) if rng.random() < 0.6 else 0.0  # noqa: PLR2004 -- share
    keeps_real = abs(roll) < _SMALL_ROLL_DEGREES and rng.random() < 0.3  # noqa: PLR2004 -- share
    quads: list[_Matrix] = []
    shine = np.zeros(image.shape[:2], np.float32)
    if keeps_real:
        quads += [_corners(box) for box in ground.plates]
        for quad in quads:
            cv2.fillConvexPoly(shine, quad.astype(np.int32), 1.0)
    else:
        image = smeared(image, ground.plates)
        for box in ground.plates:
            quads.append(_paste(image, shine, _quad_over(box, rng), rng))
    for vehicle in _chosen(ground.vehicles, rng):
        if len(quads) >= MAX_PLATES:
            break
        quad = _quad_on_vehicle(vehicle, rng)
        if not any(_touch(quad, other) for other in quads):
            quads.append(_paste(image, shine, quad, rng))
    add_distractors(image, taken=[_bounds(quad) for quad in quads], rng=rng)
    return _taken(image, shine, quads, roll_degrees=roll, rng=rng)


def smeared(image: BgrImage, boxes: Sequence[BoxPx]) -> BgrImage:
    """A copy of a picture with some boxes filled from their surroundings."""
    result = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        margin = 2 + 0.06 * box.height
        x_min, y_min = int(max(0, box.x_min - margin)), int(max(0, box.y_min - margin))
        x_max, y_max = int(min(width, box.x_max + margin)), int(min(height, box.y_max + margin))
        if x_max - x_min < 2 or y_max - y_min < 2:  # noqa: PLR2004 -- nothing to fill
            continue
        edge = np.concatenate(
            (result[y_min, x_min:x_max], result[y_max - 1, x_min:x_max],
             result[y_min:y_max, x_min], result[y_min:y_max, x_max - 1])
        )  # fmt: skip
        part = result[y_min:y_max, x_min:x_max]
        columns = np.linspace(0, 1, x_max - x_min, dtype=np.float32)[None, :, None]
        rows = np.linspace(0, 1, y_max - y_min, dtype=np.float32)[:, None, None]
        across = part[:, :1] * (1 - columns) + part[:, -1:] * columns
        down = part[:1] * (1 - rows) + part[-1:] * rows
        mixed = 0.4 * across + 0.4 * down + 0.2 * edge.mean(axis=0)
        result[y_min:y_max, x_min:x_max] = cv2.GaussianBlur(mixed, (0, 0), 1.5).astype(np.uint8)
    return result


def _taken(
    image: BgrImage,
    shine: NDArray[np.float32],
    quads: Sequence[_Matrix],
    *,
    roll_degrees: float,
    rng: Generator,
) -> PastedPicture:
    """Turn, cut and expose the picture."""
    matrix, size = _view(image, quads, roll_degrees=roll_degrees, rng=rng)
    border = [int(value) for value in rng.integers(60, 150, 3)]
    turned = cv2.warpPerspective(
        image, matrix, size, flags=cv2.INTER_AREA if matrix[0, 0] < 1 else cv2.INTER_LINEAR,
        borderValue=border,
    )  # fmt: skip
    bright = cv2.warpPerspective(shine, matrix, size)
    lit = _night(np.asarray(turned, np.uint8), np.asarray(bright, np.float32), rng)
    boxes = [_box_in(_through(quad, matrix), size) for quad in quads]
    return PastedPicture(
        image=degrade(lit, rng=rng, severity=_severity(rng)),
        boxes_px=tuple(box for box in boxes if box is not None),
    )


def _severity(rng: Generator) -> Severity:
    """Conditions of a whole picture; blur counts per picture width, so it is small."""
    light, noise, compression = (float(value) for value in rng.beta(1.0, 2.0, 3))
    return Severity(
        viewpoint=0.0, blur=0.16 * float(rng.beta(1.0, 2.5)), noise=0.7 * noise,
        light=0.7 * light, weather=0.0, compression=compression, jitter=0.0,
    )  # fmt: skip


def _view(
    image: BgrImage, quads: Sequence[_Matrix], *, roll_degrees: float, rng: Generator
) -> tuple[_Matrix, tuple[int, int]]:
    """A matrix to the new picture, and its width and height in pixels."""
    height, width = image.shape[:2]
    longest = int(rng.integers(*_LONGEST_SIDE_PX))
    aspect = float(np.exp(rng.uniform(np.log(0.6), np.log(1.8))))
    size = (longest, int(longest / aspect)) if aspect >= 1 else (int(longest * aspect), longest)
    centre = np.array([width / 2, height / 2])
    zoom = max(size[0] / width, size[1] / height) * float(np.exp(rng.normal(0.0, 0.35)))
    if quads:
        anchor = quads[int(rng.integers(len(quads)))]
        plate_px = float(np.ptp(anchor[:, 0]))
        centre = anchor.mean(axis=0) + rng.uniform(-0.35, 0.35, 2) * np.array(size) / zoom
        wanted = float(np.exp(rng.uniform(np.log(12), np.log(420))))
        zoom = float(np.clip(wanted / plate_px, 0.6 * zoom, 3.5 * zoom))
    half = np.minimum(np.array(size) / zoom, [width, height]) / 2
    centre = np.clip(centre, half, np.array([width, height]) - half)
    turn = np.vstack((cv2.getRotationMatrix2D((0, 0), roll_degrees, zoom), [0, 0, 1]))
    turn[2, :2] = rng.normal(0, 0.00025, 2)
    to_origin = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1]])
    to_middle = np.array([[1, 0, size[0] / 2], [0, 1, size[1] / 2], [0, 0, 1]])
    return np.asarray(to_middle @ turn @ to_origin, np.float64), size


def _night(image: BgrImage, shine: NDArray[np.float32], rng: Generator) -> BgrImage:
    """Dusk, or a flash at night: what lies around goes dark, plates throw the light back."""
    draw = rng.random()
    if draw < 0.65:  # noqa: PLR2004 -- share of pictures by day
        return image
    pixels = image.astype(np.float32)
    height, width = image.shape[:2]
    dark = float(rng.uniform(0.12, 0.55))
    if draw < 0.8:  # noqa: PLR2004 -- dusk and street lamps
        tint = np.array([rng.uniform(0.6, 1.0), rng.uniform(0.8, 1.0), 1.0], np.float32)
        dusk = pixels * dark * 1.3 * tint + rng.uniform(0, 14)
        return np.asarray(np.clip(dusk, 0, 255), np.uint8)
    x, y = rng.uniform(0.25, 0.75) * width, rng.uniform(0.3, 0.8) * height
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    distance = ((columns - x) / width) ** 2 + ((rows - y) / height) ** 2
    flash = dark + rng.uniform(0.3, 0.9) * np.exp(-distance / rng.uniform(0.03, 0.2))
    gain = flash * (1 - shine) + np.maximum(flash, 0.6) * rng.uniform(0.9, 1.9) * shine
    return np.asarray(np.clip(pixels * gain[..., None], 0, 255), np.uint8)


def _paste(image: BgrImage, shine: NDArray[np.float32], quad: _Matrix, rng: Generator) -> _Matrix:
    """Put a rendered plate on a quadrangle of a picture, in the light that is there."""
    spec_layout = _layout_of(quad, rng)
    spec = random_plate_spec(rng)
    for _ in range(_TRIES):
        if spec.layout is spec_layout:
            break
        spec = random_plate_spec(rng)
    plate = render_plate(spec, height_px=_PLATE_HEIGHT_PX, rng=rng)
    low, high = _bounds(quad)
    ratio = min(1.0, 1.5 * float(high[0] - low[0]) / plate.shape[1])
    if ratio < 1.0:
        plate = np.asarray(
            cv2.resize(plate, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA), np.uint8
        )
    height, width = plate.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    view = _window(quad, image)
    if view is None:
        return quad
    rows, columns = view
    part, gleam = image[rows, columns], shine[rows, columns]
    moved = (quad - np.array([columns.start, rows.start])).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, moved)
    size = (part.shape[1], part.shape[0])
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size)
    laid = cv2.warpPerspective(plate, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = (mask.astype(np.float32) / 255)[..., None]
    grey = float(part.mean())
    gain = float(np.clip(0.45 + grey / 200, 0.35, 1.1)) * float(rng.uniform(0.8, 1.15))
    part[:] = np.clip(part * (1 - cover) + laid * gain * cover, 0, 255).astype(np.uint8)
    np.maximum(gleam, cover[..., 0], out=gleam)
    return quad


def _window(quad: _Matrix, image: BgrImage) -> tuple[slice, slice] | None:
    """Rows and columns around a quadrangle; ``None`` where none of it lies in the picture."""
    low, high = _bounds(quad)
    x_min, y_min = (int(max(0, value - 2)) for value in low)
    x_max, y_max = int(min(image.shape[1], high[0] + 3)), int(min(image.shape[0], high[1] + 3))
    if x_max <= x_min or y_max <= y_min:
        return None
    return slice(y_min, y_max), slice(x_min, x_max)


def _layout_of(quad: _Matrix, rng: Generator) -> PlateLayout:
    """One line for long quadrangles, two for others; the middle is open."""
    width = float(np.linalg.norm(quad[1] - quad[0]))
    height = float(np.linalg.norm(quad[3] - quad[0]))
    aspect = width / max(height, 1.0)
    border = ONE_LINE_ASPECT * rng.uniform(0.95, 1.05)
    return PlateLayout.ONE_LINE if aspect > border else PlateLayout.TWO_LINE


def _quad_over(box: BoxPx, rng: Generator) -> _Matrix:
    """A tilted plate where a real one was, a little larger so that it hides it."""
    is_long = box.width / max(box.height, 1.0) > ONE_LINE_ASPECT
    aspect = _LONG_ASPECT if is_long else float(rng.uniform(1.25, 2.0))
    corners = _tilted(aspect, rng)
    span = np.ptp(corners, axis=0)
    scale = max(box.width / span[0], box.height / span[1]) * float(rng.uniform(0.85, 1.1))
    return np.asarray(corners * scale + np.array(box.centre), np.float64)


def _quad_on_vehicle(vehicle: BoxPx, rng: Generator) -> _Matrix:
    """A plate low on a vehicle, as wide as plates are on it."""
    is_narrow = vehicle.width < 0.8 * vehicle.height
    is_long = rng.random() < (0.15 if is_narrow else 0.6)
    aspect = _LONG_ASPECT if is_long else float(rng.uniform(1.25, 2.0))
    share = float(rng.uniform(0.2, 0.4) if is_narrow else rng.uniform(0.12, 0.28))
    corners = _tilted(aspect, rng)
    scale = vehicle.width * share / float(np.ptp(corners[:, 0]))
    x = vehicle.centre[0] + vehicle.width * float(rng.uniform(-0.12, 0.12))
    y = vehicle.y_max - vehicle.height * float(rng.uniform(0.12, 0.4))
    return np.asarray(corners * scale + np.array([x, y]), np.float64)


def _tilted(aspect: float, rng: Generator) -> _Matrix:
    """Corners of a plate of height 1 around 0, turned in space; most a little, some much."""
    strength = np.radians(_MAX_TILT_DEGREES) * float(rng.beta(1.0, 1.6))
    pitch, yaw = rng.uniform(-1, 1, 2) * strength
    roll = float(np.clip(rng.normal(0, 0.25), -1, 1)) * strength
    half = aspect / 2
    x, y = np.array([-half, half, half, -half]), np.array([-0.5, -0.5, 0.5, 0.5])
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    depth = 1 + (x * np.sin(yaw) + y * np.sin(pitch)) / (aspect * rng.uniform(2.5, 8.0))
    return np.stack((x * np.cos(yaw) / depth, y * np.cos(pitch) / depth), axis=1)


def _chosen(vehicles: Sequence[BoxPx], rng: Generator) -> list[BoxPx]:
    """Vehicles to screw a plate to: large ones first, some left without."""
    large = sorted(vehicles, key=lambda box: -box.width * box.height)[: MAX_PLATES * 2]
    return [box for box in large if rng.random() < 0.75]  # noqa: PLR2004 -- share


def _corners(box: BoxPx) -> _Matrix:
    return np.array(
        [
            [box.x_min, box.y_min],
            [box.x_max, box.y_min],
            [box.x_max, box.y_max],
            [box.x_min, box.y_max],
        ]
    )


def _bounds(quad: _Matrix) -> tuple[_Matrix, _Matrix]:
    return np.asarray(quad.min(axis=0)), np.asarray(quad.max(axis=0))


def _touch(first: _Matrix, second: _Matrix) -> bool:
    (low, high), (other_low, other_high) = _bounds(first), _bounds(second)
    return bool((low < other_high).all() and (other_low < high).all())


def _through(quad: _Matrix, matrix: _Matrix) -> _Matrix:
    moved = cv2.perspectiveTransform(quad[None].astype(np.float64), matrix)[0]
    return np.asarray(moved, np.float64)


def _box_in(quad: _Matrix, size: tuple[int, int]) -> BoxPx | None:
    """Tight box of what is seen of a plate; ``None`` where it is too little."""
    low, high = _bounds(quad)
    seen_low, seen_high = np.clip(low, 0, size), np.clip(high, 0, size)
    sides = seen_high - seen_low
    if sides.min() < MIN_PLATE_SIDE_PX or np.prod(sides) < MIN_VISIBLE_SHARE * np.prod(high - low):
        return None
    return BoxPx(
        x_min=float(seen_low[0]), y_min=float(seen_low[1]),
        x_max=float(seen_high[0]), y_max=float(seen_high[1]),
    )  # fmt: skip
