# SPDX-License-Identifier: AGPL-3.0-or-later
"""Certificates of devices: issued once per invitation, renewed, revoked, and asked for by a broker.

The broker is a real mosquitto with a TLS listener that lets nobody in without a certificate.
"""

import queue
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event

import paho.mqtt.client as mqtt
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from psycopg import AsyncConnection

from central.audit.types import Actor
from central.contracts.topics import Stream, Topic
from central.devices import broker_rights
from central.devices.authority import DeviceAuthority, RevokedCertificate, make_authority
from central.devices.broker_accounts import BrokerAccounts
from central.devices.broker_sync import synchronise
from central.devices.enrolment import INVITATION_LIFETIME, EnrolmentService
from central.errors import (
    CertificateRequestInvalidError,
    DeviceNotFoundError,
    DeviceRefusedError,
    InvitationRefusedError,
    SettingsError,
)
from central.sites.service import SiteService
from central.sites.types import DeviceState, Registration
from deploy.local.broker import CertificateListener, PrivateBroker, new_secret
from deploy.local.ports import free_port
from deploy.setup.components import Servers
from deploy.setup.places import server_account
from edge.publish.link import BrokerAccess, Link
from tests.fixtures.certificates import WEAK_SUITES

NOW = datetime.now(UTC)
DEVICE = "gate-01"
WAIT_S = 10.0
Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def request_of(key: Key | rsa.RSAPrivateKey, name: str = "whatever") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def key_pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def authority_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    for name in ("ours", "theirs"):
        make_authority(
            key_file=folder / f"{name}.key",
            certificate_file=folder / f"{name}.pem",
            name=name,
            now=NOW - timedelta(days=30),
        )
    return folder


def loaded(folder: Path, name: str = "ours") -> DeviceAuthority:
    return DeviceAuthority.load(
        key_file=folder / f"{name}.key", certificate_file=folder / f"{name}.pem"
    )


@pytest.fixture(scope="module")
def authority(authority_folder: Path) -> DeviceAuthority:
    return loaded(authority_folder)


@pytest.fixture
async def desk(connection: AsyncConnection) -> EnrolmentService:
    await SiteService(connection).register(
        Registration(device_id=DEVICE, site_id="site-01", province="dak-lak", site_name="Km 12"),
        now=NOW,
    )
    return EnrolmentService(connection, actor=Actor.command("test"))


