# SPDX-License-Identifier: AGPL-3.0-or-later
"""Booking entries, and reading balances and statements."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from psycopg import AsyncConnection

from central.domain.hash_chain import ChainLink
from central.domain.local_time import local_date
from central.ledger.chain import ChainCheck, lengthen
from central.ledger.errors import (
    EntryConflictError,
    EntryNotCorrectableError,
    EntryNotFoundError,
    InsufficientBalanceError,
    OverCorrectionError,
)
from central.ledger.fingerprints import fingerprint
from central.ledger.repository import KnownEntry, LedgerRepository, Standing
from central.ledger.types import (
    STATEMENT_ROWS_MAX,
    AccountKey,
    Booked,
    Entry,
    EntryId,
    LedgerProof,
    NewEntry,
    SealReach,
    StatementPage,
)

STATEMENT_ROWS_DEFAULT: Final = 50
SEAL_ROWS_MAX: Final = 1000
VERIFY_ROWS_MAX: Final = 1000
SEAL_OVERDUE: Final = timedelta(hours=1)
"""An entry that is not sealed by then was hidden from the sealing, or the sealing stands still."""

_IDS_BACK: Final = MappingProxyType({SealReach.RECENT: 10_000, SealReach.EVERYTHING: 2**62})
"""How many ids before the highest sealed one are looked at; a transaction that takes longer than
so many others is found by the look at everything."""


class LedgerService:
    """What can be done with the ledger, in the caller's transaction.

    The transaction must be READ COMMITTED, PostgreSQL's default. A transaction that books several
    entries holds the locks of all of them: book in the order of the accounts, or one at a time.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = LedgerRepository(connection)

    async def open_account(self, account: AccountKey, *, now: datetime) -> None:
        """Open an account if it is not there yet; booking does so by itself, too."""
        await self._rows.open_accounts([account], now=now)

    async def book(self, new: NewEntry, *, now: datetime) -> Booked:
        """Move money, once however often the same entry comes.

        Every refusal comes before anything is written, and the transaction goes on after it.

        Args:
            new: What to book. Accounts that it names are opened when needed.
            now: Aware time of booking.

        Raises:
            EntryConflictError: The key was booked before with other contents.
            InsufficientBalanceError: A traffic account would fall below zero.
            EntryNotFoundError: The entry to be corrected is not there.
            EntryNotCorrectableError: The entry to be corrected is a correction itself.
            OverCorrectionError: More than what is left of the entry would be undone.
        """
        changes = new.changes
        guarded = _guarded(changes)
        # What is left of an entry must not change either between the look and the booking.
        await self._rows.lock(changes if new.corrects is not None else guarded)
        standing = await self._rows.standing(
            idempotency_key=new.idempotency_key, accounts=tuple(changes), guarded=guarded
        )
        if not standing.sees_commits:
            raise RuntimeError("the ledger books in READ COMMITTED transactions only")
        digest = fingerprint(new)
        if standing.known is not None:
            return _repeat(new, standing.known, digest)
        if new.corrects is not None:
            await self._check_correction(new.corrects, changes)
        _check_balances(changes, standing)
        entry_id = await self._rows.add(
            new,
            fingerprint=digest,
            account_ids=await self._opened(standing, changes, now=now),
            now=now,
        )
        if entry_id is not None:
            return Booked(id=entry_id, is_repeat=False)
        known = await self._rows.known(new.idempotency_key)
        if known is None:
            raise RuntimeError("a key is taken and nobody has it")
        return _repeat(new, known, digest)

    async def balance(self, account: AccountKey) -> int:
        """What is on an account, in đồng; 0 when nothing was ever booked there."""
        return await self._rows.balance(account)

    async def entry(self, entry_id: EntryId) -> Entry:
        """One entry.

        Raises:
            EntryNotFoundError: No entry has this id.
        """
        found = await self._rows.entry(entry_id)
        if found is None:
            raise EntryNotFoundError(entry_id)
        return found

    async def statement(
        self,
        account: AccountKey,
        *,
        before: EntryId | None = None,
        limit: int = STATEMENT_ROWS_DEFAULT,
    ) -> StatementPage:
        """What happened on an account, newest first, with the balance after every entry.

        Args:
            account: Whose statement.
            before: Only entries older than this one, as ``next`` of the page before says.
            limit: At most so many lines, and never more than ``STATEMENT_ROWS_MAX``.
        """
        size = max(1, min(limit, STATEMENT_ROWS_MAX))
        lines = await self._rows.statement(account, before=before, limit=size + 1)
        page = tuple(lines[:size])
        return StatementPage(lines=page, next=page[-1].entry_id if len(lines) > size else None)

    async def seal(
        self, *, now: datetime, reach: SealReach = SealReach.RECENT, limit: int = SEAL_ROWS_MAX
    ) -> int:
        """Chain committed entries that are not yet chained; returns how many.

        Args:
            now: Aware time of sealing.
            reach: How far back to look for entries that were committed late.
            limit: At most so many in this transaction.
        """
        end = await self._rows.lock_chain()
        entries = await self._rows.unsealed(ids_back=_IDS_BACK[reach], limit=limit)
        if entries:
            sealed_on = local_date(now)
            seals = lengthen(end, entries, sealed_on=sealed_on, now=now)
            await self._rows.add_seals(seals, sealed_on=sealed_on, now=now)
        return len(entries)

    async def chain_end(self) -> ChainLink:
        """Where the chain ends at present; position 0 while nothing is sealed."""
        return await self._rows.chain_end()

    async def verify(
        self, *, now: datetime, on_progress: Callable[[int, int], None] | None = None
    ) -> LedgerProof:
        """Check the whole ledger; run it in a REPEATABLE READ transaction.

        Args:
            now: Aware time of the check.
            on_progress: Told now and then how many seals were checked, and of how many.
        """
        totals = await self._rows.totals(overdue_before=now - SEAL_OVERDUE)
        check = ChainCheck()
        checked = 0
        while rows := await self._rows.sealed(after=check.end.position, limit=VERIFY_ROWS_MAX):
            for row in rows:
                check.follow(row)
            checked += len(rows)
            if on_progress is not None:
                on_progress(checked, totals.sealed)
        return LedgerProof(
            totals=totals,
            breaks=tuple(check.breaks),
            breaks_count=check.breaks_count,
            chain_position=check.end.position,
            chain_hash=check.end.hash.hex(),
        )

    async def _check_correction(self, entry_id: EntryId, changes: Mapping[AccountKey, int]) -> None:
        """Refuse to undo what is not there, or more than what is left."""
        corrected = await self.entry(entry_id)
        if corrected.kind.undoes:
            raise EntryNotCorrectableError(entry_id)
        left_dong = await self._rows.what_is_left(entry_id)
        for account, asked_dong in changes.items():
            left = left_dong.get(account, 0)
            if not min(-left, 0) <= asked_dong <= max(-left, 0):
                raise OverCorrectionError(
                    entry_id, account=account, left_dong=left, asked_dong=asked_dong
                )

    async def _opened(
        self, standing: Standing, accounts: Collection[AccountKey], *, now: datetime
    ) -> Mapping[AccountKey, int]:
        """Ids of all accounts, opening those that are missing."""
        missing = tuple(each for each in accounts if each not in standing.account_ids)
        if not missing:
            return standing.account_ids
        await self._rows.open_accounts(missing, now=now)
        return {**standing.account_ids, **await self._rows.account_ids(missing)}


def _guarded(changes: Mapping[AccountKey, int]) -> tuple[AccountKey, ...]:
    """Accounts that lose money and may not be overdrawn."""
    return tuple(
        account
        for account, change_dong in changes.items()
        if change_dong < 0 and not account.kind.may_be_overdrawn
    )


def _check_balances(changes: Mapping[AccountKey, int], standing: Standing) -> None:
    """Refuse to overdraw an account."""
    for account, balance_dong in standing.balances_dong.items():
        if balance_dong + changes[account] < 0:
            raise InsufficientBalanceError(
                account=account, balance_dong=balance_dong, needed_dong=-changes[account]
            )


def _repeat(new: NewEntry, known: KnownEntry, digest: bytes) -> Booked:
    """The same entry again, or a conflict."""
    if known.fingerprint != digest:
        raise EntryConflictError(idempotency_key=new.idempotency_key, entry_id=known.id)
    return Booked(id=known.id, is_repeat=True)
