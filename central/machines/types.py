# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about programs and their keys."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from central.identity.permissions import PERMISSIONS, Permission, Role
from central.identity.types import User

GRANTABLE: Final = tuple(
    permission for permission in Permission if permission in PERMISSIONS[Role.API_CLIENT]
)
"""What a program can be allowed at all, in the order of the table."""

NAME_LENGTH_MAX: Final = 40
PURPOSE_LENGTH_MAX: Final = 200
SITES_MAX: Final = 200
KEYS_MAX: Final = 5
"""Working keys of one program: two are enough to rotate, the rest is for mistakes."""

LIFETIME_MAX: Final = timedelta(days=366)
"""Longest life of a key. Higher: fewer rotations, and a stolen key works for longer."""

LIFETIME_DEFAULT: Final = timedelta(days=180)
OVERLAP_MAX: Final = timedelta(days=30)
"""Longest time for which an old key goes on working beside the one that replaces it."""

OVERLAP_DEFAULT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramUser(User):
    """A program as services see it: a user of the role for programs, who may do less than it.

    Attributes:
        granted: What this program may do; never more than its role.
        key_prefix: The key in use, to count and to name it by.
    """

    granted: frozenset[Permission]
    key_prefix: str

    @property
    def client_id(self) -> int:
        """The program itself, whichever of its keys is in use; users' ids are positive."""
        return -self.id

    def may(self, permission: Permission) -> bool:
        """Whether this program may do something."""
        return permission in self.granted and User.may(self, permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """A program to be let in.

    Attributes:
        purpose: What it does, for those who look at the list in a year.
        site_ids: Sites that it may see; ``None`` for the whole province.
    """

    name: str
    purpose: str
    permissions: frozenset[Permission]
    site_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A key that was made just now; ``key`` is shown once and kept nowhere."""

    client: str
    prefix: str
    key: str = field(repr=False)
    expires_at: datetime


class KeyState(StrEnum):
    """Whether a key lets its program in."""

    WORKING = "working"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOverview:
    """A key as administrators see it."""

    prefix: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state_at(self, now: datetime) -> KeyState:
        """Whether it lets its program in at an aware time."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.WORKING if now < self.expires_at else KeyState.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOverview:
    """A program as administrators see it; its newest keys first."""

    name: str
    purpose: str
    permissions: tuple[Permission, ...]
    site_ids: tuple[str, ...] | None
    made_by: str
    made_at: datetime
    keys: tuple[KeyOverview, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPage:
    """Some programs by name; ``next_after`` is where the next page begins."""

    clients: tuple[ClientOverview, ...]
    next_after: str | None
