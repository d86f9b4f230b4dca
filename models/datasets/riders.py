# SPDX-License-Identifier: AGPL-3.0-or-later
"""One meaning of a motorcycle's box, whatever source it comes from.

The Vietnamese camera boxes a motorcycle together with who rides it, the road
photos box the machine and the person each alone. A detector that learns from
both as they are learns neither; here the rider joins the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.datasets.pool import LabelledBox

MOTORCYCLE_CLASS: Final = 1
PERSON_CLASS: Final = 5
MIN_SHARE_ON_MACHINE: Final = 0.2
_SIDEWARD_TOLERANCE: Final = 0.15
_EDGE_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """A box by its sides, as shares of the picture."""

    left: float
    top: float
    right: float
    bottom: float


def with_riders(boxes: Sequence[LabelledBox]) -> tuple[LabelledBox, ...]:
    """Widen every motorcycle's box to the persons on it.

    A person rides the motorcycle that covers the most of them, if it covers
    at least ``MIN_SHARE_ON_MACHINE`` of them and their middle is above it.
    Raising that share leaves pillion riders out, lowering it takes passers-by
    in.

    Args:
        boxes: Boxes of one picture, in the pool's own class numbers.

    Returns:
        The same boxes in their order; only motorcycles may have grown.
    """
    sides = [_sides(box) for box in boxes]
    machines = [i for i, box in enumerate(boxes) if box.class_id == MOTORCYCLE_CLASS]
    joined = {index: sides[index] for index in machines}
    for index, box in enumerate(boxes):
        if box.class_id != PERSON_CLASS:
            continue
        shares = {one: _share_on(sides[index], sides[one]) for one in machines}
        best = max(shares, key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= MIN_SHARE_ON_MACHINE:
            joined[best] = _union(joined[best], sides[index])
    grown = {index for index in machines if joined[index] != sides[index]}
    return tuple(
        _box(box.class_id, joined[index]) if index in grown else box
        for index, box in enumerate(boxes)
    )


def _sides(box: LabelledBox) -> _Sides:
    return _Sides(
        left=box.centre_x - box.width / 2,
        top=box.centre_y - box.height / 2,
        right=box.centre_x + box.width / 2,
        bottom=box.centre_y + box.height / 2,
    )


def _box(class_id: int, sides: _Sides) -> LabelledBox:
    return LabelledBox(
        class_id=class_id,
        centre_x=(sides.left + sides.right) / 2,
        centre_y=(sides.top + sides.bottom) / 2,
        width=sides.right - sides.left,
        height=sides.bottom - sides.top,
    )


def _union(first: _Sides, second: _Sides) -> _Sides:
    return _Sides(
        left=min(first.left, second.left),
        top=min(first.top, second.top),
        right=max(first.right, second.right),
        bottom=max(first.bottom, second.bottom),
    )


def _share_on(person: _Sides, machine: _Sides) -> float:
    """Share of a person's box on a machine's; 0 for somebody beside it."""
    tolerance = _SIDEWARD_TOLERANCE * (machine.right - machine.left)
    middle = (person.left + person.right) / 2
    if not machine.left - tolerance <= middle <= machine.right + tolerance:
        return 0.0
    width = min(person.right, machine.right) - max(person.left, machine.left)
    height = min(person.bottom, machine.bottom) - max(person.top, machine.top)
    area = (person.right - person.left) * (person.bottom - person.top)
    if width <= 0 or height <= 0 or area <= _EDGE_ROUNDING:
        return 0.0
    return width * height / area
