# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the ledger. Money is whole đồng."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NewType

EntryId = NewType("EntryId", int)

POSTINGS_MAX: Final = 100
AMOUNT_DONG_MAX: Final = 10**12
"""Largest amount of one posting; far above any toll or top-up, far below what would overflow."""

MEMO_LENGTH_MAX: Final = 300
STATEMENT_ROWS_MAX: Final = 200
BREAKS_MAX: Final = 100
"""Most places of a broken chain that a proof names; all are counted."""

_REFERENCE: Final = re.compile(r"\S.{0,59}")
_IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{1,120}")


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

    @property
    def may_be_overdrawn(self) -> bool:
        """Whether the balance may fall below zero."""
        return self is not AccountKind.TRAFFIC_ACCOUNT


class EntryKind(StrEnum):
    """Why money moved."""

    TOP_UP = "top_up"
    TOLL_CHARGE = "toll_charge"
    CORRECTION = "correction"
    REFUND = "refund"

    @property
    def undoes(self) -> bool:
        """Whether such an entry undoes an earlier one."""
        return self in {EntryKind.CORRECTION, EntryKind.REFUND}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKey:
    """An account by what it stands for, such as a traffic account's number."""

    kind: AccountKind
    reference: str

    def __post_init__(self) -> None:
        if _REFERENCE.fullmatch(self.reference) is None:
            raise ValueError("an account's reference has 1 to 60 characters")


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
        if _IDEMPOTENCY_KEY.fullmatch(self.idempotency_key) is None:
            raise ValueError("a key has 1 to 120 visible ASCII characters")
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at must be aware")
        if len(self.memo) > MEMO_LENGTH_MAX:
            raise ValueError("the memo is too long")
        if self.kind.undoes is (self.corrects is None):
            raise ValueError("a correction or refund names the entry it undoes, and nothing else")

    @property
    def changes(self) -> Mapping[AccountKey, int]:
        """By how much the entry changes every account that it touches, in đồng."""
        sums: dict[AccountKey, int] = {}
        for posting in self.postings:
            sums[posting.account] = sums.get(posting.account, 0) + posting.amount_dong
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """An entry that is in the ledger. ``is_repeat`` tells that it was there before."""

    id: EntryId
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as it stands in the ledger.

    Attributes:
        recorded_at: When it was booked.
        booked_on: The day (Vietnam's) to which it belongs.
        corrects: Entry that this one undoes, wholly or in part.
        postings: In the order in which they were given.
    """

    id: EntryId
    idempotency_key: str
    kind: EntryKind
    occurred_at: datetime
    recorded_at: datetime
    booked_on: date
    corrects: EntryId | None
    memo: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """What one entry did to an account.

    Attributes:
        amount_dong: Change by the whole entry.
        balance_dong: Balance of the account after it.
    """

    entry_id: EntryId
    kind: EntryKind
    occurred_at: datetime
    booked_on: date
    memo: str
    corrects: EntryId | None
    amount_dong: int
    balance_dong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """Part of a statement, newest first. ``next`` is ``None`` on the last page."""

    lines: tuple[StatementLine, ...]
    next: EntryId | None


class SealReach(StrEnum):
    """How far back the sealing looks for entries that were committed late."""

    RECENT = "recent"
    EVERYTHING = "everything"


class ChainFault(StrEnum):
    """What is wrong at a place of the chain."""

    CHANGED = "changed"
    """The entry, or its seal, says something else than when it was sealed."""
    ENTRY_MISSING = "entry_missing"
    """The entry is gone."""
    SEAL_MISSING = "seal_missing"
    """Seals are missing before this one."""
    NOT_LINKED = "not_linked"
    """The seal does not follow the one before it: something was inserted or replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBreak:
    """A place where the chain does not hold."""

    position: int
    entry_id: EntryId
    fault: ChainFault


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTotals:
    """What is in the ledger, and counts of what must not be.

    Attributes:
        total_dong: Sum of all postings; 0 in a sound ledger.
        unbalanced: Entries whose postings do not sum to zero, or that have fewer than two.
        overdrawn: Traffic accounts below zero.
        overcorrected: Entries of which more was undone than there was.
        unsealed: Entries not yet sealed.
        overdue: Those of them that should have been long ago.
    """

    accounts: int
    entries: int
    postings: int
    total_dong: int
    unbalanced: int
    overdrawn: int
    overcorrected: int
    sealed: int
    unsealed: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerProof:
    """What a check of the whole ledger found.

    Attributes:
        breaks: Places where the chain does not hold, at most ``BREAKS_MAX``.
        breaks_count: How many there are.
        chain_position: Last seal; 0 while there is none.
        chain_hash: Its hash in hex; with it a later proof shows that nothing before was changed.
    """

    totals: LedgerTotals
    breaks: tuple[ChainBreak, ...]
    breaks_count: int
    chain_position: int
    chain_hash: str

    @property
    def is_sound(self) -> bool:
        """Whether everything holds that must."""
        totals = self.totals
        return not (
            totals.total_dong
            or totals.unbalanced
            or totals.overdrawn
            or totals.overcorrected
            or totals.overdue
            or self.breaks_count
        )
