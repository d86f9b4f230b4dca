# SPDX-License-Identifier: AGPL-3.0-or-later
"""The map's list says everything that the map shows, to readers and without scripts."""

from datetime import UTC, datetime, timedelta

import httpx
import psycopg

from tests.integration.api.world import SITE_ID, SITE_NAME, Seen, World


def test_a_site_is_listed_with_its_place_health_and_traffic(
    world: World, client: httpx.Client
) -> None:
    with psycopg.connect(world.owner_url) as connection:
        connection.execute("UPDATE site SET latitude = 12.7, longitude = 108.1")
    now = datetime.now(UTC)
    world.store(Seen(), Seen(captured_at=now - timedelta(hours=2), is_late=True))

    unheard = client.get("/console/map?lang=en").text
    world.beat()
    heard = client.get("/console/map/sites", headers={"HX-Request": "true"}).text

    assert 'data-latitude="12.7" data-longitude="108.1"' in unheard
    assert f'<a href="/console/passages?place={SITE_ID}">{SITE_NAME}</a>' in unheard
    assert "Passages in the last hour: 1" in unheard
    assert "is switched off" in unheard.split('id="sites"')[1]
    assert "Everything runs" in heard
    assert "<html" not in heard


def test_the_list_by_itself_leads_to_the_page(client: httpx.Client) -> None:
    answer = client.get("/console/map/sites")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/map")
