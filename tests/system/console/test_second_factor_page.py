# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second factor in a real browser without scripts: set up, signed in with, accessible."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page
from pyotp import TOTP

from central.identity.permissions import Role
from tests.integration.api.world import World
from tests.system.console.conftest import WAIT_MS
from tests.system.console.test_accessibility import _violations

pytestmark = pytest.mark.system

NAME: Final = Role.CLERK.value


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    """A window in which nobody is signed in; axe is let in past the policy."""
    context = browser.new_context(base_url=world.api_url, bypass_csp=True)
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def press(page: Page) -> None:
    """Send the first form and wait for the answer."""
    with page.expect_navigation():
        page.locator("main button[type=submit]").first.click()


def sign_in(page: Page, world: World) -> None:
    """Type name and password."""
    page.goto("/console/login?next=/console/account")
    page.fill("#username", NAME)
    page.fill("#password", world.passwords[NAME])
    press(page)


def test_somebody_sets_an_app_up_and_signs_in_with_a_recovery_code(
    page: Page, world: World
) -> None:
    with world.signed_in_as(Role.CLERK):
        sign_in(page, world)
    page.goto("/console/account/second-factor")
    faults = _violations(page)

    page.fill("#begin-password", world.passwords[NAME])
    press(page)
    faults += _violations(page)
    qr = page.locator(".qr-box svg").bounding_box()
    page.fill("#code", "1")
    press(page)
    faults += _violations(page)
    page.fill("#code", TOTP(page.inner_text("#secret")).now())
    press(page)
    codes = page.locator(".people-codes li").all_inner_texts()
    faults += _violations(page)
    assert page.locator("main a").get_attribute("href") == "/console/account"
    page.context.clear_cookies()
    sign_in(page, world)
    faults += _violations(page)
    page.fill("#code", codes[0])
    press(page)
    page.wait_for_url("**/console/account")

    assert faults == []
    assert qr is not None
    assert min(qr["width"], qr["height"]) > 150
    assert len(codes) == 10
