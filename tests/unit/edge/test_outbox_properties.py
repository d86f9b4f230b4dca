# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever is stored, acknowledged, reopened and dropped, in any order: no event gets lost."""

import tempfile
from pathlib import Path
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from central.contracts.evidence_notice import EvidenceNoticeV1
from edge.errors import OutboxBehindError
from edge.outbox.store import Outbox
from edge.outbox.types import LostPicture, OutboxLimits, OutboxSlot
from tests.unit.edge.makers import NOW, message, notice_message, picture

LIMITS = OutboxLimits(picture_bytes_max=3_000)


class OutboxMachine(RuleBasedStateMachine):
    """Compares an outbox with the plain list that it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "box"
        self.outbox = Outbox(self.path, limits=LIMITS)
        self.identity = self.outbox.outbox_id
        self.payloads: dict[int, bytes] = {}
        self.last_seq = 0
        self.pictures_put = 0
        self.pictures_uploaded = 0
        self.owners: dict[str, UUID] = {}
        self.told: list[tuple[UUID, str]] = []

    @rule(sizes=st.lists(st.integers(min_value=1, max_value=4_000), max_size=3))
    def store(self, sizes: list[int]) -> None:
        pictures = tuple(picture(uuid4().bytes + b"x" * size) for size in sizes)
        stored = self.outbox.put(message, pictures, now=NOW)
        self.last_seq += 1
        self.pictures_put += len(pictures)
        assert stored.seq == self.last_seq
        self.payloads[stored.seq] = stored.to_json()
        self.owners |= {each.sha256: stored.id for each in pictures}

    @rule()
    def tell_of_lost_pictures(self) -> None:
        told = list[EvidenceNoticeV1]()

        def make(lost: LostPicture, slot: OutboxSlot) -> EvidenceNoticeV1:
            told.append(notice_message(lost, slot))
            return told[-1]

        self.outbox.tell_lost(make, now=NOW)
        for each in told:
            self.last_seq += 1
            assert each.seq == self.last_seq
            self.payloads[each.seq] = each.to_json()
            self.told.append((each.event_id, each.sha256))

    @rule(share=st.floats(min_value=0, max_value=1))
    def acknowledge(self, share: float) -> None:
        up_to = round(share * self.last_seq)
        self.outbox.acknowledge(outbox_id=self.identity, up_to_seq=up_to)
        self.payloads = {seq: text for seq, text in self.payloads.items() if seq > up_to}

    @rule(up_to=st.integers(min_value=1, max_value=100))
    def acknowledge_of_another_outbox(self, up_to: int) -> None:
        assert self.outbox.acknowledge(outbox_id=uuid4(), up_to_seq=up_to) == 0

    @rule(ahead=st.integers(min_value=1, max_value=100))
    def acknowledge_what_was_never_given(self, ahead: int) -> None:
        try:
            self.outbox.acknowledge(outbox_id=self.identity, up_to_seq=self.last_seq + ahead)
        except OutboxBehindError:
            return
        raise AssertionError("an unknown number was believed")

    @precondition(lambda self: self.outbox.next_picture(after_number=0) is not None)
    @rule()
    def upload(self) -> None:
        waiting = self.outbox.next_picture(after_number=0)
        assert waiting is not None
        self.outbox.forget_uploaded_picture(waiting.number)
        self.pictures_uploaded += 1

    @rule()
    def reopen(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self.path, limits=LIMITS)

    @invariant()
    def events_are_those_not_acknowledged_in_order(self) -> None:
        events = self.outbox.pending(after_seq=0, limit=10_000)
        assert {event.seq: event.payload for event in events} == self.payloads
        assert [event.seq for event in events] == sorted(self.payloads)
        assert self.outbox.outbox_id == self.identity

    @invariant()
    def a_lost_picture_is_told_of_once_and_as_what_its_event_named(self) -> None:
        assert len(set(self.told)) == len(self.told) <= self.outbox.state().pictures_dropped
        assert all(self.owners[sha256] == event_id for event_id, sha256 in self.told)

    @invariant()
    def every_picture_waits_was_uploaded_or_is_counted(self) -> None:
        state = self.outbox.state()
        gone = state.pictures_dropped + self.pictures_uploaded
        assert state.pictures + gone == self.pictures_put
        assert state.picture_bytes <= LIMITS.picture_bytes_max

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
