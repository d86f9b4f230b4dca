# SPDX-License-Identifier: AGPL-3.0-or-later
"""The first administrator of a local stack, and a new password for one who forgot it."""

import asyncio
from datetime import datetime

from central.db.pool import connection_info
from central.errors import UserExistsError
from central.identity.administration import create_bootstrap_administrator, reset_password
from central.identity.permissions import Role
from central.identity.types import NewPassword, PasswordLife
from deploy.local.state import StackState


def make_first_administrator(state: StackState, *, now: datetime) -> NewPassword | None:
    """Make the administrator at the first start, who may also do and see everything.

    Returns:
        Name and password, to be shown once; ``None`` when there is one already.
    """
    try:
        return asyncio.run(_make(state, now=now))
    except UserExistsError:
        return None


def new_administrator_password(state: StackState, *, username: str, now: datetime) -> NewPassword:
    """Replace a user's password and end the user's sessions.

    Raises:
        UserNotFoundError: There is no such user.
    """
    return asyncio.run(
        reset_password(_info(state), username=username, life=PasswordLife.LASTING, now=now)
    )


async def _make(state: StackState, *, now: datetime) -> NewPassword:
    return await create_bootstrap_administrator(
        _info(state), role=Role.DEMONSTRATOR, life=PasswordLife.LASTING, now=now
    )


def _info(state: StackState) -> str:
    return connection_info(state.database_url, application_name="luuthong-admin")
