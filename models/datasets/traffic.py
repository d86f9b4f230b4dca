# SPDX-License-Identifier: AGPL-3.0-or-later
"""Denser and darker traffic than the pool's: vehicles cut out of pictures and set into others.

The pool's roads carry few motorbikes, by day. Here riders cut out of one picture are
set beside the vehicles of another, as large as those are at their place, alone and in
flocks; a part of the pictures is then brought into dusk or night, with lamps lit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.camera import Severity, degrade
from models.runtime.values import BgrImage, BoxPx

CAR: Final = 0
MOTORCYCLE: Final = 1
MAX_PASTED: Final = 22
MIN_SIDE_PX: Final = 7.0
_TRIES: Final = 4
_FEW: Final = 5
_DENSE_SHARE: Final = 0.5
_CUT_SIDE_PX: Final = 180
_MIN_CUT_SIDE_PX: Final = 13
_CUT_MARGIN: Final = 0.12
_MIN_FILLED: Final = 0.25
_MAX_FILLED: Final = 0.9
_MAX_COVERED: Final = 0.5
_NEARER_OVERLAP: Final = 0.25
_HIDDEN_SHARE: Final = 0.7
_LONGEST_SIDE_PX: Final = (560, 960)
# Height of a motorcycle with its rider, as a share of what stands beside it.
_HEIGHT_BESIDE: Final = {CAR: 1.0, MOTORCYCLE: 1.0, 2: 0.5, 3: 0.55}
# Height of a car, in heights of a motorcycle with its rider.
_HEIGHT_OF: Final = {CAR: 0.95, MOTORCYCLE: 1.0, 2: 1.9, 3: 1.7}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadVehicle:
    """A vehicle in a picture; ``class_id`` as the detector counts its labels."""

    class_id: int
    box_px: BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A vehicle without its surroundings.

    Attributes:
        image: Pixels, shape ``(height, width, 3)``.
        cover: How much of each pixel is the vehicle, shape ``(height, width)``, 0 to 1.
        class_id: As the detector counts its labels.
    """

    image: BgrImage
    cover: NDArray[np.float32]
    class_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficPicture:
    """A made picture and its vehicles."""

    image: BgrImage
    vehicles: tuple[RoadVehicle, ...]


def cut_out(image: BgrImage, vehicle: RoadVehicle) -> Cutout:
    """Take a vehicle out of a picture; the edge is found by its colours (GrabCut).

    Args:
        image: Picture, not changed.
        vehicle: A whole vehicle that nothing hides.
    """
    box = vehicle.box_px
    margin = _CUT_MARGIN * max(box.width, box.height)
    height, width = image.shape[:2]
    x_min, y_min = int(max(0, box.x_min - margin)), int(max(0, box.y_min - margin))
    x_max, y_max = int(min(width, box.x_max + margin)), int(min(height, box.y_max + margin))
    part = image[y_min:y_max, x_min:x_max]
    ratio = min(1.0, _CUT_SIDE_PX / max(part.shape[:2]))
    small = cv2.resize(part, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    left, top = int((box.x_min - x_min) * ratio), int((box.y_min - y_min) * ratio)
    inner_width, inner_height = max(4, int(box.width * ratio)), max(4, int(box.height * ratio))
    inner_width = min(inner_width, small.shape[1] - left)
    inner_height = min(inner_height, small.shape[0] - top)
    cover = _cover(np.asarray(small, np.uint8), (left, top, inner_width, inner_height))
    window = (slice(top, top + inner_height), slice(left, left + inner_width))
    return Cutout(
        image=np.asarray(small[window], np.uint8).copy(),
        cover=cover[window].copy(),
        class_id=vehicle.class_id,
    )


def traffic_picture(
    image: BgrImage,
    vehicles: Sequence[RoadVehicle],
    *,
    cutouts: Sequence[Cutout],
    rng: Generator,
) -> TrafficPicture:
    """Make one picture.

    Args:
        image: Road below; it is not changed.
        vehicles: All vehicles of that road.
        cutouts: What may be set into it.
        rng: Decides everything else.
    """
    ratio = float(rng.integers(*_LONGEST_SIDE_PX)) / max(image.shape[:2])
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    made = np.asarray(cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=method), np.uint8)
    there = [_scaled(vehicle, ratio) for vehicle in vehicles]
    pasted = _flock(made, there, cutouts=cutouts, rng=rng)
    kept = [one for one in there if not _is_hidden(one, pasted)]
    shown = (*kept, *pasted)
    dark = _darkened(made, shown, rng)
    light, noise, compression = (float(value) for value in rng.beta(1.0, 2.0, 3))
    severity = Severity(
        viewpoint=0.0, blur=0.1 * float(rng.beta(1.0, 2.5)), noise=0.7 * noise,
        light=0.6 * light, weather=0.0, compression=compression, jitter=0.0,
    )  # fmt: skip
    taken = degrade(dark, rng=rng, severity=severity)
    large = (one for one in shown if min(one.box_px.width, one.box_px.height) >= MIN_SIDE_PX)
    return TrafficPicture(image=taken, vehicles=tuple(large))


