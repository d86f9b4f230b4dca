# SPDX-License-Identifier: AGPL-3.0-or-later
"""The columns of a batch's COPY, and events as packed rows of them.

A row begins with what is known only when it is stored. The rest, its body, is packed when the
message is read: on another thread than the one that waits for the database. Fields that always
have a value of one size stand together, so that one call packs them.
"""

import struct
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.json import encode

from central.contracts.event import Event
from central.db.copying import (
    NULL,
    boolean,
    float4,
    float4_array,
    int2,
    int4,
    jsonb,
    microseconds,
    text,
    texts,
)
from central.ingest.wire import (
    RECORDING_CLOCK,
    WireBox,
    WireEvent,
    WirePassage,
    WirePlate,
    WireTagRead,
)

PASSAGE_COLUMNS: Final = (
    "stored_at",
    "stream_id",
    "captured_at",
    "id",
    "seq",
    "boot_id",
    "first_seen_at",
    "last_seen_at",
    "clock_error_ms",
    "frame_index",
    "frame_width_px",
    "frame_height_px",
    "is_late",
    "device_id",
    "site_id",
    "camera_id",
    "direction",
    "clock_source",
    "vehicle_class",
    "lane",
    "vehicle_confidence",
    "vehicle_box_px",
    "models",
    "speed_kmh",
    "speed_uncertainty_kmh",
    "plate_text",
    "plate_raw_text",
    "plate_confidence",
    "plate_char_confidences",
    "plate_is_legal",
    "plate_alternatives",
    "plate_layout",
    "plate_colour",
    "plate_frames_read",
    "plate_box_px",
)
"""In the order of ``row_start`` and ``passage_body``."""

EVIDENCE_COLUMNS: Final = (
    "captured_at",
    "passage_id",
    "size_bytes",
    "sha256",
    "kind",
    "media_type",
)
"""In the order of ``evidence_rows``."""

TAG_READ_COLUMNS: Final = (
    "stored_at",
    "stream_id",
    "captured_at",
    "id",
    "seq",
    "boot_id",
    "first_seen_at",
    "last_seen_at",
    "clock_error_ms",
    "antenna",
    "reads",
    "is_late",
    "device_id",
    "site_id",
    "reader_id",
    "clock_source",
    "lane",
    "epc",
    "tid",
    "rssi_dbm",
)
"""In the order of ``row_start`` and ``tag_read_body``."""

IDENTITY_COLUMNS: Final = (
    "id",
    "captured_at",
    "stream_id",
    "seq",
    "is_recording",
    "is_passage",
)
"""What an event is recognised by, how long that is needed, and which kind of event it is; in the
order of ``identity_row``."""

# Every "i" before another sign is the size of the field that follows.
_START: Final = struct.Struct("!h iq iq".replace(" ", ""))
_PASSAGE: Final = struct.Struct("!iq i16s iq i16s iq iq ii iq ii ii i?".replace(" ", ""))
_TAG_READ: Final = struct.Struct("!iq i16s iq i16s iq iq ii ih ii i?".replace(" ", ""))
_EVIDENCE: Final = struct.Struct("!h iq i16s ii i32s".replace(" ", ""))
_IDENTITY: Final = struct.Struct("!h i16s iq iq iq i? i?".replace(" ", ""))
_LATE: Final = b"\x01"
"""The last byte of what ``_PASSAGE`` and ``_TAG_READ`` pack."""
_NO_PLATE: Final = text("") + 9 * NULL
MODELS_REMEMBERED_MAX: Final = 1000


def row_start(columns: int, *, stream_id: int, stored_us: int) -> bytes:
    """What every row of an outbox in one batch begins with.

    Args:
        columns: How many columns the row has.
        stream_id: Key of its outbox.
        stored_us: When it is stored, as ``microseconds`` gives it.
    """
    return _START.pack(columns, 8, stored_us, 8, stream_id)


