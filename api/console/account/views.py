# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the page of the own account shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from api.pages.i18n import Speech
from central.identity.types import SessionOverview

ACCOUNT_PATH: Final = "/console/account"
PASSWORD_PATH: Final = f"{ACCOUNT_PATH}/password"
SECOND_FACTOR_PATH: Final = f"{ACCOUNT_PATH}/second-factor"
LOGIN_PATH: Final = "/console/login"
LOGIN_CODE_PATH: Final = f"{LOGIN_PATH}/code"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One of the own sessions."""

    id: UUID
    opened: str
    used: str
    ends: str
    proof: str
    client: str
    browser: str
    is_own: bool


def session_view(session: SessionOverview, speech: Speech) -> SessionView:
    """A session in a person's language."""
    return SessionView(
        id=session.id,
        opened=shown_time(session.created_at, speech),
        used=shown_time(session.last_used_at, speech),
        ends=shown_time(session.expires_at, speech),
        proof=session.proof.value,
        client=session.client or "-",
        browser=session.browser or "-",
        is_own=session.is_own,
    )


def shown_time(at: datetime, speech: Speech) -> str:
    """A time with its day."""
    return f"{speech.time(at)} {speech.local_date(at)}"
