# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a roadside camera does to a plate: viewpoint, weather, light, optics, compression.

Two entries: ``photograph`` turns a frontal plate into the crop that a plate detector would cut
out of a frame; ``degrade`` changes the picture only, not its geometry.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.runtime.values import BgrImage

_Matrix = NDArray[np.float64]

_MIN_CROP_PX: Final = 10
_MAX_CROP_WIDTH_PX: Final = 300
_SMALLEST_WIDTH_PX: Final = 42
_NOISE_FIELD_PX: Final = 1 << 18
_EVEN_ODDS: Final = 0.5
_JPEG_QUALITY: Final = (22, 92)


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """How hard the conditions are; every field in [0, 1], 0 changes nothing.

    Attributes:
        viewpoint: Tilt, turn and rotation of the plate, up to 40 degrees at 1.
        blur: Motion and focus.
        noise: Sensor noise.
        light: Night, infrared, glare and uneven light.
        weather: Rain and dirt on the plate, things that hide a part of it.
        compression: JPEG artefacts and low resolution.
        jitter: Looseness and shift of the detector's box.
    """

    viewpoint: float = 0.5
    blur: float = 0.5
    noise: float = 0.5
    light: float = 0.5
    weather: float = 0.5
    compression: float = 0.5
    jitter: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a strength outside 0 to 1."""
        for name in self.__slots__:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"severity {name} lies in 0 to 1")


NO_DEGRADATION: Final = Severity(
    viewpoint=0, blur=0, noise=0, light=0, weather=0, compression=0, jitter=0
)


def random_severity(rng: Generator) -> Severity:
    """Conditions of one picture: most are mild, a tail is hard, each on its own."""
    values = rng.beta(1.1, 2.2, 7)
    names = ("viewpoint", "blur", "noise", "light", "weather", "compression", "jitter")
    return Severity(**{name: float(value) for name, value in zip(names, values, strict=True)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """A crop around a plate, and where the plate lies in it.

    Attributes:
        image: The crop as the camera delivers it.
        corners_px: Shape ``(4, 2)``, float32: the plate's corners in pixels of ``image``,
            clockwise from the plate's own top left one; outside of it where the box cuts.
    """

    image: BgrImage
    corners_px: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse anything but four corners."""
        if self.corners_px.shape != (4, 2):
            raise ValueError(f"a plate has four corners, got {self.corners_px.shape}")


def photograph(plate: BgrImage, *, rng: Generator, severity: Severity) -> BgrImage:
    """Crop of a plate as a detector would cut it out of a camera's frame.

    The picture of ``photographed``, for those who don't ask where the plate lies in it.
    """
    return photographed(plate, rng=rng, severity=severity).image


def photographed(
    plate: BgrImage, *, rng: Generator, severity: Severity, ground: BgrImage | None = None
) -> Photograph:
    """Crop of a plate as a detector would cut it out of a camera's frame, with its corners.

    Args:
        plate: Clean frontal plate, filling its picture.
        rng: Source of randomness.
        severity: Conditions.
        ground: Picture of any size that surrounds the plate; ``None`` draws random patches.

    Returns:
        A crop between 42 and 300 pixels wide, surroundings included where the box is loose.
    """
    width_px = _crop_width(rng, severity)
    corners = _projected_corners(plate.shape[1] / plate.shape[0], rng=rng, severity=severity)
    low, high = corners.min(axis=0), corners.max(axis=0)
    low, high = _jittered_box(low, high, rng=rng, severity=severity)
    scale = width_px / max(1e-6, float(high[0] - low[0]))
    height_px = int(np.clip(round(float(high[1] - low[1]) * scale), _MIN_CROP_PX, 400))
    target = ((corners - low) * scale).astype(np.float32)
    source_height, source_width = plate.shape[:2]
    source = np.array(
        [[0, 0], [source_width, 0], [source_width, source_height], [0, source_height]], np.float32
    )
    shrunk, ratio = _prefiltered(plate, target_width_px=float(np.ptp(target[:, 0])))
    matrix = cv2.getPerspectiveTransform((source * ratio).astype(np.float32), target)
    shape = (height_px, width_px)
    around = _surroundings(shape, rng) if ground is None else _filled(ground, shape)
    crop = cv2.warpPerspective(
        shrunk, matrix, (width_px, height_px), dst=around, flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_TRANSPARENT,
    )  # fmt: skip
    image = degrade(np.asarray(crop, dtype=np.uint8), rng=rng, severity=severity)
    return Photograph(image=image, corners_px=target)


