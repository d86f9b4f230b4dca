# SPDX-License-Identifier: AGPL-3.0-or-later
"""A running api with a database, users, devices and passages; shared by api and browser tests."""

import asyncio
import hashlib
import secrets
import shutil
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import cv2
import httpx
import numpy as np
import psycopg
import uvicorn
from fastapi import FastAPI
from psycopg import AsyncConnection, sql

from api.deps.request import Clock
from api.main import create_app
from api.security.connections import GuardedProtocol
from api.settings import ApiSettings
from central.audit.types import Actor
from central.completeness.stating import StatementMaker
from central.completeness.watching import follow_gaps
from central.contracts.event import ClockSource, Event
from central.contracts.heartbeat import CameraHealthV1, CameraState, HeartbeatV1
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
from central.contracts.topics import Stream, Topic
from central.identity.permissions import Permission, Role
from central.identity.service import IdentityService
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.machines.service import KeyAdministration
from central.machines.types import MadeKey, NewClient
from central.settings import IngestSettings, JobsSettings, OfficeSettings
from central.sites.repository import SiteRepository
from central.sites.service import register_device
from central.sites.types import Camera, Registration
from central.traffic.counting.service import count_touched
from deploy.local.names import SERVICE_USER
from deploy.local.ports import free_port
from deploy.local.postgres import PrivateCluster
from tests.conftest import copy_database
from tests.fixtures.certificates import ServerCertificate
from tests.fixtures.oidc_provider import running_provider

PROVINCE: Final = "thai-nguyen"
SITE_ID: Final = "cau-gia-bay"
SITE_NAME: Final = "Cầu Gia Bẩy"
DEVICE_ID: Final = "gate-01"
CAMERA_ID: Final = "lan-vao"
USERNAME: Final = "operator"
DISPLAY_NAME: Final = "Trực ban số 1"
START_WAIT_S: Final = 20.0
ANSWER_WAIT_S: Final = 30.0
LIMITS: Final = IngestSettings().time_limits
CLIENT_SECRET: Final = "a secret that the provider and the tests share"
ELSEWHERE: Final = "http://127.0.0.1:9"
"""Where the world's provider sends people back to: nobody comes back in most tests."""

SESSION_COOKIE: Final = "luuthong_session"
_Outcome = TypeVar("_Outcome")
_FORGOTTEN: Final = (
    "alert_sighting",
    "alert_feed",
    "alert",
    "watchlist_entry",
    "passage",
    "passage_identity",
    "event_id_walk",
    "retention_span",
    "erasure_record",
    "passage_evidence",
    "incident_report",
    "evidence_notice",
    "passage_feed",
    "passage_touched",
    "passage_minute",
    "passage_hour",
    "passage_day",
    "evidence",
    "device_stream",
    "device_day",
    "device_gap",
    "live_frame",
    "device_status",
    "device_heartbeat",
    "quarantine",
    "audit_entry",
    "audit_seal",
    "audit_root",
    "subject_key",
    "protection_finding",
    "relative_plate",
    "data_request",
    "api_key",
    "api_client",
    "api_answer",
    "outside_identity",
    "outside_login",
    "webhook_delivery",
    "webhook_event",
    "webhook_secret",
    "webhook",
    "completeness_statement",
    "passage_hour_change",
    "national_province",
    "national_traffic",
    "national_toll",
    "national_completeness",
    "national_push",
    "national_push_trouble",
)
_ALSO_FORGOTTEN: Final = """
    DELETE FROM camera WHERE id <> 'lan-vao';
    UPDATE app_user
       SET failed_logins = 0, login_allowed_at = NULL, unit_id = NULL, reach = 'province';
    DELETE FROM app_user_area;
    DELETE FROM unit_area;
    DELETE FROM unit;
    DELETE FROM site_group;
    DELETE FROM login_client;
    DELETE FROM address_rate;
    DELETE FROM login_step;
    DELETE FROM recovery_code;
    DELETE FROM one_time_secret;
    DELETE FROM security_key;
    DELETE FROM role_rule;
"""
_REFERRING: Final = """
    WITH RECURSIVE reached (id) AS (
      SELECT oid FROM pg_class WHERE oid = ANY(%s::text[]::regclass[])
       UNION
      SELECT pg_constraint.conrelid
        FROM pg_constraint
       INNER JOIN reached ON pg_constraint.confrelid = reached.id
       WHERE pg_constraint.contype = 'f' AND pg_constraint.connamespace = 'public'::regnamespace
    )
    SELECT id::regclass::text FROM reached
"""
_EMPTYING: Final[dict[tuple[str, ...], sql.Composed]] = {}
"""What empties tables; every database of the tests has the same ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a made passage shows; everything has a plain default."""

    plate: str = "20A12345"
    raw_plate: str | None = None
    confidence: float = 0.99
    is_legal: bool = True
    layout: PlateLayout = PlateLayout.ONE_LINE
    colour: PlateColour = PlateColour.WHITE
    vehicle_class: VehicleClass | None = VehicleClass.CAR
    direction: Direction = Direction.DOWN
    captured_at: datetime | None = None
    camera_id: str = CAMERA_ID
    is_late: bool = False
    pictures: tuple[tuple[EvidenceKind, bytes], ...] = ()


