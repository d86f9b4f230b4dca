# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the audit log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from central.domain.hash_chain import ChainLink
from central.errors import CentralError

CASE_REFERENCE_LENGTH_MAX: Final = 100
SEALED: Final = "sealed"
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
        client_address: Where the request came from; ``None`` for programs.
    """

    kind: ActorKind
    name: str
    role: str | None = None
    request_id: str | None = None
    client_address: str | None = None

    @classmethod
    def service(cls, name: str) -> Self:
        """A program that works by itself."""
        return cls(kind=ActorKind.SERVICE, name=name)

    @classmethod
    def command(cls, name: str) -> Self:
        """Somebody at the server's command line."""
        return cls(kind=ActorKind.COMMAND, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What of an act is about a person's vehicle, plate or licence, and can be erased.

    Attributes:
        about: Whose key seals it: ``vehicle:`` with an id, ``plate:`` or ``licence:`` with the
            text; made by ``about_vehicle`` and its siblings.
        facts: What only this key opens; may be empty, so that looks are found by the subject.
    """

    about: str = field(repr=False)
    facts: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)


def about_vehicle(vehicle_id: object) -> str:
    """A registered vehicle as the subject of personal facts."""
    return f"vehicle:{vehicle_id}"


def about_plate(text: str) -> str:
    """A plate, or what somebody searched for in its place, as the subject of personal facts."""
    return f"plate:{text}"


def about_licence(number: str) -> str:
    """A driving licence as the subject of personal facts."""
    return f"licence:{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One act.

    Attributes:
        action: What was done, such as ``vehicle_looked_up``.
        subject_kind: Kind of thing that it was done to, such as ``vehicle``.
        subject_id: Its id. Where nothing but a plate names it, ``SEALED``: the log then writes
            the id of the key that seals ``personal``.
        purpose: Why; ``None`` for acts that need no reason.
        case_reference: Number of the case or dossier that the actor named.
        detail: Further facts; no secrets, and nothing that must be erased with a vehicle.
        personal: What must be.
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
    personal: Personal | None = None

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at must be aware")
        if _WORD.fullmatch(self.action) is None or _WORD.fullmatch(self.subject_kind) is None:
            raise ValueError("action and subject_kind are snake_case words")
        if self.subject_id == SEALED and self.personal is None:
            raise ValueError("a sealed subject needs personal facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Somebody's reason to look at personal data, given before the look.

    Attributes:
        case_reference: Number of the case or dossier; ``None`` when there is none.
    """

    actor: Actor
    purpose: Purpose
    case_reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEntry:
    """An act as it stands in the log.

    Attributes:
        id: Its number; numbers grow, and some are never used.
        facts: Personal facts of the act; empty when it has none, or they were erased.
        is_erased: Whether the key of its personal facts was destroyed.
    """

    id: int
    entry: AuditEntry
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    is_erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What to look for in the log; ``None`` restricts nothing."""

    actor: str | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Entries of the log, newest first.

    Attributes:
        next_before: Where the next page begins; ``None`` at the end of the log.
    """

    entries: tuple[RecordedEntry, ...]
    next_before: int | None


class RootsUnreadableError(CentralError):
    """A file of daily roots holds a line that is none of ours.

    Attributes:
        line: From 1; 0 for the file as a whole.
    """

    def __init__(self, *, line: int) -> None:
        super().__init__(f"the file of roots can't be read at line {line}")
        self.line = line


class ChainFault(StrEnum):
    """What is wrong at one place of the chain."""

    ENTRY_CHANGED = "entry_changed"
    ENTRY_MISSING = "entry_missing"
    ENTRY_LATE = "entry_late"
    ENTRY_UNSEALED = "entry_unsealed"
    SEAL_MISSING = "seal_missing"
    LINK_BROKEN = "link_broken"
    HEAD_DIFFERS = "head_differs"
    ROOT_DIFFERS = "root_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProblem:
    """One place where the chain does not hold.

    Attributes:
        position: Place in the chain; ``None`` for an entry that is in no seal.
        entry_id: The entry; ``None`` where only seals are concerned.
    """

    fault: ChainFault
    position: int | None
    entry_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProof:
    """What a walk along the whole chain found.

    Attributes:
        entries: Sealed entries that were looked at.
        head: The chain's end; noted elsewhere, it shows later if the end was cut off.
        waiting: Entries that no seal has yet, as always a few new ones.
        problems: The first problems, in order of their places.
        problem_count: All of them.
    """

    entries: int
    head: ChainLink
    waiting: int
    problems: tuple[ChainProblem, ...]
    problem_count: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed, removed or inserted."""
        return self.problem_count == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """What is known of the chain without walking along it.

    Attributes:
        position: Place of the newest seal; 0 before the first.
        sealed_at: When it was made.
        verified_at: When somebody last walked along the chain; ``None`` for never.
        problem_count: What was found then.
    """

    position: int
    sealed_at: datetime | None
    verified_at: datetime | None
    problem_count: int | None
