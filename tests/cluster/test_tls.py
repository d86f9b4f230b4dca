# SPDX-License-Identifier: AGPL-3.0-or-later
"""The cluster over TLS: ingest checks the nodes, and a device is whom its certificate names."""

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from structlog.testing import capture_logs

from api.security.connections import TLS_1_2_SUITES
from central.broker_settings import RabbitSettings
from central.contracts.topics import Stream
from central.devices.authority import DeviceAuthority, make_authority
from central.devices.rabbitmq.accounts import RabbitAccounts
from central.settings import CentralSettings
from deploy.local.ports import LOOPBACK
from deploy.rabbitmq.cluster import RabbitCluster
from edge.errors import PublishError
from edge.publish.link import BrokerAccess, Link
from tests.cluster.readers import Reader
from tests.fixtures.certificates import WEAK_SUITES
from tests.integration.central.conftest import WAIT_S, wait_until
from tests.integration.central.test_broker_accounts import OWN, topic

NOW = datetime.now(UTC)
Access = Callable[..., BrokerAccess]


@pytest.fixture
def access(rabbitmq: RabbitCluster, tmp_path: Path) -> Access:
    """How a device comes that has a certificate for its name, of ours or of another authority."""
    ours = rabbitmq.certificate
    assert ours is not None

    def make(device_id: str, *, authority_file: Path = ours.authority_file) -> BrokerAccess:
        authority = DeviceAuthority.load(
            key_file=authority_file.with_suffix(".key"), certificate_file=authority_file
        )
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "whatever")])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject)
        issued = authority.issue(
            request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM),
            device_id=device_id,
            lifetime=timedelta(hours=1),
            now=NOW,
        )
        certificate_file, key_file = tmp_path / "device.pem", tmp_path / "device.key"
        certificate_file.write_text(issued.certificate_pem)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return BrokerAccess(
            host=LOOPBACK,
            port=rabbitmq.nodes[0].ports.mqtt_tls,
            username=device_id,
            secret="not-asked-for",
            ca_file=ours.certificate_file,
            certificate_file=certificate_file,
            key_file=key_file,
        )

    return make


def link_of(access: BrokerAccess, on_change: Callable[[], None] = lambda: None) -> Link:
    return Link(
        access,
        ack_topic=topic(OWN, Stream.ACK),
        on_ack=lambda _: None,
        on_change=on_change,
    )


def _agreed_on(context: ssl.SSLContext, port: int) -> str | None:
    """The suite that a node picks; ``None`` where it hangs up."""
    try:
        with (
            socket.create_connection((LOOPBACK, port), timeout=WAIT_S) as plain,
            context.wrap_socket(plain, server_hostname=LOOPBACK) as link,
        ):
            suite = link.cipher()
            return None if suite is None else suite[0]
    except (ssl.SSLError, ConnectionError):
        return None


def test_a_device_is_whom_its_certificate_names_and_needs_no_password(
    accounts: RabbitAccounts, access: Access
) -> None:
    accounts.let_in(OWN, secret=None)

    with link_of(access(OWN)) as link:
        link.open(Event())

        assert link.is_open


def test_a_certificate_opens_the_topics_of_no_other_device(
    accounts: RabbitAccounts, access: Access
) -> None:
    accounts.let_in("gate-another", secret=None)

    with link_of(access("gate-another")) as link, pytest.raises(PublishError):
        link.open(Event())


def test_a_barred_device_is_hung_up_on_and_its_certificate_opens_nothing(
    accounts: RabbitAccounts, access: Access
) -> None:
    accounts.let_in(OWN, secret=None)
    lost = Event()
    with link_of(access(OWN), lost.set) as link:
        link.open(Event())

        accounts.bar(OWN)

        assert lost.wait(10)
    with link_of(access(OWN)) as again, pytest.raises(PublishError):
        again.open(Event())


def test_a_certificate_of_another_authority_lets_nobody_in(
    accounts: RabbitAccounts, access: Access, tmp_path: Path
) -> None:
    accounts.let_in(OWN, secret=None)
    theirs = tmp_path / "theirs.pem"
    make_authority(
        key_file=theirs.with_suffix(".key"), certificate_file=theirs, name="theirs", now=NOW
    )

    with link_of(access(OWN, authority_file=theirs)) as link, pytest.raises(PublishError):
        link.open(Event())


def test_nodes_speak_by_no_weak_suites(access: Access, rabbitmq: RabbitCluster) -> None:
    context = ssl.create_default_context(cafile=str(access(OWN).ca_file))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    ports = rabbitmq.nodes[0].ports

    spoken = [_agreed_on(context, port) for port in (ports.mqtt_tls, ports.amqp_tls)]
    context.set_ciphers(WEAK_SUITES)
    refused = [_agreed_on(context, port) for port in (ports.mqtt_tls, ports.amqp_tls)]

    assert set(spoken) <= set(TLS_1_2_SUITES)
    assert refused == [None, None]


def test_ingest_reads_over_tls(ingest_settings: CentralSettings, rabbitmq: RabbitCluster) -> None:
    with Reader(over_tls(ingest_settings, rabbitmq)).reading() as reader:
        assert reader.is_connected


def test_ingest_gives_its_password_to_no_node_that_it_can_not_check(
    ingest_settings: CentralSettings, rabbitmq: RabbitCluster
) -> None:
    assert rabbitmq.certificate is not None
    settings = over_tls(ingest_settings, rabbitmq, ca_file=rabbitmq.certificate.authority_file)
    reader = Reader(settings)

    with capture_logs() as lines, reader.link.connected():
        wait_until(lambda: len(lines) >= 2, what="two tries")

    assert not reader.is_connected
    assert "certificate is not trusted" in str(lines)


def over_tls(
    settings: CentralSettings, rabbitmq: RabbitCluster, *, ca_file: Path | None = None
) -> CentralSettings:
    assert rabbitmq.certificate is not None
    nodes = tuple(f"{LOOPBACK}:{node.ports.amqp_tls}" for node in rabbitmq.nodes)
    broker = settings.required_broker().model_copy(
        update={
            "rabbitmq": RabbitSettings(nodes=nodes),
            "ca_file": ca_file or rabbitmq.certificate.certificate_file,
        }
    )
    return settings.model_copy(update={"broker": broker})
