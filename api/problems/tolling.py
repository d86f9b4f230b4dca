# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of tolling."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.tolling.errors import (
    AlreadyRefundedError,
    CrossingNotChargedError,
    CrossingNotFoundError,
    CrossingNotInReviewError,
    TariffMissingError,
    TollAccountLockedError,
    TollAccountNotFoundError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        CrossingNotFoundError: Problem(
            status=404, code="toll-crossing-not-found", title="No toll crossing has this id"
        ),
        CrossingNotInReviewError: Problem(
            status=409,
            code="toll-crossing-not-in-review",
            title="This crossing waits for nobody's decision",
        ),
        CrossingNotChargedError: Problem(
            status=409, code="toll-crossing-not-charged", title="Nothing was charged to give back"
        ),
        AlreadyRefundedError: Problem(
            status=409, code="toll-already-refunded", title="The charge was given back before"
        ),
        TollAccountNotFoundError: Problem(
            status=422, code="toll-account-not-found", title="No traffic account has this number"
        ),
        TollAccountLockedError: Problem(
            status=409, code="toll-account-locked", title="The traffic account is locked or closed"
        ),
        TariffMissingError: Problem(
            status=409, code="toll-tariff-missing", title="No price is in force for this group"
        ),
    }
)
