# SPDX-License-Identifier: AGPL-3.0-or-later
"""An address or a key may ask so often, whichever process it asks; then it waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import pytest

from api.security import rates
from api.security.rates import RATE_CONNECTIONS_MAX, RateLimit, RateUse, SharedRates
from central.db.pool import connection_info, open_pool
from central.identity.rates.service import GuardedAction
from tests.integration.api.world import World

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
ACTION: Final = GuardedAction.ASK_BY_KEY
ONE: Final = RateLimit(requests_max=1, window=MINUTE)
FORTY: Final = RateLimit(requests_max=40, window=MINUTE)
"""Taken in blocks of two."""


@pytest.fixture
async def processes(world: World) -> AsyncIterator[tuple[SharedRates, SharedRates]]:
    """What two processes on one database count."""
    info = connection_info(world.database_url)
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(open_pool(info, connections_max=RATE_CONNECTIONS_MAX))
            for _ in range(2)
        ]
        yield SharedRates(one), SharedRates(other)


def written(world: World) -> tuple[int, str] | None:
    """How many requests are counted, and the write that counted the last of them."""
    with psycopg.connect(world.database_url) as connection:
        return connection.execute("SELECT tries, xmin::text FROM address_rate").fetchone()


async def test_the_request_after_the_last_allowed_one_has_to_wait_for_the_window_to_end(
    processes: tuple[SharedRates, SharedRates],
) -> None:
    limit = RateLimit(requests_max=3, window=MINUTE)

    uses = [
        await processes[0].use_after(ACTION, "a", limit=limit, now=NOW + timedelta(seconds=second))
        for second in range(4)
    ]
    later = await processes[0].use_after(ACTION, "a", limit=limit, now=NOW + MINUTE)

    assert [use.is_over for use in uses] == [False, False, False, True]
    assert [use.remaining for use in uses] == [2, 1, 0, 0]
    assert uses[-1].resets_in == timedelta(seconds=57)
    assert not later.is_over


async def test_one_client_or_act_does_not_use_up_what_another_may_ask(
    processes: tuple[SharedRates, SharedRates],
) -> None:
    uses = [
        await processes[0].use_after(action, client, limit=ONE, now=NOW)
        for action, client in (
            (ACTION, "a"),
            (ACTION, "b"),
            (GuardedAction.READ_REFERENCE, "a"),
            (ACTION, "a"),
        )
    ]

    assert [use.is_over for use in uses] == [False, False, False, True]


async def test_two_processes_let_no_more_in_than_one_however_many_ask_at_a_time(
    processes: tuple[SharedRates, SharedRates],
) -> None:
    async def asked(number: int) -> RateUse:
        return await processes[number % 2].use_after(ACTION, "a", limit=FORTY, now=NOW)

    uses = await asyncio.gather(*(asked(number) for number in range(60)))

    assert sum(not use.is_over for use in uses) == 40


async def test_most_requests_write_nothing_nor_do_those_that_are_refused(
    processes: tuple[SharedRates, SharedRates], world: World
) -> None:
    seen = []
    for _ in range(44):
        await processes[0].use_after(ACTION, "a", limit=FORTY, now=NOW)
        seen.append(written(world))

    assert len(set(seen)) == 20
    assert seen[0] == seen[1]
    assert seen[39:] == [seen[39]] * 5
    assert seen[39] is not None
    assert seen[39][0] == 40


async def test_whom_a_process_forgot_is_still_known_to_have_asked(
    processes: tuple[SharedRates, SharedRates], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "CLIENTS_MAX", 2)

    uses = [await processes[0].use_after(ACTION, client, limit=ONE, now=NOW) for client in "abca"]

    assert [use.is_over for use in uses] == [False, False, False, True]
