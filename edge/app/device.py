# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole device: cameras, tag readers and the way to the centre, from start to a tidy stop."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from edge.app.analysis import Models, open_models
from edge.app.engine import Engine, PassageSink
from edge.app.messages import Sender
from edge.app.minutes import MinuteCounter
from edge.app.plans import CameraPlan
from edge.app.readers import Readers
from edge.app.uplink import Surroundings, Uplink
from edge.evidence.pictures import live_jpeg
from edge.health.heartbeat import CameraReading, ReaderReading
from edge.settings import EdgeSettings, ReaderSettings, read_secret
from edge.stages import Passage, TagRead
from models.runtime.values import Backend

ENGINE_STOP_LIMIT_S: Final = 7.0
STOP_LIMIT_S: Final = 9.5
"""A device must stop within ten seconds; cameras get the first of them."""

LIVE_FRAME_AGE_MAX_S: Final = 10.0
"""An older frame is no picture of now. Higher: slow cameras answer, with older pictures."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Which weights are loaded how often."""

    backend: Backend
    folder: Path | None
    workers: int


class Device:
    """Cameras and tag readers, and unless it works offline, the way to the centre."""

    def __init__(
        self,
        plans: Sequence[CameraPlan],
        *,
        choice: ModelChoice,
        settings: EdgeSettings | None,
        around: Surroundings,
        boot_id: UUID,
        readers: Sequence[ReaderSettings] = (),
        also: PassageSink | None = None,
    ) -> None:
        """Load models and open the outbox; nothing runs before ``start``.

        Args:
            plans: Cameras; may be none.
            choice: Models.
            settings: The site file; ``None`` works offline.
            around: Time, chance, identities.
            boot_id: This life of the process.
            readers: Tag readers; may be none.
            also: Gets every passage too, after it was stored.

        Raises:
            EdgeError: The secret or the outbox can't be used.
            ModelsError: A model is missing or changed, or no library runs it.
        """
        secret = None if settings is None else read_secret(settings.device.secret_file)
        models = _load(plans, choice)
        self._also = also
        self.uplink: Uplink | None = None
        self._minutes: MinuteCounter | None = None
        if settings is not None and settings.device.traffic_minutes:
            self._minutes = MinuteCounter(plans, now=around.clock())
        if settings is not None and secret is not None:
            self.uplink = Uplink(
                settings,
                secret=secret,
                sender=Sender(
                    device_id=settings.device.id,
                    site_id=settings.device.site_id,
                    boot_id=boot_id,
                    models=models[0].digests if models else (),
                ),
                around=around,
                cameras=self._camera_readings,
                readers=self._reader_readings,
                live_source=self._live_picture,
                minutes=self._minutes,
            )
        self.engine = Engine(
            plans, models=models, sink=self._take, clock=around.clock, rng=around.rng
        )
        self.readers = Readers(readers, sink=self._take_tag, clock=around.clock, rng=around.rng)

    @property
    def crash(self) -> Exception | None:
        """What killed a thread; ``None`` while all is well."""
        uplink_crash = None if self.uplink is None else self.uplink.crash
        return self.engine.crash or self.readers.crash or uplink_crash

    def start(self) -> None:
        """Start sending what waits, then the readers and cameras."""
        if self.uplink is not None:
            self.uplink.start()
        self.readers.start()
        self.engine.start()
        log.info("device_started", cameras=len(self.engine.cameras), readers=self.readers.count)

    def stop_looking(self) -> None:
        """Stop cameras and readers; vehicles in view become passages, tags become tag reads."""
        if self.uplink is not None:
            self.uplink.expect_stop()
        deadline_s = time.monotonic() + ENGINE_STOP_LIMIT_S
        self.readers.signal_stop()
        self.engine.stop(limit_s=ENGINE_STOP_LIMIT_S)
        self.readers.stop(limit_s=deadline_s - time.monotonic())

    def stop(self) -> None:
        """Stop everything; what is not acknowledged stays in the outbox."""
        deadline_s = time.monotonic() + STOP_LIMIT_S
        if self.uplink is not None:
            self.uplink.signal_stop()
        self.stop_looking()
        if self.uplink is not None:
            self.uplink.stop(limit_s=deadline_s - time.monotonic())
        log.info("device_stopped")

    def _take(self, plan: CameraPlan, passage: Passage) -> None:
        if self.uplink is not None:
            self.uplink.take(plan, passage)
        if self._minutes is not None:
            self._minutes.add(passage)
        if self._also is not None:
            self._also(plan, passage)

    def _take_tag(self, tag_read: TagRead) -> None:
        if self.uplink is not None:
            self.uplink.take_tag(tag_read)

    def _reader_readings(self) -> list[ReaderReading]:
        return self.readers.readings()

    def _live_picture(self, camera_id: str) -> bytes | None:
        frame = self.engine.newest_frame(camera_id, max_age_s=LIVE_FRAME_AGE_MAX_S)
        return None if frame is None else live_jpeg(frame.image)

    def _camera_readings(self) -> list[CameraReading]:
        return self.engine.camera_readings()


def _load(plans: Sequence[CameraPlan], choice: ModelChoice) -> list[Models]:
    """One set of models per analysing thread; never more threads than cameras."""
    if not plans:
        return []
    return open_models(
        backend=choice.backend,
        folder=choice.folder,
        modes=[plan.mode for plan in plans],
        workers=max(1, min(choice.workers, len(plans))),
    )
