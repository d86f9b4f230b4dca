# SPDX-License-Identifier: AGPL-3.0-or-later
"""Events as ingest reads them, thousands a second: the contracts' fields in cheaper values.

The contracts in ``central.contracts`` stay the law. What is read here keeps them: a test throws
changed messages at both and finds none that only this module takes. What this module refuses is
read again by the contract, which takes some writings of a value that are rare (a number in quotes)
and says what is wrong with the others.
"""

from datetime import datetime
from functools import lru_cache
from re import compile as pattern
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.json import Decoder

from central.contracts.identifiers import SHA256_PATTERN, SLUG_PATTERN
from central.contracts.message import MAX_SEQ
from central.contracts.passage import (
    MAX_ALTERNATIVES,
    MAX_EVIDENCE,
    MAX_MODELS,
    MAX_PLATE_LENGTH,
    PassageV1,
)
from central.contracts.tag_read import MAX_READS, TAG_CODE_PATTERN, TagReadV1

NAMES_REMEMBERED_MAX: Final = 10_000
SLUG_LENGTH_MAX: Final = 40
SHA256_LENGTH: Final = 64
_PLATE: Final = pattern(rf"[A-Z0-9]{{0,{MAX_PLATE_LENGTH}}}")
_SHA256: Final = pattern(SHA256_PATTERN)
_SLUG: Final = pattern(SLUG_PATTERN)
_TAG_CODE: Final = pattern(TAG_CODE_PATTERN)

Instant = Annotated[datetime, Meta(tz=True)]
Seq = Annotated[int, Meta(ge=1, le=MAX_SEQ)]
Share = Annotated[float, Meta(ge=0, le=1)]
Pixel = Annotated[float, Meta(ge=-10_000, le=100_000)]
SpeedKmh = Annotated[float, Meta(ge=0, le=400)]
Lane = Annotated[int, Meta(ge=1, le=64)]
ClockError = Annotated[int, Meta(ge=0, le=86_400_000)]
FrameSize = Annotated[int, Meta(ge=1, le=32_768)]
Clock = Literal["ntp", "ptp", "gps", "system", "file"]
RECORDING_CLOCK: Final = "file"
"""The clock of a recording that is played."""


