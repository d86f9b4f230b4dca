# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of data protection."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.protection.errors import (
    DataRequestInvalidError,
    DataRequestNotFoundError,
    DataRequestStateError,
    ErasureRecordNotFoundError,
    FindingNotFoundError,
    RelativeInvalidError,
    RelativesNotSetUpError,
    RuleInvalidError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        FindingNotFoundError: Problem(
            status=409, code="finding-not-open", title="The finding is not open to you"
        ),
        RuleInvalidError: Problem(
            status=422, code="rule-invalid", title="A part is missing or out of bounds"
        ),
        RelativesNotSetUpError: Problem(
            status=409, code="relatives-not-set-up", title="No key file is set for relatives"
        ),
        RelativeInvalidError: Problem(
            status=422, code="relative-invalid", title="No such official, or no plate"
        ),
        DataRequestNotFoundError: Problem(
            status=404, code="data-request-not-found", title="No request has this code"
        ),
        DataRequestInvalidError: Problem(
            status=422, code="data-request-invalid", title="A part of the request is wrong"
        ),
        DataRequestStateError: Problem(
            status=409, code="data-request-state", title="The request does not allow this"
        ),
        ErasureRecordNotFoundError: Problem(
            status=404, code="erasure-record-not-found", title="No erasure has this number"
        ),
    }
)
