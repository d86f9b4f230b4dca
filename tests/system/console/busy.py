# SPDX-License-Identifier: AGPL-3.0-or-later
"""A world in which every page has something to show, for walks through all of them."""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.contracts.incident import IncidentPhase
from central.control.judging import JudgingService
from central.db.pool import connection_info, open_pool
from central.domain.local_time import local_date
from central.identity.permissions import PERMISSIONS, Permission, Role
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.jobs.context import JobContext
from central.jobs.protection_tasks import erase_by_date
from central.settings import CentralSettings
from tests.integration.api.dossiers import PLATE, dossier_world
from tests.integration.api.incidents import give_up, tell
from tests.integration.api.national import hand_up_a_day
from tests.integration.api.tolling import Pictures, toll_world
from tests.integration.api.world import LIMITS, Seen, World
from tests.integration.central import tolls

SEES_ALL: Final = next(role for role in Role if PERMISSIONS[role] >= frozenset(Permission))


@contextmanager
def busy_roads(
    world: World, *, pictures_of: Callable[..., Pictures] | None = None
) -> Iterator[None]:
    """Something on every page of roads and tolls."""
    with toll_world(world, pictures_of=pictures_of) as station:
        now = datetime.now(UTC)
        station.truck(now - timedelta(hours=1))
        station.car(now - timedelta(minutes=50), tag=None)
        station.work(now=now)
        _judge(world)
        _misunderstand(world)
        _close_day(world, now)
        _register_webhook(world)
        _hand_up(world)
        _stop_a_vehicle(world, now)
        yield


@contextmanager
def busy_office(world: World) -> Iterator[None]:
    """Something on every page of dossiers and citizens."""
    with dossier_world(world) as office, world.signed_in_as(SEES_ALL) as clerk:
        office.take_in(clerk)
        asked = {"kind": "erasure", "plate": PLATE, "applicant": "Bà X", "statement": "Xin xóa"}
        assert clerk.post("/console/protection/requests", data=asked).status_code == 303
        _erase_by_date(world)
        yield


def _judge(world: World) -> None:
    """Raise the alerts of what is stored, as the worker does."""

    async def judge() -> None:
        async with await AsyncConnection.connect(world.database_url) as connection:
            cursor = await connection.execute("SELECT DISTINCT position FROM passage_feed")
            for (position,) in await cursor.fetchall():
                await JudgingService(connection).judge_commit(position, now=datetime.now(UTC))

    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(asyncio.run, judge()).result()


def _erase_by_date(world: World) -> None:
    """Have one erasure of a passage whose time was over."""
    now = datetime.now(UTC)
    world.store(Seen(captured_at=now - timedelta(days=60)))

    async def erase() -> int:
        async with open_pool(connection_info(world.database_url)) as pool:
            settings = CentralSettings(database_url=world.database_url)
            return await erase_by_date(JobContext(pool=pool, settings=settings, clock=lambda: now))

    with ThreadPoolExecutor(max_workers=1) as executor:
        assert executor.submit(asyncio.run, erase()).result() == 1


def _misunderstand(world: World) -> None:
    """Store a message that nobody can read."""
    broken = parse(Delivery(topic="lt/1/nowhere", payload=b"{"))
    with (
        closing(IngestDatabase(world.database_url)) as database,
        database.transaction() as connection,
    ):
        store_batch(connection, [broken], limits=LIMITS, now=datetime.now(UTC))


def _close_day(world: World, now: datetime) -> None:
    """Have one closed day of tolls to look at."""
    filled = {
        "station": tolls.STATION,
        "day": local_date(now).isoformat(),
        "so_far": "yes",
    }
    with world.signed_in_as(SEES_ALL) as client:
        answer = client.post("/console/tolls/days", data=filled)
    assert answer.status_code == 303, answer.text


def _hand_up(world: World) -> None:
    """Have one province with figures of yesterday."""
    hand_up_a_day(world, "thai-nguyen", name="Thái Nguyên", hours=3)


def _stop_a_vehicle(world: World, now: datetime) -> None:
    """Have an incident that goes on, with one picture that is expected and one that was dropped."""
    begun = tell(world, now - timedelta(minutes=9), pictures=("ab" * 32, "cd" * 32))
    give_up(world, begun.id, "cd" * 32, at=now)
    tell(world, now - timedelta(minutes=2), of=begun, phase=IncidentPhase.LASTS)


def _register_webhook(world: World) -> None:
    """Have one webhook with a message that waits."""
    filled = {"name": "dieu-hanh", "url": "https://example.vn/hook", "events": "alert.raised"}
    with world.signed_in_as(SEES_ALL) as client:
        assert client.post("/console/webhooks", data=filled).status_code == 200
        page = client.get("/console/webhooks").text
        [webhook_id] = re.findall(r"/console/webhooks/([0-9a-f-]{36})", page)
        assert client.post(f"/console/webhooks/{webhook_id}/test").status_code == 303
