# SPDX-License-Identifier: AGPL-3.0-or-later
"""A passage as the message that the centre gets, and as a line of an events file."""

import json
from dataclasses import dataclass
from uuid import UUID

from central.contracts.evidence_notice import EvidenceNoticeV1
from central.contracts.passage import (
    MAX_ALTERNATIVES,
    BoxV1,
    EvidenceKind,
    EvidenceRefV1,
    ModelDigestV1,
    PassageV1,
    PlateAlternativeV1,
    PlateColour,
    PlateLayout,
    PlateReadV1,
    VehicleClass,
)
from central.contracts.tag_read import MAX_READS, TagReadV1
from central.contracts.traffic_minute import MINUTE, TrafficMinuteV1
from edge.app.minutes import CameraMinute
from edge.app.plans import CameraPlan
from edge.outbox.types import LostPicture, OutboxSlot
from edge.settings import DeviceSettings
from edge.stages import Passage, TagRead
from models.runtime.values import BoxPx, PlateReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends, in this life of the process."""

    device_id: str
    site_id: str
    boot_id: UUID
    models: tuple[ModelDigestV1, ...]


def passage_message(
    passage: Passage, *, plan: CameraPlan, sender: Sender, slot: OutboxSlot, event_id: UUID
) -> PassageV1:
    """The message for a passage in its place of the outbox.

    Args:
        passage: What was seen.
        plan: Camera that saw it.
        sender: This device.
        slot: Number in the outbox.
        event_id: Identity of the event, the same for every attempt to store it.
    """
    vehicle = passage.vehicle_class
    return PassageV1(
        id=event_id,
        device_id=sender.device_id,
        outbox_id=slot.outbox_id,
        boot_id=sender.boot_id,
        seq=slot.seq,
        site_id=sender.site_id,
        camera_id=passage.camera_id,
        lane=plan.lane,
        direction=passage.direction,
        captured_at=passage.captured_at,
        first_seen_at=passage.first_seen_at,
        last_seen_at=passage.last_seen_at,
        clock_source=plan.clock_source,
        clock_error_ms=plan.clock_error_ms,
        frame_index=passage.frame_index,
        frame_width_px=passage.frame_width_px,
        frame_height_px=passage.frame_height_px,
        vehicle_class=None if vehicle is None else VehicleClass(vehicle.value),
        vehicle_confidence=None if vehicle is None else passage.vehicle_confidence,
        vehicle_box=_box(passage.vehicle_box_px),
        plate=_plate(passage),
        models=sender.models,
        evidence=tuple(
            EvidenceRefV1(
                kind=EvidenceKind(picture.kind),
                sha256=picture.sha256,
                size_bytes=len(picture.jpeg),
            )
            for picture in passage.evidence
        ),
    )


def tag_read_message(
    tag_read: TagRead, *, device: DeviceSettings, sender: Sender, slot: OutboxSlot, event_id: UUID
) -> TagReadV1:
    """The message for a tag read in its place of the outbox.

    Args:
        tag_read: What was heard.
        device: Tells where the device's time comes from.
        sender: This device.
        slot: Number in the outbox.
        event_id: Identity of the event, the same for every attempt to store it.
    """
    return TagReadV1(
        id=event_id,
        device_id=sender.device_id,
        outbox_id=slot.outbox_id,
        boot_id=sender.boot_id,
        seq=slot.seq,
        site_id=sender.site_id,
        reader_id=tag_read.reader_id,
        lane=tag_read.lane,
        epc=tag_read.epc,
        antenna=tag_read.antenna,
        rssi_dbm=tag_read.rssi_dbm,
        reads=min(tag_read.reads, MAX_READS),
        captured_at=tag_read.captured_at,
        first_seen_at=tag_read.first_seen_at,
        last_seen_at=tag_read.last_seen_at,
        clock_source=device.clock_source,
        clock_error_ms=device.clock_error_ms,
    )


def traffic_minute_message(
    minute: CameraMinute, slot: OutboxSlot, *, sender: Sender, event_id: UUID
) -> TrafficMinuteV1:
    """The message for one minute of one camera in its place of the outbox.

    Args:
        minute: What was counted.
        slot: Number in the outbox.
        sender: This device.
        event_id: Identity of the event, the same for every attempt to store it.
    """
    return TrafficMinuteV1(
        id=event_id,
        device_id=sender.device_id,
        outbox_id=slot.outbox_id,
        boot_id=sender.boot_id,
        seq=slot.seq,
        site_id=sender.site_id,
        camera_id=minute.plan.camera_id,
        lane=minute.plan.lane,
        captured_at=minute.minute_at + MINUTE,
        minute_at=minute.minute_at,
        clock_source=minute.plan.clock_source,
        clock_error_ms=minute.plan.clock_error_ms,
        frames_analysed=minute.frames_analysed,
        frames_dropped=minute.frames_dropped,
        counts=minute.counts,
    )


def evidence_notice_message(
    lost: LostPicture,
    slot: OutboxSlot,
    *,
    device: DeviceSettings,
    sender: Sender,
    event_id: UUID,
) -> EvidenceNoticeV1:
    """The message about a picture that was given up in its place of the outbox.

    Args:
        lost: The picture.
        slot: Number in the outbox.
        device: Tells where the device's time comes from.
        sender: This device.
        event_id: Identity of the notice.
    """
    return EvidenceNoticeV1(
        id=event_id,
        device_id=sender.device_id,
        outbox_id=slot.outbox_id,
        boot_id=sender.boot_id,
        seq=slot.seq,
        site_id=sender.site_id,
        captured_at=lost.given_up_at,
        clock_source=device.clock_source,
        clock_error_ms=device.clock_error_ms,
        event_id=lost.event_id,
        sha256=lost.sha256,
        fate=lost.fate,
    )


def event_line(passage: Passage) -> str:
    """One JSON object on one line, as ``--events`` writes it."""
    box_px = passage.vehicle_box_px or passage.plate_box_px
    plate = passage.plate
    return json.dumps(
        {
            "frame": passage.frame_index,
            "time": passage.captured_at.isoformat(),
            "direction": passage.direction.value,
            "class": None if passage.vehicle_class is None else passage.vehicle_class.value,
            "plate": None if plate is None else plate.text,
            "probability": None if plate is None else round(plate.confidence, 4),
            "box": _corners(box_px),
            "plate_box": _corners(passage.plate_box_px),
            "camera": passage.camera_id,
            "first_seen": passage.first_seen_at.isoformat(),
            "last_seen": passage.last_seen_at.isoformat(),
            "plate_frames": passage.plate_frames,
        },
        ensure_ascii=False,
    )


def _plate(passage: Passage) -> PlateReadV1 | None:
    reading: PlateReading | None = passage.plate
    box = _box(passage.plate_box_px)
    if reading is None or box is None:
        return None
    return PlateReadV1(
        raw_text=reading.raw_text,
        text=reading.text,
        char_confidences=reading.char_confidences,
        confidence=reading.confidence,
        is_legal=reading.is_legal,
        alternatives=tuple(
            PlateAlternativeV1(text=other.text, confidence=other.confidence)
            for other in reading.alternatives[:MAX_ALTERNATIVES]
        ),
        layout=PlateLayout(reading.layout.value),
        colour=PlateColour(reading.colour.value),
        frames_read=max(1, passage.plate_frames),
        box=box,
    )


def _box(box_px: BoxPx | None) -> BoxV1 | None:
    """A box for the centre; one without an area says nothing."""
    if box_px is None or box_px.width <= 0 or box_px.height <= 0:
        return None
    return BoxV1(x_min=box_px.x_min, y_min=box_px.y_min, x_max=box_px.x_max, y_max=box_px.y_max)


def _corners(box_px: BoxPx | None) -> list[float] | None:
    if box_px is None:
        return None
    return [round(value, 1) for value in (box_px.x_min, box_px.y_min, box_px.x_max, box_px.y_max)]
