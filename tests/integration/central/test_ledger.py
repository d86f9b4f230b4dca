# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ledger on a real database: booked once, never overdrawn, never changed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege

from central.db.pool import connection_info
from central.ledger.errors import (
    EntryConflictError,
    EntryNotCorrectableError,
    EntryNotFoundError,
    InsufficientBalanceError,
    OverCorrectionError,
)
from central.ledger.service import LedgerService
from central.ledger.types import AccountKey, AccountKind, EntryId, EntryKind, NewEntry, Posting

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ACCOUNT = AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference="VETC-0001")
OTHER_ACCOUNT = AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference="VETC-0002")
REVENUE = AccountKey(kind=AccountKind.STATION_REVENUE, reference="tram-01")
CLEARING = AccountKey(kind=AccountKind.PROVIDER_CLEARING, reference="vetc")


@pytest.fixture
def ledger(connection: psycopg.AsyncConnection) -> LedgerService:
    return LedgerService(connection)


def moved(
    key: str, amount_dong: int, *, source: AccountKey, target: AccountKey, kind: EntryKind
) -> NewEntry:
    return NewEntry(
        idempotency_key=key,
        kind=kind,
        occurred_at=NOW,
        booked_on=TODAY,
        postings=(
            Posting(account=source, amount_dong=-amount_dong),
            Posting(account=target, amount_dong=amount_dong),
        ),
    )


def top_up(key: str, amount_dong: int, account: AccountKey = ACCOUNT) -> NewEntry:
    return moved(key, amount_dong, source=CLEARING, target=account, kind=EntryKind.TOP_UP)


def charge(key: str, amount_dong: int, account: AccountKey = ACCOUNT) -> NewEntry:
    return moved(key, amount_dong, source=account, target=REVENUE, kind=EntryKind.TOLL_CHARGE)


def correction(key: str, amount_dong: int, corrects: EntryId) -> NewEntry:
    return replace(
        moved(key, amount_dong, source=REVENUE, target=ACCOUNT, kind=EntryKind.TOLL_CHARGE),
        kind=EntryKind.CORRECTION,
        corrects=corrects,
    )


async def test_a_balance_is_the_sum_of_what_was_booked(ledger: LedgerService) -> None:
    await ledger.book(top_up("bank:1", 200_000), now=NOW)

    booked = await ledger.book(charge("toll:1", 35_000), now=NOW)

    assert not booked.is_repeat
    assert await ledger.balance(ACCOUNT) == 165_000
    assert await ledger.balance(REVENUE) == 35_000
    assert await ledger.balance(CLEARING) == -200_000
    assert await ledger.balance(OTHER_ACCOUNT) == 0


async def test_an_entry_is_read_back_as_it_was_booked(ledger: LedgerService) -> None:
    new = replace(top_up("bank:1", 200_000), memo="Nạp tiền")

    booked = await ledger.book(new, now=NOW)

    entry = await ledger.entry(booked.id)
    assert (entry.idempotency_key, entry.kind, entry.memo) == ("bank:1", EntryKind.TOP_UP, new.memo)
    assert (entry.occurred_at, entry.recorded_at, entry.booked_on) == (NOW, NOW, TODAY)
    assert entry.postings == new.postings
    assert entry.corrects is None


async def test_an_unknown_entry_is_not_found(ledger: LedgerService) -> None:
    with pytest.raises(EntryNotFoundError):
        await ledger.entry(EntryId(1))


async def test_the_same_key_with_the_same_contents_is_booked_once(ledger: LedgerService) -> None:
    await ledger.book(top_up("bank:1", 200_000), now=NOW)
    first = await ledger.book(charge("toll:1", 35_000), now=NOW)

    again = await ledger.book(replace(charge("toll:1", 35_000), memo="other words"), now=NOW)

    assert again.is_repeat
    assert again.id == first.id
    assert await ledger.balance(ACCOUNT) == 165_000


async def test_a_repeat_is_a_repeat_even_when_the_account_is_empty_by_now(
    ledger: LedgerService,
) -> None:
    await ledger.book(top_up("bank:1", 35_000), now=NOW)
    await ledger.book(charge("toll:1", 35_000), now=NOW)

    again = await ledger.book(charge("toll:1", 35_000), now=NOW)

    assert again.is_repeat


