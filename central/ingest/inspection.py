# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking at the quarantine without showing what its messages say."""

from dataclasses import dataclass
from datetime import datetime

from central.ingest.mending import UNMENDABLE
from central.ingest.repository import RELEASABLE_REASONS


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """An open message in quarantine, without its contents."""

    id: int
    reason: str
    detail: str
    topic: str
    device_id: str | None
    seq: int | None
    payload_size_bytes: int
    times_seen: int
    received_at: datetime
    last_received_at: datetime
    mended_at: datetime | None
    mended_by: str | None
    mend_note: str | None

    @property
    def may_pass(self) -> bool:
        """Whether trying again can help: mended, its device known by now, or the program newer."""
        return self.mended_at is not None or self.reason in RELEASABLE_REASONS

    @property
    def may_be_mended(self) -> bool:
        """Whether another text can take its place."""
        return self.reason not in UNMENDABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCount:
    """How many open messages of a device there are; ``None`` for those of no known device."""

    device_id: str | None
    messages: int
