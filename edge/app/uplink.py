# SPDX-License-Identifier: AGPL-3.0-or-later
"""The way to the centre: outbox, publisher and uploader, and the sink that fills them."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import metadata
from threading import Event
from typing import Final
from uuid import UUID

import structlog

from central.contracts import event as events
from central.contracts.heartbeat import HeartbeatV1
from edge.app.messages import (
    Sender,
    evidence_notice_message,
    passage_message,
    tag_read_message,
    traffic_minute_message,
)
from edge.app.minutes import MinuteCounter
from edge.app.plans import CameraPlan
from edge.app.threads import ThreadGroup
from edge.errors import OutboxError, OutboxFullError
from edge.health.heartbeat import (
    CameraReading,
    DeviceFacts,
    HeartbeatMaker,
    OutboxReading,
    ReaderReading,
)
from edge.outbox.store import Outbox
from edge.outbox.types import LostPicture, OutboxLimits, OutboxSlot
from edge.publish.events import EventPublisher, PublishRules, PublishStatus
from edge.publish.evidence import EvidenceAccess, EvidenceUploader, UploadStatus
from edge.publish.link import BrokerAccess
from edge.publish.live_frames import LiveFrameSender, PictureSource
from edge.settings import EdgeSettings
from edge.stages import EvidencePicture, Passage, TagRead

RETRY_FIRST_S: Final = 1.0
RETRY_LONGEST_S: Final = 30.0
LOOK_EVERY_S: Final = 1.0
"""How often somebody looks whether a minute is over, or a picture was given up."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What comes from outside and differs in tests: time, chance, identities."""

    clock: Callable[[], datetime]
    rng: random.Random
    new_id: Callable[[], UUID]


