# SPDX-License-Identifier: AGPL-3.0-or-later
"""Searching passages as a program."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from central.contracts.passage import Direction, EvidenceKind, PlateColour, VehicleClass
from tests.integration.api.world import CAMERA_ID, SITE_ID, Seen, World, drawn_jpeg, sha256_of

Json = dict[str, Any]
"""What the api answered; tests read it by name."""


def _search(client: httpx.Client, **body: object) -> Json:
    answer = client.post("/v1/passages/search", json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def _plates(found: Json) -> list[str]:
    return [passage["plate_text"] for passage in found["passages"]]


def test_passages_come_newest_first(world: World, client: httpx.Client) -> None:
    now = datetime.now(UTC)
    world.store(
        Seen(plate="20A00001", captured_at=now - timedelta(seconds=20)),
        Seen(plate="20A00002", captured_at=now - timedelta(seconds=10)),
    )

    found = _search(client)

    assert _plates(found) == ["20A00002", "20A00001"]
    assert found["next_cursor"] is None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("20A12345", ["20A12345"]),
        ("20a-123.45", ["20A12345"]),
        ("20A1234?", ["20A12346", "20A12345"]),
        ("*345", ["29B112345", "20A12345"]),
        ("2?B*", ["29B112345"]),
        ("*", ["29B112345", "20A12346", "20A12345"]),
        ("99*", []),
    ],
)
def test_a_plate_is_found_by_what_is_known_of_it(
    world: World, client: httpx.Client, pattern: str, expected: list[str]
) -> None:
    now = datetime.now(UTC)
    world.store(
        *(
            Seen(plate=plate, captured_at=now - timedelta(seconds=30 - place))
            for place, plate in enumerate(("20A12345", "20A12346", "29B112345", ""))
        )
    )

    found = _search(client, plate=pattern)

    assert _plates(found) == expected


def test_every_filter_restricts(world: World, client: httpx.Client) -> None:
    now = datetime.now(UTC)
    world.store(
        Seen(plate="20A00001", vehicle_class=VehicleClass.TRUCK, direction=Direction.UP),
        Seen(plate="20A00002", captured_at=now - timedelta(hours=3)),
        Seen(plate="20A00003", colour=PlateColour.YELLOW),
    )

    assert _plates(_search(client, vehicle_classes=["truck"])) == ["20A00001"]
    assert _plates(_search(client, directions=["up"])) == ["20A00001"]
    assert _plates(_search(client, captured_until=(now - timedelta(hours=1)).isoformat())) == [
        "20A00002"
    ]
    assert len(_search(client, site_ids=[SITE_ID])["passages"]) == 3
    assert _search(client, site_ids=["elsewhere"])["passages"] == []
    camera = {"site_id": SITE_ID, "camera_id": CAMERA_ID}
    assert len(_search(client, cameras=[camera])["passages"]) == 3
    assert _search(client, cameras=[camera | {"camera_id": "other"}])["passages"] == []


def test_paging_shows_every_passage_once_though_new_ones_arrive(
    world: World, client: httpx.Client
) -> None:
    # Equal times on purpose: a cursor of the time alone would lose or repeat some.
    at = datetime.now(UTC) - timedelta(minutes=5)
    stored = world.store(
        *(
            Seen(plate=f"20A{place:05d}", captured_at=at + timedelta(seconds=place // 5))
            for place in range(23)
        )
    )

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = _search(client, page_size=5, **({"cursor": cursor} if cursor else {}))
        seen += [passage["id"] for passage in page["passages"]]
        world.store(Seen(plate="20A99999"))
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 23
    assert set(seen) == {str(passage.id) for passage in stored}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"plate": "20A'; DROP"}, "plate-pattern-invalid"),
        ({"plate": ""}, "request-invalid"),
        ({"page_size": 0}, "request-invalid"),
        ({"page_size": 201}, "request-invalid"),
        ({"cursor": "A" * 31 + "!"}, "cursor-invalid"),
        ({"cursor": "short"}, "request-invalid"),
        ({"captured_from": "2026-11-22T10:00:00"}, "request-invalid"),
        (
            {
                "captured_from": "2026-11-22T10:00:00Z",
                "captured_until": "2026-11-22T09:00:00Z",
            },
            "filter-invalid",
        ),
        ({"unknown_field": 1}, "request-invalid"),
        ({"site_ids": ["NOT A SLUG"]}, "request-invalid"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_with_a_stable_code(
    client: httpx.Client, body: Json, code: str
) -> None:
    answer = client.post("/v1/passages/search", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_a_refused_search_does_not_repeat_the_plate(client: httpx.Client) -> None:
    answer = client.post("/v1/passages/search", json={"plate": "20A123456789" * 5})

    assert answer.status_code == 422
    assert "20A" not in answer.text


def test_a_passage_tells_everything_and_where_its_pictures_are(
    world: World, client: httpx.Client
) -> None:
    here, missing = drawn_jpeg(seed=1), drawn_jpeg(seed=2)
    (stored,) = world.store(
        Seen(
            plate="20C12345",
            raw_plate="2OC12345",
            pictures=((EvidenceKind.SCENE, here), (EvidenceKind.PLATE, missing)),
        )
    )
    world.upload(here)

    answer = client.get(f"/v1/passages/{stored.id}")

    told = answer.json()
    assert answer.status_code == 200
    assert told["plate"]["raw_text"] == "2OC12345"
    assert told["plate"]["text"] == told["summary"]["plate_text"] == "20C12345"
    assert len(told["plate"]["char_confidences"]) == 8
    assert told["models"] == [{"name": "plate-reader", "sha256": "ab" * 32}]
    urls = {each["kind"]: each["url"] for each in told["summary"]["evidence"]}
    assert urls == {"scene": f"/v1/evidence/{sha256_of(here)}", "plate": None}


def test_an_unknown_passage_is_a_404(client: httpx.Client) -> None:
    answer = client.get("/v1/passages/01930b1e-7c00-7000-8000-000000000001")

    assert answer.status_code == 404
    assert answer.json()["code"] == "passage-not-found"


def test_a_body_is_bounded_before_it_is_read(client: httpx.Client) -> None:
    answer = client.post("/v1/passages/search", content=b" " * 70_000)

    assert answer.status_code == 413
    assert answer.json()["code"] == "body-too-large"


def test_a_body_without_announced_length_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/passages/search", content=iter([b"{}"]))

    assert answer.status_code == 411
    assert answer.json()["code"] == "length-required"
