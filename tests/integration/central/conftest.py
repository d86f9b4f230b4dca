# SPDX-License-Identifier: AGPL-3.0-or-later
"""A registered device, messages of it, and an ingest that runs on the real servers."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from uuid_utils.compat import uuid7

from central.broker_settings import BrokerSettings
from central.contracts.commit_ack import CommitAckV1
from central.contracts.event import ClockSource
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.passage import (
    BoxV1,
    Direction,
    EvidenceKind,
    EvidenceRefV1,
    ModelDigestV1,
    PassageV1,
    PlateAlternativeV1,
    PlateColour,
    PlateLayout,
    PlateReadV1,
    VehicleClass,
)
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream, Topic
from central.db.pool import connection_info
from central.ingest.app import run_ingest
from central.ingest.broker.mqtt import MqttLink
from central.ingest.broker.port import BrokerLink
from central.ingest.database import IngestDatabase
from central.ingest.metrics import IngestMetrics
from central.settings import CentralSettings, IngestSettings
from central.sites.service import register_device
from central.sites.types import Registration
from tests.integration.central.ledgers import Centre

WAIT_S = 20.0
POLL_S = 0.02
PROVINCE, SITE, CAMERA, READER = "dak-lak", "km12", "cam-1", "reader-1"
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Broker(Protocol):
    """The broker of tests/conftest.py."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    def password(self, username: str) -> str: ...
    def add_device(self, device_id: str) -> str: ...


def wait_until(condition: Callable[[], bool], *, what: str, limit_s: float = WAIT_S) -> None:
    """Wait for something that another thread or process does."""
    deadline_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline_s:
            pytest.fail(f"waited {limit_s} s in vain: {what}")
        threading.Event().wait(POLL_S)


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., None]:
    return wait_until


@dataclass(kw_only=True)
class FakeDevice:
    """Makes the messages that a device would; keeps one outbox."""

    device_id: str
    outbox_id: UUID = field(default_factory=uuid4)
    boot_id: UUID = field(default_factory=uuid4)

    def topic(self, stream: Stream = Stream.PASSAGE) -> str:
        return str(Topic(province=PROVINCE, site_id=SITE, device_id=self.device_id, stream=stream))

    def passage(self, seq: int = 1, **changes: Any) -> PassageV1:  # noqa: ANN401  # any field
        captured_at = changes.pop("captured_at", None) or datetime.now(UTC)
        values: dict[str, Any] = {
            "id": uuid7(),
            "device_id": self.device_id,
            "outbox_id": self.outbox_id,
            "boot_id": self.boot_id,
            "seq": seq,
            "site_id": SITE,
            "camera_id": CAMERA,
            "lane": 1,
            "direction": Direction.DOWN,
            "captured_at": captured_at,
            "first_seen_at": captured_at - timedelta(seconds=1),
            "last_seen_at": captured_at + timedelta(seconds=1),
            "clock_source": ClockSource.NTP,
            "clock_error_ms": 5,
            "frame_index": 100 + seq,
            "frame_width_px": 1920,
            "frame_height_px": 1080,
            "vehicle_class": VehicleClass.MOTORCYCLE,
            "vehicle_confidence": 0.9,
            "vehicle_box": BoxV1(x_min=1, y_min=2, x_max=300, y_max=400),
            "plate": plate_read("47AD15155"),
            "models": (ModelDigestV1(name="plate-reader", sha256="a" * 64),),
            "evidence": (
                EvidenceRefV1(kind=EvidenceKind.SCENE, sha256=f"{seq:064x}", size_bytes=1000),
                EvidenceRefV1(kind=EvidenceKind.PLATE, sha256=f"{seq:063x}f", size_bytes=200),
            ),
        }
        return PassageV1(**{**values, **changes})

    def tag_read(self, seq: int = 1, **changes: Any) -> TagReadV1:  # noqa: ANN401  # any field
        captured_at = changes.pop("captured_at", None) or datetime.now(UTC)
        values: dict[str, Any] = {
            "id": uuid7(),
            "device_id": self.device_id,
            "outbox_id": self.outbox_id,
            "boot_id": self.boot_id,
            "seq": seq,
            "site_id": SITE,
            "reader_id": READER,
            "lane": 1,
            "epc": "E2801160600002054E1A2B3C",
            "antenna": 1,
            "rssi_dbm": -52.5,
            "reads": 14,
            "captured_at": captured_at,
            "first_seen_at": captured_at - timedelta(milliseconds=300),
            "last_seen_at": captured_at + timedelta(milliseconds=400),
            "clock_source": ClockSource.NTP,
            "clock_error_ms": 5,
        }
        return TagReadV1(**{**values, **changes})

    def heartbeat(self, **changes: Any) -> HeartbeatV1:  # noqa: ANN401  # any field
        values: dict[str, Any] = {
            "id": uuid7(),
            "device_id": self.device_id,
            "outbox_id": self.outbox_id,
            "boot_id": self.boot_id,
            "site_id": SITE,
            "sent_at": datetime.now(UTC),
            "uptime_s": 12.5,
            "software_version": "0.1.0",
            "clock_source": ClockSource.NTP,
            "clock_error_ms": 5,
            "outbox_last_seq": 0,
            "outbox_events": 0,
            "outbox_pictures": 0,
            "outbox_bytes": 0,
            "pictures_dropped": 0,
            "disk_free_bytes": 10**9,
            "resident_bytes": 10**8,
        }
        return HeartbeatV1(**{**values, **changes})


