# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about signing in by an outside provider."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class OutsideFault(StrEnum):
    """Why somebody did not come in by the provider; pages have words for each."""

    GONE = "gone"
    """The way back was used already, took too long, or began in another browser."""
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The provider says no, or says something that is no answer."""
    UNREACHABLE = "unreachable"
    NOT_TRUSTED = "not_trusted"
    """What the provider says of the person does not hold."""
    NOT_LINKED = "not_linked"
    SHUT_OUT = "shut_out"
    FACTOR_NEEDED = "factor_needed"
    TAKEN = "taken"
    """The outside account, or the user, is linked to another one already."""
    SIGNED_OUT = "signed_out"
    """The session that began to link ended meanwhile."""
    TOO_OFTEN = "too_often"


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunLogin:
    """A login that went to the provider and has not come back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    next_path: str
    linking_user_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A begun login, and the token by which its browser is known when it comes back."""

    login: BegunLogin
    token: str = field(repr=False)


class Strength(StrEnum):
    """What the provider says of how it asked the person."""

    ONE_FACTOR = "one_factor"
    TWO_FACTORS = "two_factors"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsidePerson:
    """Somebody of whom a provider has said who it is, and the saying was checked."""

    issuer: str
    subject: str = field(repr=False)
    strength: Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLink:
    """An outside account that opens a user's account."""

    issuer: str
    linked_at: datetime
