# SPDX-License-Identifier: AGPL-3.0-or-later
"""The chain over the ledger: what the owner of the database changes by hand is found."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from central.db.pool import open_pool
from central.jobs.context import JobContext
from central.jobs.ledger_tasks import seal_ledger
from central.ledger.service import SEAL_OVERDUE, LedgerService
from central.ledger.types import (
    AccountKey,
    AccountKind,
    ChainFault,
    EntryKind,
    LedgerProof,
    NewEntry,
    Posting,
    SealReach,
)
from central.settings import CentralSettings

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + SEAL_OVERDUE + timedelta(minutes=1)
ENTRIES = 5
ACCOUNT = AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference="VETC-0001")
CLEARING = AccountKey(kind=AccountKind.PROVIDER_CLEARING, reference="vetc")


def top_up(number: int) -> NewEntry:
    return NewEntry(
        idempotency_key=f"bank:{number}",
        kind=EntryKind.TOP_UP,
        occurred_at=NOW,
        booked_on=date(2026, 3, 2),
        postings=(
            Posting(account=CLEARING, amount_dong=-50_000),
            Posting(account=ACCOUNT, amount_dong=50_000),
        ),
    )


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """Somebody who may do anything, also past the triggers and foreign keys."""
    async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as opened:
        await opened.execute("SET session_replication_role = replica")
        yield opened


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[LedgerService]:
    """A ledger with some sealed entries, each committed by itself."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as opened:
        service = LedgerService(opened)
        for number in range(ENTRIES):
            await service.book(top_up(number), now=NOW)
        await service.seal(now=NOW)
        yield service


@pytest.fixture
async def job_context(database_url: str, tmp_path: Path) -> AsyncIterator[JobContext]:
    """What the worker gives to a job."""
    async with open_pool(database_url) as pool:
        yield JobContext(
            pool=pool,
            settings=CentralSettings(database_url=database_url, evidence_folder=tmp_path),
            clock=lambda: NOW,
        )


async def proof_of(ledger: LedgerService, *, now: datetime = NOW) -> LedgerProof:
    return await ledger.verify(now=now)


async def test_a_ledger_that_nobody_touched_is_sound(ledger: LedgerService) -> None:
    steps: list[tuple[int, int]] = []

    proof = await ledger.verify(now=LATER, on_progress=lambda *step: steps.append(step))

    assert proof.is_sound
    assert (proof.totals.entries, proof.totals.postings, proof.totals.sealed) == (5, 10, 5)
    assert proof.chain_position == ENTRIES
    assert steps == [(ENTRIES, ENTRIES)]


async def test_an_empty_ledger_is_sound(connection: psycopg.AsyncConnection) -> None:
    proof = await proof_of(LedgerService(connection))

    assert proof.is_sound
    assert proof.chain_position == 0


async def test_sealing_again_adds_what_is_new_and_only_that(ledger: LedgerService) -> None:
    await ledger.book(top_up(100), now=NOW)

    first = await ledger.seal(now=NOW)
    second = await ledger.seal(now=NOW, reach=SealReach.EVERYTHING)

    assert (first, second) == (1, 0)
    assert (await proof_of(ledger)).chain_position == ENTRIES + 1


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        # Both sides of entry 3, so that it still balances.
        (
            "UPDATE ledger_posting SET amount_dong = sign(amount_dong) * 60000 WHERE entry_id = 3",
            ChainFault.CHANGED,
        ),
        ("UPDATE ledger_entry SET memo = 'other' WHERE id = 3", ChainFault.CHANGED),
        ("UPDATE ledger_entry SET booked_on = '2026-03-01' WHERE id = 3", ChainFault.CHANGED),
        (
            "UPDATE ledger_posting SET account_id = 2 WHERE entry_id = 3 AND account_id = 1",
            ChainFault.CHANGED,
        ),
        ("UPDATE ledger_seal SET sealed_on = '2026-03-01' WHERE position = 3", ChainFault.CHANGED),
        (
            "DELETE FROM ledger_posting WHERE entry_id = 3; DELETE FROM ledger_entry WHERE id = 3",
            ChainFault.ENTRY_MISSING,
        ),
        (
            "UPDATE ledger_seal SET hash = sha256('forged') WHERE position = 3",
            ChainFault.CHANGED,
        ),
    ],
    ids=[
        "amount",
        "memo",
        "day",
        "account",
        "day of sealing",
        "entry removed",
        "hash",
    ],
)
async def test_what_is_changed_by_hand_is_found_where_it_is(
    ledger: LedgerService, owner: psycopg.AsyncConnection, statement: str, fault: ChainFault
) -> None:
    await owner.execute(statement.encode())

    proof = await proof_of(ledger)

    assert not proof.is_sound
    first = proof.breaks[0]
    assert (first.position, first.entry_id, first.fault) == (3, 3, fault)


