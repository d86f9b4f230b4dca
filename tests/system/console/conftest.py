# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real Chromium on a served api with a road's worth of passages."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from central.contracts.passage import (
    Direction,
    EvidenceKind,
    PlateColour,
    PlateLayout,
    VehicleClass,
)
from deploy.local.postgres import PrivateCluster
from deploy.setup.chromium import CHROMIUM_SETTING, find_chromium
from tests.integration.api.own_world import own_world
from tests.integration.api.tolling import Pictures
from tests.integration.api.world import USERNAME, Seen, World, drawn_jpeg, served_world

__all__ = ["own_world"]

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS: Final = 20_000


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Where Chromium is; its absence is a failure, not a silent skip."""
    found = find_chromium()
    assert found is not None, f"Chromium is not here: ./luuthong setup, or {CHROMIUM_SETTING}"
    return found.program


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def lasting_world(
    cluster: PrivateCluster, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A served api for the whole run."""
    with served_world(
        cluster,
        template=database_template,
        database="console_tests",
        evidence_folder=tmp_path_factory.mktemp("evidence"),
    ) as made:
        yield made


@pytest.fixture
def world(lasting_world: World) -> World:
    """The served api with passages of every kind and their pictures, and nothing else."""
    lasting_world.forget()
    fill(lasting_world)
    return lasting_world


@pytest.fixture
def wild_world(own_world: World) -> World:
    """The same, of one file alone: for walks that send every form and leave nothing as it was."""
    own_world.forget()
    fill(own_world)
    return own_world


@pytest.fixture
def context(browser: Browser, world: World) -> Iterator[BrowserContext]:
    """A browser window's worth of cookies, at a usual office screen."""
    made = browser.new_context(
        base_url=world.api_url, viewport={"width": 1366, "height": 768}, locale="vi-VN"
    )
    made.set_default_timeout(WAIT_MS)
    yield made
    made.close()


@pytest.fixture(scope="session")
def session_cookies(lasting_world: World) -> dict[str, str]:
    """Cookies of a session that lasts for the whole run, unless a test ends it."""
    with lasting_world.signed_in() as client:
        return dict(client.cookies)


@pytest.fixture
def page(context: BrowserContext, world: World, session_cookies: dict[str, str]) -> Page:
    """A page that is signed in and shows the list."""
    for name, value in session_cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": world.api_url}])
    opened = context.new_page()
    sign_in(opened, world)
    return opened


def sign_in(page: Page, world: World) -> None:
    """Open the list, signing in as a person does where nobody is."""
    page.goto("/console/passages")
    if urlsplit(page.url).path == "/console/login":
        page.fill("#username", USERNAME)
        page.fill("#password", world.password)
        page.press("#password", "Enter")
    page.wait_for_selector("#rows tr")
    page.wait_for_load_state("load")  # rows stand there before the scripts listen to keys


def noise(*_seen: object) -> Pictures:
    """The same two small pictures of nothing for every passage."""
    scene, plate = drawn_jpeg(seed=1), drawn_jpeg(seed=2, width=200, height=60)
    return (EvidenceKind.SCENE, scene), (EvidenceKind.PLATE, plate)


def fill(world: World, *, pictures_of: Callable[..., Pictures] = noise) -> None:
    """Sixty passages: every colour, layout and class, some late, corrected or unreadable.

    Args:
        world: Where they are stored.
        pictures_of: Makes the pictures of a plate, its colour, its layout and its vehicle.
    """
    now = datetime.now(UTC)
    kinds = (
        ("30F25658", PlateColour.WHITE, PlateLayout.ONE_LINE, VehicleClass.CAR, 0.99),
        ("20C12345", PlateColour.YELLOW, PlateLayout.TWO_LINE, VehicleClass.TRUCK, 0.91),
        ("29B112345", PlateColour.WHITE, PlateLayout.TWO_LINE, VehicleClass.MOTORCYCLE, 0.97),
        ("20A00123", PlateColour.BLUE, PlateLayout.ONE_LINE, VehicleClass.CAR, 0.55),
        ("AB1234", PlateColour.RED, PlateLayout.ONE_LINE, VehicleClass.TRUCK, 0.96),
        ("", PlateColour.UNKNOWN, PlateLayout.ONE_LINE, None, 0.1),
    )
    pictures = {kind[0]: pictures_of(*kind[:4]) for kind in kinds}
    world.store(
        *(
            Seen(
                plate=text,
                raw_plate=text.replace("0", "O"),
                colour=colour,
                layout=layout,
                vehicle_class=vehicle_class,
                confidence=confidence,
                is_legal=bool(text),
                direction=Direction.UP if number % 2 else Direction.DOWN,
                captured_at=now - timedelta(seconds=30 * (60 - number)),
                is_late=number % 7 == 0,
                pictures=pictures[text] if number % 13 else (),
            )
            for number in range(60)
            for text, colour, layout, vehicle_class, confidence in (kinds[number % len(kinds)],)
        )
    )
    for body in {body for each in pictures.values() for _kind, body in each}:
        world.upload(body)
    world.beat()
