# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nobody tries out codes: an address may ask so often, then it waits."""

from datetime import UTC, datetime, timedelta

import pytest

from api.security.rates import ADDRESSES_MAX, AddressRates, RateLimit

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_request_after_the_last_allowed_one_has_to_wait_for_the_window_to_end() -> None:
    rates = AddressRates(RateLimit(requests_max=3, window=MINUTE))

    waits = [rates.wait_after("a", now=NOW + timedelta(seconds=second)) for second in range(4)]

    assert waits == [None, None, None, timedelta(seconds=57)]


def test_a_new_window_begins_from_nothing() -> None:
    rates = AddressRates(RateLimit(requests_max=1, window=MINUTE))
    rates.wait_after("a", now=NOW)

    assert rates.wait_after("a", now=NOW + MINUTE) is None


def test_one_address_does_not_use_up_what_another_may_ask() -> None:
    rates = AddressRates(RateLimit(requests_max=1, window=MINUTE))
    rates.wait_after("a", now=NOW)

    assert rates.wait_after("b", now=NOW) is None
    assert rates.wait_after("a", now=NOW) == MINUTE


def test_the_number_of_remembered_addresses_is_bounded() -> None:
    rates = AddressRates(RateLimit(requests_max=1, window=MINUTE))
    rates.wait_after("first", now=NOW)

    for number in range(ADDRESSES_MAX):
        rates.wait_after(str(number), now=NOW)

    assert rates.wait_after("first", now=NOW) is None


@pytest.mark.parametrize(("count", "window"), [(0, MINUTE), (1, timedelta(0))])
def test_a_limit_without_requests_or_time_is_refused(count: int, window: timedelta) -> None:
    with pytest.raises(ValueError, match="requests_max"):
        RateLimit(requests_max=count, window=window)
