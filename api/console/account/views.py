# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the page of the own account shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import Request

from api.pages.i18n import Speech
from central.identity.security_keys.types import KeyOverview, KeySite
from central.identity.types import SessionOverview

ACCOUNT_PATH: Final = "/console/account"
PASSWORD_PATH: Final = f"{ACCOUNT_PATH}/password"
SECOND_FACTOR_PATH: Final = f"{ACCOUNT_PATH}/second-factor"
LOGIN_PATH: Final = "/console/login"
LOGIN_CODE_PATH: Final = f"{LOGIN_PATH}/code"
LOGIN_KEY_PATH: Final = f"{LOGIN_PATH}/key"
KEYS_PATH: Final = f"{SECOND_FACTOR_PATH}/keys"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """One of the own security keys."""

    id: UUID
    name: str
    added: str
    used: str


def key_view(key: KeyOverview, speech: Speech) -> KeyView:
    """A key in a person's language."""
    return KeyView(
        id=key.id,
        name=key.name,
        added=shown_time(key.created_at, speech),
        used="-" if key.last_used_at is None else shown_time(key.last_used_at, speech),
    )


def elsewhere(request: Request, site: KeySite | None) -> str | None:
    """Where this page has to be opened for keys to work; ``None`` when it is the right place."""
    if site is None or request.headers.get("host") == site.netloc:
        return None
    return site.origin


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
