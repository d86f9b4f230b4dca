# SPDX-License-Identifier: AGPL-3.0-or-later
"""The toll's pages, answered by a served api."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest

from central.identity.permissions import Role
from tests.integration.api.tolling import CAR_ACCOUNT, TRUCK_ACCOUNT, TollWorld, toll_world
from tests.integration.api.world import World

SLACK = timedelta(minutes=1)


@pytest.fixture
def station(world: World) -> Iterator[TollWorld]:
    with toll_world(world) as made:
        yield made


@pytest.fixture
def operator(world: World) -> Iterator[httpx.Client]:
    with world.signed_in_as(Role.TOLL_OPERATOR) as client:
        yield client


@pytest.fixture
def at() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=30)


def in_review(station: TollWorld, at: datetime) -> str:
    """The address of a truck whose tag was not read."""
    station.truck(at, tag=None)
    station.work(now=datetime.now(UTC))
    station.work(now=datetime.now(UTC) + SLACK)
    return f"/console/tolls/{station.crossing_id('review')}"


def charge(client: httpx.Client, address: str, **changes: str) -> httpx.Response:
    filled = {
        "version": "2",
        "decision": "charge",
        "account_number": TRUCK_ACCOUNT,
        "vehicle_group": "3",
        "note": "",
        **changes,
    }
    return client.post(f"{address}/decide", data=filled)


def test_the_page_counts_the_day_and_lists_the_crossings(
    station: TollWorld, operator: httpx.Client, at: datetime
) -> None:
    station.truck(at)
    station.car(at + timedelta(seconds=15))
    station.work(now=datetime.now(UTC))

    page = operator.get("/console/tolls")

    assert page.status_code == 200
    assert "75.000 ₫" in page.text
    assert "Đã thu" in page.text
    assert "Số dư không đủ" in page.text
    assert page.text.count('class="row-link"') == 2


def test_the_list_is_filtered_by_outcome_and_day(
    station: TollWorld, operator: httpx.Client, at: datetime
) -> None:
    station.truck(at)
    station.work(now=datetime.now(UTC))

    charged = operator.get("/console/tolls?state=charged&station=tram-km12")
    other = operator.get("/console/tolls?day=2020-01-01")
    nonsense = operator.get("/console/tolls?state=nonsense&day=2026-02-31&station=../x")

    assert charged.text.count('class="row-link"') == 1
    assert "Không có lượt qua trạm nào phù hợp" in other.text
    assert nonsense.text.count('class="row-link"') == 1


def test_without_a_station_the_page_says_what_to_do(world: World, operator: httpx.Client) -> None:
    del world

    page = operator.get("/console/tolls?lang=en")

    assert "No toll station yet" in page.text


def test_the_numbers_alone_are_a_piece_of_the_page(
    station: TollWorld, operator: httpx.Client
) -> None:
    del station

    piece = operator.get("/console/tolls/numbers", headers={"HX-Request": "true"})
    page = operator.get("/console/tolls/numbers")

    assert piece.status_code == 200
    assert "<html" not in piece.text
    assert (page.status_code, page.headers["location"]) == (303, "/console/tolls")


def test_a_charged_crossing_shows_what_it_rests_on(
    station: TollWorld, operator: httpx.Client, at: datetime
) -> None:
    station.truck(at)
    station.work(now=datetime.now(UTC))

    page = operator.get(f"/console/tolls/{station.crossing_id('charged')}?lang=en")

    assert page.status_code == 200
    for text in (
        "75,000 ₫",
        "Giá minh họa",
        "Example price",
        "Ledger entry",
        TRUCK_ACCOUNT,
        "20C12345 · yellow plate",
        "Payload (kg)",
        "E2801160600002054E1A2B3C",
        "/console/pictures/",
    ):
        assert text in page.text, text
    assert "Your decision" not in page.text


def test_looking_at_a_crossing_is_written_down(
    station: TollWorld, operator: httpx.Client, at: datetime
) -> None:
    address = in_review(station, at)

    operator.get(address)

    with psycopg.connect(station.world.owner_url) as rows:
        looks = rows.execute(
            "SELECT actor, subject_id FROM audit_entry WHERE action = 'toll_crossing_looked_up'"
        ).fetchall()
    assert looks == [("toll_operator", address.rsplit("/", 1)[-1])]


def test_a_person_charges_from_the_queue_and_goes_on(
    station: TollWorld, operator: httpx.Client, at: datetime
) -> None:
    address = in_review(station, at)
    queue = operator.get("/console/tolls/review")
    page = operator.get(address)

    answer = charge(operator, address)

    assert address in queue.text
    assert f'value="{TRUCK_ACCOUNT}"' in page.text
    assert re.search(r'<option value="3"\s+selected', page.text)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/tolls/review")
    assert "Không có lượt nào chờ xử lý" in operator.get("/console/tolls/review").text
    assert "Đã thu" in operator.get(address).text


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"account_number": "TK-NONE"}, "Không có tài khoản giao thông nào mang số này"),
        ({"account_number": " "}, "Hãy nhập số tài khoản giao thông."),
        ({"account_number": "TK-CAR"}, "Tài khoản còn 0 ₫, mức giá là 75.000 ₫"),
        ({"vehicle_group": "9"}, "Hãy chọn nhóm phương tiện."),
        ({"decision": "waive", "reason": "because"}, "Hãy chọn lý do miễn thu."),
        ({"note": "x" * 501}, "Ghi chú tối đa 500 ký tự."),
    ],
)
def test_a_wrong_decision_comes_back_with_what_to_put_right(
    station: TollWorld,
    operator: httpx.Client,
    at: datetime,
    changes: dict[str, str],
    problem: str,
) -> None:
    address = in_review(station, at)

    answer = charge(operator, address, **changes)

    assert answer.status_code == 422
    assert problem in answer.text
    assert address.endswith(str(station.crossing_id("review")))


def test_a_crossing_is_decided_once(
    station: TollWorld, operator: httpx.Client, at: datetime
) -> None:
    address = in_review(station, at)
    charge(operator, address)

    again = charge(operator, address, decision="waive", reason="not_tolled")
    decided = charge(operator, address, version="3")

    assert again.status_code == 409
    assert decided.status_code == 409
    assert "Người khác đã xử lý trước" in decided.text


def test_who_may_not_see_tolls_is_refused_and_written_down(
    station: TollWorld, world: World, at: datetime
) -> None:
    address = in_review(station, at)
    paths = ["/console/tolls", "/console/tolls/review", address]

    with world.signed_in_as(Role.CLERK) as clerk:
        answers = [clerk.get(path).status_code for path in paths]
        answers.append(charge(clerk, address).status_code)

    assert answers == [403] * 4
    with psycopg.connect(world.owner_url) as rows:
        refused = rows.execute(
            "SELECT count(*) FROM audit_entry WHERE action = 'act_refused' AND actor = 'clerk'"
        ).fetchone()
    assert refused == (4,)


def test_an_unknown_crossing_is_a_page_that_says_so(operator: httpx.Client) -> None:
    answer = operator.get(f"/console/tolls/{uuid4()}?lang=en")

    assert answer.status_code == 404
    assert "This toll crossing does not exist" in answer.text


def test_a_refused_crossing_is_paid_after_a_top_up_from_its_page(
    station: TollWorld, operator: httpx.Client, at: datetime
) -> None:
    station.car(at)
    station.work(now=datetime.now(UTC))
    address = f"/console/tolls/{station.crossing_id('refused')}"
    page = operator.get(address)
    assert f'value="{CAR_ACCOUNT}"' in page.text
    paid = {"account_number": CAR_ACCOUNT, "vehicle_group": "1", "origin": "refused"}
    too_early = charge(operator, address, **paid)
    station.top_up(CAR_ACCOUNT, 100_000)

    answer = charge(operator, address, **paid)

    assert too_early.status_code == 422
    assert "35.000 ₫" in too_early.text
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert "Đã thu" in operator.get(address).text


def test_a_charge_is_given_back_by_an_auditor_and_the_page_shows_it(
    station: TollWorld, world: World, operator: httpx.Client, at: datetime
) -> None:
    station.truck(at)
    station.work(now=datetime.now(UTC))
    address = f"/console/tolls/{station.crossing_id('charged')}"
    filled = {"version": "2", "reason": "wrong_vehicle", "note": "Biển đọc nhầm"}
    refused = operator.post(f"{address}/refund", data=filled)
    assert "Hoàn lại tiền" not in operator.get(address).text
    with world.signed_in_as(Role.TOLL_AUDITOR) as auditor:
        nonsense = auditor.post(f"{address}/refund", data={**filled, "reason": "no"})

        answer = auditor.post(f"{address}/refund", data=filled)

        again = auditor.post(f"{address}/refund", data=filled)
        page = auditor.get(address)
    assert (refused.status_code, nonsense.status_code) == (403, 422)
    assert (answer.status_code, again.status_code) == (303, 409)
    assert "Thu nhầm xe" in page.text
    assert "Biển đọc nhầm" in page.text
    assert "Hoàn tiền, bút toán" in page.text
    assert "Đã hoàn tiền" in operator.get("/console/tolls").text
