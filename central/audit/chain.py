# SPDX-License-Identifier: AGPL-3.0-or-later
"""The chain over the audit log: making its next links, and walking along it to prove it.

Entries are written without a chain, so that acts never wait for each other; a job seals what was
committed. Why this and not a chain in the transaction: ``deploy/docs/adr/0007-audit-chain.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from central.audit.repository import AuditRepository
from central.audit.roots import DayRoot, signed
from central.audit.rows import EntryRow, SealRow
from central.audit.signatures import HouseKey
from central.audit.types import AuditProof, ChainFault, ChainProblem
from central.domain.hash_chain import ChainLink
from central.domain.local_time import local_date

CHAIN: Final = "audit"
SEAL_BATCH_MAX: Final = 1000
WALK_BATCH: Final = 2000
WAITING_COUNTED_MAX: Final = 10_000
PROBLEMS_SHOWN_MAX: Final = 20
ROOTS_BATCH_MAX: Final = 400
DAY_IS_OVER_AFTER: Final = timedelta(minutes=10)
"""A seal that was begun before midnight is committed by then."""

SETTLED_AFTER: Final = timedelta(days=2)
"""No transaction lasts so long: what has a smaller number than entries sealed so long ago and no
seal was not written by us, and is left to the proof to find."""

SEALED_WITHIN: Final = timedelta(hours=1)
"""An entry without a seal is wrong after this time, and so is one that claims to be so much older
than entries sealed before it. Lower: finds smaller backdating; too low: blames a slow act, or a
clock that was set back."""


async def seal(rows: AuditRepository, *, now: datetime) -> int:
    """Append the next entries to the chain, and return how many; the caller commits.

    Returns 0, too, while another process seals.
    """
    if not await rows.take_sealing_lock():
        return 0
    newest = await rows.newest_seal()
    settled = await rows.settled_entry(before=local_date(now - SETTLED_AFTER))
    entries = await rows.unsealed(after_id=settled, limit=SEAL_BATCH_MAX)
    if not entries:
        return 0
    link = newest.link if newest is not None else ChainLink.start(CHAIN)
    seals = []
    for entry in entries:
        made = link.next(entry.hashed(sealed_at=now))
        seals.append(
            SealRow(
                position=made.position,
                entry_id=entry.id,
                previous_hash=link.hash,
                hash=made.hash,
                sealed_at=now,
            )
        )
        link = made
    await rows.add_seals(seals, sealed_on=local_date(now), sealed_at=now)
    return len(seals)


async def make_roots(
    rows: AuditRepository, *, now: datetime, signer: HouseKey | None
) -> tuple[DayRoot, ...]:
    """Note where the chain stood at the end of each day that is over; the caller commits.

    Args:
        rows: The log.
        now: Aware time.
        signer: Signs them; ``None`` keeps them without a signature, for ever.
    """
    before = local_date(now - DAY_IS_OVER_AFTER)
    made = await rows.days_without_root(before=before, now=now, limit=ROOTS_BATCH_MAX)
    roots = tuple(signed(root, signer) if signer is not None else root for root in made)
    for root in roots:
        await rows.add_root(root)
    return roots


async def verify(
    rows: AuditRepository,
    *,
    now: datetime,
    noted: ChainLink | None = None,
    roots: Sequence[DayRoot] = (),
) -> AuditProof:
    """Walk along the whole chain, in batches.

    Args:
        rows: The log.
        now: Aware time, to judge what has waited too long for its seal.
        noted: An end of the chain that was noted earlier; it must still be a part of it.
        roots: Daily roots that were kept elsewhere; each must still be a part of it.
    """
    newest = await rows.newest_seal()
    expected = {root.position: (root.link, ChainFault.ROOT_DIFFERS) for root in roots}
    if noted is not None:
        expected[noted.position] = (noted, ChainFault.HEAD_DIFFERS)
    walk = _Walk(expected=expected)
    last_position = newest.position if newest is not None else 0
    while seals := await rows.seals(
        after_position=walk.link.position, last_position=last_position, limit=WALK_BATCH
    ):
        entries = await rows.entries([seal.entry_id for seal in seals])
        for seal_row in seals:
            walk.step(seal_row, entries.get(seal_row.entry_id))
    waiting = await rows.unsealed(after_id=0, limit=WAITING_COUNTED_MAX)
    walk.finish(waiting, now=now)
    return AuditProof(
        entries=walk.entries,
        head=walk.link,
        waiting=len(waiting),
        problems=tuple(walk.problems),
        problem_count=walk.problem_count,
    )


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Where a proof has arrived, and what it found on the way.

    After a problem it goes on from what stands in the seal, so that others are found, too.
    """

    expected: dict[int, tuple[ChainLink, ChainFault]]
    link: ChainLink = field(default_factory=lambda: ChainLink.start(CHAIN))
    newest_at: datetime | None = None
    entries: int = 0
    problems: list[ChainProblem] = field(default_factory=list)
    problem_count: int = 0

    def step(self, seal_row: SealRow, entry: EntryRow | None) -> None:
        """Judge the next seal and its entry."""
        self.entries += 1
        if seal_row.position != self.link.position + 1:
            self._add(ChainFault.SEAL_MISSING, position=self.link.position + 1)
        elif seal_row.previous_hash != self.link.hash:
            self._add(ChainFault.LINK_BROKEN, position=seal_row.position)
        self._judge(seal_row, entry)
        self.link = seal_row.link
        link, fault = self.expected.pop(seal_row.position, (self.link, None))
        if fault is not None and link != self.link:
            self._add(fault, position=seal_row.position)

    def finish(self, waiting: Sequence[EntryRow], *, now: datetime) -> None:
        """Judge what has no seal, and places that were noted and are gone."""
        for position, (link, fault) in sorted(self.expected.items(), key=lambda each: each[0]):
            if link != self.link:
                self._add(fault, position=position)
        for entry in waiting:
            if now - entry.occurred_at > SEALED_WITHIN or self._is_late(entry):
                self._add(ChainFault.ENTRY_UNSEALED, entry_id=entry.id)

    def _judge(self, seal_row: SealRow, entry: EntryRow | None) -> None:
        position = seal_row.position
        if entry is None:
            self._add(ChainFault.ENTRY_MISSING, position=position, entry_id=seal_row.entry_id)
            return
        before = ChainLink(position=position - 1, hash=seal_row.previous_hash)
        if before.next(entry.hashed(sealed_at=seal_row.sealed_at)) != seal_row.link:
            self._add(ChainFault.ENTRY_CHANGED, position=position, entry_id=entry.id)
            return
        if self._is_late(entry):
            self._add(ChainFault.ENTRY_LATE, position=position, entry_id=entry.id)
        self.newest_at = max(entry.occurred_at, self.newest_at or entry.occurred_at)

    def _is_late(self, entry: EntryRow) -> bool:
        """Whether an entry claims to be much older than entries that were there before it."""
        return self.newest_at is not None and self.newest_at - entry.occurred_at > SEALED_WITHIN

    def _add(
        self, fault: ChainFault, *, position: int | None = None, entry_id: int | None = None
    ) -> None:
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_SHOWN_MAX:
            self.problems.append(ChainProblem(fault=fault, position=position, entry_id=entry_id))
