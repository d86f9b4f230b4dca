# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks tell what was committed, to whom they may, until it is taken or too late."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from api.client.webhooks import verified
from central.audit.types import Actor
from central.contracts.webhook import WebhookV1
from central.db.pool import connection_info, open_pool
from central.errors import PermissionDeniedError
from central.identity.permissions import Role
from central.identity.types import User
from central.jobs import webhook_tasks
from central.jobs.context import JobContext
from central.settings import CentralSettings
from central.webhook_settings import WebhookSettings
from central.webhooks import sending
from central.webhooks.delivering import DeliveryService
from central.webhooks.errors import WebhookInvalidError, WebhooksOffError, WebhookStateError
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.service import WebhookAdministration
from central.webhooks.types import (
    AGE_MAX,
    OVERLAP,
    WEBHOOKS_MAX,
    DeliveryState,
    EventType,
    Happening,
    NewWebhook,
    PauseReason,
    WebhookId,
    WebhookState,
)
from tests.fixtures.certificates import ServerCertificate, loopback_certificate
from tests.fixtures.webhook_receiver import Receiver, receiving

NOW: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOST: Final = "nhan-tin.example.vn"
ADMINISTRATOR: Final = User(
    id=1, username="admin", display_name="Quản trị", role=Role.ADMINISTRATOR
)
RAISED: Final = Happening(
    type=EventType.ALERT_RAISED,
    subject="alert",
    subject_id="6a1f3c52-0c1b-4a7e-8a55-5a0a1f1f7c21",
    site_id="km12",
    state="open",
    rule="badge_expired",
    path="/v1/alerts/6a1f3c52-0c1b-4a7e-8a55-5a0a1f1f7c21",
)


@dataclass(kw_only=True)
class Centre:
    """A centre whose time the test sets, and one receiver."""

    pool: AsyncConnectionPool[AsyncConnection]
    settings: CentralSettings
    receiver: Receiver
    answers: Sequence[str] = ("127.0.0.1",)
    now: datetime = NOW
    asked: int = 0

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.receiver.port}/hook?word=1"

    @asynccontextmanager
    async def hooks(self) -> AsyncIterator[WebhookAdministration]:
        """What an administrator does, in one transaction."""
        async with self.pool.connection() as connection:
            yield WebhookAdministration(
                connection,
                settings=self.settings.webhooks,
                actor=Actor.command("test"),
                user=ADMINISTRATOR,
            )

    async def register(self, *sites: str, name: str = "dieu-hanh") -> tuple[WebhookId, str]:
        """A webhook for everything that can be chosen, and its secret."""
        new = NewWebhook(
            name=name,
            url=self.url,
            events=frozenset({EventType.ALERT_RAISED, EventType.DOSSIER_CHANGED}),
            site_ids=frozenset(sites) or None,
        )
        async with self.hooks() as hooks:
            made = await hooks.add(new, now=self.now)
            [hook] = [each for each in await hooks.webhooks() if each.name == name]
        return hook.id, made.secret

    async def happen(self, *happenings: Happening) -> int:
        async with self.pool.connection() as connection:
            return await WebhookOutbox(connection).put(happenings or (RAISED,), now=self.now)

    async def send(self, webhook_id: WebhookId) -> None:
        """Run the job, with the DNS of the test."""

        async def resolver(host: str, _port: int) -> Sequence[str]:
            assert host == HOST
            self.asked += 1
            return self.answers

        await webhook_tasks.send_webhooks(
            self._context, webhook_id=str(webhook_id), resolver=resolver
        )

    async def sweep(self) -> int:
        return await webhook_tasks.send_due_webhooks(self._context)

    async def forget(self) -> int:
        return await webhook_tasks.forget_webhook_deliveries(self._context)

    async def look(self, webhook_id: WebhookId) -> tuple[Any, tuple[Any, ...]]:
        """The webhook and its deliveries; Any keeps the assertions short."""
        async with self.hooks() as hooks:
            page = await hooks.deliveries(webhook_id, state=None, after=None, size=100)
            return await hooks.webhook(webhook_id), page.deliveries

    @property
    def _context(self) -> JobContext:
        return JobContext(pool=self.pool, settings=self.settings, clock=lambda: self.now)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return loopback_certificate(tmp_path_factory.mktemp("receiver"), HOST)


@pytest.fixture
def receiver(certificate: ServerCertificate) -> Iterator[Receiver]:
    with receiving(certificate) as running:
        yield running


