# SPDX-License-Identifier: AGPL-3.0-or-later
"""No page or call shows people's data, or changes anything, without leaving a row in the log."""

import httpx
import psycopg

from central.contracts.passage import EvidenceKind
from central.identity.permissions import Role
from tests.integration.api.world import Seen, World, drawn_jpeg, sha256_of

LISTS = {
    ("GET", "/console/alerts"): Role.OPERATOR,
    ("GET", "/console/dossiers"): Role.CLERK,
    ("GET", "/console/overview"): Role.OPERATOR,
    ("GET", "/console/passages"): Role.OPERATOR,
    ("GET", "/console/tolls"): Role.TOLL_OPERATOR,
    ("GET", "/console/watchlist"): Role.OPERATOR,
    ("POST", "/v1/passages/search"): Role.OPERATOR,
}
"""Lists that show plates or people, each with a role that may open it."""


def test_every_list_that_shows_plates_or_people_is_written_down_when_it_is_opened(
    world: World,
) -> None:
    for (method, path), role in sorted(LISTS.items()):
        with world.signed_in_as(role) as client:
            answer = client.get(path) if method == "GET" else client.post(path, json={})
        assert answer.status_code == 200, path
    assert [subject for action, subject, _ in acts(world) if action == "list_looked_at"] == sorted(
        path for _, path in LISTS
    )


def test_a_passage_its_picture_and_a_search_for_its_plate_are_written_down_without_the_plate(
    world: World, client: httpx.Client
) -> None:
    picture = drawn_jpeg(seed=1)
    (passage,) = world.store(Seen(plate="20C12345", pictures=((EvidenceKind.SCENE, picture),)))
    world.upload(picture)

    client.get(f"/v1/passages/{passage.id}")
    client.get(f"/console/passages/{passage.id}")
    client.get(f"/v1/evidence/{sha256_of(picture)}")
    client.post("/console/passages/search", data={"plate": "20C-123.45"})
    client.post("/v1/passages/search", json={"plate": "20C12345"})

    written = acts(world)
    assert [action for action, _, _ in written] == [
        "passage_looked_up",
        "passage_looked_up",
        "picture_looked_at",
        "passages_searched",
        "list_looked_at",
        "passages_searched",
    ]
    assert {address for _, _, address in written} == {"127.0.0.1"}
    with psycopg.connect(world.owner_url) as rows:
        stored = rows.execute("SELECT string_agg(audit_entry::text, '') FROM audit_entry")
        assert "20C12345" not in str(stored.fetchone())


def acts(world: World) -> list[tuple[str, str, str]]:
    """Act, subject and address of every entry, oldest first."""
    with psycopg.connect(world.owner_url) as rows:
        return rows.execute(
            "SELECT action, subject_id, client_address FROM audit_entry ORDER BY id"
        ).fetchall()
