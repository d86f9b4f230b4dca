# SPDX-License-Identifier: AGPL-3.0-or-later
"""The many answers of a passing tag become one tag read, whatever happens in between."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.stages import TagRead
from edge.tags.clock import ReaderClock
from edge.tags.grouping import TagGrouping
from edge.tags.types import GroupingRules, TagAnswer

START = datetime(2026, 3, 14, 8, 0, tzinfo=UTC)
TRUCK, CAR = "E2801160600002054E1A2B3C", "E2801160600002054E1A2B3D"
GAP_S, TOLD_AFTER_S = 2.0, 5.0


def rules(
    lanes: dict[int, int | None] | None = None,
    *,
    rssi_min_dbm: float | None = None,
    open_max: int = 100,
) -> GroupingRules:
    return GroupingRules(
        reader_id="reader-1",
        lanes={1: 1, 2: 2} if lanes is None else lanes,
        rssi_min_dbm=rssi_min_dbm,
        gap=timedelta(seconds=GAP_S),
        told_after=timedelta(seconds=TOLD_AFTER_S),
        open_max=open_max,
    )


def answer(
    at_s: float, epc: str = TRUCK, *, antenna: int = 1, rssi_dbm: float | None = -60.0
) -> TagAnswer:
    return TagAnswer(
        epc=epc,
        antenna=antenna,
        rssi_dbm=rssi_dbm,
        reads=1,
        seen_at=START + timedelta(seconds=at_s),
    )


def played(grouping: TagGrouping, answers: Iterable[tuple[float, TagAnswer]]) -> list[TagRead]:
    """Add answers at their times, then wait until everything has passed."""
    told: list[TagRead] = []
    now_s = 0.0
    for now_s, each in answers:
        told += grouping.add([each], now_s=now_s)
    return told + grouping.add([], now_s=now_s + GAP_S + 0.001)


def test_the_answers_of_a_passing_tag_are_one_tag_read_at_the_strongest() -> None:
    strengths_dbm = [(0.0, -70.0), (0.1, -58.5), (0.2, -51.0), (0.3, -55.0)]

    told = played(
        TagGrouping(rules()), [(at_s, answer(at_s, rssi_dbm=dbm)) for at_s, dbm in strengths_dbm]
    )

    assert told == [
        TagRead(
            reader_id="reader-1",
            lane=1,
            epc=TRUCK,
            antenna=1,
            rssi_dbm=-51.0,
            reads=4,
            captured_at=START + timedelta(seconds=0.2),
            first_seen_at=START,
            last_seen_at=START + timedelta(seconds=0.3),
        )
    ]


def test_two_tags_at_once_are_two_tag_reads() -> None:
    answers = [
        (0.0, answer(0.0)),
        (0.1, answer(0.1, CAR)),
        (0.2, answer(0.2)),
        (0.3, answer(0.3, CAR)),
    ]

    told = played(TagGrouping(rules()), answers)

    assert [(each.epc, each.reads) for each in told] == [(TRUCK, 2), (CAR, 2)]


def test_a_tag_that_comes_back_after_the_gap_passes_again_and_before_it_does_not() -> None:
    just_before, just_after = 1.9, 1.9 + 2.0

    told = played(
        TagGrouping(rules()),
        [(at_s, answer(at_s)) for at_s in (0.0, just_before, just_after)],
    )

    # 0.0 and 1.9 lie less than two seconds apart, 1.9 and 3.9 exactly two.
    assert [each.reads for each in told] == [2, 1]


def test_a_tag_that_stays_is_told_once_while_it_is_still_there() -> None:
    grouping = TagGrouping(rules())

    told_at_s = [
        tenth / 10 for tenth in range(200) if grouping.add([answer(tenth / 10)], now_s=tenth / 10)
    ]
    after = grouping.add([], now_s=20.0 + GAP_S)

    assert told_at_s == [TOLD_AFTER_S]
    assert after == []
    assert grouping.open_tags == 0


def test_two_antennas_over_one_lane_hear_a_vehicle_once() -> None:
    grouping = TagGrouping(rules({1: 7, 2: 7}))
    answers = [
        (0.0, answer(0.0, antenna=1, rssi_dbm=-66.0)),
        (0.1, answer(0.1, antenna=2, rssi_dbm=-49.0)),
    ]

    (told,) = played(grouping, answers)

    assert (told.lane, told.antenna, told.reads) == (7, 2, 2)


def test_antennas_without_a_lane_are_places_of_their_own() -> None:
    grouping = TagGrouping(rules({1: None, 2: None}))

    told = played(grouping, [(0.0, answer(0.0, antenna=1)), (0.1, answer(0.1, antenna=2))])

    assert [(each.lane, each.antenna) for each in told] == [(None, 1), (None, 2)]


def test_weak_answers_foreign_antennas_and_foreign_codes_are_left_out_and_counted() -> None:
    grouping = TagGrouping(rules(rssi_min_dbm=-65.0))
    answers = [
        (0.0, answer(0.0, rssi_dbm=-65.5)),
        (0.1, answer(0.1, antenna=3)),
        (0.2, answer(0.2, rssi_dbm=-65.0)),
        (0.3, answer(0.3, rssi_dbm=None)),
        (0.4, answer(0.4, "E28011")),
        (0.4, answer(0.4, "E2" * 33)),
        (0.4, answer(0.4, "")),
    ]

    (told,) = played(grouping, answers)

    assert (told.reads, told.rssi_dbm, grouping.ignored) == (2, -65.0, 5)


def test_a_flood_of_tags_is_told_early_and_none_is_lost() -> None:
    grouping = TagGrouping(rules(open_max=3))
    codes = [f"{number:024X}" for number in range(10)]

    early = [
        told.epc
        for number, code in enumerate(codes)
        for told in grouping.add([answer(number / 100, code)], now_s=number / 100)
    ]

    assert early == codes[:7]
    assert grouping.open_tags == 3
    assert [each.epc for each in grouping.finish()] == codes[7:]


def test_at_the_end_what_is_passing_is_told_and_what_was_told_is_not_told_again() -> None:
    grouping = TagGrouping(rules())
    grouping.add([answer(0.0)], now_s=0.0)
    told = grouping.add([answer(5.0)], now_s=1.9) + grouping.add([answer(5.0)], now_s=3.5)
    told += grouping.add([answer(5.0), answer(5.0, CAR)], now_s=5.0)

    at_the_end = grouping.finish()

    assert [each.epc for each in told] == [TRUCK]
    assert [each.epc for each in at_the_end] == [CAR]


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=0.01, max_value=4.0),
            st.sampled_from((TRUCK, CAR)),
            st.sampled_from((1, 2)),
        ),
        max_size=60,
    )
)
def test_every_run_of_answers_without_a_gap_is_told_exactly_once(
    steps: list[tuple[float, str, int]],
) -> None:
    grouping = TagGrouping(rules())
    last_s: dict[tuple[str, int], float] = {}
    told: list[TagRead] = []
    runs, now_s = 0, 0.0
    for step_s, epc, antenna in steps:
        now_s += step_s
        if now_s - last_s.get((epc, antenna), float("-inf")) >= GAP_S:
            runs += 1
        last_s[epc, antenna] = now_s
        told += grouping.add([answer(now_s, epc, antenna=antenna)], now_s=now_s)

    told += grouping.finish()

    assert len(told) == runs
    assert all(each.first_seen_at <= each.captured_at <= each.last_seen_at for each in told)
    assert sum(each.reads for each in told) <= len(steps)


@pytest.mark.parametrize(("gap_s", "open_max"), [(0, 1), (1, 0)])
def test_rules_that_can_not_work_are_refused(gap_s: int, open_max: int) -> None:
    with pytest.raises(ValueError, match="must"):
        GroupingRules(
            reader_id="reader-1",
            lanes={1: 1},
            rssi_min_dbm=None,
            gap=timedelta(seconds=gap_s),
            told_after=timedelta(seconds=1),
            open_max=open_max,
        )


def microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def test_a_reader_whose_clock_is_wrong_is_believed_about_the_time_between() -> None:
    clock = ReaderClock()
    wrong = timedelta(days=-3000)
    # Three reports: prompt, prompt, and one that was on its way for 700 ms.
    made = [START + timedelta(seconds=second) for second in (0, 1, 2)]
    arrived = [made[0], made[1], made[2] + timedelta(milliseconds=700)]

    told = [
        clock.device_time(microseconds(at + wrong), arrived_at=arrival)
        for at, arrival in zip(made, arrived, strict=True)
    ]

    assert told == made


def test_a_time_that_no_clock_shows_is_the_time_of_arrival() -> None:
    clock = ReaderClock()

    assert clock.device_time(None, arrived_at=START) == START
    assert clock.device_time(2**63, arrived_at=START) == START


def test_a_reader_is_never_ahead_of_the_device() -> None:
    clock = ReaderClock()
    clock.device_time(microseconds(START), arrived_at=START)

    ahead = clock.device_time(microseconds(START + timedelta(hours=1)), arrived_at=START)

    assert ahead <= START
