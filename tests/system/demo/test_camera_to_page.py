# SPDX-License-Identifier: AGPL-3.0-or-later
"""A vehicle passes a camera, and an operator finds it on a page: nothing in between is replaced.

Rendered video → edge program → mosquitto → ingest → PostgreSQL → api → Chromium.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.demo.choices import View
from deploy.demo.clip import Clip, demonstration_plan
from deploy.demo.device import ready_device
from deploy.demo.playing import PlayOrder, play
from deploy.demo.records import event_ledger, stored_passages
from deploy.demo.results import Comparison, EventLedger, compare
from deploy.local.administrators import make_first_administrator
from deploy.local.provision import Part, is_present
from deploy.local.stack import LocalStack
from deploy.setup.components import Servers
from edge.outbox.store import look_into
from models.datasets.synth.road.plan import Heading, ScenePlan, demo_plan
from models.datasets.synth.scene_video import write_clip
from models.runtime.values import PlateColour, VehicleClass
from tests.conftest import temporary_place

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

VEHICLES = 5
TAXI = 3
WIDTH, HEIGHT = 1366, 768
PAGE_LIMIT_MS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished playing of the clip on a running stack."""

    page_url: str
    username: str
    password: str
    device_code: int
    ledger: EventLedger
    comparison: Comparison


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the servers' account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="lt-page-", dir=temporary_place()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    plan = with_a_taxi(demo_plan(vehicle_count=VEHICLES, seed=7))
    video = tmp_path_factory.mktemp("clip") / "road.mp4"
    return Clip(video=video, truth=write_clip(plan, video), plan=plan)


def with_a_taxi(plan: ScenePlan) -> ScenePlan:
    """The plan with a taxi of the demonstration, whose roof light looks like a plate."""
    taxi = next(
        vehicle
        for vehicle in demonstration_plan().vehicles
        if vehicle.heading is Heading.LEAVING
        and vehicle.vehicle_class is VehicleClass.CAR
        and vehicle.plate.colour is PlateColour.YELLOW
    )
    vehicles = tuple(
        replace(taxi, number=vehicle.number, line_s=vehicle.line_s)
        if vehicle.number == TAXI
        else vehicle
        for vehicle in plan.vehicles
    )
    return replace(plan, vehicles=vehicles)


@pytest.fixture(scope="module")
def run(home: Path, clip: Clip, servers: Servers) -> Iterator[Run]:
    """The stack with one clip played through it."""
    assert servers.mosquitto.is_file()
    stack = LocalStack(home)
    state = stack.start()
    try:
        administrator = make_first_administrator(state, now=datetime.now(UTC))
        assert administrator is not None
        since = datetime.now(UTC)
        device = ready_device(stack, home / "demo", now=since)
        order = PlayOrder(
            source=str(clip.video), view=View.GATE, log_file=stack.layout.log_file("demo-edge")
        )
        code = play(device, order, on_poll=lambda _elapsed_s: None)
        outbox = look_into(device.outbox)
        yield Run(
            page_url=state.page_url,
            username=administrator.username,
            password=administrator.password,
            device_code=code,
            ledger=event_ledger(state.database_url, outbox),
            comparison=compare(clip.truth, stored_passages(state.database_url, since=since)),
        )
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, run: Run) -> Iterator[Page]:
    """The page of passages, signed in."""
    if not is_present(Part.ASSETS):
        pytest.skip("the page's assets are not built; ./luuthong test builds them")
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, locale="vi-VN")
    opened = context.new_page()
    opened.set_default_timeout(PAGE_LIMIT_MS)
    opened.goto(run.page_url)
    opened.get_by_label("Tên đăng nhập").fill(run.username)
    opened.get_by_label("Mật khẩu").fill(run.password)
    opened.get_by_role("button", name="Đăng nhập").click()
    opened.wait_for_url(run.page_url)
    yield opened
    context.close()


def test_every_event_of_the_device_is_stored_once(run: Run) -> None:
    assert run.device_code == 0
    assert run.ledger.made == run.ledger.stored > 0
    assert (run.ledger.missing, run.ledger.waiting, run.ledger.quarantined) == (0, 0, 0)


def test_every_vehicle_gets_one_passage(run: Run) -> None:
    assert run.comparison.missing_count == 0
    assert run.comparison.doubled_count == 0
    assert run.comparison.strays == ()


def test_most_plates_are_read_right(run: Run) -> None:
    assert run.comparison.right_count >= VEHICLES - 1


def test_pictures_of_every_passage_arrive(run: Run) -> None:
    passages = [passage for one in run.comparison.vehicles for passage in one.passages]

    assert all(passage.pictures_stored == passage.pictures_named > 0 for passage in passages)


def test_the_operator_finds_each_plate_on_the_page(page: Page, run: Run) -> None:
    shown = page.locator("[data-passage]")

    expect(shown).to_have_count(VEHICLES)
    texts = {re.sub(r"[^A-Z0-9]", "", text) for text in shown.locator(".plate").all_inner_texts()}
    stored = {one.passages[0].plate_text for one in run.comparison.vehicles}
    assert texts == stored


def test_the_operator_sees_the_picture_of_a_passage(page: Page) -> None:
    page.locator("[data-passage] .row-link").first.click()

    picture = page.locator("#detail .picture-scene img")
    expect(picture).to_be_visible()
    page.wait_for_function("image => image.complete", arg=picture.element_handle())
    assert picture.evaluate("image => image.naturalWidth") > 100


def test_nobody_sees_the_page_without_signing_in(browser: Browser, run: Run) -> None:
    context = browser.new_context()
    opened = context.new_page()

    opened.goto(run.page_url)

    expect(opened.locator("[data-passage]")).to_have_count(0)
    expect(opened.locator("input[type=password]")).to_be_visible()
    context.close()
