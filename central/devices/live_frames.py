# SPDX-License-Identifier: AGPL-3.0-or-later
"""A fresh picture of a camera for somebody who asks: audited, for their eyes, gone in minutes.

The request is a row; a job sends the command, the device uploads the picture. Nothing is kept
beyond that: whoever needs evidence finds it with the passages.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.audit.service import AuditService
from central.audit.types import AuditEntry, Look
from central.contracts.command import LiveFrameCommandV1
from central.contracts.topics import Stream, Topic
from central.db.deferring import PRIORITY_LIVE, Job, defer_async
from central.db.queries import QueryFile
from central.errors import (
    EvidenceTooLargeError,
    LiveFrameNotFoundError,
    TooManyLiveFramesError,
)
from central.evidence.pictures import shown_copy
from central.identity.permissions import Permission
from central.identity.types import User

QUERIES: Final = QueryFile.beside(__file__)
LIFETIME: Final = timedelta(minutes=3)
"""From asking to forgetting. Longer: slower links can answer, and pictures lie about longer."""

OPEN_MAX: Final = 5
"""Pictures that one user may wait for or look at; this is no video."""

PICTURE_BYTES_MAX: Final = 4_194_304
SEND_TASK: Final = "send_live_frame_command"
ASKED_ACTION: Final = "live_frame_asked"
SUBJECT: Final = "camera"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFrame:
    """A request and, once the device has answered, its picture."""

    id: UUID
    device_id: str
    camera_id: str
    asked_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    picture: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CommandRow:
    id: UUID
    device_id: str
    camera_id: str
    expires_at: datetime
    site_id: str
    province: str


class LiveFrameService:
    """Asking for pictures and getting them, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ask(
        self,
        *,
        frame_id: UUID,
        device_id: str,
        camera_id: str,
        user: User,
        look: Look,
        now: datetime,
    ) -> None:
        """Ask for a picture; the command goes out after the commit.

        Args:
            frame_id: Made by the caller.
            device_id: Device that watches the camera.
            camera_id: Camera of its site.
            user: Who asks; nobody else gets the picture.
            look: Why.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not look at live pictures.
            TooManyLiveFramesError: The user has too many open already.
            LiveFrameNotFoundError: No such camera in the user's scope, or its device is off.
        """
        user.require(Permission.SEE_LIVE_FRAMES)
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["count_live_frames"], {"user_id": user.id, "now": now})
            is_too_many = (await cursor.fetchone() or 0) >= OPEN_MAX
        if is_too_many:
            raise TooManyLiveFramesError
        inserted = await self._connection.execute(
            QUERIES["insert_live_frame"],
            {
                "frame_id": frame_id,
                "device_id": device_id,
                "camera_id": camera_id,
                "user_id": user.id,
                "scope": user.scope.as_list(),
                "now": now,
                "expires_at": now + LIFETIME,
            },
        )
        if inserted.rowcount != 1:
            raise LiveFrameNotFoundError
        await AuditService(self._connection).record(
            AuditEntry(
                occurred_at=now,
                actor=look.actor,
                action=ASKED_ACTION,
                subject_kind=SUBJECT,
                subject_id=f"{device_id}/{camera_id}",
                purpose=look.purpose,
                case_reference=look.case_reference,
            )
        )
        job = Job(task=SEND_TASK, arguments={"frame_id": str(frame_id)}, priority=PRIORITY_LIVE)
        await defer_async(self._connection, job)

    async def look_at(
        self, frame_id: UUID, *, device_id: str, user: User, now: datetime
    ) -> LiveFrame:
        """A request of the user's own, with its picture if it has come.

        Raises:
            PermissionDeniedError: The user may not look at live pictures.
            LiveFrameNotFoundError: It is somebody else's, unknown or expired.
        """
        user.require(Permission.SEE_LIVE_FRAMES)
        async with self._connection.cursor(row_factory=class_row(LiveFrame)) as cursor:
            await cursor.execute(
                QUERIES["select_live_frame"],
                {
                    "frame_id": frame_id,
                    "device_id": device_id,
                    "user_id": user.id,
                    "scope": user.scope.as_list(),
                    "now": now,
                },
            )
            found = await cursor.fetchone()
        if found is None:
            raise LiveFrameNotFoundError
        return found

    async def command(self, frame_id: UUID, *, now: datetime) -> tuple[str, bytes] | None:
        """Topic and message that ask the device; ``None`` when nobody waits any more."""
        async with self._connection.cursor(row_factory=class_row(_CommandRow)) as cursor:
            await cursor.execute(
                QUERIES["select_live_frame_command"], {"frame_id": frame_id, "now": now}
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        topic = Topic(
            province=row.province,
            site_id=row.site_id,
            device_id=row.device_id,
            stream=Stream.COMMAND,
        )
        message = LiveFrameCommandV1(
            id=row.id,
            device_id=row.device_id,
            camera_id=row.camera_id,
            expires_at=row.expires_at,
        )
        return str(topic), message.to_json()

    async def answer(self, frame_id: UUID, *, device_id: str, body: bytes, now: datetime) -> None:
        """Keep the picture that a device was asked for, drawn anew.

        Raises:
            EvidenceTooLargeError: It has more than ``PICTURE_BYTES_MAX`` bytes.
            EvidenceNotAnImageError: It is no whole JPEG.
            LiveFrameNotFoundError: This device was not asked, has answered, or is too late.
        """
        if len(body) > PICTURE_BYTES_MAX:
            raise EvidenceTooLargeError("live", size_bytes_max=PICTURE_BYTES_MAX)
        drawn = shown_copy("live", body)
        if len(drawn) > PICTURE_BYTES_MAX:
            raise EvidenceTooLargeError("live", size_bytes_max=PICTURE_BYTES_MAX)
        updated = await self._connection.execute(
            QUERIES["answer_live_frame"],
            {"frame_id": frame_id, "device_id": device_id, "picture": drawn, "now": now},
        )
        if updated.rowcount != 1:
            raise LiveFrameNotFoundError

    async def forget_expired(self, *, now: datetime) -> int:
        """Delete what has expired; returns how many."""
        return (
            await self._connection.execute(QUERIES["delete_expired_live_frames"], {"now": now})
        ).rowcount