@pytest.mark.parametrize(
    "other",
    [
        charge("toll:1", 52_000),
        charge("toll:1", 35_000, OTHER_ACCOUNT),
        replace(charge("toll:1", 35_000), booked_on=date(2026, 3, 3)),
        replace(charge("toll:1", 35_000), occurred_at=datetime(2026, 3, 2, 8, 1, tzinfo=UTC)),
        top_up("toll:1", 35_000),
    ],
    ids=["amount", "account", "day", "time", "kind"],
)
async def test_the_same_key_with_other_contents_is_refused_and_nothing_is_written(
    ledger: LedgerService, connection: psycopg.AsyncConnection, other: NewEntry
) -> None:
    await ledger.book(top_up("bank:1", 200_000), now=NOW)
    await ledger.book(top_up("bank:2", 200_000, OTHER_ACCOUNT), now=NOW)
    first = await ledger.book(charge("toll:1", 35_000), now=NOW)
    before = await _counts(connection)

    with pytest.raises(EntryConflictError) as refused:
        await ledger.book(other, now=NOW)

    assert refused.value.entry_id == first.id
    assert await _counts(connection) == before
    assert await ledger.balance(ACCOUNT) == 165_000


async def test_an_account_can_be_emptied_and_not_overdrawn(
    ledger: LedgerService, connection: psycopg.AsyncConnection
) -> None:
    await ledger.book(top_up("bank:1", 70_000), now=NOW)
    await ledger.book(charge("toll:1", 70_000), now=NOW)
    before = await _counts(connection)

    with pytest.raises(InsufficientBalanceError) as refused:
        await ledger.book(charge("toll:2", 1), now=NOW)

    assert (refused.value.balance_dong, refused.value.needed_dong) == (0, 1)
    assert refused.value.account == ACCOUNT
    assert ACCOUNT.reference not in str(refused.value)
    assert await _counts(connection) == before


async def test_a_refusal_leaves_the_callers_transaction_usable(ledger: LedgerService) -> None:
    with pytest.raises(InsufficientBalanceError):
        await ledger.book(charge("toll:1", 35_000), now=NOW)

    await ledger.book(top_up("bank:1", 35_000), now=NOW)
    retried = await ledger.book(charge("toll:1", 35_000), now=NOW)

    assert not retried.is_repeat
    assert await ledger.balance(ACCOUNT) == 0


async def test_a_charge_to_an_account_nobody_opened_opens_none(
    ledger: LedgerService, connection: psycopg.AsyncConnection
) -> None:
    with pytest.raises(InsufficientBalanceError):
        await ledger.book(charge("toll:1", 35_000), now=NOW)

    assert await _counts(connection) == (0, 0, 0)


async def test_an_account_is_opened_once(
    ledger: LedgerService, connection: psycopg.AsyncConnection
) -> None:
    await ledger.open_account(ACCOUNT, now=NOW)

    await ledger.open_account(ACCOUNT, now=NOW)

    assert await _counts(connection) == (1, 0, 0)


async def test_a_correction_gives_back_what_an_entry_took(ledger: LedgerService) -> None:
    await ledger.book(top_up("bank:1", 100_000), now=NOW)
    charged = await ledger.book(charge("toll:1", 35_000), now=NOW)

    corrected = await ledger.book(correction("fix:1", 35_000, charged.id), now=NOW)

    assert (await ledger.entry(corrected.id)).corrects == charged.id
    assert await ledger.balance(ACCOUNT) == 100_000
    assert await ledger.balance(REVENUE) == 0


async def test_corrections_together_undo_no_more_than_the_entry(ledger: LedgerService) -> None:
    await ledger.book(top_up("bank:1", 100_000), now=NOW)
    charged = await ledger.book(charge("toll:1", 35_000), now=NOW)
    await ledger.book(correction("fix:1", 20_000, charged.id), now=NOW)

    with pytest.raises(OverCorrectionError) as refused:
        await ledger.book(correction("fix:2", 15_001, charged.id), now=NOW)
    await ledger.book(correction("fix:2", 15_000, charged.id), now=NOW)

    assert abs(refused.value.left_dong) == 15_000
    assert await ledger.balance(ACCOUNT) == 100_000


async def test_a_correction_can_neither_take_more_nor_touch_another_account(
    ledger: LedgerService,
) -> None:
    await ledger.book(top_up("bank:1", 100_000), now=NOW)
    charged = await ledger.book(charge("toll:1", 35_000), now=NOW)
    more = replace(charge("fix:1", 1_000), kind=EntryKind.CORRECTION, corrects=charged.id)
    elsewhere = replace(
        correction("fix:2", 1_000, charged.id),
        postings=(
            Posting(account=REVENUE, amount_dong=-1_000),
            Posting(account=OTHER_ACCOUNT, amount_dong=1_000),
        ),
    )

    for wrong in (more, elsewhere):
        with pytest.raises(OverCorrectionError):
            await ledger.book(wrong, now=NOW)


