# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit log grows with the acts, and its chain shows whatever was done to it afterwards."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import psycopg
import pytest
from psycopg import AsyncConnection

from central.audit.roots import DayRoot, file_of, has_good_signature, read_file
from central.audit.service import AuditService
from central.audit.signatures import HouseKey
from central.audit.types import (
    Actor,
    AuditEntry,
    AuditFilter,
    AuditPage,
    AuditProof,
    ChainFault,
    ChainProblem,
    Personal,
    Purpose,
    RootsUnreadableError,
    about_plate,
)
from central.documents.development_key import ensure_development_key
from central.documents.types import SigningKey
from central.domain.hash_chain import ChainLink

PLATE: Final = "20C12345"
NOW: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NEXT_DAY: Final = NOW + timedelta(days=1)
ACTOR: Final = Actor.command("test")


class Log:
    """The log of one database, each call in a transaction of its own."""

    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def service(self) -> AsyncIterator[AuditService]:
        async with await AsyncConnection.connect(self._url) as connection:
            yield AuditService(connection)

    async def write(self, *subjects: str, at: datetime = NOW) -> None:
        async with self.service() as audit:
            for number, subject in enumerate(subjects):
                await audit.record(entry(subject, at=at + timedelta(seconds=number)))

    async def seal(self, *, now: datetime = NOW) -> int:
        async with self.service() as audit:
            return await audit.seal(now=now)

    async def verify(
        self,
        *,
        now: datetime = NOW,
        noted: ChainLink | None = None,
        roots: Sequence[DayRoot] = (),
    ) -> AuditProof:
        async with self.service() as audit:
            return await audit.verify(actor=ACTOR, now=now, noted=noted, roots=roots)

    async def roots(self, *, now: datetime, signer: HouseKey | None = None) -> tuple[DayRoot, ...]:
        async with self.service() as audit:
            return await audit.make_roots(now=now, signer=signer)


@pytest.fixture
def log(database_url: str) -> Log:
    """The log as the services write it."""
    return Log(database_url)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> HouseKey:
    """A key to sign roots with."""
    folder = tmp_path_factory.mktemp("keys")
    key = SigningKey(
        key_file=folder / "key.pem",
        certificate_file=folder / "certificate.pem",
        ca_file=folder / "ca.pem",
    )
    ensure_development_key(key, now=NOW)
    return HouseKey(
        private_key_pem=key.key_file.read_bytes(),
        certificate_pem=key.certificate_file.read_text("ascii"),
    )


@pytest.fixture
async def sealed(log: Log) -> Log:
    """A log of five sealed entries."""
    await log.write("a", "b", "c", "d", "e")
    assert await log.seal() == 5
    return log


async def test_an_entry_is_kept_if_and_only_if_the_act_is(log: Log, database_url: str) -> None:
    async with await AsyncConnection.connect(database_url) as connection:
        await AuditService(connection).record(entry("rolled back"))
        await connection.rollback()
        await AuditService(connection).record(entry("kept"))

    async with log.service() as audit:
        page = await audit.entries(AuditFilter(), before_id=None, size=10)

    assert [each.entry for each in page.entries] == [replace(entry("kept"), personal=None)]


async def test_the_log_is_read_newest_first_page_by_page(log: Log) -> None:
    await log.write("a", "b", "c")

    async with log.service() as audit:
        first = await audit.entries(AuditFilter(), before_id=None, size=2)
        second = await audit.entries(AuditFilter(), before_id=first.next_before, size=2)
        of_b = await audit.entries(
            AuditFilter(actor="test", action="thing_seen", subject_kind="thing", subject_id="b"),
            before_id=None,
            size=2,
        )
        of_nobody = await audit.entries(AuditFilter(actor="nobody"), before_id=None, size=2)

    assert [subjects(page) for page in (first, second)] == [["c", "b"], ["a"]]
    assert second.next_before is None
    assert (subjects(of_b), subjects(of_nobody)) == (["b"], [])


