# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which addresses webhooks may go to: an administrator must not reach into networks through us.

The address that was looked at is the address that is connected to: a name is resolved once, every
answer is judged, and the connection goes to one of them, so that a second answer of the DNS can't
lead elsewhere.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Self
from urllib.parse import urlsplit

from central.webhook_settings import WebhookSettings
from central.webhooks.errors import AddressRefusedError
from central.webhooks.types import URL_LENGTH_MAX

IpAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host for a port; raises ``OSError`` when there are none."""

ANSWERS_MAX: Final = 16
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_LOOK_UPS: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="webhook-dns")
"""A name server of others may hang for longer than an attempt; only look-ups like it wait."""

_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")

FORBIDDEN: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",  # shared by carriers
            "192.0.0.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "::/8",  # also addresses of IPv4 that are written in it
            "64:ff9b::/96",  # IPv4 behind a translator
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",  # Teredo and other protocols
            "2002::/16",  # 6to4, which carries an address of IPv4
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fec0::/10",
        ),
    )
)
"""Networks that count as not public, beside those that the standard library knows as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRules:
    """What addresses are allowed; see the settings of the same names."""

    ports_allowed: frozenset[int]
    networks_allowed: tuple[IPv4Network | IPv6Network, ...]
    plain_http_to_loopback: bool

    @classmethod
    def of(cls, settings: WebhookSettings) -> Self:
        """The rules that the settings lay down."""
        return cls(
            ports_allowed=frozenset(settings.ports_allowed),
            networks_allowed=settings.networks_allowed,
            plain_http_to_loopback=settings.plain_http_to_loopback,
        )

    def allows(self, address: IpAddress, *, is_plain: bool) -> bool:
        """Whether a connection to an address may be made, by plain HTTP or by TLS."""
        if is_plain:
            return self.plain_http_to_loopback and address.is_loopback
        listed = any(
            address.version == network.version and address in network
            for network in self.networks_allowed
        )
        return listed or is_public(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address of a receiver, taken apart; ``host`` is a name or a written IP address."""

    host: str
    port: int
    is_plain: bool


def is_public(address: IpAddress) -> bool:
    """Whether an address belongs to one machine on the internet at large."""
    if any(address.version == each.version and address in each for each in FORBIDDEN):
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_loopback
        and not address.is_link_local
        and not address.is_unspecified
    )


def target_of(url: str, rules: AddressRules) -> Target:
    """Take an address apart, and judge what can be judged without asking the DNS.

    Raises:
        AddressRefusedError: It is no address of a receiver; the reason is one word.
    """
    if len(url) > URL_LENGTH_MAX or _PRINTABLE.fullmatch(url) is None or "\\" in url:
        raise AddressRefusedError("malformed")
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise AddressRefusedError("malformed") from None
    is_plain = parts.scheme == "http"
    if parts.scheme != "https" and not (is_plain and rules.plain_http_to_loopback):
        raise AddressRefusedError("scheme")
    if "@" in parts.netloc or "#" in url:
        raise AddressRefusedError("malformed")
    host = parts.hostname or ""
    written = _written_address(host)
    if written is None and _HOST.fullmatch(host) is None:
        raise AddressRefusedError("malformed")
    if not is_plain and port not in rules.ports_allowed:
        raise AddressRefusedError("port")
    if written is not None and not rules.allows(written, is_plain=is_plain):
        raise AddressRefusedError("network")
    return Target(host=host, port=port, is_plain=is_plain)


async def addresses_of(
    target: Target, rules: AddressRules, *, resolver: Resolver
) -> tuple[IpAddress, ...]:
    """Addresses to connect to, in the order of the DNS; all of them were judged.

    Raises:
        AddressRefusedError: One of them is not allowed, or the name has too many.
        OSError: The name has none.
    """
    answers = tuple(dict.fromkeys(await resolver(target.host, target.port)))
    if len(answers) > ANSWERS_MAX:
        raise AddressRefusedError("answers")
    addresses = tuple(_written_address(each) for each in answers)
    found = tuple(each for each in addresses if each is not None)
    if len(found) != len(answers) or not all(
        rules.allows(each, is_plain=target.is_plain) for each in found
    ):
        raise AddressRefusedError("network")
    return found


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine's resolver knows."""
    found = await asyncio.get_running_loop().run_in_executor(
        _LOOK_UPS, partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    )
    return [str(address[0]) for *_, address in found]


def _written_address(host: str) -> IpAddress | None:
    """An IP address from its text; ``None`` for a name, and for an address with a zone."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id else address
