# SPDX-License-Identifier: AGPL-3.0-or-later
"""Uploads evidence pictures to the api; they wait in the outbox until it has them."""

import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from threading import Event, Lock
from typing import Final

import httpx
import structlog

from edge.errors import OutboxError
from edge.publish.backoff import Backoff
from edge.publish.ports import PictureStore, WaitingPicture

UPLOAD_TIMEOUT_S: Final = 10.0
IDLE_WAIT_S: Final = 2.0
RETRY: Final = Backoff(first_s=1.0, longest_s=60.0)
REFUSED_RETRY: Final = Backoff(first_s=15.0, longest_s=300.0)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAccess:
    """Where pictures go and who sends them.

    Attributes:
        url: Address of the api, without user.
        ca_file: Certificates to trust; ``None`` means the system's.
    """

    url: str
    device_id: str
    secret: str = field(repr=False)
    ca_file: Path | None = None


class UploadOutcome(StrEnum):
    """What became of one attempt."""

    STORED = "stored"
    NEVER = "never"
    """The centre will not take this picture, ever: wrong hash, too big, no JPEG."""
    REFUSED = "refused"
    """The centre does not take it from this device as it is set up; someone must act."""
    LATER = "later"
    """The centre can't be reached or has trouble of its own."""


_OUTCOMES: Final[Mapping[int, UploadOutcome]] = {
    HTTPStatus.OK: UploadOutcome.STORED,
    HTTPStatus.CREATED: UploadOutcome.STORED,
    HTTPStatus.NO_CONTENT: UploadOutcome.STORED,
    HTTPStatus.CONFLICT: UploadOutcome.NEVER,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: UploadOutcome.NEVER,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: UploadOutcome.NEVER,
    HTTPStatus.REQUEST_TIMEOUT: UploadOutcome.LATER,
    HTTPStatus.TOO_MANY_REQUESTS: UploadOutcome.LATER,
}


def outcome_of(status_code: int) -> UploadOutcome:
    """What an answer of the api means for the picture."""
    is_ours = httpx.codes.is_client_error(status_code)
    return _OUTCOMES.get(status_code, UploadOutcome.REFUSED if is_ours else UploadOutcome.LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStatus:
    """How uploading goes.

    Attributes:
        uploaded: Pictures that the centre took in this life.
        never_taken: Pictures that it will never take; they were dropped and counted.
        problem: Why the last attempt failed; ``None`` when it did not.
    """

    uploaded: int
    never_taken: int
    problem: str | None


def api_client(access: EvidenceAccess) -> httpx.Client:
    """A client of the centre's api that says who the device is, and sends pictures."""
    verify: ssl.SSLContext | bool = True
    if access.ca_file is not None:
        verify = ssl.create_default_context(cafile=str(access.ca_file))
    return httpx.Client(
        base_url=access.url,
        timeout=UPLOAD_TIMEOUT_S,
        verify=verify,
        follow_redirects=False,
        headers={
            "Authorization": f"Device {access.device_id}:{access.secret}",
            "Content-Type": "image/jpeg",
        },
    )


class EvidenceUploader:
    """Uploads pictures from one thread, oldest first; the owner calls ``run`` in it."""

    def __init__(
        self,
        store: PictureStore,
        *,
        access: EvidenceAccess,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._rng = rng
        self._wake = Event()
        self._lock = Lock()
        self._status = UploadStatus(uploaded=0, never_taken=0, problem=None)

    def wake(self) -> None:
        """There is a new picture, or the end."""
        self._wake.set()

    def status(self) -> UploadStatus:
        """How it goes; may be asked from any thread."""
        with self._lock:
            return self._status

    def run(self, stop: Event) -> None:
        """Upload until told to stop.

        Args:
            stop: Set by the owner, who then calls ``wake``.
        """
        failures = 0
        with api_client(self._access) as client:
            while not stop.is_set():
                self._wake.clear()
                picture = self._next()
                if picture is None:
                    self._wake.wait(IDLE_WAIT_S)
                    continue
                outcome, reason = self._upload(client, picture)
                self._settle(picture, outcome, reason)
                if outcome in {UploadOutcome.STORED, UploadOutcome.NEVER}:
                    failures = 0
                    continue
                failures += 1
                growth = REFUSED_RETRY if outcome is UploadOutcome.REFUSED else RETRY
                stop.wait(growth.wait_s(failures, rng=self._rng))

    def _next(self) -> WaitingPicture | None:
        try:
            return self._store.next_picture(after_number=0)
        except OutboxError as error:
            log.error("outbox_unusable", problem=str(error))  # noqa: TRY400 - no bug of ours
            return None

    def _upload(
        self, client: httpx.Client, picture: WaitingPicture
    ) -> tuple[UploadOutcome, str | None]:
        """One attempt, and why it failed."""
        try:
            response = client.put(f"/v1/evidence/{picture.sha256}", content=picture.jpeg)
        except httpx.HTTPError as error:
            return UploadOutcome.LATER, f"the api can't be reached ({type(error).__name__})"
        outcome = outcome_of(response.status_code)
        if outcome is UploadOutcome.STORED:
            return outcome, None
        return outcome, f"the api answered {response.status_code}"

    def _settle(self, picture: WaitingPicture, outcome: UploadOutcome, reason: str | None) -> None:
        """Write down what became of a picture."""
        try:
            if outcome is UploadOutcome.STORED:
                self._store.forget_uploaded_picture(picture.number)
            elif outcome is UploadOutcome.NEVER:
                self._store.drop_picture(picture.number, now=self._clock())
        except OutboxError as error:
            # The picture stays and is uploaded again, which changes nothing at the centre.
            log.error("outbox_unusable", problem=str(error))  # noqa: TRY400 - no bug of ours
        if outcome is not UploadOutcome.STORED:
            log.warning("evidence_not_uploaded", outcome=outcome.value, reason=reason)
        with self._lock:
            self._status = UploadStatus(
                uploaded=self._status.uploaded + (outcome is UploadOutcome.STORED),
                never_taken=self._status.never_taken + (outcome is UploadOutcome.NEVER),
                problem=reason,
            )
