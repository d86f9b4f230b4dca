# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of data protection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

APPLICANT_LENGTH_MAX: Final = 200
TEXT_LENGTH_MAX: Final = 2000
REASON_LENGTH_MAX: Final = 1000


class RuleName(StrEnum):
    """What may be unusual about somebody's looks."""

    VOLUME_OWN = "volume_own"
    VOLUME_ROLE = "volume_role"
    OUTSIDE_HOURS = "outside_hours"
    RELATIVE = "relative"
    NO_CASE = "no_case"


PARAMETERS: Final[Mapping[RuleName, Mapping[str, tuple[int, int]]]] = MappingProxyType(
    {
        RuleName.VOLUME_OWN: {"times": (2, 100), "at_least": (1, 10_000)},
        RuleName.VOLUME_ROLE: {"times": (2, 100), "at_least": (1, 10_000)},
        RuleName.OUTSIDE_HOURS: {
            "from_hour": (0, 23),
            "until_hour": (0, 23),
            "at_least": (1, 10_000),
        },
        RuleName.RELATIVE: {"at_least": (1, 100)},
        RuleName.NO_CASE: {"at_least": (2, 1000), "days": (1, 31)},
    }
)
"""Numbers of each rule with the least and the greatest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as the officer set it.

    Attributes:
        parameters: Its numbers by name.
        changed_by: ``None`` while it is as it was delivered.
    """

    name: RuleName
    is_enabled: bool
    parameters: Mapping[str, int]
    version: int
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfLooks:
    """How much one official looked at on one day.

    Attributes:
        role: Role at that time; ``None`` where the log has none.
        outside: How many of the looks lie outside the hours of the rule.
    """

    username: str
    role: str | None
    day: date
    looks: int
    outside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """Something that a rule finds.

    Attributes:
        key_id: Stands for the vehicle in the log; ``None`` when the rule is about no single one.
        usual: What was compared with; ``None`` for rules without a comparison.
    """

    rule: RuleName
    username: str
    day: date
    looks: int
    key_id: UUID | None = None
    usual: Decimal | None = None


class FindingState(StrEnum):
    """What the officer says about a finding."""

    OPEN = "open"
    EXPLAINED = "explained"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding as it is kept."""

    id: int
    rule: RuleName
    username: str
    day: date
    key_id: UUID | None
    looks: int
    usual: Decimal | None
    state: FindingState
    found_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLook:
    """One look at a vehicle, as the log has it."""

    id: int
    occurred_at: datetime
    actor: str
    actor_role: str | None
    action: str
    purpose: str | None
    case_reference: str | None
    client_address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A plate of an official's relative, of which nobody can read which one it is."""

    id: int
    username: str
    added_by: str
    added_at: datetime


class RequestKind(StrEnum):
    """What a citizen may ask."""

    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"
    RESTRICTION = "restriction"


class RequestState(StrEnum):
    """How far a request is."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    REFUSED = "refused"

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is done about it."""
        return self in {RequestState.DONE, RequestState.REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """What a citizen asks, as it was taken in.

    Attributes:
        plate: Of the vehicle that it is about.
        contact: Where the answer goes; may be empty.
    """

    kind: RequestKind
    applicant: str
    contact: str
    statement: str
    plate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """A request as it is kept.

    Attributes:
        acknowledge_by: Last day on which its receipt is confirmed in time.
        due_on: Last day on which it is answered in time.
    """

    code: str
    kind: RequestKind
    state: RequestState
    applicant: str
    contact: str
    statement: str
    vehicle_id: UUID
    received_at: datetime
    received_by: str
    acknowledge_by: date
    due_on: date
    calendar_version: int
    legal_reference: str
    acknowledged_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedKey:
    """A key that is no more, and how it is known for ever."""

    id: UUID
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure did.

    Attributes:
        passages: Passages that no longer have a plate.
        pictures: Pictures that the erasing job takes within the hour.
        kept: Passages that other law keeps: of toll crossings, and of alerts.
        keys: Keys that were destroyed.
    """

    passages: int
    pictures: int
    kept: int
    keys: tuple[DestroyedKey, ...]
