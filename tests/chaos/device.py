# SPDX-License-Identifier: AGPL-3.0-or-later
"""A device without a camera: made passages and tag reads go through the edge's own way out.

Outbox, publisher, messages and heartbeats are the product's; only what is seen is made up.
"""

import os
import random
import signal
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from central.contracts.event import ClockSource
from central.contracts.passage import Direction, ModelDigestV1
from deploy.local.ports import LOOPBACK
from edge.app.messages import Sender
from edge.app.plans import plan_from_settings
from edge.app.uplink import Surroundings, Uplink
from edge.settings import CameraMode, CameraSettings, DeviceSettings, EdgeSettings
from edge.stages import Passage, TagRead
from edge.uplink_settings import BrokerSettings, OutboxSettings
from models.runtime.values import VehicleClass
from tests.chaos.breaking.clocks import WrongClock
from tests.chaos.truth import TruthWriter
from tests.unit.edge.makers import box, reading

PROVINCE: Final = "dak-lak"
SITE: Final = "km12"
CAMERA: Final = "cam-1"
READER: Final = "reader-1"
SKEW_MAX: Final = timedelta(minutes=5)
"""What the centre believes by default; a time further ahead goes to quarantine."""
TAG_SHARE: Final = 0.2
LATE_AFTER: Final = timedelta(seconds=30)
ACK_TIMEOUT: Final = timedelta(seconds=1)
"""Shorter than ``USUAL_ACK_TIMEOUT``, so that a run is short."""
USUAL_ACK_TIMEOUT: Final = timedelta(seconds=10)
"""What a device has by default."""
STOP_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What passes a device.

    Attributes:
        rate: Events per second, on average.
        lasts_s: How long, over all lives of the device.
        seed: Chance of what passes when.
        tag_share: Share of tag reads; the rest are passages.
        late_after: What is sent later than this after its capture is marked late by the device.
        ack_timeout: Wait for an acknowledgement before everything is sent again.
    """

    rate: float
    lasts_s: float
    seed: str
    tag_share: float = TAG_SHARE
    late_after: timedelta = LATE_AFTER
    ack_timeout: timedelta = ACK_TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWork:
    """What one life of a device does.

    Attributes:
        folder: Its outbox, clock and truth; kept over its lives.
        broker_port: Where its link to the broker begins.
        other_ports: Where those to the broker's other nodes begin.
        until_s: Monotonic time at which the traffic ends.
        seed: Chance of this life.
    """

    device_id: str
    secret: str
    folder: Path
    broker_port: int
    until_s: float
    traffic: Traffic
    seed: str
    other_ports: tuple[int, ...] = ()

    @property
    def outbox_file(self) -> Path:
        return self.folder / "outbox.sqlite3"

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def truth_file(self) -> Path:
        return self.folder / "truth.jsonl"


def live(work: DeviceWork) -> None:
    """One life of a device: ends when it is told to, or with whoever started it."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    log = os.open(work.folder / "edge.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    with TruthWriter(work.truth_file) as truth:
        device = _Device(work, truth)
        device.run(stop)


class _Device:
    """The product's way out, and chance in place of a camera."""

    def __init__(self, work: DeviceWork, truth: TruthWriter) -> None:
        self._work = work
        self._truth = truth
        self._clock = WrongClock(work.clock_file)
        self._rng = random.Random(work.seed)  # noqa: S311  # replayable on purpose
        self._settings = settings_of(work)
        self._plan = plan_from_settings(
            self._settings.cameras[0], self._settings.device, now=self._clock.now()
        )
        self._next_id = uuid7()
        self._capturing = threading.current_thread()
        self._uplink = Uplink(
            self._settings,
            secret=work.secret,
            sender=Sender(
                device_id=work.device_id,
                site_id=SITE,
                boot_id=uuid7(),
                models=(ModelDigestV1(name="plate-reader", sha256="0" * 64),),
            ),
            around=Surroundings(clock=self._clock.now, rng=self._rng, new_id=self._new_id),
            cameras=list,
        )

    def run(self, stop: threading.Event) -> None:
        """Capture until the traffic ends, then only send, until told to stop."""
        parent = os.getppid()
        self._uplink.start()
        try:
            self._capture(stop)
            self._truth.end()
            while not stop.wait(0.05) and os.getppid() == parent:
                if self._uplink.crash is not None:
                    raise self._uplink.crash
        finally:
            self._uplink.stop(limit_s=STOP_TIMEOUT_S)

    def _capture(self, stop: threading.Event) -> None:
        due_s = time.monotonic()
        while not stop.is_set() and due_s < self._work.until_s:
            due_s += self._rng.expovariate(self._work.traffic.rate)
            if stop.wait(max(0.0, due_s - time.monotonic())):
                return
            self._capture_one()

    def _capture_one(self) -> None:
        at, truly_at = self._clock.now(), datetime.now(UTC)
        self._next_id = uuid7()
        self._truth.begin(self._next_id, is_from_the_future=at - truly_at > SKEW_MAX)
        if self._rng.random() < self._work.traffic.tag_share:
            self._uplink.take_tag(made_tag_read(at, self._rng))
        else:
            self._uplink.take(self._plan, made_passage(at, self._rng))
        self._truth.keep(self._next_id)

    def _new_id(self) -> UUID:
        """The id that the truth knows for what is captured; heartbeats get their own."""
        if threading.current_thread() is self._capturing:
            return self._next_id
        return uuid7()


def settings_of(work: DeviceWork) -> EdgeSettings:
    """The site file that such a device would have."""
    return EdgeSettings(
        device=DeviceSettings(
            id=work.device_id,
            site_id=SITE,
            province=PROVINCE,
            secret_file=work.folder / "secret",
            clock_source=ClockSource.NTP,
            heartbeat_interval=timedelta(seconds=1),
        ),
        broker=BrokerSettings(
            host=LOOPBACK,
            port=work.broker_port,
            others=tuple(f"{LOOPBACK}:{port}" for port in work.other_ports),
            use_tls=False,
            ack_timeout=work.traffic.ack_timeout,
            late_after=work.traffic.late_after,
        ),
        outbox=OutboxSettings(path=work.outbox_file),
        cameras=(CameraSettings(id=CAMERA, mode=CameraMode.GATE, source="rtsp://127.0.0.1/none"),),
    )


def made_passage(at: datetime, rng: random.Random) -> Passage:
    """A passage of a vehicle that does not exist."""
    text = f"{rng.randint(11, 99)}{rng.choice('ABCDEFGHKLMN')}{rng.randint(0, 99_999):05d}"
    return Passage(
        camera_id=CAMERA,
        captured_at=at,
        first_seen_at=at - timedelta(seconds=1),
        last_seen_at=at,
        frame_index=rng.randrange(1_000_000),
        frame_width_px=1920,
        frame_height_px=1080,
        direction=Direction.DOWN,
        vehicle_class=VehicleClass.CAR,
        vehicle_confidence=0.9,
        vehicle_box_px=box(400, 300, 200),
        plate=reading(text),
        plate_box_px=box(400, 350),
        plate_frames=rng.randint(1, 12),
        evidence=(),
    )


def made_tag_read(at: datetime, rng: random.Random) -> TagRead:
    """A tag that does not exist."""
    return TagRead(
        reader_id=READER,
        lane=1,
        epc=f"E2{rng.getrandbits(88):022X}",
        antenna=1,
        rssi_dbm=-50.0,
        reads=rng.randint(1, 20),
        captured_at=at,
        first_seen_at=at - timedelta(milliseconds=300),
        last_seen_at=at,
    )
