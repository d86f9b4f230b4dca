# SPDX-License-Identifier: AGPL-3.0-or-later
"""The toll's pages in a real browser, with crossings that the product's own worker makes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from central.domain.local_time import local_date
from deploy.setup.places import PROJECT_FOLDER
from tests.integration.api.tolling import CAR_ACCOUNT, TRUCK_ACCOUNT, TollWorld, toll_world
from tests.integration.api.world import USERNAME, World
from tests.integration.central import tolls
from tests.integration.central.conftest import wait_until
from tests.system.console.conftest import WAIT_MS, sign_in
from tests.system.console.test_accessibility import _violations

pytestmark = pytest.mark.system

STOP_WAIT_S: Final = 15
ROWS: Final = ".toll-table tbody tr"
PHONE: Final = 390


@pytest.fixture(scope="module")
def worker(lasting_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The worker of the product, as a process of its own; it waits a second, not half a minute."""
    log_path = tmp_path_factory.mktemp("worker") / "log"
    with log_path.open("wb") as log_file:
        process = subprocess.Popen(
            (Path(sys.executable).with_name("luuthong-central"), "jobs"),
            env={
                "PATH": os.environ["PATH"],
                "LUUTHONG_CENTRAL_DATABASE_URL": lasting_world.database_url,
                "LUUTHONG_CENTRAL_TOLLING__MATCH_WINDOW": "PT1S",
                "LUUTHONG_CENTRAL_TOLLING__SETTLE_AFTER": "PT1S",
                "LUUTHONG_CENTRAL_TOLLING__WAIT": "PT1S",
            },
            cwd=PROJECT_FOLDER,
            stdout=log_file,
            stderr=log_file,
        )
    wait_until(lambda: "jobs_started" in log_path.read_text("utf-8"), what="the worker starts")
    yield
    process.send_signal(signal.SIGTERM)
    process.wait(STOP_WAIT_S)


@pytest.fixture
def station(world: World, worker: None) -> Iterator[TollWorld]:
    """A toll station; the one user of the tests is its auditor meanwhile."""
    del worker
    with toll_world(world) as made:
        _become(world, "toll_auditor")
        yield made
        _become(world, "operator")


def settled(station: TollWorld, state: str, count: int = 1) -> None:
    """Wait until the worker has brought so many crossings into a state."""
    with closing(psycopg.connect(station.world.owner_url, autocommit=True)) as rows:

        def is_settled() -> bool:
            found = rows.execute(
                "SELECT count(*) FROM toll_crossing WHERE state = %s", [state]
            ).fetchone()
            return found == (count,)

        wait_until(is_settled, what=f"{count} crossings are {state}")


def test_a_tag_and_a_passage_become_a_charge_on_the_page(station: TollWorld, page: Page) -> None:
    page.goto("/console/tolls")
    expect(page.locator(".toll-sum dd")).to_have_text("0 ₫")

    station.truck(datetime.now(UTC))

    expect(page.locator(".toll-sum dd")).to_have_text("75.000 ₫", timeout=WAIT_MS)  # by itself
    page.reload()
    row = page.locator(ROWS)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Đã thu")
    row.locator("a.row-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".detail-summary")).to_contain_text("75.000 ₫")
    expect(page.locator(".picture img")).to_have_count(2)
    expect(page.locator("main")).to_contain_text(TRUCK_ACCOUNT)


def test_a_review_is_decided_by_keyboard(station: TollWorld, page: Page) -> None:
    station.truck(datetime.now(UTC), tag=None)
    settled(station, "review")
    page.goto("/console/tolls/review")
    page.locator(f"{ROWS} a.row-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#decision-title")).to_be_visible()
    account = page.get_by_label("Tài khoản giao thông")
    expect(account).to_have_value(TRUCK_ACCOUNT)

    account.focus()
    page.keyboard.press("Tab")
    expect(page.locator("#vehicle_group")).to_be_focused()
    page.keyboard.press("3")
    page.keyboard.press("ArrowDown")
    page.locator("#vehicle_group").select_option("3")
    page.keyboard.press("Tab")
    page.keyboard.type("Ảnh rõ")
    page.keyboard.press("Enter")

    page.wait_for_url("**/console/tolls/review")
    expect(page.locator(".empty")).to_be_visible()
    page.goto("/console/tolls?state=charged")
    expect(page.locator(ROWS)).to_have_count(1)


def test_who_decides_what_was_decided_meanwhile_is_told_and_finds_back(
    station: TollWorld, page: Page, context: BrowserContext
) -> None:
    station.truck(datetime.now(UTC), tag=None)
    settled(station, "review")
    address = f"/console/tolls/{station.crossing_id('review')}"
    page.goto(address)
    other = context.new_page()
    other.goto(address)
    other.get_by_label("Lý do").select_option("paid_otherwise")
    other.get_by_role("button", name="Miễn thu").click()
    other.wait_for_url("**/console/tolls/review")

    page.get_by_label("Lý do").select_option("not_tolled")
    with page.expect_response("**/decide") as answer:
        page.get_by_role("button", name="Miễn thu").click()

    assert answer.value.status == 409
    expect(page.get_by_role("alert")).to_contain_text("Người khác đã xử lý trước")
    expect(page.locator(".toll-history")).to_contain_text("Đã trả bằng cách khác")
    page.locator(".detail-head a.button").click()
    expect(page.locator("h1")).to_have_text("Thu phí")