class Uplink:
    """Stores passages and tag reads, and sends them; owns the publishing threads."""

    def __init__(
        self,
        settings: EdgeSettings,
        *,
        secret: str,
        sender: Sender,
        around: Surroundings,
        cameras: Callable[[], list[CameraReading]],
        readers: Callable[[], list[ReaderReading]] = list,
        live_source: PictureSource | None = None,
        minutes: MinuteCounter | None = None,
    ) -> None:
        """Open the outbox; nothing is sent before ``start``.

        Args:
            settings: The site file.
            secret: The device's secret.
            sender: This device in this life.
            around: Time, chance, identities.
            cameras: Tells the state of the cameras for the heartbeat.
            readers: Tells the state of the tag readers for it.
            minutes: Counts what the cameras see; ``None`` tells no traffic minutes.
            live_source: Gives fresh pictures to who asks at the centre; ``None`` gives none.

        Raises:
            OutboxError: The outbox can't be opened.
        """
        self._settings = settings
        self._sender = sender
        self._around = around
        self._cameras = cameras
        self._readers = readers
        self._minutes = minutes
        self._threads = ThreadGroup()
        self._stopping = Event()
        self._heartbeats = HeartbeatMaker(_facts(settings, sender), new_id=around.new_id)
        self.outbox = Outbox(
            settings.outbox.path,
            limits=OutboxLimits(
                picture_bytes_max=settings.outbox.picture_bytes_max,
                file_bytes_max=settings.outbox.file_bytes_max,
            ),
        )
        self._live_frames = self._make_live_frames(secret, live_source)
        self._publisher = self._make_publisher(secret)
        self._uploader = self._make_uploader(secret)

    @property
    def crash(self) -> Exception | None:
        """What killed a thread; ``None`` while all is well."""
        return self._threads.crash

    def start(self) -> None:
        """Start sending what waits from earlier lives, and what comes."""
        self._threads.start("publish", self._publisher.run, wake=self._publisher.wake)
        if self._uploader is not None:
            self._threads.start("evidence-upload", self._uploader.run, wake=self._uploader.wake)
        if self._live_frames is not None:
            self._threads.start("live-frames", self._live_frames.run)
        self._threads.start("evidence-notices", self._tell_lost)
        if self._minutes is not None:
            self._threads.start("traffic-minutes", partial(self._tell_minutes, self._minutes))

    def expect_stop(self) -> None:
        """The process will stop: whoever waits for room on the disk shall not wait on."""
        self._stopping.set()

    def signal_stop(self) -> None:
        """Tell the sending threads to end, without waiting; passages can still be stored."""
        self._threads.signal_stop()

    def stop(self, *, limit_s: float) -> tuple[str, ...]:
        """Stop sending and close the outbox; returns threads that hang."""
        late = self._threads.stop(limit_s=limit_s)
        self.outbox.close()
        return late

    def take(self, plan: CameraPlan, passage: Passage) -> None:
        """Store a passage; waits while the disk has no room, so that nothing is dropped."""
        event_id = self._around.new_id()
        self._store(
            lambda slot: passage_message(
                passage, plan=plan, sender=self._sender, slot=slot, event_id=event_id
            ),
            passage.evidence,
        )

    def take_tag(self, tag_read: TagRead) -> None:
        """Store a tag read; waits like ``take``."""
        event_id = self._around.new_id()
        self._store(
            lambda slot: tag_read_message(
                tag_read,
                device=self._settings.device,
                sender=self._sender,
                slot=slot,
                event_id=event_id,
            ),
            (),
        )

    def _tell_minutes(self, minutes: MinuteCounter, stop: Event) -> None:
        """Store every minute of every camera once it is over."""
        while not stop.wait(LOOK_EVERY_S):
            for minute in minutes.due(self._cameras(), now=self._around.clock()):
                event_id = self._around.new_id()
                self._store(
                    partial(traffic_minute_message, minute, sender=self._sender, event_id=event_id),
                    (),
                )

    def _tell_lost(self, stop: Event) -> None:
        """Tell the centre of pictures that were given up."""
        while not stop.wait(LOOK_EVERY_S):
            try:
                told = self.outbox.tell_lost(self._notice, now=self._around.clock())
            except OutboxError as error:
                # Whoever stores events says so, too, and ends the process if it must.
                log.error("outbox_unusable", problem=str(error))  # noqa: TRY400 - no bug of ours
                continue
            if told:
                log.warning("evidence_given_up", pictures=told)
                self._publisher.wake()

    def _notice(self, lost: LostPicture, slot: OutboxSlot) -> events.Event:
        return evidence_notice_message(
            lost,
            slot,
            device=self._settings.device,
            sender=self._sender,
            event_id=self._around.new_id(),
        )

    def _store(
        self, make: Callable[[OutboxSlot], events.Event], pictures: Sequence[EvidencePicture]
    ) -> None:
        """Put an event into the outbox and wake those who send it."""
        failures = 0
        while True:
            try:
                self.outbox.put(make, pictures, now=self._around.clock())
            except OutboxFullError as error:
                failures += 1
                self._wait_for_room(error, failures)
            else:
                break
        self._publisher.wake()
        if pictures and self._uploader is not None:
            self._uploader.wake()

    def publish_status(self) -> PublishStatus:
        """How sending events goes."""
        return self._publisher.status()

    def upload_status(self) -> UploadStatus | None:
        """How uploading goes; ``None`` when no api is set."""
        return None if self._uploader is None else self._uploader.status()

    def _wait_for_room(self, error: OutboxFullError, failures: int) -> None:
        """Hold the event in memory; give up only when the process is told to stop."""
        log.error("outbox_full", problem=str(error), failures=failures)
        if self._stopping.is_set():
            log.error("event_lost_at_stop", problem=str(error))
            raise error
        grown = RETRY_FIRST_S * 2.0 ** min(failures - 1, 8)
        self._stopping.wait(min(grown, RETRY_LONGEST_S))

    def _make_publisher(self, secret: str) -> EventPublisher:
        device, broker = self._settings.device, self._settings.broker
        return EventPublisher(
            self.outbox,
            access=BrokerAccess(
                host=broker.host,
                port=broker.port,
                username=device.id,
                secret=secret,
                use_tls=broker.use_tls,
                ca_file=broker.ca_file,
                certificate_file=broker.certificate_file,
                key_file=broker.key_file,
                others=broker.other_addresses,
            ),
            rules=PublishRules(
                province=device.province,
                site_id=device.site_id,
                device_id=device.id,
                boot_id=self._sender.boot_id,
                window=broker.window,
                ack_timeout=broker.ack_timeout,
                late_after=broker.late_after,
                heartbeat_interval=device.heartbeat_interval,
            ),
            heartbeat=self._heartbeat,
            clock=self._around.clock,
            rng=self._around.rng,
            on_command=None if self._live_frames is None else self._live_frames.take,
        )

    def _make_live_frames(
        self, secret: str, source: PictureSource | None
    ) -> LiveFrameSender | None:
        access = self._api_access(secret)
        if access is None or source is None:
            return None
        return LiveFrameSender(access=access, source=source, clock=self._around.clock)

    def _api_access(self, secret: str) -> EvidenceAccess | None:
        api = self._settings.api
        if api is None:
            return None
        return EvidenceAccess(
            url=api.url, ca_file=api.ca_file, device_id=self._settings.device.id, secret=secret
        )

    def _make_uploader(self, secret: str) -> EvidenceUploader | None:
        access = self._api_access(secret)
        if access is None:
            return None
        return EvidenceUploader(
            self.outbox, access=access, clock=self._around.clock, rng=self._around.rng
        )

    def _heartbeat(self) -> HeartbeatV1:
        state = self.outbox.state()
        return self._heartbeats.make(
            outbox=OutboxReading(
                outbox_id=state.outbox_id,
                last_seq=state.last_seq,
                events=state.events,
                oldest_event_at=state.oldest_event_at,
                pictures=state.pictures,
                picture_bytes=state.picture_bytes,
                pictures_dropped=state.pictures_dropped,
            ),
            cameras=self._cameras(),
            readers=self._readers(),
            now=self._around.clock(),
            now_s=time.monotonic(),
        )


def software_version() -> str:
    """Version of the installed distribution."""
    try:
        return metadata.version("luuthong")
    except metadata.PackageNotFoundError:
        return "unknown"


def _facts(settings: EdgeSettings, sender: Sender) -> DeviceFacts:
    return DeviceFacts(
        device_id=sender.device_id,
        site_id=sender.site_id,
        boot_id=sender.boot_id,
        software_version=software_version(),
        clock_source=settings.device.clock_source,
        clock_error_ms=settings.device.clock_error_ms,
        models=sender.models,
        outbox_folder=settings.outbox.path.parent,
        started_s=time.monotonic(),
    )