@pytest.fixture
async def centre(
    database_url: str, receiver: Receiver, certificate: ServerCertificate, tmp_path: Path
) -> AsyncIterator[Centre]:
    key_file = tmp_path / "webhook-key"
    key_file.write_text("key of the test\n", encoding="utf-8")
    settings = CentralSettings(
        database_url=database_url,
        webhooks=WebhookSettings.model_validate(
            {
                "key_file": key_file,
                "ports_allowed": [receiver.port, 443],
                "networks_allowed": ["127.0.0.0/8"],
                "ca_file": certificate.certificate_file,
            }
        ),
    )
    async with open_pool(connection_info(database_url), connections_max=2) as pool:
        yield Centre(pool=pool, settings=settings, receiver=receiver)


async def test_what_happened_is_told_signed_and_without_personal_data(centre: Centre) -> None:
    webhook_id, secret = await centre.register()
    await centre.happen()

    await centre.send(webhook_id)

    [told] = centre.receiver.told
    message = verified(told.body, told.headers, [secret], now=NOW)
    assert (told.path, told.headers["Host"]) == (
        "/hook?word=1",
        f"{HOST}:{centre.receiver.port}",
    )
    assert WebhookV1.from_json(told.body).type == "alert.raised"
    assert message["data"] == {
        "subject": "alert",
        "id": RAISED.subject_id,
        "site_id": "km12",
        "state": "open",
        "rule": "badge_expired",
        "path": RAISED.path,
    }
    hook, [delivery] = await centre.look(webhook_id)
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 1, 204)
    assert delivery.latency_ms >= 0
    assert (hook.waiting, hook.last_delivered_at) == (0, NOW)


async def test_what_was_rolled_back_is_never_told(centre: Centre) -> None:
    webhook_id, _ = await centre.register()

    async with centre.pool.connection() as connection:
        await WebhookOutbox(connection).put([RAISED], now=NOW)
        await connection.rollback()
    await centre.send(webhook_id)

    assert centre.receiver.told == []
    async with centre.pool.connection() as connection:
        jobs = await connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_webhooks'"
        )
        assert await jobs.fetchone() == (0,)


async def test_a_webhook_of_some_sites_hears_of_those_and_of_no_dossier(centre: Centre) -> None:
    await centre.register("km12", name="gan")
    await centre.register("km99", name="xa")
    everything, _ = await centre.register(name="ca-tinh")
    dossier = Happening(type=EventType.DOSSIER_CHANGED, subject="dossier", subject_id="1")
    unasked = Happening(type=EventType.DEVICE_SILENT, subject="device", subject_id="gate-01")

    queued = await centre.happen(RAISED, dossier, unasked)

    assert queued == 3
    _, deliveries = await centre.look(everything)
    assert {each.type for each in deliveries} == {
        EventType.ALERT_RAISED,
        EventType.DOSSIER_CHANGED,
    }


async def test_a_second_answer_of_the_dns_leads_nowhere(centre: Centre) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen()
    await centre.send(webhook_id)
    asked_at_first = centre.asked
    await centre.happen()

    centre.answers = ["10.0.0.5"]
    await centre.send(webhook_id)

    assert asked_at_first == 1  # resolved once, and connected to that
    assert len(centre.receiver.told) == 1
    _, deliveries = await centre.look(webhook_id)
    assert {each.failure for each in deliveries} == {None, "address_refused"}


async def test_a_receiver_with_the_certificate_of_another_host_is_told_nothing(
    centre: Centre, tmp_path: Path
) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen()

    with receiving(loopback_certificate(tmp_path, "another.example.vn")) as other:
        async with centre.pool.connection() as connection:
            await connection.execute(
                "UPDATE webhook SET url = %s", [f"https://{HOST}:{other.port}/"]
            )
        centre.settings = centre.settings.model_copy(
            update={
                "webhooks": centre.settings.webhooks.model_copy(
                    update={"ports_allowed": (other.port,)}
                )
            }
        )
        await centre.send(webhook_id)

        assert other.told == []
    _, [delivery] = await centre.look(webhook_id)
    assert delivery.failure == "tls_failed"


