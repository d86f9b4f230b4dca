# SPDX-License-Identifier: AGPL-3.0-or-later
"""The account of one outbox while a batch is being stored: what is new, and what it adds up to."""

from dataclasses import dataclass, field
from typing import Final

from central.contracts.topics import Topic
from central.domain.sequences import RANGES_MAX, SeqSet
from central.ingest.types import Envelope, StreamAck, StreamKey

_NEIGHBOURS: Final = (-1, 1)


class StreamOvertakenError(Exception):
    """Another ingest committed one of the batch's numbers since its outbox's account was read."""


@dataclass(kw_only=True)
class StreamAccount:
    """What a batch does to one outbox; mutable, lives for one transaction.

    Attributes:
        stream_id: Key of its row.
        held: Numbers committed before this batch; with it, once the account is closed.
        claimed: Numbers that this batch commits, as passages or in quarantine.
        topic: A topic that the device used, to answer on.
    """

    stream_id: int
    key: StreamKey
    held: SeqSet
    topic: Topic
    claimed: set[int] = field(default_factory=set)
    announced_seq: int = 0
    stored: int = 0
    doubled: int = 0
    quarantined: int = 0
    late: int = 0

    def has(self, envelope: Envelope) -> bool:
        """Whether the number is committed, or will be with this batch."""
        return envelope.seq in self.claimed or envelope.seq in self.held

    def has_room_for(self, envelope: Envelope) -> bool:
        """Whether the number can be held without keeping too many holes."""
        if len(self.held.ranges) + len(self.claimed) < RANGES_MAX:
            return True
        return any(
            envelope.seq + step in self.claimed or envelope.seq + step in self.held
            for step in _NEIGHBOURS
        )

    def claim(self, envelope: Envelope) -> None:
        """Count the number as committed with this batch."""
        self.claimed.add(envelope.seq)

    @property
    def claimed_set(self) -> SeqSet:
        """The batch's numbers as ranges."""
        return SeqSet.of(self.claimed)

    def ack(self) -> StreamAck | None:
        """The acknowledgement that is due after the commit; ``None`` when number 1 is missing.

        The account is closed: its numbers are those that ingests beside this one added, too.
        """
        up_to_seq = self.held.gap_free_up_to
        if not up_to_seq:
            return None
        return StreamAck(topic=self.topic, stream=self.key, up_to_seq=up_to_seq)
