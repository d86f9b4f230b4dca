# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about security keys."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import urlsplit
from uuid import UUID

from central.identity.second_factor.types import RecoveryCodes
from central.identity.types import LoginDelayed, LoginRefused

DEFAULT_PORTS: Final = {"https": 443, "http": 80}
LOCAL_NAME: Final = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySite:
    """What keys are bound to: they answer nobody else.

    Attributes:
        host: Name of the console's machine as browsers know it (the relying party's id).
        origin: The whole address without a path, as browsers tell it to keys.
    """

    host: str
    origin: str

    @classmethod
    def of_url(cls, url: str) -> Self | None:
        """The site at an address; ``None`` where browsers offer no keys.

        They do under https and a name, and on ``http://localhost``; never under a mere number.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_local = host == LOCAL_NAME or host.endswith(f".{LOCAL_NAME}")
        is_protected = parts.scheme == "https" or (parts.scheme == "http" and is_local)
        if not host or _is_number(host) or not is_protected:
            return None
        port = "" if parts.port in {None, DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
        return cls(host=host, origin=f"{parts.scheme}://{host}{port}")

    @property
    def netloc(self) -> str:
        """The host header of whoever came by this address."""
        return self.origin.partition("://")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a new key says of itself."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key as it is kept, to check its answers."""

    id: UUID
    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOverview:
    """A key as its owner sees it.

    Attributes:
        last_used_at: When it last opened a session; ``None`` when it never did.
    """

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyQuestion:
    """What a browser is to ask a key.

    Attributes:
        options: JSON, as WebAuthn names its parts; binary values are base64url.
    """

    options: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAdded:
    """The key counts from now on.

    Attributes:
        codes: Recovery codes for whoever had none; ``None`` when there were some.
    """

    codes: RecoveryCodes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged:
    """The key was renamed or taken away."""


class KeyFault(StrEnum):
    """Why keys stay as they are."""

    OFF = "keys_off"
    NAME = "key_name"
    TOO_MANY = "too_many_keys"
    NOT_BEGUN = "key_not_begun"
    NOT_PROVEN = "key_not_proven"
    NOT_THERE = "key_not_there"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefused:
    """The keys stay as they are."""

    fault: KeyFault


KeyRefusal = KeyRefused | LoginRefused | LoginDelayed
"""Values and no exceptions: a wrong password must be committed to be counted."""


def _is_number(host: str) -> bool:
    """Whether a host is an address in numbers."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
