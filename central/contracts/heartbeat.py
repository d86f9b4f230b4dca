# SPDX-License-Identifier: AGPL-3.0-or-later
"""The heartbeat: how a device and its cameras feel, sent every few seconds."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from central.contracts.event import ClockSource
from central.contracts.identifiers import Slug
from central.contracts.message import AwareDatetime, Message, StoredText
from central.contracts.passage import ModelDigestV1

MAX_CAMERAS = 64
MAX_READERS = 16

Count = Annotated[int, Field(ge=0, le=2**62)]
Rate = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Celsius = Annotated[float, Field(ge=-100, le=200, allow_inf_nan=False)]


class CameraState(StrEnum):
    """What a camera's capture is doing."""

    STARTING = "starting"
    RUNNING = "running"
    STALLED = "stalled"
    FAILED = "failed"
    FINISHED = "finished"


class CameraHealthV1(Message):
    """One camera as its device sees it."""

    camera_id: Slug
    state: CameraState
    captured_fps: Rate
    analysed_fps: Rate
    frames_dropped: Count
    last_frame_age_s: Seconds | None = None


class ReaderState(StrEnum):
    """What a device's link to a tag reader is doing."""

    STARTING = "starting"
    RUNNING = "running"
    LOST = "lost"


class ReaderHealthV1(Message):
    """One tag reader as its device sees it; counts grow since the device started."""

    reader_id: Slug
    state: ReaderState
    answers: Count
    tag_reads: Count
    losses: Count
    last_answer_age_s: Seconds | None = None


class HeartbeatV1(Message):
    """State of one device. A newer heartbeat replaces an older one; lost ones are not repeated."""

    kind: Literal["heartbeat/1"] = "heartbeat/1"
    id: UUID
    device_id: Slug
    outbox_id: UUID
    boot_id: UUID
    site_id: Slug
    sent_at: AwareDatetime
    uptime_s: Seconds
    software_version: Annotated[StoredText, StringConstraints(min_length=1, max_length=64)]
    clock_source: ClockSource
    clock_error_ms: Annotated[int, Field(ge=0, le=86_400_000)]
    outbox_last_seq: Count
    outbox_events: Count
    outbox_oldest_age_s: Seconds | None = None
    outbox_pictures: Count
    outbox_bytes: Count
    pictures_dropped: Count
    disk_free_bytes: Count
    resident_bytes: Count
    temperature_celsius: Celsius | None = None
    models: Annotated[tuple[ModelDigestV1, ...], Field(max_length=8)] = ()
    cameras: Annotated[tuple[CameraHealthV1, ...], Field(max_length=MAX_CAMERAS)] = ()
    readers: Annotated[tuple[ReaderHealthV1, ...], Field(max_length=MAX_READERS)] = ()