async def test_an_entry_removed_with_its_seal_is_missed(
    ledger: LedgerService, owner: psycopg.AsyncConnection
) -> None:
    await owner.execute("DELETE FROM ledger_posting WHERE entry_id = 3")
    await owner.execute("DELETE FROM ledger_seal WHERE entry_id = 3")
    await owner.execute("DELETE FROM ledger_entry WHERE id = 3")

    proof = await proof_of(ledger)

    assert [(each.position, each.fault) for each in proof.breaks] == [(4, ChainFault.SEAL_MISSING)]


async def test_an_entry_slipped_into_the_chain_is_found(
    ledger: LedgerService, owner: psycopg.AsyncConnection
) -> None:
    slipped = await ledger.book(top_up(100), now=NOW)
    await owner.execute("UPDATE ledger_seal SET position = position + 1 WHERE position = 5")
    await owner.execute(
        "INSERT INTO ledger_seal SELECT 5, %s, sealed_on, hash, sha256('forged'), sealed_at"
        " FROM ledger_seal WHERE position = 4",
        [slipped.id],
    )

    proof = await proof_of(ledger)

    assert {each.position for each in proof.breaks} == {5, 6}


async def test_an_entry_that_was_never_sealed_is_told_when_it_is_overdue(
    ledger: LedgerService,
) -> None:
    await ledger.book(top_up(100), now=NOW)

    soon, later = await proof_of(ledger), await proof_of(ledger, now=LATER)

    assert soon.is_sound
    assert soon.totals.unsealed == 1
    assert later.totals.overdue == 1
    assert not later.is_sound


@pytest.mark.parametrize(
    ("statement", "is_found"),
    [
        (
            "UPDATE ledger_posting SET amount_dong = 40000 WHERE entry_id = 2 AND amount_dong > 0",
            lambda proof: proof.totals.unbalanced == 1 and proof.totals.total_dong == -10_000,
        ),
        (
            "UPDATE ledger_posting SET amount_dong = -amount_dong WHERE entry_id IN (1, 2, 3)",
            lambda proof: proof.totals.overdrawn == 1 and proof.totals.total_dong == 0,
        ),
        (
            "UPDATE ledger_entry SET kind = 'correction', corrects_id = 1 WHERE id = 2",
            lambda proof: proof.totals.overcorrected == 2,
        ),
    ],
    ids=["unbalanced", "overdrawn", "overcorrected"],
)
async def test_what_must_not_be_is_counted(
    ledger: LedgerService,
    owner: psycopg.AsyncConnection,
    statement: str,
    is_found: Callable[[LedgerProof], bool],
) -> None:
    await owner.execute(statement.encode())

    proof = await proof_of(ledger)

    assert is_found(proof)
    assert not proof.is_sound


async def test_an_entry_committed_late_is_sealed_after_those_with_higher_numbers(
    ledger: LedgerService, database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        late = await LedgerService(slow).book(top_up(100), now=NOW)
        quick = await ledger.book(
            NewEntry(
                idempotency_key="bank:101",
                kind=EntryKind.TOP_UP,
                occurred_at=NOW,
                booked_on=date(2026, 3, 2),
                postings=top_up(101).postings,
            ),
            now=NOW,
        )
        await ledger.seal(now=NOW)
        await slow.commit()

    sealed = await ledger.seal(now=NOW)

    assert late.id < quick.id
    assert sealed == 1
    assert (await proof_of(ledger)).is_sound


async def test_two_sealings_at_the_same_time_make_one_chain(
    ledger: LedgerService, database_url: str
) -> None:
    for number in range(100, 120):
        await ledger.book(top_up(number), now=NOW)

    async def seal() -> int:
        async with await psycopg.AsyncConnection.connect(database_url) as opened:
            return await LedgerService(opened).seal(now=NOW, limit=15)

    sealed = await asyncio.gather(seal(), seal(), seal())

    assert sum(sealed) == 20
    assert (await proof_of(ledger)).is_sound


async def test_the_job_seals_everything_that_waits(
    ledger: LedgerService, job_context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.jobs.ledger_tasks.SEAL_ROWS_MAX", 4)
    for number in range(100, 110):
        await ledger.book(top_up(number), now=NOW)

    sealed = await seal_ledger(job_context)

    assert sealed == 10
    assert await seal_ledger(job_context) == 0
    assert (await proof_of(ledger)).is_sound
