# SPDX-License-Identifier: AGPL-3.0-or-later
"""What webhooks hear of a device: its silence, that it is heard again, and lost numbers."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from central.evidence.store import EvidenceStore
from central.jobs.completeness_tasks import follow_gaps
from central.jobs.context import JobContext
from central.jobs.work import Housekeeping
from central.settings import CentralSettings, JobsSettings
from tests.integration.central.ledgers import HOUR, NOW, SECOND, Centre, passages

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

Context = Callable[[datetime], JobContext]


@pytest.fixture
async def context(centre: Centre) -> AsyncIterator[Context]:
    """The worker's process at any time."""
    async with AsyncConnectionPool(centre.url, min_size=1, max_size=2) as pool:
        settings = CentralSettings(database_url=centre.url)
        yield lambda now: JobContext(pool=pool, settings=settings, clock=lambda: now)


@pytest.fixture
def listening(rows: psycopg.Connection) -> None:
    """A webhook of the whole province that hears of devices, and is paused."""
    rows.execute(
        "INSERT INTO webhook (id, name, url, events, state, pause_reason, paused_at, made_by,"
        " made_at) VALUES (gen_random_uuid(), 'tram', 'https://example.vn/', %s, 'paused',"
        " 'person', now(), 'tests', now())",
        [["device.silent", "device.heard_again", "device.numbers_lost"]],
    )


def told(rows: psycopg.Connection) -> list[tuple[str, str]]:
    found = rows.execute(
        "SELECT type, body::jsonb -> 'data' ->> 'path' FROM webhook_event ORDER BY occurred_at"
    )
    return [(str(kind), str(path)) for kind, path in found]


@pytest.mark.usefixtures("listening")
async def test_lost_numbers_are_told_once_when_their_alarm_begins(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection, context: Context
) -> None:
    centre.store(device, *passages(device, 1, 4))
    centre.store(device, device.heartbeat(outbox_last_seq=4))

    for now in (NOW, NOW + HOUR, NOW + 2 * HOUR):
        await follow_gaps(context(now))

    assert told(rows) == [("device.numbers_lost", f"/v1/devices/{device.device_id}/completeness")]


@pytest.mark.usefixtures("listening")
async def test_a_device_that_is_heard_again_is_told_once_and_only_after_its_silence_was(
    centre: Centre,
    device: "FakeDevice",
    rows: psycopg.Connection,
    context: Context,
    tmp_path: Path,
) -> None:
    keeper = Housekeeping(
        pool=context(NOW).pool, evidence=EvidenceStore(tmp_path), settings=JobsSettings()
    )
    centre.store(device, device.heartbeat(), now=NOW)
    at_first = await keeper.mark_silent_devices(NOW + SECOND)
    silent = await keeper.mark_silent_devices(NOW + HOUR)
    centre.store(device, device.heartbeat(), now=NOW + 2 * HOUR)
    heard = await keeper.mark_silent_devices(NOW + 2 * HOUR + SECOND)
    again = await keeper.mark_silent_devices(NOW + 2 * HOUR + 2 * SECOND)

    assert (at_first, silent, heard, again) == (0, 1, 1, 0)
    address = f"/v1/devices/{device.device_id}"
    assert told(rows) == [("device.silent", address), ("device.heard_again", address)]
