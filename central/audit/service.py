# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing into the audit log, and proving that nothing in it was changed."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit import chain
from central.audit.repository import AuditRepository
from central.audit.roots import DayRoot
from central.audit.signatures import HouseKey
from central.audit.types import (
    Actor,
    AuditEntry,
    AuditFilter,
    AuditPage,
    AuditProof,
    ChainState,
    RecordedEntry,
)
from central.domain.hash_chain import ChainLink

PAGE_SIZE_MAX: Final = 200
KEYS_OF_SUBJECTS_MAX: Final = 500
ROOTS_PAGE_MAX: Final = 40_000
VERIFIED_ACTION: Final = "audit_verified"
CHAIN_SUBJECT: Final = "audit_chain"
CHAIN_ID: Final = "audit"


class AuditService:
    """What can be done with the audit log, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = AuditRepository(connection)

    async def record(self, entry: AuditEntry) -> None:
        """Write one act down; it is kept if, and only if, the act is."""
        await self._rows.add(entry)

    async def entries(self, wanted: AuditFilter, *, before_id: int | None, size: int) -> AuditPage:
        """Acts, newest first. Who may see them is asked in ``central.identity.oversight``.

        Args:
            wanted: What to look for.
            before_id: Only entries with smaller numbers; ``None`` for the newest.
            size: Most entries of the page, 1 to 200.
        """
        if not 1 <= size <= PAGE_SIZE_MAX:
            raise ValueError(f"need a page of 1 to {PAGE_SIZE_MAX}, got {size=}")
        rows = await self._rows.search(wanted, before_id=before_id, limit=size + 1)
        shown = rows[:size]
        keys = await self._rows.keys({row.key_id for row in shown if row.key_id is not None})
        return AuditPage(
            entries=tuple(row.recorded(keys) for row in shown),
            next_before=shown[-1].id if len(rows) > size else None,
        )

    async def entry(self, entry_id: int) -> RecordedEntry | None:
        """One act; ``None`` when no act has this number."""
        found = await self._rows.entries([entry_id])
        if entry_id not in found:
            return None
        row = found[entry_id]
        return row.recorded(await self._rows.keys([row.key_id] if row.key_id else []))

    async def key_ids_of(self, subjects: Collection[str]) -> tuple[UUID, ...]:
        """What stands in the log for subjects of personal facts; empty when nothing does."""
        keys = await self._rows.keys_of(subjects, limit=KEYS_OF_SUBJECTS_MAX)
        return tuple(key.id for key in keys)

    async def seal(self, *, now: datetime) -> int:
        """Append committed entries to the chain; returns how many, at most a batch."""
        return await chain.seal(self._rows, now=now)

    async def make_roots(self, *, now: datetime, signer: HouseKey | None) -> tuple[DayRoot, ...]:
        """Note where the chain stood at the end of each day that is over; returns the new ones."""
        return await chain.make_roots(self._rows, now=now, signer=signer)

    async def roots(self, *, before: date | None = None, size: int) -> tuple[DayRoot, ...]:
        """Daily roots, newest first.

        Args:
            before: Only of earlier days; ``None`` for the newest.
            size: At most so many, 1 to ``ROOTS_PAGE_MAX``.
        """
        if not 1 <= size <= ROOTS_PAGE_MAX:
            raise ValueError(f"need 1 to {ROOTS_PAGE_MAX} roots, got {size=}")
        return tuple(await self._rows.roots(before=before, limit=size))

    async def verify(
        self,
        *,
        actor: Actor,
        now: datetime,
        noted: ChainLink | None = None,
        roots: Sequence[DayRoot] = (),
    ) -> AuditProof:
        """Prove the whole chain, and write the result into the log.

        Args:
            actor: Who has it proved.
            now: Aware time.
            noted: An end of the chain that was noted earlier, outside of this database.
            roots: Daily roots that were kept outside of it.
        """
        proof = await chain.verify(self._rows, now=now, noted=noted, roots=roots)
        await self._rows.add(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action=VERIFIED_ACTION,
                subject_kind=CHAIN_SUBJECT,
                subject_id=CHAIN_ID,
                detail={
                    "position": proof.head.position,
                    "hash": proof.head.hash.hex(),
                    "problems": proof.problem_count,
                },
            )
        )
        return proof

    async def head(self) -> ChainLink:
        """The end of the chain."""
        newest = await self._rows.newest_seal()
        return newest.link if newest is not None else ChainLink.start(chain.CHAIN)

    async def chain_state(self) -> ChainState:
        """How far the chain goes, and what the last proof found."""
        newest = await self._rows.newest_seal()
        proofs = await self._rows.search(
            AuditFilter(subject_kind=CHAIN_SUBJECT, subject_id=CHAIN_ID), before_id=None, limit=1
        )
        problems = proofs[0].detail.get("problems") if proofs else None
        return ChainState(
            position=newest.position if newest is not None else 0,
            sealed_at=newest.sealed_at if newest is not None else None,
            verified_at=proofs[0].occurred_at if proofs else None,
            problem_count=problems if isinstance(problems, int) else None,
        )
