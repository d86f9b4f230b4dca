# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rules at the door: origins, devices, bodies, settings, remembered plates."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request

from api.console.remembered import ENTRIES_MAX, KEEP, PlateShelf
from api.errors import CrossOriginError, DeviceUnauthorisedError
from api.security.cookies import needs_secure_cookie
from api.security.device import device_claim
from api.security.origin import require_same_origin
from api.settings import ApiSettings
from central.domain.plates import PlatePattern

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PATTERN = PlatePattern.parse("20A*")


def _request(
    *,
    method: str = "POST",
    scheme: str = "http",
    client: str = "127.0.0.1",
    **headers: str,
) -> Request:
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": scheme,
            "path": "/",
            "query_string": b"",
            "server": ("traffic.example", 443),
            "client": (client, 5000),
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in ({"host": "traffic.example"} | headers).items()
            ],
        }
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://traffic.example"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
async def test_our_own_pages_and_programs_may_change_things(headers: dict[str, str]) -> None:
    await require_same_origin(_request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://traffic.example.evil.example"},
        {"origin": "https://traffic.example:8443"},
        {"origin": "null"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "https://traffic.example"},
    ],
)
async def test_other_sites_may_not_change_things(headers: dict[str, str]) -> None:
    with pytest.raises(CrossOriginError):
        await require_same_origin(_request(**headers))


async def test_other_sites_may_link_to_us() -> None:
    await require_same_origin(_request(method="GET", sec_fetch_site="cross-site"))


def test_a_device_tells_its_name_and_secret() -> None:
    claim = device_claim(_request(authorization="Device gate-01:se:cret"))

    assert (claim.device_id, claim.secret) == ("gate-01", "se:cret")
    assert "cret" not in repr(claim)


@pytest.mark.parametrize(
    "authorization",
    ["", "Device", "Device x", "Device x:", "Basic eDp5", "Device X:y", f"Device x:{'y' * 257}"],
)
def test_anything_else_is_no_device(authorization: str) -> None:
    with pytest.raises(DeviceUnauthorisedError):
        device_claim(_request(authorization=authorization))


@pytest.mark.parametrize(
    ("scheme", "client", "is_secure"),
    [
        ("https", "203.0.113.9", True),
        ("https", "127.0.0.1", True),
        ("http", "127.0.0.1", False),
        ("http", "::1", False),
        ("http", "203.0.113.9", True),  # over a plain link the browser then keeps no cookie
    ],
)
def test_a_cookie_may_travel_in_the_clear_on_this_machine_only(
    scheme: str, client: str, *, is_secure: bool
) -> None:
    assert needs_secure_cookie(_request(scheme=scheme, client=client)) is is_secure


def test_a_remembered_plate_is_for_one_user_and_some_hours() -> None:
    shelf = PlateShelf()

    word = shelf.remember(PATTERN, user_id=1, now=NOW)

    assert shelf.recall(word, user_id=1, now=NOW) == PATTERN
    assert shelf.recall(word, user_id=2, now=NOW) is None
    assert shelf.recall(word, user_id=1, now=NOW + KEEP) is None
    assert shelf.recall("another-word-000", user_id=1, now=NOW) is None
    assert "20A" not in word


def test_remembered_plates_are_bounded_and_the_oldest_goes_first() -> None:
    shelf = PlateShelf()
    first = shelf.remember(PATTERN, user_id=1, now=NOW)

    words = [shelf.remember(PATTERN, user_id=1, now=NOW) for _ in range(ENTRIES_MAX)]

    assert shelf.recall(first, user_id=1, now=NOW) is None
    assert shelf.recall(words[0], user_id=1, now=NOW) == PATTERN


def test_settings_hold_bounds_and_refuse_what_they_do_not_know() -> None:
    settings = ApiSettings(database_url="postgresql://localhost/lt")

    assert settings.session_lifetime == timedelta(hours=12)
    for wrong in ({"database_url": "mysql://x"}, {"session_idle": "PT1S"}, {"nonsense": 1}):
        with pytest.raises(ValueError, match="validation error"):
            ApiSettings.model_validate({"database_url": "postgresql://localhost/lt"} | wrong)


@pytest.mark.parametrize("console_url", [None, "http://localhost:8000"])
def test_nobody_is_forwarded_to_nowhere_or_to_plain_http(console_url: str | None) -> None:
    with pytest.raises(ValueError, match="https_only needs a console_url with https"):
        ApiSettings.model_validate(
            {"database_url": "postgresql:///x", "https_only": True, "console_url": console_url}
        )