def _cover(image: BgrImage, inner: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Opacity of the thing inside a rectangle; an ellipse where no edge is found."""
    left, top, width, height = inner
    mask = np.zeros(image.shape[:2], np.uint8)
    filled = 0.0
    has_surroundings = (width, height) != image.shape[1::-1]
    if min(image.shape[:2]) >= _MIN_CUT_SIDE_PX and has_surroundings:
        background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(image, mask, inner, background, foreground, 3, cv2.GC_INIT_WITH_RECT)
        mask = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
        filled = float(mask[top : top + height, left : left + width].mean()) / 255
    if not _MIN_FILLED <= filled <= _MAX_FILLED:
        mask = np.zeros(image.shape[:2], np.uint8)
        middle = (left + width // 2, top + height // 2)
        axes = (max(1, int(width * 0.48)), max(1, int(height * 0.5)))
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.0), np.float32) / np.float32(255)


def _flock(
    image: BgrImage, there: Sequence[RoadVehicle], *, cutouts: Sequence[Cutout], rng: Generator
) -> list[RoadVehicle]:
    """Set cut-outs beside the vehicles of a picture, the farthest first."""
    if not there or not cutouts:
        return []
    is_dense = rng.random() < _DENSE_SHARE
    count = int(rng.integers(_FEW, MAX_PASTED + 1) if is_dense else rng.integers(1, _FEW))
    places = []
    for _ in range(count):
        cutout = cutouts[int(rng.integers(len(cutouts)))]
        for _ in range(_TRIES):
            box = _place_beside(there[int(rng.integers(len(there)))], cutout, rng)
            if _fits(box, image) and not _crowds(box, there):
                places.append((cutout, box))
                break
    pasted: list[RoadVehicle] = []
    for cutout, box in sorted(places, key=lambda place: place[1].y_max):
        others = [*there, *pasted]
        if min(box.width, box.height) < MIN_SIDE_PX or _crowds(box, others):
            continue
        _paste(image, cutout, box, rng)
        pasted = [one for one in pasted if _share_under(one.box_px, box) < _HIDDEN_SHARE]
        pasted.append(RoadVehicle(class_id=cutout.class_id, box_px=box))
    return pasted


def _place_beside(beside: RoadVehicle, cutout: Cutout, rng: Generator) -> BoxPx:
    """A box for a cut-out, as large as things are at that place."""
    box = beside.box_px
    rider_px = box.height * _HEIGHT_BESIDE[beside.class_id] * float(np.exp(rng.normal(0, 0.22)))
    height = rider_px * _HEIGHT_OF[cutout.class_id]
    width = height * cutout.image.shape[1] / cutout.image.shape[0]
    x = box.centre[0] + float(rng.normal(0, 1.6)) * max(box.width, rider_px)
    bottom = box.y_max + float(rng.normal(0, 0.25)) * rider_px
    return BoxPx(x_min=x - width / 2, y_min=bottom - height, x_max=x + width / 2, y_max=bottom)


def _fits(box: BoxPx, image: BgrImage) -> bool:
    height, width = image.shape[:2]
    return box.x_min >= 0 and box.y_min >= 0 and box.x_max < width and box.y_max < height


def _crowds(box: BoxPx, others: Sequence[RoadVehicle]) -> bool:
    """Whether a thing would stand in front of a nearer one, or cover too much."""
    for other in others:
        share = _share_under(box, other.box_px)
        is_nearer = other.box_px.y_max > box.y_max
        if share > (_NEARER_OVERLAP if is_nearer else 1.0):
            return True
        if _share_under(other.box_px, box) > _MAX_COVERED:
            return True
    return False


def _share_under(under: BoxPx, over: BoxPx) -> float:
    """Share of one box that another covers."""
    width = min(under.x_max, over.x_max) - max(under.x_min, over.x_min)
    height = min(under.y_max, over.y_max) - max(under.y_min, over.y_min)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (under.width * under.height)


def _is_hidden(vehicle: RoadVehicle, pasted: Sequence[RoadVehicle]) -> bool:
    return any(_share_under(vehicle.box_px, one.box_px) >= _HIDDEN_SHARE for one in pasted)


def _scaled(vehicle: RoadVehicle, ratio: float) -> RoadVehicle:
    box = vehicle.box_px
    return RoadVehicle(
        class_id=vehicle.class_id,
        box_px=BoxPx(
            x_min=box.x_min * ratio, y_min=box.y_min * ratio,
            x_max=box.x_max * ratio, y_max=box.y_max * ratio,
        ),
    )  # fmt: skip


def _paste(image: BgrImage, cutout: Cutout, box: BoxPx, rng: Generator) -> None:
    size = (max(1, round(box.width)), max(1, round(box.height)))
    x, y = int(box.x_min), int(box.y_min)
    part = image[y : y + size[1], x : x + size[0]]
    shown = cv2.resize(cutout.image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.resize(cutout.cover, size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:  # noqa: PLR2004 -- either side
        shown, cover = shown[:, ::-1], cover[:, ::-1]
    shown = shown[: part.shape[0], : part.shape[1]]
    cover = cover[: part.shape[0], : part.shape[1], None]
    # Half of the way to the brightness of the road: a noon rider does not shine in the rain.
    gain = ((float(part.mean()) + 25) / (float(shown.mean()) + 25)) ** 0.5
    part[:] = np.clip(part * (1 - cover) + shown * gain * cover, 0, 255).astype(np.uint8)


def _darkened(image: BgrImage, shown: Sequence[RoadVehicle], rng: Generator) -> BgrImage:
    """Leave the day, or bring dusk or night with lit lamps."""
    draw = rng.random()
    if draw < 0.55:  # noqa: PLR2004 -- share of pictures by day
        return image
    level = float(rng.uniform(0.35, 0.75) if draw < 0.8 else rng.uniform(0.12, 0.4))  # noqa: PLR2004 -- dusk
    tint = np.array([rng.uniform(0.65, 1.15), 1.0, rng.uniform(0.85, 1.2)], np.float32)
    pixels = image.astype(np.float32) ** 1.15 * 0.45 * level * tint + float(rng.uniform(0, 16))
    for one in shown:
        if rng.random() < 0.75:  # noqa: PLR2004 -- share of lit vehicles
            _light_lamps(pixels, one, is_front=bool(rng.random() < 0.6), rng=rng)  # noqa: PLR2004
    return np.asarray(np.clip(pixels, 0, 255), np.uint8)


def _light_lamps(
    pixels: NDArray[np.float32], vehicle: RoadVehicle, *, is_front: bool, rng: Generator
) -> None:
    box = vehicle.box_px
    colour = np.array([0.75, 0.92, 1.0] if is_front else [0.12, 0.12, 0.9], np.float32)
    places = (0.5,) if vehicle.class_id == MOTORCYCLE else (0.17, 0.83)
    radius = box.width * float(rng.uniform(0.05, 0.16)) + 0.8
    strength = float(rng.uniform(120, 330) if is_front else rng.uniform(80, 200))
    y = box.y_min + box.height * float(rng.uniform(0.5, 0.78))
    for place in places:
        x = box.x_min + box.width * place
        reach = int(4 * radius) + 1
        top, left = max(0, int(y) - reach), max(0, int(x) - reach)
        part = pixels[top : int(y) + reach, left : int(x) + reach]
        if part.size == 0:
            continue
        rows = np.arange(top, top + part.shape[0], dtype=np.float32)[:, None] - y
        columns = np.arange(left, left + part.shape[1], dtype=np.float32)[None, :] - x
        squared = (rows**2 + columns**2) / radius**2
        glow = np.exp(-squared) * strength + np.exp(-squared / 5) * 0.25 * strength
        part += glow[..., None] * colour
