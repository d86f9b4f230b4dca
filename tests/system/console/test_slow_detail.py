# SPDX-License-Identifier: AGPL-3.0-or-later
"""The detail beside the list when its answer is slow: what was asked last is what is shown."""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.system

DETAIL_URL: Final = re.compile(r"/console/passages/[0-9a-f-]{36}$")
ESCAPE: Final = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}));"
COUNT_ENDED: Final = """() => {
  let ended = 0;
  document.addEventListener("htmx:afterRequest", () => {
    ended += 1;
    document.documentElement.dataset.ended = String(ended);
  });
}"""


class HeldAnswers:
    """Requests for details that wait until the test lets them go on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._routes: list[Route] = []
        self._is_holding = True
        page.evaluate(COUNT_ENDED)
        page.route(DETAIL_URL, self._hold)

    def let_later_ones_pass(self) -> None:
        """Hold no further request; those held stay so."""
        self._is_holding = False

    def release(self) -> None:
        """Let every held request go on, and those to come; the browser may have given some up."""
        self.let_later_ones_pass()
        for route in self._routes:
            route.continue_()
        self._routes.clear()

    def expect_ended(self, count: int) -> None:
        """Wait until so many requests were answered or given up, and what came was shown."""
        expect(self._page.locator("html")).to_have_attribute("data-ended", str(count))

    def _hold(self, route: Route) -> None:
        if self._is_holding:
            self._routes.append(route)
        else:
            route.continue_()


def test_an_answer_that_comes_after_escape_does_not_open_the_detail_again(page: Page) -> None:
    page.locator("#rows tr").nth(0).click()
    expect(page.locator("#detail .detail")).to_be_visible()
    held = HeldAnswers(page)

    with page.expect_request(DETAIL_URL):
        page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(page.locator("[data-workspace]")).not_to_have_attribute("data-detail", "")
    held.release()
    held.expect_ended(1)

    expect(page.locator("#detail")).to_be_empty()
    expect(page.locator("[data-workspace]")).not_to_have_attribute("data-detail", "")
    expect(page.locator("#rows tr[data-selected]")).to_have_count(0)
    expect(page.locator("#rows .row-link").nth(1)).to_be_focused()


@pytest.mark.parametrize("way", ["Escape", "close button", "back"])
def test_a_detail_can_be_closed_before_its_first_answer(page: Page, way: str) -> None:
    address = page.url
    held = HeldAnswers(page)
    with page.expect_request(DETAIL_URL):
        page.locator("#rows tr").nth(2).click()
    expect(page.locator("#detail [data-close-detail]")).to_be_visible()

    if way == "Escape":
        page.keyboard.press("Escape")
    elif way == "back":
        page.go_back()
    else:
        page.click("#detail [data-close-detail]")
    expect(page.locator("#detail")).to_be_empty()
    held.release()
    held.expect_ended(1)

    expect(page.locator("#detail")).to_be_empty()
    assert page.url == address


def test_a_double_press_of_enter_asks_once_and_escape_still_closes(page: Page) -> None:
    held = HeldAnswers(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    page.keyboard.press("Escape")
    held.release()
    held.expect_ended(2)

    expect(page.locator("#detail")).to_be_empty()


def test_the_row_that_was_chosen_last_is_shown_whatever_comes_first(page: Page) -> None:
    held = HeldAnswers(page)
    rows = page.locator("#rows tr")
    with page.expect_request(DETAIL_URL):
        rows.nth(0).click()
    held.let_later_ones_pass()
    rows.nth(1).click()
    time = rows.nth(1).locator("time").inner_text()
    expect(page.locator("#detail .detail [data-detail-title]")).to_contain_text(time)

    held.release()
    held.expect_ended(2)

    expect(page.locator("#detail [data-detail-title]")).to_contain_text(time)
    expect(rows.nth(1)).to_have_attribute("data-selected", "")


def test_escape_pressed_twice_closes_the_detail_and_stays_on_the_list(page: Page) -> None:
    address = page.url
    page.locator("#rows tr").nth(2).click()
    expect(page.locator("#detail .detail")).to_be_visible()

    page.evaluate(f"() => {{ {ESCAPE} {ESCAPE} }}")

    expect(page.locator("#detail")).to_be_empty()
    page.wait_for_function("() => history.state === null")
    assert page.url == address
    expect(page.locator("#rows tr")).to_have_count(50)


def test_a_row_chosen_right_after_closing_opens_and_back_closes_it(page: Page) -> None:
    address = page.url
    rows = page.locator("#rows tr")
    rows.nth(2).click()
    expect(page.locator("#detail .detail")).to_be_visible()

    page.evaluate(f"() => {{ {ESCAPE} document.querySelectorAll('#rows .row-link')[4].click(); }}")
    time = rows.nth(4).locator("time").inner_text()
    expect(page.locator("#detail [data-detail-title]")).to_contain_text(time)
    page.wait_for_function("() => history.state?.detail === true")
    page.go_back()

    expect(page.locator("#detail")).to_be_empty()
    assert page.url == address
