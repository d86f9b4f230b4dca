# SPDX-License-Identifier: AGPL-3.0-or-later
"""A clerk in a real browser: search, purpose, papers; by keyboard, in both languages and widths."""

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.integration.api.test_registry_v1 import CLEAN, STATEMENTS, Registered
from tests.integration.api.world import USERNAME, World


@pytest.fixture
def truck(world: World) -> Iterator[Registered]:
    with psycopg.connect(world.database_url, autocommit=True) as connection:
        registered = Registered(connection)
        registered.run(*STATEMENTS)
        yield registered
        registered.run(*CLEAN)


@pytest.fixture
def page(context: BrowserContext, world: World) -> Page:
    opened = context.new_page()
    opened.goto("/console/login?next=/console/vehicles")
    opened.fill("#username", USERNAME)
    opened.fill("#password", world.password)
    opened.press("#password", "Enter")
    opened.wait_for_selector("#text")  # the address of the login ends like that of the page
    return opened


def test_a_vehicle_is_found_by_keyboard_and_its_state_is_seen_at_a_glance(
    page: Page, truck: Registered
) -> None:
    truck.add_permit(days=9)

    page.locator("#text").press_sequentially("20c-888.88")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#text").press("Enter")

    page.wait_for_url(f"**/console/vehicles/{truck.id}")
    expect(page.get_by_role("status").first).to_contain_text("không có phù hiệu")
    states = page.locator(".paper-state").all_inner_texts()
    assert states == ["Hiệu lực", "Không có", "Hiệu lực", "Sắp hết hạn"]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("width", [390, 1366])
def test_no_page_is_wider_than_the_screen(
    page: Page, truck: Registered, language: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})

    for address in ("/console/vehicles", f"/console/vehicles/{truck.id}?ask=true"):
        page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
        assert _fits(page), address
    page.select_option("#purpose", "dossier")
    page.click(".card-action")
    page.wait_for_url(f"**/console/vehicles/{truck.id}")

    assert _fits(page)


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
