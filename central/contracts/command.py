# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the centre asks of a device, on the device's command topic."""

from typing import Literal
from uuid import UUID

from central.contracts.identifiers import Slug
from central.contracts.message import AwareDatetime, Message


class LiveFrameCommandV1(Message):
    """Send one fresh picture of a camera over HTTP, under this id, unless it is too late by then.

    A device that knows no such camera, or has no fresh picture, does nothing: the centre's request
    expires by itself. Commands are sent at least once; a second picture for an id is refused.
    """

    kind: Literal["live-frame/1"] = "live-frame/1"
    id: UUID
    device_id: Slug
    camera_id: Slug
    expires_at: AwareDatetime
