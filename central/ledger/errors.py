# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the ledger can refuse. A refusal wrote nothing, and the caller's transaction goes on.

::

    CentralError
    └── LedgerError
        ├── EntryConflictError         the key was booked before with other contents
        ├── InsufficientBalanceError   a traffic account would fall below zero
        ├── EntryNotFoundError         no entry has this id
        ├── EntryNotCorrectableError   it is a correction or refund itself
        └── OverCorrectionError        more than what is left of the entry would be undone
"""

from central.errors import CentralError
from central.ledger.types import AccountKey, EntryId


class LedgerError(CentralError):
    """Something about accounts and entries."""


class EntryConflictError(LedgerError):
    """An entry with this key is in the ledger, and it says something else.

    Attributes:
        entry_id: The entry that is there.
    """

    def __init__(self, *, idempotency_key: str, entry_id: EntryId) -> None:
        super().__init__(f"key {idempotency_key} was booked with other contents: entry {entry_id}")
        self.idempotency_key = idempotency_key
        self.entry_id = entry_id


class InsufficientBalanceError(LedgerError):
    """A traffic account holds less than what is to be taken from it.

    Its number belongs to a person and is kept out of the message.

    Attributes:
        balance_dong: What is on it; never below zero.
        needed_dong: What should have been taken; above ``balance_dong``.
    """

    def __init__(self, *, account: AccountKey, balance_dong: int, needed_dong: int) -> None:
        super().__init__(f"balance of {balance_dong} dong, {needed_dong} dong needed")
        self.account = account
        self.balance_dong = balance_dong
        self.needed_dong = needed_dong


class EntryNotFoundError(LedgerError):
    """No entry has this id."""

    def __init__(self, entry_id: EntryId) -> None:
        super().__init__(f"ledger entry {entry_id} not found")
        self.entry_id = entry_id


class EntryNotCorrectableError(LedgerError):
    """A correction or refund is not corrected itself: what it undid is booked anew."""

    def __init__(self, entry_id: EntryId) -> None:
        super().__init__(f"ledger entry {entry_id} is a correction itself")
        self.entry_id = entry_id


class OverCorrectionError(LedgerError):
    """A correction goes beyond what is left of the entry, or touches another account.

    Attributes:
        left_dong: What earlier corrections left of the entry's change of this account.
        asked_dong: The change that was asked for.
    """

    def __init__(
        self, entry_id: EntryId, *, account: AccountKey, left_dong: int, asked_dong: int
    ) -> None:
        super().__init__(
            f"ledger entry {entry_id} has {left_dong} dong left on an account,"
            f" a correction by {asked_dong} dong was asked for"
        )
        self.entry_id = entry_id
        self.account = account
        self.left_dong = left_dong
        self.asked_dong = asked_dong