async def test_a_correction_is_not_corrected_itself(ledger: LedgerService) -> None:
    await ledger.book(top_up("bank:1", 100_000), now=NOW)
    charged = await ledger.book(charge("toll:1", 35_000), now=NOW)
    corrected = await ledger.book(correction("fix:1", 35_000, charged.id), now=NOW)

    with pytest.raises(EntryNotCorrectableError):
        await ledger.book(correction("fix:2", 1_000, corrected.id), now=NOW)


async def test_a_correction_of_nothing_is_refused(ledger: LedgerService) -> None:
    with pytest.raises(EntryNotFoundError):
        await ledger.book(correction("fix:1", 1_000, EntryId(12345)), now=NOW)


async def test_a_top_up_that_was_spent_can_not_be_taken_back(ledger: LedgerService) -> None:
    topped = await ledger.book(top_up("bank:1", 50_000), now=NOW)
    await ledger.book(charge("toll:1", 35_000), now=NOW)
    taken_back = replace(
        moved("fix:1", 50_000, source=ACCOUNT, target=CLEARING, kind=EntryKind.TOP_UP),
        kind=EntryKind.REFUND,
        corrects=topped.id,
    )

    with pytest.raises(InsufficientBalanceError):
        await ledger.book(taken_back, now=NOW)

    assert await ledger.balance(ACCOUNT) == 15_000


async def test_a_statement_runs_from_the_newest_entry_with_the_balance_after_each(
    ledger: LedgerService,
) -> None:
    await ledger.book(top_up("bank:1", 100_000), now=NOW)
    await ledger.book(charge("toll:1", 35_000), now=NOW)
    await ledger.book(charge("toll:2", 15_000), now=NOW)

    first = await ledger.statement(ACCOUNT, limit=2)
    second = await ledger.statement(ACCOUNT, limit=2, before=first.next)

    assert [(line.amount_dong, line.balance_dong) for line in first.lines] == [
        (-15_000, 50_000),
        (-35_000, 65_000),
    ]
    assert [(line.amount_dong, line.balance_dong) for line in second.lines] == [(100_000, 100_000)]
    assert second.next is None


async def test_the_statement_of_an_unknown_account_is_empty(ledger: LedgerService) -> None:
    page = await ledger.statement(ACCOUNT)

    assert page.lines == ()
    assert page.next is None


async def test_a_transaction_that_would_see_old_balances_is_a_bug(
    connection: psycopg.AsyncConnection,
) -> None:
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)

    with pytest.raises(RuntimeError, match="READ COMMITTED"):
        await LedgerService(connection).book(top_up("bank:1", 1), now=NOW)


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_posting", "ledger_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_the_services_account_may_only_add(
    connection: psycopg.AsyncConnection, table: str, statement: str
) -> None:
    column = {
        "ledger_entry": "memo = ''",
        "ledger_posting": "amount_dong = 1",
        "ledger_seal": "sealed_on = sealed_on",
    }[table]

    with pytest.raises(InsufficientPrivilege):
        await connection.execute(statement.format(table, column))


async def test_the_services_account_can_not_remove_accounts(
    connection: psycopg.AsyncConnection,
) -> None:
    with pytest.raises(InsufficientPrivilege):
        await connection.execute("DELETE FROM ledger_account")


@pytest.mark.parametrize(
    ("amounts", "constraint"),
    [
        ([100, -99], "ledger_entry_balances"),
        ([100], "ledger_entry_balances"),
        ([], "ledger_entry_has_postings"),
    ],
    ids=["one dong too much", "one side only", "no postings"],
)
async def test_the_database_itself_refuses_entries_that_do_not_balance(
    connection: psycopg.AsyncConnection, ledger: LedgerService, amounts: list[int], constraint: str
) -> None:
    await ledger.open_account(REVENUE, now=NOW)
    cursor = await connection.execute(
        "INSERT INTO ledger_entry (idempotency_key, kind, occurred_at, recorded_at, booked_on,"
        " fingerprint) VALUES ('by-hand', 'top_up', %s, %s, %s, sha256('x')) RETURNING id",
        [NOW, NOW, TODAY],
    )
    row = await cursor.fetchone()
    assert row is not None
    for line, amount_dong in enumerate(amounts, start=1):
        await connection.execute(
            "INSERT INTO ledger_posting (entry_id, line, account_id, amount_dong)"
            " SELECT %s, %s, id, %s FROM ledger_account",
            [row[0], line, amount_dong],
        )

    with pytest.raises(CheckViolation) as refused:
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert refused.value.diag.constraint_name == constraint


