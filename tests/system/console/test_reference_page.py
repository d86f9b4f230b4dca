# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page about ``/v1`` in a real browser: accessible, and no wider than a telephone."""

import pytest
from playwright.sync_api import Browser

from api.pages.i18n import Language
from tests.integration.api.world import World
from tests.system.console.test_accessibility import _violations

pytestmark = pytest.mark.system

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("language", list(Language))
def test_the_page_about_the_interface_is_accessible_and_fits_a_telephone(
    browser: Browser, world: World, language: Language
) -> None:
    context = browser.new_context(
        base_url=world.api_url,
        bypass_csp=True,
        viewport=PHONE,  # type: ignore[arg-type]  # playwright's own dict
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"/docs?lang={language}")
    violations = _violations(page)
    is_too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.click("nav a[href='#search_passages']")
    context_is_shown = page.locator("#search_passages").is_visible()
    context.close()

    assert violations == []
    assert not is_too_wide
    assert context_is_shown
    assert all(url.startswith(world.api_url) for url in asked)
