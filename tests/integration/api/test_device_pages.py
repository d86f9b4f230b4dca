# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cameras and devices, completeness, and the quarantine: what the pages show and do."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from central.completeness.statement import read_file
from central.domain.local_time import local_date
from central.identity.permissions import Permission, Role
from central.ingest.release import release_quarantined
from central.ingest.repository import RELEASABLE_REASONS
from tests.integration.api.world import (
    CAMERA_ID,
    DEVICE_ID,
    LIMITS,
    PROVINCE,
    SITE_ID,
    SITE_NAME,
    Seen,
    World,
)

LOOK = {"purpose": "inspection", "case_reference": "KT-7"}
ENGLISH = {"luuthong_language": "en"}


@pytest.fixture
def administrator(world: World) -> Iterator[httpx.Client]:
    with world.signed_in_as(Role.ADMINISTRATOR) as client:
        client.cookies.update(ENGLISH)
        yield client


def rows(world: World, statement: str) -> list[dict[str, Any]]:
    with psycopg.connect(world.owner_url, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()


def text_of(page: str) -> str:
    """A page's words, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_device_that_never_spoke_and_one_that_did_are_told_apart(
    world: World, administrator: httpx.Client
) -> None:
    before = text_of(administrator.get("/console/cameras").text)

    world.beat(temperature_celsius=81.5, outbox_events=1234)
    world.store(Seen(), Seen(plate="29B67890"), Seen(plate=""))
    after = text_of(administrator.get("/console/cameras").text)

    assert "Never heard of" in before
    assert DEVICE_ID in after
    for figure in ("Connected", "Running", SITE_NAME, "12", "66.6%", "1,234", "8 ms", "81.5 °C"):
        assert figure in after, figure


def test_a_devices_page_shows_its_cameras_and_its_last_day(
    world: World, administrator: httpx.Client
) -> None:
    quiet = text_of(administrator.get(f"/console/cameras/{DEVICE_ID}").text)
    world.beat(temperature_celsius=40.0)

    told = text_of(administrator.get(f"/console/cameras/{DEVICE_ID}").text)

    assert "Nothing heard in the last 24 hours" in quiet
    assert "told of no camera yet" in quiet
    assert CAMERA_ID in told
    assert "12 / 25" in told
    assert "40 °C" in told
    assert "Nothing heard" not in told


@pytest.mark.parametrize("page", ["cameras", "completeness"])
@pytest.mark.parametrize(
    ("name", "status"), [("gate-99", 404), ("Gate;--", 422), ("%2e%2e%2fetc", 404)]
)
def test_a_device_that_does_not_exist_is_an_error_page(
    administrator: httpx.Client, page: str, name: str, status: int
) -> None:
    answer = administrator.get(f"/console/{page}/{name}")

    assert answer.status_code == status
    assert "text/html" in answer.headers["content-type"]


def test_what_came_is_shown_by_day_with_what_is_missing_doubled_and_late(
    world: World, administrator: httpx.Client
) -> None:
    empty = text_of(administrator.get("/console/completeness").text)
    sent = world.store(Seen(), Seen(is_late=True))
    world.seq += 3  # numbers 3 to 5 never come
    world.store(Seen())
    repeated = rows(world, "SELECT seq FROM passage ORDER BY seq")
    world.store_again(sent[0])

    listed = text_of(administrator.get("/console/completeness").text)
    gaps = text_of(administrator.get(f"/console/completeness/{DEVICE_ID}").text)

    assert "Nothing has come yet" in empty
    assert [row["seq"] for row in repeated] == [1, 2, 6]
    [day] = rows(world, "SELECT * FROM device_day")
    counts = ("first_seq", "last_seq", "stored_count", "doubled_count", "late_count")
    assert [day[name] for name in counts] == [1, 6, 3, 1, 1]
    assert "3 missing" in listed
    assert "3…5" in gaps
    assert DEVICE_ID in listed


def test_lost_numbers_are_an_alarm_on_the_overview_and_the_devices_until_they_come(
    world: World, administrator: httpx.Client
) -> None:
    world.store(Seen())
    late = world.make(Seen(is_late=True), Seen(is_late=True))
    world.store(Seen())
    world.beat()
    world.follow_gaps(timedelta(0))
    pages = ("/console/cameras", f"/console/cameras/{DEVICE_ID}")

    with world.signed_in_as(Role.OPERATOR) as operator:
        operator.cookies.update(ENGLISH)
        calm = [administrator.get(page).text for page in pages]
        world.follow_gaps(timedelta(hours=1))
        overview = text_of(operator.get("/console/overview").text)
        alarmed = [text_of(administrator.get(page).text) for page in pages]
        world.store_again(*late)
        world.follow_gaps(timedelta(hours=2))
        after = [operator.get("/console/overview").text, administrator.get(pages[0]).text]

    assert "2 numbers lost" in overview
    assert all("2 numbers lost" in page for page in alarmed)
    assert not any("numbers lost" in page for page in (*calm, *after))


def test_a_day_is_chosen_and_every_gap_of_it_is_explained(
    world: World, administrator: httpx.Client
) -> None:
    world.store(Seen())
    world.seq += 2  # numbers 2 and 3 never come
    world.store(Seen(is_late=True))
    unknown = world.make(Seen(camera_id="lan-la"))[0]
    world.quarantine(unknown.to_json(), topic=f"lt/1/{PROVINCE}/{SITE_ID}/{DEVICE_ID}/passage")
    world.seq += 3  # numbers 6 to 8 wait in the device
    world.beat(outbox_events=3)
    today = local_date(datetime.now(UTC))

    page = administrator.get("/console/captured", params={"day": today.isoformat()})
    shown = text_of(page.text)
    before = text_of(administrator.get("/console/captured?day=2024-02-29").text)

    assert "Captured 8 = Stored 2 + Still in devices 3" in shown
    assert "+ Quarantined or discarded 1 + Lost 2" in shown
    for words in ("2…3", "has them no more", "6…8", "outbox", "In quarantine", "Unknown camera"):
        assert words in shown, words
    assert f'href="/console/captured?day={today - timedelta(days=1)}"' in page.text
    assert "Nothing came" in before
    assert "Gaps of" not in before


def test_the_statements_about_a_day_are_downloaded_and_only_by_who_sees_the_province(
    world: World, administrator: httpx.Client
) -> None:
    day = local_date(datetime.now(UTC)) - timedelta(days=1)
    address = f"/console/captured/{day}/statement"
    before = administrator.get(f"{address}.json")
    world.state(day)

    page = administrator.get("/console/captured", params={"day": day.isoformat()})
    file = administrator.get(f"{address}.json?revision=1")
    paper = administrator.get(f"{address}.pdf")
    missing = administrator.get(f"{address}.pdf?revision=2")
    with world.program(Permission.SEE_DEVICES) as client:
        listed = client.get("/v1/completeness/statements").json()
        same = client.get(listed["statements"][0]["url"])
        same_paper = client.get(f"/v1/completeness/statements/{day}/paper")
        odd = client.get("/v1/completeness/statements", params={"cursor": "2026-02-31.1"})
    with world.program(Permission.SEE_DEVICES, name="other", site_ids=[SITE_ID]) as client:
        refused = client.get("/v1/completeness/statements")

    assert (before.status_code, missing.status_code, odd.status_code) == (404, 404, 422)
    assert "Not signed" in text_of(page.text)
    assert f'href="{address}.json?revision=1"' in page.text
    assert read_file(file.content).day == day
    assert (same.content, same_paper.content) == (file.content, paper.content)
    assert paper.content.startswith(b"%PDF-")
    assert hashlib.sha256(file.content).hexdigest() == listed["statements"][0]["sha256"]
    assert (refused.status_code, refused.json()["code"]) == (403, "permission-denied")


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "2999-01-01", "1999-12-31"])
def test_a_day_that_is_none_comes_back_with_what_was_typed(
    administrator: httpx.Client, day: str
) -> None:
    answer = administrator.get("/console/captured", params={"day": day})

    assert answer.status_code == 422
    assert "Choose a day that has begun" in answer.text
    assert f'value="{day}"' in answer.text


def test_a_message_in_quarantine_is_listed_looked_at_for_a_purpose_and_dropped_with_a_reason(
    world: World, administrator: httpx.Client
) -> None:
    plate = "20A55555"
    world.quarantine(
        f'{{"plate": "{plate}", "x": "<script>alert(1)</script>"}}'.encode(),
        topic=f"lt/1/{PROVINCE}/{SITE_ID}/{DEVICE_ID}/passage",
    )
    [message] = rows(world, "SELECT id FROM quarantine")
    address = f"/console/quarantine/{message['id']}"

    listed = administrator.get("/console/quarantine").text
    closed = administrator.get(address).text
    unasked = administrator.post(f"{address}/look")
    shown = administrator.post(f"{address}/look", data=LOOK).text
    unexplained = administrator.post(f"{address}/drop", data={"note": " "})
    dropped = administrator.post(f"{address}/drop", data={"note": "test of the site engineer"})
    again = administrator.post(f"{address}/drop", data={"note": "twice"})

    assert "Not in the agreed form" in listed
    assert plate not in listed + closed + unasked.text
    assert (unasked.status_code, unexplained.status_code) == (422, 422)
    assert plate in shown
    assert "&lt;script&gt;" in shown
    assert "<script>alert" not in shown
    assert (dropped.status_code, again.status_code) == (303, 404)
    assert "Nothing is in quarantine" in administrator.get("/console/quarantine").text
    [kept] = rows(world, "SELECT resolution, resolved_by, resolution_note FROM quarantine")
    assert kept["resolution"] == "dropped"
    assert kept["resolved_by"] == Role.ADMINISTRATOR.value
    assert kept["resolution_note"] == "test of the site engineer"
    acts = rows(world, "SELECT action, purpose, case_reference FROM audit_entry ORDER BY id")
    assert [act["action"] for act in acts] == ["quarantine_looked_at", "quarantine_dropped"]
    assert (acts[0]["purpose"], acts[0]["case_reference"]) == ("inspection", "KT-7")


def test_a_message_is_stored_when_it_is_tried_again_after_the_cause_was_mended(
    world: World, administrator: httpx.Client
) -> None:
    [passage] = world.make(Seen(camera_id="lan-moi"))
    world.quarantine(passage.to_json(), topic=f"lt/1/{PROVINCE}/{SITE_ID}/{DEVICE_ID}/passage")
    [message] = rows(world, "SELECT id, reason FROM quarantine")
    world.add_camera("lan-moi", name="Làn mới")

    answer = administrator.post(f"/console/quarantine/{message['id']}/retry")
    [job] = rows(world, "SELECT args FROM procrastinate_jobs WHERE task_name = 'retry_quarantined'")
    stored = release_quarantined(
        world.database_url,
        limits=LIMITS,
        now=datetime.now(UTC),
        reasons=tuple(sorted(RELEASABLE_REASONS)),
        entry_id=job["args"]["entry_id"],
    )

    assert message["reason"] == "unknown_camera"
    assert answer.headers["location"] == "/console/quarantine?done=retried"
    assert stored == 1
    assert rows(world, "SELECT resolution FROM quarantine") == [{"resolution": "stored"}]
    assert "Nothing is in quarantine" in administrator.get(answer.headers["location"]).text


def test_a_message_is_mended_on_its_page_and_the_form_keeps_what_was_typed(
    world: World, administrator: httpx.Client
) -> None:
    [passage] = world.make(Seen())
    fields = json.loads(passage.to_json())
    newer = json.dumps(fields | {"kind": "passage/2"})
    world.quarantine(newer.encode(), topic=f"lt/1/{PROVINCE}/{SITE_ID}/{DEVICE_ID}/passage")
    [message] = rows(world, "SELECT id FROM quarantine")
    address = f"/console/quarantine/{message['id']}"

    listed = administrator.get("/console/quarantine", params={"device": DEVICE_ID}).text
    shown = administrator.post(f"{address}/look", data=LOOK).text
    wrong = administrator.post(f"{address}/mend", data={"text": '{"x": "y&z"}', "note": "n1"})
    unexplained = administrator.post(f"{address}/mend", data={"text": "{}", "note": " "})
    mended = administrator.post(
        f"{address}/mend", data={"text": json.dumps(fields), "note": "version 2"}
    )
    stored = release_quarantined(
        world.database_url, limits=LIMITS, now=datetime.now(UTC), entry_id=message["id"]
    )

    assert "By device" in listed
    assert f'href="/console/quarantine?device={DEVICE_ID}"' in listed
    assert "&#34;passage/1&#34;" in shown, "the known version is proposed"
    assert (wrong.status_code, unexplained.status_code, mended.status_code) == (422, 422, 303)
    assert "y&amp;z" in wrong.text
    assert 'value="n1"' in wrong.text
    assert "missing" in wrong.text
    assert mended.headers["location"] == "/console/quarantine?done=mended"
    assert stored == 1
    assert rows(world, "SELECT seq FROM passage") == [{"seq": passage.seq}]


def test_a_long_quarantine_is_read_page_by_page_and_by_reason(
    world: World, administrator: httpx.Client
) -> None:
    for number in range(60):
        world.quarantine(f"no json {number}".encode(), topic="somewhere/else")

    first = administrator.get("/console/quarantine", params={"reason": "topic_unknown"}).text
    older = first.split('rel="next"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    second = administrator.get(older).text
    others = administrator.get("/console/quarantine", params={"reason": "too_big"}).text

    assert (first.count("row-link"), second.count("row-link")) == (50, 10)
    assert "Nothing is in quarantine" in others


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/console/quarantine", {"reason": "x' OR 1=1--"}),
        ("/console/quarantine", {"before": "0"}),
        ("/console/quarantine/0", {}),
        ("/console/quarantine/99999999999999999999", {}),
        ("/console/completeness", {"day": "yesterday", "stream": "1"}),
        ("/console/completeness", {"day": "2026-11-01", "stream": "-1"}),
        ("/console/cameras", {"after": "A B"}),
    ],
)
def test_nonsense_in_an_address_is_refused(
    administrator: httpx.Client, path: str, values: dict[str, str]
) -> None:
    assert administrator.get(path, params=values).status_code == 422
