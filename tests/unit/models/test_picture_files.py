# SPDX-License-Identifier: AGPL-3.0-or-later
import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from models.errors import PictureUnreadableError
from models.reading.picture_files import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    WHOLE_PIXELS_MAX,
    decode_picture,
    read_picture,
)
from models.reading.picture_header import read_header
from models.runtime.values import BgrImage

WIDTH, HEIGHT = 60, 40
QUARTERS_RGB = ((250, 10, 10), (10, 250, 10), (10, 10, 250), (10, 10, 10))
"""Upper left, upper right, lower left, lower right."""
EXIF_ORIENTATION = 274
TOLERANCE = 8


def quartered() -> Image.Image:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    halves = (slice(None, HEIGHT // 2), slice(HEIGHT // 2, None))
    for index, colour in enumerate(QUARTERS_RGB):
        half = slice(None, WIDTH // 2) if index % 2 == 0 else slice(WIDTH // 2, None)
        pixels[halves[index // 2], half] = colour
    return Image.fromarray(pixels)


def encoded(picture: Image.Image, kind: str, *, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    if orientation != 1:
        exif[EXIF_ORIENTATION] = orientation
    file = io.BytesIO()
    options = {"quality": 95} if kind in {"JPEG", "WEBP"} else {}
    picture.save(file, kind, exif=exif, **options)
    return file.getvalue()


def quarters_bgr(image: BgrImage) -> list[tuple[int, ...]]:
    height, width = image.shape[:2]
    places = [(y, x) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [tuple(int(value) for value in image[y, x]) for y, x in places]


def assert_same_quarters(image: BgrImage, expected: Image.Image) -> None:
    wanted = quarters_bgr(np.asarray(expected.convert("RGB"), np.uint8)[:, :, ::-1])
    assert image.shape[:2] == (expected.height, expected.width)
    assert np.abs(np.subtract(quarters_bgr(image), wanted)).max() <= TOLERANCE


def declared_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(b"")),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_every_kind_gives_the_same_colours(kind: str) -> None:
    picture = decode_picture(encoded(quartered(), kind))

    assert_same_quarters(picture.image, quartered())
    assert (picture.width_px, picture.height_px, picture.shrunk_by) == (WIDTH, HEIGHT, 1)
    assert picture.image.dtype == np.uint8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_comes_upright_and_states_its_size_as_displayed(
    kind: str, orientation: int
) -> None:
    content = encoded(quartered(), kind, orientation=orientation)

    picture = decode_picture(content)

    displayed = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert_same_quarters(picture.image, displayed)
    assert (picture.width_px, picture.height_px) == displayed.size


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "JPEG"), ("L", "PNG"), ("1", "PNG"), ("P", "PNG"), ("LA", "PNG"), ("RGBA", "PNG"),
        ("RGBA", "WEBP"), ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("L", "TIFF"), ("P", "GIF"),
    ],
)  # fmt: skip
def test_grey_indexed_transparent_and_printing_pictures_become_colour(mode: str, kind: str) -> None:
    source = quartered().convert(mode)

    picture = decode_picture(encoded(source, kind))

    assert picture.image.shape == (HEIGHT, WIDTH, 3)
    assert_same_quarters(picture.image, source)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("used_bits", [10, 12, 16])
def test_sixteen_bits_come_out_bright_whatever_the_camera_uses_of_them(
    suffix: str, used_bits: int
) -> None:
    ramp = np.linspace(0, 2**used_bits - 1, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    deep = ramp.astype(np.uint16)
    assert deep.max().item().bit_length() == used_bits

    picture = decode_picture(cv2.imencode(suffix, deep)[1].tobytes())

    assert picture.image.max() == 255
    assert np.abs(picture.image[:, :, 0] - ramp / 2 ** (used_bits - 8)).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_a_picture_of_one_pixel_is_a_picture(kind: str) -> None:
    picture = decode_picture(encoded(Image.new("RGB", (1, 1), (200, 200, 200)), kind))

    assert picture.image.shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_a_moving_picture_gives_its_first_frame(kind: str) -> None:
    file = io.BytesIO()
    second = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    quartered().save(file, kind, save_all=True, append_images=[second])

    picture = decode_picture(file.getvalue())

    assert_same_quarters(picture.image, quartered())


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photograph_of_a_hundred_megapixels_is_shrunk_and_says_by_how_much(
    orientation: int,
) -> None:
    width, height = 12_000, 9_000
    assert width * height > WHOLE_PIXELS_MAX
    large = np.zeros((height, width, 3), np.uint8)
    large[: height // 2, : width // 2] = (10, 10, 250)
    exif = encoded(quartered(), "JPEG", orientation=orientation)
    jpeg = cv2.imencode(".jpg", large)[1].tobytes()
    # The Exif segment of a small picture, put behind the large one's first marker.
    start = exif.find(b"\xff\xe1")
    length = struct.unpack_from(">H", exif, start + 2)[0] + 2 if start > 0 else 0
    content = jpeg[:2] + exif[start : start + length] + jpeg[2:]

    picture = decode_picture(content)

    displayed = (width, height) if orientation == 1 else (height, width)
    red_x = picture.image.shape[1] // 4 * (1 if orientation == 1 else 3)
    assert (picture.width_px, picture.height_px, picture.shrunk_by) == (*displayed, 2)
    assert picture.image.shape[:2] == (displayed[1] // 2, displayed[0] // 2)
    assert picture.image[picture.image.shape[0] // 4, red_x, 2] > 200


def test_a_very_long_picture_is_shrunk_to_what_the_models_take() -> None:
    picture = decode_picture(cv2.imencode(".png", np.zeros((20, 40_000), np.uint8))[1].tobytes())

    assert (picture.width_px, picture.height_px, picture.shrunk_by) == (40_000, 20, 4)
    assert picture.image.shape == (5, 10_000, 3)


@pytest.mark.parametrize(
    ("width", "height"), [(100_000, 100_000), (2**31 - 1, 2), (13_000, 12_500)]
)
def test_a_file_that_declares_a_huge_picture_is_refused_before_it_is_decoded(
    width: int, height: int
) -> None:
    content = declared_png(width, height)
    assert width * height > MAX_PIXELS
    assert len(content) < 100

    with pytest.raises(PictureUnreadableError, match=f"{width} x {height} is .* megapixels"):
        decode_picture(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_file_that_is_cut_short_is_refused_in_words(kind: str, share: float) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    content = encoded(Image.fromarray(noise), kind)

    with pytest.raises(PictureUnreadableError, match=rf"{kind}|no picture".replace("WEBP", "WebP")):
        decode_picture(content[: max(4, int(len(content) * share))])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"\x00" * 400, "no picture of a known kind"),
        (b"%PDF-1.7 a scanned paper", "no picture of a known kind"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "HEIC"),
        (b"\xff\xd8\xff\xd9", "JPEG file is damaged"),
        (b"\xff\xd8\xff\xe0", "JPEG file is cut short"),
        (b"RIFF\x00\x00\x00\x00WEBPnone" + b"\x00" * 20, "WebP file is damaged"),
        (declared_png(0, 10), "without pixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PictureUnreadableError, match=reason):
        decode_picture(content)


def test_floating_point_pictures_are_refused() -> None:
    content = cv2.imencode(".tiff", np.ones((4, 4), np.float32))[1].tobytes()

    with pytest.raises(PictureUnreadableError, match="TIFF"):
        decode_picture(content)


def test_a_folder_a_pipe_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)

    for path, reason in (
        (tmp_path, "not a file"),
        (pipe, "not a file"),
        (tmp_path / "absent.jpg", "No such file"),
    ):
        with pytest.raises(PictureUnreadableError, match=reason):
            read_picture(path)


def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)

    with pytest.raises(PictureUnreadableError, match="MB"):
        read_picture(path)


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"]))
def test_any_damage_to_a_header_is_an_error_in_words_or_a_size(damage: bytes, kind: str) -> None:
    content = encoded(Image.new("RGB", (8, 8)), kind)
    damaged = content[:8] + damage + content[8 + len(damage) :]

    try:
        header = read_header(damaged)
    except PictureUnreadableError:
        return

    assert header.width_px >= 1
    assert header.height_px >= 1
