# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the ledger. Money is whole đồng."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NewType

EntryId = NewType("EntryId", int)

POSTINGS_MAX: Final = 100
AMOUNT_DONG_MAX: Final = 10**12
"""Largest amount of one posting; far above any toll or top-up, far below what would overflow."""


class AccountKind(StrEnum):
    """What an account stands for.

    Every account's balance grows by positive postings. The money in ``TRAFFIC_ACCOUNT`` and
    ``STATION_REVENUE`` is matched by the negative balance of ``PROVIDER_CLEARING``: what the
    payment providers hold for us.
    """

    TRAFFIC_ACCOUNT = "traffic_account"
    STATION_REVENUE = "station_revenue"
    PROVIDER_CLEARING = "provider_clearing"
    SUSPENSE = "suspense"


class EntryKind(StrEnum):
    """Why money moved."""

    TOP_UP = "top_up"
    TOLL_CHARGE = "toll_charge"
    CORRECTION = "correction"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKey:
    """An account by what it stands for, such as a traffic account's number."""

    kind: AccountKind
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A change of one account's balance; never zero."""

    account: AccountKey
    amount_dong: int

    def __post_init__(self) -> None:
        if self.amount_dong == 0 or abs(self.amount_dong) > AMOUNT_DONG_MAX:
            raise ValueError("a posting's amount is neither zero nor beyond the limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """Money to be moved. The postings sum to zero.

    Attributes:
        idempotency_key: Made from the event that causes it; the same key is booked once.
        occurred_at: When the cause happened.
        booked_on: The day (Vietnam's) to which it belongs.
        corrects: Entry that a correction or refund undoes, wholly or in part.
    """

    idempotency_key: str
    kind: EntryKind
    occurred_at: datetime
    booked_on: date
    postings: tuple[Posting, ...]
    memo: str = ""
    corrects: EntryId | None = None

    def __post_init__(self) -> None:
        if not 2 <= len(self.postings) <= POSTINGS_MAX:  # noqa: PLR2004 - double entry
            raise ValueError("an entry has 2 to 100 postings")
        if sum(posting.amount_dong for posting in self.postings) != 0:
            raise ValueError("an entry's postings sum to zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """An entry that is in the ledger. ``is_repeat`` tells that it was there before."""

    id: EntryId
    is_repeat: bool
