# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of passages in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.integration.api.world import USERNAME, Seen, World
from tests.system.console.conftest import WAIT_MS, sign_in

pytestmark = pytest.mark.system


def test_a_wrong_password_is_told_and_the_right_one_opens_the_list(
    context: BrowserContext, world: World
) -> None:
    page = context.new_page()
    page.goto("/console")
    page.fill("#username", USERNAME)
    page.fill("#password", "wrong")
    page.press("#password", "Enter")

    expect(page.get_by_role("alert")).to_contain_text("không đúng")
    expect(page.locator("#username")).to_have_value(USERNAME)
    page.fill("#password", world.password)
    page.press("#password", "Enter")
    # Everybody begins at the first page of their menu.
    expect(page).to_have_url(re.compile("/console/overview$"))
    page.goto("/console/passages")
    expect(page.locator("#rows tr")).to_have_count(50)


def test_a_new_passage_appears_by_itself_on_top(page: Page, world: World) -> None:
    expect(page.locator("[data-live-status]")).to_have_text("Trực tiếp", timeout=WAIT_MS)
    total = int(page.locator("[data-total]").inner_text())

    world.store(Seen(plate="88A88888"))

    first = page.locator("#rows tr").first
    expect(first).to_contain_text("88A-888.88")
    expect(page.locator("[data-live-count]")).to_have_text("1 lượt mới")
    expect(page.locator("[data-total]")).to_have_text(str(total + 1))
    first.locator(".row-link").click()
    expect(page.locator("#detail .detail")).to_contain_text("88A-888.88")


def test_a_paused_list_stands_still_counts_and_then_goes_on(page: Page, world: World) -> None:
    expect(page.locator("[data-live-status]")).to_have_text("Trực tiếp")
    before = page.locator("#rows tr").first.get_attribute("id")

    page.click("[data-live-pause]")
    world.store(Seen(plate="88A00001"), Seen(plate="88A00002"))
    expect(page.locator("[data-live-count]")).to_have_text("2 lượt mới")
    paused = page.locator("#rows tr").first.get_attribute("id")
    page.click("[data-live-pause]")

    assert paused == before
    expect(page.locator("#rows")).to_contain_text("88A-000.01")
    expect(page.locator("#rows")).to_contain_text("88A-000.02")


def test_rows_that_came_while_the_link_was_broken_appear_after_it(
    page: Page, context: BrowserContext, world: World
) -> None:
    expect(page.locator("[data-live-status]")).to_have_text("Trực tiếp")

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    context.set_offline(True)
    world.store(Seen(plate="88A00003"))
    context.set_offline(False)

    expect(page.locator("#rows")).to_contain_text("88A-000.03", timeout=WAIT_MS)
    expect(page.locator("#rows tr", has_text="88A-000.03")).to_have_count(1)


def test_the_keyboard_alone_is_enough_to_look_through_the_list(page: Page) -> None:
    links = page.locator("#rows .row-link")

    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#detail .detail")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("#rows tr").nth(1)).to_have_attribute("data-selected", "")
    page.keyboard.press("Escape")
    expect(page.locator("#detail .detail")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("#plate")).to_be_focused()
    page.keyboard.type("j")
    expect(page.locator("#plate")).to_have_value("j")


def test_the_help_opens_by_key_and_single_letters_can_be_switched_off(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.uncheck("[data-keys-choice]")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()

    page.keyboard.press("j")

    expect(page.locator("#rows .row-link").nth(0)).not_to_be_focused()


def test_back_closes_the_detail_and_stays_on_the_list(page: Page) -> None:
    address = page.url
    page.locator("#rows tr").nth(2).click()
    expect(page.locator("#detail .detail")).to_be_visible()

    page.go_back()

    expect(page.locator("#detail .detail")).to_have_count(0)
    assert page.url == address


def test_a_search_narrows_the_list_and_no_plate_stands_in_any_address(page: Page) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))

    page.fill("#plate", "29b1-*")
    page.click("button:has-text('Tìm')")
    page.wait_for_url(re.compile("p="))

    expect(page.locator("#rows tr")).to_have_count(10)
    expect(page.locator("#plate")).to_have_value("29B1*")
    assert addresses
    assert not any("29B1" in address.upper() for address in addresses)


def test_older_pages_lead_on_and_back(page: Page) -> None:
    page.click("a[rel=next]")
    expect(page.locator("#rows tr")).to_have_count(10)
    expect(page.locator("[data-live-url]")).to_have_count(0)

    page.click("a[rel=prev]")

    expect(page.locator("#rows tr")).to_have_count(50)


def test_the_page_works_without_scripts(browser: Browser, world: World) -> None:
    plain = browser.new_context(base_url=world.api_url, java_script_enabled=False)
    page = plain.new_page()
    sign_in(page, world)

    page.select_option("#vehicle_class", "truck")
    page.click("button:has-text('Tìm')")
    expect(page.locator("#rows tr")).to_have_count(20)
    page.locator("#rows .row-link").first.click()

    expect(page.locator("h1")).to_contain_text("Lượt xe lúc")
    expect(page.locator(".char")).not_to_have_count(0)
    plain.close()


def test_a_phone_shows_the_list_without_sideways_scrolling(browser: Browser, world: World) -> None:
    phone = browser.new_context(
        base_url=world.api_url,
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
    )
    page = phone.new_page()
    sign_in(page, world)

    list_width = page.evaluate("document.documentElement.scrollWidth")
    page.locator("#rows tr").nth(1).tap()
    expect(page.locator("#detail .detail")).to_be_visible()
    detail_width = page.locator("#detail").evaluate("element => element.scrollWidth")

    assert list_width == 390
    assert detail_width == 390
    phone.close()


def test_nothing_is_fetched_from_elsewhere_and_nothing_breaks_the_policy(
    context: BrowserContext, world: World
) -> None:
    page = context.new_page()
    fetched: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, world)

    page.locator("#rows tr").nth(1).click()
    expect(page.locator("#detail .detail")).to_be_visible()

    assert [url for url in fetched if not url.startswith(world.api_url)] == []
    assert complaints == []


def test_signing_out_ends_the_session_in_the_browser(page: Page) -> None:
    page.click("button:has-text('Đăng xuất')")
    expect(page).to_have_url(re.compile("/console/login"))

    page.goto("/console/passages")

    expect(page).to_have_url(re.compile(r"/console/login\?next="))
