# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a limit is."""

from datetime import timedelta

import pytest

from api.security.rates import RateLimit

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("count", "window"), [(0, MINUTE), (1, timedelta(0))])
def test_a_limit_without_requests_or_time_is_refused(count: int, window: timedelta) -> None:
    with pytest.raises(ValueError, match="requests_max"):
        RateLimit(requests_max=count, window=window)
