# SPDX-License-Identifier: AGPL-3.0-or-later
"""What publishing needs of the outbox; the outbox itself fits, and is what tests use too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from central.contracts.topics import Stream


class WaitingEvent(Protocol):
    """An event that the centre has not committed yet."""

    @property
    def seq(self) -> int:
        """Number in its outbox."""

    @property
    def boot_id(self) -> UUID:
        """Process life in which it was made."""

    @property
    def created_at(self) -> datetime:
        """Aware UTC time at which it was stored."""

    @property
    def payload(self) -> bytes:
        """JSON of the message of its stream."""

    @property
    def stream(self) -> Stream:
        """Which topic it goes to."""


class StoreNumbers(Protocol):
    """How far a store has come."""

    @property
    def acknowledged_seq(self) -> int:
        """Everything up to here is committed at the centre."""

    @property
    def last_seq(self) -> int:
        """Highest number given so far."""


class EventStore(Protocol):
    """Events in order of their numbers."""

    @property
    def outbox_id(self) -> UUID:
        """Identity of the store."""

    def numbers(self) -> StoreNumbers:
        """How far the store has come; asked often."""

    def pending(self, *, after_seq: int, limit: int) -> Sequence[WaitingEvent]:
        """Events with a higher number, lowest first, at most ``limit``."""

    def acknowledge(self, *, outbox_id: UUID, up_to_seq: int) -> int:
        """Forget committed events; returns how many were forgotten."""


class WaitingPicture(Protocol):
    """A picture that has not been uploaded yet."""

    @property
    def number(self) -> int:
        """Grows in order of arrival."""

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes."""

    @property
    def jpeg(self) -> bytes:
        """The picture."""


class PictureStore(Protocol):
    """Pictures in order of arrival."""

    def next_picture(self, *, after_number: int) -> WaitingPicture | None:
        """The oldest picture with a higher number."""

    def forget_uploaded_picture(self, number: int) -> None:
        """The centre has it."""

    def drop_picture(self, number: int, *, now: datetime) -> None:
        """The centre will never take it; counted and noted."""
