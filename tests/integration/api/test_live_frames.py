# SPDX-License-Identifier: AGPL-3.0-or-later
"""A picture of now: asked for on a page, sent by the device, seen by the one who asked."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import cv2
import httpx
import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from central.broker_settings import BrokerSettings
from central.contracts.topics import Stream, Topic
from central.identity.permissions import Role
from central.jobs.context import JobContext
from central.jobs.device_tasks import forget_live_frames, send_live_frame_command
from central.settings import CentralSettings
from edge.publish.evidence import EvidenceAccess
from edge.publish.link import BrokerAccess, Link
from edge.publish.live_frames import LiveFrameSender
from tests.conftest import BrokerForTests
from tests.integration.api.world import CAMERA_ID, DEVICE_ID, PROVINCE, SITE_ID, World, drawn_jpeg
from tests.integration.edge.centre import wait_until

ASK = {"camera": CAMERA_ID, "purpose": "traffic_control", "case_reference": "CA-9"}
FRAMES = f"/console/cameras/{DEVICE_ID}/frames"
PICTURE = drawn_jpeg(seed=11)


def rows(world: World, statement: str) -> list[dict[str, Any]]:
    with psycopg.connect(world.owner_url, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()


def run_job(world: World, broker: BrokerForTests, folder: Path, *, later: timedelta) -> int:
    """Do what the worker does with what was queued, at some time; returns what was forgotten."""
    password_file = folder / "ingest.password"
    password_file.write_text(broker.password("ingest"))
    settings = CentralSettings(
        database_url=world.database_url,
        broker=BrokerSettings(host=broker.host, port=broker.port, password_file=password_file),
    )
    [job] = rows(
        world,
        "SELECT args FROM procrastinate_jobs WHERE task_name = 'send_live_frame_command'"
        " ORDER BY id DESC LIMIT 1",
    )

    async def work() -> int:
        async with AsyncConnectionPool(world.database_url, open=False) as pool:
            context = JobContext(
                pool=pool, settings=settings, clock=lambda: datetime.now(UTC) + later
            )
            await send_live_frame_command(context, frame_id=job["args"]["frame_id"])
            return await forget_live_frames(context)

    return asyncio.run(work())


@contextmanager
def device(world: World, broker: BrokerForTests) -> Iterator[list[str]]:
    """The device's link and sender; yields the cameras that it was asked for."""
    asked: list[str] = []

    def source(camera_id: str) -> bytes | None:
        asked.append(camera_id)
        return PICTURE

    sender = LiveFrameSender(
        access=EvidenceAccess(url=world.api_url, device_id=DEVICE_ID, secret=world.device_secret),
        source=source,
        clock=lambda: datetime.now(UTC),
    )
    topics = {
        stream: str(Topic(province=PROVINCE, site_id=SITE_ID, device_id=DEVICE_ID, stream=stream))
        for stream in (Stream.ACK, Stream.COMMAND)
    }
    link = Link(
        BrokerAccess(
            host=broker.host,
            port=broker.port,
            username=DEVICE_ID,
            secret=broker.add_device(DEVICE_ID),
            use_tls=False,
        ),
        ack_topic=topics[Stream.ACK],
        on_ack=lambda _payload: None,
        on_change=lambda: None,
        command_topic=topics[Stream.COMMAND],
        on_command=sender.take,
    )
    stop = Event()
    thread = Thread(target=sender.run, args=(stop,), name="live-frames")
    thread.start()
    try:
        with link:
            link.open(stop)
            yield asked
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def ask(client: httpx.Client) -> str:
    answer = client.post(FRAMES, data=ASK)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_picture_is_asked_for_sent_by_the_device_seen_by_the_asker_and_forgotten(
    world: World, client: httpx.Client, broker: BrokerForTests, tmp_path: Path
) -> None:
    with device(world, broker) as asked:
        address = ask(client)
        waiting = client.get(address).text
        assert run_job(world, broker, tmp_path, later=timedelta()) == 0
        wait_until(lambda: client.get(f"{address}/picture").status_code == 200)

    shown, page = client.get(f"{address}/picture"), client.get(address).text
    with world.signed_in_as(Role.REVIEWER) as somebody_else:
        foreign = somebody_else.get(f"{address}/picture")
    again = httpx.put(
        f"{world.api_url}/v1/live-frames/{address.rsplit('/', 1)[1]}",
        content=PICTURE,
        headers=world.device_headers,
    )

    assert asked == [CAMERA_ID]
    assert 'hx-trigger="every 2s"' in waiting
    assert "hx-trigger" not in page
    assert shown.headers["cache-control"] == "no-store"
    drawn = cv2.imdecode(np.frombuffer(shown.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn.shape == (180, 320, 3)
    assert foreign.status_code == 404
    assert (again.status_code, again.json()["code"]) == (404, "live-frame-not-found")
    [act] = rows(world, "SELECT * FROM audit_entry WHERE action = 'live_frame_asked'")
    assert (act["subject_id"], act["purpose"]) == (f"{DEVICE_ID}/{CAMERA_ID}", "traffic_control")
    assert run_job(world, broker, tmp_path, later=timedelta(minutes=4)) == 1
    assert client.get(f"{address}/picture").status_code == 404


def test_nothing_is_asked_without_a_purpose_of_a_strange_camera_or_without_end(
    world: World, client: httpx.Client
) -> None:
    unexplained = client.post(FRAMES, data={"camera": CAMERA_ID})
    strange = client.post(FRAMES, data=ASK | {"camera": "lan-la"})
    for _ in range(5):
        ask(client)
    too_many = client.post(FRAMES, data=ASK)

    assert (unexplained.status_code, strange.status_code) == (422, 404)
    assert too_many.status_code == 429
    assert len(rows(world, "SELECT id FROM live_frame")) == 5


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (PICTURE, "image/jpeg", 404),
        (b"<script>", "image/jpeg", 415),
        (PICTURE, "text/html", 415),
        (b"\xff" * 4_194_305, "image/jpeg", 413),
    ],
    ids=["unasked", "no picture", "no jpeg", "oversized"],
)
def test_a_device_can_leave_nothing_that_was_not_asked_for(
    world: World, body: bytes, media_type: str, status: int
) -> None:
    answer = httpx.put(
        f"{world.api_url}/v1/live-frames/{uuid4()}",
        content=body,
        headers=world.device_headers | {"Content-Type": media_type},
    )

    assert answer.status_code == status
    assert rows(world, "SELECT id FROM live_frame") == []