async def test_an_invitation_gives_one_certificate_for_the_name_that_the_centre_knows(
    desk: EnrolmentService, authority: DeviceAuthority, connection: AsyncConnection
) -> None:
    token = await desk.invite(DEVICE, now=NOW)

    made = await desk.enrol(
        token, request_of(new_key(), "another-device"), authority=authority, now=NOW
    )

    certificate = x509.load_pem_x509_certificate(made.certificate.certificate_pem.encode())
    [name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == DEVICE
    certificate.verify_directly_issued_by(authority.certificate)
    known = await SiteService(connection).authenticate(device_id=DEVICE, secret=made.secret)
    assert known.id == DEVICE
    with pytest.raises(InvitationRefusedError):
        await desk.enrol(token, request_of(new_key()), authority=authority, now=NOW)
    assert made.secret not in repr(made)
    rows = await (
        await connection.execute("SELECT action, detail::text FROM audit_entry ORDER BY id")
    ).fetchall()
    assert [row[0] for row in rows] == ["device_invited", "device_enrolled"]
    assert token not in str(rows)
    assert made.secret not in str(rows)


async def test_an_invitation_is_void_when_it_is_late_replaced_unknown_or_the_device_is_off(
    desk: EnrolmentService, authority: DeviceAuthority, connection: AsyncConnection
) -> None:
    replaced = await desk.invite(DEVICE, now=NOW)
    late = await desk.invite(DEVICE, now=NOW)
    request = request_of(new_key())

    for token, at in ((replaced, NOW), (late, NOW + INVITATION_LIFETIME), ("lte_no", NOW)):
        with pytest.raises(InvitationRefusedError):
            await desk.enrol(token, request, authority=authority, now=at)
    await SiteService(connection).switch(DEVICE, DeviceState.DISABLED)
    with pytest.raises(InvitationRefusedError):
        await desk.enrol(late, request, authority=authority, now=NOW)
    with pytest.raises(DeviceNotFoundError):
        await desk.invite("gate-99", now=NOW)


@pytest.mark.parametrize(
    "request_pem",
    [
        b"no request",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        request_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        request_of(new_key()) + b" " * 9000,
    ],
    ids=["text", "damaged", "rsa", "oversized"],
)
def test_what_is_no_request_with_a_key_on_p256_is_refused(
    authority: DeviceAuthority, request_pem: bytes
) -> None:
    with pytest.raises(CertificateRequestInvalidError):
        authority.issue(request_pem, device_id=DEVICE, lifetime=timedelta(days=1), now=NOW)


async def test_a_renewal_needs_the_key_of_a_certificate_that_holds(
    desk: EnrolmentService, authority: DeviceAuthority, connection: AsyncConnection
) -> None:
    first, second, stranger = new_key(), new_key(), new_key()
    made = await desk.enrol(
        await desk.invite(DEVICE, now=NOW), request_of(first), authority=authority, now=NOW
    )
    request = request_of(second)
    sign = ec.ECDSA(hashes.SHA256())

    async def renew(signature: bytes, *, at: datetime = NOW) -> None:
        await desk.renew(made.device, request, signature=signature, authority=authority, now=at)

    for wrong in (stranger.sign(request, sign), first.sign(b"another", sign), b"", b"x" * 70):
        with pytest.raises(DeviceRefusedError):
            await renew(wrong)
    with pytest.raises(DeviceRefusedError):
        await renew(first.sign(request, sign), at=made.certificate.not_after_at)
    await renew(first.sign(request, sign))
    assert len(await desk.certificates(DEVICE)) == 2

    assert await desk.revoke(DEVICE, reason="stolen", now=NOW) == 2
    with pytest.raises(DeviceRefusedError):
        await renew(first.sign(request, sign))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await connection.execute("DELETE FROM device_certificate")


def test_an_authority_is_made_once_and_its_files_must_fit(authority_folder: Path) -> None:
    with pytest.raises(SettingsError, match="is there already"):
        make_authority(
            key_file=authority_folder / "ours.key",
            certificate_file=authority_folder / "new.pem",
            name="again",
            now=NOW,
        )
    with pytest.raises(SettingsError, match="don't match"):
        DeviceAuthority.load(
            key_file=authority_folder / "ours.key", certificate_file=authority_folder / "theirs.pem"
        )
    assert (authority_folder / "ours.key").stat().st_mode & 0o777 == 0o600


@dataclass(kw_only=True)
class GuardedBroker:
    """A broker whose second port asks for certificates."""

    private: PrivateBroker
    folder: Path
    port: int
    authority: DeviceAuthority

    def files_for(
        self,
        device_id: str,
        *,
        authority: DeviceAuthority | None = None,
        issued_at: datetime | None = None,
        lifetime: timedelta = timedelta(days=1),
    ) -> tuple[Path, Path, str]:
        """Certificate file, key file and serial of a device."""
        key = new_key()
        issued = (authority or self.authority).issue(
            request_of(key),
            device_id=device_id,
            lifetime=lifetime,
            now=issued_at or datetime.now(UTC),
        )
        certificate_file = self.folder / f"{issued.serial}.pem"
        key_file = self.folder / f"{issued.serial}.key"
        certificate_file.write_text(issued.certificate_pem)
        key_file.write_bytes(key_pem(key))
        return certificate_file, key_file, issued.serial

    def revoke(self, *serials: str) -> None:
        at = datetime.now(UTC)
        revoked = [RevokedCertificate(serial=each, revoked_at=at) for each in serials]
        content = self.authority.revocation_list(revoked, now=at)
        (self.folder / "revoked.pem").write_bytes(content)

    def login(self, files: tuple[Path, Path, str] | None) -> "Login":
        return Login(self, files)


class Login:
    """One attempt to log in, and what the broker answers."""

    def __init__(self, broker: GuardedBroker, files: tuple[Path, Path, str] | None) -> None:
        self.events: queue.Queue[str] = queue.Queue()
        context = ssl.create_default_context(cafile=str(broker.folder / "server.pem"))
        # With 1.2 the refusal comes within the handshake, not after it.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if files is not None:
            context.load_cert_chain(files[0], files[1])
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id="the-name-of-somebody-else",
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self.client.username_pw_set("ingest", "wrong")  # a certificate's name counts, not this
        self.client.tls_set_context(context)
        self._context = context
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self._note("in", reason)
        self.client.on_publish = lambda _c, _u, _m, reason, _p: self._note("sent", reason)
        self.client.on_disconnect = lambda *_: self.events.put("gone")
        self._port = broker.port

    def _note(self, what: str, reason: ReasonCode) -> None:
        self.events.put("refused" if reason.is_failure else what)

    @contextmanager
    def opened(self) -> Iterator[None]:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        try:
            assert self.events.get(timeout=WAIT_S) == "in"
            yield
        finally:
            self.client.disconnect()
            self.client.loop_stop()

    def publish(self, device_id: str) -> str:
        name = Topic(
            province="dak-lak", site_id="site-01", device_id=device_id, stream=Stream.PASSAGE
        )
        self.client.publish(str(name), b"{}", qos=1)
        return self.events.get(timeout=WAIT_S)

    def speak_only(self, suites: str) -> None:
        self._context.set_ciphers(suites)

    def is_turned_away(self) -> bool:
        """Whether the handshake itself fails."""
        try:
            with (
                socket.create_connection(("127.0.0.1", self._port), timeout=WAIT_S) as plain,
                self._context.wrap_socket(plain, server_hostname="127.0.0.1"),
            ):
                return False
        except (ssl.SSLError, ConnectionError):
            return True


@pytest.fixture(scope="module")
def guarded(
    servers: Servers, server_folder: Path, authority_folder: Path
) -> Iterator[GuardedBroker]:
    folder = server_folder / "guarded"
    folder.mkdir(mode=0o755)
    authority = loaded(authority_folder)
    (folder / "authority.pem").write_text(authority.certificate_pem)
    _write_server_certificate(folder)
    (folder / "revoked.pem").write_bytes(authority.revocation_list([], now=datetime.now(UTC)))
    listener = CertificateListener(
        port=free_port(),
        ca_file=folder / "authority.pem",
        certificate_file=folder / "server.pem",
        key_file=folder / "server.key",
        revocation_file=folder / "revoked.pem",
    )
    private = PrivateBroker(
        folder=folder / "broker",
        program=servers.mosquitto,
        plugin=servers.dynamic_security,
        port=free_port(),
        account=server_account(),
        log_file=server_folder / "guarded.log",
        control_secret=new_secret(),
        with_certificates=listener,
    )
    private.init(ingest_secret=new_secret())
    private.start()
    with BrokerAccounts(private.control_access) as accounts:
        for device_id in (DEVICE, "gate-02"):
            accounts.let_in(device_id, secret=None)
    yield GuardedBroker(private=private, folder=folder, port=listener.port, authority=authority)
    private.stop()


def test_a_device_with_a_certificate_is_whom_it_names(guarded: GuardedBroker) -> None:
    login = guarded.login(guarded.files_for(DEVICE))

    with login.opened():
        assert login.publish(DEVICE) == "sent"
        assert login.publish("gate-02") == "refused"


def test_the_edge_comes_by_its_certificate_and_sends_no_password(guarded: GuardedBroker) -> None:
    certificate_file, key_file, _serial = guarded.files_for(DEVICE)
    access = BrokerAccess(
        host="127.0.0.1",
        port=guarded.port,
        username=DEVICE,
        secret="not asked for",
        ca_file=guarded.folder / "server.pem",
        certificate_file=certificate_file,
        key_file=key_file,
    )
    topic = Topic(province="dak-lak", site_id="site-01", device_id=DEVICE, stream=Stream.ACK)

    with Link(access, ack_topic=str(topic), on_ack=lambda _: None, on_change=lambda: None) as link:
        link.open(Event())

        assert link.is_open
        assert link._client.username is None


def test_nobody_comes_in_without_a_certificate_that_holds(
    guarded: GuardedBroker, authority_folder: Path
) -> None:
    ended = guarded.files_for(DEVICE, issued_at=NOW - timedelta(days=3), lifetime=timedelta(days=1))
    not_yet = guarded.files_for(DEVICE, issued_at=datetime.now(UTC) + timedelta(days=1))
    foreign = guarded.files_for(DEVICE, authority=loaded(authority_folder, "theirs"))

    for files in (None, ended, not_yet, foreign):
        assert guarded.login(files).is_turned_away()


def test_a_device_is_not_spoken_to_by_weak_suites(guarded: GuardedBroker) -> None:
    login = guarded.login(guarded.files_for(DEVICE))
    was_turned_away = login.is_turned_away()

    login.speak_only(WEAK_SUITES)

    assert not was_turned_away
    assert login.is_turned_away()


def test_a_revoked_device_is_hung_up_on_and_stays_out(guarded: GuardedBroker) -> None:
    stolen, kept = guarded.files_for("gate-02"), guarded.files_for(DEVICE)
    login = guarded.login(stolen)
    with BrokerAccounts(guarded.private.control_access) as accounts, login.opened():
        accounts.bar("gate-02")
        assert login.events.get(timeout=WAIT_S) == "gone"
        # Until the list is read the certificate still opens the door, and nothing behind it.
        again = guarded.login(stolen)
        with again.opened():
            assert again.publish("gate-02") == "refused"

    guarded.revoke(stolen[2])
    guarded.private.reload()

    for _ in range(100):  # the broker reads the list when it gets to it
        if guarded.login(stolen).is_turned_away():
            break
    else:
        pytest.fail("the revoked certificate is still let in")
    with guarded.login(kept).opened():
        pass


def test_the_broker_is_brought_in_step_with_the_centre(guarded: GuardedBroker) -> None:
    with BrokerAccounts(guarded.private.control_access) as accounts:
        accounts.let_in("gate-stranger", secret=None)

        done = synchronise(accounts, {DEVICE: True, "gate-02": False, "gate-03": True})
        again = synchronise(accounts, {DEVICE: True, "gate-02": False, "gate-03": True})

        found = {each.device_id: each.may_send for each in accounts.accounts()}
    assert (done.let_in, done.removed) == (1, 1)
    assert (again.let_in, again.barred, again.removed) == (0, 0, 0)
    assert found == {DEVICE: True, "gate-02": False, "gate-03": True}


def test_a_device_with_the_rights_of_an_earlier_version_is_given_those_of_today(
    guarded: GuardedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BrokerAccounts(guarded.private.control_access) as accounts:
        with monkeypatch.context() as earlier:
            earlier.setattr(broker_rights, "RIGHTS_VERSION", 1)
            accounts.let_in(DEVICE, secret=None)
        wanted = {each.device_id: each.may_send for each in accounts.accounts()}
        assert wanted.pop(DEVICE) is False

        done = synchronise(accounts, {**wanted, DEVICE: True})

        found = {each.device_id: each.may_send for each in accounts.accounts()}
    assert done.let_in == 1
    assert found[DEVICE] is True


def _write_server_certificate(folder: Path) -> None:
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "server.key").write_bytes(key_pem(key))
    (folder / "server.key").chmod(0o644)  # the server's own account reads it