def test_a_refused_car_pays_after_its_top_up_and_gets_it_back(
    station: TollWorld, page: Page
) -> None:
    station.car(datetime.now(UTC))
    settled(station, "refused")
    page.goto(f"/console/tolls/{station.crossing_id('refused')}")
    charge = page.get_by_role("button", name="Thu phí", exact=True)
    charge.click()
    expect(page.get_by_role("alert")).to_contain_text("35.000 ₫")
    station.top_up(CAR_ACCOUNT, 100_000)

    charge.click()

    expect(page.locator(".detail-summary")).to_contain_text("Đã thu")
    page.locator(".toll-refund summary").click()
    page.locator("#refund_reason").select_option("complaint_upheld")
    page.get_by_role("button", name="Hoàn 35.000 ₫").click()
    expect(page.locator(".detail-summary")).to_contain_text("Đã hoàn tiền")
    expect(page.locator(".toll-history")).to_contain_text("Khiếu nại đúng")


def test_the_day_is_closed_and_compared_with_a_file_from_the_toll_page(
    station: TollWorld, page: Page, tmp_path: Path
) -> None:
    station.truck(datetime.now(UTC))
    settled(station, "charged")
    page.goto("/console/tolls")
    page.get_by_role("link", name="Ngày đã chốt").click()
    page.locator("input[name=so_far]").check()
    page.get_by_role("button", name="Chốt ngày").click()
    expect(page.locator(".detail-summary")).to_contain_text("75.000 ₫")
    broken = tmp_path / "sai.csv"
    broken.write_text(f"{HEADER}\nkhông phải mã,TK-TRUCK,{_noon()},75000\n", encoding="utf-8")

    page.set_input_files("#file", broken)
    page.get_by_role("button", name="Đối chiếu và chốt lại").click()

    expect(page.get_by_role("alert")).to_contain_text("Dòng 2:")
    good = tmp_path / "doi-soat.csv"
    good.write_text(f"{HEADER}\n", encoding="utf-8")
    page.set_input_files("#file", good)
    page.get_by_role("button", name="Đối chiếu và chốt lại").click()
    expect(page.locator("main")).to_contain_text("doi-soat.csv")
    expect(page.locator(".toll-facts tbody tr")).to_have_count(1)


def test_axe_finds_nothing_on_the_pages_of_the_toll(
    browser: Browser, station: TollWorld, tmp_path: Path
) -> None:
    context = browser.new_context(
        base_url=station.world.api_url, bypass_csp=True, viewport={"width": 1366, "height": 768}
    )
    page = context.new_page()
    sign_in(page, station.world)
    look = _Look(page)
    look.at("empty-list", "/console/tolls")
    look.at("empty-review", "/console/tolls/review")
    look.at("empty-days", "/console/tolls/days")

    _fill(station)

    look.at("nothing-found", "/console/tolls?day=2020-01-01")
    look.at("review", "/console/tolls/review")
    for state in ("review", "charged", "refused", "exempt"):
        look.at(state, f"/console/tolls/{station.crossing_id(state)}")
    _close_with_differences(station, page, tmp_path)
    look.at("day", page.url)
    context.close()

    assert look.faults == {}


HEADER: Final = "crossing_id,account_number,debited_at,amount_dong"


class _Look:
    """Looks at pages on an office screen and on a phone, and keeps what is wrong with them."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.faults: dict[str, list[str]] = {}

    def at(self, name: str, address: str) -> None:
        """Look at one page."""
        self._page.goto(address)
        for width, height in ((1366, 768), (PHONE, 844)):
            self._page.set_viewport_size({"width": width, "height": height})
            faults = _violations(self._page)
            wide = self._page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                faults.append(f"{wide} pixels wide")
            if faults:
                self.faults[f"{name} {width}"] = faults


def _fill(station: TollWorld) -> None:
    """One crossing of every outcome, each a few seconds from the others."""
    now = datetime.now(UTC)
    station.truck(now - timedelta(seconds=60))
    settled(station, "charged")
    station.car(now - timedelta(seconds=50))
    settled(station, "refused")
    station.truck(now - timedelta(seconds=40), tag=None)
    settled(station, "review")
    with closing(psycopg.connect(station.world.owner_url, autocommit=True)) as rows:
        rows.execute("UPDATE toll_account SET is_priority = true WHERE number = %s", [CAR_ACCOUNT])
    station.car(now - timedelta(seconds=30))
    settled(station, "exempt")


def _close_with_differences(station: TollWorld, page: Page, folder: Path) -> None:
    """Close today so far, and take a file in that differs in two ways; ends on the day's page."""
    ours = station.crossing_id("charged")
    file = folder / "provider-a-2026.csv"
    file.write_text(
        f"{HEADER}\n"
        f"{ours},{TRUCK_ACCOUNT},{_noon()},50000\n"
        f"{tolls.made_id('extra')},{TRUCK_ACCOUNT},{_noon()},35000\n",
        encoding="utf-8",
    )
    page.goto("/console/tolls/days")
    page.locator("input[name=so_far]").check()
    page.locator(".toll-filters button[type=submit]").click()
    page.set_input_files("#file", file)
    page.locator(".toll-upload button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(file.name)


def _noon() -> str:
    """A time of today in Vietnam, as a provider writes it."""
    return f"{local_date(datetime.now(UTC))} 12:00:00"


def _become(world: World, role: str) -> None:
    """Give the one user of the tests another role."""
    with psycopg.connect(world.database_url) as connection:
        connection.execute("UPDATE app_user SET role = %s WHERE username = %s", [role, USERNAME])
