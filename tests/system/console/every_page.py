# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every page that the application has, found from its routes, with the way to one of each kind.

A page with a variable in its address needs a row in ``ONE_OF_EACH``; what answers something else
than a page stands in ``NO_PAGES``. A new route without either fails a test.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Final
from urllib.parse import quote

import psycopg
from fastapi import FastAPI

from tests.integration.api.test_session import routes_of
from tests.integration.api.world import World

NO_PAGES: Final = frozenset(
    {
        "/console",
        "/console/",
        "/console/alerts/stream",
        "/console/passages/stream",
        "/console/overview/charts",
        "/console/overview/charts/{key}",
        "/console/overview/strip",
        "/console/traffic/{key}",
        "/console/audit/roots/file",
        "/console/cameras/{device_id}/frames",
        "/console/cameras/{device_id}/frames/{frame_id}",
        "/console/cameras/{device_id}/frames/{frame_id}/picture",
        "/console/captured/{day}/statement.json",
        "/console/captured/{day}/statement.pdf",
        "/console/dossiers/new/findings",
        "/console/login/outside",
        "/console/login/outside/return",
        "/console/map/sites",
        "/console/pictures/{sha256}",
        "/console/dossiers/{code}/papers",
        "/console/dossiers/{code}/papers/{kind}.pdf",
        "/console/protection/requests/{request_code}/certificate.pdf",
        "/console/protection/retention/{record_id}/record.pdf",
        "/console/tolls/numbers",
        "/console/tolls/review",
        "/public",
        "/public/",
    }
)
"""Streams, pieces of pages, files, and addresses that only lead on."""

ONE_OF_EACH: Final = {
    "/console/alerts/{alert_id}": "SELECT id FROM alert",
    "/console/cameras/{device_id}": "SELECT id FROM device",
    "/console/completeness/{device_id}": "SELECT id FROM device",
    "/console/dossiers/{code}": "SELECT code FROM dossier",
    "/console/incidents/{incident_id}": "SELECT incident_id FROM incident_report",
    "/console/national/{province}": "SELECT code FROM national_province",
    "/console/passages/{passage_id}": "SELECT id FROM passage ORDER BY seq DESC",
    "/console/passages/{passage_id}/similar": "SELECT id FROM passage ORDER BY seq DESC",
    "/console/protection/requests/{request_code}": "SELECT code FROM data_request",
    "/console/quarantine/{message_id}": "SELECT id FROM quarantine",
    "/console/tolls/days/{day_id}": "SELECT id FROM toll_day",
    "/console/tolls/{crossing_id}": "SELECT id FROM toll_crossing",
    "/console/users/{user_id}": "SELECT id FROM app_user",
    "/console/users/{user_id}/outside": "SELECT id FROM app_user ORDER BY id DESC",
    "/console/vehicles/{vehicle_id}": "SELECT id FROM vehicle",
    "/console/webhooks/{webhook_id}": "SELECT id FROM webhook",
    "/public/dossiers/{code}": "SELECT code FROM dossier",
}
"""Queries for the value of an address's variable."""

WITH_QUERY: Final = {"/console/dossiers/new": ("vehicle", "SELECT id FROM vehicle")}
"""Pages that show little without a parameter: its name and a query for it."""

OF_DOSSIERS: Final = ("/console/dossiers", "/console/protection", "/public")
"""Pages of the world with dossiers and a calendar; all others to that of a station."""


def pages_of(app: FastAPI) -> tuple[str, ...]:
    """Addresses of every page of console and citizens, as declared but without converters."""
    paths = {
        re.sub(r":\w+\}", "}", path)
        for method, path in routes_of(app)
        if method == "GET" and path.startswith(("/console", "/public"))
    }
    return tuple(sorted(paths - NO_PAGES))


def addresses(world: World, *, of_dossiers: bool) -> Iterator[tuple[str, str]]:
    """Declared and real address of every page of one of the two worlds."""
    with closing(psycopg.connect(world.owner_url)) as rows:
        for path in pages_of(world.app):
            if path.startswith(OF_DOSSIERS) is not of_dossiers:
                continue
            if "{" in path:
                value = _one(rows, ONE_OF_EACH[path])
                yield path, re.sub(r"\{\w+\}", quote(value, safe=""), path)
            elif path in WITH_QUERY:
                name, query = WITH_QUERY[path]
                yield path, f"{path}?{name}={_one(rows, query)}"
            else:
                yield path, path


def _one(rows: psycopg.Connection, query: str) -> str:
    row = rows.execute(f"{query} LIMIT 1").fetchone()
    assert row is not None, query
    return str(row[0])
