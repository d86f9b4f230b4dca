# SPDX-License-Identifier: AGPL-3.0-or-later
"""The outbox keeps events in order until they are acknowledged, whatever happens to pictures."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from central.contracts.topics import Stream
from edge.errors import (
    OutboxBehindError,
    OutboxBusyError,
    OutboxFullError,
    OutboxUnreadableError,
)
from edge.outbox.store import Outbox, look_into
from edge.outbox.types import OutboxLimits, OutboxSlot
from tests.unit.edge.makers import BOOT_ID, NOW, message, notice_message, picture, tag_message

ROOMY = OutboxLimits(picture_bytes_max=1_000_000)


def seqs(outbox: Outbox) -> list[int]:
    return [event.seq for event in outbox.pending(after_seq=0, limit=10_000)]


def fill(outbox: Outbox) -> None:
    for _ in range(2_000):
        outbox.put(message, (picture(b"x" * 10_000),), now=NOW)


def test_events_get_numbers_from_one_without_a_gap(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        stored = [outbox.put(message, (), now=NOW).seq for _ in range(3)]

        assert stored == [1, 2, 3]
        assert seqs(outbox) == [1, 2, 3]


def test_a_pending_event_is_the_message_that_was_stored(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        stored = outbox.put(message, (), now=NOW)

        (event,) = outbox.pending(after_seq=0, limit=10)

        assert event.payload == stored.to_json()
        assert event.created_at == NOW
        assert event.boot_id == BOOT_ID
        assert stored.outbox_id == outbox.outbox_id


def test_a_number_is_not_spent_when_the_message_can_not_be_made(tmp_path: Path) -> None:
    def broken(_slot: OutboxSlot) -> None:
        raise RuntimeError("no message")

    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        with pytest.raises(RuntimeError, match="no message"):
            outbox.put(broken, (), now=NOW)  # type: ignore[type-var]  # it never returns

        assert outbox.put(message, (), now=NOW).seq == 1


def test_passages_and_tag_reads_share_one_row_of_numbers(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        for make in (message, tag_message, message, tag_message):
            outbox.put(make, (), now=NOW)

        events = outbox.pending(after_seq=0, limit=10)

    assert [(event.seq, event.stream) for event in events] == [
        (1, Stream.PASSAGE),
        (2, Stream.TAG_READ),
        (3, Stream.PASSAGE),
        (4, Stream.TAG_READ),
    ]


def test_an_outbox_of_an_earlier_release_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "box"
    with Outbox(path, limits=ROOMY) as outbox:
        stored = outbox.put(message, (picture(b"old"),), now=NOW)
        before = outbox.state()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        # What release 1 had: no column for the stream, nothing about lost pictures.
        old.execute("DROP TABLE lost_picture")
        old.execute("ALTER TABLE picture DROP COLUMN event_id")
        old.execute("ALTER TABLE event DROP COLUMN stream")
        old.execute("PRAGMA user_version = 1")

    looked_at_before = look_into(path)
    with Outbox(path, limits=ROOMY) as outbox:
        (event,) = outbox.pending(after_seq=0, limit=10)
        outbox.put(tag_message, (), now=NOW)
        outbox.drop_picture(1, now=NOW)
        dropped = outbox.state().pictures_dropped
        told = outbox.tell_lost(notice_message, now=NOW)

    with Outbox(path, limits=ROOMY) as outbox:
        streams = [each.stream for each in outbox.pending(after_seq=0, limit=10)]
    assert looked_at_before == before
    assert (event.payload, event.stream) == (stored.to_json(), Stream.PASSAGE)
    assert streams == [Stream.PASSAGE, Stream.TAG_READ]
    assert (dropped, told) == (1, 0)  # whose picture it was is not known


def test_an_outbox_of_a_later_release_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "box"
    Outbox(path, limits=ROOMY).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as newer:
        newer.execute("PRAGMA user_version = 99")

    with pytest.raises(OutboxUnreadableError, match="it has version 99, this program knows 3"):
        Outbox(path, limits=ROOMY)


def test_identity_numbers_and_events_survive_closing(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        outbox.put(message, (picture(b"jpeg"),), now=NOW)
        identity = outbox.outbox_id

    with Outbox(tmp_path / "box", limits=ROOMY) as again:
        assert again.outbox_id == identity
        assert again.put(message, (), now=NOW).seq == 2
        assert again.state().pictures == 1


def test_an_acknowledgement_forgets_events_up_to_its_number(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        for _ in range(5):
            outbox.put(message, (), now=NOW)

        forgotten = outbox.acknowledge(outbox_id=outbox.outbox_id, up_to_seq=3)

        assert forgotten == 3
        assert seqs(outbox) == [4, 5]
        assert outbox.state().acknowledged_seq == 3


def test_an_acknowledgement_of_another_outbox_changes_nothing(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        outbox.put(message, (), now=NOW)

        assert outbox.acknowledge(outbox_id=uuid4(), up_to_seq=1) == 0
        assert seqs(outbox) == [1]


def test_an_older_acknowledgement_after_a_newer_one_changes_nothing(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        for _ in range(3):
            outbox.put(message, (), now=NOW)
        outbox.acknowledge(outbox_id=outbox.outbox_id, up_to_seq=2)

        assert outbox.acknowledge(outbox_id=outbox.outbox_id, up_to_seq=1) == 0
        assert outbox.state().acknowledged_seq == 2


def test_an_acknowledged_number_that_was_never_given_betrays_an_old_copy(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        outbox.put(message, (), now=NOW)

        with pytest.raises(OutboxBehindError, match="old copy"):
            outbox.acknowledge(outbox_id=outbox.outbox_id, up_to_seq=7)

        assert seqs(outbox) == [1]


def test_above_the_cap_the_oldest_pictures_go_first_and_are_counted(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=250)) as outbox:
        for number in range(4):
            outbox.put(message, (picture(bytes([number]) * 100),), now=NOW)

        state = outbox.state()
        oldest = outbox.next_picture(after_number=0)

        assert (state.events, state.pictures, state.picture_bytes) == (4, 2, 200)
        assert state.pictures_dropped == 2
        assert oldest is not None
        assert oldest.jpeg == bytes([2]) * 100


def test_a_picture_larger_than_the_cap_is_dropped_and_its_event_stays(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=10)) as outbox:
        outbox.put(message, (picture(b"x" * 11),), now=NOW)

        assert outbox.state().pictures_dropped == 1
        assert seqs(outbox) == [1]


def test_uploaded_pictures_are_forgotten_and_refused_ones_are_counted(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        outbox.put(message, (picture(b"first"), picture(b"second")), now=NOW)
        first = outbox.next_picture(after_number=0)
        assert first is not None
        second = outbox.next_picture(after_number=first.number)
        assert second is not None

        outbox.forget_uploaded_picture(first.number)
        outbox.drop_picture(second.number, now=NOW)

        state = outbox.state()
        assert (state.pictures, state.picture_bytes, state.pictures_dropped) == (0, 0, 1)


def test_a_full_file_gives_up_pictures_for_events(tmp_path: Path) -> None:
    limits = OutboxLimits(picture_bytes_max=10_000_000, file_bytes_max=1_000_000)
    with Outbox(tmp_path / "box", limits=limits) as outbox:
        for number in range(40):
            outbox.put(message, (picture(bytes([number]) * 60_000),), now=NOW)

        state = outbox.state()

        assert seqs(outbox) == list(range(1, 41))
        assert state.pictures_dropped == 40 - state.pictures
        assert 0 < state.pictures < 17


def test_a_file_that_is_full_of_events_refuses_the_next_and_loses_none(tmp_path: Path) -> None:
    limits = OutboxLimits(picture_bytes_max=10_000_000, file_bytes_max=200_000)
    with Outbox(tmp_path / "box", limits=limits) as outbox:
        with pytest.raises(OutboxFullError, match="no room for an event"):
            fill(outbox)

        stored = outbox.state().last_seq
        assert seqs(outbox) == list(range(1, stored + 1))

        outbox.acknowledge(outbox_id=outbox.outbox_id, up_to_seq=stored // 2)
        assert outbox.put(message, (), now=NOW).seq == stored + 1


def test_a_second_process_can_not_open_the_same_outbox(tmp_path: Path) -> None:
    with (
        Outbox(tmp_path / "box", limits=ROOMY),
        pytest.raises(OutboxBusyError, match="in use by another process"),
    ):
        Outbox(tmp_path / "box", limits=ROOMY)


def test_a_look_from_outside_works_while_the_outbox_is_in_use(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=ROOMY) as outbox:
        outbox.put(message, (picture(b"jpeg"),), now=NOW)
        outbox.put(message, (), now=NOW + timedelta(seconds=5))

        state = look_into(tmp_path / "box")

        assert state == outbox.state()
        assert state.oldest_event_at == NOW
        assert isinstance(state.outbox_id, UUID)


@pytest.mark.parametrize("content", [b"this is no database, but long enough to look at" * 50])
def test_a_file_that_is_no_outbox_is_said_plainly(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "box"
    path.write_bytes(content)

    with pytest.raises(OutboxUnreadableError, match="can't be used"):
        Outbox(path, limits=ROOMY)
    with pytest.raises(OutboxUnreadableError, match="can't be used"):
        look_into(path)


def test_looking_into_an_outbox_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(OutboxUnreadableError, match="no such file"):
        look_into(tmp_path / "box")

    assert not (tmp_path / "box").exists()
