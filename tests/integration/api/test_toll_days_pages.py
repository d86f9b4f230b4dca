# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of closed toll days, answered by a served api."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest

from central.domain.local_time import local_date
from central.identity.permissions import Role
from tests.integration.api.tolling import TollWorld, toll_world
from tests.integration.api.world import World
from tests.integration.central import tolls

DAYS = "/console/tolls/days"


@pytest.fixture
def station(world: World) -> Iterator[TollWorld]:
    with toll_world(world) as made:
        yield made


@pytest.fixture
def auditor(world: World) -> Iterator[httpx.Client]:
    with world.signed_in_as(Role.TOLL_AUDITOR) as client:
        yield client


@pytest.fixture
def today(station: TollWorld) -> date:
    """The day on which the truck passed just now and was charged."""
    at = datetime.now(UTC) - timedelta(seconds=30)
    station.truck(at)
    station.work(now=datetime.now(UTC))
    return local_date(at)


def close(client: httpx.Client, day: date, **changes: str) -> httpx.Response:
    filled = {"station": tolls.STATION, "day": day.isoformat(), "so_far": "yes", **changes}
    return client.post(DAYS, data=filled)


def test_a_day_is_closed_by_button_and_shown_with_its_sums(
    today: date, auditor: httpx.Client
) -> None:
    answer = close(auditor, today)

    page = auditor.get(answer.headers["location"])
    assert answer.status_code == 303
    assert page.status_code == 200
    assert page.text.count("75.000 ₫") >= 2
    assert "Khớp" in page.text
    assert "Chưa hết ngày" in page.text
    assert "Chưa có tệp của nhà cung cấp" in page.text


def test_both_languages_list_closed_days(today: date, auditor: httpx.Client) -> None:
    close(auditor, today)

    vietnamese = auditor.get(DAYS)
    auditor.cookies.set("language", "en")
    auditor.post("/console/preferences", data={"language": "en", "next": DAYS})
    english = auditor.get(DAYS)

    assert "Ngày đã chốt" in vietnamese.text
    assert "75.000 ₫" in vietnamese.text
    assert "Closed days" in english.text
    assert "75,000 ₫" in english.text


def test_without_a_closed_day_the_page_says_what_to_do(
    station: TollWorld, auditor: httpx.Client
) -> None:
    del station

    page = auditor.get(DAYS)

    assert page.status_code == 200
    assert "luuthong toll close-day" in page.text


def test_a_day_that_is_not_over_comes_back_in_the_form(today: date, auditor: httpx.Client) -> None:
    tomorrow = today + timedelta(days=1)

    for day, so_far in ((today, ""), (tomorrow, "yes")):
        answer = close(auditor, day, so_far=so_far)

        assert answer.status_code == 422
        assert "Ngày này chưa kết thúc" in answer.text
        assert f'value="{day.isoformat()}"' in answer.text


def test_differences_are_listed_and_lead_to_our_crossing(
    today: date, station: TollWorld, auditor: httpx.Client
) -> None:
    ours = station.crossing_id("charged")
    file_id, extra = uuid4(), uuid4()
    with closing(psycopg.connect(station.world.owner_url, autocommit=True)) as rows:
        rows.execute(
            "INSERT INTO toll_provider_file (id, provider, station_id, booked_on, file_name,"
            " file_sha256, rows_read, received_at)"
            " VALUES (%s, %s, %s, %s, 'debits.csv', sha256('x'), 1, now())",
            [file_id, tolls.PROVIDER, tolls.STATION, today],
        )
        rows.execute(
            "INSERT INTO toll_provider_row VALUES (%s, 2, %s, 'TK-TRUCK', now(), 50000)",
            [file_id, extra],
        )

    page = auditor.get(close(auditor, today).headers["location"])

    assert f'href="/console/tolls/{ours}"' in page.text
    assert str(extra) in page.text
    assert f'href="/console/tolls/{extra}"' not in page.text
    assert "Nhà cung cấp đã trừ tiền, trạm không thu" in page.text
    assert "debits.csv" in page.text


def test_who_may_see_may_not_close(today: date, world: World) -> None:
    with world.signed_in_as(Role.TOLL_OPERATOR) as operator:
        page = operator.get(DAYS)
        answer = close(operator, today)

    assert page.status_code == 200
    assert "Chốt ngày" not in page.text
    assert answer.status_code == 403


def test_clerks_see_no_tolls(station: TollWorld, world: World) -> None:
    del station
    with world.signed_in_as(Role.CLERK) as clerk:
        assert clerk.get(DAYS).status_code == 403


def test_an_unknown_day_or_station_is_not_found(
    station: TollWorld, today: date, auditor: httpx.Client
) -> None:
    del station

    day = auditor.get(f"{DAYS}/{uuid4()}", headers={"accept": "text/html"})
    answer = close(auditor, today, station="nowhere")

    assert day.status_code == 404
    assert "Không có ngày đã chốt này" in day.text
    assert answer.status_code == 404


def test_pages_of_days_go_on_where_the_last_ended(
    station: TollWorld, auditor: httpx.Client
) -> None:
    yesterday = local_date(datetime.now(UTC)) - timedelta(days=1)
    close(auditor, yesterday)

    older = auditor.get(f"{DAYS}?before={yesterday}&station={tolls.STATION}")
    newer = auditor.get(f"{DAYS}?before={yesterday + timedelta(days=1)}&station=a")

    del station
    assert "Chưa chốt ngày nào" in older.text
    assert newer.text.count('class="row-link"') == 1
