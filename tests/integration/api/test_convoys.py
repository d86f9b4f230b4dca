# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vehicles seen together, as a page and for programs: asked with a purpose, written down."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from tests.integration.api.world import DEVICE_ID, PROVINCE, World

PAGE, V1 = "/console/passages/convoys", "/v1/passages/convoys"
REASON = {"purpose": "violation_case", "case_reference": "VA-7"}
LEADER, FOLLOWER, STRANGER = "30F25658", "51A00002", "51A00003"
SITES = ("diem-a", "diem-b", "diem-c")
ADD = """
    INSERT INTO passage
           (captured_at, id, device_id, stream_id, seq, boot_id, site_id, camera_id, direction,
            first_seen_at, last_seen_at, clock_source, clock_error_ms, frame_index, frame_width_px,
            frame_height_px, plate_text, models, is_late)
    SELECT at, gen_random_uuid(), %s, 1, 1, gen_random_uuid(), site, 'cam', 'up', at, at, 'ntp', 0,
           0, 1, 1, plate, '[]', FALSE
      FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS seen (plate, site, at)
"""


@pytest.fixture
def roads(world: World) -> Iterator[None]:
    """Three sites that one vehicle passes half a minute behind another, and a third ten."""
    begins_at = datetime.now(UTC) - timedelta(days=1)
    seen = [
        (plate, site, begins_at + timedelta(minutes=30 * place + behind))
        for place, site in enumerate(SITES)
        for plate, behind in ((LEADER, 0), (FOLLOWER, 0.5), (STRANGER, 10))
    ]
    with psycopg.connect(world.owner_url) as rows:
        rows.execute(
            "INSERT INTO site (id, province, name) SELECT id, %s, id FROM unnest(%s::text[]) AS id",
            [PROVINCE, list(SITES)],
        )
        rows.execute(
            "INSERT INTO camera (site_id, id, name)"
            " SELECT id, 'cam', 'cam' FROM unnest(%s::text[]) AS id",
            [list(SITES)],
        )
        rows.execute(ADD, [DEVICE_ID, *(list(column) for column in zip(*seen, strict=True))])
    yield
    with psycopg.connect(world.owner_url) as rows:
        rows.execute("DELETE FROM passage")
        rows.execute("DELETE FROM camera WHERE id = 'cam'")
        rows.execute("DELETE FROM site WHERE id = ANY(%s)", [list(SITES)])


@pytest.mark.usefixtures("roads")
def test_who_passed_right_behind_at_three_sites_is_told_and_the_look_is_written_down(
    world: World, client: httpx.Client
) -> None:
    now = datetime.now(UTC)
    asked = {"plate": "30f-256.58", "span": "week", **REASON}

    page = client.post(f"{PAGE}?lang=en", data=asked).text
    alone = client.post(f"{PAGE}?lang=en", data=asked | {"plate": STRANGER}).text
    told = client.post(
        V1,
        json={
            "plate": LEADER,
            "captured_from": (now - timedelta(days=2)).isoformat(),
            "captured_until": now.isoformat(),
            **REASON,
        },
    ).json()

    [found] = told["companions"]
    assert (found["plate_text"], found["sites"], found["meetings"]) == (FOLLOWER, 3, 3)
    assert "51A-000.02" in page
    assert 'value="30f-256.58"' in page  # what was asked stays
    assert "51A-000.03" not in page.partition('id="rows"')[2]
    assert "Nobody was seen together with it" in alone
    with psycopg.connect(world.owner_url) as rows:
        looks = rows.execute(
            "SELECT purpose, detail::text FROM audit_entry WHERE action = 'companions_searched'"
        ).fetchall()
    assert [purpose for purpose, _ in looks] == ["violation_case"] * 3
    assert LEADER not in str(looks)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"plate": "30F*"}, "A whole plate please"),
        ({"plate": ""}, "A whole plate please"),
        ({"purpose": "curiosity"}, "Choose why you look."),
        ({"case_reference": "x" * 101}, "At most 100 characters please."),
    ],
)
def test_a_wrong_question_comes_back_as_it_was_typed(
    client: httpx.Client, changed: dict[str, str], says: str
) -> None:
    asked = {"plate": "30F25658", "span": "quarter", **REASON, **changed}

    answer = client.post(f"{PAGE}?lang=en", data=asked)

    assert answer.status_code == 422
    assert says in answer.text
    assert f'value="{asked["plate"]}"' in answer.text
    assert '<option value="quarter" selected>' in answer.text


@pytest.mark.usefixtures("world")
def test_programs_name_a_whole_plate_and_at_most_92_days(client: httpx.Client) -> None:
    good = {
        "plate": LEADER,
        "captured_from": "2026-08-01T00:00:00Z",
        "captured_until": "2026-09-01T00:00:00Z",
        **REASON,
    }

    answers = [
        client.post(V1, json=good | changed).json()["code"]
        for changed in (
            {"plate": "30F*"},
            {"captured_until": "2026-12-01T00:00:00Z"},
            {"plate": "30F/1"},
        )
    ]

    assert answers == ["filter-invalid", "filter-invalid", "plate-pattern-invalid"]
