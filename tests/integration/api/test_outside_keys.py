# SPDX-License-Identifier: AGPL-3.0-or-later
"""The identity provider changes the key that it signs with, as each does now and then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest

from central.identity.outside.provider import KEYS_AGAIN_AFTER
from deploy.local.ports import LOOPBACK, free_port
from tests.fixtures.oidc_provider import (
    DictKey,
    new_signing_key,
    running_provider,
    sign_in_there,
)
from tests.integration.api.world import CLIENT_SECRET, USERNAME, World, serving

LEAVE: Final = "/console/login/outside"
SUBJECT: Final = "a1b2-c3d4"
SIGNED_IN: Final = 303
REFUSED: Final = 422
OLD: Final = new_signing_key("2025")
NEW: Final = new_signing_key("2026")


@dataclass(kw_only=True)
class Centre:
    """A centre whose time the test sets, and the address of its provider."""

    world: World
    port: int
    passed: timedelta = timedelta()

    def came_back(self, key: DictKey) -> int:
        """How somebody fares who signs in while the provider signs with a key."""
        console_url = self.world.api_url
        with (
            running_provider(
                port=self.port,
                console_url=console_url,
                client_secret=CLIENT_SECRET,
                signing_key=key,
            ),
            httpx.Client(base_url=console_url, timeout=20) as browser,
        ):
            way_back = sign_in_there(browser, browser.get(LEAVE), subject=SUBJECT)
            return browser.get(way_back.headers["location"]).status_code


@pytest.fixture
def centre(world: World, tmp_path: Path) -> Iterator[Centre]:
    secret_file = tmp_path / "secret"
    secret_file.write_text(f"{CLIENT_SECRET}\n")
    made = Centre(world=world, port=free_port())
    port = free_port()
    outside = {
        "issuer": f"http://{LOOPBACK}:{made.port}",
        "client_secret_file": secret_file,
        "console_url": f"http://{LOOPBACK}:{port}",
        "name_vi": "cổng của tỉnh",
        "name_en": "the province's portal",
    }
    with psycopg.connect(world.owner_url) as rows:
        rows.execute(
            "INSERT INTO outside_identity (issuer, subject, user_id, linked_at)"
            " SELECT %s, %s, id, now() FROM app_user WHERE username = %s",
            [outside["issuer"], SUBJECT, USERNAME],
        )

    def clock() -> datetime:
        return datetime.now(UTC) + made.passed

    with serving(world, port=port, clock=clock, outside=outside):
        yield made


def test_a_provider_may_change_its_key_between_two_logins_and_the_old_one_opens_nothing_more(
    centre: Centre,
) -> None:
    before = centre.came_back(OLD)
    centre.passed += KEYS_AGAIN_AFTER
    afterwards = centre.came_back(NEW)
    withdrawn = centre.came_back(OLD)

    assert (before, afterwards) == (SIGNED_IN, SIGNED_IN)
    # Nobody is asked again so soon: made-up keys must not make us call the provider all the time.
    assert withdrawn == REFUSED
