# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about users and sessions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from central.domain.scope import Reach, SiteScope
from central.errors import PermissionDeniedError
from central.identity.permissions import PERMISSIONS, Permission, Role


class Duty(StrEnum):
    """What somebody must do after signing in, before any other page opens."""

    CHANGE_PASSWORD = "change_password"  # noqa: S105 - the name of a duty
    ADD_SECOND_FACTOR = "add_second_factor"


class Proof(StrEnum):
    """How somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105 - the name of a proof
    ONE_TIME_CODE = "one_time_code"
    RECOVERY_CODE = "recovery_code"
    SECURITY_KEY = "security_key"
    OUTSIDE = "outside"
    OUTSIDE_TWO_FACTORS = "outside_two_factors"

    @property
    def is_outside(self) -> bool:
        """Whether a provider said who somebody is."""
        return self in {Proof.OUTSIDE, Proof.OUTSIDE_TWO_FACTORS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from.

    Attributes:
        client: Address of the caller; ``None`` when it is not known.
        browser: What the caller's program says of itself, cut.
    """

    client: str | None = None
    browser: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may log in.

    Attributes:
        scope: Sites that this user may see; rows of users always say it.
        unit_id: Office, station or team; ``None`` for none.
        duty: What the user must do before anything else; ``None`` for nothing.
    """

    id: int
    username: str
    display_name: str
    role: Role
    scope: SiteScope = field(default_factory=SiteScope.everything)
    unit_id: str | None = None
    duty: Duty | None = None

    def may(self, permission: Permission) -> bool:
        """Whether this user may do something."""
        return permission in PERMISSIONS[self.role]

    def require(self, permission: Permission) -> None:
        """Stop unless this user may do something; services call it first of all.

        Raises:
            PermissionDeniedError: The user may not; whoever answers the user writes it down.
        """
        if not self.may(permission):
            raise PermissionDeniedError(
                username=self.username, role=self.role, permission=permission
            )


class UserState(StrEnum):
    """Whether somebody may log in."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOverview:
    """A user as administrators see them.

    Attributes:
        area_ids: Areas of the user; those of the unit come on top.
    """

    id: int
    username: str
    display_name: str
    role: Role
    state: UserState
    last_login_at: datetime | None
    unit_id: str | None
    reach: Reach
    area_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPage:
    """Users by name.

    Attributes:
        next_after: User after whom the next page begins; ``None`` at the end.
    """

    users: tuple[UserOverview, ...]
    next_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with what is needed to check a login."""

    user: User
    password_hash: str = field(repr=False)
    enabled: bool
    failed_logins: int
    login_allowed_at: datetime | None
    first_password_until: datetime | None
    has_second_factor: bool
    has_security_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A login that worked. ``token`` goes into the cookie and is kept nowhere else."""

    user: User
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefused:
    """Wrong name or password, or the account is switched off: which one is never told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginDelayed:
    """Too many failures on this account or from this address; nothing was looked at."""

    until_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPasswordExpired:
    """The password was right, but it was a first one and nobody changed it in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorNeeded:
    """The password was right; ``token`` lets its holder try a second proof for a few minutes.

    Attributes:
        has_security_key: Whether the user has a key, which is asked for before any code.
    """

    token: str = field(repr=False)
    expires_at: datetime
    has_security_key: bool


LoginOutcome = LoggedIn | LoginRefused | LoginDelayed | FirstPasswordExpired | SecondFactorNeeded
"""A value and no exception: a refused login must be committed to be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """How long a session holds.

    Attributes:
        lifetime: From login to the end whatever happens. Higher: fewer logins, and a stolen
            cookie works for longer.
        idle: Longest pause between two requests.
        sessions_max: Sessions of one user at a time; a further one ends the oldest.
        touch_every: How exactly the last use is recorded; saves a write per request.
    """

    lifetime: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(hours=2)
    touch_every: timedelta = timedelta(minutes=1)
    sessions_max: int = 10

    def __post_init__(self) -> None:
        if not timedelta(0) < self.touch_every <= self.idle <= self.lifetime:
            raise ValueError("need 0 < touch_every <= idle <= lifetime")


class PasswordLife(StrEnum):
    """How long a password holds that somebody else made."""

    FIRST = "first"
    LASTING = "lasting"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session that is to be opened."""

    token_hash: bytes = field(repr=False)
    user_id: int
    opened_at: datetime
    expires_at: datetime
    proof: Proof
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOverview:
    """One of a user's own sessions.

    Attributes:
        is_own: Whether it is the one that asks.
    """

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    proof: Proof
    client: str | None
    browser: str | None
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """A password that was made for somebody; shown once."""

    username: str
    password: str = field(repr=False)
