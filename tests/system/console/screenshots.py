# SPDX-License-Identifier: AGPL-3.0-or-later
"""``make screenshots``: pictures of every page of a running local stack, for the documents.

Run the demonstration first, so that the pages show its rendered vehicles. Somebody who may open
everything signs in; name and password file come from the environment.
"""

import io
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from api.main import create_app
from api.pages.i18n import Language
from api.settings import ApiSettings
from deploy.local.stack import LocalStack
from deploy.setup.chromium import find_chromium
from tests.system.console.every_page import ONE_OF_EACH, WITH_QUERY, pages_of

FOLDER: Final = Path(__file__).parents[3] / "deploy" / "docs" / "images" / "console"
SIZES: Final = {"office": (1366, 768), "phone": (390, 844)}
ALL_PICTURES_CAME: Final = """() => Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => {});
}))"""
WEBP_QUALITY: Final = 60
USER_SETTING, PASSWORD_SETTING = "LUUTHONG_SCREENS_USER", "LUUTHONG_SCREENS_PASSWORD_FILE"


def take() -> int:
    """Take every picture; gives how many."""
    state = LocalStack().state
    chromium = find_chromium()
    assert chromium is not None, "Chromium is not here: ./luuthong setup"
    places = tuple(_places(state.database_url))
    FOLDER.mkdir(parents=True, exist_ok=True)
    count = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium.program), args=["--no-sandbox"]
        )
        context = browser.new_context(base_url=state.api_url, color_scheme="light")
        _sign_in(context.new_page())
        for size, (width, height) in SIZES.items():
            page = context.new_page()
            page.set_viewport_size({"width": width, "height": height})
            for language in Language:
                for name, address in places:
                    _picture(page, address, language, FOLDER / f"{name}-{language}-{size}.webp")
                    count += 1
        browser.close()
    return count


def _places(database_url: str) -> Iterator[tuple[str, str]]:
    """Name and address of every page of which the stack holds something."""
    app = create_app(ApiSettings(database_url="postgresql://localhost/unused"))
    with closing(psycopg.connect(database_url)) as rows:
        for path in pages_of(app):
            query = ONE_OF_EACH.get(path) or WITH_QUERY.get(path, ("", ""))[1]
            found = rows.execute(f"{query} LIMIT 1").fetchone() if query else None
            if query and found is None:
                continue
            value = str(found[0]) if found is not None else ""
            address = re.sub(r"\{\w+\}", value, path)
            if path in WITH_QUERY:
                address += f"?{WITH_QUERY[path][0]}={value}"
            yield re.sub(r"\W+", "-", re.sub(r"\{\w+\}", "one", path)).strip("-"), address


def _sign_in(page: Page) -> None:
    page.goto("/console/login")
    page.fill("#username", os.environ[USER_SETTING])
    page.fill("#password", Path(os.environ[PASSWORD_SETTING]).read_text("utf-8").strip())
    page.press("#password", "Enter")
    page.wait_for_selector(".menu")


def _picture(page: Page, address: str, language: Language, path: Path) -> None:
    """Keep what the first screen of a page shows."""
    answer = page.goto(
        f"{address}{'&' if '?' in address else '?'}lang={language}", wait_until="load"
    )
    assert answer is not None
    assert answer.ok, address
    page.evaluate(ALL_PICTURES_CAME)
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    picture.convert("RGB").save(path, "WEBP", quality=WEBP_QUALITY, method=6)


if __name__ == "__main__":
    take()
