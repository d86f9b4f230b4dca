# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether bytes really are a picture, and the copy of it that browsers are shown.

A file of a few kilobytes can declare a picture of gigabytes, so its size is read from its header
before anything is decoded. What people see is drawn anew from the pixels: whatever else the file
carries - places, serial numbers, scripts for a careless viewer - stays in the store.
"""

import io
import warnings
from typing import Final

from PIL import Image

from central.errors import EvidenceNotAnImageError

PIXELS_MAX: Final = 50_000_000
"""More than any traffic camera has; decoded they take 150 MB. Higher: more memory per upload."""

SIDE_PX_MAX: Final = 20_000
SHOWN_QUALITY: Final = 90
_KIND: Final = "JPEG"
_MODES: Final = frozenset({"L", "RGB"})
"""Grey and coloured; what cameras make. CMYK and other rarities are refused."""


def require_picture(sha256: str, body: bytes) -> None:
    """Decode a JPEG as a whole.

    Raises:
        EvidenceNotAnImageError: It is no JPEG, is cut off or damaged, or declares too many pixels.
    """
    _decoded(sha256, body).close()


def shown_copy(sha256: str, body: bytes) -> bytes:
    """The same picture drawn anew, with nothing but its pixels in it.

    Raises:
        EvidenceNotAnImageError: As ``require_picture``; old stores may hold such a file.
    """
    drawn = io.BytesIO()
    with _decoded(sha256, body) as picture:
        pixels = Image.new(picture.mode, picture.size)
        pixels.paste(picture)
        pixels.save(drawn, _KIND, quality=SHOWN_QUALITY)
    return drawn.getvalue()


def _decoded(sha256: str, body: bytes) -> Image.Image:
    """The decoded picture, of a bearable size."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(body), formats=(_KIND,))
            width_px, height_px = picture.size
            if (
                max(width_px, height_px) > SIDE_PX_MAX
                or width_px * height_px > PIXELS_MAX
                or picture.mode not in _MODES
            ):
                raise EvidenceNotAnImageError(sha256)
            picture.load()
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise EvidenceNotAnImageError(sha256) from error
    return picture
