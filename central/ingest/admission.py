# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the centre knows the sender of a message, can believe its time, and calls it live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import structs

from central.contracts.event import Event
from central.contracts.topics import Topic
from central.domain.times import TimeLimits, TimeVerdict
from central.ingest.columns import as_late
from central.ingest.types import (
    EventMessage,
    ParsedMessage,
    PassageMessage,
    Reason,
    RejectedMessage,
    TagReadMessage,
)
from central.ingest.wire import RECORDING_CLOCK, WireEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDevice:
    """What the centre knows of a device that has just sent something."""

    site_id: str
    province: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Devices of a batch, and the cameras of their sites as ``(site_id, camera_id)``."""

    devices: Mapping[str, KnownDevice]
    cameras: frozenset[tuple[str, str]]


class Admission:
    """The rules that a message has to pass, at one moment."""

    def __init__(self, *, directory: Directory, limits: TimeLimits, now: datetime) -> None:
        self._devices, self._cameras = directory.devices, directory.cameras
        self._limits = limits
        self._now = now
        self._plausible_from = now - limits.age_max
        self._plausible_until = now + limits.skew_max

    def admit(self, message: ParsedMessage) -> ParsedMessage:
        """The message itself, or its rejection."""
        if isinstance(message, RejectedMessage):
            return message
        reason = self._sender_problem(message.topic)
        envelope = None
        if isinstance(message, EventMessage):
            reason = reason or self._event_problem(message.event)
            envelope = message.envelope
        if reason is None:
            return message
        return RejectedMessage(
            delivery=message.delivery,
            reason=reason,
            detail="",
            topic=message.topic,
            envelope=envelope,
        )

    def _sender_problem(self, topic: Topic) -> Reason | None:
        """What is wrong with the device or its place."""
        device = self._devices.get(topic.device_id)
        if device is None:
            return Reason.UNKNOWN_DEVICE
        if not device.enabled:
            return Reason.DEVICE_DISABLED
        if (device.province, device.site_id) != (topic.province, topic.site_id):
            return Reason.SITE_MISMATCH
        return None

    def _event_problem(self, event: WireEvent | Event) -> Reason | None:
        """What is wrong with the camera of an event that has one, or with the time of an event.

        A tag's reader need not be known: which lane it belongs to is the toll stations' affair.
        """
        camera_id = getattr(event, "camera_id", None)
        if camera_id is not None and (event.site_id, camera_id) not in self._cameras:
            return Reason.UNKNOWN_CAMERA
        if self._plausible_from <= event.captured_at <= self._plausible_until:
            return None  # as nearly all are: believable of any clock
        judge = (
            self._limits.judge_recording
            if event.clock_source == RECORDING_CLOCK
            else self._limits.judge
        )
        match judge(event.captured_at, now=self._now):
            case TimeVerdict.IN_FUTURE:
                return Reason.TIME_IN_FUTURE
            case TimeVerdict.TOO_OLD:
                return Reason.TIME_TOO_OLD
            case TimeVerdict.PLAUSIBLE:
                return None


def with_lateness(
    messages: Sequence[ParsedMessage], *, limits: TimeLimits, now: datetime
) -> list[ParsedMessage]:
    """Mark events late that became old on their way: in the broker, or while nothing was committed.

    A device marks what it sends late; of what it sent in time and what waited here it can't know.
    Recordings keep what their device says: their times are not of now.
    """
    late_before = now - limits.late_after
    return [
        _late(message)
        if isinstance(message, EventMessage)
        and message.event.captured_at < late_before
        and not message.is_late
        and message.event.clock_source != RECORDING_CLOCK
        else message
        for message in messages
    ]


def _late(message: EventMessage) -> EventMessage:
    """The same message, marked late, and its row as well."""
    if isinstance(message, PassageMessage | TagReadMessage):
        body = as_late(message.event, message.body)
        return structs.replace(message, is_late=True, body=body)
    return structs.replace(message, is_late=True)