def degrade(image: BgrImage, *, rng: Generator, severity: Severity) -> BgrImage:
    """Weather, light, blur, noise and compression; size and geometry stay.

    Args:
        image: Any picture; it is not changed.
        rng: Source of randomness.
        severity: Conditions; ``viewpoint`` and ``jitter`` have no meaning here.

    Returns:
        A new picture of the same shape.
    """
    result = _soiled(image, rng, severity.weather)
    result = _lit(result, rng, severity.light)
    if rng.random() < 0.5 * severity.weather:
        result = _rained(result, rng, severity.weather)
    result = _blurred(result, rng, severity.blur)
    result = _noised(result, rng, severity.noise)
    return _compressed(result, rng, severity.compression)


def _crop_width(rng: Generator, severity: Severity) -> int:
    """Width of a crop in pixels: logarithmic, smaller where compression is hard."""
    top = np.log(_MAX_CROP_WIDTH_PX) - 0.9 * severity.compression
    width = np.exp(rng.uniform(np.log(_SMALLEST_WIDTH_PX), top))
    return int(width) if severity.compression > 0 else _MAX_CROP_WIDTH_PX


def _rotation(*, pitch: float, yaw: float, roll: float) -> _Matrix:
    """Rotation from three angles in radians."""
    cp, sp, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw)
    cr, sr = np.cos(roll), np.sin(roll)
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


def _projected_corners(aspect: float, *, rng: Generator, severity: Severity) -> _Matrix:
    """Corners of a plate of height 1 in the picture, clockwise from the top left."""
    strength = np.radians(40) * severity.viewpoint
    pitch, yaw = rng.uniform(-1, 1, 2) * strength
    roll = float(np.clip(rng.normal(0, 0.3), -1, 1)) * strength * 0.8
    half = aspect / 2
    corners = np.array([[-half, -0.5, 0], [half, -0.5, 0], [half, 0.5, 0], [-half, 0.5, 0]])
    turned = corners @ _rotation(pitch=pitch, yaw=yaw, roll=roll).T
    distance = aspect * rng.uniform(2.0, 8.0)
    projected = turned[:, :2] * (distance / (distance + turned[:, 2:]))
    projected[:, 0] += projected[:, 1] * rng.normal(0, 0.1) * severity.viewpoint
    return np.asarray(projected, dtype=np.float64)


def _jittered_box(
    low: _Matrix, high: _Matrix, *, rng: Generator, severity: Severity
) -> tuple[_Matrix, _Matrix]:
    """Box around the corners as an imperfect detector draws it."""
    size = high - low
    loose = 0.14 * severity.jitter
    tight = 0.045 * severity.jitter
    return low - size * rng.uniform(-tight, loose, 2), high + size * rng.uniform(-tight, loose, 2)


def _prefiltered(plate: BgrImage, *, target_width_px: float) -> tuple[BgrImage, float]:
    """Shrink a plate to about its size in the crop, so that the warp does not alias."""
    ratio = min(1.0, 1.25 * target_width_px / plate.shape[1])
    if ratio == 1.0:
        return plate, 1.0
    small = cv2.resize(plate, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), ratio