async def test_a_chain_that_nobody_touched_is_whole(sealed: Log) -> None:
    proof = await sealed.verify()
    again = await sealed.seal()  # the entry about the proof
    second = await sealed.verify(noted=proof.head)

    assert (proof.is_whole, proof.entries, proof.waiting, proof.head.position) == (True, 5, 0, 5)
    assert again == 1
    assert (second.is_whole, second.entries) == (True, 6)


async def test_the_result_of_a_proof_is_remembered(sealed: Log) -> None:
    async with sealed.service() as audit:
        before = await audit.chain_state()
    await sealed.verify(now=NOW + timedelta(minutes=1))
    async with sealed.service() as audit:
        after = await audit.chain_state()

    assert (before.position, before.sealed_at, before.verified_at) == (5, NOW, None)
    assert (after.verified_at, after.problem_count) == (NOW + timedelta(minutes=1), 0)


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'somebody else'",
        "occurred_at = occurred_at + interval '1 microsecond'",
        "actor_role = 'clerk'",
        "purpose = NULL",
        "case_reference = 'other'",
        "detail = '{\"n\": 1.5}'",
        "outcome = 'refused'",
        "request_id = 'x'",
        "client_address = '192.0.2.9'",
        "sealed_facts = '\\x00'",
        "key_id = NULL, sealed_facts = NULL",
    ],
)
async def test_a_changed_entry_is_found(sealed: Log, rows: psycopg.Connection, change: str) -> None:
    rows.execute(f"UPDATE audit_entry SET {change} WHERE subject_id = 'c'")  # noqa: S608  # our own text

    proof = await sealed.verify()

    assert proof.problems == (problem(ChainFault.ENTRY_CHANGED, position=3, entry_id=3),)
    assert not proof.is_whole


async def test_a_removed_entry_is_found(sealed: Log, rows: psycopg.Connection) -> None:
    rows.execute("SET session_replication_role = replica")  # switches the foreign keys off
    rows.execute("DELETE FROM audit_entry WHERE subject_id = 'c'")

    proof = await sealed.verify()

    assert proof.problems == (problem(ChainFault.ENTRY_MISSING, position=3, entry_id=3),)


async def test_an_entry_removed_with_its_seal_is_found(
    sealed: Log, rows: psycopg.Connection
) -> None:
    rows.execute("DELETE FROM audit_seal WHERE position = 3")
    rows.execute("DELETE FROM audit_entry WHERE subject_id = 'c'")

    proof = await sealed.verify()

    assert [each.fault for each in proof.problems] == [ChainFault.SEAL_MISSING]
    assert proof.problems[0].position == 3


async def test_a_chain_that_was_joined_again_over_a_hole_is_found(
    sealed: Log, rows: psycopg.Connection
) -> None:
    rows.execute("DELETE FROM audit_seal WHERE position = 3")
    rows.execute("DELETE FROM audit_entry WHERE subject_id = 'c'")
    rows.execute("UPDATE audit_seal SET position = 3 WHERE position = 4")
    rows.execute("UPDATE audit_seal SET position = 4 WHERE position = 5")

    proof = await sealed.verify()

    assert ChainFault.LINK_BROKEN in {each.fault for each in proof.problems}


async def test_an_end_that_was_cut_off_is_found_by_a_noted_head(
    sealed: Log, rows: psycopg.Connection
) -> None:
    noted = (await sealed.verify()).head
    rows.execute("DELETE FROM audit_seal WHERE position = 5")
    rows.execute("DELETE FROM audit_entry WHERE id >= 5")

    without, with_noted = await sealed.verify(), await sealed.verify(noted=noted)

    assert without.is_whole  # what the chain alone can't show
    assert with_noted.problems == (problem(ChainFault.HEAD_DIFFERS, position=5),)


async def test_a_chain_that_was_computed_anew_is_found_by_a_noted_head(
    sealed: Log, rows: psycopg.Connection
) -> None:
    noted = (await sealed.verify()).head
    rows.execute("DELETE FROM audit_seal")
    rows.execute("UPDATE audit_entry SET actor = 'somebody else' WHERE subject_id = 'c'")
    await sealed.seal()

    proof = await sealed.verify(noted=noted)

    assert proof.problems == (problem(ChainFault.HEAD_DIFFERS, position=5),)


