# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which vehicle bears a plate, and what on it looks like a plate but is none.

A gate counts vehicles by their plates, so a taxi's roof light or the number of a bus line would be
one more vehicle. That a thing can't be read is no reason to drop it: a covered or dirty plate can't
be read either, and its vehicle has to be told. A thing is lettering only when the real plate is
seen on the same vehicle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from edge.pipeline.geometry import BORDER_MARGIN_PX, area, contains_centre, shifted
from edge.pipeline.ports import ObjectDetector
from models.runtime.values import BgrImage, BoxPx, Detection

BEARER_CONFIDENCE_MIN: Final = 0.25
"""A gate vehicle below this is not believed. Higher leaves more passages without a class, and more
roof lights that count as vehicles."""
SEEN_WITHIN_S: Final = 0.75
"""Time between a look at lettering and a look at its vehicle's plate: often one is out of the
picture while the other is in it. Higher finds more, and may take the next vehicle's plate."""
CUT_SHARE: Final = 0.5
"""Share of its seen size by which a vehicle may go on beyond the picture's border. Higher finds
plates that are farther outside, and the next vehicle's."""
STEPS_KEPT: Final = 8
"""Last steps that tell the speed. More smooths, fewer follow turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was at one moment."""

    seen_at: datetime
    box_px: BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A place and the whole picture around it."""

    place: Place
    image: BgrImage


def velocity_px_s(places: Sequence[Place]) -> tuple[float, float]:
    """How fast something went from the first place to the last, right and down; zero in no time."""
    if not places:
        return 0.0, 0.0
    first, last = places[0], places[-1]
    gone_s = (last.seen_at - first.seen_at).total_seconds()
    if gone_s <= 0:
        return 0.0, 0.0
    (x_px, y_px), (first_x_px, first_y_px) = last.box_px.centre, first.box_px.centre
    return (x_px - first_x_px) / gone_s, (y_px - first_y_px) / gone_s


def bearer_of(box_px: BoxPx, vehicles: Sequence[Detection]) -> Detection | None:
    """The vehicle that a plate is on; ``None`` when no believable one is around it."""
    around = [
        vehicle
        for vehicle in vehicles
        if vehicle.confidence >= BEARER_CONFIDENCE_MIN and contains_centre(vehicle.box_px, box_px)
    ]
    # A motorcycle before a bus lies in both boxes: the plate is the nearer one's.
    return min(around, key=lambda vehicle: area(vehicle.box_px), default=None)


def is_lettering(
    glimpses: Sequence[Glimpse], plates: Sequence[Sequence[Place]], *, vehicles: ObjectDetector
) -> bool:
    """Whether something that can't be read is no plate, but on a vehicle whose plate was read.

    It must hang in the upper half of what is seen of its vehicle, where no plate is, and the plate
    below, on the same vehicle. Halves keep a car with a covered plate from being taken for a part
    of the next car in the queue, whose plate soon is where the covered one was.

    Args:
        glimpses: Looks at the thing.
        plates: Places of each plate that was read, oldest first.
        vehicles: Finds vehicles; asked only when a plate was seen near in time.
    """
    for glimpse in glimpses:
        expected = (_expected(places, glimpse.place.seen_at) for places in plates)
        near = [box_px for box_px in expected if box_px is not None]
        if near and _shares_bearer(glimpse, near, vehicles.detect(glimpse.image)):
            return True
    return False


def _shares_bearer(glimpse: Glimpse, plates: Sequence[BoxPx], found: Sequence[Detection]) -> bool:
    """Whether one of the plates is low on the vehicle that the thing is high on."""
    height, width = glimpse.image.shape[:2]
    wholes = [_whole(vehicle, width_px=width, height_px=height) for vehicle in found]
    bearer = bearer_of(glimpse.place.box_px, wholes)
    if bearer is None:
        return False
    _, middle_px = bearer.box_px.clipped(width=width, height=height).centre
    _, thing_px = glimpse.place.box_px.centre
    return thing_px < middle_px and any(
        plate.centre[1] > middle_px and bearer_of(plate, wholes) is bearer for plate in plates
    )


def _whole(vehicle: Detection, *, width_px: int, height_px: int) -> Detection:
    """The vehicle with what the picture's border cuts off; its plate may be there."""
    box, margin = vehicle.box_px, BORDER_MARGIN_PX
    right, bottom = width_px - margin, height_px - margin
    whole = BoxPx(
        x_min=box.x_min - (CUT_SHARE * box.width if box.x_min <= margin else 0),
        y_min=box.y_min - (CUT_SHARE * box.height if box.y_min <= margin else 0),
        x_max=box.x_max + (CUT_SHARE * box.width if box.x_max >= right else 0),
        y_max=box.y_max + (CUT_SHARE * box.height if box.y_max >= bottom else 0),
    )
    return replace(vehicle, box_px=whole)


def _expected(places: Sequence[Place], moment: datetime) -> BoxPx | None:
    """Where a plate was at a moment, by how it went before or after; ``None`` when unknown."""

    def apart_s(index: int) -> float:
        return abs((places[index].seen_at - moment).total_seconds())

    nearest = min(range(len(places)), key=apart_s, default=None)
    if nearest is None or apart_s(nearest) > SEEN_WITHIN_S:
        return None
    lately = places[max(0, nearest - STEPS_KEPT + 1) : nearest + STEPS_KEPT]
    place = places[nearest]
    x_speed, y_speed = velocity_px_s(lately)
    gone_s = (moment - place.seen_at).total_seconds()
    return shifted(place.box_px, x_px=gone_s * x_speed, y_px=gone_s * y_speed)
