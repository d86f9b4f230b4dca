# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of the ledger."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.ledger.errors import (
    EntryConflictError,
    EntryNotCorrectableError,
    EntryNotFoundError,
    InsufficientBalanceError,
    OverCorrectionError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        EntryConflictError: Problem(
            status=409,
            code="ledger-entry-conflict",
            title="This key was booked before with other contents",
        ),
        InsufficientBalanceError: Problem(
            status=409, code="balance-too-low", title="The account holds less than is needed"
        ),
        EntryNotFoundError: Problem(
            status=404, code="ledger-entry-not-found", title="No ledger entry has this id"
        ),
        EntryNotCorrectableError: Problem(
            status=409,
            code="ledger-entry-not-correctable",
            title="A correction is not corrected itself",
        ),
        OverCorrectionError: Problem(
            status=409,
            code="ledger-over-correction",
            title="The correction goes beyond what is left of the entry",
        ),
    }
)