async def test_an_entry_inserted_in_the_past_is_found_before_and_after_it_is_sealed(
    sealed: Log, rows: psycopg.Connection
) -> None:
    rows.execute(
        "INSERT INTO audit_entry (id, occurred_at, actor_kind, actor, action, outcome,"
        " subject_kind, subject_id) OVERRIDING SYSTEM VALUE"
        " VALUES (-7, %s, 'user', 'x', 'thing_seen', 'done', 'thing', 'x')",
        [NOW - timedelta(days=1)],
    )
    rows.execute("UPDATE audit_entry SET id = DEFAULT WHERE id = -7")

    unsealed = await sealed.verify()
    await sealed.seal()
    late = await sealed.verify()

    assert [each.fault for each in unsealed.problems] == [ChainFault.ENTRY_UNSEALED]
    assert [each.fault for each in late.problems] == [ChainFault.ENTRY_LATE]


async def test_an_entry_that_is_never_sealed_is_found(log: Log) -> None:
    await log.write("a")

    early = await log.verify(now=NOW + timedelta(minutes=1))
    late = await log.verify(now=NOW + timedelta(hours=2))

    assert (early.is_whole, early.waiting) == (True, 1)
    # The second is the entry about the first proof.
    assert [(each.fault, each.entry_id) for each in late.problems] == [
        (ChainFault.ENTRY_UNSEALED, 1),
        (ChainFault.ENTRY_UNSEALED, 2),
    ]


async def test_an_entry_committed_late_with_a_smaller_number_is_sealed_later(
    log: Log, database_url: str
) -> None:
    async with await AsyncConnection.connect(database_url) as slow:
        await AuditService(slow).record(entry("slow"))
        await log.write("quick", at=NOW + timedelta(seconds=1))
        first = await log.seal()
    second = await log.seal()

    proof = await log.verify()

    assert (first, second) == (1, 1)
    assert (proof.is_whole, proof.entries) == (True, 2)


async def test_many_writers_and_sealers_at_once_lose_nothing(log: Log) -> None:
    async def write(writer: int) -> None:
        for number in range(10):
            await log.write(f"{writer}-{number}")

    async def seal_again_and_again() -> None:
        for _ in range(20):
            await log.seal()

    await asyncio.gather(
        *(write(writer) for writer in range(8)), *(seal_again_and_again() for _ in range(3))
    )
    await log.seal()

    proof = await log.verify()

    assert (proof.is_whole, proof.entries, proof.waiting) == (True, 80, 0)


async def test_only_the_first_problems_are_shown_and_all_are_counted(
    log: Log, rows: psycopg.Connection
) -> None:
    await log.write(*(str(number) for number in range(30)))
    await log.seal()
    rows.execute("UPDATE audit_entry SET actor = 'x'")

    proof = await log.verify()

    assert (len(proof.problems), proof.problem_count) == (20, 30)


async def test_personal_facts_are_read_until_their_key_is_destroyed_and_the_chain_still_holds(
    sealed: Log, rows: psycopg.Connection
) -> None:
    async with sealed.service() as audit:
        before = (await audit.entries(AuditFilter(), before_id=None, size=1)).entries[0]

    rows.execute(
        "UPDATE subject_key SET subject = NULL, secret = NULL, destroyed_at = %(now)s",
        {"now": NOW},
    )
    async with sealed.service() as audit:
        after = (await audit.entries(AuditFilter(), before_id=None, size=1)).entries[0]
    proof = await sealed.verify()

    assert (before.facts, before.is_erased) == ({"plate": PLATE}, False)
    assert (after.facts, after.is_erased) == ({}, True)
    assert proof.is_whole
    stored = rows.execute("SELECT string_agg(audit_entry::text, ' ') FROM audit_entry").fetchone()
    assert PLATE not in str(stored)