def passage_body(passage: WirePassage) -> bytes:
    """A passage's row of ``PASSAGE_COLUMNS`` without its start."""
    start = _PASSAGE.pack(
        8, microseconds(passage.captured_at),
        16, passage.id.bytes,
        8, passage.seq,
        16, passage.boot_id.bytes,
        8, microseconds(passage.first_seen_at),
        8, microseconds(passage.last_seen_at),
        4, passage.clock_error_ms,
        8, passage.frame_index,
        4, passage.frame_width_px,
        4, passage.frame_height_px,
        1, passage.is_late,
    )  # fmt: skip
    return b"".join(
        (
            start,
            texts(
                passage.device_id,
                passage.site_id,
                passage.camera_id,
                passage.direction,
                passage.clock_source,
                passage.vehicle_class,
            ),
            int2(passage.lane),
            float4(passage.vehicle_confidence),
            _box(passage.vehicle_box),
            _json(passage.models),
            float4(passage.speed_kmh),
            float4(passage.speed_uncertainty_kmh),
            _plate(passage.plate) if passage.plate else _NO_PLATE,
        )
    )


def evidence_rows(passage: WirePassage) -> bytes:
    """The pictures that a passage names, each once, as rows of ``EVIDENCE_COLUMNS``."""
    if not passage.evidence:
        return b""
    pictures = {(each.kind, each.sha256): each for each in passage.evidence}.values()
    captured_us, passage_id = microseconds(passage.captured_at), passage.id.bytes
    return b"".join(
        _EVIDENCE.pack(
            len(EVIDENCE_COLUMNS),
            8, captured_us,
            16, passage_id,
            4, picture.size_bytes,
            32, bytes.fromhex(picture.sha256),
        )
        + texts(picture.kind, picture.media_type)
        for picture in pictures
    )  # fmt: skip


def tag_read_body(tag_read: WireTagRead) -> bytes:
    """A tag read's row of ``TAG_READ_COLUMNS`` without its start."""
    start = _TAG_READ.pack(
        8, microseconds(tag_read.captured_at),
        16, tag_read.id.bytes,
        8, tag_read.seq,
        16, tag_read.boot_id.bytes,
        8, microseconds(tag_read.first_seen_at),
        8, microseconds(tag_read.last_seen_at),
        4, tag_read.clock_error_ms,
        2, tag_read.antenna,
        4, tag_read.reads,
        1, tag_read.is_late,
    )  # fmt: skip
    return b"".join(
        (
            start,
            texts(tag_read.device_id, tag_read.site_id, tag_read.reader_id, tag_read.clock_source),
            int2(tag_read.lane),
            text(tag_read.epc),
            text(tag_read.tid),
            float4(tag_read.rssi_dbm),
        )
    )


def as_late(event: WireEvent, body: bytes) -> bytes:
    """The body of an event's row, with the mark that it came late."""
    start = (_PASSAGE if isinstance(event, WirePassage) else _TAG_READ).size
    return body[: start - 1] + _LATE + body[start:]


def identity_row(event: WireEvent | Event, *, stream_id: int) -> bytes:
    """What an event is recognised by, as one row of ``IDENTITY_COLUMNS``."""
    return _IDENTITY.pack(
        len(IDENTITY_COLUMNS),
        16, event.id.bytes,
        8, microseconds(event.captured_at),
        8, stream_id,
        8, event.seq,
        1, event.clock_source == RECORDING_CLOCK,
        1, isinstance(event, WirePassage),
    )  # fmt: skip


def _plate(plate: WirePlate) -> bytes:
    """The plate's part of a row."""
    return b"".join(
        (
            text(plate.text),
            text(plate.raw_text),
            float4(plate.confidence),
            float4_array(plate.char_confidences),
            boolean(plate.is_legal),
            jsonb(encode(plate.alternatives)),
            texts(plate.layout, plate.colour),
            int4(plate.frames_read),
            _box(plate.box),
        )
    )


@lru_cache(maxsize=MODELS_REMEMBERED_MAX)
def _json(values: tuple[Struct, ...]) -> bytes:
    """Values as a field of type ``jsonb``; the same few come again and again."""
    return jsonb(encode(values))


def _box(box: WireBox | None) -> bytes:
    """A box as its column keeps it: a ``float4[]`` of four."""
    if box is None:
        return NULL
    return float4_array((box.x_min, box.y_min, box.x_max, box.y_max))