def plate_read(text: str) -> PlateReadV1:
    """A two-line white plate read without doubt."""
    return PlateReadV1(
        raw_text=text,
        text=text,
        char_confidences=(0.99,) * len(text),
        confidence=0.97,
        is_legal=True,
        alternatives=(PlateAlternativeV1(text="47AD15156", confidence=0.02),),
        layout=PlateLayout.TWO_LINE,
        colour=PlateColour.WHITE,
        frames_read=12,
        box=BoxV1(x_min=10, y_min=20, x_max=110, y_max=90),
    )


@pytest.fixture(name="plate_read")
def plate_read_fixture() -> Callable[[str], PlateReadV1]:
    return plate_read


@pytest.fixture
def new_device() -> Callable[[], FakeDevice]:
    """A device that nobody has registered."""
    return lambda: FakeDevice(device_id=f"gate-{uuid4().hex[:8]}")


@pytest.fixture
def device(database_url: str, new_device: Callable[[], FakeDevice]) -> FakeDevice:
    """A device that the centre knows."""
    made = new_device()
    register(database_url, made)
    return made


def register(database_url: str, device: FakeDevice, *, camera: str = CAMERA) -> None:
    """Tell the centre of a device."""
    register_device(
        database_url,
        Registration(
            device_id=device.device_id,
            site_id=SITE,
            province=PROVINCE,
            site_name="Km 12 Quốc lộ 14",
            camera_ids=(camera,),
        ),
        now=datetime.now(UTC),
    )


@pytest.fixture(name="register")
def register_fixture() -> Callable[..., None]:
    return register


@dataclass(kw_only=True)
class DeviceLink:
    """A device's connection to the broker."""

    client: mqtt.Client
    device: FakeDevice
    received: "queue.Queue[CommitAckV1]" = field(default_factory=queue.Queue)
    acked_up_to: int = 0

    def send(self, *events: PassageV1 | TagReadV1) -> None:
        for event in events:
            stream = Stream.PASSAGE if isinstance(event, PassageV1) else Stream.TAG_READ
            self.send_raw(event.to_json(), topic=self.device.topic(stream))

    def send_raw(self, payload: bytes, *, topic: str | None = None) -> None:
        sent = self.client.publish(topic or self.device.topic(), payload, qos=1)
        sent.wait_for_publish(WAIT_S)

    def wait_for_ack(self, up_to_seq: int) -> None:
        def is_acked() -> bool:
            while not self.received.empty():
                ack = self.received.get_nowait()
                assert ack.outbox_id == self.device.outbox_id
                self.acked_up_to = max(self.acked_up_to, ack.up_to_seq)
            return self.acked_up_to >= up_to_seq

        wait_until(is_acked, what=f"acknowledgement up to {up_to_seq}")


@pytest.fixture
def linked(broker: Broker) -> Iterator[Callable[[FakeDevice], DeviceLink]]:
    """Connect devices to the broker under their own names."""
    clients: list[mqtt.Client] = []

    def connect(device: FakeDevice) -> DeviceLink:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=device.device_id,
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        clients.append(client)
        client.username_pw_set(device.device_id, broker.add_device(device.device_id))
        link = DeviceLink(client=client, device=device)
        ready = threading.Event()
        client.on_message = lambda _c, _u, message: link.received.put(
            CommitAckV1.from_json(message.payload)
        )
        client.on_subscribe = lambda *_: ready.set()

        def on_connect(*_: object) -> None:
            client.subscribe(device.topic(Stream.ACK), qos=1)

        client.on_connect = on_connect
        client.connect(broker.host, broker.port)
        client.loop_start()
        assert ready.wait(WAIT_S)
        return link

    yield connect
    for client in clients:
        client.disconnect()
        client.loop_stop()


