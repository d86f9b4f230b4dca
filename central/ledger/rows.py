# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the ledger as the database returns them, and how they become values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from central.domain.hash_chain import ChainValue
from central.ledger.types import (
    AccountKey,
    AccountKind,
    Entry,
    EntryId,
    EntryKind,
    Posting,
    StatementLine,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRow:
    """A row of ``select_standing``; ``account_id`` is ``None`` for an account not yet opened."""

    known_id: int | None
    known_fingerprint: bytes | None
    isolation: str
    account_id: int | None
    balance_dong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """The entry that has a key."""

    id: int
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftRow:
    """A row of ``select_what_is_left``."""

    kind: str
    reference: str
    left_dong: int

    @property
    def account(self) -> AccountKey:
        """The account that was changed."""
        return AccountKey(kind=AccountKind(self.kind), reference=self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """A row of ``select_entry``."""

    id: int
    idempotency_key: str
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    booked_on: date
    corrects_id: int | None
    memo: str
    account_kinds: Sequence[str]
    account_references: Sequence[str]
    amounts_dong: Sequence[int]

    def value(self) -> Entry:
        """The value."""
        return Entry(
            id=EntryId(self.id),
            idempotency_key=self.idempotency_key,
            kind=EntryKind(self.kind),
            occurred_at=self.occurred_at,
            recorded_at=self.recorded_at,
            booked_on=self.booked_on,
            corrects=entry_id_or_none(self.corrects_id),
            memo=self.memo,
            postings=tuple(
                Posting(
                    account=AccountKey(kind=AccountKind(kind), reference=reference),
                    amount_dong=amount_dong,
                )
                for kind, reference, amount_dong in zip(
                    self.account_kinds, self.account_references, self.amounts_dong, strict=True
                )
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A row of ``select_statement``."""

    entry_id: int
    kind: str
    occurred_at: datetime
    booked_on: date
    memo: str
    corrects_id: int | None
    amount_dong: int
    balance_dong: int

    def value(self) -> StatementLine:
        """The value."""
        return StatementLine(
            entry_id=EntryId(self.entry_id),
            kind=EntryKind(self.kind),
            occurred_at=self.occurred_at,
            booked_on=self.booked_on,
            memo=self.memo,
            corrects=entry_id_or_none(self.corrects_id),
            amount_dong=self.amount_dong,
            balance_dong=self.balance_dong,
        )


def entry_id_or_none(number: int | None) -> EntryId | None:
    """A column that may be NULL, as an entry's id."""
    return None if number is None else EntryId(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEndRow:
    """The last seal."""

    position: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentsRow:
    """Everything of an entry that its seal proves; the postings are ``None`` where none are."""

    id: int
    idempotency_key: str
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    booked_on: date
    corrects_id: int | None
    memo: str
    fingerprint: bytes
    account_kinds: Sequence[str | None] | None
    account_references: Sequence[str | None] | None
    amounts_dong: Sequence[int | None] | None

    def chained(self, *, sealed_on: date, sealed_at: datetime) -> Mapping[str, ChainValue]:
        """The entry as a row of the chain. For ever: old seals are proved with it."""
        return {
            "id": self.id,
            "idempotency_key": self.idempotency_key,
            "kind": self.kind,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "booked_on": self.booked_on,
            "corrects_id": self.corrects_id,
            "memo": self.memo,
            "fingerprint": self.fingerprint,
            "account_kinds": self.account_kinds,
            "account_references": self.account_references,
            "amounts_dong": self.amounts_dong,
            "sealed_on": sealed_on,
            "sealed_at": sealed_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRow:
    """A row of ``select_sealed``; the entry's columns are ``None`` when it is gone."""

    position: int
    entry_id: int
    sealed_on: date
    sealed_at: datetime
    previous_hash: bytes
    hash: bytes
    idempotency_key: str | None
    kind: str | None
    occurred_at: datetime | None
    recorded_at: datetime | None
    booked_on: date | None
    corrects_id: int | None
    memo: str | None
    fingerprint: bytes | None
    account_kinds: Sequence[str | None] | None
    account_references: Sequence[str | None] | None
    amounts_dong: Sequence[int | None] | None

    @property
    def contents(self) -> ContentsRow | None:
        """What the seal is about; ``None`` when the entry is gone."""
        if (
            self.idempotency_key is None
            or self.kind is None
            or self.occurred_at is None
            or self.recorded_at is None
            or self.booked_on is None
            or self.memo is None
            or self.fingerprint is None
        ):
            return None
        return ContentsRow(
            id=self.entry_id,
            idempotency_key=self.idempotency_key,
            kind=self.kind,
            occurred_at=self.occurred_at,
            recorded_at=self.recorded_at,
            booked_on=self.booked_on,
            corrects_id=self.corrects_id,
            memo=self.memo,
            fingerprint=self.fingerprint,
            account_kinds=self.account_kinds,
            account_references=self.account_references,
            amounts_dong=self.amounts_dong,
        )