async def test_no_redirect_is_followed_and_no_proxy_of_the_environment_is_used(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    webhook_id, _ = await centre.register()
    await centre.happen()
    centre.receiver.status, centre.receiver.location = 307, "/elsewhere"

    await centre.send(webhook_id)

    assert [each.path for each in centre.receiver.told] == ["/hook?word=1"]
    _, [delivery] = await centre.look(webhook_id)
    assert (delivery.status, delivery.failure) == (307, "redirected")


async def test_a_receiver_that_never_answers_or_never_ends_is_left_in_time(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen()
    centre.receiver.is_endless = True

    await centre.send(webhook_id)
    _, [endless] = await centre.look(webhook_id)
    centre.receiver.is_endless, centre.receiver.is_silent = False, True
    monkeypatch.setattr(sending, "ANSWER_TIMEOUT_S", 0.5)
    await centre.happen()
    await centre.send(webhook_id)

    _, deliveries = await centre.look(webhook_id)
    assert endless.state == "delivered"  # the status counts, and the body is not read
    assert {each.failure for each in deliveries} == {None, "timeout"}


async def test_a_receiver_that_is_slow_gives_its_place_to_others_after_its_turn(
    centre: Centre, rows: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen(RAISED)
    await centre.happen(RAISED)
    rows.execute("DELETE FROM procrastinate_jobs")
    monkeypatch.setattr(webhook_tasks, "TURN_MAX", timedelta(0))

    await centre.send(webhook_id)

    assert len(centre.receiver.told) == 1
    queued = rows.execute("SELECT queue_name, lock FROM procrastinate_jobs").fetchall()
    assert queued == [("webhooks", f"webhook:{webhook_id}")]


async def test_a_failure_is_tried_again_later_and_keeps_the_others_waiting_for_one_attempt(
    centre: Centre,
) -> None:
    webhook_id, secret = await centre.register()
    await centre.happen()
    await centre.happen()
    centre.receiver.status = 500

    await centre.send(webhook_id)
    at_once = len(centre.receiver.told)
    failing, deliveries = await centre.look(webhook_id)
    centre.now = NOW + timedelta(seconds=20)
    centre.receiver.status = 200
    woken = await centre.sweep()
    await centre.send(webhook_id)

    assert at_once == 1
    assert failing.failing_since == NOW
    [waiting] = [each for each in deliveries if each.attempts == 1]
    assert NOW + timedelta(seconds=15) <= waiting.due_at <= NOW + timedelta(seconds=19)
    assert woken == 1
    ids = [
        verified(each.body, each.headers, [secret], now=NOW)["id"] for each in centre.receiver.told
    ]
    assert len(ids) == 3
    assert len(set(ids)) == 2  # the same message has the same id
    hook, deliveries = await centre.look(webhook_id)
    assert hook.failing_since is None
    assert {each.state for each in deliveries} == {DeliveryState.DELIVERED}


async def test_an_attempt_whose_worker_died_is_made_again(centre: Centre) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen()
    async with centre.pool.connection() as connection:
        died = await DeliveryService(connection).claim(webhook_id, now=NOW)
    assert died is not None

    await centre.send(webhook_id)
    meanwhile = len(centre.receiver.told)
    centre.now = NOW + timedelta(seconds=61)
    await centre.send(webhook_id)

    assert (meanwhile, len(centre.receiver.told)) == (0, 1)
    assert centre.receiver.told[0].headers["webhook-id"] == str(died.event_id)


async def test_a_receiver_that_fails_for_three_days_is_paused_and_gets_what_is_young_when_resumed(
    centre: Centre,
) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen()
    centre.receiver.status = 503
    await centre.send(webhook_id)

    centre.now = NOW + AGE_MAX + timedelta(minutes=1)
    await centre.happen()
    await centre.sweep()
    paused, deliveries = await centre.look(webhook_id)
    await centre.send(webhook_id)
    while_paused = len(centre.receiver.told)
    centre.receiver.status = 204
    async with centre.hooks() as hooks:
        await hooks.resume(webhook_id, now=centre.now)
    await centre.send(webhook_id)

    assert (paused.state, paused.pause_reason) == (WebhookState.PAUSED, PauseReason.FAILING)
    assert [each.state for each in deliveries] == [DeliveryState.WAITING, DeliveryState.FAILED]
    assert while_paused == 1
    hook, deliveries = await centre.look(webhook_id)
    assert (hook.state, hook.failing_since) == (WebhookState.WORKING, None)
    assert deliveries[0].state == DeliveryState.DELIVERED
    async with centre.pool.connection() as connection:
        written = await connection.execute(
            "SELECT actor, action FROM audit_entry WHERE subject_kind = 'webhook' ORDER BY id"
        )
        assert await written.fetchall() == [
            ("test", "webhook_added"),
            ("webhooks", "webhook_paused"),
            ("test", "webhook_resumed"),
        ]


async def test_a_receiver_that_is_gone_is_paused_at_once(centre: Centre) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen()
    centre.receiver.status = 410

    await centre.send(webhook_id)

    hook, _ = await centre.look(webhook_id)
    assert (hook.state, hook.pause_reason) == (WebhookState.PAUSED, PauseReason.GONE)


async def test_a_renewed_secret_signs_beside_the_old_one_for_a_week(centre: Centre) -> None:
    webhook_id, old = await centre.register()
    async with centre.hooks() as hooks:
        new = (await hooks.rotate(webhook_id, now=NOW)).secret

    await centre.happen()
    await centre.send(webhook_id)
    centre.now = NOW + OVERLAP
    await centre.happen()
    await centre.send(webhook_id)

    first, second = centre.receiver.told
    assert old != new
    for secret in (old, new):
        verified(first.body, first.headers, [secret], now=NOW)
    verified(second.body, second.headers, [new], now=centre.now)
    assert first.headers["webhook-signature"].count("v1,") == 2
    assert second.headers["webhook-signature"].count("v1,") == 1


async def test_a_test_and_a_message_that_is_sent_again_arrive_by_hand(centre: Centre) -> None:
    webhook_id, _ = await centre.register()
    async with centre.hooks() as hooks:
        await hooks.test(webhook_id, now=NOW)
    await centre.send(webhook_id)
    _, [delivery] = await centre.look(webhook_id)
    async with centre.hooks() as hooks:
        await hooks.send_again(webhook_id, delivery.id, now=NOW)
    await centre.send(webhook_id)

    first, again = centre.receiver.told
    assert json.loads(first.body)["data"] == {"subject": "webhook", "id": str(webhook_id)}
    assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])


async def test_old_deliveries_are_forgotten(centre: Centre) -> None:
    webhook_id, _ = await centre.register()
    await centre.happen()
    centre.now = NOW + timedelta(days=30)
    before = await centre.forget()
    centre.now += timedelta(seconds=1)

    assert (before, await centre.forget()) == (0, 1)
    _, deliveries = await centre.look(webhook_id)
    assert deliveries == ()


async def test_what_a_webhook_can_not_be_is_refused(centre: Centre, database_url: str) -> None:
    webhook_id, _ = await centre.register()
    good = NewWebhook(name="khac", url=centre.url, events=frozenset({EventType.ALERT_RAISED}))
    wrong: dict[str, dict[str, Any]] = {
        "name": {"name": "Không"},
        "taken": {"name": "dieu-hanh"},
        "events": {"events": frozenset({EventType.TEST})},
        "sites": {"site_ids": frozenset({"?"})},
        "url_scheme": {"url": "http://example.vn/"},
        "url_network": {"url": "https://10.0.0.5/"},
    }

    for part, change in wrong.items():
        values: dict[str, Any] = {
            "name": good.name, "url": good.url, "events": good.events, "site_ids": None, **change
        }  # fmt: skip
        async with centre.hooks() as hooks:
            with pytest.raises(WebhookInvalidError) as refused:
                await hooks.add(NewWebhook(**values), now=NOW)
        assert refused.value.part == part
    async with centre.hooks() as hooks:
        with pytest.raises(WebhookStateError):
            await hooks.resume(webhook_id, now=NOW)
    async with centre.pool.connection() as connection:
        settings, actor = WebhookSettings(), Actor.command("test")
        off = WebhookAdministration(connection, settings=settings, actor=actor, user=ADMINISTRATOR)
        with pytest.raises(WebhooksOffError):
            await off.add(good, now=NOW)
        clerk = User(id=2, username="clerk", display_name="Một cửa", role=Role.CLERK)
        with pytest.raises(PermissionDeniedError):
            await WebhookAdministration(
                connection, settings=settings, actor=actor, user=clerk
            ).webhooks()
    assert WEBHOOKS_MAX >= 1
    with psycopg.connect(database_url) as rows:
        assert rows.execute("SELECT count(*) FROM webhook").fetchone() == (1,)


async def test_neither_a_secret_nor_the_key_behind_it_is_in_the_database(centre: Centre) -> None:
    webhook_id, secret = await centre.register()

    async with centre.pool.connection() as connection:
        cursor = await connection.execute("SELECT * FROM webhook, webhook_secret, audit_entry")
        kept = str(await cursor.fetchall())

    assert str(UUID(str(webhook_id))) in kept
    assert secret.removeprefix("whsec_") not in kept
    assert "key of the test" not in kept
