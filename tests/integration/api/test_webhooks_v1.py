# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs keep webhooks of their own, and hear no more by them than they may ask for."""

from datetime import UTC, datetime
from uuid import uuid4

import httpx
import psycopg
import pytest

from central.identity.permissions import Permission, Role
from central.webhooks.repository import WebhookRepository
from central.webhooks.types import EventType
from tests.integration.api.world import World

LIST = "/v1/webhooks"
MINE = (Permission.MANAGE_WEBHOOKS, Permission.SEE_ALERTS)
NEW = {"name": "dieu-hanh", "url": "https://example.vn/hook", "events": ["alert.raised"]}


def added(client: httpx.Client, **changes: object) -> tuple[str, str]:
    """Address and ETag of a webhook that was registered just now."""
    answer = client.post(LIST, json=NEW | changes)
    assert answer.status_code == 201, answer.text
    return f"{LIST}/{answer.json()['id']}", answer.headers["etag"]


def test_a_program_lists_adds_tests_renews_and_removes_its_webhook(world: World) -> None:
    with world.program(*MINE) as client:
        path, tag = added(client)
        tested = client.post(f"{path}/test")
        renewed = client.post(f"{path}/secret", headers={"If-Match": tag})
        [listed] = client.get(LIST).json()["webhooks"]
        one = client.get(path)
        stale = client.delete(path, headers={"If-Match": tag})
        unsaid = client.delete(path)
        removed = client.delete(path, headers={"If-Match": one.headers["etag"]})

        assert (tested.status_code, tested.json()) == (202, {"id": listed["id"]})
        assert renewed.json()["secret"].startswith("whsec_")
        assert renewed.headers["etag"] == one.headers["etag"] != tag
        assert listed == one.json()
        assert (listed["state"], listed["waiting"]) == ("working", 1)
        assert [stale.status_code, unsaid.status_code, removed.status_code] == [412, 428, 204]
        assert client.get(path).status_code == 404
    with psycopg.connect(world.owner_url) as rows:
        acts = rows.execute(
            "SELECT actor_kind, action FROM audit_entry WHERE subject_kind = 'webhook' ORDER BY id"
        ).fetchall()
    assert {action for _kind, action in acts} == {
        "webhook_added",
        "webhook_tested",
        "webhook_secret_rotated",
        "webhook_removed",
    }


def test_the_same_request_again_makes_no_second_webhook_and_tells_no_secret(world: World) -> None:
    once = {"Idempotency-Key": str(uuid4())}
    with world.program(*MINE) as client:
        first = client.post(LIST, json=NEW, headers=once)
        again = client.post(LIST, json=NEW, headers=once)
        webhooks = client.get(LIST).json()["webhooks"]

    secret = first.json()["secret"]
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {"id": first.json()["id"], "secret": None}
    assert len(webhooks) == 1
    with psycopg.connect(world.owner_url) as rows:
        kept = str(rows.execute("SELECT * FROM api_answer").fetchall())
    assert first.json()["id"] in kept
    assert secret not in kept


def test_a_program_neither_sees_nor_changes_webhooks_of_others(world: World) -> None:
    with world.program(*MINE, name="mot") as one, world.program(*MINE, name="hai") as other:
        path, tag = added(one)
        seen = {"If-Match": tag}
        refused = (
            other.get(path),
            other.post(f"{path}/test"),
            other.post(f"{path}/secret", headers=seen),
            other.delete(path, headers=seen),
        )

        assert [each.status_code for each in refused] == [404] * 4
        assert other.get(LIST).json() == {"webhooks": []}
        assert one.get(path).status_code == 200
    with world.signed_in_as(Role.ADMINISTRATOR) as people:
        assert [each["name"] for each in people.get(LIST).json()["webhooks"]] == [NEW["name"]]


@pytest.mark.parametrize(
    "change",
    [
        {"events": ["device.silent"]},  # its key does not see devices
        {"events": ["webhook.test"]},
        {"site_ids": ["another-site"]},  # its key sees one site
        {"url": "https://169.254.169.254/latest"},
    ],
)
def test_a_program_hears_no_more_than_it_may_ask_for(
    world: World, change: dict[str, object]
) -> None:
    with world.program(*MINE, site_ids=("cau-gia-bay",)) as client:
        refused = client.post(LIST, json=NEW | change)
        path, _tag = added(client)

        assert (refused.status_code, refused.json()["code"]) == (422, "webhook-invalid")
        assert client.get(path).json()["site_ids"] == ["cau-gia-bay"]


async def test_a_program_whose_key_was_revoked_hears_nothing_more(world: World) -> None:
    with world.program(*MINE) as client:
        added(client)
    with world.program(*MINE, name="con-dung") as client:
        kept, _tag = added(client, name="con-dung")

    with psycopg.connect(world.owner_url) as rows:
        rows.execute(
            "UPDATE api_key SET revoked_at = now(), revoked_by = 'admin' FROM api_client"
            " WHERE api_client.id = api_key.client_id AND api_client.name = 'tram-can'"
        )
    async with await psycopg.AsyncConnection.connect(world.database_url) as connection:
        listeners = await WebhookRepository(connection).listeners(
            {EventType.ALERT_RAISED}, now=datetime.now(UTC)
        )

    assert [f"{LIST}/{each.id}" for each in listeners] == [kept]
