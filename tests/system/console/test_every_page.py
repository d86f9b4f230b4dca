# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every page in a real browser: WCAG 2.2 AA by axe, budgets, widths, and nothing of other hosts."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError, ViewportSize  # noqa: A004  # playwright's own

from api.console.navigation import ENTRIES
from api.pages.assets import Assets
from api.pages.i18n import Language
from central.identity.permissions import Role
from tests.integration.api.test_second_factor_pages import password_of, set_up
from tests.integration.api.test_security_key_pages import add_key
from tests.integration.api.world import World
from tests.system.console.busy import SEES_ALL, busy_office, busy_roads
from tests.system.console.conftest import WAIT_MS
from tests.system.console.every_page import NO_PAGES, ONE_OF_EACH, WITH_QUERY, addresses, pages_of
from tests.system.console.test_accessibility import _violations, axe_faults

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]  # every page there is

SCRIPT_BYTES_MAX: Final = 45 * 1024
DRAWN_SCRIPT_BYTES_MAX: Final = 90 * 1024
PUBLIC_BYTES_MAX: Final = 60 * 1024
LOCALES: Final = {Language.VI: "vi-VN", Language.EN: "en-GB"}
OFFICE: Final = ViewportSize(width=1366, height=768)
OLD_SCREEN_PX, PHONE_PX = 1024, 390
FITS: Final = "width => document.documentElement.scrollWidth <= width"
STICKING_OUT: Final = """() => [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 6)
    .map((element) => `${element.tagName}.${element.className}`)"""
FIT_WAIT_MS: Final = 2000


@pytest.mark.parametrize("language", list(Language))
def test_every_page_of_roads_and_tolls_is_accessible_light_and_within_bounds(
    browser: Browser, world: World, language: Language
) -> None:
    with busy_roads(world):
        faults = _faults(browser, world, language, of_dossiers=False)

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("language", list(Language))
def test_every_page_of_dossiers_and_citizens_is_accessible_light_and_within_bounds(
    browser: Browser, world: World, language: Language
) -> None:
    with busy_office(world):
        faults = _faults(browser, world, language, of_dossiers=True)

    assert not faults, "\n".join(faults)


def test_every_page_with_a_variable_has_a_way_to_one_and_no_row_is_left_over(
    world: World,
) -> None:
    pages = set(pages_of(world.app))

    assert {path for path in pages if "{" in path} == set(ONE_OF_EACH)
    assert set(WITH_QUERY) <= pages
    assert {entry.path for entry in ENTRIES} <= pages
    assert not pages & NO_PAGES


def _faults(browser: Browser, world: World, language: Language, *, of_dossiers: bool) -> list[str]:
    """What is wrong with any page, one line each."""
    faults: list[str] = []
    with _window(browser, world, language) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for declared, address in addresses(world, of_dossiers=of_dossiers):
            asked.clear()
            answer = page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
            assert answer is not None
            if answer.status != 200:
                faults.append(f"{declared}: answers {answer.status}")
                continue
            faults += [f"{declared}: {fault}" for fault in _seen(page, world, asked)]
            if "{" in declared and page.locator("main #purpose").count() == 1:
                faults += [f"{declared}, asked why: {fault}" for fault in _told(page)]
    return faults


def _seen(page: Page, world: World, asked: list[str]) -> Iterator[str]:
    """What is wrong with the page on show."""
    yield from _violations(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    yield from (f"dark: {fault}" for fault in _contrast(page))
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    for width in (OLD_SCREEN_PX, PHONE_PX):
        page.set_viewport_size({"width": width, "height": 768})
        try:  # charts take a moment to follow
            page.wait_for_function(FITS, arg=width, timeout=FIT_WAIT_MS)
        except TimeoutError:
            yield f"wider than {width} px: {page.evaluate(STICKING_OUT)}"
    page.set_viewport_size(OFFICE)
    yield from (f"asks {url}" for url in asked if not url.startswith((world.api_url, "data:")))
    yield from _over_budget(page)


def _told(page: Page) -> Iterator[str]:
    """The page that shows itself once a purpose is given."""
    page.locator("main #purpose").select_option(index=1)
    with page.expect_navigation():
        page.locator("main form:has(#purpose) [type=submit]").first.click()
    yield from _violations(page)


def _over_budget(page: Page) -> Iterator[str]:
    """Scripts of a console page, and everything of a citizens' page, counted in bytes."""
    loaded: list[str] = page.evaluate(
        "performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    folder = Assets().folder
    if urlsplit(page.url).path.startswith("/public"):
        files = [folder / Path(urlsplit(url).path).name for url in loaded]
        whole = len(page.content().encode()) + sum(file.stat().st_size for file in files)
        if whole > PUBLIC_BYTES_MAX:
            yield f"{whole} bytes in all"
        return
    scripts = {Path(urlsplit(url).path).name for url in loaded if url.endswith(".js")}
    size = sum(len(gzip.compress((folder / name).read_bytes())) for name in scripts)
    allowed = SCRIPT_BYTES_MAX if len(scripts) == 1 else DRAWN_SCRIPT_BYTES_MAX
    if not 0 < size <= allowed:
        yield f"{size} bytes of scripts in {sorted(scripts)}"


def _contrast(page: Page) -> list[str]:
    """Colours that are too much alike, in the scheme on show."""
    return axe_faults(page, {"type": "rule", "values": ["color-contrast"]})


@contextmanager
def _window(browser: Browser, world: World, language: Language) -> Iterator[BrowserContext]:
    """A window of somebody who may open everything; axe is let in past the policy."""
    with world.signed_in_as(SEES_ALL) as client:
        cookies = dict(client.cookies) | _half_signed_in(world)
    context = browser.new_context(
        base_url=world.api_url,
        bypass_csp=True,
        viewport=OFFICE,
        locale=LOCALES[language],
    )
    context.set_default_timeout(WAIT_MS)
    for name, value in {**cookies, "luuthong_language": language}.items():
        context.add_cookies([{"name": name, "value": str(value), "url": world.api_url}])
    yield context
    context.close()


def _half_signed_in(world: World) -> dict[str, str]:
    """The cookie of somebody else whose password was right and whose code is still to come."""
    with world.signed_in_as(Role.CLERK) as clerk, httpx.Client(base_url=world.api_url) as client:
        set_up(world, clerk)
        add_key(world, clerk)
        answer = client.post("/v1/session", json=password_of(world))
        assert answer.json()["code"] == "second-factor-needed"
        return dict(client.cookies)
