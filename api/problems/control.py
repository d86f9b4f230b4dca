# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of vehicle control."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.control.errors import (
    AlertNotFoundError,
    AlertStateError,
    WatchlistEntryInvalidError,
    WatchlistEntryNotFoundError,
)
from central.errors import CentralError

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        AlertNotFoundError: Problem(
            status=404, code="alert-not-found", title="No alert has this id"
        ),
        AlertStateError: Problem(
            status=409, code="alert-state", title="The alert's state does not allow this"
        ),
        WatchlistEntryNotFoundError: Problem(
            status=404,
            code="watchlist-entry-not-found",
            title="No entry of the watchlist has this id, or it was removed",
        ),
        WatchlistEntryInvalidError: Problem(
            status=422,
            code="watchlist-entry-invalid",
            title="A part of the watchlist entry is missing or wrong",
        ),
    }
)
