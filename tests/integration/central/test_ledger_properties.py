# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever happens to the ledger, in whatever order and at once: its invariants hold.

Operations drawn by hypothesis run on several connections of a real database. With one worker the
outcome of each is predicted by a model; with several, what was committed must explain itself.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.db.pool import connection_info
from central.ledger.errors import (
    EntryConflictError,
    EntryNotCorrectableError,
    InsufficientBalanceError,
    LedgerError,
    OverCorrectionError,
)
from central.ledger.service import LedgerService
from central.ledger.types import AccountKey, AccountKind, EntryId, EntryKind, NewEntry, Posting

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
WORKERS_MAX = 5
ACCOUNTS = 2
KEYS = 8
EXAMPLES = 150


class Outcome(StrEnum):
    BOOKED = "booked"
    REPEATED = "repeated"
    CONFLICT = "conflict"
    TOO_LITTLE = "too_little"
    TOO_MUCH_UNDONE = "too_much_undone"
    NOT_CORRECTABLE = "not_correctable"
    NOTHING_TO_CORRECT = "nothing_to_correct"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that somebody asks of the ledger.

    ``corrects`` is the number of another key, for corrections only.
    """

    key: int
    kind: EntryKind
    account: int
    amount_dong: int
    corrects: int | None = None
    is_rolled_back: bool = False


amounts = st.integers(1, 5)
movements = st.builds(
    Operation,
    key=st.integers(0, KEYS - 1),
    kind=st.sampled_from([EntryKind.TOP_UP, EntryKind.TOLL_CHARGE, EntryKind.TOLL_CHARGE]),
    account=st.integers(0, ACCOUNTS - 1),
    amount_dong=amounts,
    is_rolled_back=st.sampled_from([False] * 9 + [True]),
)
corrections = st.builds(
    Operation,
    key=st.integers(KEYS, 2 * KEYS - 1),
    kind=st.just(EntryKind.CORRECTION),
    account=st.integers(0, ACCOUNTS - 1),
    amount_dong=amounts,
    corrects=st.integers(0, 2 * KEYS - 1),
)
operations = st.lists(movements | movements | corrections, min_size=1, max_size=25)


@dataclass(kw_only=True)
class World:
    """Accounts and keys of one example; no other example has them."""

    prefix: str = field(default_factory=lambda: uuid4().hex[:12])
    entry_ids: dict[int, EntryId] = field(default_factory=dict)
    committed: list[Operation] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def account(self, number: int) -> AccountKey:
        return AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference=f"{self.prefix}-{number}")

    @property
    def revenue(self) -> AccountKey:
        return AccountKey(kind=AccountKind.STATION_REVENUE, reference=self.prefix)

    @property
    def clearing(self) -> AccountKey:
        return AccountKey(kind=AccountKind.PROVIDER_CLEARING, reference=self.prefix)

    def entry(self, operation: Operation, corrects: EntryId | None) -> NewEntry:
        sides = {
            EntryKind.TOP_UP: (self.clearing, self.account(operation.account)),
            EntryKind.TOLL_CHARGE: (self.account(operation.account), self.revenue),
            # Gives back what a charge took; of a top-up it is more than there was.
            EntryKind.CORRECTION: (self.revenue, self.account(operation.account)),
        }
        source, target = sides[operation.kind]
        return NewEntry(
            idempotency_key=f"{self.prefix}:{operation.key}",
            kind=operation.kind,
            occurred_at=NOW,
            booked_on=TODAY,
            postings=(
                Posting(account=source, amount_dong=-operation.amount_dong),
                Posting(account=target, amount_dong=operation.amount_dong),
            ),
            corrects=corrects,
        )


@dataclass(kw_only=True)
class Model:
    """The ledger in a few lines, for one worker."""

    booked: dict[int, Operation] = field(default_factory=dict)
    balances_dong: Counter[int] = field(default_factory=Counter)
    undone_dong: Counter[int] = field(default_factory=Counter)

    def expect(self, operation: Operation) -> Outcome:
        """What must come of an operation; keeps its effect."""
        corrected = None if operation.corrects is None else self.booked.get(operation.corrects)
        if operation.corrects is not None and corrected is None:
            return Outcome.NOTHING_TO_CORRECT
        known = self.booked.get(operation.key)
        if known is not None:
            return Outcome.REPEATED if _same(known, operation) else Outcome.CONFLICT
        refusal = self._refusal(operation, corrected)
        if refusal is not None:
            return refusal
        if operation.is_rolled_back:
            return Outcome.ROLLED_BACK
        self.booked[operation.key] = operation
        is_charge = operation.kind is EntryKind.TOLL_CHARGE
        self.balances_dong[operation.account] += operation.amount_dong * (-1 if is_charge else 1)
        if operation.corrects is not None:
            self.undone_dong[operation.corrects] += operation.amount_dong
        return Outcome.BOOKED

    def _refusal(self, operation: Operation, corrected: Operation | None) -> Outcome | None:
        if corrected is not None and operation.corrects is not None:
            if corrected.kind is EntryKind.CORRECTION:
                return Outcome.NOT_CORRECTABLE
            left_dong = corrected.amount_dong - self.undone_dong[operation.corrects]
            is_possible = (
                corrected.kind is EntryKind.TOLL_CHARGE
                and corrected.account == operation.account
                and operation.amount_dong <= left_dong
            )
            return None if is_possible else Outcome.TOO_MUCH_UNDONE
        is_charge = operation.kind is EntryKind.TOLL_CHARGE
        if is_charge and self.balances_dong[operation.account] < operation.amount_dong:
            return Outcome.TOO_LITTLE
        return None


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture
def connections(
    runner: asyncio.Runner, database_url: str
) -> Iterator[Sequence[psycopg.AsyncConnection]]:
    """Connections that stay open for all examples."""
    info = connection_info(database_url)

    async def opened() -> list[psycopg.AsyncConnection]:
        return [await psycopg.AsyncConnection.connect(info) for _ in range(WORKERS_MAX)]

    async def close(connections: Sequence[psycopg.AsyncConnection]) -> None:
        for each in connections:
            await each.close()

    made = runner.run(opened())
    yield made
    runner.run(close(made))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(wanted=operations)
def test_one_after_the_other_the_ledger_does_what_the_model_says(
    runner: asyncio.Runner,
    connections: Sequence[psycopg.AsyncConnection],
    wanted: list[Operation],
) -> None:
    world, model = World(), Model()

    runner.run(_work(connections[0], world, wanted))

    assert world.outcomes == [model.expect(operation) for operation in wanted]
    for number in range(ACCOUNTS):
        balance = runner.run(LedgerService(connections[0]).balance(world.account(number)))
        assert balance == model.balances_dong[number]
    runner.run(_check(connections[0], world))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(shares=st.lists(operations, min_size=2, max_size=WORKERS_MAX))
def test_at_the_same_time_the_ledger_keeps_its_invariants(
    runner: asyncio.Runner,
    connections: Sequence[psycopg.AsyncConnection],
    shares: list[list[Operation]],
) -> None:
    world = World()

    async def together() -> None:
        # Money to begin with, so that not every charge is refused.
        start = [
            Operation(key=100 + number, kind=EntryKind.TOP_UP, account=number, amount_dong=10)
            for number in range(ACCOUNTS)
        ]
        await _work(connections[0], world, start)
        await asyncio.gather(
            *(
                _work(connection, world, share)
                for connection, share in zip(connections, shares, strict=False)
            )
        )

    runner.run(together())

    runner.run(_check(connections[0], world))


async def _work(
    connection: psycopg.AsyncConnection, world: World, share: Sequence[Operation]
) -> None:
    """Carry operations out, each in a transaction of its own."""
    for operation in share:
        outcome = await _carry_out(connection, world, operation)
        world.outcomes.append(outcome)


async def _carry_out(
    connection: psycopg.AsyncConnection, world: World, operation: Operation
) -> Outcome:
    corrects = None
    if operation.corrects is not None:
        corrects = world.entry_ids.get(operation.corrects)
        if corrects is None:
            return Outcome.NOTHING_TO_CORRECT
    refusals: dict[type[LedgerError], Outcome] = {
        EntryConflictError: Outcome.CONFLICT,
        InsufficientBalanceError: Outcome.TOO_LITTLE,
        OverCorrectionError: Outcome.TOO_MUCH_UNDONE,
        EntryNotCorrectableError: Outcome.NOT_CORRECTABLE,
    }
    try:
        booked = await LedgerService(connection).book(world.entry(operation, corrects), now=NOW)
    except LedgerError as error:
        # Committed all the same: a refusal must have written nothing.
        await connection.commit()
        return refusals[type(error)]
    if booked.is_repeat:
        assert world.entry_ids.setdefault(operation.key, booked.id) == booked.id
        await connection.commit()
        return Outcome.REPEATED
    if operation.is_rolled_back:
        await connection.rollback()
        return Outcome.ROLLED_BACK
    await connection.commit()
    assert world.entry_ids.setdefault(operation.key, booked.id) == booked.id
    world.committed.append(operation)
    return Outcome.BOOKED


async def _check(connection: psycopg.AsyncConnection, world: World) -> None:
    """What must be true of everything, and of this example's part of it."""
    proof = await LedgerService(connection).verify(now=NOW)
    assert proof.is_sound
    cursor = await connection.execute(
        "SELECT idempotency_key FROM ledger_entry WHERE idempotency_key LIKE %s",
        [f"{world.prefix}:%"],
    )
    stored = Counter(key for (key,) in await cursor.fetchall())
    assert stored == Counter(f"{world.prefix}:{each.key}" for each in world.committed)
    assert set(stored.values()) <= {1}
    for number in range(ACCOUNTS):
        expected_dong = sum(
            -each.amount_dong if each.kind is EntryKind.TOLL_CHARGE else each.amount_dong
            for each in world.committed
            if each.account == number
        )
        page = await LedgerService(connection).statement(world.account(number), limit=200)
        assert page.next is None
        assert (page.lines[0].balance_dong if page.lines else 0) == expected_dong
        # Never below zero, not even between two entries.
        assert all(line.balance_dong >= 0 for line in page.lines)
    await connection.commit()


def _same(known: Operation, operation: Operation) -> bool:
    """Whether two operations with the same key ask for the same."""
    return (known.kind, known.account, known.amount_dong, known.corrects) == (
        operation.kind,
        operation.account,
        operation.amount_dong,
        operation.corrects,
    )
