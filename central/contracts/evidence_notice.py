# SPDX-License-Identifier: AGPL-3.0-or-later
"""The evidence notice: what became of a picture that will not come by itself."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from central.contracts.event import Event
from central.contracts.identifiers import Sha256


class EvidenceFate(StrEnum):
    """Why the centre need not wait for a picture."""

    DROPPED_FOR_ROOM = "dropped_for_room"
    UNREADABLE = "unreadable"


class EvidenceNoticeV1(Event):
    """A picture that an event named and that its device can't upload any more.

    ``captured_at`` is when the device gave it up. Without the notice the centre would wait for
    the picture for ever, and nobody could tell a lost one from one that is still on its way.
    """

    kind: Literal["evidence-notice/1"] = "evidence-notice/1"
    event_id: UUID
    sha256: Sha256
    fate: EvidenceFate
