# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job that writes the list of revoked certificates, so that no timer has to be thought of."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from psycopg import AsyncConnection

from central.audit.types import Actor
from central.db.pool import connection_info, open_pool
from central.devices.authority import REVOCATION_LIFETIME, DeviceAuthority
from central.devices.enrolment import EnrolmentService
from central.jobs.context import JobContext
from central.jobs.tasks import PERIODIC
from central.settings import CentralSettings, DeviceAuthoritySettings
from central.sites.service import SiteService
from central.sites.types import Registration
from tests.integration.central.test_device_certificates import (
    DEVICE,
    authority_folder,  # noqa: F401  # a fixture
    new_key,
    request_of,
)

NOW = datetime.now(UTC).replace(microsecond=0)
JOB = next(each for each in PERIODIC if each.name == "write_revocation_list")


@pytest.fixture
def settings(authority_folder: Path, tmp_path: Path, database_url: str) -> CentralSettings:  # noqa: F811  # the fixture
    return CentralSettings(
        database_url=database_url,
        devices=DeviceAuthoritySettings(
            ca_key_file=authority_folder / "ours.key",
            ca_certificate_file=authority_folder / "ours.pem",
            revocation_file=tmp_path / "revoked.pem",
        ),
    )


async def test_every_day_the_broker_is_given_a_list_that_holds_for_longer_than_a_day(
    settings: CentralSettings, tmp_path: Path
) -> None:
    serial = await _stolen(settings)

    first = await _run(settings, at=NOW)
    before = _list_in(tmp_path)
    again = await _run(settings, at=NOW + timedelta(days=1))
    after = _list_in(tmp_path)

    assert (first, again) == (1, 1)
    assert [f"{each.serial_number:x}" for each in after] == [serial]
    assert before.next_update_utc == NOW + REVOCATION_LIFETIME
    assert after.next_update_utc == NOW + timedelta(days=1) + REVOCATION_LIFETIME
    assert not (tmp_path / "revoked.pem.new").exists()


async def test_without_a_file_in_the_settings_nothing_is_written(database_url: str) -> None:
    assert await _run(CentralSettings(database_url=database_url), at=NOW) == 0


async def _run(settings: CentralSettings, *, at: datetime) -> int:
    async with open_pool(connection_info(settings.database_url)) as pool:
        return await JOB.run(JobContext(pool=pool, settings=settings, clock=lambda: at))


async def _stolen(settings: CentralSettings) -> str:
    """Serial of a certificate of a device that was taken."""
    key_file, certificate_file = settings.devices.required_files()
    authority = DeviceAuthority.load(key_file=key_file, certificate_file=certificate_file)
    async with await AsyncConnection.connect(settings.database_url) as connection:
        await SiteService(connection).register(
            Registration(device_id=DEVICE, site_id="km-12", province="dak-lak", site_name="Km 12"),
            now=NOW,
        )
        desk = EnrolmentService(connection, actor=Actor.command("test"))
        token = await desk.invite(DEVICE, now=NOW)
        await desk.enrol(token, request_of(new_key()), authority=authority, now=NOW)
        (kept,) = await desk.certificates(DEVICE)
        await desk.revoke(DEVICE, reason="Bị lấy cắp", now=NOW)
    return kept.serial


def _list_in(folder: Path) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl((folder / "revoked.pem").read_bytes())