def _surroundings(shape: tuple[int, int], rng: Generator) -> BgrImage:
    """What lies around a plate: a few soft patches of bumper, lamp and shadow."""
    patches = rng.integers(0, 256, (3, 4, 1)).astype(np.float32) * rng.uniform(0.1, 0.9)
    tint = rng.uniform(-25, 25, (3, 4, 3))
    coarse = np.clip(patches + tint, 0, 255).astype(np.uint8)
    mode = cv2.INTER_LINEAR if rng.random() < _EVEN_ODDS else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=mode), dtype=np.uint8)


def _filled(ground: BgrImage, shape: tuple[int, int]) -> BgrImage:
    """The middle of a picture, enlarged or shrunk until it covers a shape; always a copy."""
    height_px, width_px = shape
    ratio = max(height_px / ground.shape[0], width_px / ground.shape[1])
    cut_height = min(ground.shape[0], max(1, round(height_px / ratio)))
    cut_width = min(ground.shape[1], max(1, round(width_px / ratio)))
    top, left = (ground.shape[0] - cut_height) // 2, (ground.shape[1] - cut_width) // 2
    cut = ground[top : top + cut_height, left : left + cut_width]
    mode = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(cut, (width_px, height_px), interpolation=mode)
    return np.array(resized, dtype=np.uint8)


def _soft_field(
    shape: tuple[int, int], rng: Generator, *, cells: tuple[int, int]
) -> NDArray[np.float32]:
    """Smooth random field in [0, 1]."""
    coarse = rng.random(cells, dtype=np.float32)
    field = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(field, dtype=np.float32)


