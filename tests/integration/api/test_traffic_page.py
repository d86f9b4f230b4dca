# SPDX-License-Identifier: AGPL-3.0-or-later
"""Traffic over days and years: in slots that fit, within the person's sites, wrong days told."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from central.contracts.passage import VehicleClass
from central.domain.local_time import local_date
from tests.integration.api.areas import OUTSIDE, confine, make_areas
from tests.integration.api.world import SITE_ID, USERNAME, Seen, World

PATH = "/console/traffic"
TODAY = local_date(datetime.now(UTC))


def asked(**changes: object) -> dict[str, str]:
    return {name: str(value) for name, value in changes.items()}


def lines(answer: httpx.Response) -> list[list[str]]:
    """Rows of a file, without its heading."""
    assert answer.status_code == 200
    return [line.split(",") for line in answer.text.lstrip("\ufeff").splitlines()[1:]]


def test_the_last_week_is_shown_by_hours_with_its_kinds(world: World, client: httpx.Client) -> None:
    now = datetime.now(UTC)
    world.store(
        Seen(captured_at=now - timedelta(hours=30)),
        Seen(captured_at=now - timedelta(hours=30), vehicle_class=VehicleClass.MOTORCYCLE),
        Seen(captured_at=now - timedelta(days=4), vehicle_class=VehicleClass.TRUCK, is_late=True),
    )

    page = client.get(f"{PATH}?lang=en")
    flow = lines(client.get(f"{PATH}/flow?file=csv"))
    kinds = lines(client.get(f"{PATH}/kinds?file=csv"))

    assert page.status_code == 200
    assert "Passages per hour" in page.text
    assert page.text.count("data-chart ") == 5
    assert 6 * 24 < len(flow) <= 7 * 24
    assert sum(float(row[1]) for row in flow) == 3
    assert sum(float(row[2]) for row in flow) == 1
    assert [sum(float(row[place]) for row in kinds) for place in (1, 2, 3, 4)] == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("days", "title", "rows_max"),
    [(1, "Passages per 15 minutes", 96), (7, "Passages per hour", 168), (8, "per day", 8)],
)
def test_slots_follow_the_length(
    world: World, client: httpx.Client, days: int, title: str, rows_max: int
) -> None:
    world.store(Seen())
    question = asked(**{"from": TODAY - timedelta(days=days - 1), "to": TODAY, "lang": "en"})

    page = client.get(PATH, params=question)
    rows = lines(client.get(f"{PATH}/flow", params=question))

    assert title in page.text
    assert 0 < len(rows) <= rows_max
    assert sum(float(row[1]) for row in rows) == 1


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"from": "2026-02-30"}, "Please give both days"),
        ({"from": "x' OR 1=1 --"}, "Please give both days"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "lies after"),
        ({"from": "2010-01-01", "to": "2026-03-01"}, "at most 1,500 days"),
        ({"site": "nowhere"}, "no such site"),
        ({"site": "<script>"}, "no such site"),
    ],
)
def test_a_wrong_question_comes_back_with_what_is_wrong(
    client: httpx.Client, question: dict[str, str], words: str
) -> None:
    page = client.get(PATH, params=question | {"lang": "en"})
    file = client.get(f"{PATH}/flow", params=question)

    assert page.status_code == 422
    assert words in page.text
    assert "<script>" not in page.text.split("<main")[1]
    assert file.status_code == 404


def test_who_is_confined_to_other_sites_gets_no_numbers(world: World, client: httpx.Client) -> None:
    world.store(Seen())
    make_areas(world)
    confine(world, USERNAME, OUTSIDE)

    page = client.get(f"{PATH}?lang=en")
    rows = lines(client.get(f"{PATH}/flow?file=csv"))
    named = client.get(f"{PATH}?lang=en&site={SITE_ID}")

    assert page.status_code == 200
    assert SITE_ID not in page.text.split("<main")[1]
    assert sum(float(row[1]) for row in rows) == 0
    assert named.status_code == 422


def test_a_chart_that_does_not_exist_is_not_found(client: httpx.Client) -> None:
    assert client.get(f"{PATH}/nothing?file=csv").status_code == 404
    assert client.get(f"{PATH}/flow?file=pdf").status_code == 422
