# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a picture file says about itself before it is decoded.

A file of a few kilobytes can declare a picture of gigabytes. So its kind and
size are taken from the first bytes, and only kinds that are known here reach
the decoder. Layouts after the formats' own specifications (ITU-T T.81, Exif
2.3, PNG, TIFF 6.0, GIF89a, RFC 9649 for WebP, BITMAPINFOHEADER).
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.errors import PictureUnreadableError

MAX_JPEG_SEGMENTS: Final = 1000
MAX_TIFF_ENTRIES: Final = 1000
MAX_PNG_CHUNKS: Final = 1_000_000

_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_EXIF_MAGIC: Final = b"Exif\x00\x00"
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_APP1: Final = 0xE1
_JPEG_ENDS: Final = frozenset({0xD9, 0xDA})
_TIFF_WIDTH: Final = 256
_TIFF_HEIGHT: Final = 257
_TIFF_ORIENTATION: Final = 274
_TIFF_SHORT: Final = 3
_TIFF_LONG: Final = 4
_UPRIGHT: Final = 1
_ORIENTATIONS: Final = range(1, 9)
_BMP_CORE_HEADER_BYTES: Final = 12
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})


class PictureKind(StrEnum):
    """Kinds of files that are decoded."""

    JPEG = "JPEG"
    PNG = "PNG"
    BMP = "BMP"
    GIF = "GIF"
    TIFF = "TIFF"
    WEBP = "WebP"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHeader:
    """What is known of a picture without its pixels.

    Attributes:
        kind: File format.
        width_px: Columns as stored, before any rotation.
        height_px: Rows as stored.
        orientation: Exif number, 1 to 8, of a JPEG; 1 is upright. The other
            kinds are turned by the decoder, and say 1 here.
    """

    kind: PictureKind
    width_px: int
    height_px: int
    orientation: int = _UPRIGHT

    def __post_init__(self) -> None:
        """Refuse a picture without pixels."""
        if self.width_px < 1 or self.height_px < 1:
            raise PictureUnreadableError(f"a {self.kind} file without pixels")
        if self.orientation not in _ORIENTATIONS:
            raise ValueError(f"an orientation is 1 to 8, got {self.orientation}")


def read_header(content: bytes) -> PictureHeader:
    """Kind and size of a picture.

    Args:
        content: The whole file.

    Raises:
        PictureUnreadableError: Empty, no picture, cut short, or of a kind that
            is not decoded.
    """
    if not content:
        raise PictureUnreadableError("empty file")
    kind = _kind(content)
    try:
        match kind:
            case PictureKind.JPEG:
                return _jpeg_header(content)
            case PictureKind.PNG:
                return _png_header(content)
            case PictureKind.TIFF:
                return _tiff_header(content)
            case PictureKind.WEBP:
                return _webp_header(content)
            case PictureKind.BMP:
                return _bmp_header(content)
            case PictureKind.GIF:
                width, height = struct.unpack_from("<HH", content, 6)
                return PictureHeader(kind=kind, width_px=width, height_px=height)
    except struct.error as error:
        raise PictureUnreadableError(f"{kind} file is cut short") from error


def _kind(content: bytes) -> PictureKind:
    starts = (
        (b"\xff\xd8\xff", PictureKind.JPEG),
        (_PNG_MAGIC, PictureKind.PNG),
        (b"BM", PictureKind.BMP),
        (b"GIF87a", PictureKind.GIF),
        (b"GIF89a", PictureKind.GIF),
        (b"II*\x00", PictureKind.TIFF),
        (b"MM\x00*", PictureKind.TIFF),
    )
    for start, kind in starts:
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PictureKind.WEBP
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        raise PictureUnreadableError("HEIC picture of a phone; save it as JPEG first")
    kinds = ", ".join(PictureKind)
    raise PictureUnreadableError(f"no picture of a known kind ({kinds})")


