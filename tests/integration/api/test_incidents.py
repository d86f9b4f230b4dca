# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents as pages and for programs: how each stands, within the person's sites."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from central.contracts.evidence_notice import EvidenceFate
from central.contracts.incident import IncidentKind, IncidentPhase
from central.contracts.passage import EvidenceKind
from central.domain.local_time import local_date
from tests.integration.api.areas import INSIDE, OUTSIDE, confine, make_areas
from tests.integration.api.incidents import give_up, tell
from tests.integration.api.world import SITE_ID, USERNAME, Seen, World, drawn_jpeg, sha256_of

PAGE, V1 = "/console/incidents", "/v1/incidents"
NOW = datetime.now(UTC)
MISSING = "cd" * 32
UNREADABLE = "ef" * 32


def listed(client: httpx.Client, **question: object) -> list[UUID]:
    """Ids of one page for programs."""
    answer = client.get(V1, params={name: str(value) for name, value in question.items()})
    assert answer.status_code == 200, answer.text
    return [UUID(each["id"]) for each in answer.json()["incidents"]]


def rows_of(client: httpx.Client, **question: object) -> list[UUID]:
    """Ids of one page for people."""
    answer = client.get(PAGE, params={name: str(value) for name, value in question.items()})
    assert answer.status_code == 200, answer.text
    return [UUID(each) for each in re.findall(rf'href="{PAGE}/([0-9a-f-]{{36}})"', answer.text)]


def test_open_incidents_come_first_then_the_newest_and_each_once_as_its_newest_telling_says(
    world: World, client: httpx.Client
) -> None:
    old = tell(world, NOW - timedelta(hours=3), kind=IncidentKind.CAMERA_BLIND)
    over = tell(world, NOW - timedelta(hours=2))
    tell(world, NOW - timedelta(hours=1), of=over, phase=IncidentPhase.ENDED)
    tell(world, NOW - timedelta(minutes=90), of=over, phase=IncidentPhase.LASTS)  # came late
    new = tell(world, NOW - timedelta(minutes=30), kind=IncidentKind.WRONG_WAY)
    in_order = [new.incident_id, old.incident_id, over.incident_id]

    first = client.get(V1, params={"page_size": 2}).json()
    rest = client.get(V1, params={"cursor": first["next_cursor"]}).json()

    assert listed(client) == rows_of(client) == in_order
    assert [UUID(each["id"]) for part in (first, rest) for each in part["incidents"]] == in_order
    assert rest["next_cursor"] is None
    assert rest["incidents"][0] | {"began_at": "", "told_at": ""} == {
        "id": str(over.incident_id),
        "kind": "stopped_vehicle",
        "state": "ended",
        "phase": "ended",
        "began_at": "",
        "told_at": "",
        "site_id": SITE_ID,
        "site_name": "Cầu Gia Bẩy",
        "camera_id": "lan-vao",
        "camera_name": "lan-vao",
        "lane": 2,
        "confidence": 0.75,
    }


def test_filters_narrow_by_kind_state_site_and_day(world: World, client: httpx.Client) -> None:
    blind = tell(world, NOW - timedelta(days=2), kind=IncidentKind.CAMERA_BLIND).incident_id
    begun = tell(world, NOW - timedelta(minutes=30))
    tell(world, NOW, of=begun, phase=IncidentPhase.ENDED)
    stopped = begun.incident_id
    day = local_date(NOW - timedelta(days=2))

    for ask in (listed, rows_of):
        assert ask(client, kind="camera_blind") == [blind]
        assert ask(client, state="ended") == [stopped]
        assert ask(client, state="open") == [blind]
        assert ask(client, day=day) == [blind]
        assert ask(client, day=day - timedelta(days=1)) == []
    assert listed(client, site_id=SITE_ID) == rows_of(client, site=SITE_ID) == [blind, stopped]
    assert listed(client, site_id="nowhere") == []


def test_what_makes_no_sense_is_refused_to_programs_and_left_out_for_people(
    world: World, client: httpx.Client
) -> None:
    told = tell(world, NOW).incident_id
    wrong = {"kind": "x", "state": "x", "day": "2026-02-30", "cursor": "o" + "!" * 32}

    assert {client.get(V1, params={name: text}).status_code for name, text in wrong.items()} == {
        422
    }
    assert rows_of(client, **wrong, site="<script>", at="x" * 33) == [told]