def test_a_key_can_only_be_destroyed_once(rows: psycopg.Connection) -> None:
    rows.execute(
        "INSERT INTO subject_key (id, subject, secret, fingerprint, made_at) VALUES"
        " (gen_random_uuid(), 'plate:X', decode(repeat('00', 32), 'hex'), sha256('x'), now())"
    )
    destroy = "UPDATE subject_key SET subject = NULL, secret = NULL, destroyed_at = now()"
    for change in ("UPDATE subject_key SET subject = 'plate:Y'", destroy + ", made_at = 'epoch'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            rows.execute(change)

    rows.execute(destroy)

    with pytest.raises(psycopg.errors.RestrictViolation):
        rows.execute(destroy)


async def test_each_day_that_is_over_gets_one_signed_root(log: Log, signer: HouseKey) -> None:
    await log.write("a", "b")
    await log.seal()
    too_early = await log.roots(now=NOW + timedelta(hours=9, minutes=5), signer=signer)
    made = await log.roots(now=NEXT_DAY, signer=signer)
    again = await log.roots(now=NEXT_DAY, signer=signer)

    (root,) = made
    (read,) = read_file(file_of(made))
    forged = replace(read, entries=3)

    assert (too_early, again) == ((), ())  # 17:05 in UTC is five past midnight in Vietnam
    assert (root.day, root.entries, root.position) == (date(2026, 3, 1), 2, 2)
    assert read == root
    assert has_good_signature(read, trusted_ca=None)
    assert not has_good_signature(forged, trusted_ca=None)


@pytest.mark.parametrize(
    ("harm", "faults"),
    [
        # Cut off: what the chain alone can't show.
        (
            "DELETE FROM audit_seal WHERE position = 5; DELETE FROM audit_entry WHERE id = 5",
            {ChainFault.ROOT_DIFFERS},
        ),
        # Inserted with a time in the past, and never sealed.
        (
            (
                "INSERT INTO audit_entry (occurred_at, actor_kind, actor, action, outcome,"
                " subject_kind, subject_id) VALUES ('2026-03-01 06:00Z', 'user', 'x',"
                " 'thing_seen', 'done', 'thing', 'inserted')"
            ),
            {ChainFault.ENTRY_UNSEALED},
        ),
    ],
)
async def test_what_was_cut_off_or_inserted_is_found_with_the_roots_that_were_kept(
    sealed: Log, rows: psycopg.Connection, harm: str, faults: set[ChainFault]
) -> None:
    roots = read_file(file_of(await sealed.roots(now=NEXT_DAY)))
    for statement in harm.split(";"):
        rows.execute(statement)

    proof = await sealed.verify(roots=roots)

    assert {each.fault for each in proof.problems} == faults


async def test_a_chain_that_was_computed_anew_is_found_with_the_roots_that_were_kept(
    sealed: Log, rows: psycopg.Connection
) -> None:
    roots = await sealed.roots(now=NEXT_DAY)
    whole = await sealed.verify(roots=roots)
    rows.execute("DELETE FROM audit_seal")
    rows.execute("UPDATE audit_entry SET actor = 'somebody else' WHERE subject_id = 'c'")
    await sealed.seal()

    proof = await sealed.verify(roots=roots)

    assert whole.is_whole
    assert ChainFault.ROOT_DIFFERS in {each.fault for each in proof.problems}


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b'{"format": "other"}\n'])
def test_a_file_that_holds_no_roots_is_refused(content: bytes) -> None:
    with pytest.raises(RootsUnreadableError):
        read_file(content)


def entry(subject: str, *, at: datetime = NOW) -> AuditEntry:
    """An act."""
    return AuditEntry(
        occurred_at=at,
        actor=ACTOR,
        action="thing_seen",
        subject_kind="thing",
        subject_id=subject,
        purpose=Purpose.INSPECTION,
        case_reference="12/2026",
        detail={"n": 1, "list": [True, None, 0.5], "text": "Sở"},
        personal=Personal(about=about_plate(PLATE), facts={"plate": PLATE}),
    )


def problem(
    fault: ChainFault, *, position: int | None = None, entry_id: int | None = None
) -> ChainProblem:
    """What a proof tells."""
    return ChainProblem(fault=fault, position=position, entry_id=entry_id)


def subjects(page: AuditPage) -> list[str]:
    """The subjects of a page of the log."""
    return [each.entry.subject_id for each in page.entries]
