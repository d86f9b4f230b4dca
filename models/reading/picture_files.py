# SPDX-License-Identifier: AGPL-3.0-or-later
"""Picture files of people and cameras, decoded alike for the command line and the device.

Whatever the file holds (grey, 16 bits, transparency, printing colours, a
turned phone), what comes out is one upright colour picture of 8 bits, or an
error that says in words what is wrong with the file.
"""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import PictureUnreadableError
from models.reading.picture_header import PictureHeader, PictureKind, read_header
from models.runtime.images import MAX_SIDE_PX
from models.runtime.values import BgrImage

PICTURE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff"}
)
MAX_FILE_BYTES: Final = 250_000_000
MAX_PIXELS: Final = 160_000_000
"""A larger picture is refused before anything is decoded: it would need half a gigabyte."""
WHOLE_PIXELS_MAX: Final = 50_000_000
"""A larger picture is shrunk; raising it costs memory and finds no plate that was not found."""
SHRINK_STEPS: Final = (1, 2, 4, 8)

_REDUCED: Final = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_DEEP_KINDS: Final = frozenset({PictureKind.PNG, PictureKind.TIFF})
_BYTE_BITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture.

    Attributes:
        image: Pixels, upright, shape ``(height, width, 3)``.
        width_px: Columns of the file's picture as displayed, that is after the
            rotation that its Exif block asks for.
        height_px: Rows as displayed.
        shrunk_by: Pixels of the file for one of ``image``: 1, 2, 4 or 8.
    """

    image: BgrImage
    width_px: int
    height_px: int
    shrunk_by: int


def read_picture(path: Path) -> Picture:
    """Decode a picture file.

    Args:
        path: A file; its name's ending does not matter.

    Raises:
        PictureUnreadableError: It is no file, empty, damaged, too large, may
            not be read, or is no picture of a known kind.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise PictureUnreadableError("not a file")
        if status.st_size > MAX_FILE_BYTES:
            raise PictureUnreadableError(
                f"{status.st_size / 1e6:.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} MB are read"
            )
        content = path.read_bytes()
    except OSError as error:
        raise PictureUnreadableError(error.strerror or "can not be opened") from error
    return decode_picture(content)


def decode_picture(content: bytes) -> Picture:
    """Decode a picture that was read already.

    Args:
        content: The whole file.

    Raises:
        PictureUnreadableError: See :func:`read_picture`.
    """
    header = read_header(content)
    pixels = header.width_px * header.height_px
    if pixels > MAX_PIXELS:
        raise PictureUnreadableError(
            f"{header.width_px} x {header.height_px} is {pixels / 1e6:.0f} megapixels; "
            f"at most {MAX_PIXELS / 1e6:.0f} are read"
        )
    shrunk_by = _shrink_step(header)
    encoded = np.frombuffer(content, np.uint8)
    if header.kind is PictureKind.JPEG:
        return _decoded_jpeg(encoded, header=header, shrunk_by=shrunk_by)
    image = _decoded_other(encoded, header=header)
    height, width = image.shape[:2]
    if shrunk_by > 1:
        size = (max(1, width // shrunk_by), max(1, height // shrunk_by))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Picture(image=image, width_px=width, height_px=height, shrunk_by=shrunk_by)


def _shrink_step(header: PictureHeader) -> int:
    longest = max(header.width_px, header.height_px)
    for step in SHRINK_STEPS:
        is_small = header.width_px * header.height_px <= WHOLE_PIXELS_MAX * step * step
        if is_small and longest <= MAX_SIDE_PX * step:
            return step
    raise PictureUnreadableError(
        f"{header.width_px} x {header.height_px}: a side is at most "
        f"{MAX_SIDE_PX * SHRINK_STEPS[-1]} pixels"
    )


def _decoded_jpeg(encoded: NDArray[np.uint8], *, header: PictureHeader, shrunk_by: int) -> Picture:
    """Decode and turn; the library forgets to turn a picture that it shrinks itself."""
    flags = _REDUCED.get(shrunk_by, cv2.IMREAD_COLOR) | cv2.IMREAD_IGNORE_ORIENTATION
    image = _turned(_require_decoded(encoded, flags, header.kind), header.orientation)
    is_lying = header.orientation > 4  # noqa: PLR2004 -- 5 to 8 swap rows and columns
    width, height = header.width_px, header.height_px
    return Picture(
        image=image,
        width_px=height if is_lying else width,
        height_px=width if is_lying else height,
        shrunk_by=shrunk_by,
    )


def _decoded_other(encoded: NDArray[np.uint8], *, header: PictureHeader) -> BgrImage:
    flags = cv2.IMREAD_COLOR
    if header.kind in _DEEP_KINDS:
        flags |= cv2.IMREAD_ANYDEPTH
    image = _require_decoded(encoded, flags, header.kind)
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    if image.dtype != np.uint16:
        raise PictureUnreadableError(f"{header.kind} file with {image.dtype} values")
    # A camera of 10 or 12 bits leaves the upper bits of 16 empty: it would come out black.
    used_bits = max(_BYTE_BITS, int(image.max()).bit_length())
    deep = np.asarray(image, np.uint16)
    return np.asarray(deep >> np.uint16(used_bits - _BYTE_BITS), np.uint8)


def _require_decoded(
    encoded: NDArray[np.uint8], flags: int, kind: PictureKind
) -> NDArray[np.integer | np.floating]:
    try:
        image = cv2.imdecode(encoded, flags)
    except cv2.error:
        image = None
    if image is None:
        raise PictureUnreadableError(f"{kind} file is damaged or cut short")
    return image


def _turned(image: NDArray[np.integer | np.floating], orientation: int) -> BgrImage:
    """Bring a picture upright, as Exif 2.3 numbers the eight ways to hold a camera."""
    pixels = np.asarray(image, np.uint8)
    match orientation:
        case 2:
            pixels = pixels[:, ::-1]
        case 3:
            pixels = pixels[::-1, ::-1]
        case 4:
            pixels = pixels[::-1]
        case 5:
            pixels = pixels.transpose(1, 0, 2)
        case 6:
            pixels = pixels[::-1].transpose(1, 0, 2)
        case 7:
            pixels = pixels[::-1, ::-1].transpose(1, 0, 2)
        case 8:
            pixels = pixels[:, ::-1].transpose(1, 0, 2)
        case _:
            pass
    return np.ascontiguousarray(pixels)
