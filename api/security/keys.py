# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a program proves who it is: ``Authorization: Bearer <key>``, below ``/v1`` only."""

from typing import Final

from starlette.requests import Request

SCHEME: Final = "bearer"
KEY_LENGTH_MAX: Final = 128
MACHINES_PREFIX: Final = "/v1/"


def bearer_key(request: Request) -> str | None:
    """The key in the request; ``None`` where keys are not asked for or none came.

    Pages for people take no keys: a key in a script must not open the console.
    """
    if not request.url.path.startswith(MACHINES_PREFIX):
        return None
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != SCHEME:
        return None
    return key.strip()[:KEY_LENGTH_MAX]
