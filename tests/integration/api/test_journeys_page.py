# SPDX-License-Identifier: AGPL-3.0-or-later
"""Journeys between sites: of one day, within the person's sites, as a page and as a file."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from central.domain.local_time import local_date, start_of_local_day
from tests.integration.api.areas import INSIDE, confine, make_areas
from tests.integration.api.test_convoys import ADD
from tests.integration.api.world import DEVICE_ID, PROVINCE, USERNAME, World

PAGE = "/console/traffic/journeys"
SITES = ("diem-a", "diem-b")
YESTERDAY = local_date(datetime.now(UTC)) - timedelta(days=1)


@pytest.fixture
def roads(world: World) -> Iterator[None]:
    """Five vehicles that went from one site to another yesterday, and four that came back."""
    begins_at = start_of_local_day(YESTERDAY) + timedelta(hours=8)
    seen = [
        (f"51B0000{number}", site, begins_at + timedelta(minutes=number + 12 * place))
        for number in range(5)
        for place, site in enumerate(SITES)
    ]
    seen += [
        (f"51C0000{number}", site, begins_at + timedelta(minutes=number + 12 * place))
        for number in range(4)
        for place, site in enumerate(reversed(SITES))
    ]
    with psycopg.connect(world.owner_url) as rows:
        for site in SITES:
            rows.execute(
                "INSERT INTO site (id, province, name) VALUES (%s, %s, 'Điểm ' || %s)",
                [site, PROVINCE, site[-1]],
            )
            rows.execute("INSERT INTO camera (site_id, id, name) VALUES (%s, 'cam', 'cam')", [site])
        rows.execute(ADD, [DEVICE_ID, *(list(column) for column in zip(*seen, strict=True))])
    yield
    with psycopg.connect(world.owner_url) as rows:
        rows.execute("DELETE FROM passage")
        rows.execute("DELETE FROM camera WHERE id = 'cam'")
        rows.execute("DELETE FROM site WHERE id = ANY(%s)", [list(SITES)])


@pytest.mark.usefixtures("roads")
def test_pairs_of_sites_that_enough_vehicles_went_are_told_on_the_page_and_in_the_file(
    world: World, client: httpx.Client
) -> None:
    page = client.get(f"{PAGE}?lang=en")
    file = client.get(PAGE, params={"day": str(YESTERDAY), "file": "csv", "lang": "en"})
    day_before = client.get(PAGE, params={"day": str(YESTERDAY - timedelta(days=1)), "lang": "en"})
    make_areas(world)
    confine(world, USERNAME, INSIDE)
    elsewhere = client.get(f"{PAGE}?lang=en")

    assert page.status_code == 200
    assert "12 min" in page.text
    assert file.headers["content-type"].startswith("text/csv")
    assert file.text.lstrip("\ufeff").splitlines()[1:] == ["Điểm a,Điểm b,5,5,12.0"]
    assert "51B" not in page.text + file.text
    for nothing in (day_before, elsewhere):
        assert "No journeys to tell of" in nothing.text
        assert "Điểm a" not in nothing.text


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("day", ["2026-02-30", "<script>", "2199-01-01", "1999-01-01"])
def test_a_wrong_day_comes_back_with_what_is_wrong(client: httpx.Client, day: str) -> None:
    answers = [
        client.get(PAGE, params={"day": day, "lang": "en", **more})
        for more in ({}, {"file": "csv"})
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert "Choose a day that has begun" in answer.text
        assert "<script>" not in answer.text.split("<main")[1]
