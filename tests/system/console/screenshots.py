# SPDX-License-Identifier: AGPL-3.0-or-later
"""``make screenshots``: pictures of every page, for the documents.

Not a part of the tests: it is called by its name. The world is that of the walks through all pages,
with vehicles from the project's own renderer.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from api.pages.i18n import Language
from tests.integration.api.world import World
from tests.system.console.busy import busy_office, busy_roads
from tests.system.console.conftest import fill
from tests.system.console.every_page import addresses
from tests.system.console.rendered import passage_pictures
from tests.system.console.test_every_page import _window

FOLDER: Final = Path(__file__).parents[3] / "deploy" / "docs" / "images" / "console"
SIZES: Final = {"office": (1366, 768), "phone": (390, 844)}
ALL_PICTURES_CAME: Final = """() => Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => {});
}))"""
WEBP_QUALITY: Final = 60
OPEN_TO_ALL: Final = (("/docs", "/docs"),)
SOMEWHERE: Final = "UPDATE site SET latitude = 12.70, longitude = 108.10"

DOCUMENT: Final = FOLDER.parents[1] / "console.md"
HEAD: Final = """# The console in pictures

Every page at 1366x768 and 390x844, in Vietnamese and English, in the world of the tests with
rendered vehicles. `make screenshots` takes the pictures and writes this page.
"""
SECTION: Final = """
## `{name}`

| | 1366x768 | 390x844 |
|---|---|---|
"""
PICTURE: Final = "![{name}, {language}, {size}](images/console/{name}-{code}-{size}.webp)"
NAMES: Final = {Language.VI: "Tiếng Việt", Language.EN: "English"}

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module", autouse=True)
def document() -> Iterator[None]:
    """Pictures of pages that are no more go first; the page that shows them all comes last."""
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    yield
    shown = sorted({path.stem.rsplit("-", 2)[0] for path in FOLDER.glob("*.webp")})
    DOCUMENT.write_text(HEAD + "".join(map(_section, shown)), encoding="utf-8")


@pytest.fixture
def shown_world(own_world: World) -> World:
    """A world to be seen: its site stands somewhere, its vehicles have plates."""
    own_world.forget()
    fill(own_world, pictures_of=passage_pictures)
    with psycopg.connect(own_world.owner_url) as connection:
        connection.execute(SOMEWHERE)
    return own_world


@pytest.mark.parametrize("language", list(Language))
def test_pictures_of_every_page_of_roads_and_tolls(
    browser: Browser, shown_world: World, language: Language
) -> None:
    with busy_roads(shown_world, pictures_of=passage_pictures):
        taken = _take(browser, shown_world, language, of_dossiers=False)

    assert taken > 0


@pytest.mark.parametrize("language", list(Language))
def test_pictures_of_every_page_of_dossiers_and_citizens(
    browser: Browser, shown_world: World, language: Language
) -> None:
    with busy_office(shown_world):
        taken = _take(browser, shown_world, language, of_dossiers=True)

    assert taken > 0


def _section(name: str) -> str:
    """A page's part of the document."""
    lines = ""
    for code, language in NAMES.items():
        shown = (
            PICTURE.format(name=name, language=language, code=code, size=size) for size in SIZES
        )
        lines += f"| {language} | {' | '.join(shown)} |\n"
    return SECTION.format(name=name) + lines


def _take(browser: Browser, world: World, language: Language, *, of_dossiers: bool) -> int:
    """Take every picture of one of the two worlds in one language; gives how many."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    count = 0
    with _window(browser, world, language) as context:
        page = context.new_page()
        places = [*addresses(world, of_dossiers=of_dossiers)]
        for declared, address in places if of_dossiers else [*places, *OPEN_TO_ALL]:
            page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
            for name in _faces(page, declared):
                for size, (width, height) in SIZES.items():
                    page.set_viewport_size({"width": width, "height": height})
                    _picture(page, FOLDER / f"{name}-{language}-{size}.webp")
                    count += 1
    return count


def _faces(page: Page, declared: str) -> Iterator[str]:
    """Name of the page as it comes, and of what it shows once a purpose is told."""
    name = re.sub(r"\W+", "-", re.sub(r"\{\w+\}", "one", declared)).strip("-")
    yield name
    if "{" in declared and page.locator("main #purpose").count() == 1:
        page.locator("main #purpose").select_option(index=1)
        with page.expect_navigation():
            page.locator("main form:has(#purpose) [type=submit]").first.click()
        yield f"{name}-told"


def _picture(page: Page, path: Path) -> None:
    """Keep what the first screen of a page shows."""
    page.evaluate(ALL_PICTURES_CAME)
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    picture.convert("RGB").save(path, "WEBP", quality=WEBP_QUALITY, method=6)
