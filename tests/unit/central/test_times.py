# SPDX-License-Identifier: AGPL-3.0-or-later
from datetime import UTC, datetime, timedelta

import pytest

from central.domain.times import TimeLimits, TimeVerdict

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LIMITS = TimeLimits(
    skew_max=timedelta(minutes=5), age_max=timedelta(days=30), recording_age_max=timedelta(days=90)
)


@pytest.mark.parametrize(
    ("stated_at", "verdict"),
    [
        (NOW, TimeVerdict.PLAUSIBLE),
        (NOW + timedelta(minutes=5), TimeVerdict.PLAUSIBLE),  # exactly the limit
        (NOW + timedelta(minutes=5, microseconds=1), TimeVerdict.IN_FUTURE),
        (datetime(2099, 1, 1, tzinfo=UTC), TimeVerdict.IN_FUTURE),
        (NOW - timedelta(days=30), TimeVerdict.PLAUSIBLE),  # exactly the limit
        (NOW - timedelta(days=30, microseconds=1), TimeVerdict.TOO_OLD),
        (datetime(1970, 1, 1, tzinfo=UTC), TimeVerdict.TOO_OLD),
    ],
)
def test_a_time_is_plausible_within_the_limits(stated_at: datetime, verdict: TimeVerdict) -> None:
    assert LIMITS.judge(stated_at, now=NOW) is verdict


def test_limits_that_allow_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="age_max"):
        TimeLimits(skew_max=timedelta(0), age_max=timedelta(0), recording_age_max=timedelta(days=1))


def test_a_recording_may_be_older_but_not_from_the_future() -> None:
    assert LIMITS.judge_recording(NOW - timedelta(days=90), now=NOW) is TimeVerdict.PLAUSIBLE
    assert LIMITS.judge_recording(NOW - timedelta(days=91), now=NOW) is TimeVerdict.TOO_OLD
    assert LIMITS.judge_recording(NOW + timedelta(days=1), now=NOW) is TimeVerdict.IN_FUTURE
