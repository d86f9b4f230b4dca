# SPDX-License-Identifier: AGPL-3.0-or-later
"""A device enrols and renews over HTTP, as the edge's own commands do it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from cryptography import x509
from psycopg import AsyncConnection

from central.audit.types import Actor
from central.devices.authority import make_authority
from central.devices.enrolment import CERTIFICATE_LIFETIME, EnrolmentService
from edge.errors import EnrolmentError
from edge.publish.enrolment import Centre, CertificateFiles, enrol, is_renewal_due, renew
from tests.integration.api.world import DEVICE_ID, World, serving


@dataclass(frozen=True, kw_only=True)
class Enrolling:
    """An api with an authority, and the files of one device."""

    world: World
    centre: Centre
    files: CertificateFiles
    secret_file: Path

    def invite(self) -> str:
        async def work() -> str:
            async with await AsyncConnection.connect(self.world.database_url) as connection:
                desk = EnrolmentService(connection, actor=Actor.command("test"))
                return await desk.invite(DEVICE_ID, now=datetime.now(UTC))

        return asyncio.run(work())

    def enrol(self, token: str, *, device_id: str = DEVICE_ID) -> None:
        enrol(
            self.centre,
            device_id=device_id,
            token=token,
            files=self.files,
            secret_file=self.secret_file,
        )


@pytest.fixture
def enrolling(world: World, tmp_path: Path) -> Iterator[Enrolling]:
    key_file, certificate_file = tmp_path / "ca.key", tmp_path / "ca.pem"
    make_authority(
        key_file=key_file, certificate_file=certificate_file, name="test", now=datetime.now(UTC)
    )
    with psycopg.connect(world.owner_url) as connection:
        [kept] = connection.execute("SELECT secret_hash, secret_set_at FROM device").fetchall()
    devices = {"ca_key_file": key_file, "ca_certificate_file": certificate_file}
    with serving(world, devices=devices) as address:
        yield Enrolling(
            world=world,
            centre=Centre(url=address, ca_file=None),
            files=CertificateFiles(
                key_file=tmp_path / "device.key", certificate_file=tmp_path / "device.pem"
            ),
            secret_file=tmp_path / "device.secret",
        )
    with psycopg.connect(world.owner_url) as connection:  # the world's device keeps its secret
        connection.execute("UPDATE device SET secret_hash = %s, secret_set_at = %s", kept)
        connection.execute("TRUNCATE device_invitation, device_certificate")


def test_an_invited_device_gets_its_files_and_renews_them_by_itself(enrolling: Enrolling) -> None:
    token = enrolling.invite()

    enrolling.enrol(token)
    first = x509.load_pem_x509_certificate(enrolling.files.certificate_file.read_bytes())
    secret = enrolling.secret_file.read_text().strip()
    renew(enrolling.centre, device_id=DEVICE_ID, secret=secret, files=enrolling.files)
    second = x509.load_pem_x509_certificate(enrolling.files.certificate_file.read_bytes())

    assert first.serial_number != second.serial_number
    for path in (enrolling.files.key_file, enrolling.secret_file):
        assert path.stat().st_mode & 0o777 == 0o600
    now = datetime.now(UTC)
    assert not is_renewal_due(enrolling.files.certificate_file, now=now)
    assert is_renewal_due(enrolling.files.certificate_file, now=now + CERTIFICATE_LIFETIME * 0.7)
    with pytest.raises(EnrolmentError, match="invitation-refused"):
        enrolling.enrol(token)


def test_refusals_leave_the_devices_files_as_they_were(enrolling: Enrolling) -> None:
    enrolling.enrol(enrolling.invite())
    before = enrolling.files.key_file.read_bytes()

    with pytest.raises(EnrolmentError, match="invitation-refused"):
        enrolling.enrol("lte_guessed")
    with pytest.raises(EnrolmentError, match="another device"):
        enrolling.enrol(enrolling.invite(), device_id="gate-77")
    with pytest.raises(EnrolmentError, match="device-unauthorised"):
        renew(enrolling.centre, device_id=DEVICE_ID, secret="wrong", files=enrolling.files)
    with pytest.raises(EnrolmentError, match="can't be reached"):
        enrol(
            Centre(url="http://127.0.0.1:1", ca_file=None),
            device_id=DEVICE_ID,
            token="lte_x",
            files=enrolling.files,
            secret_file=enrolling.secret_file,
        )

    assert enrolling.files.key_file.read_bytes() == before


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("", {"token": "lte_x", "certificate_request": "x"}, 401, "invitation-refused"),
        ("", {"token": "x" * 101, "certificate_request": "x"}, 422, "request-invalid"),
        ("", {"token": "x", "certificate_request": "x" * 9000}, 422, "request-invalid"),
        ("", {"token": "x", "certificate_request": "x", "device_id": "gate-02"}, 422, None),
        ("/renewal", {"certificate_request": "x", "signature": "AA=="}, 401, None),
        ("", {"token": {"$ne": ""}, "certificate_request": "x"}, 422, "request-invalid"),
    ],
)
def test_bad_requests_are_refused_without_a_word_about_the_token(
    enrolling: Enrolling, path: str, body: dict[str, object], status: int, code: str | None
) -> None:
    answer = httpx.post(f"{enrolling.centre.url}/v1/enrolment{path}", json=body)

    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert "lte_x" not in answer.text


def test_a_centre_without_an_authority_says_so(world: World) -> None:
    answer = httpx.post(
        f"{world.api_url}/v1/enrolment", json={"token": "x", "certificate_request": "x"}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "authority-missing")
