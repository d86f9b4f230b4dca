# SPDX-License-Identifier: AGPL-3.0-or-later
"""Shapes of the glyphs on plates, as centre lines; they follow photographs of issued plates."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from models.datasets.synth.press.strokes import Hand, Stroke

BARE_ONE: Final = "|"
"""Stands for the digit 1 without a flag, as on military plates."""


def _zero(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    ring = hand.arc((r, r), (r, r), 180, 360) + hand.arc((r, h - r), (r, r), 0, 180)
    return [[*ring, ring[0]]]


def _one(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    flag = (0.28 * w, 0.17 * h) if hand.style.has_short_flag else (0.12 * w, 0.23 * h)
    return [[flag, (0.6 * w, 0.0), (0.6 * w, 1.08 * h)]]


def _bare_one(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(0.5 * w, -0.08 * h), (0.5 * w, 1.08 * h)]]


def _two(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    return [[*hand.arc((r, 0.27 * h), (r, 0.27 * h), 185, 395), (0.02 * w, h), (1.03 * w, h)]]


def _three(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    return [
        hand.arc((r, 0.24 * h), (0.95 * r, 0.24 * h), 190, 450),
        hand.arc((r, 0.74 * h), (r, 0.26 * h), 270, 530),
        [(0.36 * w, 0.48 * h), (0.55 * w, 0.48 * h)],
    ]


def _four(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    if hand.style.is_four_closed:
        return [
            [(0.72 * w, 1.08 * h), (0.72 * w, 0.0), (0.0, 0.73 * h), (1.08 * w, 0.73 * h)],
        ]
    return [
        [(0.52 * w, -0.05 * h), (0.0, 0.75 * h), (1.08 * w, 0.75 * h)],
        [(0.72 * w, 0.47 * h), (0.72 * w, 1.08 * h)],
    ]


def _five(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    bowl = hand.arc((r, 0.69 * h), (r, 0.31 * h), 222, 528)
    return [[(0.94 * w, 0.0), (0.09 * w, 0.0), (0.04 * w, 0.5 * h), *bowl[1:]]]


def _six(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r, bowl = w / 2, 0.3 * h
    ring = hand.ring((r, h - bowl), (r, bowl))
    if hand.style.has_straight_tails:
        return [[(0.66 * w, -0.04 * h), (0.04 * w, h - 1.15 * bowl)], ring]
    return [[*hand.arc((r, r), (r, r), 335, 180), (0.0, h - bowl)], ring]


def _nine(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(w - x, h - y) for x, y in stroke] for stroke in _six(hand)]


def _seven(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    if hand.style.is_seven_bent:
        leg = [(w, 0.12 * h), (0.72 * w, 0.38 * h), (0.5 * w, 0.68 * h), (0.4 * w, 1.08 * h)]
        return [[(0.0, 0.0), (w, 0.0), *leg]]
    return [[(0.0, 0.0), (w, 0.0), (0.36 * w, 1.08 * h)]]


def _eight(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    return [
        hand.ring((r, 0.24 * h), (0.93 * r, 0.24 * h)),
        hand.ring((r, 0.74 * h), (r, 0.26 * h)),
    ]


def _a(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    left, right = (-0.03 * w, 1.06 * h), (1.03 * w, 1.06 * h)
    point = [(w / 2, 0.0)]
    roof = point if hand.style.has_pointed_a else [(0.44 * w, 0.0), (0.56 * w, 0.0)]
    return [[left, *roof, right], [(0.14 * w, 0.72 * h), (0.86 * w, 0.72 * h)]]


def _b(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    rx = 0.45 * w
    upper = hand.arc((w - rx - 0.04 * w, 0.24 * h), (rx, 0.24 * h), 270, 450)
    lower = hand.arc((w - rx, 0.74 * h), (rx, 0.26 * h), 270, 450)
    return [
        [(0.0, 0.0), *upper, (0.0, 0.48 * h)],
        [(0.3 * w, 0.48 * h), *lower, (0.0, h), (0.0, 0.0), (0.2 * w, 0.0)],
    ]


def _c(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    top, bottom = hand.arc((r, r), (r, r), 360, 180), hand.arc((r, h - r), (r, r), 180, 0)
    return [[(w, 0.32 * h), *top, *bottom, (w, 0.68 * h)]]


def _d(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = 0.58 * w
    right = hand.arc((w - r, r), (r, r), 270, 360) + hand.arc((w - r, h - r), (r, r), 0, 90)
    return [[(0.0, 0.0), *right, (0.0, h), (0.0, 0.0), (0.2 * w, 0.0)]]


def _barred_d(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [*_d(hand), [(-0.28 * w, 0.5 * h), (0.45 * w, 0.5 * h)]]


def _e(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(w, 0.0), (0.0, 0.0), (0.0, h), (w, h)], [(0.0, 0.48 * h), (0.85 * w, 0.48 * h)]]


def _f(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(w, 0.0), (0.0, 0.0), (0.0, 1.08 * h)], [(0.0, 0.5 * h), (0.85 * w, 0.5 * h)]]


def _g(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    top, bottom = hand.arc((r, r), (r, r), 355, 180), hand.arc((r, h - r), (r, r), 180, 0)
    inner = 0.72 * w if hand.style.has_plain_g else 0.5 * w
    return [[*top, *bottom, (w, 0.55 * h), (inner, 0.55 * h)]]


def _h(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [
        [(0.0, -0.08 * h), (0.0, 1.08 * h)],
        [(w, -0.08 * h), (w, 1.08 * h)],
        [(0.0, 0.5 * h), (w, 0.5 * h)],
    ]


def _j(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    return [[(w, -0.08 * h), *hand.arc((r, h - r), (r, r), 0, 180)]]


def _k(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [
        [(0.0, -0.08 * h), (0.0, 1.08 * h)],
        [(1.02 * w, -0.07 * h), (0.05 * w, 0.62 * h)],
        [(0.4 * w, 0.4 * h), (1.06 * w, 1.07 * h)],
    ]


def _l(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(0.0, -0.08 * h), (0.0, h), (1.05 * w, h)]]


def _m(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    middle = (w / 2, hand.style.middle_of_m * h)
    return [[(0.0, 1.08 * h), (0.0, 0.0), middle, (w, 0.0), (w, 1.08 * h)]]


def _n(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(0.0, 1.08 * h), (0.0, 0.0), (w, h), (w, -0.08 * h)]]


def _p(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    rx = 0.46 * w
    bowl = hand.arc((w - rx, 0.265 * h), (rx, 0.265 * h), 270, 450)
    return [[(0.0, 0.53 * h), *bowl[::-1], (0.0, 0.0), (0.0, 1.08 * h)]]


def _q(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [*_zero(hand), [(0.5 * w, 0.72 * h), (1.0 * w, 1.06 * h)]]


def _r(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [*_p(hand), [(0.45 * w, 0.53 * h), (1.03 * w, 1.07 * h)]]


def _s(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    upper = hand.arc((r, 0.245 * h), (0.97 * r, 0.245 * h), 345, 90)
    lower = hand.arc((r, 0.745 * h), (r, 0.255 * h), 270, 525)
    return [upper + lower]


def _t(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(-0.05 * w, 0.0), (1.05 * w, 0.0)], [(w / 2, 0.0), (w / 2, 1.08 * h)]]


def _u(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    r = w / 2
    return [[(w, -0.08 * h), *hand.arc((r, h - r), (r, r), 0, 180), (0.0, -0.08 * h)]]


def _v(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(-0.03 * w, -0.06 * h), (0.45 * w, h), (0.55 * w, h), (1.03 * w, -0.06 * h)]]


def _w(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(0.0, -0.06 * h), (0.22 * w, h), (w / 2, 0.2 * h), (0.78 * w, h), (w, -0.06 * h)]]


def _x(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [
        [(-0.02 * w, -0.07 * h), (1.02 * w, 1.07 * h)],
        [(1.02 * w, -0.07 * h), (-0.02 * w, 1.07 * h)],
    ]


def _y(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [
        [(-0.03 * w, -0.07 * h), (w / 2, 0.54 * h), (1.03 * w, -0.07 * h)],
        [(w / 2, 0.54 * h), (w / 2, 1.08 * h)],
    ]


def _z(hand: Hand) -> list[Stroke]:
    w, h = hand.width, hand.height
    return [[(0.0, 0.0), (w, 0.0), (0.0, h), (1.02 * w, h)]]


SHAPES: Final[Mapping[str, Callable[[Hand], list[Stroke]]]] = MappingProxyType(
    {
        "0": _zero, "1": _one, "2": _two, "3": _three, "4": _four, "5": _five, "6": _six,
        "7": _seven, "8": _eight, "9": _nine, "A": _a, "B": _b, "C": _c, "D": _d, "E": _e,
        "F": _f, "G": _g, "H": _h, "I": _bare_one, "J": _j, "K": _k, "L": _l, "M": _m, "N": _n,
        "O": _zero, "P": _p, "Q": _q, "R": _r, "S": _s, "T": _t, "U": _u, "V": _v, "W": _w,
        "X": _x, "Y": _y, "Z": _z, "Đ": _barred_d, BARE_ONE: _bare_one,
    }
)  # fmt: skip
