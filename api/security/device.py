# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a device proves who it is over HTTP."""

import re
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from api.errors import DeviceUnauthorisedError
from central.contracts.identifiers import SLUG_PATTERN

SCHEME: Final = "Device"
SECRET_LENGTH_MAX: Final = 256
_SLUG: Final = re.compile(SLUG_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClaim:
    """What a device says it is; not checked yet."""

    device_id: str
    secret: str = field(repr=False)


def device_claim(request: Request) -> DeviceClaim:
    """Read ``Authorization: Device <device_id>:<secret>``.

    Raises:
        DeviceUnauthorisedError: The header is missing or looks different.
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    device_id, colon, secret = credentials.strip().partition(":")
    if (
        scheme.lower() != SCHEME.lower()
        or not colon
        or not 1 <= len(secret) <= SECRET_LENGTH_MAX
        or _SLUG.fullmatch(device_id) is None
    ):
        raise DeviceUnauthorisedError
    return DeviceClaim(device_id=device_id, secret=secret)
