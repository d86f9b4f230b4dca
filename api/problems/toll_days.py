# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of closing toll days."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.tolling.day.errors import (
    ProviderFileError,
    StationNotFoundError,
    TollDayNotFoundError,
    TollDayNotOverError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        StationNotFoundError: Problem(
            status=404, code="toll-station-not-found", title="No toll station has this id"
        ),
        TollDayNotFoundError: Problem(
            status=404, code="toll-day-not-found", title="No closed toll day has this id"
        ),
        TollDayNotOverError: Problem(
            status=409, code="toll-day-not-over", title="The day is not over yet"
        ),
        ProviderFileError: Problem(
            status=422, code="provider-file-invalid", title="The provider's file can't be taken"
        ),
    }
)
