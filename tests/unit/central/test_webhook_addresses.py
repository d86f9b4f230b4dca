# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks go to machines on the internet, and to nothing behind our own walls."""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address
from typing import Final

import pytest

from central.webhook_settings import WebhookSettings
from central.webhooks.addresses import AddressRules, addresses_of, is_public, target_of
from central.webhooks.delivering import WAIT_MAX, wait_after
from central.webhooks.errors import AddressRefusedError

RULES: Final = AddressRules.of(WebhookSettings())


def rules(**settings: object) -> AddressRules:
    """Rules of some settings."""
    return AddressRules.of(WebhookSettings.model_validate(settings))


@pytest.mark.parametrize(
    "written",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.1", "0.1.2.3", "10.0.0.5", "172.16.0.1", "192.168.1.1",
        "169.254.169.254",  # where clouds keep their secrets
        "100.64.0.1", "100.127.255.255", "198.18.0.1", "192.0.2.1", "203.0.113.9", "192.88.99.1",
        "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:10.0.0.5", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1",
        "64:ff9b::a00:5", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "100::1",
        "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(written: str) -> None:
    assert not is_public(ip_address(written))


@pytest.mark.parametrize("written", ["1.1.1.1", "113.160.0.1", "2606:4700::1111", "2405:4800::1"])
def test_an_address_on_the_internet_is_allowed(written: str) -> None:
    assert is_public(ip_address(written))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.vn/a", "scheme"),
        ("ftp://example.vn/a", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("//example.vn/a", "scheme"),
        ("https://user:word@example.vn/", "malformed"),
        ("https://example.vn@127.0.0.1/", "malformed"),
        ("https://example.vn/#a", "malformed"),
        ("https://example.vn/ a", "malformed"),
        ("https://example.vn\\@127.0.0.1/", "malformed"),
        ("https://example.vn/\r\nHost: a", "malformed"),
        ("https://vận-tải.vn/", "malformed"),
        ("https:///a", "malformed"),
        ("https://[fe80::1%25eth0]/", "malformed"),
        ("https://example.vn:99999/", "malformed"),
        ("https://example.vn:22/", "port"),
        ("https://127.0.0.1/", "network"),
        ("https://[::1]/", "network"),
        ("https://[::ffff:169.254.169.254]/", "network"),
        ("https://example.vn/" + "a" * 500, "malformed"),
    ],
)
def test_an_address_that_hides_something_is_refused_when_it_is_typed(url: str, reason: str) -> None:
    with pytest.raises(AddressRefusedError) as refused:
        target_of(url, RULES)

    assert refused.value.reason == reason


def test_a_plain_address_of_a_receiver_is_taken_apart() -> None:
    target = target_of("https://Nhan-Tin.example.vn/hook?a=1", RULES)

    assert (target.host, target.port, target.is_plain) == ("nhan-tin.example.vn", 443, False)


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.5"],
        ["1.1.1.1", "127.0.0.1"],  # one good answer does not excuse a bad one
        ["::ffff:127.0.0.1"],
        ["fe80::1%eth0"],
        [f"1.1.1.{part}" for part in range(17)],
    ],
)
async def test_a_name_that_leads_inside_is_refused(answers: list[str]) -> None:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return answers

    target = target_of("https://example.vn/", RULES)

    with pytest.raises(AddressRefusedError):
        await addresses_of(target, RULES, resolver=resolver)


async def test_a_network_of_the_settings_is_allowed_and_its_neighbour_is_not() -> None:
    async def resolver(host: str, _port: int) -> Sequence[str]:
        return [{"near.example.vn": "10.1.2.3", "far.example.vn": "10.2.2.3"}[host]]

    allowed = rules(networks_allowed=["10.1.0.0/16"])
    near = target_of("https://near.example.vn/", allowed)
    far = target_of("https://far.example.vn/", allowed)

    assert await addresses_of(near, allowed, resolver=resolver) == (ip_address("10.1.2.3"),)
    with pytest.raises(AddressRefusedError):
        await addresses_of(far, allowed, resolver=resolver)


async def test_plain_http_goes_to_this_machine_only_and_only_in_development() -> None:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return ["1.1.1.1"]

    development = rules(plain_http_to_loopback=True)

    assert target_of("http://127.0.0.1:8000/a", development).port == 8000
    with pytest.raises(AddressRefusedError, match="network"):
        target_of("http://1.1.1.1/a", development)
    with pytest.raises(AddressRefusedError, match="network"):
        await addresses_of(
            target_of("http://example.vn/", development), development, resolver=resolver
        )
    with pytest.raises(AddressRefusedError, match="network"):
        target_of("https://127.0.0.1/", development)


def test_waits_grow_to_six_hours_and_stay_there() -> None:
    waits = [wait_after(attempt, spread=1.0) for attempt in (1, 2, 3, 6, 7, 1000)]

    assert waits == [
        timedelta(seconds=15),
        timedelta(minutes=1),
        timedelta(minutes=4),
        timedelta(seconds=15 * 4**5),  # 4 h 16 min
        WAIT_MAX,
        WAIT_MAX,
    ]
    assert wait_after(1, spread=1.25) == timedelta(seconds=18.75)
