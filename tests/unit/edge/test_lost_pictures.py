# SPDX-License-Identifier: AGPL-3.0-or-later
"""The centre is told what became of a picture that was given up, and telling it takes no room."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from central.contracts.evidence_notice import EvidenceFate, EvidenceNoticeV1
from central.contracts.passage import EvidenceKind
from central.contracts.topics import Stream
from edge.errors import OutboxFullError
from edge.evidence.pictures import make_evidence
from edge.outbox import losses, store
from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits
from tests.unit.edge.makers import NOW, message, notice_message, picture

LATER = NOW + timedelta(hours=1)


def notices(outbox: Outbox) -> list[EvidenceNoticeV1]:
    """Every notice that waits."""
    return [
        EvidenceNoticeV1.from_json(event.payload)
        for event in outbox.pending(after_seq=0, limit=100_000)
        if event.stream is Stream.EVIDENCE_NOTICE
    ]


def tell(outbox: Outbox) -> int:
    return outbox.tell_lost(notice_message, now=LATER)


def fill(outbox: Outbox) -> None:
    for number in range(2_000):
        outbox.put(message, (picture(number.to_bytes(2, "big") * 5_000),), now=NOW)


def test_a_picture_that_made_room_is_told_of_once_with_its_event_and_its_time(
    tmp_path: Path,
) -> None:
    old, new = picture(b"o" * 100), picture(b"n" * 100)
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=150)) as outbox:
        first = outbox.put(message, (old,), now=NOW)
        outbox.put(message, (new,), now=LATER)

        told = tell(outbox), tell(outbox)
        (notice,) = notices(outbox)

    assert told == (1, 0)
    assert (notice.event_id, notice.sha256) == (first.id, old.sha256)
    assert (notice.fate, notice.captured_at) == (EvidenceFate.DROPPED_FOR_ROOM, LATER)
    assert notice.seq == 3


def test_a_picture_that_the_centre_never_takes_is_told_of_as_unreadable(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=1000)) as outbox:
        outbox.put(message, (picture(b"bad"),), now=NOW)
        outbox.drop_picture(1, now=LATER)
        outbox.drop_picture(1, now=LATER)  # it is gone

        tell(outbox)
        (notice,) = notices(outbox)

    assert (notice.fate, notice.captured_at) == (EvidenceFate.UNREADABLE, LATER)


def test_an_uploaded_picture_is_not_told_of(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=1000)) as outbox:
        outbox.put(message, (picture(b"good"),), now=NOW)
        outbox.forget_uploaded_picture(1)

        assert tell(outbox) == 0


def test_what_has_to_be_told_survives_a_restart(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=10)) as outbox:
        outbox.put(message, (picture(b"x" * 11),), now=NOW)

    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=10)) as again:
        assert (tell(again), len(notices(again))) == (1, 1)


def test_while_events_pile_up_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "NOTICES_EVENTS_MAX", 2)
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=10)) as outbox:
        for _ in range(3):
            outbox.put(message, (picture(b"x" * 11),), now=NOW)

        waiting = tell(outbox)
        outbox.acknowledge(outbox_id=outbox.outbox_id, up_to_seq=1)

        assert (waiting, tell(outbox)) == (0, 3)


def test_of_too_many_the_newest_are_told_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "LOSSES_MAX", 5)
    lost = [picture(bytes([number]) * 11) for number in range(8)]
    with Outbox(tmp_path / "box", limits=OutboxLimits(picture_bytes_max=10)) as outbox:
        for each in lost:
            outbox.put(message, (each,), now=NOW)

        tell(outbox)

        assert [each.sha256 for each in notices(outbox)] == [each.sha256 for each in lost[3:]]
        assert outbox.state().pictures_dropped == 8


def test_a_file_that_is_full_of_events_tells_of_none_and_of_them_when_there_is_room(
    tmp_path: Path,
) -> None:
    limits = OutboxLimits(picture_bytes_max=10_000_000, file_bytes_max=300_000)
    with Outbox(tmp_path / "box", limits=limits) as outbox:
        with pytest.raises(OutboxFullError):
            fill(outbox)
        full = outbox.state()

        told = tell(outbox)

        assert (told, outbox.state()) == (0, full)
        assert (full.pictures, full.pictures_dropped) == (0, full.events)

        outbox.acknowledge(outbox_id=outbox.outbox_id, up_to_seq=full.last_seq)
        assert tell(outbox) > 0


def test_notices_never_push_pictures_out(tmp_path: Path) -> None:
    limits = OutboxLimits(picture_bytes_max=10_000_000, file_bytes_max=400_000)
    with Outbox(tmp_path / "box", limits=limits) as outbox:
        for number in range(40):
            outbox.put(message, (picture(bytes([number]) * 20_000),), now=NOW)
        before = outbox.state()

        while tell(outbox):
            pass

        after = outbox.state()
        assert before.pictures > 0
        assert (after.pictures, after.pictures_dropped) == (
            before.pictures,
            before.pictures_dropped,
        )


@pytest.mark.parametrize("broken", ["scene", "plate"])
def test_a_picture_that_can_not_be_encoded_is_not_promised(broken: str) -> None:
    whole, empty = np.zeros((8, 8, 3), np.uint8), np.zeros((0, 8, 3), np.uint8)

    made = make_evidence(
        empty if broken == "scene" else whole, empty if broken == "plate" else whole
    )

    assert [each.kind for each in made] == [
        (EvidenceKind.PLATE if broken == "scene" else EvidenceKind.SCENE).value
    ]