@dataclass(kw_only=True)
class IngestRunner:
    """Starts and stops ingest in this process, always with the same session at the broker."""

    settings: CentralSettings
    metrics: IngestMetrics

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.started():
            self.wait_until_connected()
            yield

    @contextmanager
    def started(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(
            target=run_ingest,
            args=(self.settings,),
            kwargs={"stop": stop, "metrics": self.metrics},
            name="ingest-under-test",
        )
        connected = self.count("luuthong_ingest_broker_connected")
        assert connected == 0
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(WAIT_S)
            assert not thread.is_alive()
            wait_until(
                lambda: self.count("luuthong_ingest_broker_connected") == 0,
                what="ingest leaves the broker",
            )

    def wait_until_connected(self) -> None:
        wait_until(
            lambda: self.count("luuthong_ingest_broker_connected") == 1,
            what="ingest connects to the broker",
        )

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def counted(self, result: str) -> float:
        return self.count("luuthong_ingest_messages_total", result=result)


@pytest.fixture
def centre(database_url: str) -> Iterator[Centre]:
    """Ingest and the completeness ledger on a database of its own."""
    with closing(IngestDatabase(connection_info(database_url))) as database:
        yield Centre(url=database_url, database=database)


@pytest.fixture
def ingest_settings(database_url: str, broker: Broker, tmp_path: Path) -> Iterator[CentralSettings]:
    """Settings of an ingest whose session at the broker ends with the test."""
    password_file = tmp_path / "ingest.password"
    password_file.write_text(broker.password("ingest"))
    settings = CentralSettings(
        database_url=database_url,
        broker=BrokerSettings(
            host=broker.host,
            port=broker.port,
            password_file=password_file,
            client_id=f"ingest-{uuid4().hex[:12]}",
        ),
        ingest=IngestSettings(batch_wait=timedelta(milliseconds=10)),
    )
    yield settings
    end_session(settings)


@pytest.fixture
def ingest(ingest_settings: CentralSettings) -> IngestRunner:
    return IngestRunner(settings=ingest_settings, metrics=IngestMetrics())


@pytest.fixture
def link_kind() -> type[BrokerLink]:
    """The adapter that ingest reads the broker by."""
    return MqttLink


def end_session(settings: CentralSettings) -> None:
    """Make the broker forget an ingest; its share of the messages would be missing elsewhere."""
    broker = settings.required_broker()
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # as paho has it
    properties.SessionExpiryInterval = 0
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=broker.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
    )
    client.username_pw_set(broker.username, broker.password_file.read_text())
    gone = threading.Event()

    def on_connect(*_: object) -> None:
        client.disconnect()

    client.on_connect = on_connect
    client.on_disconnect = lambda *_: gone.set()
    client.connect(broker.host, broker.port, clean_start=True, properties=properties)
    client.loop_start()
    assert gone.wait(WAIT_S)
    client.loop_stop()


@pytest.fixture
def rows(owner_url: str) -> Iterator[psycopg.Connection]:
    """The owner's connection, to look at what is committed and to prepare anything."""
    with psycopg.Connection.connect(connection_info(owner_url), autocommit=True) as connection:
        yield connection


@pytest.fixture
def count(rows: psycopg.Connection) -> Callable[[str], int]:
    """Number of rows of a table, with an optional condition."""

    def counted(table: str) -> int:
        row = rows.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # our own text
        assert row is not None
        return int(row[0])

    return counted


class Cluster(Protocol):
    """The database server of tests/conftest.py."""

    def dsn(self, dbname: str) -> str: ...


@pytest.fixture
def database_outage(
    cluster: Cluster, rows: psycopg.Connection
) -> Callable[[], AbstractContextManager[None]]:
    """Cut every connection to the test's database but ``rows``, and refuse new ones."""
    name = psycopg.sql.Identifier(rows.info.dbname)

    @contextmanager
    def outage() -> Iterator[None]:
        with psycopg.Connection.connect(cluster.dsn("postgres"), autocommit=True) as admin:
            admin.execute(psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> %s",
                [rows.info.dbname, rows.info.backend_pid],
            )
            try:
                yield
            finally:
                admin.execute(
                    psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name)
                )

    return outage
