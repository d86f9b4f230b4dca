# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real stack with the story's world in it, and a real Chromium."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from deploy.demo.device import DemoDevice
from deploy.demo.story import setting
from deploy.demo.story.clips import LaneClip, StoryClips, untried_clips
from deploy.demo.story.lane import Played, play_lane, ready_lane
from deploy.demo.story.setting import Prepared
from deploy.local.provision import Part, is_present
from deploy.local.stack import LocalStack
from deploy.setup.components import Servers
from tests.conftest import temporary_place

ResultT = TypeVar("ResultT")

RUN: Final = 1
"""Whose plates are read right at the first try: trying them offline takes longer than playing them.
Where new models misread one, another run's are taken."""

WAIT_MS: Final = 30_000
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The world in which the story is played.

    Attributes:
        aside: Does work in another thread: the browser's library holds an event loop in ours.
    """

    stack: LocalStack
    clips: StoryClips
    device: DemoDevice
    prepared: Prepared
    folder: Path
    aside: ThreadPoolExecutor

    @property
    def root(self) -> str:
        """Address of the api."""
        return self.stack.state.api_url

    @property
    def database_url(self) -> str:
        """Address of the database."""
        return self.stack.state.database_url

    def beside(self, work: Callable[[], ResultT]) -> ResultT:
        """Do something in another thread and wait for it."""
        return self.aside.submit(work).result()

    def play(self, clip: LaneClip) -> Played:
        """Let a clip's vehicles drive through the lane."""
        return play_lane(
            self.stack,
            self.device,
            clip,
            self.clips.cast,
            now=datetime.now(UTC),
            on_poll=lambda _elapsed_s: None,
        )


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the servers' account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="lt-story-", dir=temporary_place()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def story(home: Path, servers: Servers) -> Iterator[Story]:
    """A running stack with registry, toll station, accounts, watchlist and users."""
    assert servers.mosquitto.is_file()
    if not is_present(Part.ASSETS):
        pytest.skip("the page's assets are not built; ./luuthong test builds them")
    stack, folder = LocalStack(home), home / "demo"
    clips = untried_clips(folder / "clips", RUN)
    state = stack.start()
    try:
        device = ready_lane(stack, folder, now=datetime.now(UTC))
        prepared = setting.prepare(
            state.database_url, clips.cast, folder / "files", now=datetime.now(UTC)
        )
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="story") as aside:
            yield Story(
                stack=stack,
                clips=clips,
                device=device,
                prepared=prepared,
                folder=folder,
                aside=aside,
            )
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield launched
        launched.close()


SignedIn = Callable[[str], Page]


@pytest.fixture
def window(browser: Browser, story: Story) -> Iterator[Callable[[], BrowserContext]]:
    """Makes windows without any cookie, at a usual office screen."""
    made: list[BrowserContext] = []

    def open_window() -> BrowserContext:
        context = browser.new_context(
            base_url=story.root,
            viewport={"width": 1366, "height": 768},
            locale="vi-VN",
            accept_downloads=True,
        )
        context.set_default_timeout(WAIT_MS)
        made.append(context)
        return context

    yield open_window
    for context in made:
        context.close()


@pytest.fixture
def signed_in(window: Callable[[], BrowserContext], story: Story) -> SignedIn:
    """Signs a user in by keyboard, in a window of the user's own."""

    def sign_in(username: str) -> Page:
        page = window().new_page()
        page.goto("/console/passages")
        page.fill("#username", username)
        page.fill("#password", story.prepared.staff.passwords[username].password)
        page.press("#password", "Enter")
        page.wait_for_selector(".menu")  # the address of the login ends like that of the page
        return page

    return sign_in
