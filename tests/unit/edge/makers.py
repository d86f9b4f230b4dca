# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values for the edge's tests, right unless a test says otherwise."""

import hashlib
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from uuid import UUID, uuid4

import av
import cv2
import numpy as np

from central.contracts.event import ClockSource
from central.contracts.evidence_notice import EvidenceNoticeV1
from central.contracts.passage import Direction, ModelDigestV1, PassageV1
from central.contracts.tag_read import TagReadV1
from edge.outbox.types import LostPicture, OutboxSlot
from edge.stages import EvidencePicture
from models.runtime.values import (
    BgrImage,
    BoxPx,
    PlateColour,
    PlateLayout,
    PlateReading,
)

NOW = datetime(2026, 3, 14, 8, 0, tzinfo=UTC)
DEVICE_ID = "gate-01"
BOOT_ID = UUID("00000000-0000-4000-8000-000000000001")


def message(
    slot: OutboxSlot, *, event_id: UUID | None = None, boot_id: UUID = BOOT_ID
) -> PassageV1:
    """A passage message without a plate."""
    return PassageV1(
        id=event_id or uuid4(),
        device_id=DEVICE_ID,
        outbox_id=slot.outbox_id,
        boot_id=boot_id,
        seq=slot.seq,
        site_id="site-01",
        camera_id="cam-01",
        direction=Direction.DOWN,
        captured_at=NOW,
        first_seen_at=NOW,
        last_seen_at=NOW,
        clock_source=ClockSource.NTP,
        clock_error_ms=10,
        frame_index=1,
        frame_width_px=1920,
        frame_height_px=1080,
        models=(ModelDigestV1(name="plate-reader", sha256="0" * 64),),
    )


def tag_message(slot: OutboxSlot, *, boot_id: UUID = BOOT_ID) -> TagReadV1:
    """A tag read message."""
    return TagReadV1(
        id=uuid4(),
        device_id=DEVICE_ID,
        outbox_id=slot.outbox_id,
        boot_id=boot_id,
        seq=slot.seq,
        site_id="site-01",
        reader_id="reader-1",
        epc="E2801160600002054E1A2B3C",
        antenna=1,
        reads=3,
        captured_at=NOW,
        first_seen_at=NOW,
        last_seen_at=NOW,
        clock_source=ClockSource.NTP,
        clock_error_ms=10,
    )


def notice_message(lost: LostPicture, slot: OutboxSlot) -> EvidenceNoticeV1:
    """The notice about a picture that was given up."""
    return EvidenceNoticeV1(
        id=uuid4(),
        device_id=DEVICE_ID,
        outbox_id=slot.outbox_id,
        boot_id=BOOT_ID,
        seq=slot.seq,
        site_id="site-01",
        captured_at=lost.given_up_at,
        clock_source=ClockSource.NTP,
        clock_error_ms=10,
        event_id=lost.event_id,
        sha256=lost.sha256,
        fate=lost.fate,
    )


def picture(content: bytes) -> EvidencePicture:
    """Evidence with any bytes."""
    return EvidencePicture(kind="scene", sha256=hashlib.sha256(content).hexdigest(), jpeg=content)


def reading(text: str, confidence: float = 0.95) -> PlateReading:
    """A legal reading; its slots are never looked at where this is used."""
    return PlateReading(
        raw_text=text,
        text=text,
        char_confidences=(confidence,) * len(text),
        confidence=confidence,
        alternatives=(),
        layout=PlateLayout.ONE_LINE,
        colour=PlateColour.WHITE,
        is_legal=True,
        slot_probabilities=np.zeros((10, 37), dtype=np.float32),
    )


def box(x: float, y: float, size: float = 40.0) -> BoxPx:
    """A square box with this middle."""
    half = size / 2
    return BoxPx(x_min=x - half, y_min=y - half, x_max=x + half, y_max=y + half)


def image(shade: int = 90, *, width: int = 320, height: int = 240) -> BgrImage:
    """A grey picture."""
    return np.full((height, width, 3), shade, dtype=np.uint8)


def write_video(path: Path, *, frames: int = 30, rate: int = 10, codec: str = "mpeg4") -> Path:
    """A video whose shade tells the number of the frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.time_base = Fraction(1, rate)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(image(20 + 5 * (number % 40)), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_picture(path: Path, shade: int = 90) -> Path:
    """A picture file."""
    assert cv2.imwrite(str(path), image(shade))
    return path
