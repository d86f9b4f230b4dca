# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which vehicle bears a plate, and what on it looks like a plate but is none.

A gate counts vehicles by their plates, so a taxi's roof light or the number of a bus line would be
one more vehicle. That a thing can't be read is no reason to drop it: a covered or dirty plate can't
be read either, and its vehicle has to be told. A thing is lettering only when the real plate is
seen on the same vehicle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.pipeline.geometry import area, contains_centre
from edge.pipeline.ports import ObjectDetector
from models.runtime.values import BgrImage, BoxPx, Detection

BEARER_CONFIDENCE_MIN: Final = 0.25
"""A gate vehicle below this is not believed. Higher leaves more passages without a class, and more
roof lights that count as vehicles."""
SEEN_WITHIN_S: Final = 1.0
"""Time between a look at lettering and a look at its vehicle's plate: often one is out of the
picture while the other is in it. Higher compares with where the vehicle was long ago."""


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
    below it on the same vehicle. The first keeps a car with a covered plate from being taken for a
    part of the next car in the queue, whose plate soon is where the covered one was.

    Args:
        glimpses: Looks at the thing.
        plates: Places of each plate that was read, in any order.
        vehicles: Finds vehicles; asked only when a plate was seen near in time.
    """
    for glimpse in glimpses:
        nearest = (_nearest(places, glimpse.place) for places in plates)
        near = [place for place in nearest if place is not None]
        if not near:
            continue
        found = vehicles.detect(glimpse.image)
        bearer = bearer_of(glimpse.place.box_px, found)
        if bearer is not None and any(
            _hangs_above(glimpse.place.box_px, place.box_px, on_px=bearer.box_px)
            and bearer_of(place.box_px, found) is bearer
            for place in near
        ):
            return True
    return False


def _nearest(places: Sequence[Place], to: Place) -> Place | None:
    """The place nearest in time; ``None`` when even that was seen too long before or after."""

    def apart_s(place: Place) -> float:
        return abs((place.seen_at - to.seen_at).total_seconds())

    nearest = min(places, key=apart_s, default=None)
    return None if nearest is None or apart_s(nearest) > SEEN_WITHIN_S else nearest


def _hangs_above(thing_px: BoxPx, plate_px: BoxPx, *, on_px: BoxPx) -> bool:
    """Whether a thing is in a vehicle's upper half, and the plate below it."""
    _, y_px = thing_px.centre
    return y_px < on_px.centre[1] and y_px < plate_px.centre[1]
