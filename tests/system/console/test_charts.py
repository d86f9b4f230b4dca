# SPDX-License-Identifier: AGPL-3.0-or-later
"""The overview in a real browser: charts that can be walked through, and lists that live."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.integration.api.world import Seen, World

pytestmark = pytest.mark.system


def _open(page: Page) -> list[str]:
    """Open the overview; returns what the browser complains about, later complaints included."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/console/overview?lang=en")
    expect(page.locator("#chart-flow canvas")).to_be_visible()
    return complaints


def test_a_chart_is_walked_through_by_keys_and_says_what_its_table_says(page: Page) -> None:
    complaints = _open(page)
    picture = page.locator("#chart-flow [data-chart-picture]")
    cells = page.locator("#chart-flow tbody tr").first.locator("th, td").all_text_contents()

    picture.focus()
    page.keyboard.press("Home")

    expect(picture).to_have_attribute(
        "aria-valuetext", f"{cells[0]}: Today {cells[1]}, Same day last week {cells[2]}"
    )
    expect(page.locator("#chart-flow [data-chart-at]")).to_have_text(cells[0])
    expect(page.locator("#chart-flow [data-chart-value]").first).to_have_text(cells[1])
    assert complaints == []  # the content security policy among them


def test_charts_refresh_but_not_under_somebodys_hands(page: Page) -> None:
    _open(page)
    page.evaluate("document.querySelector('#charts').dataset.mark = 'old'")
    page.locator("#chart-speed summary, #chart-flow summary").first.click()

    page.evaluate("window.dispatchEvent(new Event('x'))")
    asked = page.evaluate(
        """() => { const part = document.querySelector('#charts');
        return part.dispatchEvent(new CustomEvent('htmx:beforeRequest',
            {bubbles: true, cancelable: true})); }"""
    )

    assert asked is False


def test_a_new_passage_stands_on_top_of_the_overview(page: Page, world: World) -> None:
    _open(page)
    expect(page.locator("[data-live-url]")).to_have_attribute("data-state", "open")

    (stored,) = world.store(Seen(plate="30F99999", captured_at=datetime.now(UTC)))

    first = page.locator("#rows tr").first
    expect(first).to_have_attribute("data-passage", str(stored.id))
    expect(page.locator("#rows tr")).to_have_count(8)
    first.locator(".row-link").click()
    page.wait_for_url(f"**/console/passages/{stored.id}")


def test_without_scripts_the_tables_are_there(context: BrowserContext, page: Page) -> None:
    browser = context.browser
    assert browser is not None
    state = page.context.storage_state()
    plain = browser.new_context(
        base_url=page.url.split("/console")[0], java_script_enabled=False, storage_state=state
    )
    opened = plain.new_page()

    opened.goto("/console/overview?lang=en")

    opened.locator("#chart-flow summary").click()
    expect(opened.locator("#chart-flow tbody tr").first).to_be_visible()
    expect(opened.locator("#chart-flow [data-chart-picture]")).to_be_hidden()
    plain.close()
