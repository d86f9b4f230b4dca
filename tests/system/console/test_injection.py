# SPDX-License-Identifier: AGPL-3.0-or-later
"""Text that would run if a page took it for markup: in every field, every column, every page.

Fields are found in the forms of the pages, columns in the database, pages in the routes: what is
new is tried without a word here.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page
from psycopg import sql

from tests.integration.api.forms import Form, forms_of, scripts_put_in, variants_of
from tests.integration.api.world import World
from tests.system.console.busy import SEES_ALL, busy_office, busy_roads
from tests.system.console.conftest import WAIT_MS
from tests.system.console.every_page import addresses

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]  # every page there is

PAYLOAD: Final = """'"><img src=x onerror=alert(1)>"""
SHOWN: Final = "<img src=x onerror=alert(1)>"
PUT_IN: Final = (
    "[...document.querySelectorAll('[onerror], img[src=x]')].map(each => each.outerHTML)"
)
IS_SHOWN: Final = """text => document.body.innerText.includes(text)
    || [...document.querySelectorAll('input, textarea')].some(each => each.value.includes(text))"""
FREE_COLUMNS: Final = """
    SELECT table_name, column_name
      FROM information_schema.columns JOIN information_schema.tables USING (table_name)
     WHERE columns.table_schema = 'public' AND tables.table_schema = 'public'
       AND table_type = 'BASE TABLE' AND data_type = 'text' AND table_name <> 'alembic_version'
       AND column_name ~ '(name|note|title|body|reason|basis|statement|applicant|address|purpose)$'
     ORDER BY 1, 2
"""


def test_no_text_of_any_form_or_column_of_roads_and_tolls_is_taken_for_markup(
    browser: Browser, wild_world: World
) -> None:
    with busy_roads(wild_world):
        _try_everything(browser, wild_world, of_dossiers=False)


def test_no_text_of_any_form_or_column_of_dossiers_and_citizens_is_taken_for_markup(
    browser: Browser, wild_world: World
) -> None:
    with busy_office(wild_world):
        _try_everything(browser, wild_world, of_dossiers=True)


def _try_everything(browser: Browser, world: World, *, of_dossiers: bool) -> None:
    """Fill in every field, then every column that takes it, and open every page."""
    with world.signed_in_as(SEES_ALL) as client:
        filled, kept, faults = _fill_in(world, client, of_dossiers=of_dossiers)
        assert len(filled) > 10, filled
        assert kept, "no form kept the text: the test tries nothing"
        columns = _rename(world)
        assert len(columns) > 10, columns
        shown, more = _open_pages(browser, world, client, of_dossiers=of_dossiers)

    assert faults + more == []
    assert len(shown) > 10, shown


def _fill_in(
    world: World, client: httpx.Client, *, of_dossiers: bool
) -> tuple[set[str], set[str], list[str]]:
    """Send every form once for every field of it; which were tried, which were taken, faults."""
    tried: set[str] = set()
    taken: set[str] = set()
    faults: list[str] = []
    for _, address in list(addresses(world, of_dossiers=of_dossiers)):
        for form, name in _fields_of(client, address):
            label = f"{form.kind[0]}: {name} of {len(form.values)}"
            if label in tried:
                continue
            tried.add(label)
            answer = form.send(client, {name: PAYLOAD})
            if answer.status_code >= 500:
                faults.append(f"{label}: {answer.status_code}")
            faults += [f"{label}: {element}" for element in scripts_put_in(answer.text)]
            if answer.status_code < 400:
                taken.add(label)
    return tried, taken, faults


def _fields_of(client: httpx.Client, page: str) -> Iterator[tuple[Form, str]]:
    """Each field that takes any letter, in a form as it is at the moment."""
    for address in (page, *variants_of(client.get(page).text, page)):
        wanted = [
            (form.kind, name)
            for form in forms_of(client.get(address).text, address)
            for name in form.texts
        ]
        for kind, name in dict.fromkeys(wanted):
            present = forms_of(client.get(address).text, address)
            yield from (
                (form, name) for form in [each for each in present if each.kind == kind][:1]
            )


def _rename(world: World) -> list[str]:
    """Put the text into every column of every table that takes it; which did."""
    done = []
    with closing(psycopg.connect(world.owner_url)) as rows:
        for table, column in rows.execute(FREE_COLUMNS).fetchall():
            change = sql.SQL("UPDATE {} SET {} = %s WHERE {} IS NOT NULL").format(
                *map(sql.Identifier, (table, column, column))
            )
            try:
                with rows.transaction():
                    if rows.execute(change, [PAYLOAD]).rowcount:
                        done.append(f"{table}.{column}")
            except psycopg.Error:
                continue  # bound by a rule of its own
        rows.commit()
    return done


def _open_pages(
    browser: Browser, world: World, client: httpx.Client, *, of_dossiers: bool
) -> tuple[list[str], list[str]]:
    """Open every page with the policy in force; which show the text, and what ran or stands in."""
    shown: list[str] = []
    faults: list[str] = []
    heard: list[str] = []
    context = browser.new_context(base_url=world.api_url)
    context.set_default_timeout(WAIT_MS)
    for name, value in client.cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": world.api_url}])
    page = context.new_page()
    _listen(page, heard)
    for declared, address in addresses(world, of_dossiers=of_dossiers):
        heard.clear()
        answer = page.goto(address)
        assert answer is not None
        if answer.status == 404:
            continue  # a form of before took it away
        if answer.status != 200:
            faults.append(f"{declared}: answers {answer.status}")
        faults += [f"{declared}: {each}" for each in (*heard, *page.evaluate(PUT_IN))]
        if page.evaluate(IS_SHOWN, SHOWN):
            shown.append(declared)
    context.close()
    return shown, faults


def _listen(page: Page, heard: list[str]) -> None:
    """Note dialogs, and what the policy or the page complains about."""

    def dialog(opened: Dialog) -> None:
        heard.append(f"dialog {opened.message}")
        opened.dismiss()

    def told(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard.append(message.text)

    page.on("dialog", dialog)
    page.on("console", told)
    page.on("pageerror", lambda error: heard.append(str(error)))
