# SPDX-License-Identifier: AGPL-3.0-or-later
"""Minutes of cameras: each told once, an empty one too, and every vehicle in exactly one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contracts.event import ClockSource
from central.contracts.heartbeat import CameraState
from central.contracts.passage import Direction, VehicleClass
from central.contracts.topics import Stream
from central.contracts.traffic_minute import MINUTE, TrafficMinuteV1, VehicleCountV1
from edge.app.messages import Sender, traffic_minute_message
from edge.app.minutes import TOLD_AFTER, CameraMinute, MinuteCounter
from edge.app.plans import CameraPlan
from edge.capture.loop import Pace
from edge.capture.types import SourceKind, SourceRules
from edge.health.heartbeat import CameraReading
from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits
from edge.pipeline.detection import Region
from edge.settings import CameraMode
from edge.stages import Passage
from models.runtime.values import VehicleClass as SeenClass
from tests.unit.edge.makers import reading

START = datetime(2026, 11, 28, 3, 4, 30, tzinfo=UTC)
FIRST = datetime(2026, 11, 28, 3, 4, tzinfo=UTC)
PLAN = CameraPlan(
    camera_id="cam-1",
    mode=CameraMode.ROAD,
    source="rtsp://camera.invalid/1",
    kind=SourceKind.STREAM,
    lane=2,
    region=Region(),
    rules=SourceRules(camera_id="cam-1", started_at=START),
    starts_when_opened=False,
    pace=Pace.FAST,
    attempts_max=None,
    clock_source=ClockSource.NTP,
    clock_error_ms=20,
)


def seen(
    at: datetime, *, vehicle: SeenClass | None = SeenClass.CAR, is_read: bool = True
) -> Passage:
    return Passage(
        camera_id="cam-1",
        captured_at=at,
        first_seen_at=at,
        last_seen_at=at,
        frame_index=1,
        frame_width_px=640,
        frame_height_px=360,
        direction=Direction.DOWN,
        vehicle_class=vehicle,
        vehicle_confidence=None if vehicle is None else 0.9,
        vehicle_box_px=None,
        plate=reading("20A12345") if is_read else None,
        plate_box_px=None,
        plate_frames=1,
        evidence=(),
    )


def frames(analysed: int, dropped: int = 0) -> list[CameraReading]:
    return [
        CameraReading(
            camera_id="cam-1",
            state=CameraState.RUNNING,
            captured=analysed,
            analysed=analysed,
            dropped=dropped,
            last_frame_s=0.1,
        )
    ]


def after(minutes: int) -> datetime:
    """When the minute so many after the first is due."""
    return FIRST + (minutes + 1) * MINUTE + TOLD_AFTER


def test_a_minute_is_told_once_when_it_has_been_over_for_a_while() -> None:
    counter = MinuteCounter([PLAN], now=START)
    counter.add(seen(START + timedelta(seconds=1)))
    counter.add(seen(START + timedelta(seconds=2), is_read=False))
    counter.add(seen(START + timedelta(seconds=3), vehicle=None, is_read=False))

    too_early = counter.due(frames(360, 4), now=FIRST + MINUTE)
    told = counter.due(frames(500, 4), now=after(0))
    again = counter.due(frames(500, 4), now=after(0))

    assert (too_early, again) == ([], [])
    assert told == [
        CameraMinute(
            plan=PLAN,
            minute_at=FIRST,
            frames_analysed=360,
            frames_dropped=4,
            counts=(
                VehicleCountV1(
                    direction=Direction.DOWN,
                    vehicle_class=VehicleClass.CAR,
                    vehicles=2,
                    plates_read=1,
                ),
                VehicleCountV1(direction=Direction.DOWN, vehicles=1, plates_read=0),
            ),
        )
    ]


def test_an_empty_minute_tells_that_the_camera_looked() -> None:
    counter = MinuteCounter([PLAN], now=START)
    told = counter.due(frames(300), now=FIRST + MINUTE)
    told += counter.due(frames(1020), now=FIRST + 2 * MINUTE)
    told += counter.due(frames(1500), now=after(1))

    assert [(each.minute_at, each.frames_analysed, each.counts) for each in told] == [
        (FIRST, 300, ()),
        (FIRST + MINUTE, 720, ()),
    ]


def test_a_recording_has_no_minutes() -> None:
    recording = replace(PLAN, clock_source=ClockSource.FILE)
    counter = MinuteCounter([recording], now=START)
    counter.add(seen(START))
    counter.due(frames(300), now=FIRST + MINUTE)

    assert counter.due(frames(300), now=after(5)) == []


def test_a_clock_that_jumps_back_makes_no_minute_twice() -> None:
    counter = MinuteCounter([PLAN], now=START)
    counter.due(frames(300), now=FIRST + MINUTE)
    first = counter.due(frames(600), now=after(0))

    back = counter.due(frames(700), now=START - timedelta(minutes=10))
    told = counter.due(frames(900), now=after(1)) + counter.due(frames(950), now=after(2))

    minutes = [each.minute_at for each in first + told]
    assert back == []
    assert len(set(minutes)) == len(minutes)


@given(
    st.lists(st.tuples(st.floats(0, 400), st.floats(0, 90)), max_size=60),
    st.lists(st.floats(0.2, 40), max_size=60),
)
def test_every_vehicle_is_in_exactly_one_minute(
    vehicles: list[tuple[float, float]], waits: list[float]
) -> None:
    # Each passes at a moment and is known after a while; somebody looks at odd times.
    known = sorted((passed + while_s, passed) for passed, while_s in vehicles)
    counter = MinuteCounter([PLAN], now=START)
    now_s, told = 0.0, []

    for wait_s in [*waits, 600.0, 60.0, 60.0]:
        now_s += wait_s
        while known and known[0][0] <= now_s:
            counter.add(seen(START + timedelta(seconds=known.pop(0)[1])))
        told += counter.due(frames(int(10 * now_s)), now=START + timedelta(seconds=now_s))
    told += counter.due(frames(10**5), now=START + timedelta(hours=1))
    told += counter.due(frames(10**5), now=START + timedelta(hours=1, minutes=2))

    assert sum(each.vehicles for minute in told for each in minute.counts) == len(vehicles)
    assert len({minute.minute_at for minute in told}) == len(told)


def test_a_minute_takes_its_number_among_the_passages(tmp_path: Path) -> None:
    minute = CameraMinute(
        plan=PLAN, minute_at=FIRST, frames_analysed=700, frames_dropped=0, counts=()
    )
    sender = Sender(device_id="gate-01", site_id="km12", boot_id=uuid4(), models=())
    event_id = uuid4()

    with Outbox(tmp_path / "outbox.db", limits=OutboxLimits(picture_bytes_max=0)) as outbox:
        stored = outbox.put(
            lambda slot: traffic_minute_message(minute, slot, sender=sender, event_id=event_id),
            (),
            now=START,
        )
        (waiting,) = outbox.pending(after_seq=0, limit=5)

    assert (waiting.seq, waiting.stream) == (1, Stream.TRAFFIC_MINUTE)
    assert TrafficMinuteV1.from_json(waiting.payload) == stored
    assert (stored.captured_at, stored.lane) == (FIRST + MINUTE, 2)


@pytest.mark.parametrize("second", [0, 59])
def test_the_first_minute_has_the_frames_since_the_start_only(second: int) -> None:
    counter = MinuteCounter([PLAN], now=FIRST + timedelta(seconds=second))
    counter.due(frames(12 * (60 - second)), now=FIRST + MINUTE)

    (told,) = counter.due(frames(5000), now=after(0))

    assert told.frames_analysed == 12 * (60 - second)
