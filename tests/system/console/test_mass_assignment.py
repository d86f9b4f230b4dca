# SPDX-License-Identifier: AGPL-3.0-or-later
"""Forms sent with fields that they do not have, named like every column of the database."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.integration.api.forms import Form, forms_of, variants_of
from tests.integration.api.test_bad_input import _contents
from tests.integration.api.world import World
from tests.system.console.busy import SEES_ALL, busy_office, busy_roads
from tests.system.console.every_page import addresses

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]  # every page there is

MARK: Final = "mass-assigned-7f3a"
COLUMNS: Final = """
    SELECT DISTINCT column_name FROM information_schema.columns
     WHERE table_schema = 'public' ORDER BY 1
"""
PEOPLE: Final = "SELECT id, username, role, reach, unit_id, handle FROM app_user ORDER BY id"
FIELDS_AT_ONCE: Final = 80
"""More would be too many for some forms."""

ENDING: Final = "logout"
"""Would end the session of the walk."""


def test_a_field_that_no_form_of_roads_and_tolls_has_is_kept_nowhere(wild_world: World) -> None:
    with busy_roads(wild_world):
        _stuff_every_form(wild_world, of_dossiers=False)


def test_a_field_that_no_form_of_dossiers_has_is_kept_nowhere(
    wild_world: World,
) -> None:
    with busy_office(wild_world):
        _stuff_every_form(wild_world, of_dossiers=True)


def _stuff_every_form(world: World, *, of_dossiers: bool) -> None:
    """Send every form with fields too many; nothing may keep them, nobody may become another."""
    tried: set[str] = set()
    taken: set[str] = set()
    broken: list[str] = []
    with (
        world.signed_in_as(SEES_ALL) as client,
        closing(psycopg.connect(world.owner_url, autocommit=True)) as owner,
    ):
        names = [name for (name,) in owner.execute(COLUMNS).fetchall()]
        people = owner.execute(PEOPLE).fetchall()
        for label, form, more in _stuffed(world, client, names, of_dossiers=of_dossiers):
            answer = form.send(client, more)
            tried.add(label)
            if answer.status_code >= 500:
                broken.append(f"{label}: {answer.status_code}")
            if answer.status_code < 400:
                taken.add(label)
        kept = [table for table in _contents(owner) if _holds(owner, table)]
        known = {row[0] for row in people}
        after = [row for row in owner.execute(PEOPLE).fetchall() if row[0] in known]

    assert len(tried) > 10, tried
    assert len(taken) > 5, taken
    assert broken == []
    assert kept == []
    assert after == people


def _stuffed(
    world: World, client: httpx.Client, names: list[str], *, of_dossiers: bool
) -> Iterator[tuple[str, Form, dict[str, str]]]:
    """Each kind of form as it is at the moment, with some of the names that it does not have."""
    seen: set[tuple[str, frozenset[str]]] = set()
    for _, page in list(addresses(world, of_dossiers=of_dossiers)):
        for address in (page, *variants_of(client.get(page).text, page)):
            for kind in [form.kind for form in forms_of(client.get(address).text, address)]:
                if kind in seen or kind[0] == ENDING:
                    continue
                seen.add(kind)
                foreign = [name for name in names if name not in kind[1]]
                for start in range(0, len(foreign), FIELDS_AT_ONCE):
                    some = dict.fromkeys(foreign[start : start + FIELDS_AT_ONCE], MARK)
                    present = forms_of(client.get(address).text, address)
                    for form in [each for each in present if each.kind == kind][:1]:
                        yield f"{kind[0]} of {len(kind[1])}", form, some


def _holds(owner: psycopg.Connection, table: str) -> bool:
    """Whether any row of a table holds the text."""
    query = sql.SQL("SELECT count(*) FROM {} AS t WHERE t::text LIKE %s")
    row = owner.execute(query.format(sql.Identifier(table)), [f"%{MARK}%"]).fetchone()
    return row is not None and bool(row[0])
