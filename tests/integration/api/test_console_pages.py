# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages as a browser without scripts gets them."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import structlog

from api.security.headers import CONTENT_SECURITY_POLICY
from central.contracts.passage import PlateColour, PlateLayout, VehicleClass
from deploy.local.ports import free_port
from tests.integration.api.world import (
    CAMERA_ID,
    SESSION_COOKIE,
    SITE_ID,
    SITE_NAME,
    Seen,
    World,
    serving,
)


def _row_ids(page: str) -> list[str]:
    return re.findall(r'data-passage="([0-9a-f-]{36})"', page)


def test_the_list_shows_plates_as_they_hang_on_vehicles(world: World, client: httpx.Client) -> None:
    world.store(
        Seen(plate="30F25658", colour=PlateColour.YELLOW),
        Seen(
            plate="29B112345",
            layout=PlateLayout.TWO_LINE,
            vehicle_class=VehicleClass.MOTORCYCLE,
        ),
    )

    page = client.get("/console/passages").text

    assert "30F-256.58" in page
    assert "plate-yellow" in page
    assert "<span>29-B1</span><span>123.45</span>" in page
    assert "Xe máy" in page
    assert SITE_NAME in page


def test_a_reading_that_the_grammar_corrected_is_marked_in_the_list(
    world: World, client: httpx.Client
) -> None:
    world.store(Seen(plate="20C12345", raw_plate="2OC12345"))

    marked = client.get("/console/passages").text
    world.forget()
    world.store(Seen(plate="20C12345"))
    plain = client.get("/console/passages").text

    assert "Đã hiệu chỉnh" in marked
    assert "Đã hiệu chỉnh" not in plain


def test_the_overview_tells_how_cameras_are(world: World, client: httpx.Client) -> None:
    silent = client.get("/console/overview/strip", headers={"HX-Request": "true"}).text
    world.beat()
    heard = client.get("/console/overview/strip", headers={"HX-Request": "true"}).text

    assert "Chưa từng kết nối" in silent
    assert "Đang chạy" in heard
    assert "<html" not in heard


def test_an_empty_list_says_what_will_happen(client: httpx.Client) -> None:
    page = client.get("/console/passages").text

    assert "Chưa có lượt xe nào" in page


def test_times_are_shown_in_vietnam_time(world: World, client: httpx.Client) -> None:
    at = datetime(2026, 11, 1, 17, 30, 5, tzinfo=UTC)
    world.store(Seen(captured_at=at))

    page = client.get("/console/passages").text

    assert "00:30:05" in page
    assert "02/11/2026" in page


def test_english_is_one_click_away_and_remembered(world: World, client: httpx.Client) -> None:
    world.store(Seen())

    client.get("/console/passages?lang=en")
    page = client.get("/console/passages").text

    assert '<html lang="en"' in page
    assert "Passages today" in page
    assert "Lượt xe hôm nay" not in page


def test_colours_are_remembered(client: httpx.Client) -> None:
    client.post("/console/preferences", data={"theme": "dark"})

    assert 'data-theme="dark"' in client.get("/console/passages").text


def test_a_searched_plate_stands_in_no_address(world: World, client: httpx.Client) -> None:
    world.store(Seen(plate="20A12345"), Seen(plate="30F25658"))

    answer = client.post("/console/passages/search", data={"plate": "20a-123.??"})
    page = client.get(answer.headers["location"])

    assert answer.status_code == 303
    assert len(_row_ids(page.text)) == 1
    assert "20A-123.45" in page.text
    for address in (
        answer.headers["location"],
        *re.findall(r'(?:href|url|get)="([^"]+)"', page.text),
    ):
        assert "20A" not in address.upper()


def test_a_word_that_stands_for_no_plate_is_said_to_be_forgotten(client: httpx.Client) -> None:
    answer = client.post("/console/passages/search", data={"plate": "20A12345"})
    word = parse_qs(urlsplit(answer.headers["location"]).query)["p"][0]

    page = client.get(f"/console/passages?p={'A' * len(word)}")

    assert "không còn được lưu" in page.text


