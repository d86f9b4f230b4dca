# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lists leave as files, and similar readings are shown, only with a purpose that is kept."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from openpyxl import load_workbook

from tests.integration.api.world import SITE_ID, Seen, World

EXPORT = "/console/passages/export"
ALIKE = "/console/passages/alike"
REASON = {"purpose": "violation_case", "case_reference": "VP-12/2026"}


def _audited(world: World) -> list[tuple[Any, ...]]:
    with psycopg.connect(world.owner_url) as rows:
        return rows.execute(
            "SELECT action, purpose, case_reference, subject_id, detail FROM audit_entry"
            " WHERE action IN ('passages_exported', 'similar_readings_looked_at') ORDER BY id"
        ).fetchall()


def test_a_list_leaves_as_a_file_with_what_was_searched_for_and_why(
    world: World, client: httpx.Client
) -> None:
    world.store(Seen(plate="30F25658"), Seen(plate="20C12345"), Seen(plate="", is_legal=False))
    found = client.post("/console/passages/search", data={"plate": "30F*", "place": SITE_ID})
    query = found.headers["location"].partition("?")[2]

    question = client.get(f"{EXPORT}?{query}")
    spread = client.post(f"{EXPORT}?{query}", data={**REASON, "file": "xlsx"})
    everything = client.post(f"{EXPORT}?lang=en", data={**REASON, "file": "csv"})

    assert query in question.text.replace("&amp;", "&")
    page = load_workbook(io.BytesIO(spread.content)).active
    assert page is not None
    assert [row[1] for row in page.iter_rows(min_row=2, values_only=True)] == ["30F25658"]
    assert everything.headers["content-type"] == "text/csv; charset=utf-8"
    assert everything.text.count("\n") == 4  # the heading and three passages
    first, second = _audited(world)
    assert first[:4] == ("passages_exported", "violation_case", "VP-12/2026", "passages")
    assert (first[4]["sites"], first[4]["rows"]) == ([SITE_ID], 1)
    assert "30F" not in str(first)  # the plate is sealed
    assert second[4]["rows"] == 3


def test_similar_readings_are_those_that_a_camera_could_confuse_at_that_time(
    world: World, client: httpx.Client
) -> None:
    now = datetime.now(UTC) - timedelta(hours=3)
    stored = world.store(
        Seen(plate="30F25658", captured_at=now),
        Seen(plate="3OF2565B", captured_at=now + timedelta(minutes=5)),
        Seen(plate="30F25650", captured_at=now - timedelta(minutes=50)),
        Seen(plate="29B12345", captured_at=now),  # another vehicle
        Seen(plate="30F25659", captured_at=now - timedelta(hours=2)),  # too early
    )
    path = f"/console/passages/{stored[0].id}/similar"

    asked = client.get(path)
    shown = client.post(path, data=REASON).text

    assert "purpose" in asked.text
    assert f"/console/passages/{stored[1].id}" in shown
    assert f"/console/passages/{stored[2].id}" in shown
    # 0 is often taken for 8; two such characters are further away than one.
    assert shown.index(str(stored[2].id)) < shown.index(str(stored[1].id))
    assert str(stored[3].id) not in shown
    assert str(stored[4].id) not in shown
    [(action, purpose, _, subject_id, detail)] = _audited(world)
    assert (action, purpose, subject_id) == (
        "similar_readings_looked_at",
        "violation_case",
        str(stored[0].id),
    )
    assert detail == {"found": 2}