@dataclass(kw_only=True)
class World:
    """Everything that a test of the api touches.

    Attributes:
        database_url: Address of the database for the account that the services work as.
        owner_url: The same for its owner; needed to empty the tables.
        console_url: The same place by name, as the api was told: security keys are bound to it.
        issuer: Identity provider that the api sends people to; empty for none.
    """

    database_url: str
    evidence_folder: Path
    owner_url: str = ""
    api_url: str = ""
    console_url: str = ""
    password: str = field(default="", repr=False)
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    device_secret: str = field(default="", repr=False)
    outbox_id: UUID = field(default_factory=uuid4)
    seq: int = 0
    app: FastAPI = field(default_factory=FastAPI, repr=False)
    issuer: str = ""

    def settle(self, *, camera_ids: tuple[str, ...] = (CAMERA_ID,)) -> None:
        """Make a user, a site and a device."""
        now = datetime.now(UTC)
        self.password = self.passwords[USERNAME] = _finished(
            _add_user(self.database_url, now=now, username=USERNAME, role=Role.OPERATOR)
        )
        registration = Registration(
            device_id=DEVICE_ID,
            site_id=SITE_ID,
            province=PROVINCE,
            site_name=SITE_NAME,
            camera_ids=camera_ids,
        )
        self.device_secret = _finished(
            asyncio.to_thread(register_device, self.database_url, registration, now=now)
        ).secret

    def forget(self) -> None:
        """Begin again: nothing stored, and a new life of the device's outbox."""
        with psycopg.connect(self.owner_url) as connection:
            delete_rows(connection, *_FORGOTTEN)
            connection.execute(_ALSO_FORGOTTEN)
        self.outbox_id = uuid4()
        self.seq = 0
        shutil.rmtree(self.evidence_folder, ignore_errors=True)

    def add_camera(self, camera_id: str, *, name: str) -> None:
        """Add a camera whose name somebody chose."""
        _finished(_add_camera(self.database_url, camera_id=camera_id, name=name))

    def store(self, *seen: Seen) -> list[PassageV1]:
        """Commit passages the way ingest does, in one batch, with its notification."""
        passages = self.make(*seen)
        self.store_again(*passages)
        return passages

    def make(self, *seen: Seen) -> list[PassageV1]:
        """Passages with the next numbers, not stored."""
        return [self._passage(each) for each in seen]

    def store_again(self, *passages: PassageV1) -> None:
        """Commit passages as they are, as after a lost acknowledgement."""
        topic = Topic(
            province=PROVINCE, site_id=SITE_ID, device_id=DEVICE_ID, stream=Stream.PASSAGE
        )
        self._commit([(str(topic), passage.to_json()) for passage in passages])

    def store_event(self, event: Event, stream: Stream) -> None:
        """Commit any event of the device as ingest does."""
        topic = Topic(province=PROVINCE, site_id=SITE_ID, device_id=DEVICE_ID, stream=stream)
        self._commit([(str(topic), event.to_json())])

    def quarantine(self, payload: bytes, *, topic: str) -> None:
        """Commit a message that can't be stored, as ingest does."""
        self._commit([(topic, payload)], is_good=False)

    def beat(self, *, temperature_celsius: float | None = None, outbox_events: int = 0) -> None:
        """Commit a heartbeat of the device."""
        now = datetime.now(UTC)
        heartbeat = HeartbeatV1(
            id=uuid4(),
            device_id=DEVICE_ID,
            outbox_id=self.outbox_id,
            boot_id=uuid4(),
            site_id=SITE_ID,
            sent_at=now,
            uptime_s=3600.0,
            software_version="0.1.0",
            clock_source=ClockSource.NTP,
            clock_error_ms=8,
            outbox_last_seq=self.seq,
            outbox_events=outbox_events,
            outbox_pictures=0,
            outbox_bytes=0,
            pictures_dropped=0,
            disk_free_bytes=10**9,
            resident_bytes=10**8,
            temperature_celsius=temperature_celsius,
            cameras=(
                CameraHealthV1(
                    camera_id=CAMERA_ID,
                    state=CameraState.RUNNING,
                    captured_fps=25.0,
                    analysed_fps=12.0,
                    frames_dropped=0,
                ),
            ),
        )
        topic = Topic(
            province=PROVINCE, site_id=SITE_ID, device_id=DEVICE_ID, stream=Stream.HEARTBEAT
        )
        self._commit([(str(topic), heartbeat.to_json())])

    def follow_gaps(self, later: timedelta) -> None:
        """Look after gaps as the job does, some time later."""
        _finished(_follow_gaps(self.database_url, now=datetime.now(UTC) + later))

    def state(self, day: date) -> None:
        """State what the ledger of a day says, without a key."""
        _finished(_state(self.database_url, day))

    def upload(self, body: bytes) -> httpx.Response:
        """Send a picture as the device does."""
        return httpx.put(
            f"{self.api_url}/v1/evidence/{sha256_of(body)}",
            content=body,
            headers=self.device_headers,
        )

    @property
    def device_headers(self) -> dict[str, str]:
        """Headers of the device's uploads."""
        return {
            "Authorization": f"Device {DEVICE_ID}:{self.device_secret}",
            "Content-Type": "image/jpeg",
        }

    @contextmanager
    def signed_in_as(self, role: Role) -> Iterator[httpx.Client]:
        """A client with the session of a user named like the role; made when first needed."""
        name = role.value
        if name not in self.passwords:
            self.passwords[name] = _finished(
                _add_user(self.database_url, now=datetime.now(UTC), username=name, role=role)
            )
        with httpx.Client(base_url=self.api_url, timeout=ANSWER_WAIT_S) as client:
            answer = client.post(
                "/v1/session", json={"username": name, "password": self.passwords[name]}
            )
            assert answer.status_code == 201, answer.text
            self._forget_sign_ins()
            yield client

    def add_program(
        self, *permissions: Permission, name: str, site_ids: Sequence[str] = ()
    ) -> MadeKey:
        """Let a program in and make its key."""
        new = NewClient(
            name=name,
            purpose="Trạm kiểm tra tải trọng",
            permissions=frozenset(permissions),
            site_ids=frozenset(site_ids) or None,
        )
        return _finished(_add_program(self.database_url, new, now=datetime.now(UTC)))

    @contextmanager
    def program(
        self, *permissions: Permission, name: str = "tram-can", site_ids: Sequence[str] = ()
    ) -> Iterator[httpx.Client]:
        """A client with a key that allows exactly this; without sites it sees every site."""
        made = self.add_program(*permissions, name=name, site_ids=site_ids)
        headers = {"Authorization": f"Bearer {made.key}"}
        with httpx.Client(base_url=self.api_url, headers=headers) as client:
            yield client

    @contextmanager
    def signed_in(self) -> Iterator[httpx.Client]:
        """A client with a session."""
        with httpx.Client(base_url=self.api_url) as client:
            answer = client.post(
                "/v1/session", json={"username": USERNAME, "password": self.password}
            )
            assert answer.status_code == 201, answer.text
            self._forget_sign_ins()
            yield client

    def _forget_sign_ins(self) -> None:
        """Leave tests of what an act writes with that act alone."""
        with psycopg.connect(self.owner_url) as rows:
            rows.execute(
                "DELETE FROM audit_entry WHERE action = 'signed_in' AND NOT EXISTS"
                " (SELECT 1 FROM audit_seal WHERE audit_seal.entry_id = audit_entry.id)"
            )

    def _commit(self, messages: Sequence[tuple[str, bytes]], *, is_good: bool = True) -> None:
        deliveries = [parse(Delivery(topic=topic, payload=payload)) for topic, payload in messages]
        with closing(IngestDatabase(self.database_url)) as database:
            with database.transaction() as connection:
                outcome = store_batch(connection, deliveries, limits=LIMITS, now=datetime.now(UTC))
            assert bool(outcome.quarantined) is not is_good, outcome.quarantined
        _finished(_count(self.database_url))

    def _passage(self, seen: Seen) -> PassageV1:
        self.seq += 1
        at = seen.captured_at or datetime.now(UTC)
        box = BoxV1(x_min=100, y_min=120, x_max=540, y_max=470)
        plate = PlateReadV1(
            raw_text=seen.plate if seen.raw_plate is None else seen.raw_plate,
            text=seen.plate,
            char_confidences=tuple(
                max(0.3, seen.confidence - (0.22 if place == 3 else 0.003 * place))
                for place in range(len(seen.plate))
            ),
            confidence=seen.confidence,
            is_legal=seen.is_legal,
            alternatives=(
                (PlateAlternativeV1(text=seen.plate[:-1] + "8", confidence=0.02),)
                if seen.plate
                else ()
            ),
            layout=seen.layout,
            colour=seen.colour,
            frames_read=9,
            box=BoxV1(x_min=250, y_min=400, x_max=390, y_max=440),
        )
        return PassageV1(
            id=uuid4(),
            device_id=DEVICE_ID,
            outbox_id=self.outbox_id,
            boot_id=self.outbox_id,
            seq=self.seq,
            site_id=SITE_ID,
            camera_id=seen.camera_id,
            lane=1,
            direction=seen.direction,
            captured_at=at,
            first_seen_at=at - timedelta(milliseconds=400),
            last_seen_at=at + timedelta(milliseconds=500),
            clock_source=ClockSource.NTP,
            clock_error_ms=12,
            frame_index=self.seq * 20,
            frame_width_px=1280,
            frame_height_px=720,
            vehicle_class=seen.vehicle_class,
            vehicle_confidence=0.93 if seen.vehicle_class is not None else None,
            vehicle_box=box if seen.vehicle_class is not None else None,
            plate=plate,
            models=(ModelDigestV1(name="plate-reader", sha256="ab" * 32),),
            evidence=tuple(
                EvidenceRefV1(kind=kind, sha256=sha256_of(body), size_bytes=len(body))
                for kind, body in seen.pictures
            ),
            is_late=seen.is_late,
        )