def test_a_forgotten_plate_is_said_and_not_taken_for_no_plate(
    world: World, client: httpx.Client
) -> None:
    location = client.post("/console/passages/search", data={"plate": "20A12345"}).headers[
        "location"
    ]
    cookies = dict(client.cookies)
    other = World(database_url=world.database_url, evidence_folder=world.evidence_folder)

    with serving(other) as restarted, httpx.Client(base_url=restarted, cookies=cookies) as again:
        page = again.get(location)

    assert page.status_code == 200
    assert "không còn được lưu" in page.text


def test_a_pattern_with_foreign_signs_comes_back_with_the_reason(client: httpx.Client) -> None:
    answer = client.post("/console/passages/search", data={"plate": "<script>"})

    assert answer.status_code == 422
    assert "Chỉ dùng chữ, số" in answer.text
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_range_that_ends_before_it_begins_comes_back_with_the_reason(
    client: httpx.Client,
) -> None:
    answer = client.post(
        "/console/passages/search",
        data={"period": "custom", "from": "2026-11-22T10:00", "to": "2026-11-22T09:00"},
    )

    assert answer.status_code == 422
    assert "phải sau thời điểm bắt đầu" in answer.text


def test_filters_make_an_address_that_can_be_kept(world: World, client: httpx.Client) -> None:
    world.store(Seen(vehicle_class=VehicleClass.TRUCK), Seen())

    answer = client.post(
        "/console/passages/search",
        data={"vehicle_class": "truck", "place": f"{SITE_ID}/{CAMERA_ID}", "period": "today"},
    )

    location = answer.headers["location"]
    assert parse_qs(urlsplit(location).query) == {
        "vehicle_class": ["truck"],
        "place": [f"{SITE_ID}/{CAMERA_ID}"],
        "period": ["today"],
    }
    assert len(_row_ids(client.get(location).text)) == 1


def test_older_and_newer_pages_show_every_passage_once_and_lead_back(
    world: World, client: httpx.Client
) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    stored = world.store(
        *(Seen(plate=f"20A{n:05d}", captured_at=at + timedelta(seconds=n)) for n in range(120))
    )

    pages = [client.get("/console/passages").text]
    while older := re.search(r'rel="next" href="([^"]+)"', pages[-1]):
        pages.append(client.get(older[1].replace("&amp;", "&")).text)
    newer = re.search(r'rel="prev" href="([^"]+)"', pages[-1])
    assert newer is not None
    back = client.get(newer[1].replace("&amp;", "&")).text

    ids = [each for page in pages for each in _row_ids(page)]
    assert len(pages) == 3
    assert len(ids) == len(set(ids)) == len(stored)
    assert _row_ids(back) == _row_ids(pages[1])
    assert "data-live-url" in pages[0]
    assert "data-live-url" not in pages[1]


def test_a_detail_is_a_page_of_its_own_and_a_piece_beside_the_list(
    world: World, client: httpx.Client
) -> None:
    (stored,) = world.store(Seen(plate="20C12345", raw_plate="2OC12345"))

    page = client.get(f"/console/passages/{stored.id}")
    piece = client.get(f"/console/passages/{stored.id}", headers={"HX-Request": "true"})

    for text in (page.text, piece.text):
        assert "2OC12345" in text
        assert "Đã hiệu chỉnh" in text
        assert "Cách đọc khác" in text
        assert "ab" * 32 in text
    assert "<html" in page.text
    assert "<html" not in piece.text
    assert page.headers["vary"] == "HX-Request"