def _jpeg_header(content: bytes) -> PictureHeader:
    orientation = _UPRIGHT
    position = 2
    for _ in range(MAX_JPEG_SEGMENTS):
        marker_start, marker = struct.unpack_from(">BB", content, position)
        if marker_start != 0xFF:  # noqa: PLR2004 -- every marker begins with it
            break
        if marker == 0xFF or marker in _JPEG_WITHOUT_LENGTH:  # noqa: PLR2004 -- filling
            position += 1 if marker == 0xFF else 2  # noqa: PLR2004 -- filling
            continue
        if marker in _JPEG_ENDS:
            break
        (length,) = struct.unpack_from(">H", content, position + 2)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, position + 5)
            return PictureHeader(
                kind=PictureKind.JPEG, width_px=width, height_px=height, orientation=orientation
            )
        segment = content[position + 4 : position + 2 + length]
        if marker == _JPEG_APP1 and segment.startswith(_EXIF_MAGIC):
            orientation = _exif_orientation(segment[len(_EXIF_MAGIC) :])
        position += 2 + length
    raise PictureUnreadableError("JPEG file is damaged: it states no size")


def _exif_orientation(tiff: bytes) -> int:
    """Orientation of an Exif block; a damaged block turns nothing."""
    try:
        value = _tiff_numbers(tiff).get(_TIFF_ORIENTATION, _UPRIGHT)
    except (struct.error, PictureUnreadableError):
        return _UPRIGHT
    return value if value in _ORIENTATIONS else _UPRIGHT


def _png_header(content: bytes) -> PictureHeader:
    if content[12:16] != b"IHDR":
        raise PictureUnreadableError("PNG file is damaged: it states no size")
    width, height = struct.unpack_from(">II", content, 16)
    header = PictureHeader(kind=PictureKind.PNG, width_px=width, height_px=height)
    position = len(_PNG_MAGIC)
    for _ in range(MAX_PNG_CHUNKS):
        length, name = struct.unpack_from(">I4s", content, position)
        position += 12 + length
        if name == b"IEND" and position <= len(content):
            return header
    raise PictureUnreadableError("PNG file has no end")


def _tiff_header(content: bytes) -> PictureHeader:
    numbers = _tiff_numbers(content)
    if _TIFF_WIDTH not in numbers or _TIFF_HEIGHT not in numbers:
        raise PictureUnreadableError("TIFF file is damaged: it states no size")
    return PictureHeader(
        kind=PictureKind.TIFF, width_px=numbers[_TIFF_WIDTH], height_px=numbers[_TIFF_HEIGHT]
    )


def _tiff_numbers(tiff: bytes) -> dict[int, int]:
    """Single whole numbers of a TIFF's first directory, by tag."""
    order = "<" if tiff[:2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    if count > MAX_TIFF_ENTRIES:
        raise PictureUnreadableError("TIFF file is damaged: too many entries")
    numbers = {}
    for index in range(count):
        entry = start + 2 + 12 * index
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, entry)
        if values == 1 and kind == _TIFF_SHORT:
            (numbers[tag],) = struct.unpack_from(f"{order}H", tiff, entry + 8)
        elif values == 1 and kind == _TIFF_LONG:
            (numbers[tag],) = struct.unpack_from(f"{order}I", tiff, entry + 8)
    return numbers


def _webp_header(content: bytes) -> PictureHeader:
    name = content[12:16]
    if name == b"VP8X":
        first, second = content[24:27], content[27:30]
        width = int.from_bytes(first, "little") + 1
        height = int.from_bytes(second, "little") + 1
    elif name == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif name == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", content, 26))
    else:
        raise PictureUnreadableError("WebP file is damaged: it states no size")
    return PictureHeader(kind=PictureKind.WEBP, width_px=width, height_px=height)


def _bmp_header(content: bytes) -> PictureHeader:
    (header_bytes,) = struct.unpack_from("<I", content, 14)
    if header_bytes == _BMP_CORE_HEADER_BYTES:
        width, height = struct.unpack_from("<HH", content, 18)
    else:
        width, height = struct.unpack_from("<ii", content, 18)
    # A negative height says that the rows run downwards.
    return PictureHeader(kind=PictureKind.BMP, width_px=width, height_px=abs(height))
