# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures enlarge and move by keys alone, and the focus comes back."""

import pytest
from playwright.sync_api import Page, expect

from tests.system.console.test_accessibility import _violations

pytestmark = pytest.mark.system


def test_a_picture_is_enlarged_moved_and_closed_by_keys(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.locator("#rows tr").nth(1).locator(".row-link").press("Enter")
    picture = page.locator("#detail .picture-scene a")
    picture.press("Enter")
    zoom = page.locator("#zoom")
    expect(zoom.locator("img")).to_be_visible()

    page.keyboard.press("+")
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")

    expect(zoom).to_have_attribute("data-scale", "1.96")
    assert "translate(60px" in zoom.locator("img").evaluate("picture => picture.style.transform")
    page.keyboard.press("0")
    expect(zoom).to_have_attribute("data-scale", "1.00")
    page.keyboard.press("Escape")
    expect(zoom).to_be_hidden()
    expect(picture).to_be_focused()
    expect(page.locator("#detail .detail")).to_be_visible()  # Esc closed the picture only
    assert complaints == []


def test_the_enlarged_picture_and_the_questions_are_accessible(page: Page) -> None:
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    url = page.locator("#rows .row-link").nth(1).get_attribute("href") or ""
    page.goto(url)
    page.locator(".picture-scene a").click()
    found = {"zoom": _violations(page)}
    page.goto("/console/passages/export")
    found["export"] = _violations(page)
    page.goto(f"{url}/similar")
    found["question"] = _violations(page)
    page.select_option("#purpose", "violation_case")
    page.locator("main button[type=submit]").click()
    page.wait_for_selector("#similar-title")
    found["similar"] = _violations(page)

    assert {name: each for name, each in found.items() if each} == {}
