# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alerts in a real browser: a passage is committed, the worker judges it, the page shows it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from central.contracts.passage import EvidenceKind, PlateColour, VehicleClass
from central.registry.types import VehicleKind
from deploy.setup.places import PROJECT_FOLDER
from tests.integration.api.world import USERNAME, Seen, World, drawn_jpeg
from tests.integration.central.conftest import wait_until
from tests.integration.registered import Registered, give_badge, list_plate, register_vehicle
from tests.system.console.conftest import sign_in
from tests.system.console.test_accessibility import _violations

pytestmark = pytest.mark.system

STOP_WAIT_S: Final = 15
ROWS: Final = "#alert-rows tr"


@pytest.fixture(scope="module")
def worker(lasting_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The worker of the product, as a process of its own."""
    log_path = tmp_path_factory.mktemp("worker") / "log"
    with log_path.open("wb") as log_file:
        process = subprocess.Popen(
            (Path(sys.executable).with_name("luuthong-central"), "jobs"),
            env={
                "PATH": os.environ["PATH"],
                "LUUTHONG_CENTRAL_DATABASE_URL": lasting_world.database_url,
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
def truck(world: World) -> tuple[str, UUID]:
    """A transport truck without a badge: plate and vehicle."""
    plate = f"20C{uuid4().int % 100_000:05d}"
    with psycopg.connect(world.database_url) as connection:
        vehicle_id = register_vehicle(
            connection,
            Registered(plate=plate, colour=PlateColour.YELLOW, kind=VehicleKind.TRUCK),
        )
    return plate, vehicle_id


@pytest.fixture
def alerts(page: Page, worker: None) -> Page:
    """The open list, followed live."""
    del worker
    page.goto("/console/alerts")
    expect(page.locator("[data-alerts-url]")).to_have_attribute("data-state", "open")
    return page


def drive_by(world: World, plate: str, **changes: object) -> None:
    """A truck passes, with a picture."""
    scene, close = drawn_jpeg(seed=3), drawn_jpeg(seed=4, width=200, height=60)
    seen = {
        "plate": plate,
        "colour": PlateColour.YELLOW,
        "vehicle_class": VehicleClass.TRUCK,
        "pictures": ((EvidenceKind.SCENE, scene), (EvidenceKind.PLATE, close)),
        **changes,
    }
    for picture in (scene, close):
        world.upload(picture)
    world.store(Seen(**seen))  # type: ignore[arg-type]  # a test's keywords


def test_an_alert_appears_by_itself_is_announced_taken_and_closed(
    alerts: Page, world: World, truck: tuple[str, UUID]
) -> None:
    plate, _ = truck

    drive_by(world, plate)

    row = alerts.locator(ROWS)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Biển vàng không có phù hiệu")
    expect(row).to_contain_text("Cao")
    expect(alerts.locator("[data-announcement]")).to_contain_text("Cảnh báo mới")
    expect(alerts).to_have_title("(1) Cảnh báo · Lưu Thông")
    row.locator("a.row-link").focus()
    alerts.keyboard.press("Enter")
    expect(alerts.locator("h1")).to_have_text("Biển vàng không có phù hiệu")
    expect(alerts.locator(".picture img")).to_have_count(2)
    expect(alerts.locator("main")).to_contain_text("158/2024")
    expect(alerts.locator("main")).to_contain_text("theo số liệu ngày 05/01/2026")

    alerts.get_by_role("button", name="Nhận xử lý").press("Enter")
    expect(alerts.locator("main")).to_contain_text(f"{USERNAME} nhận xử lý")
    alerts.get_by_label("Lý do đóng").select_option("vehicle_stopped")
    alerts.get_by_label("Ghi chú").fill("Chốt Km 12")
    alerts.get_by_role("button", name="Đóng cảnh báo").press("Enter")
    expect(alerts.locator("main")).to_contain_text(f"{USERNAME} đóng")
    expect(alerts.locator("main")).to_contain_text("Chốt Km 12")
    alerts.goto("/console/alerts?view=closed")
    expect(alerts.locator(ROWS)).to_have_count(1)


def test_a_further_passage_changes_the_row_and_another_operator_makes_it_go(
    alerts: Page, world: World, context: BrowserContext, truck: tuple[str, UUID]
) -> None:
    plate, _ = truck
    drive_by(world, plate)
    expect(alerts.locator(".cell-sightings")).to_contain_text("1")

    drive_by(world, plate)

    expect(alerts.locator(".cell-sightings")).to_contain_text("2")
    expect(alerts.locator(ROWS)).to_have_count(1)
    other = context.new_page()
    other.goto(alerts.locator("a.row-link").get_attribute("href") or "")
    other.get_by_role("button", name="Nhận xử lý").click()
    expect(alerts.locator(ROWS)).to_have_count(0)
    expect(alerts.locator("[data-empty]")).to_be_visible()
    expect(alerts).to_have_title("Cảnh báo · Lưu Thông")


def test_who_acts_on_what_has_changed_is_told_and_nothing_is_saved(
    alerts: Page, world: World, context: BrowserContext, truck: tuple[str, UUID]
) -> None:
    plate, _ = truck
    drive_by(world, plate)
    expect(alerts.locator(ROWS)).to_have_count(1)
    url = alerts.locator("a.row-link").get_attribute("href") or ""
    alerts.goto(url)
    other = context.new_page()
    other.goto(url)
    other.get_by_role("button", name="Nhận xử lý").click()
    expect(other.locator("main")).to_contain_text("nhận xử lý")

    alerts.get_by_label("Lý do đóng").select_option("misread_plate")
    with alerts.expect_response("**/close") as answer:
        alerts.get_by_role("button", name="Đóng cảnh báo").click()

    assert answer.value.status == 409
    expect(alerts.get_by_role("alert")).to_contain_text("Người khác vừa xử lý")
    expect(alerts.get_by_label("Lý do đóng")).to_have_value("misread_plate")


def test_after_the_badge_no_alert_and_the_old_one_links_to_its_dossier(
    alerts: Page, world: World, truck: tuple[str, UUID]
) -> None:
    plate, vehicle_id = truck
    drive_by(world, plate)
    expect(alerts.locator(ROWS)).to_have_count(1)
    url = alerts.locator("a.row-link").get_attribute("href") or ""
    with psycopg.connect(world.database_url) as connection:
        give_badge(connection, vehicle_id)
        # What the decision about a dossier does; its own tests are in its own part.
        connection.execute(
            "UPDATE alert SET state = 'closed', closed_at = now(),"
            " closing_reason = 'ended_by_dossier', dossier_code = 'H55-261122-0001'"
        )
        list_plate(connection, "20A55555")

    drive_by(world, plate)
    drive_by(world, "20A55555")  # judged after it: when its alert is here, the truck had none
    alerts.goto("/console/alerts")
    expect(alerts.locator(ROWS)).to_have_count(1)

    expect(alerts.locator(ROWS)).to_contain_text("Trong danh sách theo dõi")
    alerts.goto(url)
    expect(alerts.get_by_role("link", name="H55-261122-0001")).to_have_attribute(
        "href", "/console/dossiers/H55-261122-0001"
    )


def test_late_passages_stand_in_a_list_of_their_own(
    alerts: Page, world: World, truck: tuple[str, UUID]
) -> None:
    plate, _ = truck
    drive_by(world, plate, is_late=True, captured_at=datetime.now(UTC) - timedelta(hours=2))
    with psycopg.connect(world.database_url) as connection:
        list_plate(connection, "20A55556")
    drive_by(world, "20A55556")
    expect(alerts.locator(ROWS)).to_have_count(1)  # the listed car's, which came after it

    alerts.goto("/console/alerts?view=late")

    expect(alerts.locator("tbody tr")).to_have_count(1)
    expect(alerts.locator("tbody tr")).to_contain_text("Biển vàng không có phù hiệu")


def test_the_watchlist_shows_entries_and_only_reviewers_edit_it(page: Page, world: World) -> None:
    with psycopg.connect(world.database_url) as connection:
        entry_id = list_plate(connection, "20A55557", colour=PlateColour.WHITE)
    page.goto("/console/watchlist")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".watch-new")).to_have_count(0)
    with httpx.Client(base_url=world.api_url) as client:
        client.post("/v1/session", json={"username": USERNAME, "password": world.password})
        refused = [
            client.post("/console/watchlist", data={"plate": "20A1"}).status_code,
            client.post(f"/console/watchlist/{entry_id}/remove").status_code,
        ]
    assert refused == [403, 403]
    _become(world, "reviewer")
    try:
        page.goto("/console/watchlist")
        page.locator(".watch-new summary").press("Enter")
        page.fill("#plate", "20a-555.58")
        page.select_option("#reason", "stolen")
        page.fill("#legal_basis", "Công văn 12/CV-PC08")
        page.fill("#last_day", "2020-01-01")
        page.get_by_role("button", name="Đưa vào danh sách").click()
        expect(page.locator("#day-problem")).to_be_visible()
        page.fill("#last_day", "")
        page.get_by_role("button", name="Đưa vào danh sách").click()
        expect(page.locator("tbody tr")).to_have_count(2)
        page.fill("#search-plate", "20A*57")
        page.press("#search-plate", "Enter")
        expect(page.locator("tbody tr")).to_have_count(1)
        assert "55557" not in page.url
        page.get_by_role("button", name="Gỡ").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody tr")).to_contain_text("20A-555.58")
    finally:
        _become(world, "operator")


@pytest.mark.usefixtures("worker")
def test_axe_finds_nothing_on_the_pages_of_control(
    browser: Browser, world: World, truck: tuple[str, UUID]
) -> None:
    context = browser.new_context(
        base_url=world.api_url, bypass_csp=True, viewport={"width": 1366, "height": 900}
    )
    page = context.new_page()
    sign_in(page, world)
    page.goto("/console/alerts")
    found = {"empty": _violations(page)}
    drive_by(world, truck[0])
    expect(page.locator(ROWS)).to_have_count(1)
    found["list"] = _violations(page)
    page.goto(page.locator("a.row-link").get_attribute("href") or "")
    found["alert"] = _violations(page)
    page.goto("/console/alerts?view=late")
    found["late"] = _violations(page)
    _become(world, "reviewer")
    try:
        with psycopg.connect(world.database_url) as connection:
            list_plate(connection, "20A55559")
        page.goto("/console/watchlist")
        page.locator(".watch-new summary").click()
        found["watchlist"] = _violations(page)
    finally:
        _become(world, "operator")
    context.close()

    assert {name: each for name, each in found.items() if each} == {}


def _become(world: World, role: str) -> None:
    """Give the one user of the tests another role."""
    with psycopg.connect(world.database_url) as connection:
        connection.execute("UPDATE app_user SET role = %s WHERE username = %s", [role, USERNAME])
