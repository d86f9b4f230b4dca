# SPDX-License-Identifier: AGPL-3.0-or-later
"""Administrators register webhooks, see their secret once, and follow what was sent."""

import html
import re

import httpx
import psycopg
import pytest

from central.identity.permissions import Role
from tests.integration.api.world import World

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
LIST = "/console/webhooks"
FORM = {"name": "dieu-hanh", "url": "https://example.vn/hook", "events": "alert.raised"}


def registered(people: httpx.Client) -> str:
    """Address of the page of a webhook that was registered just now."""
    assert people.post(LIST, data=FORM).status_code == 200
    [path] = re.findall(rf"{LIST}/[0-9a-f-]{{36}}", people.get(LIST).text)
    return str(path)


def test_a_secret_is_shown_once_and_kept_nowhere(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    with world.signed_in_as(Role.ADMINISTRATOR) as people:
        made = people.post(LIST, data=FORM | {"sites": "cau-gia-bay"})
        [secret] = SECRET.findall(html.unescape(made.text))
        again = people.get(LIST)

    assert SECRET.findall(html.unescape(again.text)) == []
    assert "https://example.vn/hook" in again.text
    with psycopg.connect(world.owner_url) as rows:
        kept = str(rows.execute("SELECT * FROM webhook, webhook_secret, audit_entry").fetchall())
    assert secret not in kept
    assert "webhook_added" in kept
    assert secret not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://example.vn/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://example.vn:22/"}, "url"),
        ({"name": "Điều hành"}, "name"),
        ({"events": []}, "events"),
        ({"sites": "?"}, "sites"),
    ],
)
def test_a_wrong_part_comes_back_with_the_form_and_keeps_what_was_typed(
    world: World, change: dict[str, object], field: str
) -> None:
    world.store()
    with world.signed_in_as(Role.ADMINISTRATOR) as people:
        answer = people.post(LIST, data=FORM | change)

    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert f'value="{(FORM | change)["url"]}"' in answer.text
    with psycopg.connect(world.owner_url) as rows:
        assert rows.execute("SELECT count(*) FROM webhook").fetchone() == (0,)


def test_a_webhook_is_tested_sent_again_paused_resumed_renewed_and_removed(world: World) -> None:
    with world.signed_in_as(Role.ADMINISTRATOR) as people:
        path = registered(people)
        tested = people.post(f"{path}/test")
        shown = people.get(path).text
        [again_path] = set(re.findall(rf"{path}/deliveries/[0-9a-f-]{{36}}/send-again", shown))
        again = people.post(again_path)
        paused = people.post(f"{path}/pause")
        not_now = people.post(f"{path}/test", headers={"Accept": "text/html"})
        resumed = people.post(f"{path}/resume")
        renewed = people.post(f"{path}/rotate")
        removed = people.post(f"{path}/remove")
        gone = people.get(path)

    assert [each.status_code for each in (tested, again, paused, resumed, removed)] == [303] * 5
    assert (not_now.status_code, gone.status_code) == (409, 404)
    assert len(SECRET.findall(html.unescape(renewed.text))) == 1
    with psycopg.connect(world.owner_url) as rows:
        jobs = rows.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_webhooks'"
        ).fetchone()
    assert jobs == (3,)


def test_deliveries_are_shown_in_pages_and_by_state(world: World) -> None:
    with world.signed_in_as(Role.ADMINISTRATOR) as people:
        path = registered(people)
        with psycopg.connect(world.owner_url) as rows:
            rows.execute(
                "INSERT INTO webhook_event (id, type, occurred_at, body)"
                " SELECT gen_random_uuid(), 'alert.raised', now() - n * interval '1 s', '{}'"
                " FROM generate_series(1, 60) AS n"
            )
            rows.execute(
                "INSERT INTO webhook_delivery (id, webhook_id, event_id, made_at, state, attempts,"
                " expires_at, status, failure, latency_ms)"
                " SELECT gen_random_uuid(), webhook.id, webhook_event.id, occurred_at, 'failed', 9,"
                " now(), 500, 'refused', 12 FROM webhook_event, webhook"
            )
        first = people.get(path).text
        [older] = re.findall(r'rel="next" href="([^"]+)"', first)
        second = people.get(html.unescape(older)).text
        failed = people.get(path, params={"state": "failed"}).text
        delivered = people.get(path, params={"state": "delivered"}).text
        wrong = people.get(path, params={"state": "lost"})

    counts = [each.count("/send-again") for each in (first, second, failed, delivered)]
    assert counts == [50, 10, 50, 0]
    assert "HTTP 500" in first
    assert wrong.status_code == 422


def test_a_webhook_that_is_not_there_is_no_error_of_ours(world: World) -> None:
    nowhere = f"{LIST}/01930b1e-7c00-7000-8000-000000000001"
    with world.signed_in_as(Role.ADMINISTRATOR) as people:
        answers = [people.get(nowhere), people.post(f"{nowhere}/rotate"), people.get(f"{LIST}/x")]
        sent = people.post(f"{registered(people)}/deliveries/{nowhere[-36:]}/send-again")

    assert [each.status_code for each in answers] == [404, 404, 422]
    assert sent.status_code == 404
