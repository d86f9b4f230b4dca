# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about second factors."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from central.identity.types import LoggedIn, LoginDelayed, LoginRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorOverview:
    """What somebody has besides the password.

    Attributes:
        app_added_at: Since when codes of an app are asked for; ``None`` when there is no app.
        recovery_codes_left: Recovery codes that were not used yet.
        security_keys: How many security keys there are.
    """

    app_added_at: datetime | None
    recovery_codes_left: int
    security_keys: int

    @property
    def has_any(self) -> bool:
        """Whether signing in asks for more than the password."""
        return self.app_added_at is not None or self.security_keys > 0

    @property
    def has_codes(self) -> bool:
        """Whether there is a code to type."""
        return self.app_added_at is not None or self.recovery_codes_left > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A secret that an app is to take over; it counts once a code of it was typed.

    Attributes:
        secret: For typing, base32.
        uri: The same for a QR code, with the user's name.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodes:
    """Codes for a lost device; shown once."""

    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRemoved:
    """Codes are no longer asked for."""


class FactorFault(StrEnum):
    """Why a second factor was not changed."""

    WRONG_CODE = "wrong_code"
    NOT_BEGUN = "not_begun"
    THERE_ALREADY = "there_already"
    NOT_THERE = "not_there"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRefused:
    """The second factor stays as it is."""

    fault: FactorFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproof:
    """What somebody signed in types again before a factor is changed."""

    password: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStepEnded:
    """The step is unknown, too old, or had too many failures: begin with the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """The secret of an app as it is kept."""

    sealed: bytes = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None
    last_step: int


Refusal = LoginRefused | LoginDelayed | FactorRefused
StepOutcome = LoggedIn | LoginRefused | LoginDelayed | LoginStepEnded
"""Values and no exceptions: a refusal must be committed to be counted."""