class Quiet(Struct, frozen=True, gc=False):
    """What a device says, which its text does not show: a log line can't tell a plate."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class WireBox(Struct, frozen=True, gc=False):
    """``BoxV1``."""

    x_min: Pixel
    y_min: Pixel
    x_max: Pixel
    y_max: Pixel

    def __post_init__(self) -> None:
        _demand(self.x_max > self.x_min and self.y_max > self.y_min)


class WireAlternative(Quiet, frozen=True, gc=False):
    """``PlateAlternativeV1``."""

    text: str
    confidence: Share

    def __post_init__(self) -> None:
        _demand(_PLATE.fullmatch(self.text) is not None)


class WirePlate(Quiet, frozen=True, gc=False):
    """``PlateReadV1``."""

    raw_text: str
    text: str
    char_confidences: Annotated[tuple[Share, ...], Meta(max_length=MAX_PLATE_LENGTH)]
    confidence: Share
    is_legal: bool
    layout: Literal["one_line", "two_line"]
    colour: Literal["white", "yellow", "blue", "red", "unknown"]
    frames_read: Annotated[int, Meta(ge=1, le=100_000)]
    box: WireBox
    alternatives: Annotated[tuple[WireAlternative, ...], Meta(max_length=MAX_ALTERNATIVES)] = ()

    def __post_init__(self) -> None:
        _demand(
            len(self.char_confidences) == len(self.text)
            and _PLATE.fullmatch(self.text) is not None
            and (self.raw_text == self.text or _PLATE.fullmatch(self.raw_text) is not None)
        )


class WireModel(Struct, frozen=True, gc=False):
    """``ModelDigestV1``."""

    name: str
    sha256: str

    def __post_init__(self) -> None:
        _demand(_are_slugs(self.name) and _is_model_digest(self.sha256))


class WirePicture(Struct, frozen=True, gc=False):
    """``EvidenceRefV1``."""

    kind: Literal["scene", "plate"]
    sha256: str
    size_bytes: Annotated[int, Meta(ge=1, le=16_777_216)]
    media_type: Literal["image/jpeg"] = "image/jpeg"

    def __post_init__(self) -> None:
        _demand(_SHA256.fullmatch(self.sha256) is not None)


class WirePassage(Quiet, frozen=True, gc=False):
    """``PassageV1``."""

    id: UUID
    device_id: str
    outbox_id: UUID
    boot_id: UUID
    seq: Seq
    site_id: str
    camera_id: str
    direction: Literal["up", "down", "left", "right", "unknown"]
    captured_at: Instant
    first_seen_at: Instant
    last_seen_at: Instant
    clock_source: Clock
    clock_error_ms: ClockError
    frame_index: Annotated[int, Meta(ge=0, le=2**40)]
    frame_width_px: FrameSize
    frame_height_px: FrameSize
    models: Annotated[tuple[WireModel, ...], Meta(max_length=MAX_MODELS)]
    kind: Literal["passage/1"] = "passage/1"
    lane: Lane | None = None
    vehicle_class: Literal["car", "motorcycle", "bus", "truck"] | None = None
    vehicle_confidence: Share | None = None
    vehicle_box: WireBox | None = None
    plate: WirePlate | None = None
    speed_kmh: SpeedKmh | None = None
    speed_uncertainty_kmh: SpeedKmh | None = None
    evidence: Annotated[tuple[WirePicture, ...], Meta(max_length=MAX_EVIDENCE)] = ()
    is_late: bool = False

    def __post_init__(self) -> None:
        _demand(
            _are_slugs(self.device_id, self.site_id, self.camera_id)
            and self.first_seen_at <= self.captured_at <= self.last_seen_at
            and (self.vehicle_class is None) == (self.vehicle_confidence is None)
            and (self.speed_kmh is None) == (self.speed_uncertainty_kmh is None)
        )


class WireTagRead(Quiet, frozen=True, gc=False):
    """``TagReadV1``."""

    id: UUID
    device_id: str
    outbox_id: UUID
    boot_id: UUID
    seq: Seq
    site_id: str
    reader_id: str
    epc: str
    antenna: Lane
    reads: Annotated[int, Meta(ge=1, le=MAX_READS)]
    captured_at: Instant
    first_seen_at: Instant
    last_seen_at: Instant
    clock_source: Clock
    clock_error_ms: ClockError
    kind: Literal["tag-read/1"] = "tag-read/1"
    lane: Lane | None = None
    tid: str | None = None
    rssi_dbm: Annotated[float, Meta(ge=-200, le=50)] | None = None
    is_late: bool = False

    def __post_init__(self) -> None:
        _demand(
            _are_slugs(self.device_id, self.site_id, self.reader_id)
            and self.first_seen_at <= self.captured_at <= self.last_seen_at
            and _TAG_CODE.fullmatch(self.epc) is not None
            and (self.tid is None or _TAG_CODE.fullmatch(self.tid) is not None)
        )


WireEvent = WirePassage | WireTagRead

_PASSAGES: Final = Decoder(WirePassage)
_TAG_READS: Final = Decoder(WireTagRead)
_REFUSALS: Final = (ValueError, RecursionError)
"""What the decoder raises; the latter for JSON nested too deep, which the contract refuses."""


def read_passage(payload: bytes) -> WirePassage:
    """Read a passage.

    Raises:
        pydantic.ValidationError: It is not JSON or breaks the contract.
    """
    try:
        return _PASSAGES.decode(payload.decode())
    except _REFUSALS:
        return _PASSAGES.decode(PassageV1.from_json(payload).to_json())


def read_tag_read(payload: bytes) -> WireTagRead:
    """Read a tag read.

    Raises:
        pydantic.ValidationError: It is not JSON or breaks the contract.
    """
    try:
        return _TAG_READS.decode(payload.decode())
    except _REFUSALS:
        return _TAG_READS.decode(TagReadV1.from_json(payload).to_json())


def _demand(is_kept: bool) -> None:  # noqa: FBT001  # reads like the assertion that it is
    """Refuse a message that does not keep a rule; which one, the contract will say."""
    if not is_kept:
        raise ValueError("the contract is not kept")


def _are_slugs(*texts: str) -> bool:
    """Whether these are names.

    Texts that are too long for names are not remembered: a device that makes up long ones must not
    fill the memory.
    """
    return max(map(len, texts)) <= SLUG_LENGTH_MAX and _are_short_slugs(*texts)


def _is_model_digest(text: str) -> bool:
    """Whether this is a digest of a model."""
    return len(text) == SHA256_LENGTH and _is_remembered_digest(text)


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def _are_short_slugs(*texts: str) -> bool:
    """The same few names come together again and again."""
    return all(_SLUG.fullmatch(text) is not None for text in texts)


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def _is_remembered_digest(text: str) -> bool:
    """There are few models."""
    return _SHA256.fullmatch(text) is not None
