# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether an answer that goes on for long may go on: its session is asked about again."""

from starlette.requests import Request

from api.deps.request import Process
from api.deps.transactions import transaction
from api.security.cookies import session_token
from central.identity.service import IdentityService
from central.identity.types import User


async def is_still_held(request: Request, process: Process, user: User) -> bool:
    """Whether the request's session lives and its user may see just what they could.

    Raises:
        CentralUnavailableError: The database can't be reached.
    """
    token = session_token(request)
    if token is None:
        return False
    async with transaction(process) as connection:
        identity = IdentityService(connection, policy=process.session_policy)
        return await identity.is_held_unchanged(token, user, now=process.clock())
