# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every event has in common: who saw it, where, when, and its number in the outbox."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from central.contracts.identifiers import Slug
from central.contracts.message import AwareDatetime, Message, Seq


class ClockSource(StrEnum):
    """Where the device's time comes from; ``file`` is the clock of a replayed recording."""

    NTP = "ntp"
    PTP = "ptp"
    GPS = "gps"
    SYSTEM = "system"
    FILE = "file"


class Event(Message):
    """Something that happened once at a device, numbered among all events of its outbox.

    ``seq`` has no gap within (``device_id``, ``outbox_id``), whatever kinds of events there are:
    it is what completeness is proved with. ``is_late`` marks events sent from the outbox after
    the link was down: they never raise a live alert.
    """

    id: UUID
    device_id: Slug
    outbox_id: UUID
    boot_id: UUID
    seq: Seq
    site_id: Slug
    captured_at: AwareDatetime
    clock_source: ClockSource
    clock_error_ms: Annotated[int, Field(ge=0, le=86_400_000)]
    is_late: bool = False
