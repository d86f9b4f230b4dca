# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with statements about completeness.

::

    CentralError
    └── CompletenessError
        ├── DayNotOverError              nothing can be stated about a day that goes on
        ├── StatementNotFoundError       nothing was stated about this day
        └── StatementUnreadableError     what shall be verified is no statement of ours
"""

from datetime import date

from central.errors import CentralError


class CompletenessError(CentralError):
    """Something about the completeness of days."""


class DayNotOverError(CompletenessError):
    """A statement is about a day that is over."""

    def __init__(self, day: date) -> None:
        super().__init__(f"the day {day} is not over")
        self.day = day


class StatementNotFoundError(CompletenessError):
    """Nothing was stated about this day, or not so often."""

    def __init__(self, day: date) -> None:
        super().__init__(f"there is no such statement about {day}")
        self.day = day


class StatementUnreadableError(CompletenessError):
    """A file is no statement, or one that was changed; never quotes it."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
