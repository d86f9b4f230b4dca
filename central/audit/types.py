# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the audit log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

CASE_REFERENCE_LENGTH_MAX: Final = 100
_WORD: Final = re.compile(r"[a-z][a-z_]{2,39}")

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


class Purpose(StrEnum):
    """Why somebody looks at a person's data; picked from a list, never typed."""

    TRAFFIC_CONTROL = "traffic_control"
    VIOLATION_CASE = "violation_case"
    DOSSIER = "dossier"
    TOLL_DISPUTE = "toll_dispute"
    CITIZEN_REQUEST = "citizen_request"
    INSPECTION = "inspection"


class ActorKind(StrEnum):
    """Who acts."""

    USER = "user"
    SERVICE = "service"
    COMMAND = "command"


class Outcome(StrEnum):
    """How an act ended."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, as the log names them.

    Attributes:
        name: User name, name of a job or of a command.
        role: Role of a user; ``None`` for programs.
        request_id: Number of the request, which an error page shows, too.
    """

    kind: ActorKind
    name: str
    role: str | None = None
    request_id: str | None = None

    @classmethod
    def service(cls, name: str) -> Self:
        """A program that works by itself."""
        return cls(kind=ActorKind.SERVICE, name=name)

    @classmethod
    def command(cls, name: str) -> Self:
        """Somebody at the server's command line."""
        return cls(kind=ActorKind.COMMAND, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One act.

    Attributes:
        action: What was done, such as ``vehicle_looked_up``.
        subject_kind: Kind of thing that it was done to, such as ``vehicle``.
        subject_id: Its id; a plate only where nothing else names the thing.
        purpose: Why; ``None`` for acts that need no reason.
        case_reference: Number of the case or dossier that the actor named.
        detail: Further facts; no secrets.
    """

    occurred_at: datetime
    actor: Actor
    action: str
    subject_kind: str
    subject_id: str
    outcome: Outcome = Outcome.DONE
    purpose: Purpose | None = None
    case_reference: str | None = None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at must be aware")
        if _WORD.fullmatch(self.action) is None or _WORD.fullmatch(self.subject_kind) is None:
            raise ValueError("action and subject_kind are snake_case words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Somebody's reason to look at personal data, given before the look.

    Attributes:
        case_reference: Number of the case or dossier; ``None`` when there is none.
    """

    actor: Actor
    purpose: Purpose
    case_reference: str | None = None
