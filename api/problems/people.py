# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of users, units and areas."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError, LastAdministratorError, UserNotFoundError
from central.identity.errors import (
    AreaNotFoundError,
    IdentityProofMissingError,
    OwnAccountError,
    RoleNotAssignableError,
    SecondFactorOffError,
    UnitNotFoundError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        UserNotFoundError: Problem(status=404, code="user-not-found", title="No such user"),
        UnitNotFoundError: Problem(status=422, code="unit-not-found", title="No such unit"),
        AreaNotFoundError: Problem(status=422, code="area-not-found", title="No such area"),
        LastAdministratorError: Problem(
            status=409,
            code="last-administrator",
            title="Nobody could administrate any more",
        ),
        OwnAccountError: Problem(
            status=409, code="own-account", title="The own account is changed by somebody else"
        ),
        IdentityProofMissingError: Problem(
            status=422,
            code="identity-proof-missing",
            title="Say how you made sure who asks",
        ),
        SecondFactorOffError: Problem(
            status=503, code="second-factor-off", title="This api has no key for second factors"
        ),
        RoleNotAssignableError: Problem(
            status=422, code="role-not-assignable", title="No person is given this role"
        ),
    }
)
