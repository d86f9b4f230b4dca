# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a device gives up, its passage says: over the broker and through ingest."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg
import pytest

from central.contracts.event import ClockSource
from central.contracts.evidence_notice import EvidenceFate
from central.db.pool import connection_info
from central.domain.scope import SiteScope
from central.passages.service import PassageService
from edge.app.messages import Sender
from edge.app.uplink import Surroundings, Uplink
from edge.settings import load_settings
from edge.stages import Passage
from tests.integration.central.conftest import CAMERA, PROVINCE, SITE
from tests.integration.edge.test_devices import PLAN, passage

if TYPE_CHECKING:
    from tests.integration.central.conftest import Broker, FakeDevice, IngestRunner

DEVICE = """
[device]
id = "{device}"
site_id = "{site}"
province = "{province}"
secret_file = "secret"
[broker]
host = "{host}"
port = {port}
use_tls = false
[outbox]
picture_bytes_max = {picture_bytes_max}
"""
PICTURE_BYTES_MAX = 1500
"""One picture of the test fits."""


async def test_a_picture_that_was_dropped_for_room_is_told_of_with_its_passage(
    link: Uplink,
    ingest: "IngestRunner",
    count: Callable[[str], int],
    wait_until: Callable[..., None],
    database_url: str,
) -> None:
    with ingest.running():
        link.start()
        for _ in range(2):
            link.take(replace(PLAN, clock_source=ClockSource.NTP), seen_now())
        wait_until(lambda: count("evidence_notice") == 1, what="the notice")
        wait_until(lambda: link.outbox.state().events == 0, what="acknowledgements")
        link.stop(limit_s=5)

    assert ingest.counted("stored") == 3
    assert count("quarantine") == 0
    fates = await fates_of_passages(database_url)
    assert fates == [EvidenceFate.DROPPED_FOR_ROOM, None]


@pytest.fixture
def link(tmp_path: Path, broker: "Broker", device: "FakeDevice") -> Uplink:
    """The way of a device that has little room for pictures, and no address to send them to."""
    secret, device_id = broker.add_device(device.device_id), device.device_id
    (tmp_path / "secret").write_text(secret)
    path = tmp_path / "site.toml"
    path.write_text(
        DEVICE.format(
            device=device_id,
            site=SITE,
            province=PROVINCE,
            host=broker.host,
            port=broker.port,
            picture_bytes_max=PICTURE_BYTES_MAX,
        )
    )
    return Uplink(
        load_settings(path),
        secret=secret,
        sender=Sender(device_id=device_id, site_id=SITE, boot_id=uuid4(), models=()),
        around=Surroundings(
            clock=lambda: datetime.now(UTC),
            rng=random.Random(1),  # noqa: S311 - jitter
            new_id=uuid4,
        ),
        cameras=list,
    )


def seen_now() -> Passage:
    """A passage of this moment with one picture."""
    now = datetime.now(UTC)
    return replace(
        passage(PICTURE_BYTES_MAX - 500),
        camera_id=CAMERA,
        captured_at=now,
        first_seen_at=now,
        last_seen_at=now,
    )


async def fates_of_passages(database_url: str) -> list[EvidenceFate | None]:
    """What the pages say of the pictures, in the order of their passages."""
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info) as connection:
        cursor = await connection.execute("SELECT id FROM passage ORDER BY seq")
        ids: list[UUID] = [row[0] for row in await cursor.fetchall()]
        service = PassageService(connection)
        found = [await service.get(each, scope=SiteScope.everything()) for each in ids]
    return [picture.fate for each in found for picture in each.summary.evidence]
