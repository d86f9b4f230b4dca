# SPDX-License-Identifier: AGPL-3.0-or-later
"""Security keys in a real browser with a virtual authenticator: added, used, copied, lost."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from central.identity.permissions import Role
from tests.integration.api.world import World
from tests.system.console.conftest import WAIT_MS
from tests.system.console.test_accessibility import _violations
from tests.system.console.test_second_factor_page import NAME, sign_in

pytestmark = pytest.mark.system

ASK: Final = "[data-key-ask]"
PROBLEM: Final = "[data-key-problem]:not([hidden])"


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    """A window at the address that keys are bound to; axe is let in past the policy."""
    context = browser.new_context(base_url=world.console_url, bypass_csp=True)
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


class Authenticators:
    """Virtual keys of a page; one is plugged in at a time."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        self._plugged = ""

    def plug_in(self) -> None:
        """Replace the key by a new one, which answers as soon as it is asked."""
        if self._plugged:
            self._send("removeVirtualAuthenticator")
        made = self._session.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {"protocol": "ctap2", "transport": "usb", "isUserVerified": True}},
        )
        self._plugged = made["authenticatorId"]

    def touch_by_itself(self, *, enabled: bool) -> None:
        """Whether somebody touches the key when it blinks."""
        self._send("setAutomaticPresenceSimulation", enabled=enabled)

    def credential(self) -> dict[str, Any]:
        """What the plugged key holds."""
        (held,) = self._send("getCredentials")["credentials"]
        return dict(held)

    def put(self, credential: dict[str, Any]) -> None:
        """Copy a credential into the plugged key."""
        self._send("addCredential", credential=credential)

    def _send(self, command: str, **values: object) -> dict[str, Any]:
        told = {"authenticatorId": self._plugged, **values}
        return dict(self._session.send(f"WebAuthn.{command}", told))


def ask(page: Page) -> None:
    """Press the button and wait for the page after the answer."""
    with page.expect_navigation():
        page.click(ASK)


def add_key(page: Page, world: World) -> tuple[int, list[str]]:
    """Add the plugged key; returns how many recovery codes were shown, and what axe says."""
    with world.signed_in_as(Role.CLERK):
        sign_in(page, world)
    page.goto("/console/account/second-factor")
    page.fill("#key-name", "Khóa USB")
    page.fill("#key-password", world.passwords[NAME])
    with page.expect_navigation():
        page.click("form[action$='keys/begin'] button")
    faults = _violations(page)
    ask(page)
    codes = page.locator(".people-codes li").count()
    page.goto("/console/account/second-factor")
    for fold in page.locator(".factor-keys summary").all():
        fold.click()
    return codes, faults + _violations(page)


def test_somebody_adds_a_key_and_only_that_key_signs_in_and_no_copy_of_it(
    page: Page, world: World
) -> None:
    keys = Authenticators(page)
    keys.plug_in()
    codes, faults = add_key(page, world)
    early_copy = keys.credential()

    page.context.clear_cookies()
    sign_in(page, world)
    faults += _violations(page)
    keys.touch_by_itself(enabled=False)
    page.click(ASK)  # nobody touches the key: somebody gives up and begins again
    page.reload()
    keys.touch_by_itself(enabled=True)
    ask(page)
    page.wait_for_url("**/console/account")
    right = keys.credential()

    page.context.clear_cookies()
    keys.plug_in()
    sign_in(page, world)
    page.click(ASK)  # a key that nobody added
    page.wait_for_selector(PROBLEM)
    faults += _violations(page)
    keys.put(early_copy)
    ask(page)
    refused = page.locator(".notice-bad[role=alert]").first.inner_text()
    keys.plug_in()
    keys.put(right)
    ask(page)
    page.wait_for_url("**/console/account")

    assert faults == []
    assert codes == 10
    assert right["signCount"] > early_copy["signCount"]
    assert "Khóa không được chấp nhận" in refused
