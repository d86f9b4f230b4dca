# SPDX-License-Identifier: AGPL-3.0-or-later
"""Heavy questions go to a real standby; whatever is wrong with it, the primary answers."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from central.db import replica as replica_module
from central.db.pool import connection_info, open_pool
from central.db.replica import RECONNECT_TIME, Answerer, Replica
from central.errors import SearchTooWideError
from deploy.local.names import SERVICE_USER
from tests.integration.api.standby import Standby, standby
from tests.integration.api.world import Seen, World, serving

__all__ = ["standby"]

PATIENT = timedelta(hours=1)
WHERE = "SELECT pg_is_in_recovery(), (SELECT count(*) FROM site)"


@dataclass(slots=True, kw_only=True)
class Asked:
    """A process with a primary and a standby."""

    standby: Standby
    primary_url: str
    noted: list[Answerer] = field(default_factory=list)

    @property
    def standby_url(self) -> str:
        name = str(conninfo_to_dict(self.primary_url)["dbname"])
        return self.standby.dsn(name, user=SERVICE_USER)

    @asynccontextmanager
    async def replica(self, *, lag_max: timedelta = PATIENT) -> AsyncIterator[Replica]:
        async with open_pool(
            connection_info(self.standby_url), reconnect_time=RECONNECT_TIME
        ) as pool:
            yield Replica(
                pool, lag_max=lag_max, search_time=timedelta(seconds=5), note=self.noted.append
            )

    @asynccontextmanager
    async def primary(self) -> AsyncIterator[AsyncConnection]:
        async with await AsyncConnection.connect(connection_info(self.primary_url)) as opened:
            await opened.execute("SET synchronous_commit = on")  # as in production
            await opened.commit()
            yield opened


@pytest.fixture(scope="module")
def followed_url(standby: Standby, database_template: str) -> str:
    """A migrated database at both, for the account that the services work as."""
    with closing(psycopg.connect(standby.primary.dsn("postgres"), autocommit=True)) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE followed TEMPLATE {}").format(
                sql.Identifier(database_template)
            )
        )
    return standby.primary.dsn("followed", user=SERVICE_USER)


@pytest.fixture
def asked(standby: Standby, followed_url: str) -> Asked:
    with psycopg.connect(standby.primary.dsn("followed")) as owner:
        owner.execute("DELETE FROM site")
    standby.catch_up()
    return Asked(standby=standby, primary_url=followed_url)


async def add_site(connection: AsyncConnection, site_id: str) -> None:
    await connection.execute(
        "INSERT INTO site (id, province, name) VALUES (%s, 'thai-nguyen', 'Cầu')", [site_id]
    )


async def where(connection: AsyncConnection) -> tuple[bool, int]:
    """Whether a standby answers, and how many sites it sees."""
    found = await (await connection.execute(WHERE)).fetchone()
    assert found is not None
    return bool(found[0]), int(found[1])


async def test_what_the_request_wrote_is_committed_before_the_standby_is_asked(
    asked: Asked,
) -> None:
    async def question(connection: AsyncConnection) -> tuple[bool, int]:
        async with asked.primary() as other:
            _, committed = await where(other)
        return (await where(connection))[0], committed

    async with asked.replica() as replica, asked.primary() as primary:
        await add_site(primary, "km-1")
        answer = await replica.ask(primary, question)

    assert answer == (True, 1)
    assert asked.noted == [Answerer.REPLICA]


async def test_a_standby_that_is_further_behind_than_allowed_is_not_asked(asked: Asked) -> None:
    async with asked.replica() as patient, asked.primary() as primary:
        await add_site(primary, "km-1")
        await primary.commit()
        asked.standby.catch_up()
        asked.standby.pause()
        try:
            await add_site(primary, "km-2")
            old = await patient.ask(primary, where)
            async with asked.replica(lag_max=timedelta(0)) as strict:
                new = await strict.ask(primary, where)
                state = await strict.look(primary)
        finally:
            asked.standby.resume()
        asked.standby.catch_up()
        level = await patient.ask(primary, where)

    assert (old, new, level) == ((True, 1), (False, 2), (True, 2))
    assert asked.noted == [Answerer.REPLICA, Answerer.LAGGING, Answerer.REPLICA]
    assert state is Answerer.LAGGING


async def test_a_question_in_the_way_of_replaying_is_asked_again_at_the_primary(
    asked: Asked,
) -> None:
    async def question(connection: AsyncConnection) -> tuple[bool, int]:
        answer = await where(connection)
        if answer[0]:  # what the primary does now can't be replayed while the question lasts
            async with asked.primary() as locking:
                await locking.execute("LOCK TABLE site IN ACCESS EXCLUSIVE MODE")
                await add_site(locking, "km-1")  # so that there is something to replay
            await connection.execute("SELECT pg_sleep(5)")
        return answer

    async with asked.replica() as replica, asked.primary() as primary:
        answer = await replica.ask(primary, question)

    assert answer == (False, 1)
    assert asked.noted == [Answerer.FAILED]


async def test_a_killed_standby_costs_nobody_an_answer_and_is_asked_again_when_it_is_back(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_module, "REST_S", 0.2)
    async with asked.replica() as replica, asked.primary() as primary:
        before = await replica.ask(primary, where)
        asked.standby.kill()
        during = [await replica.ask(primary, where) for _ in range(3)]
        asked.standby.cluster.start()
        asked.standby.catch_up()
        after = (True, -1)
        for _ in range(50):
            after = await replica.ask(primary, where)
            if after[0]:
                break
            await primary.execute("SELECT pg_sleep(0.1)")

    assert (before[0], [is_standby for is_standby, _ in during], after[0]) == (
        True,
        [False, False, False],
        True,
    )
    assert Answerer.UNREACHABLE in asked.noted


async def test_a_question_that_is_too_wide_is_told_so_and_one_that_somebody_ended_is_not(
    asked: Asked,
) -> None:
    async def ended(connection: AsyncConnection) -> bool:
        answer = await where(connection)
        if answer[0]:
            raise SearchTooWideError
        return answer[0]

    async def wide(connection: AsyncConnection) -> bool:
        await connection.execute("SELECT pg_sleep(0.05)")
        raise SearchTooWideError

    async with asked.replica() as replica, asked.primary() as primary:
        is_standby = await replica.ask(primary, ended)
    async with asked.replica() as other, asked.primary() as primary:
        other._search_time_s = 0.02
        with pytest.raises(SearchTooWideError):
            await other.ask(primary, wide)

    assert is_standby is False
    assert asked.noted == [Answerer.FAILED]


async def test_a_standby_that_was_promoted_is_none_any_more(asked: Asked) -> None:
    async with (
        open_pool(connection_info(asked.primary_url)) as pool,
        asked.primary() as primary,
    ):
        promoted = Replica(
            pool, lag_max=PATIENT, search_time=timedelta(seconds=5), note=asked.noted.append
        )
        await promoted.ask(primary, where)

    assert asked.noted == [Answerer.FAILED]


async def test_a_standby_writes_nothing(asked: Asked) -> None:
    async with await AsyncConnection.connect(asked.standby_url) as rows:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await add_site(rows, "km-1")


def test_searches_look_alikes_and_charts_come_from_the_standby_and_live_lists_do_not(
    world: World, standby: Standby
) -> None:
    world.store(Seen(plate="30F25658"), Seen(plate="20A12345"))
    standby.catch_up()
    now = datetime.now(UTC)
    alike = {
        "purpose": "traffic_control",
        "plate": "30F2565?",
        "captured_from": (now - timedelta(days=90)).isoformat(),
        "captured_until": (now + timedelta(minutes=1)).isoformat(),
    }
    name = str(conninfo_to_dict(world.database_url)["dbname"])
    with (
        serving(
            world,
            database_replica_url=standby.dsn(name, user=SERVICE_USER),
            database_replica_lag_max=PATIENT,
        ),
        world.signed_in() as client,
    ):
        live = client.post("/v1/passages/search", json={})
        before = answers_of(client)
        found = client.post("/v1/passages/search", json={"plate": "30F*"})
        likely = client.post("/v1/passages/alike", json=alike)
        charts = client.get("/console/traffic")
        listed = client.get("/console/passages?period=week")
        journeys = client.get("/console/traffic/journeys")
        after = answers_of(client)
        well = client.get("/v1/health")
        standby.kill()
        alone = client.post("/v1/passages/search", json={"plate": "30F*"})
        alone_likely = client.post("/v1/passages/alike", json=alike)
        ill = client.get("/v1/health")
        last = answers_of(client)
    standby.cluster.start()

    assert len(live.json()["passages"]) == 2
    assert before == {}
    assert found.json() == alone.json()
    assert likely.json() == alone_likely.json()
    assert [each["plate_text"] for each in likely.json()["plates"]] == ["30F25658"]
    assert [each.status_code for each in (charts, listed, journeys)] == [200, 200, 200]
    assert after == {"replica": 5}
    assert (well.json(), ill.json()) == (
        {"status": "ok", "replica": "replica"},
        {"status": "ok", "replica": "unreachable"},
    )
    assert last["replica"] == 5
    assert sum(last.values()) == 7
    with psycopg.connect(world.owner_url) as rows:
        looks = rows.execute(
            "SELECT action, count(*) FROM audit_entry WHERE action <> 'list_looked_at'"
            " GROUP BY action ORDER BY action"
        ).fetchall()
    assert looks == [("alike_plates_searched", 2), ("passages_searched", 2)]


def answers_of(client: httpx.Client) -> dict[str, int]:
    """Who answered how many heavy questions."""
    found = re.findall(
        r'luuthong_heavy_questions_total\{answerer="(\w+)"\} (\d+)', client.get("/metrics").text
    )
    return {answerer: int(count) for answerer, count in found}
