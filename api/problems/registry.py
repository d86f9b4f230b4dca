# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of the registry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.registry.errors import (
    BadgeConflictError,
    BadgeNotFoundError,
    BadgeNotRevocableError,
    LicenceNotFoundError,
    PartyNotFoundError,
    PermitConflictError,
    VehicleAmbiguousError,
    VehicleNotFoundError,
    VehicleSearchTooWideError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        VehicleNotFoundError: Problem(
            status=404, code="vehicle-not-found", title="The registry knows no such vehicle"
        ),
        VehicleAmbiguousError: Problem(
            status=409,
            code="vehicle-ambiguous",
            title="Several vehicles bear this text; state the plate's colour",
        ),
        PartyNotFoundError: Problem(
            status=404, code="party-not-found", title="The registry knows nobody of this id"
        ),
        LicenceNotFoundError: Problem(
            status=404, code="licence-not-found", title="The registry knows no such licence"
        ),
        BadgeNotFoundError: Problem(
            status=404, code="badge-not-found", title="The registry knows no such badge"
        ),
        BadgeConflictError: Problem(
            status=409, code="badge-conflict", title="Another badge stands in the way"
        ),
        BadgeNotRevocableError: Problem(
            status=409, code="badge-not-revocable", title="The badge can't be revoked on that day"
        ),
        PermitConflictError: Problem(
            status=409, code="permit-conflict", title="Another permit stands in the way"
        ),
        VehicleSearchTooWideError: Problem(
            status=422,
            code="vehicle-search-too-wide",
            title="A search for vehicles needs more letters and digits",
        ),
    }
)
