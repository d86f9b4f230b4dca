# SPDX-License-Identifier: AGPL-3.0-or-later
"""The columns of a batch's COPY: which they are, their types, and an event as one row."""

from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType
from typing import Final

from psycopg.types.json import Jsonb
from pydantic_core import to_json

from central.contracts.passage import BoxV1, PassageV1, PlateReadV1
from central.contracts.tag_read import TagReadV1

PASSAGE_COLUMNS: Final = MappingProxyType(
    {
        "captured_at": "timestamptz",
        "id": "uuid",
        "stored_at": "timestamptz",
        "device_id": "text",
        "stream_id": "int8",
        "seq": "int8",
        "boot_id": "uuid",
        "site_id": "text",
        "camera_id": "text",
        "lane": "int2",
        "direction": "text",
        "first_seen_at": "timestamptz",
        "last_seen_at": "timestamptz",
        "clock_source": "text",
        "clock_error_ms": "int4",
        "frame_index": "int8",
        "frame_width_px": "int4",
        "frame_height_px": "int4",
        "vehicle_class": "text",
        "vehicle_confidence": "float4",
        "vehicle_box_px": "float4[]",
        "models": "jsonb",
        "speed_kmh": "float4",
        "speed_uncertainty_kmh": "float4",
        "is_late": "bool",
        "plate_text": "text",
        "plate_raw_text": "text",
        "plate_confidence": "float4",
        "plate_char_confidences": "float4[]",
        "plate_is_legal": "bool",
        "plate_alternatives": "jsonb",
        "plate_layout": "text",
        "plate_colour": "text",
        "plate_frames_read": "int4",
        "plate_box_px": "float4[]",
    }
)
"""Name and type of every column, in the order of ``passage_row``."""

EVIDENCE_COLUMNS: Final = MappingProxyType(
    {
        "captured_at": "timestamptz",
        "passage_id": "uuid",
        "sha256": "bytea",
        "kind": "text",
        "media_type": "text",
        "size_bytes": "int4",
    }
)
"""Name and type of every column, in the order of ``evidence_rows``."""

TAG_READ_COLUMNS: Final = MappingProxyType(
    {
        "captured_at": "timestamptz",
        "id": "uuid",
        "stored_at": "timestamptz",
        "device_id": "text",
        "stream_id": "int8",
        "seq": "int8",
        "boot_id": "uuid",
        "site_id": "text",
        "reader_id": "text",
        "lane": "int2",
        "epc": "text",
        "tid": "text",
        "antenna": "int2",
        "rssi_dbm": "float4",
        "reads": "int4",
        "first_seen_at": "timestamptz",
        "last_seen_at": "timestamptz",
        "clock_source": "text",
        "clock_error_ms": "int4",
        "is_late": "bool",
    }
)
"""Name and type of every column, in the order of ``tag_read_row``."""

IDENTITY_COLUMNS: Final = MappingProxyType(
    {"id": "uuid", "captured_at": "timestamptz", "stream_id": "int8", "seq": "int8"}
)
"""What an event is recognised by."""

_NO_PLATE: Final = ("", None, None, None, None, None, None, None, None, None)


def passage_row(passage: PassageV1, *, stream_id: int, now: datetime) -> tuple[object, ...]:
    """A passage as one row of ``PASSAGE_COLUMNS``; ``now`` is when it is stored."""
    return (
        passage.captured_at,
        passage.id,
        now,
        passage.device_id,
        stream_id,
        passage.seq,
        passage.boot_id,
        passage.site_id,
        passage.camera_id,
        passage.lane,
        passage.direction.value,
        passage.first_seen_at,
        passage.last_seen_at,
        passage.clock_source.value,
        passage.clock_error_ms,
        passage.frame_index,
        passage.frame_width_px,
        passage.frame_height_px,
        passage.vehicle_class.value if passage.vehicle_class else None,
        passage.vehicle_confidence,
        _corners(passage.vehicle_box) if passage.vehicle_box else None,
        _json([{"name": model.name, "sha256": model.sha256} for model in passage.models]),
        passage.speed_kmh,
        passage.speed_uncertainty_kmh,
        passage.is_late,
        *(_plate(passage.plate) if passage.plate else _NO_PLATE),
    )


def evidence_rows(passage: PassageV1) -> Iterator[tuple[object, ...]]:
    """The pictures that a passage names, each once, as rows of ``EVIDENCE_COLUMNS``."""
    for picture in {(each.kind, each.sha256): each for each in passage.evidence}.values():
        yield (
            passage.captured_at,
            passage.id,
            bytes.fromhex(picture.sha256),
            picture.kind.value,
            picture.media_type,
            picture.size_bytes,
        )


def tag_read_row(tag_read: TagReadV1, *, stream_id: int, now: datetime) -> tuple[object, ...]:
    """A tag read as one row of ``TAG_READ_COLUMNS``; ``now`` is when it is stored."""
    return (
        tag_read.captured_at,
        tag_read.id,
        now,
        tag_read.device_id,
        stream_id,
        tag_read.seq,
        tag_read.boot_id,
        tag_read.site_id,
        tag_read.reader_id,
        tag_read.lane,
        tag_read.epc,
        tag_read.tid,
        tag_read.antenna,
        tag_read.rssi_dbm,
        tag_read.reads,
        tag_read.first_seen_at,
        tag_read.last_seen_at,
        tag_read.clock_source.value,
        tag_read.clock_error_ms,
        tag_read.is_late,
    )


def _plate(plate: PlateReadV1) -> tuple[object, ...]:
    """The plate's part of a row."""
    return (
        plate.text,
        plate.raw_text,
        plate.confidence,
        list(plate.char_confidences),
        plate.is_legal,
        _json([{"text": each.text, "confidence": each.confidence} for each in plate.alternatives]),
        plate.layout.value,
        plate.colour.value,
        plate.frames_read,
        _corners(plate.box),
    )


def _json(value: object) -> Jsonb:
    """A value for a JSON column, written by the fastest library that is here anyway."""
    return Jsonb(value, dumps=to_json)


def _corners(box: BoxV1) -> list[float]:
    """A box as its column keeps it."""
    return [box.x_min, box.y_min, box.x_max, box.y_max]
