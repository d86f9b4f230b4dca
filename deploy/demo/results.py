# SPDX-License-Identifier: AGPL-3.0-or-later
"""Compares what the database holds with what was shown: pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, hypot
from typing import Final
from uuid import UUID

from edge.errors import EXIT_INTERRUPTED, EXIT_OK
from models.datasets.synth.road.plan import VehicleTruth
from models.runtime.values import BoxPx

FRAMES_APART_MAX: Final = 2
"""Frames by which a passage may differ from the truth; a plate hardly moves in that time."""

WIDTHS_APART_MAX: Final = 1.0
"""Plate widths between a stored plate and the true one up to which they are the same plate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPassage:
    """A passage as the database holds it.

    Attributes:
        captured_at: Exposure of its best picture.
        last_seen_at: Exposure of the last frame in which it was seen before it was sent.
        plate_text: Empty when nothing was read.
        plate_box_px: Place of the plate in frame ``frame_index``; ``None`` without a plate.
        pictures_named: Pictures that it refers to.
        pictures_stored: How many of them have arrived.
    """

    id: UUID
    captured_at: datetime
    last_seen_at: datetime
    stored_at: datetime
    frame_index: int
    plate_text: str
    plate_confidence: float | None
    plate_box_px: BoxPx | None
    vehicle_class: str | None
    pictures_named: int
    pictures_stored: int

    @property
    def delay(self) -> timedelta:
        """From the exposure of its best picture to the committed row."""
        return self.stored_at - self.captured_at

    @property
    def delay_after_sight(self) -> timedelta:
        """From the last frame that told of it to the committed row."""
        return self.stored_at - self.last_seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLedger:
    """What the device made and what the centre holds, for one life of the outbox.

    Attributes:
        made: Numbers that the device has used.
        stored: Of these, how many the centre holds.
        missing: Numbers that the centre does not hold.
        waiting: Events that are still in the device's outbox, so not lost in any case.
        repeated: Messages that came again and were not stored again.
        quarantined: Messages that the centre could not use; kept, but no passage.
    """

    made: int
    stored: int
    missing: int
    waiting: int
    repeated: int
    quarantined: int

    @property
    def lost(self) -> int:
        """Events that neither the centre nor the device holds."""
        return max(0, self.missing - self.waiting)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleResult:
    """One shown vehicle and the passages that belong to it."""

    truth: VehicleTruth
    passages: tuple[StoredPassage, ...]

    @property
    def is_missing(self) -> bool:
        """Whether no passage was stored for it."""
        return not self.passages

    @property
    def is_doubled(self) -> bool:
        """Whether more than one passage was stored for it."""
        return len(self.passages) > 1

    @property
    def is_read_right(self) -> bool:
        """Whether every passage of it bears exactly its plate."""
        return bool(self.passages) and all(
            passage.plate_text == self.truth.plate_text for passage in self.passages
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was shown against what was stored.

    Attributes:
        vehicles: In the order in which they passed.
        strays: Passages that belong to no shown vehicle.
    """

    vehicles: tuple[VehicleResult, ...]
    strays: tuple[StoredPassage, ...]

    @property
    def missing_count(self) -> int:
        """Vehicles without a passage."""
        return sum(vehicle.is_missing for vehicle in self.vehicles)

    @property
    def doubled_count(self) -> int:
        """Vehicles with more than one passage."""
        return sum(vehicle.is_doubled for vehicle in self.vehicles)

    @property
    def right_count(self) -> int:
        """Vehicles whose plate was read exactly."""
        return sum(vehicle.is_read_right for vehicle in self.vehicles)


def compare(truth: Sequence[VehicleTruth], passages: Sequence[StoredPassage]) -> Comparison:
    """Give every passage to the vehicle whose plate was where the passage saw one.

    The text plays no part in it: a plate that was read wrongly still belongs to its vehicle.
    """
    owned: dict[int, list[StoredPassage]] = {vehicle.number: [] for vehicle in truth}
    strays: list[StoredPassage] = []
    for passage in passages:
        distances = [(distance_in_widths(vehicle, passage), vehicle.number) for vehicle in truth]
        nearest, number = min(distances, default=(None, 0), key=_or_far)
        if nearest is not None and nearest <= WIDTHS_APART_MAX:
            owned[number].append(passage)
        else:
            strays.append(passage)
    return Comparison(
        vehicles=tuple(
            VehicleResult(truth=vehicle, passages=tuple(owned[vehicle.number])) for vehicle in truth
        ),
        strays=tuple(strays),
    )


def distance_in_widths(vehicle: VehicleTruth, passage: StoredPassage) -> float | None:
    """Distance between a passage's plate and a vehicle's, in widths of the true plate.

    Returns:
        ``None`` when the vehicle's plate was not in the picture at that time.
    """
    box = passage.plate_box_px
    apart = [abs(sight.frame - passage.frame_index) for sight in vehicle.sights]
    if box is None or not apart or min(apart) > FRAMES_APART_MAX:
        return None
    true_box = vehicle.sights[apart.index(min(apart))].box_px
    (x, y), (true_x, true_y) = box.centre, true_box.centre
    return hypot(x - true_x, y - true_y) / true_box.width


def percentile_s(delays: Sequence[timedelta], share: float) -> float | None:
    """Smallest delay that a share of all delays does not exceed (nearest rank), in seconds.

    Args:
        delays: In any order.
        share: Above 0, at most 1.

    Returns:
        ``None`` without delays.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share lies above 0 and up to 1, got {share}")
    if not delays:
        return None
    return sorted(delays)[ceil(share * len(delays)) - 1].total_seconds()


def faults(ledger: EventLedger, comparison: Comparison | None, *, device_code: int) -> list[str]:
    """What went wrong, one sentence each; empty when nothing was lost and nothing doubled.

    Args:
        ledger: Events of the device against those of the centre.
        comparison: Vehicles against passages; ``None`` when there is no truth.
        device_code: Exit code of the device's program.
    """
    found = []
    if device_code == EXIT_INTERRUPTED:
        found.append("Playing was interrupted.")
    elif device_code != EXIT_OK:
        found.append(f"The device ended with code {device_code}.")
    if ledger.lost:
        found.append(f"{ledger.lost} of {ledger.made} events are lost.")
    if ledger.waiting:
        found.append(f"{ledger.waiting} events wait in the device and go out with the next run.")
    if ledger.quarantined:
        found.append(f"{ledger.quarantined} events are in quarantine.")
    if comparison is None:
        return found
    if comparison.missing_count:
        found.append(f"{_vehicles(comparison.missing_count)} passed without a passage.")
    if comparison.doubled_count:
        found.append(f"{_vehicles(comparison.doubled_count)} got more than one passage.")
    if comparison.strays:
        found.append(f"{len(comparison.strays)} passages belong to no vehicle that was shown.")
    return found


def _or_far(candidate: tuple[float | None, int]) -> float:
    distance, _ = candidate
    return float("inf") if distance is None else distance


def _vehicles(count: int) -> str:
    return "1 vehicle" if count == 1 else f"{count} vehicles"
