# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lettering, road signs and parts of vehicles that a plate detector takes for plates."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.synth.decoys.writing import filled_in, write
from models.runtime.values import BgrImage

_WORDS: Final = (
    "HYUNDAI", "ISUZU", "TRUONG HAI", "HINO", "SUZUKI", "VISION", "WAVE ALPHA", "SIRIUS", "DREAM",
    "CONTAINER", "XE BAN TAI", "STOP", "TAXI", "GRAB", "BUS", "POLICE", "DIESEL", "TURBO", "4X4",
    "CRDI", "ABS", "SALE OFF", "COM PHO", "SUA XE", "RUA XE", "HOTEL", "BANK", "VINA", "EXCITER",
    "GIAO HANG", "NHA NGHI", "KARAOKE", "CAFE", "PHO BO", "THANH CONG", "KIA MORNING", "TOYOTA",
    "HONDA", "YAMAHA", "FORD RANGER", "CAM DO XE", "XUAT KHAU", "LUXURY", "SPORT", "TRUONG THANH",
)  # fmt: skip
_NUMBERS: Final = (
    "0999 999 999", "099.9999.999", "1900 9999", "TEL: 0999999999", "024 9999 9999", "999.000 D",
    "99-99", "No. 999", "99 CHO", "99.9 T", "99999 KG", "99:99", "999/9", "L=99m", "SDT 0999999",
)  # fmt: skip
_SIGN_NUMBERS: Final = ("40", "50", "60", "80", "90", "120", "5T", "10T", "3.2m", "STOP")
_EVEN_ODDS: Final = 0.5


def _colour(rng: Generator) -> tuple[int, int, int]:
    vividness = float(rng.random())
    grey = float(rng.uniform(10, 245))
    mixed = grey + (rng.uniform(0, 255, 3) - grey) * vividness
    blue, green, red = mixed.astype(int).tolist()
    return blue, green, red


def _panel(rng: Generator, *, aspect: tuple[float, float]) -> BgrImage:
    """A plain or shaded sheet of any colour."""
    height = int(rng.integers(70, 130))
    width = round(height * float(rng.uniform(*aspect)))
    image = np.full((height, width, 3), _colour(rng), np.uint8)
    if rng.random() < _EVEN_ODDS:
        light = rng.uniform(0.5, 1.0, (2, 3)).astype(np.float32)
        field = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
        image = (image * field[..., None]).astype(np.uint8)
    return image


def _ink_on(image: BgrImage) -> tuple[int, int, int]:
    """Black or white, whichever can be read."""
    return (20, 20, 20) if image.mean() > 118 else (240, 240, 240)  # noqa: PLR2004 -- mid grey


def lettering(rng: Generator) -> BgrImage:
    """Names, shop signs and telephone numbers, in one or two lines."""
    image = _panel(rng, aspect=(1.3, 5.5))
    height, width = image.shape[:2]
    ink = _ink_on(image) if rng.random() < 0.7 else _colour(rng)  # noqa: PLR2004 -- share
    count = 1 if width > 3 * height else int(rng.integers(1, 4))
    for row in range(count):
        texts = _NUMBERS if rng.random() < 0.4 else _WORDS  # noqa: PLR2004 -- share of numbers
        pattern = texts[int(rng.integers(len(texts)))]
        text = filled_in(pattern, rng) if texts is _NUMBERS else pattern
        top, share = row / count + 0.14 / count, 0.72 / count * float(rng.uniform(0.7, 1.0))
        box = (round(0.04 * width), round(top * height), round(0.92 * width), round(share * height))
        write(image, text, rng, box_px=box, colour=ink)
    return image