@pytest.mark.parametrize(
    "reason", [{}, {"purpose": "curiosity"}, {**REASON, "case_reference": "x" * 101}]
)
def test_without_a_reason_nothing_is_shown_or_saved(
    world: World, client: httpx.Client, reason: dict[str, str]
) -> None:
    (stored,) = world.store(Seen())

    answers = [
        client.post(path, data=reason)
        for path in (EXPORT, f"/console/passages/{stored.id}/similar")
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("field-error" in answer.text for answer in answers)
    assert _audited(world) == []


def test_a_passage_that_nobody_may_see_has_no_similar_ones(client: httpx.Client) -> None:
    path = "/console/passages/01930b1e-7c00-7000-8000-000000000001/similar"

    assert client.get(path).status_code == 404
    assert client.post(path, data=REASON).status_code == 404
    assert client.get("/console/passages/x/similar").status_code == 422


def test_a_range_that_ends_before_it_begins_is_no_file(client: httpx.Client) -> None:
    wrong = "period=custom&from=2026-11-02T00:00&to=2026-11-01T00:00"

    assert client.get(f"{EXPORT}?{wrong}").status_code == 422
    assert client.post(f"{EXPORT}?{wrong}", data=REASON).status_code == 422


def test_plates_that_a_camera_may_have_misread_are_found_over_months_by_page_and_by_program(
    world: World, client: httpx.Client
) -> None:
    now = datetime.now(UTC)
    world.store(
        Seen(plate="30F25658", captured_at=now - timedelta(days=50)),
        Seen(plate="30F25658", captured_at=now - timedelta(days=2)),
        Seen(plate="3OF25653", captured_at=now - timedelta(days=20), is_legal=False),
        Seen(plate="30F25654", captured_at=now),  # another vehicle
    )
    asked = {"plate": "30f-256.5?", "span": "quarter", "site": SITE_ID, **REASON}

    page = client.post(f"{ALIKE}?lang=en", data=asked | {"plate": "30F-256.58"}).text
    fewer = client.post(f"{ALIKE}?lang=en", data=asked | {"span": "week"}).text
    nothing = client.post(f"{ALIKE}?lang=en", data=asked | {"plate": "99Z*999"}).text
    told = client.post(
        "/v1/passages/alike",
        json={
            "plate": "30F-256.58",
            "captured_from": (now - timedelta(days=92)).isoformat(),
            "captured_until": now.isoformat(),
            "site_ids": [SITE_ID],
            **REASON,
        },
    )

    assert _plates_in(page) == ["30F25658", "3OF25653"]
    assert 'value="30F-256.58"' in page  # what was asked stays
    assert _plates_in(fewer) == ["30F25654", "30F25658"]
    assert "No plate fits" in nothing
    found = told.json()
    assert [
        (each["plate_text"], each["passages"], each["distance"]) for each in found["plates"]
    ] == [("30F25658", 2, 0.0), ("3OF25653", 1, 0.6)]
    assert not found["is_cut"]
    with psycopg.connect(world.owner_url) as rows:
        looks = rows.execute(
            "SELECT purpose, detail::text FROM audit_entry WHERE action = 'alike_plates_searched'"
        ).fetchall()
    assert [purpose for purpose, _ in looks] == ["violation_case"] * 4
    assert "30F" not in str(looks)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"plate": "3*"}, "at least 3 letters or digits"),
        ({"plate": "30F/25658"}, "at least 3 letters or digits"),
        ({"purpose": "curiosity"}, "Choose why you look."),
        ({"case_reference": "x" * 101}, "At most 100 characters please."),
    ],
)
def test_a_question_for_look_alike_plates_that_is_wrong_comes_back_as_it_was_typed(
    client: httpx.Client, changed: dict[str, str], says: str
) -> None:
    asked = {"plate": "30F25*", "span": "year", **REASON, **changed}

    answer = client.post(f"{ALIKE}?lang=en", data=asked)

    assert answer.status_code == 422
    assert says in answer.text
    assert f'value="{asked["plate"]}"' in answer.text
    assert '<option value="year" selected>' in answer.text


def _plates_in(page: str) -> list[str]:
    """Plates of the page's rows, in their order."""
    rows = page.partition('id="rows"')[2]
    shown = re.findall(r'translate="no">(.*?)<span class="visually-hidden">', rows, re.DOTALL)
    return [re.sub(r"<[^>]*>|\W", "", text) for text in shown]