def _soiled(image: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Dirt, faded paint, and now and then an object over a part of the plate."""
    result = image
    if rng.random() < strength:
        field = _soft_field(image.shape[:2], rng, cells=(5, 9))
        cover = np.clip((field - 0.75 + 0.3 * strength) * 2.5, 0, 0.8 * strength)[..., None]
        mud = rng.uniform(40, 170) + rng.uniform(-12, 12, 3)
        result = (result * (1 - cover) + mud * cover).astype(np.uint8)
    if rng.random() < 0.25 * strength:
        result = result.copy()
        height, width = image.shape[:2]
        shade = [int(v) for v in rng.integers(0, 255, 3)]
        side = int(rng.integers(4))
        depth = rng.uniform(0.02, 0.09)
        rows, columns = max(1, int(depth * height)), max(1, int(depth * width * 0.5))
        parts = (result[:rows], result[-rows:], result[:, :columns], result[:, -columns:])
        parts[side][:] = shade
    return result


def _lit(image: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Exposure, contrast, colour cast, uneven light, glare, night and infrared."""
    pixels = image.astype(np.float32)
    if rng.random() < 0.2 * strength + 0.05 * (strength > 0):
        grey = pixels.mean(axis=2, keepdims=True)
        pixels = np.repeat(grey, 3, axis=2)  # infrared, or a camera in night mode
    else:
        pixels = pixels * (1 + rng.normal(0, 0.09, 3) * strength).astype(np.float32)
    gain = np.exp(rng.normal(0, 0.5) * strength)
    pixels = (pixels - 128) * (1 - rng.uniform(0, 0.6) * strength) + 128 * gain
    if rng.random() < 0.35 * strength:
        pixels *= rng.uniform(0.15, 0.6)  # night
        pixels += rng.uniform(0, 25)
    if rng.random() < strength:
        field = _soft_field(image.shape[:2], rng, cells=(2, 3))
        pixels *= (1 + (field - 0.5) * 1.1 * strength)[..., None]
    if rng.random() < 0.3 * strength:
        pixels = _glared(pixels, rng, strength)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _glared(pixels: NDArray[np.float32], rng: Generator, strength: float) -> NDArray[np.float32]:
    """Bloom of a lamp, or the reflection of the sun."""
    height, width = pixels.shape[:2]
    x, y = rng.uniform(-0.2, 1.2) * width, rng.uniform(-0.3, 1.3) * height
    radius = rng.uniform(0.15, 0.6) * width
    dx = (np.arange(width, dtype=np.float32) - x) / radius
    dy = (np.arange(height, dtype=np.float32) - y) / radius
    bloom = np.exp(-(dx[None, :] ** 2 + dy[:, None] ** 2)) * rng.uniform(60, 190) * strength
    return np.asarray(pixels + bloom[..., None], dtype=np.float32)


def _rained(image: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Bright slanted streaks and a little haze."""
    height, width = image.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    slant = rng.uniform(-0.35, 0.35)
    for _ in range(int(rng.integers(4, 10 + int(22 * strength)))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        length = int(height * rng.uniform(0.08, 0.3)) + 1
        end = (int(x + slant * length), y + length)
        cv2.line(streaks, (x, y), end, int(rng.integers(50, 150)), 1, cv2.LINE_AA)
    haze = rng.uniform(0, 0.35) * strength
    light = streaks[..., None].astype(np.float32)
    wet = np.clip(image * (1 - haze) + 165 * haze + light, 0, 255)
    return np.asarray(wet, dtype=np.uint8)


def _blurred(image: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Motion along a random line, then focus, in proportion to the plate's size."""
    result: BgrImage = image
    reach = min(image.shape[1], image.shape[0] * 3) / 100
    if rng.random() < 0.5 * strength:
        length = 1 + rng.uniform(0, 6.5) * strength * reach
        size = int(length) | 1
        if size >= 3:  # noqa: PLR2004 -- a smaller kernel does nothing
            kernel = np.zeros((size, size), np.float32)
            angle = rng.uniform(0, np.pi)
            dx, dy = np.cos(angle) * size / 2, np.sin(angle) * size / 2
            middle = size / 2 - 0.5
            cv2.line(
                kernel, (round(middle - dx), round(middle - dy)),
                (round(middle + dx), round(middle + dy)), 1.0, 1,
            )  # fmt: skip
            result = np.asarray(cv2.filter2D(result, -1, kernel / kernel.sum()), dtype=np.uint8)
    sigma = rng.uniform(0, 2.0) * strength * reach
    if sigma > 0.3:  # noqa: PLR2004 -- below that nothing changes
        result = np.asarray(cv2.GaussianBlur(result, (0, 0), sigma), dtype=np.uint8)
    return result


def _noised(image: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """Grey and colour noise; one field is drawn small and repeated for speed."""
    sigma = rng.uniform(0, 22) * strength
    if sigma < 1:
        return image
    grey = rng.standard_normal(image.shape[:2], dtype=np.float32)[..., None]
    if image.size < _NOISE_FIELD_PX and rng.random() < _EVEN_ODDS:
        noise = 0.7 * grey + 0.6 * rng.standard_normal(image.shape, dtype=np.float32)
    else:
        noise = grey
    return np.clip(image + noise * sigma, 0, 255).astype(np.uint8)


def _compressed(image: BgrImage, rng: Generator, strength: float) -> BgrImage:
    """JPEG, and for a part of the pictures a resize down and up before it."""
    if strength == 0:
        return image
    height, width = image.shape[:2]
    result = image
    if rng.random() < 0.35 * strength:
        factor = rng.uniform(0.45, 0.9)
        small = (max(8, int(width * factor)), max(6, int(height * factor)))
        result = np.asarray(cv2.resize(result, small, interpolation=cv2.INTER_AREA), np.uint8)
        mode = cv2.INTER_LINEAR if rng.random() < _EVEN_ODDS else cv2.INTER_CUBIC
        result = np.asarray(cv2.resize(result, (width, height), interpolation=mode), np.uint8)
    if rng.random() < 0.3 + 0.7 * strength:
        low, high = _JPEG_QUALITY
        quality = int(high - (high - low) * strength * rng.random())
        encoded = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        result = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)
    return result
