# SPDX-License-Identifier: AGPL-3.0-or-later
"""One run of ``make chaos``, and proof that it would notice what it looks for."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.setup.components import Servers
from tests.chaos.breaking.packets import Disturber, PacketSplitter, is_message
from tests.chaos.checking import event_problems
from tests.chaos.command import work_folder
from tests.chaos.nursery import Nursery
from tests.chaos.plan import EDGES, FaultKind, plan_run
from tests.chaos.pressure import PressurePlan, Trouble, run_pressure
from tests.chaos.run import run_plan
from tests.chaos.template import Template, make_template
from tests.chaos.truth import Truth

SEED_OF_ALL_PARTS = 1204
"""Kills the database, a worker, the broker and a device, and fills the disk meanwhile."""
GROWTH_MB_MAX = 30.0
"""A hundred messages and their rows are far smaller; an unbounded queue would not be for long."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with work_folder() as made:
        yield made


@pytest.fixture(scope="module")
def nursery(folder: Path) -> Iterator[Nursery]:
    with Nursery(log_file=folder / "nursery.log") as started:
        yield started


@pytest.fixture(scope="module")
def template(servers: Servers, folder: Path) -> Template:
    return make_template(servers, folder / "template")


def test_every_event_is_stored_once_while_every_part_is_killed(
    template: Template, nursery: Nursery, folder: Path
) -> None:
    plan = plan_run(SEED_OF_ALL_PARTS)

    result = run_plan(plan, template, nursery, folder / "run")

    assert result.problems == ()
    assert result.captured > 0
    assert {each.fault for each in result.happened} == set(plan.faults)


def test_while_the_database_is_away_memory_stays_and_then_live_traffic_goes_first(
    template: Template, nursery: Nursery, folder: Path
) -> None:
    plan = PressurePlan(
        devices=EDGES,
        rate=100.0,
        trouble=Trouble.DOWN,
        before_s=1.0,
        trouble_s=3.0,
        after_s=5.0,
        late_after=timedelta(seconds=2),
        worker_settings={
            "LUUTHONG_CENTRAL_INGEST__LATE_AFTER": "PT2S",
            "LUUTHONG_CENTRAL_INGEST__IN_FLIGHT_MAX": "50",
        },
    )

    result = run_pressure(plan, template, nursery, folder / "pressure")

    assert result.problems == ()
    # More than both windows: the rest can only have waited in the outboxes.
    assert result.waiting > 2 * 64
    assert result.live_first == len(EDGES)
    assert (result.unmarked, result.wrongly_marked) == (0, 0)
    assert result.stored.late > 0
    assert result.ingest_most_mb < result.ingest_before_mb + GROWTH_MB_MAX


def test_a_seed_gives_the_same_plan_again_and_another_seed_another_one() -> None:
    plans = [plan_run(seed) for seed in range(300)]

    assert plans == [plan_run(seed) for seed in range(300)]
    assert len({plan.faults for plan in plans}) == len(plans)
    assert {fault.kind for plan in plans for fault in plan.faults} == set(FaultKind)


def test_nothing_is_broken_twice_at_a_time() -> None:
    for seed in range(300):
        faults = plan_run(seed).faults
        for number, fault in enumerate(faults):
            assert not any(fault.touches(other) for other in faults[number + 1 :])


def test_lost_doubled_and_invented_events_are_told() -> None:
    kept, lost, invented, early = uuid4(), uuid4(), uuid4(), uuid4()
    truth = Truth(
        begun=frozenset({kept, lost, early}),
        kept=frozenset({kept, lost, early}),
        from_the_future=frozenset({early}),
    )

    problems = event_problems([kept, kept, invented, early], truth)

    assert [problem.split(",")[0] for problem in problems] == [
        "1 events are lost",
        "1 events are stored more than once",
        "1 events are stored that nobody captured",
        "1 events from the future are stored",
    ]
    assert event_problems([kept, lost], truth) == []


@given(
    bodies=st.lists(st.binary(max_size=300), max_size=12),
    cuts=st.lists(st.integers(0, 3000), max_size=8),
)
def test_packets_come_out_whole_however_the_stream_is_cut(
    bodies: list[bytes], cuts: list[int]
) -> None:
    packets = [packet(body) for body in bodies]
    stream = b"".join(packets)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    splitter = PacketSplitter()

    chunks = [stream[begin:end] for begin, end in pairwise(places)]

    assert [each for chunk in chunks for each in splitter.split(chunk)] == packets


def test_only_messages_are_doubled_and_shuffled() -> None:
    messages = [packet(bytes([number])) for number in range(6)]
    ping = b"\xc0\x00"

    disturbed = Disturber(random.Random(1), share=0.5).disturb([*messages, ping, *messages])  # noqa: S311

    first, last = disturbed[: disturbed.index(ping)], disturbed[disturbed.index(ping) + 1 :]
    assert set(first) == set(last) == set(messages)
    assert disturbed.count(ping) == 1
    assert first != sorted(first)
    assert len(first) > len(messages)
    assert not is_message(ping)


def packet(body: bytes) -> bytes:
    """A message of QoS 1, or what looks like one."""
    length = len(body)
    if length < 128:
        return b"\x32" + bytes([length]) + body
    return b"\x32" + bytes([length % 128 | 0x80, length // 128]) + body
