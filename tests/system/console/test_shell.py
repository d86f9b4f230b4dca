# SPDX-License-Identifier: AGPL-3.0-or-later
"""The frame around every page: menu, palette, keys, forms on broken links, life without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from central.identity.permissions import Role
from tests.integration.api.world import World
from tests.system.console.conftest import WAIT_MS

pytestmark = pytest.mark.system

SCRIPT = "<script>document.title='broken'</script>"


@pytest.fixture
def desk(browser: Browser, world: World) -> Iterator[Page]:
    """A page of somebody who may open everything."""
    yield from opened(browser, world, has_scripts=True)


@pytest.fixture
def plain_desk(browser: Browser, world: World) -> Iterator[Page]:
    """The same in a browser that runs no scripts."""
    yield from opened(browser, world, has_scripts=False)


def opened(browser: Browser, world: World, *, has_scripts: bool) -> Iterator[Page]:
    with world.signed_in_as(Role.DEMONSTRATOR) as client:
        cookies = dict(client.cookies)
    context = browser.new_context(base_url=world.api_url, java_script_enabled=has_scripts)
    context.set_default_timeout(WAIT_MS)
    for name, value in cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": world.api_url}])
    yield context.new_page()
    context.close()


def test_the_palette_leads_to_a_page_by_letters_without_marks(desk: Page) -> None:
    desk.goto("/console/passages")
    desk.wait_for_load_state("load")

    desk.keyboard.press("Control+k")
    desk.keyboard.type("nhat ky")
    expect(desk.locator("[data-palette-list] [role=option]:visible")).to_have_count(1)
    desk.keyboard.press("Enter")

    desk.wait_for_url("**/console/audit")


def test_the_palette_searches_a_plate_without_putting_it_into_the_address(desk: Page) -> None:
    desk.goto("/console/components")
    desk.wait_for_load_state("load")

    desk.keyboard.press("Control+k")
    desk.keyboard.type("30F25658")
    desk.keyboard.press("Enter")

    desk.wait_for_url("**/console/passages?p=*")
    assert "30F" not in desk.url
    expect(desk.locator("#rows tr")).to_have_count(10)


def test_the_palette_offers_the_buttons_of_the_page(desk: Page) -> None:
    desk.goto("/console/passages")
    desk.wait_for_load_state("load")

    desk.keyboard.press("Control+k")
    desk.keyboard.type("tam dung")
    desk.keyboard.press("Enter")

    expect(desk.locator("[data-live-pause]")).to_have_attribute("aria-pressed", "true")


def test_keys_work_on_every_list_and_show_themselves(desk: Page) -> None:
    desk.goto("/console/components")
    desk.wait_for_load_state("load")

    desk.keyboard.press("j")
    desk.keyboard.press("j")
    expect(desk.locator("main .row-link").nth(1)).to_be_focused()
    desk.keyboard.press("k")
    expect(desk.locator("main .row-link").first).to_be_focused()
    desk.keyboard.press("?")

    expect(desk.locator("#help")).to_be_visible()


def test_a_form_on_a_cut_link_keeps_what_was_typed_and_can_be_sent_again(desk: Page) -> None:
    desk.goto("/console/vehicles")
    desk.wait_for_load_state("load")
    form = desk.locator("main form").first
    form.locator("input.input").first.fill("20C*")
    form.locator("select").first.select_option(index=1)

    desk.context.set_offline(True)
    form.locator("[type=submit]").click()
    expect(desk.locator("[data-link-strip]")).to_be_visible()
    expect(form.locator("input.input").first).to_have_value("20C*")
    desk.context.set_offline(False)
    form.locator("[type=submit]").click()

    desk.wait_for_url("**/console/vehicles/search*")


def test_a_form_is_sent_once_however_often_one_clicks(desk: Page) -> None:
    desk.goto("/console/passages")
    desk.wait_for_load_state("load")
    sent: list[str] = []
    desk.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)

    desk.evaluate(
        """() => {
          const button = document.querySelector("main form [type=submit]");
          button.click(); button.click(); button.click();
        }"""
    )
    desk.wait_for_load_state("load")
    desk.wait_for_selector("#rows")

    assert len(sent) == 1


def test_what_htmx_could_not_fetch_is_told_and_can_be_asked_again(desk: Page) -> None:
    desk.clock.install()
    desk.goto("/console/passages")
    desk.wait_for_load_state("load")
    desk.route("**/console/overview/strip", lambda route: route.abort())
    desk.clock.fast_forward(16_000)  # the figures above the list are fetched every 15 s
    expect(desk.locator("[data-link-strip]")).to_be_visible()

    desk.unroute("**/console/overview/strip")
    with desk.expect_response("**/console/overview/strip"):
        desk.locator("[data-link-retry]").click()

    expect(desk.locator("[data-link-strip]")).to_be_hidden()


def test_a_page_without_connection_says_so(desk: Page) -> None:
    desk.goto("/console/passages")
    desk.wait_for_load_state("load")

    desk.context.set_offline(True)
    expect(desk.locator("[data-link-strip]")).to_be_visible()
    desk.context.set_offline(False)

    expect(desk.locator("[data-link-strip]")).to_be_hidden()


def test_the_menu_opens_and_closes_by_keyboard(desk: Page) -> None:
    desk.goto("/console/passages")
    desk.wait_for_load_state("load")
    head = desk.locator(".menu summary").first

    head.press("Enter")
    expect(desk.locator(".menu-links").first).to_be_visible()
    desk.keyboard.press("Escape")

    expect(desk.locator(".menu-links").first).to_be_hidden()
    expect(head).to_be_focused()


def test_reading_and_forms_need_no_script(plain_desk: Page) -> None:
    plain_desk.goto("/console/passages")
    plain_desk.locator(".menu summary").nth(1).click()
    plain_desk.locator(".menu-link[href='/console/vehicles']").click()
    plain_desk.wait_for_url("**/console/vehicles")
    plain_desk.goto("/console/passages")
    plain_desk.fill("#plate", "30F25658")
    plain_desk.press("#plate", "Enter")

    expect(plain_desk.locator("#rows tr")).to_have_count(10)


@pytest.mark.parametrize(
    ("path", "field"),
    [("/console/passages", "#plate"), ("/console/audit", "#actor"), ("/console/vehicles", "#text")],
)
def test_a_script_in_a_text_field_comes_back_as_text(desk: Page, path: str, field: str) -> None:
    desk.goto(path)
    box = desk.locator(field)
    box.evaluate("element => element.removeAttribute('maxlength')")
    box.fill(SCRIPT[:30])

    box.press("Enter")
    desk.wait_for_load_state("load")

    assert not desk.title().startswith("broken")
    assert desk.locator("main script").count() == 0