def _second_factor_key_file(evidence_folder: Path) -> Path:
    """A key for secrets of second factors, beside the pictures."""
    file = evidence_folder.with_name(f"{evidence_folder.name}-second-factor-key")
    if not file.is_file():
        file.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    return file


def sha256_of(body: bytes) -> str:
    """Hex digest of some bytes."""
    return hashlib.sha256(body).hexdigest()


def drawn_jpeg(*, seed: int, width: int = 320, height: int = 180) -> bytes:
    """A small real JPEG, different for every seed."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 255, (height // 20, width // 20, 3), dtype=np.uint8)
    big = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", big)[1])


def delete_rows(connection: psycopg.Connection, *tables: str) -> None:
    """Empty these tables and all that refer to them.

    For the few rows of a test this takes a tenth of the time of truncating the tables.
    """
    with connection.transaction():
        if tables not in _EMPTYING:
            reached = connection.execute(_REFERRING, [list(tables)]).fetchall()
            _EMPTYING[tables] = sql.SQL(";").join(
                sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in reached
            )
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(_EMPTYING[tables])


@contextmanager
def served_world(
    cluster: PrivateCluster, *, template: str, database: str, evidence_folder: Path
) -> Iterator[World]:
    """A served api with a database of its own, one user, one site and one device."""
    copy_database(cluster, template, name=database)
    made = World(
        database_url=cluster.dsn(database, user=SERVICE_USER),
        owner_url=cluster.dsn(database),
        evidence_folder=evidence_folder,
    )
    made.settle()
    with running_provider(
        port=free_port(), console_url=ELSEWHERE, client_secret=CLIENT_SECRET
    ) as provider:
        made.issuer = provider.issuer
        with serving(made):
            yield made


@contextmanager
def serving(
    world: World,
    *,
    tls: ServerCertificate | None = None,
    protocol: type[GuardedProtocol] = GuardedProtocol,
    port: int | None = None,
    clock: Clock | None = None,
    **settings: object,
) -> Iterator[str]:
    """Serve the api on a free port for as long as the block lasts; yields its address.

    Afterwards the world is served by what served it before.
    """
    webhook_key = world.evidence_folder.with_name(f"{world.evidence_folder.name}-webhook-key")
    webhook_key.write_text("secret of the tests", encoding="utf-8")
    port = port or free_port()
    scheme = "https" if tls else "http"
    before = world.app, world.api_url, world.console_url
    world.console_url = f"{scheme}://localhost:{port}"
    app = create_app(
        ApiSettings.model_validate(
            {
                "webhooks": {"key_file": webhook_key},
                "database_url": world.database_url,
                "evidence_folder": world.evidence_folder,
                "second_factor_key_file": _second_factor_key_file(world.evidence_folder),
                "sessions_max": 1000,  # one user signs in for every test
                "outside": _provider_of(world),
                "console_url": world.console_url,
                **settings,
            }
        ),
        clock=clock,
    )
    world.app = app
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=tls.certificate_file if tls else None,
            ssl_keyfile=tls.key_file if tls else None,
            http=protocol,
        )
    )
    thread = threading.Thread(target=server.run, name="api", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_WAIT_S
    while not server.started:
        assert thread.is_alive(), "the api ended while starting"
        assert time.monotonic() < deadline, "the api did not start"
        time.sleep(0.02)
    world.api_url = f"{scheme}://127.0.0.1:{port}"
    try:
        yield world.api_url
    finally:
        server.should_exit = True
        thread.join(timeout=START_WAIT_S)
        world.app, world.api_url, world.console_url = before


def _provider_of(world: World) -> dict[str, object]:
    """Settings of the world's identity provider, if it has one."""
    if not world.issuer:
        return {}
    secret_file = world.evidence_folder.with_name(f"{world.evidence_folder.name}-outside-secret")
    secret_file.write_text(f"{CLIENT_SECRET}\n", encoding="utf-8")
    return {
        "issuer": world.issuer,
        "console_url": ELSEWHERE,
        "client_secret_file": secret_file,
    }


