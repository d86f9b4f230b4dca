# SPDX-License-Identifier: AGPL-3.0-or-later
"""The overview shows now and today, beside the same weekday before, and gives its numbers away."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from central.contracts.incident import IncidentPhase
from central.domain.local_time import local_date, start_of_local_day
from central.identity.permissions import Role
from tests.integration.api.incidents import tell
from tests.integration.api.world import Seen, World

WEEK = timedelta(days=7)
PIECE = {"HX-Request": "true"}


def _numbers(csv_text: str, column: int) -> list[float]:
    lines = csv_text.lstrip("\ufeff").splitlines()[1:]
    return [float(cell) for line in lines if (cell := line.split(",")[column])]


def test_the_page_holds_passages_alerts_health_and_charts_with_their_tables(
    world: World, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store(Seen(plate="30F25658"))
    world.beat()

    monkeypatch.setattr("api.console.figures.KEEP", timedelta(0))

    page = client.get("/console/overview?lang=en").text

    assert "30F-256.58" in page
    assert "Open alerts" in page
    assert page.count("data-chart ") == 4
    assert 'data-value="1"' in page  # the passage, in the table behind its chart


def test_figures_hold_today_against_the_same_weekday_before(
    world: World, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.figures.KEEP", timedelta(0))  # other tests' figures are kept
    midnight = start_of_local_day(local_date(datetime.now(UTC)))
    at = min(midnight + timedelta(minutes=20), datetime.now(UTC))
    world.store(
        Seen(captured_at=at),
        Seen(captured_at=at, plate="", is_legal=False),
        Seen(captured_at=at - WEEK, is_late=True),
    )

    flow = client.get("/console/overview/charts/flow?file=csv")
    share = client.get("/console/overview/charts/read-rate?file=csv")

    assert sum(_numbers(flow.text, 1)) == 2
    assert sum(_numbers(flow.text, 2)) == 1
    assert _numbers(share.text, 1) == [50.0]
    assert flow.headers["content-disposition"] == 'attachment; filename="flow.csv"'


@pytest.mark.parametrize(("path", "status"), [("flow?file=pdf", 422), ("nothing", 404)])
def test_a_file_that_does_not_exist_is_refused(
    client: httpx.Client, path: str, status: int
) -> None:
    assert client.get(f"/console/overview/charts/{path}").status_code == status


def test_who_may_not_see_alerts_gets_the_rest(world: World) -> None:
    with world.signed_in_as(Role.TOLL_OPERATOR) as clerk:
        page = clerk.get("/console/overview?lang=en")

    assert page.status_code == 200
    assert "Open alerts" not in page.text
    assert not re.search(r'href="/console/alerts', page.text)


@pytest.mark.parametrize("piece", ["strip", "charts"])
def test_a_piece_by_itself_leads_to_the_page(client: httpx.Client, piece: str) -> None:
    alone = client.get(f"/console/overview/{piece}")
    asked = client.get(f"/console/overview/{piece}", headers=PIECE)

    assert (alone.status_code, alone.headers["location"]) == (303, "/console/overview")
    assert asked.status_code == 200
    assert "<html" not in asked.text


def test_incidents_that_go_on_are_counted_and_lead_to_their_list(
    world: World, client: httpx.Client
) -> None:
    now = datetime.now(UTC)

    def strip() -> str:
        return client.get("/console/overview/strip?lang=en", headers=PIECE).text

    before = strip()
    begun = [tell(world, now - timedelta(minutes=each)) for each in (5, 6)]
    tell(world, now - timedelta(minutes=4), of=begun[0])
    both = strip()
    tell(world, now, of=begun[0], phase=IncidentPhase.ENDED)
    one = strip()
    tell(world, now, of=begun[1], phase=IncidentPhase.ENDED)

    counted = r'href="/console/incidents\?state=open">\s*<span class="stat-value">(\d+)<'
    assert [re.findall(counted, each) for each in (before, both, one, strip())] == [
        [],
        ["2"],
        ["1"],
        [],
    ]