class TestWithOthers:
    """Two callers at the same time, each with a transaction of its own."""

    @pytest.fixture
    async def two(
        self, database_url: str
    ) -> AsyncIterator[tuple[psycopg.AsyncConnection, psycopg.AsyncConnection]]:
        info = connection_info(database_url)
        first = await psycopg.AsyncConnection.connect(info)
        second = await psycopg.AsyncConnection.connect(info)
        async with first, second:
            yield first, second

    async def test_the_last_money_is_spent_once(
        self, two: tuple[psycopg.AsyncConnection, psycopg.AsyncConnection]
    ) -> None:
        first, second = two
        await LedgerService(first).book(top_up("bank:1", 50_000), now=NOW)
        await first.commit()
        await LedgerService(first).book(charge("toll:1", 35_000), now=NOW)
        waiting = asyncio.create_task(LedgerService(second).book(charge("toll:2", 35_000), now=NOW))
        await _until_waiting(first, second)

        await first.commit()

        with pytest.raises(InsufficientBalanceError):
            await waiting

    async def test_the_same_entry_from_two_sides_is_booked_once(
        self, two: tuple[psycopg.AsyncConnection, psycopg.AsyncConnection]
    ) -> None:
        first, second = two
        booked = await LedgerService(first).book(top_up("bank:1", 50_000), now=NOW)
        waiting = asyncio.create_task(LedgerService(second).book(top_up("bank:1", 50_000), now=NOW))
        await _until_waiting(first, second)

        await first.commit()

        again = await waiting
        assert again.is_repeat
        assert again.id == booked.id
        assert await LedgerService(second).balance(ACCOUNT) == 50_000

    async def test_the_same_key_with_other_amounts_from_two_sides_is_refused(
        self, two: tuple[psycopg.AsyncConnection, psycopg.AsyncConnection]
    ) -> None:
        first, second = two
        for service in map(LedgerService, two):
            await service.open_account(ACCOUNT, now=NOW)
            await service.open_account(CLEARING, now=NOW)
            await first.commit()
        await LedgerService(first).book(top_up("bank:1", 50_000), now=NOW)
        waiting = asyncio.create_task(LedgerService(second).book(top_up("bank:1", 60_000), now=NOW))
        await _until_waiting(first, second)

        await first.commit()

        with pytest.raises(EntryConflictError):
            await waiting
        assert await LedgerService(second).balance(ACCOUNT) == 50_000

    async def test_charges_of_different_accounts_do_not_wait_for_each_other(
        self, two: tuple[psycopg.AsyncConnection, psycopg.AsyncConnection]
    ) -> None:
        first, second = two
        await LedgerService(first).book(top_up("bank:1", 50_000), now=NOW)
        await LedgerService(first).book(top_up("bank:2", 50_000, OTHER_ACCOUNT), now=NOW)
        await LedgerService(first).open_account(REVENUE, now=NOW)
        await first.commit()
        await second.execute("SET lock_timeout = '2s'")

        await LedgerService(first).book(charge("toll:1", 35_000), now=NOW)
        await LedgerService(second).book(charge("toll:2", 35_000, OTHER_ACCOUNT), now=NOW)

        await second.commit()
        await first.commit()
        assert await LedgerService(first).balance(REVENUE) == 70_000


async def _counts(connection: psycopg.AsyncConnection) -> tuple[int, int, int]:
    """Accounts, entries and postings."""
    cursor = await connection.execute(
        "SELECT (SELECT count(*) FROM ledger_account), (SELECT count(*) FROM ledger_entry),"
        " (SELECT count(*) FROM ledger_posting)"
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1], row[2]


async def _until_waiting(looker: psycopg.AsyncConnection, waiter: psycopg.AsyncConnection) -> None:
    """Wait until one connection waits for a lock."""
    async with asyncio.timeout(20):
        while True:
            cursor = await looker.execute(
                "SELECT cardinality(pg_blocking_pids(%s))", [waiter.info.backend_pid]
            )
            row = await cursor.fetchone()
            if row is not None and row[0]:
                return
            await asyncio.sleep(0)
