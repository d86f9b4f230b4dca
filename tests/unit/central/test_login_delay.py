# SPDX-License-Identifier: AGPL-3.0-or-later
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.identity.service import DELAY_MAX, FREE_FAILURES, delay_after


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (0, 0),
        (4, 0),  # typing errors are free
        (5, 2),
        (6, 4),
        (9, 32),
        (14, 900),  # 2 s doubled nine times is 1024 s, more than the longest delay
        (10_000, 900),
    ],
)
def test_the_delay_doubles_after_some_free_failures(failures: int, seconds: int) -> None:
    assert delay_after(failures, free=FREE_FAILURES) == timedelta(seconds=seconds)


@given(st.integers(0, 10**9))
def test_more_failures_never_shorten_the_delay(failures: int) -> None:
    assert (
        delay_after(failures, free=FREE_FAILURES)
        <= delay_after(failures + 1, free=FREE_FAILURES)
        <= DELAY_MAX
    )
