# SPDX-License-Identifier: AGPL-3.0-or-later
"""The map in a real browser: drawn from what comes with the console, and a way into the list."""

from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.integration.api.world import SITE_ID, SITE_NAME, World

pytestmark = pytest.mark.system


@pytest.fixture
def placed(world: World) -> World:
    """The world, whose site stands somewhere."""
    with psycopg.connect(world.owner_url) as connection:
        connection.execute("UPDATE site SET latitude = 12.7, longitude = 108.1")
    return world


def test_a_sites_marker_tells_its_health_and_leads_to_its_line(placed: World, page: Page) -> None:
    complaints: list[str] = []
    hosts: set[str | None] = set()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))

    page.goto("/console/map?lang=en")
    expect(page.locator(".map-province")).to_be_visible()
    marker = page.get_by_role("button", name=f"{SITE_NAME}: Everything runs")
    marker.focus()
    page.keyboard.press("Enter")

    line = page.locator(f"#site-{SITE_ID}")
    expect(line).to_have_attribute("aria-current", "true")
    expect(line.locator("a")).to_be_focused()
    assert complaints == []  # the content security policy among them
    assert hosts == {urlsplit(placed.api_url).hostname}


def test_a_site_whose_place_nobody_told_is_in_the_list_only(world: World, page: Page) -> None:
    with psycopg.connect(world.owner_url) as connection:
        connection.execute("UPDATE site SET latitude = NULL, longitude = NULL")

    page.goto("/console/map?lang=en")

    expect(page.locator(".map-province")).to_be_visible()
    expect(page.locator(f"#site-{SITE_ID}")).to_contain_text("not known yet")
    expect(page.locator(".map-site")).to_have_count(0)
