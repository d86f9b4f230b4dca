# SPDX-License-Identifier: AGPL-3.0-or-later
"""Waiting times grow and end; every answer of the api has a meaning for the picture."""

import random

import pytest

from edge.publish.backoff import Backoff
from edge.publish.evidence import UploadOutcome, outcome_of


def test_waits_grow_up_to_their_end_with_jitter() -> None:
    backoff = Backoff(first_s=1.0, longest_s=10.0)
    rng = random.Random(7)  # noqa: S311 - jitter

    waits = [backoff.wait_s(failures, rng=rng) for failures in range(1, 12)]

    for wait, full in zip(waits, [1, 2, 4, 8, *[10] * 7], strict=True):
        assert full / 2 <= wait <= full
    assert len(set(waits)) == len(waits)


def test_a_wait_after_very_many_failures_does_not_overflow() -> None:
    backoff = Backoff(first_s=1.0, longest_s=10.0)

    assert backoff.wait_s(1_000_000, rng=random.Random(7)) <= 10.0  # noqa: S311 - jitter


@pytest.mark.parametrize(("first_s", "longest_s", "growth"), [(0, 1, 2), (2, 1, 2), (1, 2, 1)])
def test_a_wait_that_can_not_grow_is_refused(
    first_s: float, longest_s: float, growth: float
) -> None:
    with pytest.raises(ValueError, match="need 0 < first_s"):
        Backoff(first_s=first_s, longest_s=longest_s, growth=growth)


@pytest.mark.parametrize(
    ("status_code", "outcome"),
    [
        (200, UploadOutcome.STORED),
        (201, UploadOutcome.STORED),
        (400, UploadOutcome.REFUSED),
        (401, UploadOutcome.REFUSED),
        (404, UploadOutcome.REFUSED),
        (408, UploadOutcome.LATER),
        (409, UploadOutcome.NEVER),
        (413, UploadOutcome.NEVER),
        (415, UploadOutcome.NEVER),
        (429, UploadOutcome.LATER),
        (302, UploadOutcome.LATER),
        (499, UploadOutcome.REFUSED),
        (500, UploadOutcome.LATER),
        (503, UploadOutcome.LATER),
    ],
)
def test_an_answer_of_the_api_means_one_thing(status_code: int, outcome: UploadOutcome) -> None:
    assert outcome_of(status_code) is outcome
