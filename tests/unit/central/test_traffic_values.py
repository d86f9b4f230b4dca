# SPDX-License-Identifier: AGPL-3.0-or-later
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.local_time import start_of_local_day
from central.traffic.histograms import SPEED_BOUNDS_KMH, quantile
from central.traffic.types import DAY, HOUR, Span

MIDNIGHT = start_of_local_day(date(2026, 3, 1))
NOON = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("counts", "share", "value"),
    [
        ((0, 4, 0, 0), 0.5, 15.0),  # half of four values spread from 10 to 20
        ((2, 2, 0, 0), 0.5, 10.0),  # exactly the first class
        ((2, 0, 2, 0), 0.75, 25.0),  # an empty class is skipped
        ((0, 0, 0, 3), 0.5, 30.0),  # above the last bound
        ((1, 0, 0, 0), 0.0, 0.0),
        ((0, 0, 0, 0), 0.5, None),
    ],
)
def test_a_share_of_a_histogram_lies_where_it_was_computed_by_hand(
    counts: tuple[int, ...], share: float, value: float | None
) -> None:
    assert quantile(counts, (10.0, 20.0, 30.0), share=share) == value


@given(st.lists(st.floats(0.1, 199), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_share_read_from_classes_is_never_further_off_than_a_class(
    values: list[float], share: float
) -> None:
    counts = [0] * (len(SPEED_BOUNDS_KMH) + 1)
    for value in values:
        counts[bisect_right(SPEED_BOUNDS_KMH, value)] += 1

    read = quantile(counts, SPEED_BOUNDS_KMH, share=share)

    assert read is not None
    assert min(abs(read - each) for each in values) <= 2.0
    assert sum(each <= read + 2.0 for each in values) >= share * len(values) - 1e-6


@pytest.mark.parametrize(
    ("since", "until", "slot"),
    [
        (MIDNIGHT, MIDNIGHT, HOUR),
        (MIDNIGHT, MIDNIGHT + DAY, timedelta(0)),
        (MIDNIGHT, MIDNIGHT + DAY, timedelta(seconds=30)),
        (MIDNIGHT, MIDNIGHT + DAY, timedelta(minutes=90)),
        (MIDNIGHT, MIDNIGHT + 2 * DAY, 2 * DAY),
        (MIDNIGHT, MIDNIGHT + 2 * DAY, timedelta(minutes=1)),  # 2880 slots
        (NOON, NOON + DAY, DAY),
        (MIDNIGHT + timedelta(minutes=7), MIDNIGHT + DAY, timedelta(minutes=15)),
        (datetime(2026, 3, 1), datetime(2026, 3, 2), HOUR),  # noqa: DTZ001  # naive on purpose
    ],
)
def test_a_span_that_can_not_be_counted_is_refused(
    since: datetime, until: datetime, slot: timedelta
) -> None:
    with pytest.raises(ValueError, match=r"."):
        Span(since=since, until=until, slot=slot)
