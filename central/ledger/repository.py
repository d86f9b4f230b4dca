# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.domain.hash_chain import ChainLink
from central.ledger.chain import CHAIN_NAME, Seal
from central.ledger.rows import (
    ChainEndRow,
    ContentsRow,
    EntryRow,
    KeyRow,
    LeftRow,
    SealRow,
    StandingRow,
    StatementRow,
)
from central.ledger.types import (
    AccountKey,
    Entry,
    EntryId,
    LedgerTotals,
    NewEntry,
    StatementLine,
)

QUERIES: Final = QueryFile.beside(__file__)

_CHAIN_LOCK: Final = 0x6C65_6467_6572
"""Number of the advisory lock on the chain: "ledger" in ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """The entry that already has a key."""

    id: EntryId
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known at the moment of booking.

    Attributes:
        known: The entry that already has the key.
        account_ids: Ids of the accounts that are open.
        balances_dong: Balances of the guarded accounts, 0 for those not opened yet.
        sees_commits: Whether every statement sees what others have committed by then; without
            it a balance could be one from before the locks.
    """

    known: KnownEntry | None
    account_ids: Mapping[AccountKey, int]
    balances_dong: Mapping[AccountKey, int]
    sees_commits: bool


class LedgerRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, accounts: Collection[AccountKey]) -> None:
        """Keep others from taking money off these accounts until the transaction ends."""
        if accounts:
            await self._connection.execute(QUERIES["lock_accounts"], _bound(tuple(accounts)))

    async def standing(
        self,
        *,
        idempotency_key: str,
        accounts: Sequence[AccountKey],
        guarded: Collection[AccountKey],
    ) -> Standing:
        """What decides about an entry; its guarded accounts were locked before."""
        async with self._connection.cursor(row_factory=class_row(StandingRow)) as cursor:
            await cursor.execute(
                QUERIES["select_standing"],
                {
                    **_bound(accounts),
                    "guarded": [account in guarded for account in accounts],
                    "idempotency_key": idempotency_key,
                },
            )
            rows = dict(zip(accounts, await cursor.fetchall(), strict=True))
        first = rows[accounts[0]]
        known = None
        if first.known_id is not None and first.known_fingerprint is not None:
            known = KnownEntry(id=EntryId(first.known_id), fingerprint=first.known_fingerprint)
        return Standing(
            known=known,
            account_ids={
                account: row.account_id
                for account, row in rows.items()
                if row.account_id is not None
            },
            balances_dong={account: rows[account].balance_dong for account in guarded},
            sees_commits=first.isolation == "read committed",
        )

    async def open_accounts(self, accounts: Collection[AccountKey], *, now: datetime) -> None:
        """Open the accounts that are not there yet."""
        await self._connection.execute(
            QUERIES["insert_accounts"], {**_bound(tuple(accounts)), "now": now}
        )

    async def account_ids(self, accounts: Sequence[AccountKey]) -> Mapping[AccountKey, int]:
        """Ids of accounts that are open."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_account_ids"], _bound(accounts))
            return dict(zip(accounts, map(int, await cursor.fetchall()), strict=True))

    async def add(
        self,
        new: NewEntry,
        *,
        fingerprint: bytes,
        account_ids: Mapping[AccountKey, int],
        now: datetime,
    ) -> EntryId | None:
        """Write an entry; ``None`` when its key was booked by others at this very moment."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_entry"],
                {
                    "idempotency_key": new.idempotency_key,
                    "kind": new.kind,
                    "occurred_at": new.occurred_at,
                    "now": now,
                    "booked_on": new.booked_on,
                    "corrects_id": new.corrects,
                    "memo": new.memo,
                    "fingerprint": fingerprint,
                    "account_ids": [account_ids[each.account] for each in new.postings],
                    "amounts_dong": [each.amount_dong for each in new.postings],
                },
            )
            number = await cursor.fetchone()
        return None if number is None else EntryId(number)

    async def known(self, idempotency_key: str) -> KnownEntry | None:
        """The entry that has a key."""
        async with self._connection.cursor(row_factory=class_row(KeyRow)) as cursor:
            await cursor.execute(QUERIES["select_key"], {"idempotency_key": idempotency_key})
            row = await cursor.fetchone()
        return KnownEntry(id=EntryId(row.id), fingerprint=row.fingerprint) if row else None

    async def what_is_left(self, entry_id: EntryId) -> Mapping[AccountKey, int]:
        """What is left of an entry's changes after its corrections, in đồng by account."""
        async with self._connection.cursor(row_factory=class_row(LeftRow)) as cursor:
            await cursor.execute(QUERIES["select_what_is_left"], {"entry_id": entry_id})
            return {row.account: row.left_dong for row in await cursor.fetchall()}

    async def balance(self, account: AccountKey) -> int:
        """Sum of everything on an account, in đồng."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["select_balance"], {"kind": account.kind, "reference": account.reference}
            )
            return int(await cursor.fetchone() or 0)

    async def entry(self, entry_id: EntryId) -> Entry | None:
        """One entry with its postings."""
        async with self._connection.cursor(row_factory=class_row(EntryRow)) as cursor:
            await cursor.execute(QUERIES["select_entry"], {"entry_id": entry_id})
            row = await cursor.fetchone()
        return row.value() if row else None

    async def statement(
        self, account: AccountKey, *, before: EntryId | None, limit: int
    ) -> Sequence[StatementLine]:
        """Part of an account's statement, newest first."""
        async with self._connection.cursor(row_factory=class_row(StatementRow)) as cursor:
            await cursor.execute(
                QUERIES["select_statement"],
                {
                    "kind": account.kind,
                    "reference": account.reference,
                    "before": before,
                    "rows_max": limit,
                },
            )
            return [row.value() for row in await cursor.fetchall()]

    async def lock_chain(self) -> ChainLink:
        """Keep others from lengthening the chain; returns where it ends."""
        await self._connection.execute(QUERIES["lock_chain"], {"chain_lock": _CHAIN_LOCK})
        return await self.chain_end()

    async def chain_end(self) -> ChainLink:
        """Where the chain ends."""
        async with self._connection.cursor(row_factory=class_row(ChainEndRow)) as cursor:
            await cursor.execute(QUERIES["select_chain_end"])
            row = await cursor.fetchone()
        if row is None:
            return ChainLink.start(CHAIN_NAME)
        return ChainLink(position=row.position, hash=row.hash)

    async def unsealed(self, *, ids_back: int, limit: int) -> Sequence[ContentsRow]:
        """Entries without a seal, by id."""
        async with self._connection.cursor(row_factory=class_row(ContentsRow)) as cursor:
            await cursor.execute(
                QUERIES["select_unsealed"], {"ids_back": ids_back, "rows_max": limit}
            )
            return await cursor.fetchall()

    async def add_seals(self, seals: Sequence[Seal], *, sealed_on: date, now: datetime) -> None:
        """Lengthen the chain."""
        await self._connection.execute(
            QUERIES["insert_seals"],
            {
                "positions": [seal.link.position for seal in seals],
                "entry_ids": [seal.entry_id for seal in seals],
                "previous_hashes": [seal.previous_hash for seal in seals],
                "link_hashes": [seal.link.hash for seal in seals],
                "sealed_on": sealed_on,
                "now": now,
            },
        )

    async def sealed(self, *, after: int, limit: int) -> Sequence[SealRow]:
        """Part of the chain, in its order."""
        async with self._connection.cursor(row_factory=class_row(SealRow)) as cursor:
            await cursor.execute(QUERIES["select_sealed"], {"after": after, "rows_max": limit})
            return await cursor.fetchall()

    async def totals(self, *, overdue_before: datetime) -> LedgerTotals:
        """What is in the ledger, and what should not be."""
        async with self._connection.cursor(row_factory=class_row(LedgerTotals)) as cursor:
            await cursor.execute(QUERIES["select_totals"], {"overdue_before": overdue_before})
            row = await cursor.fetchone()
        if row is None:
            raise RuntimeError("totals are always one row")
        return row


def _bound(accounts: Sequence[AccountKey]) -> dict[str, list[str]]:
    """Accounts as two arrays of a query."""
    return {
        "kinds": [account.kind.value for account in accounts],
        "account_references": [account.reference for account in accounts],
    }
