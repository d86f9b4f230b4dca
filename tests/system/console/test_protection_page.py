# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of data protection are usable by everybody, in both languages and colours."""

import pytest
from playwright.sync_api import Browser

from api.console.protection.views import (
    LOOKS_PATH,
    RELATIVES_PATH,
    REQUESTS_PATH,
    RETENTION_PATH,
    ROOT_PATH,
    RULES_PATH,
)
from api.pages.i18n import Language
from api.pages.rendering import Theme
from central.identity.permissions import Role
from tests.integration.api.world import World
from tests.system.console.test_accessibility import _violations

pytestmark = pytest.mark.system

PAGES = (
    ROOT_PATH,
    LOOKS_PATH,
    RULES_PATH,
    RELATIVES_PATH,
    RETENTION_PATH,
    REQUESTS_PATH,
    "/console/audit",
    "/console/audit/roots",
)


@pytest.mark.parametrize(
    ("language", "theme"), [(Language.VI, Theme.LIGHT), (Language.EN, Theme.DARK)]
)
def test_axe_finds_nothing_on_the_pages_of_data_protection(
    browser: Browser, world: World, language: Language, theme: Theme
) -> None:
    context = browser.new_context(
        base_url=world.api_url, bypass_csp=True, viewport={"width": 1366, "height": 900}
    )
    with world.signed_in_as(Role.DATA_PROTECTION_OFFICER) as client:
        cookies = dict(client.cookies)
    context.add_cookies(
        [
            {"name": name, "value": value, "url": f"{world.api_url}/console"}
            for name, value in {**cookies, "luuthong_theme": theme}.items()
        ]
    )
    page = context.new_page()
    found = {}
    for path in PAGES:
        page.goto(f"{path}?lang={language}")
        found[path] = _violations(page)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        found[f"{path} on a phone"] = ["wider than the screen"] if wide else []
    context.close()

    assert {name: each for name, each in found.items() if each} == {}
