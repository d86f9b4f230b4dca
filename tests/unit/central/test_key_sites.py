# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses that security keys can be bound to."""

import pytest

from central.identity.security_keys.types import KeySite


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://console.example", ("console.example", "https://console.example")),
        ("https://console.example:443", ("console.example", "https://console.example")),
        ("https://console.example:8443", ("console.example", "https://console.example:8443")),
        ("http://localhost:8080", ("localhost", "http://localhost:8080")),
        ("http://console.example", None),  # browsers offer keys over TLS only
        ("https://192.0.2.7", None),  # and to names only
        ("http://127.0.0.1:8080", None),
        ("https://[::1]", None),
        ("ftp://localhost", None),
    ],
)
def test_keys_are_bound_to_a_protected_name(url: str, expected: tuple[str, str] | None) -> None:
    site = KeySite.of_url(url)

    assert (None if site is None else (site.host, site.origin)) == expected
