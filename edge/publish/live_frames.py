# SPDX-License-Identifier: AGPL-3.0-or-later
"""Answers the centre's wish for a fresh picture of a camera; nothing is kept on the device."""

import queue
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Final

import httpx
import structlog
from pydantic import ValidationError

from central.contracts.command import LiveFrameCommandV1
from edge.publish.evidence import EvidenceAccess, api_client

WAITING_MAX: Final = 4
"""Wishes that may wait; further ones are left to expire at the centre."""

POLL_S: Final = 0.5

log = structlog.get_logger(__name__)

PictureSource = Callable[[str], bytes | None]
"""Gives a fresh JPEG of a camera; ``None`` for an unknown camera or one without a fresh frame."""


class LiveFrameSender:
    """Sends pictures from one thread; the owner calls ``run`` in it."""

    def __init__(
        self, *, access: EvidenceAccess, source: PictureSource, clock: Callable[[], datetime]
    ) -> None:
        self._access = access
        self._source = source
        self._clock = clock
        self._wishes: queue.Queue[LiveFrameCommandV1] = queue.Queue(maxsize=WAITING_MAX)

    def take(self, payload: bytes) -> None:
        """Take a command; runs in the MQTT library's thread, so it only queues."""
        try:
            wish = LiveFrameCommandV1.from_json(payload)
        except ValidationError:
            log.warning("command_ignored", why="unreadable")
            return
        if wish.device_id != self._access.device_id:
            log.warning("command_ignored", why="of_another_device")
            return
        try:
            self._wishes.put_nowait(wish)
        except queue.Full:
            log.warning("command_ignored", why="too_many")

    def run(self, stop: Event) -> None:
        """Answer until told to stop.

        Args:
            stop: Set by the owner.
        """
        with api_client(self._access) as client:
            while not stop.is_set():
                try:
                    wish = self._wishes.get(timeout=POLL_S)
                except queue.Empty:
                    continue
                self._answer(client, wish)

    def _answer(self, client: httpx.Client, wish: LiveFrameCommandV1) -> None:
        if self._clock() >= wish.expires_at:
            return
        jpeg = self._source(wish.camera_id)
        if jpeg is None:
            log.info("live_frame_not_there", camera_id=wish.camera_id)
            return
        try:
            answer = client.put(f"/v1/live-frames/{wish.id}", content=jpeg)
        except httpx.HTTPError as error:
            log.warning("live_frame_not_sent", error=type(error).__name__)
            return
        log.info("live_frame_sent", camera_id=wish.camera_id, status=answer.status_code)