def sign(rng: Generator) -> BgrImage:
    """A speed limit, a warning or a direction."""
    side = int(rng.integers(90, 130))
    image = np.full((side, side, 3), _colour(rng), np.uint8)
    middle = (side // 2, side // 2)
    kind = int(rng.integers(3))
    if kind == 0:
        cv2.circle(image, middle, side // 2 - 3, (40, 35, 205), -1, cv2.LINE_AA)
        cv2.circle(image, middle, round(side * 0.36), (240, 240, 240), -1, cv2.LINE_AA)
    elif kind == 1:
        corners = np.array([[side // 2, 4], [side - 4, side - 8], [4, side - 8]])
        cv2.fillConvexPoly(image, corners, (20, 200, 245), cv2.LINE_AA)
        cv2.polylines(image, [corners], isClosed=True, color=(40, 35, 205), thickness=side // 14)
    else:
        image[4:-4, 4:-4] = (165, 80, 20) if rng.random() < _EVEN_ODDS else (70, 120, 20)
        end = (side // 2, side // 5)
        cv2.arrowedLine(image, (side // 2, side - 12), end, (240,) * 3, side // 12, tipLength=0.4)
    if kind == 0 or rng.random() < _EVEN_ODDS:
        text = _SIGN_NUMBERS[int(rng.integers(len(_SIGN_NUMBERS)))]
        box = (round(side * 0.24), round(side * 0.34), round(side * 0.52), round(side * 0.32))
        write(image, text, rng, box_px=box, colour=(20, 20, 20))
    return image


def grille(rng: Generator) -> BgrImage:
    """Bars of a radiator, of a fence or of a vent, now and then with a badge."""
    image = _panel(rng, aspect=(1.2, 4.8))
    height, width = image.shape[:2]
    pitch = int(rng.integers(6, 26))
    shade = _colour(rng) if rng.random() < _EVEN_ODDS else (int(rng.integers(256)),) * 3
    thickness = max(1, round(pitch * float(rng.uniform(0.2, 0.7))))
    if rng.random() < 0.7:  # noqa: PLR2004 -- most bars lie
        for y in range(0, height, pitch):
            cv2.line(image, (0, y), (width, y), shade, thickness)
    if rng.random() < _EVEN_ODDS:
        for x in range(0, width, pitch):
            cv2.line(image, (x, 0), (x, height), shade, thickness)
    if rng.random() < 0.4:  # noqa: PLR2004 -- share with a badge
        axes = (width // int(rng.integers(5, 12)), height // int(rng.integers(3, 6)))
        cv2.ellipse(image, (width // 2, height // 2), axes, 0, 0, 360, (200, 200, 205), -1)
        cv2.ellipse(image, (width // 2, height // 2), axes, 0, 0, 360, (60, 60, 60), 2)
    return image


def lamp(rng: Generator) -> BgrImage:
    """A headlight, a tail lamp or a reflector, with ribs and a glow."""
    image = _panel(rng, aspect=(1.0, 4.0))
    height, width = image.shape[:2]
    glass = ((40, 30, int(rng.integers(120, 256))), (230, 235, 240), (30, 140, 250))
    colour = glass[int(rng.integers(3))]
    inset = int(rng.integers(2, 14))
    if rng.random() < _EVEN_ODDS:
        cv2.rectangle(image, (inset, inset), (width - inset, height - inset), colour, -1)
    else:
        axes = (width // 2 - inset, height // 2 - inset)
        cv2.ellipse(image, (width // 2, height // 2), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
    rib = tuple(int(v * 0.75) for v in colour)
    for x in range(0, width, int(rng.integers(5, 30))):
        cv2.line(image, (x, 0), (x, height), rib, 1)
    centre = (int(rng.integers(width)), int(rng.integers(height)))
    cv2.circle(image, centre, height // int(rng.integers(3, 9)), (250, 252, 255), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 4))), np.uint8)


def blank(rng: Generator) -> BgrImage:
    """A rectangle in a plate's colours without a text: a sticker, a holder, a covered plate."""
    colours = ((238, 240, 240), (25, 190, 245), (160, 80, 20), (40, 35, 195), (190, 190, 195))
    image = _panel(rng, aspect=(1.2, 4.9))
    height, width = image.shape[:2]
    if rng.random() < 0.7:  # noqa: PLR2004 -- most have a plate's colours
        image[:] = colours[int(rng.integers(len(colours)))]
    frame = int(rng.integers(1, 6))
    cv2.rectangle(image, (3, 3), (width - 4, height - 4), (50, 50, 50), frame, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 5))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(image, centre, int(rng.integers(2, 9)), _colour(rng), -1, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 3))):
        start, end = rng.integers(width, size=2).tolist()
        cv2.line(image, (start, 0), (end, height), _colour(rng), int(rng.integers(1, 5)))
    return image


def patches(rng: Generator) -> BgrImage:
    """Soft or hard patches of anything: bodywork, road, leaves, cloth."""
    rows, columns = rng.integers(2, 30, size=2).tolist()
    coarse = rng.random((rows, columns, 3), dtype=np.float32) * np.float32(255)
    if rng.random() < 0.7:  # noqa: PLR2004 -- most things have about one colour
        share = np.float32(rng.uniform(0.1, 0.5))
        coarse = coarse * share + rng.uniform(0, 180, 3).astype(np.float32)
    mode = cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_NEAREST  # noqa: PLR2004 -- share
    size = (int(rng.integers(90, 300)), int(rng.integers(60, 130)))
    picture = cv2.resize(coarse, size, interpolation=mode)
    return np.clip(picture, 0, 255).astype(np.uint8)


OBJECT_MAKERS: Final[tuple[tuple[Callable[[Generator], BgrImage], float], ...]] = (
    (lettering, 0.4),
    (sign, 0.1),
    (grille, 0.14),
    (lamp, 0.12),
    (blank, 0.12),
    (patches, 0.12),
)
"""What is drawn, with its share; the shares add up to 1."""
