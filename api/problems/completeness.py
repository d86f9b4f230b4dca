# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors about statements of completeness."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.completeness.errors import (
    DayNotOverError,
    StatementNotFoundError,
    StatementUnreadableError,
)
from central.errors import CentralError

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        StatementNotFoundError: Problem(
            status=404, code="statement-not-found", title="Nothing was stated about this day"
        ),
        DayNotOverError: Problem(status=409, code="day-not-over", title="The day is not over"),
        StatementUnreadableError: Problem(
            status=422, code="statement-unreadable", title="This is no statement of this centre"
        ),
    }
)
