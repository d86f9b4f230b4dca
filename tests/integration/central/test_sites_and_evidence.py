# SPDX-License-Identifier: AGPL-3.0-or-later
"""Registering devices, taking in their pictures, and what the periodic jobs do with both."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from central.db.pool import connection_info, open_pool
from central.domain.scope import SiteScope
from central.errors import (
    DeviceExistsError,
    DeviceNotFoundError,
    DeviceRefusedError,
    EvidenceHashMismatchError,
    EvidenceNotFoundError,
    InvalidNameError,
    SiteNotFoundError,
)
from central.evidence.service import KEEP_DEFAULT, EvidenceService
from central.evidence.store import EvidenceStore
from central.evidence.types import Reception
from central.jobs.work import Housekeeping
from central.settings import JobsSettings
from central.sites.service import SiteService
from central.sites.types import DeviceSecret, Registration

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
EVERYTHING = SiteScope.everything()
JPEG = bytes(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1])
SHA256 = hashlib.sha256(JPEG).hexdigest()


def registration(**changes: object) -> Registration:
    values: dict[str, object] = {
        "device_id": "gate-1",
        "site_id": "km12",
        "province": "dak-lak",
        "site_name": "Km 12",
        "camera_ids": ("cam-1", "cam-2"),
    }
    return Registration(**{**values, **changes})  # type: ignore[arg-type]  # any field


def files_in(folder: Path, pattern: str) -> int:
    return len(list(folder.rglob(pattern)))


@pytest.fixture
def sites(connection: psycopg.AsyncConnection) -> SiteService:
    return SiteService(connection)


@pytest.fixture
async def secret(sites: SiteService) -> DeviceSecret:
    return await sites.register(registration(), now=NOW)


async def test_a_device_is_known_by_its_secret(sites: SiteService, secret: DeviceSecret) -> None:
    device = await sites.authenticate(device_id="gate-1", secret=secret.secret)

    assert (device.id, device.site_id, device.province) == ("gate-1", "km12", "dak-lak")
    assert secret.secret not in repr(secret)
    cameras = await sites.cameras(EVERYTHING)
    assert [camera.id for camera in cameras] == ["cam-1", "cam-2"]


async def test_a_wrong_secret_or_a_switched_off_device_is_refused(
    sites: SiteService, secret: DeviceSecret, connection: psycopg.AsyncConnection
) -> None:
    with pytest.raises(DeviceRefusedError):
        await sites.authenticate(device_id="gate-1", secret=secret.secret + "x")
    with pytest.raises(DeviceNotFoundError):
        await sites.authenticate(device_id="gate-2", secret=secret.secret)
    with pytest.raises(DeviceNotFoundError):
        await sites.authenticate(device_id="gate-1\x00", secret=secret.secret)

    await connection.execute("UPDATE device SET enabled = false")
    with pytest.raises(DeviceRefusedError):
        await sites.authenticate(device_id="gate-1", secret=secret.secret)


async def test_a_new_secret_ends_the_old_one(sites: SiteService, secret: DeviceSecret) -> None:
    renewed = await sites.new_secret("gate-1", now=NOW)

    with pytest.raises(DeviceRefusedError):
        await sites.authenticate(device_id="gate-1", secret=secret.secret)
    assert (await sites.authenticate(device_id="gate-1", secret=renewed.secret)).id == "gate-1"


async def test_a_second_device_joins_the_site_and_keeps_its_name(
    sites: SiteService, secret: DeviceSecret
) -> None:
    assert secret.device_id == "gate-1"

    await sites.register(
        registration(device_id="gate-2", site_name="Khác", camera_ids=("cam-3",)), now=NOW
    )

    assert [site.name for site in await sites.sites(EVERYTHING)] == ["Km 12"]
    assert len(await sites.devices(EVERYTHING)) == 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({}, DeviceExistsError),
        ({"device_id": "gate-2", "province": "lam-dong"}, SiteNotFoundError),
        ({"device_id": "Gate 2"}, InvalidNameError),
        ({"device_id": "gate-2\n"}, InvalidNameError),
        ({"device_id": "gate-2", "camera_ids": ("cam/1",)}, InvalidNameError),
        ({"device_id": "gate-2", "province": "+"}, InvalidNameError),
    ],
)
async def test_a_registration_that_does_not_fit_is_refused(
    sites: SiteService, secret: DeviceSecret, wrong: dict[str, object], error: type[Exception]
) -> None:
    assert secret.device_id == "gate-1"

    with pytest.raises(error):
        await sites.register(registration(**wrong), now=NOW)


async def test_nobody_sees_devices_of_other_sites(sites: SiteService, secret: DeviceSecret) -> None:
    elsewhere = SiteScope(site_ids=frozenset({"elsewhere"}))

    assert secret.device_id == "gate-1"
    assert await sites.devices(elsewhere) == []
    assert await sites.sites(elsewhere) == []
    assert await sites.cameras(elsewhere) == []


async def test_a_picture_is_stored_once_and_found_by_those_who_may_see_it(
    connection: psycopg.AsyncConnection, secret: DeviceSecret, tmp_path: Path
) -> None:
    pictures = EvidenceService(connection, EvidenceStore(tmp_path))

    first = await pictures.receive(sha256=SHA256, body=JPEG, device_id=secret.device_id, now=NOW)
    second = await pictures.receive(sha256=SHA256, body=JPEG, device_id=secret.device_id, now=NOW)
    found = await pictures.find(SHA256, EVERYTHING)

    assert (first, second) == (Reception.CREATED, Reception.ALREADY_THERE)
    assert found.path.read_bytes() == JPEG
    assert (found.site_id, found.size_bytes) == ("km12", len(JPEG))
    assert found.erase_after == NOW + KEEP_DEFAULT
    with pytest.raises(EvidenceNotFoundError):
        await pictures.find(SHA256, SiteScope(site_ids=frozenset({"elsewhere"})))


async def test_a_picture_with_another_hash_leaves_no_trace(
    connection: psycopg.AsyncConnection, secret: DeviceSecret, tmp_path: Path
) -> None:
    pictures = EvidenceService(connection, EvidenceStore(tmp_path))

    with pytest.raises(EvidenceHashMismatchError):
        await pictures.receive(sha256="0" * 64, body=JPEG, device_id=secret.device_id, now=NOW)
    with pytest.raises(EvidenceNotFoundError):
        await pictures.find("0" * 64, EVERYTHING)
    with pytest.raises(EvidenceNotFoundError):
        await pictures.find("../../etc/passwd", EVERYTHING)

    assert files_in(tmp_path, "*.*") == 0


async def test_a_picture_whose_file_is_missing_counts_as_not_there(
    connection: psycopg.AsyncConnection, secret: DeviceSecret, tmp_path: Path
) -> None:
    store = EvidenceStore(tmp_path)
    pictures = EvidenceService(connection, store)
    await pictures.receive(sha256=SHA256, body=JPEG, device_id=secret.device_id, now=NOW)

    store.erase(SHA256)

    with pytest.raises(EvidenceNotFoundError):
        await pictures.find(SHA256, EVERYTHING)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncConnectionPool]:
    async with open_pool(connection_info(database_url)) as opened:
        yield opened


@pytest.fixture
def housekeeping(
    pool: AsyncConnectionPool[psycopg.AsyncConnection], tmp_path: Path
) -> Housekeeping:
    return Housekeeping(pool=pool, evidence=EvidenceStore(tmp_path), settings=JobsSettings())


async def test_pictures_are_erased_with_their_files_when_their_date_has_passed(
    housekeeping: Housekeeping, device: "FakeDevice", count: Callable[[str], int], tmp_path: Path
) -> None:
    async with housekeeping.pool.connection() as connection:
        pictures = EvidenceService(connection, housekeeping.evidence)
        for number, days in enumerate((1, 2, 30)):
            body = JPEG[:-2] + bytes([number]) + JPEG[-2:]
            await pictures.receive(
                sha256=hashlib.sha256(body).hexdigest(),
                body=body,
                device_id=device.device_id,
                now=NOW,
                keep=timedelta(days=days),
            )

    erased = await housekeeping.erase_evidence(NOW + timedelta(days=2))
    again = await housekeeping.erase_evidence(NOW + timedelta(days=2))

    assert (erased, again) == (2, 0)
    assert count("evidence") == 1
    assert files_in(tmp_path, "*.jpg") == 1


async def test_a_device_without_heartbeats_is_marked_silent_once(
    housekeeping: Housekeeping, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    rows.execute(
        "INSERT INTO device_status (device_id, heartbeat_id, sent_at, received_at,"
        " silence_changed_at, outbox_id, outbox_events, pictures_dropped, clock_error_ms, report)"
        " VALUES (%s, gen_random_uuid(), %s, %s, %s, gen_random_uuid(), 0, 0, 0, '{}')",
        [device.device_id, NOW, NOW, NOW],
    )

    soon = await housekeeping.mark_silent_devices(NOW + timedelta(seconds=59))
    late = await housekeeping.mark_silent_devices(NOW + timedelta(seconds=61))
    again = await housekeeping.mark_silent_devices(NOW + timedelta(seconds=90))

    assert (soon, late, again) == (0, 1, 0)


async def test_history_is_trimmed_and_the_present_is_kept(
    housekeeping: Housekeeping,
    device: "FakeDevice",
    rows: psycopg.Connection,
    count: Callable[[str], int],
) -> None:
    for days in (0, 6, 8, 30):
        at = NOW - timedelta(days=days)
        rows.execute(
            "INSERT INTO device_heartbeat VALUES (%s, %s, %s, %s, '{}')",
            [device.device_id, at, at, at],
        )
        rows.execute(
            "INSERT INTO passage_feed (stored_at, captured_ats, passage_ids, judged_at)"
            " VALUES (%s, '{}', '{}', %s)",
            [at, at],
        )

    heartbeats = await housekeeping.trim_heartbeats(NOW)
    feed = await housekeeping.trim_feed(NOW)

    assert (heartbeats, feed) == (2, 3)
    assert (count("device_heartbeat"), count("passage_feed")) == (2, 1)
