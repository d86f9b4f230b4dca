# SPDX-License-Identifier: AGPL-3.0-or-later
"""WCAG 2.2 AA as far as axe-core can tell, and the budget of a page."""

import gzip
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from api.pages.assets import Assets
from api.pages.i18n import Language
from api.pages.rendering import Theme
from tests.integration.api.world import CAMERA_ID, DEVICE_ID, World, drawn_jpeg
from tests.system.console.conftest import sign_in

pytestmark = pytest.mark.system

AXE = Path(__file__).parents[3] / "api" / "console" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})
    .then(({passes, violations}) => ({looked: passes.length, violations}))"""
"""Only what is wrong is worked out in full: a page's ten thousand right elements take longest."""

SCRIPT_BYTES_MAX = 45 * 1024
DRAWING_BYTES_MAX = 90 * 1024
STYLE_BYTES_MAX = 15 * 1024


@pytest.mark.parametrize(
    ("language", "theme"), [(Language.VI, Theme.LIGHT), (Language.EN, Theme.DARK)]
)
def test_axe_finds_nothing_in_states_that_have_no_address(
    browser: Browser, world: World, language: Language, theme: Theme
) -> None:
    # The policy of our pages forbids foreign scripts, and axe is one: it is let in for the test.
    context = browser.new_context(
        base_url=world.api_url, bypass_csp=True, viewport={"width": 1366, "height": 900}
    )
    page = context.new_page()
    page.goto(f"/console/login?lang={language}")
    context.add_cookies(
        [{"name": "luuthong_theme", "value": theme, "url": f"{world.api_url}/console"}]
    )
    sign_in(page, world)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.locator("#rows tr").nth(1).click()
    expect(page.locator("#detail .detail")).to_be_visible()
    found = {"list with detail": _violations(page)}
    page.goto("/console/passages?period=custom")
    found["filters"] = _violations(page)
    page.fill("#plate", "ZZ*")
    page.press("#plate", "Enter")
    page.wait_for_selector("[data-empty]")
    found["empty"] = _violations(page)
    page.goto("/console/overview")
    expect(page.locator("#chart-flow canvas")).to_be_visible()
    page.locator("#chart-flow summary").click()
    found["overview"] = _violations(page)
    page.goto("/console/nowhere")
    found["error"] = _violations(page)
    found |= _of_a_picture_of_now(page, world)
    context.close()

    assert {name: each for name, each in found.items() if each} == {}


def _of_a_picture_of_now(page: Page, world: World) -> dict[str, list[str]]:
    """The question, the wait, and the picture: each exists for minutes, and for one user only."""
    found = {}
    page.goto(f"/console/cameras/{DEVICE_ID}/frames?camera={CAMERA_ID}")
    found["picture of now asked for"] = _violations(page)
    page.locator("main #purpose").select_option(index=1)
    with page.expect_navigation():
        page.locator("main form:has(#purpose) [type=submit]").click()
    expect(page.locator("#live-frame .empty")).to_be_visible()
    found["picture of now waited for"] = _violations(page)
    with psycopg.connect(world.owner_url) as owner:
        owner.execute(
            "UPDATE live_frame SET answered_at = now(), picture = %s", [drawn_jpeg(seed=3)]
        )
    expect(page.locator("#live-frame img")).to_be_visible()
    found["picture of now"] = _violations(page)
    with psycopg.connect(world.owner_url) as owner:
        owner.execute("DELETE FROM live_frame")
    return found


def test_scripts_and_styles_stay_within_their_budget() -> None:
    folder = Assets().folder

    def size(pattern: str) -> int:
        return sum(_compressed(path) for path in folder.glob(pattern))

    assert 0 < size("app-*.js") <= SCRIPT_BYTES_MAX
    assert 0 < size("app-*.css") + size("public-*.css") <= STYLE_BYTES_MAX
    for drawing in ("charts", "map"):
        assert size(f"{drawing}-*.js") > 0
        assert size("app-*.js") + size(f"{drawing}-*.js") <= DRAWING_BYTES_MAX


def test_the_licences_of_what_is_bundled_come_along() -> None:
    (licences,) = Assets().folder.glob("licences-*.txt")

    assert "htmx.org" in licences.read_text(encoding="utf-8")


def _violations(page: Page) -> list[str]:
    """What axe finds wrong, one line each."""
    return axe_faults(page, {"type": "tag", "values": TAGS})


def axe_faults(page: Page, rules: dict[str, Any]) -> list[str]:
    """What axe finds wrong by some of its rules, one line each; it is let in once per page."""
    if page.evaluate("typeof axe === 'undefined'"):
        assert AXE.is_file(), "axe-core is not installed: npm ci in api/console"
        page.evaluate(AXE.read_text(encoding="utf-8"))
    result: dict[str, Any] = page.evaluate(RUN_AXE, rules)
    assert result["looked"], "axe looked at nothing"
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def _compressed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))
