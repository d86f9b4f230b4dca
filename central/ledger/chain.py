# SPDX-License-Identifier: AGPL-3.0-or-later
"""The chain of hashes over the entries: how it is lengthened and how it is checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from central.domain.hash_chain import ChainLink
from central.ledger.rows import ContentsRow, SealRow
from central.ledger.types import BREAKS_MAX, ChainBreak, ChainFault, EntryId

CHAIN_NAME: Final = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A new link and the entry to which it belongs."""

    entry_id: EntryId
    previous_hash: bytes
    link: ChainLink


def lengthen(
    end: ChainLink, entries: Iterable[ContentsRow], *, sealed_on: date, now: datetime
) -> Sequence[Seal]:
    """Seals of entries that follow the end of the chain, in the order given."""
    seals: list[Seal] = []
    for entry in entries:
        link = end.next(entry.chained(sealed_on=sealed_on, sealed_at=now))
        seals.append(Seal(entry_id=EntryId(entry.id), previous_hash=end.hash, link=link))
        end = link
    return seals


@dataclass(kw_only=True, slots=True)
class ChainCheck:
    """Goes along a chain and notes every place where it does not hold.

    After a break it goes on from what the next seal says, so that each fault is told once.
    """

    end: ChainLink = field(default_factory=lambda: ChainLink.start(CHAIN_NAME))
    breaks: list[ChainBreak] = field(default_factory=list)
    breaks_count: int = 0

    def follow(self, seal: SealRow) -> None:
        """Look at the seal that comes next."""
        if seal.position != self.end.position + 1:
            self._note(seal, ChainFault.SEAL_MISSING)
        elif seal.previous_hash != self.end.hash:
            self._note(seal, ChainFault.NOT_LINKED)
        contents = seal.contents
        if contents is None:
            self._note(seal, ChainFault.ENTRY_MISSING)
        else:
            before = ChainLink(position=seal.position - 1, hash=seal.previous_hash)
            row = contents.chained(sealed_on=seal.sealed_on, sealed_at=seal.sealed_at)
            if before.next(row).hash != seal.hash:
                self._note(seal, ChainFault.CHANGED)
        self.end = ChainLink(position=seal.position, hash=seal.hash)

    def _note(self, seal: SealRow, fault: ChainFault) -> None:
        self.breaks_count += 1
        if len(self.breaks) < BREAKS_MAX:
            self.breaks.append(
                ChainBreak(position=seal.position, entry_id=EntryId(seal.entry_id), fault=fault)
            )
