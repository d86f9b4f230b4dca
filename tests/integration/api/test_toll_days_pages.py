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
from tests.integration.api.tolling import TRUCK_ACCOUNT, TollWorld, toll_world
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


def send_file(
    client: httpx.Client, address: str, content: bytes, *, provider: str = tolls.PROVIDER
) -> httpx.Response:
    return client.post(
        f"{address}/file",
        data={"provider": provider},
        files={"file": ("debits.csv", content, "text/csv")},
    )


def debits(*rows: str) -> bytes:
    return "\r\n".join(["crossing_id;account_number;debited_at;amount_dong", *rows]).encode()


def test_a_providers_file_is_taken_compared_and_makes_a_revision(
    today: date, station: TollWorld, auditor: httpx.Client
) -> None:
    ours, extra = station.crossing_id("charged"), uuid4()
    address = close(auditor, today).headers["location"]

    answer = send_file(
        auditor,
        address,
        debits(
            f"{ours};{TRUCK_ACCOUNT};{today}T12:00:00;75000",
            f"{extra};{TRUCK_ACCOUNT};{today}T12:00:00;35000",
        ),
    )

    page = auditor.get(answer.headers["location"])
    assert answer.status_code == 303
    assert answer.headers["location"] != address
    assert "debits.csv" in page.text
    assert str(extra) in page.text
    assert "Nhà cung cấp đã trừ tiền, trạm không thu" in page.text
    assert "lần chốt 2" in page.text


def test_faults_of_a_file_come_back_with_their_lines_and_nothing_is_kept(
    today: date, station: TollWorld, auditor: httpx.Client
) -> None:
    ours = station.crossing_id("charged")
    address = close(auditor, today).headers["location"]

    answer = send_file(
        auditor,
        address,
        debits(
            f"{ours};{TRUCK_ACCOUNT};{today}T12:00:00;75000",
            f"no-id;{TRUCK_ACCOUNT};{today}T12:00:00;75000",
            f"{ours};{TRUCK_ACCOUNT};2020-01-01T12:00:00;75000",
        ),
    )

    assert answer.status_code == 422
    assert "Dòng 3:" in answer.text
    assert "Mã lượt qua trạm không hợp lệ." in answer.text
    assert "Dòng 4:" in answer.text
    assert "Thời gian không thuộc ngày này." in answer.text
    with closing(psycopg.connect(station.world.owner_url)) as rows:
        kept = rows.execute("SELECT count(*) FROM toll_provider_file").fetchone()
    assert kept == (0,)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Tệp trống."),
        ("x,y\né".encode("latin-1"), "Tệp không ở mã UTF-8."),
        (b"x,y\n1,2\n", "Tệp phải có đủ các cột"),
        (b"x" * (8 * 1024 * 1024 + 1), "Tệp quá lớn"),
    ],
    ids=["empty", "not utf-8", "other columns", "too large"],
)
def test_a_file_that_is_none_is_told_so_in_words(
    today: date, auditor: httpx.Client, content: bytes, words: str
) -> None:
    address = close(auditor, today).headers["location"]

    answer = send_file(auditor, address, content)

    assert answer.status_code == 422
    assert words in answer.text


def test_a_file_needs_a_known_provider_a_bounded_body_and_an_auditor(
    today: date, world: World, auditor: httpx.Client
) -> None:
    address = close(auditor, today).headers["location"]

    unknown = send_file(auditor, address, debits(), provider="nobody")
    huge = send_file(auditor, address, b"x" * (16 * 1024 * 1024))
    nothing = auditor.post(f"{address}/file", data={"provider": tolls.PROVIDER})
    elsewhere = auditor.post(DAYS, content=b"x" * 100_000)
    with world.signed_in_as(Role.TOLL_OPERATOR) as operator:
        refused = send_file(operator, address, debits())

    assert (unknown.status_code, huge.status_code) == (422, 413)
    assert "Hãy chọn nhà cung cấp" in unknown.text
    assert nothing.status_code == 422
    assert elsewhere.status_code == 413
    assert refused.status_code == 403


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