def _finished(work: Coroutine[Any, Any, _Outcome]) -> _Outcome:
    """Outcome of async work; in a thread, since a browser's driver keeps this one's loop busy."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, work).result()


async def _add_user(database_url: str, *, now: datetime, username: str, role: Role) -> str:
    async with await AsyncConnection.connect(database_url) as connection:
        made = await IdentityService(connection).create_user(
            username=username, display_name=DISPLAY_NAME, role=role, now=now
        )
    return made.password


async def _add_program(database_url: str, new: NewClient, *, now: datetime) -> MadeKey:
    async with await AsyncConnection.connect(database_url) as connection:
        keys = KeyAdministration(connection, actor=Actor.command("tests"))
        return await keys.add(new, lifetime=timedelta(days=30), now=now)


async def _count(database_url: str) -> None:
    """Bring the counts up to date, as the job does every few seconds."""
    async with await AsyncConnection.connect(database_url) as connection:
        await count_touched(connection)


async def _follow_gaps(database_url: str, *, now: datetime) -> None:
    async with await AsyncConnection.connect(database_url) as connection:
        await follow_gaps(connection, outbox_age_max=JobsSettings().outbox_age_max, now=now)


async def _state(database_url: str, day: date) -> None:
    async with await AsyncConnection.connect(database_url) as connection:
        maker = StatementMaker(connection, office=OfficeSettings(), key=None)
        await maker.state(day, maker="tests", now=datetime.now(UTC))


async def _add_camera(database_url: str, *, camera_id: str, name: str) -> None:
    async with await AsyncConnection.connect(database_url) as connection:
        await SiteRepository(connection).add_camera(
            Camera(site_id=SITE_ID, id=camera_id, name=name)
        )
