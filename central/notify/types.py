# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of notices."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

NoticeId = NewType("NoticeId", UUID)

TITLE_LENGTH_MAX: Final = 300
BODY_LENGTH_MAX: Final = 4000
ADDRESS_LENGTH_MAX: Final = 254


class NoticeChannel(StrEnum):
    """How a notice reaches somebody."""

    PAGE = "page"
    EMAIL = "email"


class NoticeState(StrEnum):
    """Where a notice stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """Something that somebody has to be told.

    Attributes:
        subject_kind: What it is about, such as ``dossier``.
        template: Which occasion it is, a word such as ``dossier_received``.
        title: Vietnamese, one line; the subject of the e-mail.
        body: Vietnamese plain text.
        email: Where to send it, too; ``None`` where nobody left an address.
    """

    subject_kind: str
    subject_id: str
    template: str
    title: str
    body: str
    email: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.title) <= TITLE_LENGTH_MAX or not self.title.isprintable():
            raise ValueError(f"a title is one line of 1 to {TITLE_LENGTH_MAX} characters")
        if not 1 <= len(self.body) <= BODY_LENGTH_MAX:
            raise ValueError(f"a body has 1 to {BODY_LENGTH_MAX} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice, and where it stands."""

    id: NoticeId
    subject_kind: str
    subject_id: str
    template: str
    channel: NoticeChannel
    address: str | None
    title: str
    body: str
    state: NoticeState
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    failure: str | None