def test_an_incident_shows_its_tellings_in_order_and_what_became_of_its_pictures(
    world: World, client: httpx.Client
) -> None:
    came = drawn_jpeg(seed=1)
    begun = tell(world, NOW - timedelta(minutes=9), pictures=(sha256_of(came), MISSING))
    lasts = tell(
        world,
        NOW - timedelta(minutes=5),
        of=begun,
        phase=IncidentPhase.LASTS,
        pictures=("ab" * 32,),
    )
    ended = tell(world, NOW, of=begun, phase=IncidentPhase.ENDED, pictures=(UNREADABLE,))
    give_up(world, begun.id, MISSING, at=NOW)
    give_up(world, ended.id, UNREADABLE, at=NOW, fate=EvidenceFate.UNREADABLE)
    assert world.upload(came).status_code == 201

    told = client.get(f"{V1}/{begun.incident_id}").json()
    page = client.get(f"{PAGE}/{begun.incident_id}?lang=en").text
    rows = client.get(f"{PAGE}?lang=en").text

    assert told["incident"]["state"] == "ended"
    assert [each["id"] for each in told["reports"]] == [str(e.id) for e in (begun, lasts, ended)]
    assert [
        [(each["url"], each["fate"]) for each in report["pictures"]] for report in told["reports"]
    ] == [
        [(f"/v1/evidence/{sha256_of(came)}", None), (None, "dropped_for_room")],
        [(None, None)],
        [(None, "unreadable")],
    ]
    assert f'src="/console/pictures/{sha256_of(came)}"' in page
    assert f'src="/console/pictures/{sha256_of(came)}"' in rows
    for words in ("no room left", "has not arrived yet", "can&#39;t read this picture", "9 min"):
        assert words in page, words
    assert page.index("It began") < page.index("It lasts") < page.index("It ended")


def test_who_is_confined_to_other_sites_sees_no_incident(
    world: World, client: httpx.Client
) -> None:
    told = tell(world, NOW).incident_id
    make_areas(world)

    confine(world, USERNAME, OUTSIDE)
    outside = (rows_of(client), listed(client), listed(client, site_id=SITE_ID))
    answers = [client.get(f"{path}/{told}").status_code for path in (PAGE, V1)]
    confine(world, USERNAME, INSIDE)

    assert outside == ([], [], [])
    assert answers == [404, 404]
    assert rows_of(client) == listed(client) == [told]


@pytest.mark.usefixtures("world")
def test_without_incidents_the_list_says_so_and_an_unknown_one_is_not_found(
    client: httpx.Client,
) -> None:
    empty = client.get(f"{PAGE}?lang=en").text
    narrowed = client.get(f"{PAGE}?lang=en&state=open").text
    unknown = client.get(f"{PAGE}/{uuid4()}?lang=en")

    assert "As soon as a device tells" in empty
    assert "Nothing fits what you chose" in narrowed
    assert unknown.status_code == 404
    assert "This incident does not exist" in unknown.text


def test_a_passage_says_of_a_picture_that_is_not_here_whether_it_is_still_expected(
    world: World, client: httpx.Client
) -> None:
    scene, plate = drawn_jpeg(seed=1), drawn_jpeg(seed=2)
    pictures = ((EvidenceKind.SCENE, scene), (EvidenceKind.PLATE, plate))
    [passage] = world.store(Seen(pictures=pictures))
    [bare] = world.store(Seen(pictures=()))
    page = f"/console/passages/{passage.id}?lang=en"

    def fates() -> list[str | None]:
        told = client.get(f"/v1/passages/{passage.id}").json()["summary"]["evidence"]
        return [each["fate"] for each in told]

    waiting = (client.get(page).text.count("still expected"), fates())
    give_up(world, passage.id, sha256_of(plate), at=NOW)
    given_up = (client.get(page).text.count("no room left"), fates())
    assert world.upload(plate).status_code == 201  # it came in the end
    came = (client.get(page).text.count("no room left"), fates())

    assert waiting == (2, [None, None])
    assert given_up == (1, [None, "dropped_for_room"])
    assert came == (0, [None, None])
    assert "took no such picture" in client.get(f"/console/passages/{bare.id}?lang=en").text