def test_names_from_outside_are_escaped(world: World, client: httpx.Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    world.add_camera("evil-cam", name=evil)
    world.store(Seen(camera_id="evil-cam"))

    page = client.get("/console/passages").text

    assert evil not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


@pytest.mark.parametrize(
    "path", ["/console/login", "/console/passages", "/console/nowhere", "/v1/health", "/nowhere"]
)
def test_every_answer_carries_the_strict_policy(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers

    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_pages_hold_no_inline_script_style_or_foreign_address(
    world: World, client: httpx.Client
) -> None:
    (stored,) = world.store(Seen())

    for path in ("/console/login", "/console/passages", f"/console/passages/{stored.id}"):
        page = client.get(path).text
        assert re.search(r"<script(?![^>]*\ssrc=)", page) is None
        assert re.search(r"<style|<[^>]*\s(?:style|on[a-z]+)=", page) is None
        assert re.search(r'(?:src|href|action)="(?:https?:)?//', page) is None


def test_an_address_that_does_not_exist_is_a_page_in_plain_words(client: httpx.Client) -> None:
    answer = client.get("/console/nowhere")

    assert answer.status_code == 404
    assert "Không có trang này" in answer.text
    assert answer.headers["x-request-id"] in answer.text


def test_a_missing_database_is_a_page_in_plain_words_and_a_problem(tmp_path: Path) -> None:
    lost = World(
        database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/none",
        evidence_folder=tmp_path,
    )

    with (
        serving(lost),
        httpx.Client(
            base_url=lost.api_url, cookies={SESSION_COOKIE: "x" * 43}, timeout=30
        ) as client,
    ):
        page = client.get("/console/passages")
        problem = client.post("/v1/passages/search", json={})
        health = client.get("/v1/health")

    assert page.status_code == 503
    assert "Tạm thời chưa lấy được dữ liệu" in page.text
    assert page.headers["retry-after"] == "5"
    assert problem.status_code == 503
    assert problem.json()["code"] == "database-unavailable"
    assert health.status_code == 503


def test_no_plate_reaches_the_log_or_the_metrics(
    world: World, client: httpx.Client, caplog: pytest.LogCaptureFixture, log_lines: list[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    (stored,) = world.store(Seen(plate="20A12345"))

    client.post("/v1/passages/search", json={"plate": "20A12345"})
    client.post("/v1/passages/search", json={"plate": "20A12345!"})
    location = client.post("/console/passages/search", data={"plate": "20A12345"}).headers[
        "location"
    ]
    client.get(location)
    client.get(f"/console/passages/{stored.id}")
    metrics = client.get("/metrics").text

    assert any("request_answered" in line for line in log_lines)
    for text in (*log_lines, caplog.text, metrics):
        assert "20A1" not in text
    assert 'route="/v1/passages/search"' in metrics


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """Every structured log line of the test, as text."""
    lines: list[str] = []

    def keep(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        lines.append(repr(event))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, keep],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    yield lines
    structlog.configure(**before)


def current_pages(html: str) -> list[str]:
    """Links of the menu that are marked as the page on show."""
    return re.findall(r'<a class="menu-\w+" href="([^"]+)" aria-current="page"', html)


@pytest.mark.parametrize(
    ("path", "form", "part"),
    [
        ("/console/vehicles/search", {"text": "?"}, "/console/vehicles"),
        ("/console/watchlist/search", {"plate": "20C-%"}, "/console/watchlist"),
        ("/console/passages/search", {"plate": "20C-%"}, "/console/passages"),
    ],
)
def test_a_form_that_comes_back_stays_in_its_part_of_the_console(
    client: httpx.Client, path: str, form: dict[str, str], part: str
) -> None:
    answer = client.post(path, data=form)

    assert answer.status_code == 422
    assert re.findall(r'<a class="menu-\w+" href="([^"]+)" aria-current="page"', answer.text) == [
        part
    ]


def test_an_address_is_in_a_part_only_below_it(client: httpx.Client) -> None:
    def part_of(path: str) -> list[str]:
        return current_pages(client.get(path).text)

    assert part_of("/console/alerts?state=all") == ["/console/alerts"]
    assert part_of("/console/overview") == ["/console/overview"]
    assert part_of("/console/overviews") == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("30f-256.58", "/console/passages?p="),
        ("h15-261123-0001", "/console/passages"),  # an operator sees no dossiers
    ],
)
def test_the_palette_leads_to_what_somebody_may_see(
    client: httpx.Client, text: str, target: str
) -> None:
    answer = client.post("/console/find", data={"text": text})

    assert answer.status_code in {303, 422}
    assert answer.headers.get("location", target).startswith(target)
    assert "30F" not in answer.headers.get("location", "")
